//! Which paths a plugin needs, found out on the simulated boat: the project's plugins as they run from text, and guests
//! with one habit each.

use skiff_gateway::suggest::{Evidence, NoFilter, PathRow};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::sample;
use skiff_runtime::package::Package;
use skiff_runtime::plugin::PluginState;
use skiff_runtime::replay::Replay;

/// Seconds of the boat's trip: long enough for the alarm to rise and to clear.
const TRIP: i64 = 120;
/// Enough for a guest with one habit.
const WHILE: i64 = 20;

/// A package of the project whose module says nothing of rows: it takes deltas as text.
fn as_text(json: &str, wasm: &[u8]) -> Package {
    let mut wasm = wasm.to_vec();
    for name in ["skiff_values", "skiff_update"] {
        let at = wasm.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
        // Another name of the same length.
        wasm[at] = b'x';
    }
    Package::from_parts(json.as_bytes(), wasm).unwrap()
}

/// Runs a package on the boat for so many seconds and returns what its calls did.
fn evidence(package: Package, config: Option<&str>, seconds: i64) -> Evidence {
    let id = package.id();
    let mut replay = Replay::new(Limits::of(Board::Linux), "boat", sample::START, false);
    replay.plugin_lines_only();
    replay.install_watched(package, config.map(str::to_owned)).unwrap();
    let mut evidence = Evidence::default();
    let records = (1..).zip(sample::Sample::new(1));
    for (number, (time, frame)) in records.take_while(|(_, (time, _))| time.0 < sample::START.0 + seconds * 1000) {
        replay.record(number, &Record { time: Some(time), item: Item::Frame(frame) });
        replay.take_acted(&id).iter().for_each(|acted| evidence.add(acted));
    }
    let plugin = replay.gateway().plugins().find(&id).unwrap();
    assert_eq!(plugin.state(), PluginState::Running, "{}", plugin.status_message());
    evidence
}

fn of_path<'e>(evidence: &'e Evidence, path: &str) -> PathRow<'e> {
    evidence.rows().into_iter().find(|row| row.path == path).unwrap_or_else(|| panic!("{path} did not come"))
}

/// A guest of the buffer dialect that is called with every delta; `$wind` is set where it speaks of an apparent wind.
fn guest(name: &str, handler: &str) -> Package {
    let text = format!(
        r#"(module
            (import "env" "sk_set_status" (func $status (param i32 i32)))
            (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            (memory (export "memory") 2)
            (global $count (mut i32) (i32.const 0))
            (data (i32.const 16) "A deltas  {{\"updates\":[{{\"values\":[{{\"path\":\"own.path\",\"value\":1}}]}}]}}")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 65536))
            (func $one_more (i32.store8 (i32.const 16)
                (i32.add (i32.const 65) (i32.rem_u (i32.sub (i32.load8_u (i32.const 16)) (i32.const 64)) (i32.const 26)))))
            (func (export "delta_handler") (param $at i32) (param $length i32) (local $wind i32)
                (loop $next
                    (if (i64.eq (i64.load (local.get $at)) (i64.const 0x7261707041646565))
                        (then (local.set $wind (i32.const 1))))
                    (local.set $at (i32.add (local.get $at) (i32.const 1)))
                    (local.set $length (i32.sub (local.get $length) (i32.const 1)))
                    (br_if $next (i32.gt_s (local.get $length) (i32.const 0))))
                {handler}))"#
    );
    let json = format!(
        r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm",
            "skiff":{{"subscribe":["nothing"]}},"wasmCapabilities":{{"dataRead":true,"dataWrite":true}}}}"#
    );
    Package::from_parts(json.as_bytes(), wat::parse_str(text).unwrap()).unwrap()
}

/// Text `eedAppar` of `environment.wind.speedApparent`.
const WIND: [&str; 2] = ["environment.wind.angleApparent", "environment.wind.speedApparent"];

#[test]
fn the_shallow_water_alarm_needs_the_depth() {
    let package = as_text(
        include_str!("../../plugins/assemblyscript/shallow-water-alarm/package.json"),
        include_bytes!("../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm"),
    );
    let config = include_str!("../../plugins/assemblyscript/shallow-water-alarm/sample-config.json");
    let evidence = evidence(package, Some(config), TRIP);
    let filter = evidence.filter().unwrap_or_else(|reason| panic!("{reason}: {:?}", evidence.rows()));
    for path in ["belowTransducer", "belowKeel", "transducerToKeel"].map(|leaf| format!("environment.depth.{leaf}")) {
        assert!(filter.contains(&&*path), "{filter:?}");
    }
    // The toolkit learns the own context from the first delta that it looks into: what cannot be told from a state that
    // is stored once stays in.
    for path in filter.iter().filter(|path| !path.starts_with("environment.depth.")) {
        let tally = of_path(&evidence, path).tally;
        assert_eq!((tally.acted, tally.memory, tally.deltas > 100), (1, 1, true), "{path}");
    }
    let position = of_path(&evidence, "navigation.position").tally;
    assert_eq!((position.acted, position.deltas > 100), (0, true));
    assert!(position.fuel > 0 && position.bytes > 0);
}

#[test]
fn true_wind_needs_what_it_computes_with() {
    let package = as_text(
        include_str!("../../plugins/rust/true-wind/package.json"),
        include_bytes!("../../plugins/rust/true-wind/plugin.wasm"),
    );
    let config = include_str!("../../plugins/rust/true-wind/sample-config.json");
    let evidence = evidence(package, Some(config), TRIP);
    let filter = evidence.filter().unwrap_or_else(|reason| panic!("{reason}: {:?}", evidence.rows()));
    for path in WIND.into_iter().chain(["navigation.headingTrue", "navigation.speedThroughWater"]) {
        assert!(filter.contains(&path), "{path}: {filter:?}");
    }
    for path in ["navigation.position", "environment.depth.belowTransducer", "environment.wind.speedTrue"] {
        assert!(!filter.contains(&path), "{path}: {filter:?}");
    }
}

#[test]
fn a_plugin_that_only_remembers_shows_by_its_memory() {
    let remembers = "(if (local.get $wind) (then (global.set $count (i32.add (global.get $count) (i32.const 1)))))";
    let evidence = evidence(guest("remembers", remembers), None, WHILE);
    assert_eq!(evidence.filter().unwrap(), WIND, "the package's own filter does not hold");
    let row = of_path(&evidence, WIND[0]);
    assert_eq!((row.tally.memory, row.tally.acted), (row.tally.deltas, row.tally.deltas));
    assert!(row.tally.imports.is_empty() && evidence.all.acted == row.tally.deltas);
}

#[test]
fn a_status_for_every_delta_hides_nothing() {
    let status = "(call $one_more) (call $status (i32.const 16) (i32.const 8))";
    let counts = evidence(guest("counts", status), None, WHILE);
    assert_eq!((counts.all.acted, counts.filter()), (0, Err(NoFilter::NoEffect)));
    let emits = format!("{status} (if (local.get $wind) (then (call $emit (i32.const 26) (i32.const 56))))");
    let emits = evidence(guest("emits", &emits), None, WHILE);
    assert_eq!(emits.filter().unwrap(), WIND);
    assert_eq!(of_path(&emits, WIND[0]).tally.imports, ["sk_handle_message"]);
    assert_eq!(of_path(&emits, "own.path").tally.acted, 0, "it is given its own deltas, and ignores them");
}

#[test]
fn who_passes_everything_on_gets_no_filter() {
    let relay = evidence(guest("relay", "(call $emit (i32.const 26) (i32.const 56))"), None, WHILE);
    assert_eq!(relay.filter(), Err(NoFilter::ForAny));
    assert_eq!(relay.for_any, [("sk_handle_message", relay.all.deltas)]);
}
