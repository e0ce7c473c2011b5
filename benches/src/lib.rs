//! What the benches share: a host that answers imports with nothing, the committed plugins, native twins.
#![forbid(unsafe_code)]

pub mod native;

use std::sync::Arc;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::delta::{Delta, Stamp};
use skiff_runtime::host::{Answer, Arrival, Call, Instance, InstanceSpec, ModuleFacts, Nobody, Progress};
use skiff_runtime::package::Package;
use skiff_runtime::time::{Instant, UnixMillis};

/// How a delta comes.
pub const ARRIVAL: Arrival<'static> =
    Arrival { self_context: SELF_CONTEXT, own_source: "bench", now: Instant(0), wall: UnixMillis::UNKNOWN, hops: 0 };

/// The own vessel of the benches.
pub const SELF_CONTEXT: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";

/// Nobody around a plugin but what keeps the deltas it emits.
#[must_use]
pub fn quiet() -> Quiet {
    Nobody { wall: NOW, heard: Vec::new() }
}

/// What [`quiet`] returns.
pub type Quiet = Nobody<Vec<String>>;

/// The wall clock of everything that is measured.
const NOW: UnixMillis = UnixMillis(1_780_308_000_000);

/// Loads a package on the Linux board.
///
/// # Panics
/// When the package does not load: the benches measure working plugins.
#[must_use]
pub fn load(package: &Package) -> Instance {
    let limits = Limits::of(Board::Linux).plugin;
    let facts = ModuleFacts::read(&package.wasm, &limits).expect("a module that is admitted");
    let spec = InstanceSpec {
        package: package.name.clone(),
        id: package.id(),
        capabilities: package.capabilities.clone(),
        limits,
        growth_bytes: u64::MAX,
    };
    Instance::load(&facts, &package.wasm, &spec).expect("a module that loads")
}

/// Runs one call to its end; a delta comes as to a plugin of a gateway.
///
/// # Panics
/// When the call fails.
pub fn call(instance: &mut Instance, services: &mut Quiet, call: Call) -> Answer {
    let call = match call {
        Call::Delta(delta) => match instance.told(delta, &ARRIVAL) {
            Some(call) => call,
            None => return Answer::Absent,
        },
        call => call,
    };
    instance.begin(call);
    loop {
        match instance.run(services) {
            Progress::Running | Progress::Waiting => {}
            Progress::Done(answer) => return answer,
            Progress::Failed(failure) => panic!("{failure}"),
        }
    }
}

/// The committed `@skiff/true-wind`.
///
/// # Panics
/// When the committed package is damaged.
#[must_use]
pub fn true_wind() -> Package {
    let json = include_bytes!("../../plugins/rust/true-wind/package.json");
    let wasm = include_bytes!("../../plugins/rust/true-wind/plugin.wasm");
    Package::from_parts(json, wasm.to_vec()).expect("the committed package")
}

/// The committed `@skiff/shallow-water-alarm`.
///
/// # Panics
/// When the committed package is damaged.
#[must_use]
pub fn shallow_water_alarm() -> Package {
    let json = include_bytes!("../../plugins/assemblyscript/shallow-water-alarm/package.json");
    let wasm = include_bytes!("../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm");
    Package::from_parts(json, wasm.to_vec()).expect("the committed package")
}

/// A delta of the own vessel with these values, at the benches' time.
///
/// # Panics
/// When `values` is not the inside of a values array.
#[must_use]
pub fn delta(values: &str) -> Arc<Delta> {
    let stamp = Stamp { source_ref: "bench.1", self_context: SELF_CONTEXT, now: NOW };
    let text = format!(r#"{{"updates":[{{"values":[{values}]}}]}}"#);
    Arc::new(Delta::parse(&text, &stamp).expect("a delta"))
}

/// Wind, heading, speed, wind: the first wind tells the plugin which vessel is its own, the last one it can answer.
#[must_use]
pub fn wind_input() -> [Arc<Delta>; 4] {
    let wind = delta(
        r#"{"path":"environment.wind.speedApparent","value":8.76},{"path":"environment.wind.angleApparent","value":0.6543}"#,
    );
    [
        wind.clone(),
        delta(r#"{"path":"navigation.headingTrue","value":1.2345}"#),
        delta(r#"{"path":"navigation.speedThroughWater","value":3.21}"#),
        wind,
    ]
}
