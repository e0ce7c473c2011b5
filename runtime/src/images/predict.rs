//! What a module takes on the engine for chips: the image by the byte, the memory of its start by trying it.
//!
//! Which chunks a guest writes is seen by running it, and in no other way. So the start is tried as the host does it: start
//! section, entry, name, schema, `plugin_start` with a configuration (plugin ABI §4.1, §5.2), while imports give zeros.

use alloc::vec::Vec;

use skiff_abi::export;
use skiff_engine::{
    Fault, HEADER_BYTES, Image, Limits, Machine, Outcome, Quota, Refusal, SetupError, Value, ValueType, translate,
    translation_heap_bytes,
};

use crate::budget::PluginLimits;

/// Bytes that are added for what a start writes on other ways than the tried one: one chunk.
const SLACK_BYTES: u64 = skiff_engine::CHUNK_RAM_BYTES as u64;
/// Results that an import gives at most; one with more ends the trial.
const RESULTS_MAX: usize = 16;

/// Fuel of passing over the name of an import.
const NAME_FUEL: u64 = 2;

/// How a start is tried.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'t> {
    /// What the machine may take.
    pub quota: Quota,
    /// Fuel of all calls together.
    pub fuel: u64,
    /// The configuration, JSON.
    pub config: &'t str,
    /// Whether imports of this module and name change nothing but what the host shows: status, log, registrations. A start
    /// that asks others may take another way, and then more.
    pub is_plain: fn(module: &str, name: &str) -> bool,
}

/// What a module takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// Bytes of its image, in whole words.
    pub image_bytes: u32,
    /// Heap that translating it may take, for as long as that lasts.
    pub translation_heap_bytes: u64,
    /// What it takes once it has started.
    pub start: Start,
}

/// What a start came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// RAM of the machine, bytes: registers, tables, chunks, and one chunk more than were seen.
    pub ram_bytes: u64,
    /// Chunks of linear memory that were written, of the size of [`CHUNK_RAM_BYTES`](skiff_engine::CHUNK_RAM_BYTES).
    pub chunks: u32,
    /// Why this is a lower bound; `None` where it is what a start takes.
    pub at_least: Option<Doubt>,
}

/// Why a start may take more than was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// It asks what the trial cannot answer.
    Asks,
    /// It did not come to its end.
    Fault(Fault),
    /// The fuel was not enough.
    Fuel,
    /// The machine was not set up at all.
    Setup(SetupError),
}

impl Doubt {
    /// Tells whether the start found no memory for what it wrote.
    #[must_use]
    pub const fn is_shortage(self) -> bool {
        matches!(self, Self::Fault(Fault::Memory))
    }
}

/// Predicts what a module takes.
///
/// # Errors
/// [`Refusal`]: the translator does not take it.
pub fn predict(wasm: &[u8], limits: &Limits, trial: &Trial<'_>) -> Result<Prediction, Refusal> {
    let image = translate(wasm, [0; 32], limits)?;
    let image_bytes = u32::try_from(image.size_bytes()).unwrap_or(u32::MAX);
    debug_assert!(image_bytes as usize >= HEADER_BYTES, "an image has a header");
    let translation_heap_bytes = translation_heap_bytes(wasm, limits) as u64;
    Ok(Prediction { image_bytes, translation_heap_bytes, start: try_start(image, trial, u64::MAX).0 })
}

/// Tries the start of an image within so many bytes of RAM, all of which are free again then. Gives the image back; `None`
/// where no machine could be set up.
pub fn try_start(image: Image, trial: &Trial<'_>, ram_bytes_max: u64) -> (Start, Option<Image>) {
    let mut machine = match Machine::new(image, trial.quota) {
        Ok(machine) => machine,
        Err(error) => return (Start { ram_bytes: 0, chunks: 0, at_least: Some(Doubt::Setup(error)) }, None),
    };
    let chunks = machine.chunks_within(ram_bytes_max).min(trial.quota.chunks);
    machine.allow_memory(chunks, trial.quota.memory_bytes_max);
    let mut tried = Tried { machine, fuel: trial.fuel, is_plain: trial.is_plain, doubt: None };
    // What made it stop stands in the doubt.
    let _ = tried.all(trial.config);
    let ram_bytes = (tried.machine.ram_bytes() as u64).saturating_add(SLACK_BYTES);
    let start = Start { ram_bytes, chunks: tried.machine.memory().used_chunks(), at_least: tried.doubt };
    (start, Some(tried.machine.into_image()))
}

struct Tried {
    machine: Machine,
    fuel: u64,
    is_plain: fn(&str, &str) -> bool,
    doubt: Option<Doubt>,
}

impl Tried {
    fn all(&mut self, config: &str) -> Option<()> {
        if let Some(start) = self.machine.start() {
            self.call(start, &[])?;
        }
        let is_managed = self.machine.image().function(export::AS_NEW).is_some();
        for entry in [export::INITIALIZE, export::START] {
            self.call_named(entry, &[])?;
        }
        for getter in [export::PLUGIN_NAME, export::PLUGIN_SCHEMA] {
            self.getter(getter, is_managed)?;
        }
        let bytes = i32::try_from(config.len()).ok()?;
        let at = if is_managed {
            let at = self.call_named(export::AS_NEW, &[bytes, 0])??;
            self.fill(at, config)?;
            self.call_named(export::AS_PIN, &[at])?;
            self.call_named("__setArgumentsLength", &[2])?;
            at
        } else {
            let at = self.call_named(export::ALLOCATE, &[bytes])??;
            self.fill(at, config)?;
            at
        };
        self.call_named(export::PLUGIN_START, &[at, bytes])?;
        let free = if is_managed { export::AS_UNPIN } else { export::DEALLOCATE };
        self.call_named(free, &[at, bytes])?;
        Some(())
    }

    fn getter(&mut self, name: &str, is_managed: bool) -> Option<()> {
        if self.machine.image().function(name).is_none() {
            return Some(());
        }
        if is_managed {
            self.call_named(name, &[])?;
            return Some(());
        }
        let bytes = export::GETTER_BUFFER_BYTES.cast_signed();
        let at = self.call_named(export::ALLOCATE, &[bytes])??;
        self.call_named(name, &[at, bytes])?;
        self.call_named(export::DEALLOCATE, &[at, bytes])?;
        Some(())
    }

    fn fill(&mut self, at: i32, text: &str) -> Option<()> {
        let filled = self.machine.write_memory(at.cast_unsigned(), text.as_bytes());
        filled.map_err(|fault| self.doubt = Some(Doubt::Fault(fault))).ok()
    }

    /// Calls an export, where it is there, with as many of these numbers as it takes; the outer `None` ends the trial.
    fn call_named(&mut self, name: &str, numbers: &[i32]) -> Option<Option<i32>> {
        let Some(function) = self.machine.image().function(name) else { return Some(None) };
        let ty = self.machine.image().type_of(function)?;
        let given = numbers.iter().copied().chain(core::iter::repeat(0));
        let arguments: Vec<Value> = ty
            .params
            .iter()
            .zip(given)
            .map(|(ty, number)| if ty == ValueType::I32 { Value::I32(number) } else { Value::zero(ty) })
            .collect();
        self.call(function, &arguments)
    }

    fn call(&mut self, function: u32, arguments: &[Value]) -> Option<Option<i32>> {
        self.machine.begin(function, arguments).ok()?;
        loop {
            match self.machine.run(&mut self.fuel) {
                Outcome::Done => break,
                Outcome::Asks { import } => self.answer(import)?,
                Outcome::OutOfFuel { .. } => {
                    self.doubt = Some(Doubt::Fuel);
                    return None;
                }
                Outcome::Faulted(fault) => {
                    self.doubt = Some(Doubt::Fault(fault));
                    return None;
                }
            }
        }
        let first = self.machine.results()?.next();
        self.machine.abandon();
        Some(first.and_then(|value| if let Value::I32(number) = value { Some(number) } else { None }))
    }

    fn answer(&mut self, import: u32) -> Option<()> {
        // As a host's answer costs, and what finding its name takes: the fuel bounds how long a trial lasts.
        let cost = PluginLimits::IMPORT_FUEL.saturating_add(u64::from(import).saturating_mul(NAME_FUEL));
        let Some(left) = self.fuel.checked_sub(cost) else {
            self.doubt = Some(Doubt::Fuel);
            return None;
        };
        self.fuel = left;
        let image = self.machine.image();
        let asked = image.imports().nth(import as usize)?;
        if !(self.is_plain)(asked.module, asked.name) {
            self.doubt = Some(self.doubt.unwrap_or(Doubt::Asks));
        }
        let ty = image.type_of(import)?;
        let mut zeros: heapless::Vec<Value, RESULTS_MAX> = heapless::Vec::new();
        ty.results.iter().try_for_each(|ty| zeros.push(Value::zero(ty))).ok()?;
        self.machine.answer(&zeros).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    const PLUGINS: [(&str, &[u8], &str); 4] = [
        (
            "alarm",
            include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm"),
            r#"{"minimum":3.0,"path":"environment.depth.belowTransducer","hysteresis":0.5}"#,
        ),
        ("alarm, small", include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/plugin-small.wasm"), "{}"),
        ("true wind", include_bytes!("../../../plugins/rust/true-wind/plugin.wasm"), "{}"),
        ("true wind, small", include_bytes!("../../../plugins/rust/true-wind/plugin-small.wasm"), "{}"),
    ];

    fn trial(config: &str) -> Trial<'_> {
        Trial { quota: Quota::CHIP, fuel: 10_000_000, config, is_plain: |module, _| module == "env" }
    }

    fn with_start(body: &str) -> Start {
        let text = std::format!(
            r#"(module (import "env" "log" (func $log)) (import "net" "fetch" (func $fetch (result i32)))
                (memory 1) (func (export "allocate") (param i32) (result i32) (i32.const 2048))
                (func (export "plugin_start") (param i32 i32) (result i32) {body} (i32.const 0)))"#
        );
        predict(&wat::parse_str(text).unwrap(), &Limits::CHIP, &trial("{}")).unwrap().start
    }

    #[test]
    fn the_image_is_predicted_to_the_byte() {
        for (name, wasm, config) in PLUGINS {
            let predicted = predict(wasm, &Limits::CHIP, &trial(config)).unwrap();
            let image = translate(wasm, [7; 32], &Limits::CHIP).unwrap();
            assert_eq!(predicted.image_bytes as usize, image.bytes().len(), "{name}");
        }
    }

    #[test]
    fn a_start_that_does_nothing_but_ask_ends_with_its_fuel() {
        let with = |imports: usize| {
            let names: String = (0..imports).map(|n| std::format!("(import \"env\" \"a{n}\" (func))")).collect();
            let last = imports - 1;
            let text = std::format!(
                r#"(module {names} (memory 1) (func (export "allocate") (param i32) (result i32) (i32.const 2048))
                    (func (export "plugin_start") (param i32 i32) (result i32) (local i32)
                        (loop (call {last}) (local.set 2 (i32.add (local.get 2) (i32.const 1)))
                            (br_if 0 (i32.lt_u (local.get 2) (i32.const 1000)))) (i32.const 0)))"#
            );
            let trial = Trial { fuel: 200_000, ..trial("{}") };
            predict(&wat::parse_str(text).unwrap(), &Limits::CHIP, &trial).unwrap().start.at_least
        };
        assert_eq!((with(1), with(200)), (None, Some(Doubt::Fuel)));
    }

    #[test]
    fn each_way_to_more_memory_is_told() {
        let store = |at: u32| std::format!("(i32.store (i32.const {at}) (i32.const 1))");
        // The configuration is one chunk, each store another.
        let plain = with_start(&(store(9000) + "(call $log)"));
        assert_eq!((plain.chunks, plain.at_least), (2, None));
        let more = with_start(&(store(9000) + &store(12_000)));
        assert_eq!(more.ram_bytes - plain.ram_bytes, 1024);
        assert_eq!(with_start("(drop (call $fetch))").at_least, Some(Doubt::Asks));
        assert_eq!(with_start("(unreachable)").at_least, Some(Doubt::Fault(Fault::Unreachable)));
        assert_eq!(with_start("(loop (br 0))").at_least, Some(Doubt::Fuel));
        let all: String = (0..40).map(|number| store(number * 1024)).collect();
        let start = with_start(&all);
        assert_eq!((start.chunks, start.at_least), (Quota::CHIP.chunks, Some(Doubt::Fault(Fault::Memory))));
        let large = wat::parse_str("(module (memory 2))").unwrap();
        let start = predict(&large, &Limits::CHIP, &trial("{}")).unwrap().start;
        assert_eq!(start.at_least, Some(Doubt::Setup(SetupError::Quota)));
        assert!(predict(b"no module", &Limits::CHIP, &trial("{}")).is_err());
    }

    /// Starts a plugin as the host does, step by step in the order of plugin ABI §5.2, while imports give what a running gateway gives.
    fn started(wasm: &[u8], config: &str) -> usize {
        let mut machine = Machine::new(translate(wasm, [0; 32], &Limits::CHIP).unwrap(), Quota::CHIP).unwrap();
        let call = |machine: &mut Machine, name: &str, numbers: &[i32]| -> i32 {
            let Some(function) = machine.image().function(name) else { return 0 };
            let arguments: Vec<Value> = numbers.iter().map(|number| Value::I32(*number)).collect();
            machine.begin(function, &arguments).unwrap();
            let mut fuel = 10_000_000;
            loop {
                match machine.run(&mut fuel) {
                    Outcome::Done => break,
                    Outcome::Asks { import } => {
                        let ty = machine.image().type_of(import).unwrap();
                        // A handle, a time, a count: anything but the zero of the trial.
                        let given: Vec<Value> = ty
                            .results
                            .iter()
                            .map(|ty| match ty {
                                ValueType::I32 => Value::I32(1),
                                ValueType::F64 => Value::F64(1.76e12),
                                other => Value::zero(other),
                            })
                            .collect();
                        machine.answer(&given).unwrap();
                    }
                    other => panic!("{name}: {other:?}"),
                }
            }
            match machine.finish().unwrap().first() {
                Some(Value::I32(number)) => *number,
                _ => 0,
            }
        };
        if let Some(start) = machine.start() {
            machine.begin(start, &[]).unwrap();
            assert_eq!(machine.run(&mut 10_000_000), Outcome::Done);
            machine.finish().unwrap();
        }
        let length = config.len() as i32;
        let machine = &mut machine;
        if machine.image().function("__new").is_some() {
            call(machine, "plugin_name", &[]);
            call(machine, "plugin_schema", &[]);
            let at = call(machine, "__new", &[length, 0]);
            machine.write_memory(at as u32, config.as_bytes()).unwrap();
            call(machine, "__pin", &[at]);
            call(machine, "__setArgumentsLength", &[2]);
            let function = machine.image().function("plugin_start").unwrap();
            let count = machine.image().type_of(function).unwrap().params.len();
            call(machine, "plugin_start", &[at, length][..count]);
            call(machine, "__unpin", &[at]);
        } else {
            for getter in ["plugin_name", "plugin_schema"] {
                let at = call(machine, "allocate", &[8192]);
                call(machine, getter, &[at, 8192]);
                call(machine, "deallocate", &[at, 8192]);
            }
            let at = call(machine, "allocate", &[length]);
            machine.write_memory(at as u32, config.as_bytes()).unwrap();
            call(machine, "plugin_start", &[at, length]);
            call(machine, "deallocate", &[at, length]);
        }
        machine.ram_bytes()
    }

    #[test]
    fn a_start_is_predicted_and_never_below() {
        for (name, wasm, config) in PLUGINS {
            let predicted = predict(wasm, &Limits::CHIP, &trial(config)).unwrap();
            let real = started(wasm, config) as u64;
            let start = predicted.start;
            std::println!("{name}: {predicted:?}, real {real}");
            assert!(start.ram_bytes >= real, "{name}: {} predicted, {real} taken", start.ram_bytes);
            assert!(start.ram_bytes <= (real + real / 10).max(real + 2048), "{name}: {} for {real}", start.ram_bytes);
        }
    }
}
