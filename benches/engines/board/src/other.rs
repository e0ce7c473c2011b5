//! The engine that a feature of `skiff-engines` chooses.

use alloc::string::String;
use alloc::vec::Vec;

use skiff_engines::engine::{Engine, Export};
use skiff_engines::guest::{self, Plugin};
use skiff_engines::{Chosen, emitted};

use crate::stored::Stored;

/// A module whose `poll` does nothing.
pub struct Empty(Chosen);

impl Empty {
    pub fn load(wasm: &[u8]) -> Result<Self, String> {
        Chosen::load(wasm).map(Self)
    }

    pub fn call(&mut self) -> Result<(), String> {
        self.0.call(Export::Poll, &[]).map(|_| ())
    }
}

/// A plugin that runs.
pub struct Guest(guest::Guest);

impl Guest {
    pub fn started(stored: &Stored) -> Result<Self, String> {
        let plugin = Plugin {
            wasm: stored.module,
            config: stored.config,
            before: Vec::new(),
            answered: Vec::new(),
            unwanted: stored.unwanted,
        };
        guest::Guest::started(&plugin).map(Self)
    }

    pub fn prepared<'t>(&self, text: &'t str) -> Result<&'t str, String> {
        Ok(text)
    }

    pub fn delta(&mut self, text: &&str) -> Result<(), String> {
        self.0.delta(text)
    }
}

/// Returns what was emitted since the last time.
pub fn take_emitted(_: &mut Guest) -> Vec<String> {
    emitted::take_emitted()
}
