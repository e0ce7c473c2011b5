//! Facts of a component: those of its core modules together, and what it imports and exports in the contract's words.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use skiff_abi::export;
use wasmparser::{Parser, Payload, TypeRef};

use super::{Dialect, Import, ModuleFacts, NAME_BYTES_MAX, NAMES_MAX, Refusal, Scan, at_most, corrupt};
use crate::budget::{CodeLayout, Engine, PluginLimits};
use crate::host::component::{Exported, Layout, linked, of_export};
use crate::host::operators::Operators;

/// Names of what a component exports that are told when it is no plugin.
const TOLD_MAX: usize = 5;

/// Reads what a component says about itself.
pub(super) fn survey(wasm: &[u8]) -> Result<ModuleFacts, Refusal> {
    let layout = Layout::read(wasm)?;
    let mut all = Scan::default();
    let mut memories = 0_u32;
    let mut names = 0_u64;
    for module in &layout.modules {
        let one = scan(module, &mut memories, &mut names)?;
        if memories > 1 {
            return Err(Refusal::Component("it has more than one linear memory"));
        }
        all.add(&one);
    }
    for (interface, name, lift) in &layout.exports {
        match of_export(interface, name, lift.texts, lift.gives) {
            Exported::Called(export) => {
                all.exports.insert(export.to_string());
            }
            Exported::OfAnotherType => {
                return Err(Refusal::Interfaces { exports: format!("{name} of {interface} with another type") });
            }
            Exported::Unknown => {}
        }
    }
    if !all.exports.contains(export::PLUGIN_START) {
        let told = layout.exported.iter().take(TOLD_MAX).copied().collect::<Vec<_>>().join(", ");
        let exports = super::super::failure::short(&if told.is_empty() { String::from("nothing") } else { told });
        return Err(Refusal::Interfaces { exports });
    }
    if layout.memory.is_some() {
        all.exports.insert(export::MEMORY.to_string());
    }
    for lowered in &layout.lowered {
        at_most(
            "bytes of an import name",
            lowered.name.len().max(lowered.interface.len()) as u64,
            NAME_BYTES_MAX as u64,
        )?;
        let import = Import { module: lowered.interface.to_string(), name: lowered.name.to_string() };
        // An adapter lowers for itself what its program has lowered, too.
        if all.imports.contains(&import) {
            continue;
        }
        if linked(lowered.interface, lowered.name).is_none() {
            all.unknown_imports.push(format!("{}.{}", lowered.interface, lowered.name));
        }
        all.imports.push(import);
    }
    let mut facts = all.finish(wasm.len());
    facts.dialect = Dialect::Component;
    facts.counts.names = facts.counts.names.saturating_add(names);
    Ok(facts)
}

/// Returns why no chip runs a component, where `limits` are those of one.
pub(super) fn off_linux(facts: &ModuleFacts, limits: &PluginLimits) -> Option<Refusal> {
    let is_chip = limits.code_layout != CodeLayout::Addresses || limits.engine != Engine::Wasmi;
    (facts.dialect == Dialect::Component && is_chip)
        .then_some(Refusal::Component("components run on Linux only, by wasmi"))
}

/// Counts one core module. What it imports is given by the component, and what it exports is for others of its modules.
fn scan(module: &[u8], memories: &mut u32, names: &mut u64) -> Result<Scan, Refusal> {
    let mut scan = Scan::default();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(|error| corrupt(&error))? {
            Payload::ImportSection(reader) => {
                at_most("imports", reader.count().into(), NAMES_MAX as u64)?;
                *names = names.saturating_add(reader.count().into());
                for entry in reader {
                    let entry = entry.map_err(|error| corrupt(&error))?;
                    if let TypeRef::Func(index) = entry.ty {
                        scan.parameters.add_function(index);
                    }
                }
            }
            Payload::ExportSection(reader) => {
                at_most("exports", reader.count().into(), NAMES_MAX as u64)?;
                *names = names.saturating_add(reader.count().into());
            }
            Payload::MemorySection(reader) => {
                *memories = memories.saturating_add(reader.count());
                scan.section(Payload::MemorySection(reader))?;
            }
            // It runs in one piece when its instance is made, and not anew.
            Payload::StartSection { .. } => {}
            payload => scan.section(payload)?,
        }
    }
    Ok(scan)
}

impl Scan {
    fn add(&mut self, one: &Self) {
        if one.memory.page_bytes != 0 {
            self.memory = one.memory;
        }
        self.functions = self.functions.saturating_add(one.functions);
        self.code_bytes = self.code_bytes.saturating_add(one.code_bytes);
        self.largest_body = self.largest_body.max(one.largest_body);
        self.data_bytes = self.data_bytes.saturating_add(one.data_bytes);
        self.table_elements = self.table_elements.saturating_add(one.table_elements);
        self.elements = self.elements.saturating_add(one.elements);
        let (sum, more) = (self.operators, one.operators);
        self.operators = Operators {
            plain: sum.plain.saturating_add(more.plain),
            memory: sum.memory.saturating_add(more.memory),
            branches: sum.branches.saturating_add(more.branches),
            targets: sum.targets.saturating_add(more.targets),
            calls: sum.calls.saturating_add(more.calls),
            more_arguments: sum.more_arguments.saturating_add(more.more_arguments),
            largest: sum.largest.max(more.largest),
        };
    }
}
