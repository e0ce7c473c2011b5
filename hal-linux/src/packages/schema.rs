//! What a plugin tells of its configuration, asked without a gateway.

use skiff_runtime::budget::Limits;
use skiff_runtime::config::{SAMPLE_SELF_CONTEXT, Vessel};
use skiff_runtime::gateway::{Gateway, Setup};
use skiff_runtime::hal::Hal;
use skiff_runtime::hal::sim::{SimClock, SimRng, SimStorage};
use skiff_runtime::package::Package;
use skiff_runtime::plugin::Enabled;
use skiff_runtime::server::Access;
use skiff_runtime::time::UnixMillis;

/// Slices of fuel that a plugin gets for its name and its schema.
const POLLS_MAX: usize = 10_000;

/// Asks a plugin for its schema as a gateway asks one that is disabled: it is never started, and there is nothing around
/// it. `None` where it tells none.
#[must_use]
pub fn schema(package: Package, limits: Limits) -> Option<String> {
    let hal = Hal {
        clock: Box::new(SimClock::new(UnixMillis::UNKNOWN)),
        rng: Box::new(SimRng::new(1)),
        storage: Box::new(SimStorage::new()),
        network: None,
        fetch: None,
        serial: None,
        can: Vec::new(),
    };
    let setup = Setup {
        limits,
        vessel: Vessel::default(),
        self_context: SAMPLE_SELF_CONTEXT.into(),
        access: Access::with_new_token(&mut SimRng::new(1)).0,
        strict: false,
        version: env!("CARGO_PKG_VERSION"),
        events: false,
        poll_on_whole_seconds: false,
    };
    let (id, mut gateway) = (package.id(), Gateway::new(setup, hal));
    gateway.install(package, Enabled::FromConfig).ok()?;
    for _ in 0..POLLS_MAX {
        if !gateway.poll().busy {
            break;
        }
    }
    gateway.plugins().find(&id).map(|plugin| plugin.schema().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use skiff_runtime::budget::Board;

    #[test]
    fn a_schema_is_told_without_a_start() {
        let package = sample::PACKAGES[0].package().unwrap();
        let told = schema(package, Limits::of(Board::Linux)).unwrap();
        assert!(told.starts_with(r#"{"$schema":"#), "{told}");
    }
}
