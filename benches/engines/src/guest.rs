//! A plugin as a host calls it: the buffer dialect and AssemblyScript (plugin ABI §2), as Signal K Server does.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::chosen::Chosen;
use crate::emitted::take_emitted;
use crate::engine::{Engine, Export, Failed};

/// AssemblyScript's class of strings.
const CLASS_STRING: u32 = 2;
/// Calls after which AssemblyScript is asked to collect.
const COLLECT_CALLS: u32 = 64;

/// A package, and what it is fed.
pub struct Plugin<'p> {
    pub wasm: &'p [u8],
    pub config: &'p str,
    /// Deltas before anything is measured.
    pub before: Vec<&'p str>,
    /// Deltas in a circle, each of which it answers.
    pub answered: Vec<&'p str>,
    /// A delta that it does not want.
    pub unwanted: &'p str,
}

/// A plugin that runs.
pub struct Guest {
    engine: Chosen,
    is_assemblyscript: bool,
    units: Vec<u8>,
    calls: u32,
}

impl Guest {
    /// From bytes to a plugin that was started.
    pub fn started(plugin: &Plugin<'_>) -> Result<Self, Failed> {
        let mut engine = Chosen::load(plugin.wasm)?;
        let is_assemblyscript = engine.has(Export::New);
        let config = plugin.config.as_bytes();
        let length = config.len() as u32;
        let place = match is_assemblyscript {
            true => engine.call(Export::New, &[length, 0])?,
            false => engine.call(Export::Allocate, &[length])?,
        };
        engine.write(place, config)?;
        let code = engine.call(Export::Start, &[place, length])?;
        if !is_assemblyscript && engine.has(Export::Deallocate) {
            engine.call(Export::Deallocate, &[place, length])?;
        }
        if code != 0 {
            return Err(format!("plugin_start gave {code}"));
        }
        Ok(Self { engine, is_assemblyscript, units: Vec::new(), calls: 0 })
    }

    /// And has heard what it has to have heard.
    pub fn fed(plugin: &Plugin<'_>) -> Result<Self, Failed> {
        let mut guest = Self::started(plugin)?;
        for text in &plugin.before {
            guest.delta(text)?;
        }
        take_emitted();
        Ok(guest)
    }

    /// Gives the plugin a delta.
    pub fn delta(&mut self, text: &str) -> Result<(), Failed> {
        if self.is_assemblyscript {
            self.units.clear();
            self.units.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
            let place = self.engine.call(Export::New, &[self.units.len() as u32, CLASS_STRING])?;
            self.engine.write(place, &self.units)?;
            self.engine.call(Export::Delta, &[place])?;
            self.calls += 1;
            if self.calls % COLLECT_CALLS == 0 && self.engine.has(Export::Collect) {
                self.engine.call(Export::Collect, &[])?;
            }
            return Ok(());
        }
        let length = text.len() as u32;
        let place = self.engine.call(Export::Allocate, &[length])?;
        self.engine.write(place, text.as_bytes())?;
        self.engine.call(Export::Delta, &[place, length])?;
        self.engine.call(Export::Deallocate, &[place, length]).map(|_| ())
    }
}

/// What a plugin answers: the same on every engine.
pub fn answers(plugin: &Plugin<'_>) -> Result<Vec<String>, Failed> {
    let mut guest = Guest::fed(plugin)?;
    for text in plugin.answered.iter().cycle().take(6).chain([&plugin.unwanted]) {
        guest.delta(text)?;
    }
    Ok(take_emitted())
}
