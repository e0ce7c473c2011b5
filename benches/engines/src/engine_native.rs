//! The plugin's own source as machine code, without WebAssembly: what an engine can come near to.

use skiff_plugin::{Capability, Host, Json, fallback};
use true_wind::TrueWind;

use crate::emitted::emitted;
use crate::engine::{Engine, Export, Failed};

struct Silent;

impl Host for Silent {
    fn debug(&mut self, _: &str) {}
    fn set_status(&mut self, _: &str) {}
    fn set_error(&mut self, _: &str) {}
    fn emit(&mut self, delta: &str) {
        emitted(delta.as_bytes());
    }
    fn publish_notification(&mut self, _: &str, _: &str) -> bool {
        false
    }
    fn read_config<'b>(&mut self, _: &'b mut [u8]) -> Option<&'b str> {
        None
    }
    fn save_config(&mut self, _: &str) -> bool {
        false
    }
    fn self_path<'b>(&mut self, _: &str, _: &'b mut [u8]) -> Option<&'b str> {
        None
    }
    fn has_capability(&mut self, _: Capability) -> bool {
        false
    }
}

pub struct Chosen {
    plugin: TrueWind,
    memory: Vec<u8>,
}

impl Engine for Chosen {
    fn load(wasm: &[u8]) -> Result<Self, Failed> {
        // AssemblyScript is translated to WebAssembly only.
        let is_assemblyscript = wasm.windows(5).any(|bytes| bytes == b"__new");
        if is_assemblyscript {
            return Err("is AssemblyScript, which has no native form".into());
        }
        Ok(Self { plugin: TrueWind::new(), memory: Vec::new() })
    }

    fn has(&self, export: Export) -> bool {
        !matches!(export, Export::New | Export::Collect)
    }

    fn call(&mut self, export: Export, _: &[u32]) -> Result<u32, Failed> {
        let text = std::str::from_utf8(&self.memory).map_err(|error| error.to_string())?;
        match export {
            Export::Start => Ok(u32::from(fallback::start(&mut self.plugin, Json::new(text), &mut Silent).is_err())),
            Export::Delta => {
                fallback::delta(&mut self.plugin, Json::new(text), &mut Silent);
                Ok(0)
            }
            _ => Ok(0),
        }
    }

    fn write(&mut self, _: u32, bytes: &[u8]) -> Result<(), Failed> {
        self.memory.clear();
        self.memory.extend_from_slice(bytes);
        Ok(())
    }
}
