//! One plugin without a gateway around it: its services answer with nothing and count what it emits.

use std::sync::Arc;

use skiff_measure::clock::timed;
use skiff_measure::rounds::Done;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::delta::{Delta, Stamp};
use skiff_runtime::host::{Answer, Arrival, Call, Instance, InstanceSpec, ModuleFacts, Nobody, Progress};
use skiff_runtime::package::Package;
use skiff_runtime::time::{Instant, UnixMillis};

/// The wall clock of everything that is measured.
pub const NOW: UnixMillis = UnixMillis(1_780_308_000_000);

/// How a delta comes.
const ARRIVAL: Arrival<'static> = Arrival {
    self_context: skiff_measure::input::SELF,
    own_source: "",
    now: Instant(0),
    wall: UnixMillis::UNKNOWN,
    hops: 0,
};

/// What one call did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Called {
    /// Fuel it took.
    pub fuel: u64,
    /// Deltas it emitted.
    pub emitted: u64,
    /// What a start or a stop gave back.
    pub code: Option<i32>,
}

/// A plugin that was loaded.
pub struct Guest {
    instance: Instance,
    /// Counts what it emits.
    services: Nobody<u64>,
}

/// Reads a module for the Linux board; what the board refuses is the error.
pub fn checked(package: &Package) -> Result<ModuleFacts, String> {
    ModuleFacts::read(&package.wasm, &Limits::of(Board::Linux).plugin).map_err(|error| error.to_string())
}

/// Translates and links a module that was checked.
pub fn translated(package: &Package, facts: &ModuleFacts) -> Result<Guest, String> {
    let spec = InstanceSpec {
        package: package.name.clone(),
        id: package.id(),
        capabilities: package.capabilities.clone(),
        limits: Limits::of(Board::Linux).plugin,
        growth_bytes: u64::MAX,
    };
    let instance = Instance::load(facts, &package.wasm, &spec).map_err(|error| error.to_string())?;
    Ok(Guest { instance, services: Nobody { wall: NOW, heard: 0 } })
}

impl Guest {
    /// Loads a package.
    pub fn load(package: &Package) -> Result<Self, String> {
        translated(package, &checked(package)?)
    }

    /// Asks for what a gateway asks, and starts the plugin; returns the fuel of all of it.
    pub fn start(&mut self, config: &str) -> Result<u64, String> {
        let mut fuel = 0_u64;
        for call in [Call::Name, Call::Schema, Call::Endpoints, Call::Start { config: config.to_owned() }] {
            let called = self.call(call)?;
            fuel = fuel.saturating_add(called.fuel);
            if let Some(code) = called.code.filter(|code| *code != 0) {
                return Err(format!("does not start: error code {code}"));
            }
        }
        Ok(fuel)
    }

    /// Runs one call to its end; a delta comes as to a plugin of a gateway.
    pub fn call(&mut self, call: Call) -> Result<Called, String> {
        let call = match call {
            Call::Delta(delta) => match self.instance.told(delta, &ARRIVAL) {
                Some(call) => call,
                None => return Ok(Called::default()),
            },
            call => call,
        };
        let before = self.services.heard;
        self.instance.begin(call);
        loop {
            match self.instance.run(&mut self.services) {
                Progress::Running => {}
                Progress::Waiting => return Err("waits for the network, which is not here".into()),
                Progress::Failed(failure) => return Err(failure.to_string()),
                Progress::Done(answer) => {
                    let code = if let Answer::Code(code) = answer { code } else { None };
                    let emitted = self.services.heard.saturating_sub(before);
                    return Ok(Called { fuel: self.instance.usage().fuel_in_call, emitted, code });
                }
            }
        }
    }

    /// Runs a call this often; `call` makes the one of each number. A call that fails ends it.
    pub fn measured(&mut self, times: u32, mut call: impl FnMut(usize) -> Call) -> Done {
        let (units, nanos) = timed(|| {
            let fits = |number: &u32| self.call(call(*number as usize)).is_ok();
            (0..times).take_while(fits).count() as u64
        });
        Done { nanos, units }
    }

    /// Returns the size of its linear memory, bytes.
    pub fn linear_bytes(&self) -> u64 {
        self.instance.usage().linear_bytes
    }
}

/// Makes a delta of its text.
pub fn delta(text: &str) -> Result<Arc<Delta>, String> {
    let stamp = Stamp { source_ref: "bench", self_context: skiff_measure::input::SELF, now: NOW };
    Delta::parse(text, &stamp).map(Arc::new).map_err(|error| error.to_string())
}
