//! Skiff's plugin host, as its gateway calls it: with fuel, slices and limits.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{borrow::ToOwned, format};

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::delta::{Delta, Stamp};
use skiff_runtime::host::{Answer, Arrival, Call, Instance, InstanceSpec, ModuleFacts, Nobody, Progress};
use skiff_runtime::package::Package;
use skiff_runtime::time::{Instant, UnixMillis};

use crate::stored::Stored;

/// The own vessel of every delta.
const SELF: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";
const NOW: UnixMillis = UnixMillis(1_780_308_000_000);

/// How a delta comes.
const ARRIVAL: Arrival<'static> =
    Arrival { self_context: SELF, own_source: "", now: Instant(0), wall: UnixMillis::UNKNOWN, hops: 0 };

/// A plugin that runs.
pub struct Guest {
    instance: Instance,
    services: Nobody<Vec<String>>,
}

impl Guest {
    pub fn started(stored: &Stored) -> Result<Self, String> {
        let package = Package::from_parts(stored.manifest, stored.module).map_err(|error| error.to_string())?;
        let mut guest = Self::load(&package)?;
        for call in [Call::Name, Call::Schema, Call::Endpoints, Call::Start { config: stored.config.to_owned() }] {
            if let Answer::Code(Some(code)) = guest.call(call)?
                && code != 0
            {
                return Err(format!("plugin_start gave {code}"));
            }
        }
        Ok(guest)
    }

    fn load(package: &Package) -> Result<Self, String> {
        let limits = Limits::of(Board::QemuRiscv32).plugin;
        let facts = ModuleFacts::read(&package.wasm, &limits).map_err(|error| error.to_string())?;
        let spec = InstanceSpec {
            package: package.name.clone(),
            id: package.id(),
            capabilities: package.capabilities.clone(),
            limits,
            growth_bytes: 0,
        };
        let instance = Instance::load(&facts, &package.wasm, &spec).map_err(|error| error.to_string())?;
        Ok(Self { instance, services: Nobody { wall: NOW, heard: Vec::new() } })
    }

    fn call(&mut self, call: Call) -> Result<Answer, String> {
        self.instance.begin(call);
        loop {
            match self.instance.run(&mut self.services) {
                Progress::Running => {}
                Progress::Waiting => return Err("waits for the network".into()),
                Progress::Done(answer) => return Ok(answer),
                Progress::Failed(failure) => return Err(failure.to_string()),
            }
        }
    }

    pub fn prepared(&self, text: &str) -> Result<Arc<Delta>, String> {
        let stamp = Stamp { source_ref: "bench", self_context: SELF, now: NOW };
        Delta::parse(text, &stamp).map(Arc::new).map_err(|error| error.to_string())
    }

    pub fn delta(&mut self, delta: &Arc<Delta>) -> Result<(), String> {
        match self.instance.told(Arc::clone(delta), &ARRIVAL) {
            Some(call) => self.call(call).map(|_| ()),
            None => Ok(()),
        }
    }
}

/// Returns what was emitted since the last time.
pub fn take_emitted(guest: &mut Guest) -> Vec<String> {
    core::mem::take(&mut guest.services.heard)
}

/// A module whose `poll` does nothing.
pub struct Empty(Guest);

impl Empty {
    pub fn load(wasm: &'static [u8]) -> Result<Self, String> {
        let package = Package::from_wasm("empty", wasm).map_err(|error| error.to_string())?;
        Guest::load(&package).map(Self)
    }

    pub fn call(&mut self) -> Result<(), String> {
        self.0.call(Call::Poll).map(|_| ())
    }
}
