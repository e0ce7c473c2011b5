//! Plugins that take values in rows of their memory, in a whole gateway (abi-extensions.md, "Values").

mod boat;
mod guests;
mod rows;

use boat::Boat;
use rows::Rows;
use skiff_abi::values::{FLAG_OTHER_DELTAS, NUMBER, QUIET};
use skiff_runtime::gateway::InputId;
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Key, Storage as _};
use skiff_runtime::plugin::PluginState;

const OWN: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";

/// A boat with a log that tells values.
struct Sea {
    boat: Boat,
    log: InputId,
}

impl Sea {
    fn new() -> Self {
        let mut boat = Boat::new();
        let log = boat.gateway.input("log");
        Self { boat, log }
    }

    /// Installs a plugin and waits until it has started.
    fn with(name: &str, guest: &str) -> Self {
        let mut sea = Self::new();
        sea.boat.install(name, guest);
        sea.boat.settle();
        assert_eq!(sea.plugin(name).state(), PluginState::Running, "{:?}", sea.plugin(name).reason());
        sea
    }

    fn plugin(&self, name: &str) -> &skiff_runtime::plugin::Plugin {
        self.boat.plugin(&skiff_runtime::package::plugin_id(name))
    }

    /// Tells a value without letting plugins run.
    fn say(&mut self, context: &str, path: &str, value: &str) {
        let text =
            format!(r#"{{"context":"{context}","updates":[{{"values":[{{"path":"{path}","value":{value}}}]}}]}}"#);
        let now = self.boat.gateway.wall_clock();
        self.boat.gateway.receive_delta(self.log, &text, now);
    }

    /// Tells a value of the own vessel; returns the values that plugins emitted because of it.
    fn tell(&mut self, path: &str, value: &str) -> Vec<String> {
        self.say("vessels.self", path, value);
        self.emitted()
    }

    fn emitted(&mut self) -> Vec<String> {
        self.boat.settle();
        let values = |text: String| {
            let (_, values) = text.split_once("\"values\":[")?;
            Some(values.split_once("],\"$source\"")?.0.to_owned())
        };
        self.boat.emitted.drain(..).filter_map(values).collect()
    }
}

/// Publishes `out` with the number of `in`.
fn echo() -> String {
    let rows = Rows::new(&[("in", NUMBER)], &[("out", NUMBER)]);
    rows.guest(&rows.publish(0, &rows.number(0)), "")
}

#[test]
fn a_value_goes_in_and_one_comes_out_in_the_name_of_the_plugin() {
    let mut sea = Sea::with("@test/echo", &echo());
    sea.say("vessels.self", "in", "4.2");
    sea.boat.settle();
    let emitted = std::mem::take(&mut sea.boat.emitted);
    let wanted = format!(
        r#"{{"context":"{OWN}","updates":[{{"values":[{{"path":"out","value":4.2}}],"$source":"@test/echo","timestamp":"2025-11-24T16:00:00.000Z"}}]}}"#
    );
    assert_eq!(emitted, [wanted]);
    let node = sea.boat.gateway.model().node_at_self("out.value");
    assert_eq!(node.as_deref(), Some("4.2"), "the model has it");
    assert!(sea.tell("other", "1").is_empty());
    sea.say("vessels.urn:mrn:imo:mmsi:244000001", "in", "5");
    assert!(sea.emitted().is_empty(), "inputs are of the own vessel");
    assert_eq!(sea.plugin("@test/echo").drops().total(), 0);
}

#[test]
fn what_arrives_before_an_update_is_one_update_of_the_latest() {
    let mut sea = Sea::with("@test/echo", &echo());
    for value in ["1", "2", "3"] {
        sea.say("vessels.self", "in", value);
    }
    assert_eq!(sea.emitted(), [r#"{"path":"out","value":3}"#]);
    assert_eq!(sea.tell("in", "3"), [r#"{"path":"out","value":3}"#], "an equal value is one, too");
}

#[test]
fn what_a_plugin_says_itself_is_no_input_of_it_and_two_that_answer_each_other_end() {
    let rows = Rows::new(&[("in", NUMBER)], &[("in", NUMBER)]);
    let adding = |rows: &Rows| rows.guest(&rows.publish(0, &format!("(f64.add {} (f64.const 1))", rows.number(0))), "");
    let mut sea = Sea::with("@test/one", &adding(&rows));
    assert_eq!(sea.tell("in", "5"), [r#"{"path":"in","value":6}"#]);
    sea.boat.install("@test/two", &adding(&rows));
    let answered = sea.tell("in", "5").len();
    assert!((2..40).contains(&answered), "{answered}");
    let looped: u64 = ["@test/one", "@test/two"].map(|name| sea.plugin(name).drops().looped).iter().sum();
    assert!(looped > 0);
}

#[test]
fn updates_keep_the_interval_and_the_last_one_comes_at_its_time() {
    let mut rows = Rows::new(&[("in", NUMBER)], &[("out", NUMBER)]);
    rows.interval_ms = 1000;
    let mut sea = Sea::with("@test/slow", &rows.guest(&rows.publish(0, &rows.number(0)), ""));
    assert_eq!(sea.tell("in", "1").len(), 1, "at once");
    for value in ["2", "3"] {
        sea.boat.clock.advance(std::time::Duration::from_millis(300));
        assert!(sea.tell("in", value).is_empty());
    }
    sea.boat.clock.advance(std::time::Duration::from_millis(399));
    assert!(sea.emitted().is_empty());
    let wake = sea.boat.gateway.poll();
    assert_eq!(wake.at, Some(skiff_runtime::time::Instant::from_millis(1000)));
    sea.boat.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(sea.emitted(), [r#"{"path":"out","value":3}"#]);
    sea.boat.pass(3);
    assert!(sea.emitted().is_empty(), "nothing arrived");
}

#[test]
fn a_quiet_input_causes_no_update_and_ages() {
    let rows = Rows::new(&[("in", NUMBER), ("still", NUMBER | QUIET)], &[("out", NUMBER), ("age", NUMBER)]);
    let update = rows.publish(0, &rows.number(1)) + &rows.publish(1, &rows.age(1));
    let mut sea = Sea::with("@test/quiet", &rows.guest(&update, ""));
    assert!(sea.tell("still", "7").is_empty());
    sea.boat.pass(5);
    assert_eq!(sea.tell("in", "1"), [r#"{"path":"out","value":7},{"path":"age","value":5000}"#]);
}

#[test]
fn a_start_takes_what_the_model_has_and_its_age() {
    let mut sea = Sea::new();
    sea.say("vessels.self", "in", "8");
    sea.say("vessels.self", "other", "9");
    sea.boat.settle();
    sea.boat.pass(3);
    let rows = Rows::new(&[("in", NUMBER), ("never", NUMBER)], &[("out", NUMBER), ("age", NUMBER)]);
    let update = rows.publish(0, &rows.number(0)) + &rows.publish(1, &rows.age(0));
    sea.boat.install("@test/late", &rows.guest(&update, ""));
    assert_eq!(sea.emitted(), [r#"{"path":"out","value":8},{"path":"age","value":3000}"#]);
    assert!(sea.emitted().is_empty(), "one update");
}

#[test]
fn a_plugin_that_nothing_arrived_for_is_not_called() {
    let mut sea = Sea::new();
    sea.boat.install("@test/echo", &echo());
    assert!(sea.emitted().is_empty());
}

#[test]
fn a_new_version_takes_over_with_what_is_known_then() {
    let rows = Rows::new(&[("in", NUMBER)], &[("out", NUMBER)]);
    let times = |factor: u32| {
        let number = format!("(f64.mul {} (f64.const {factor}))", rows.number(0));
        rows.guest(&rows.publish(0, &number), "")
    };
    let mut sea = Sea::with("@test/echo", &times(1));
    assert_eq!(sea.tell("in", "2").len(), 1);
    sea.boat.replace("@test/echo", &times(10));
    assert_eq!(sea.emitted(), [r#"{"path":"out","value":20}"#], "one update, of the version in force");
    assert_eq!(sea.tell("in", "3"), [r#"{"path":"out","value":30}"#]);
}

#[test]
fn the_packages_filter_is_about_text_the_operators_about_inputs_too() {
    let mut sea = Sea::new();
    sea.boat.install_declaring("@test/echo", &echo(), r#","skiff":{"subscribe":["other"]}"#);
    sea.boat.settle();
    assert_eq!(sea.tell("in", "1").len(), 1);
    let body = r#"{"enabled":true,"skiff":{"subscribe":["other"]}}"#;
    let mut storage = SimStorage::new();
    let key = Key::parse("plugin-config-data/_test_echo.json").unwrap();
    storage.replace(&key, body.as_bytes()).unwrap();
    let mut boat = Boat::with_storage(storage);
    let log = boat.gateway.input("log");
    boat.install("@test/echo", &echo());
    let mut sea = Sea { boat, log };
    sea.boat.settle();
    assert_eq!(sea.plugin("@test/echo").state(), PluginState::Running);
    assert!(sea.tell("in", "1").is_empty());
    let both = r#"{"updates":[{"values":[{"path":"other","value":1},{"path":"in","value":2}]}]}"#;
    sea.boat.gateway.receive_delta(log, both, None);
    assert!(sea.emitted().is_empty(), "also beside what is allowed");
}

#[test]
fn without_the_right_to_read_nothing_arrives_and_without_that_to_write_nothing_goes() {
    for capability in ["dataRead", "dataWrite"] {
        let mut sea = Sea::new();
        sea.say("vessels.self", "in", "1");
        sea.boat.settle();
        sea.boat.install_declaring("@test/echo", &echo(), &format!(r#","wasmCapabilities":{{"{capability}":false}}"#));
        sea.boat.settle();
        assert_eq!(sea.plugin("@test/echo").state(), PluginState::Running);
        assert!(sea.tell("in", "1").is_empty(), "{capability}");
    }
}

/// Publishes `out` as an update; its status is how many deltas it was given as text.
fn of_both_sorts(flags: u32) -> String {
    let mut rows = Rows::new(&[("in", NUMBER)], &[("out", NUMBER)]);
    rows.flags = flags;
    let handler = r#"(data (i32.const 512) "0") (func (export "delta_handler") (param i32 i32)
        (i32.store8 (i32.const 512) (i32.add (i32.load8_u (i32.const 512)) (i32.const 1)))
        (call $status (i32.const 512) (i32.const 1)))"#;
    rows.guest(&rows.publish(0, &rows.number(0)), handler)
}

/// A delta with an input and another path.
fn tell_both(sea: &mut Sea) -> Vec<String> {
    let both = r#"{"updates":[{"values":[{"path":"other","value":1},{"path":"in","value":2}]}]}"#;
    sea.boat.gateway.receive_delta(sea.log, both, None);
    sea.emitted()
}

#[test]
fn other_deltas_come_as_text_where_the_plugin_wants_them() {
    let mut sea = Sea::with("@test/both", &of_both_sorts(FLAG_OTHER_DELTAS));
    let texts = |sea: &Sea| sea.plugin("@test/both").status().unwrap_or("0").to_owned();
    sea.tell("other", "1");
    assert_eq!(texts(&sea), "1");
    assert_eq!(tell_both(&mut sea), [r#"{"path":"out","value":2}"#]);
    // What it published itself is another delta, too.
    assert_eq!(texts(&sea), "3");
    sea.say("vessels.urn:mrn:imo:mmsi:244000001", "in", "5");
    assert!(sea.emitted().is_empty());
    assert_eq!(texts(&sea), "4");
    let mut without = Sea::with("@test/both", &of_both_sorts(0));
    assert!(without.tell("other", "1").is_empty());
    assert_eq!(without.tell("in", "1").len(), 1);
    assert_eq!(texts(&without), "0");
}

#[test]
fn a_filter_of_the_package_holds_for_text_beside_inputs() {
    let mut sea = Sea::new();
    let members = r#","skiff":{"subscribe":["wanted"]}"#;
    sea.boat.install_declaring("@test/both", &of_both_sorts(FLAG_OTHER_DELTAS), members);
    sea.boat.settle();
    let texts = |sea: &Sea| sea.plugin("@test/both").status().map(str::to_owned);
    sea.tell("other", "1");
    assert_eq!(tell_both(&mut sea), [r#"{"path":"out","value":2}"#]);
    assert_eq!(texts(&sea), None);
    sea.tell("wanted", "1");
    assert_eq!(texts(&sea).as_deref(), Some("1"));
}

#[test]
fn rows_that_a_poll_changed_are_published_as_well() {
    let rows = Rows::new(&[], &[("out", NUMBER)]);
    let poll = format!(r#"(func (export "poll") (result i32) {} (i32.const 0))"#, rows.publish(0, "(f64.const 3)"));
    let mut sea = Sea::with("@test/poll", &rows.guest("", &poll));
    sea.boat.pass(2);
    assert_eq!(sea.emitted(), [r#"{"path":"out","value":3}"#; 2]);
}

#[test]
fn a_plugin_whose_rows_cannot_be_used_is_given_text_and_says_why() {
    let mut rows = Rows::new(&[("in", NUMBER)], &[("text", NUMBER)]);
    rows.flags = 6;
    let handler = r#"(func (export "delta_handler") (param i32 i32) (call $status (i32.const 3072) (i32.const 2)))"#;
    let mut sea = Sea::with("@test/wrong", &rows.guest("", handler));
    sea.tell("in", "1");
    let plugin = sea.plugin("@test/wrong");
    assert_eq!((plugin.status(), plugin.drops().malformed), (Some("in"), 1));
    assert!(plugin.log_lines().any(|line| line.contains("takes no values: an interval or flag that is not known")));
    assert!(plugin.instance().unwrap().values().is_none());
}

#[test]
fn a_crash_begins_anew_with_what_the_model_has() {
    let rows = Rows::new(&[("in", NUMBER)], &[("out", NUMBER)]);
    let trap = format!(
        "(if (f64.eq {} (f64.const 13)) (then (unreachable))) {}",
        rows.number(0),
        rows.publish(0, &rows.number(0))
    );
    let mut sea = Sea::with("@test/crash", &rows.guest(&trap, ""));
    assert!(sea.tell("in", "13").is_empty());
    assert_eq!(sea.plugin("@test/crash").state(), PluginState::Crashed);
    assert!(sea.tell("in", "14").is_empty());
    sea.boat.pass(60);
    assert_eq!(sea.emitted(), [r#"{"path":"out","value":14}"#]);
}
