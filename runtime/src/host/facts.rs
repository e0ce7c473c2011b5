//! What a module says about itself, read byte by byte before anything is translated.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use skiff_abi::{Capability, export, import};
use wasmparser::{BinaryReaderError, CompositeInnerType, ExternalKind, FunctionBody, Parser, Payload, TypeRef};

use super::capabilities::Capabilities;
use super::heap_model::{Counts, HeapModel};
use super::imports;
use super::operators::{Operators, Parameters};
use crate::budget::PluginLimits;

#[cfg(feature = "components")]
#[path = "component/facts.rs"]
mod of_component;

/// How strings cross the boundary and how the guest is initialised (plugin ABI §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Managed UTF-16 strings by pointer.
    AssemblyScript,
    /// Buffers of UTF-8 (Rust, Go).
    Buffer,
    /// WASI command: `_start` once, then the buffer convention.
    WasiCommand,
    /// A component: texts of UTF-8 by the canonical ABI.
    #[cfg(feature = "components")]
    Component,
    /// None of them: refused.
    Unknown,
}

impl Dialect {
    /// Returns the word `check` and transcripts use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssemblyScript => "assemblyscript",
            Self::Buffer => "rust-library",
            Self::WasiCommand => "wasi-command",
            #[cfg(feature = "components")]
            Self::Component => "component",
            Self::Unknown => "unknown",
        }
    }

    /// Decides by the presence of exports.
    fn of(exports: &BTreeSet<String>) -> Self {
        let has = |name: &str| exports.contains(name);
        let buffer = has(export::PLUGIN_ID) && has(export::ALLOCATE);
        if has(export::START) {
            // A command without the buffer exports could only return raw numbers: no such plugin works.
            return if buffer { Self::WasiCommand } else { Self::Unknown };
        }
        if buffer {
            return Self::Buffer;
        }
        let named = has(export::PLUGIN_ID) || (has(export::PLUGIN_NAME) && has(export::PLUGIN_START));
        if named && !has(export::ALLOCATE) { Self::AssemblyScript } else { Self::Unknown }
    }
}

/// Why a module is refused before it is translated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Not WebAssembly.
    NotWasm,
    /// A component or another binary version.
    Version {
        /// The version word.
        version: u32,
    },
    /// Damaged: the reader's words and the byte offset.
    Corrupt {
        /// What is wrong.
        message: String,
        /// Where, bytes from the start.
        offset: usize,
    },
    /// Larger than a limit of the board.
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The number that the module has.
        needed: u64,
        /// What is allowed.
        limit: u64,
    },
    /// Neither the AssemblyScript nor the buffer dialect.
    Dialect,
    /// Imports a memory, table or global, which no host gives.
    ImportKind {
        /// `module.name`.
        name: String,
    },
    /// Lacks an export without which no plugin starts.
    Export {
        /// Its name.
        name: &'static str,
    },
    /// Imports `as-fetch` without the capability `network`.
    Capability {
        /// The import module.
        module: &'static str,
        /// The capability it needs.
        capability: &'static str,
    },
    /// Uses a WebAssembly feature the host does not run.
    Feature {
        /// Its name.
        feature: &'static str,
    },
    /// A component that this host does not run; the clause says why.
    #[cfg(feature = "components")]
    Component(&'static str),
    /// A component that is no plugin.
    #[cfg(feature = "components")]
    Interfaces {
        /// What it exports.
        exports: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWasm => f.write_str("not a WebAssembly module"),
            Self::Version { version } => {
                write!(f, "WebAssembly version {version:#x} (a component?) is not supported: a core module is needed")
            }
            Self::Corrupt { message, offset } => write!(f, "corrupt module at byte {offset}: {message}"),
            Self::TooMuch { what, needed, limit } => write!(f, "{what}: the module needs {needed}, the limit is {limit}"),
            Self::Dialect => f.write_str(
                "no plugin dialect: a plugin exports plugin_id and allocate, or plugin_name and plugin_start of AssemblyScript",
            ),
            Self::ImportKind { name } => write!(f, "imports {name}, which is no function: no host gives that"),
            Self::Export { name } => {
                write!(f, "no export {name}")?;
                if *name == export::AS_NEW {
                    f.write_str(": set exportRuntime in asconfig.json; a plugin of Rust, Go or C exports allocate instead")?;
                }
                Ok(())
            }
            Self::Capability { module, capability } => {
                write!(f, "imports {module}, which needs the capability {capability} in wasmCapabilities")
            }
            Self::Feature { feature } => write!(f, "uses {feature}, which this host does not run"),
            #[cfg(feature = "components")]
            Self::Component(clause) => write!(f, "a component that does not run here: {clause}"),
            #[cfg(feature = "components")]
            Self::Interfaces { exports } => {
                write!(f, "no plugin: a component exports signalk:plugin/plugin@1.0.0, this one {exports}")
            }
        }
    }
}

impl core::error::Error for Refusal {}

impl Refusal {
    /// Tells whether the bytes are damaged, rather than of a kind that this host does not take.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::NotWasm | Self::Corrupt { .. })
    }
}

/// A function import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Import module.
    pub module: String,
    /// Name in it.
    pub name: String,
}

/// The linear memory a module declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryFacts {
    /// Pages at the start.
    pub pages: u64,
    /// Pages at most, where it says so.
    pub pages_max: Option<u64>,
    /// Bytes of a page: 65,536, or 1 with custom page sizes.
    pub page_bytes: u64,
}

/// Facts of a module before it is translated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleFacts {
    /// Dialect by its exports.
    pub dialect: Dialect,
    /// Function imports in order.
    pub imports: Vec<Import>,
    /// Imports this host does not know, `module.name`.
    pub unknown_imports: Vec<String>,
    /// Names of all exports.
    pub exports: BTreeSet<String>,
    /// The linear memory; zero pages without one.
    pub memory: MemoryFacts,
    /// Functions it defines.
    pub functions: u32,
    /// Bytes of all function bodies.
    pub code_bytes: u32,
    /// Bytes of all data segments.
    pub data_bytes: u32,
    /// Elements of all tables at the start.
    pub table_elements: u32,
    /// It has a start section.
    pub has_start: bool,
    /// Its `__collect` does nothing: AssemblyScript's `stub` runtime, which frees nothing (plugin ABI §2.6).
    pub never_frees: bool,
    /// Size of the module, bytes.
    pub wasm_bytes: u32,
    /// Counts from which its heap is predicted.
    counts: Counts,
}

/// Imports and exports a module may have.
const NAMES_MAX: usize = 2000;
/// Types a module may have on any board; a chip allows fewer functions yet.
const TYPES_MAX: u64 = 100_000;
/// Functions a module may define on any board.
const FUNCTIONS_MAX: u64 = 100_000;
/// Bytes of one import or export name.
const NAME_BYTES_MAX: usize = 256;

impl ModuleFacts {
    /// Reads a module and checks it against the limits of a plugin.
    ///
    /// # Errors
    /// [`Refusal`] with the number needed and the number allowed.
    pub fn read(wasm: &[u8], limits: &PluginLimits) -> Result<Self, Refusal> {
        at_most("module size in bytes", wasm.len() as u64, limits.module_bytes_max.into())?;
        let facts = Self::survey(wasm)?;
        match facts.refusals(limits).into_iter().next() {
            Some(refusal) => Err(refusal),
            None => Ok(facts),
        }
    }

    /// Reads a module as [`read`](Self::read) does, and refuses one that would not start as a plugin with these
    /// capabilities.
    ///
    /// # Errors
    /// [`Refusal`], the first there is.
    pub fn admit(wasm: &[u8], limits: &PluginLimits, capabilities: &Capabilities) -> Result<Self, Refusal> {
        let facts = Self::read(wasm, limits)?;
        match facts.hindrance(capabilities) {
            Some(refusal) => Err(refusal),
            None => Ok(facts),
        }
    }

    /// Reads what a module says about itself, whatever board it is for and whether or not it is a plugin.
    ///
    /// # Errors
    /// [`Refusal`] where no board can take it: damage, names without end, features that are not run.
    pub fn survey(wasm: &[u8]) -> Result<Self, Refusal> {
        let header: [u8; 8] = wasm.get(..8).and_then(|head| head.try_into().ok()).ok_or(Refusal::NotWasm)?;
        if header[..4] != *b"\0asm" {
            return Err(Refusal::NotWasm);
        }
        let version = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        #[cfg(feature = "components")]
        if version == super::component::VERSION {
            return of_component::survey(wasm);
        }
        if version != 1 {
            return Err(Refusal::Version { version });
        }
        let mut scan = Scan::default();
        for payload in Parser::new(0).parse_all(wasm) {
            scan.section(payload.map_err(|error| corrupt(&error))?)?;
        }
        Ok(scan.finish(wasm.len()))
    }

    /// Returns every reason why a plugin with these limits cannot be this module; none when it can.
    #[must_use]
    pub fn refusals(&self, limits: &PluginLimits) -> Vec<Refusal> {
        // Nothing that is made smaller brings a component to a chip.
        #[cfg(feature = "components")]
        if let Some(refusal) = of_component::off_linux(self, limits) {
            return alloc::vec![refusal];
        }
        let dialect = (self.dialect == Dialect::Unknown).then_some(Refusal::Dialect);
        let sizes = [
            at_most("module size in bytes", self.wasm_bytes.into(), limits.module_bytes_max.into()),
            at_most("functions", self.functions.into(), limits.functions_max.into()),
            at_most("load time in microseconds", self.predicted_load_us(limits), limits.load_us_max.into()),
            at_most("table elements", self.table_elements.into(), limits.table_elements_max.into()),
            at_most("linear memory in bytes", self.linear_bytes_min(), limits.linear_bytes_max.into()),
            at_most(
                "heap for translated code in bytes",
                self.predicted_heap_bytes(limits),
                limits.code_heap_bytes_max.into(),
            ),
        ];
        sizes.into_iter().filter_map(Result::err).chain(dialect).collect()
    }

    /// Returns why a plugin of this module with these capabilities would not start on any board, as far as a look at it
    /// tells: `None` is no promise.
    #[must_use]
    pub fn hindrance(&self, capabilities: &Capabilities) -> Option<Refusal> {
        if self.imports_from(import::AS_FETCH) && !capabilities.allows(Capability::Network, false) {
            return Some(Refusal::Capability { module: import::AS_FETCH, capability: Capability::Network.name() });
        }
        // Every text that AssemblyScript is given is made with it, the configuration of `plugin_start` first.
        let managed = (self.dialect == Dialect::AssemblyScript).then_some(export::AS_NEW);
        let needed = [Some(export::MEMORY), managed, Some(export::PLUGIN_START)];
        let lacking = needed.into_iter().flatten().find(|name| !self.exports(name));
        lacking.map(|name| Refusal::Export { name })
    }

    /// Returns what the linear memory may grow to: the module's own maximum or the board's, bytes.
    #[must_use]
    pub fn linear_bytes_max(&self, limits: &PluginLimits) -> u64 {
        let own = self.memory.pages_max.map_or(u64::MAX, |pages| pages.saturating_mul(self.memory.page_bytes));
        own.min(limits.linear_bytes_max.into())
    }

    /// Returns the linear memory at the start, bytes.
    #[must_use]
    pub fn linear_bytes_min(&self) -> u64 {
        self.memory.pages.saturating_mul(self.memory.page_bytes)
    }

    /// Returns the heap that engine, translated code and instance take on a board, bytes; never below what they do take.
    /// Where memory is promised it is what every plugin takes: only its image and a trial of its start tell more.
    #[must_use]
    pub fn predicted_heap_bytes(&self, limits: &PluginLimits) -> u64 {
        #[cfg(feature = "engine-chip")]
        if limits.is_promised() {
            return crate::images::least_bytes(limits).saturating_add(super::HOST_BYTES);
        }
        HeapModel::of(limits.code_layout).predict(&self.counts, limits.value_stack_bytes_max.into())
    }

    /// Returns how long a load takes on a board, microseconds: translating and setting up is one piece.
    ///
    /// A start section that is too long for one piece begins anew, so it pays twice.
    #[must_use]
    pub fn predicted_load_us(&self, limits: &PluginLimits) -> u64 {
        if limits.is_promised() {
            // It was translated before, in steps.
            return limits.load_us_least.into();
        }
        let loads = if self.has_start { 2 } else { 1 };
        let bodies = u64::from(self.code_bytes).saturating_mul(limits.load_ns_per_code_byte.into()) / 1000;
        let functions = u64::from(self.functions).saturating_mul(limits.load_us_per_function.into());
        bodies.saturating_add(functions).saturating_add(limits.load_us_least.into()).saturating_mul(loads)
    }

    /// Returns what is reserved for an instance: predicted heap and the linear memory at the start, bytes.
    #[must_use]
    pub fn reserved_bytes(&self, limits: &PluginLimits) -> u64 {
        // Of a memory that is promised nothing is taken before it is written.
        let linear = if limits.is_promised() { 0 } else { self.linear_bytes_min() };
        self.predicted_heap_bytes(limits).saturating_add(linear)
    }

    /// Tells whether it has rows for values, so that it is given no text once it has laid them down.
    #[cfg(feature = "engine-chip")]
    #[must_use]
    pub fn takes_values(&self) -> bool {
        self.counts.takes_values > 0
    }

    /// Tells whether it exports `name`.
    #[must_use]
    pub fn exports(&self, name: &str) -> bool {
        self.exports.contains(name)
    }

    /// Tells whether it imports anything of `module`.
    #[must_use]
    pub fn imports_from(&self, module: &str) -> bool {
        self.imports.iter().any(|import| import.module == module)
    }
}

pub(super) fn corrupt(error: &BinaryReaderError) -> Refusal {
    Refusal::Corrupt { message: super::failure::short(&error.message()), offset: error.offset() }
}

pub(super) fn at_most(what: &'static str, needed: u64, limit: u64) -> Result<(), Refusal> {
    if needed > limit { Err(Refusal::TooMuch { what, needed, limit }) } else { Ok(()) }
}

/// Tells whether a function does nothing.
fn is_empty(body: &FunctionBody<'_>) -> Result<bool, BinaryReaderError> {
    let mut locals = body.get_locals_reader()?;
    for _ in 0..locals.get_count() {
        locals.read()?;
    }
    let at = locals.original_position().saturating_sub(body.range().start);
    // `nop`, `end`, `return`: operators of one byte.
    Ok(body.as_bytes().get(at..).unwrap_or_default().iter().all(|byte| matches!(byte, 0x01 | 0x0b | 0x0f)))
}

/// Counts while the sections go by.
#[derive(Default)]
struct Scan {
    imports: Vec<Import>,
    unknown_imports: Vec<String>,
    exports: BTreeSet<String>,
    memory: MemoryFacts,
    functions: u32,
    code_bytes: u64,
    largest_body: u64,
    operators: Operators,
    parameters: Parameters,
    data_bytes: u64,
    table_elements: u64,
    elements: u64,
    has_start: bool,
    /// Index of the function that is exported as `__collect`.
    collect: Option<u32>,
    /// Bodies gone by.
    bodies: u32,
    never_frees: bool,
}

impl Scan {
    fn section(&mut self, payload: Payload<'_>) -> Result<(), Refusal> {
        match payload {
            Payload::TypeSection(reader) => {
                at_most("types", reader.count().into(), TYPES_MAX)?;
                for group in reader {
                    for ty in group.map_err(|error| corrupt(&error))?.types() {
                        let inner = &ty.composite_type.inner;
                        let function =
                            if let CompositeInnerType::Func(function) = inner { Some(function) } else { None };
                        self.parameters.add_type(function.map_or(0, |function| function.params().len()));
                    }
                }
            }
            Payload::ImportSection(reader) => {
                at_most("imports", reader.count().into(), NAMES_MAX as u64)?;
                for entry in reader {
                    self.import(&entry.map_err(|error| corrupt(&error))?)?;
                }
            }
            Payload::FunctionSection(reader) => {
                at_most("functions", reader.count().into(), FUNCTIONS_MAX)?;
                self.functions = reader.count();
                for index in reader {
                    self.parameters.add_function(index.map_err(|error| corrupt(&error))?);
                }
            }
            Payload::TableSection(reader) => {
                for table in reader {
                    let table = table.map_err(|error| corrupt(&error))?;
                    self.table_elements = self.table_elements.saturating_add(table.ty.initial);
                }
            }
            Payload::MemorySection(reader) => {
                at_most("memories", reader.count().into(), 1)?;
                for memory in reader {
                    let memory = memory.map_err(|error| corrupt(&error))?;
                    if memory.memory64 || memory.shared {
                        return Err(Refusal::Feature { feature: "64-bit or shared memory" });
                    }
                    let page_bytes = 1_u64.checked_shl(memory.page_size_log2.unwrap_or(16)).unwrap_or(u64::MAX);
                    self.memory = MemoryFacts { pages: memory.initial, pages_max: memory.maximum, page_bytes };
                }
            }
            Payload::GlobalSection(reader) => self.elements = self.elements.saturating_add(reader.count().into()),
            Payload::ExportSection(reader) => {
                at_most("exports", reader.count().into(), NAMES_MAX as u64)?;
                for entry in reader {
                    let entry = entry.map_err(|error| corrupt(&error))?;
                    at_most("bytes of an export name", entry.name.len() as u64, NAME_BYTES_MAX as u64)?;
                    if matches!(entry.kind, ExternalKind::Func | ExternalKind::Memory | ExternalKind::Global) {
                        self.exports.insert(entry.name.to_string());
                    }
                    if entry.name == export::AS_COLLECT && entry.kind == ExternalKind::Func {
                        self.collect = Some(entry.index);
                    }
                }
            }
            Payload::StartSection { .. } => self.has_start = true,
            Payload::ElementSection(reader) => {
                for segment in reader {
                    let segment = segment.map_err(|error| corrupt(&error))?;
                    let bytes = segment.range.end.saturating_sub(segment.range.start);
                    self.elements = self.elements.saturating_add(bytes as u64);
                }
            }
            Payload::DataSection(reader) => {
                for segment in reader {
                    let segment = segment.map_err(|error| corrupt(&error))?;
                    self.data_bytes = self.data_bytes.saturating_add(segment.data.len() as u64);
                }
            }
            Payload::CodeSectionEntry(body) => {
                let bytes = body.range().end.saturating_sub(body.range().start);
                self.code_bytes = self.code_bytes.saturating_add(bytes as u64);
                self.largest_body = self.largest_body.max(bytes as u64);
                self.operators.add(&body, &self.parameters).map_err(|error| corrupt(&error))?;
                // Functions are counted from the imported ones on.
                let index = u32::try_from(self.imports.len()).ok().and_then(|count| count.checked_add(self.bodies));
                if self.collect.is_some() && self.collect == index {
                    self.never_frees = is_empty(&body).map_err(|error| corrupt(&error))?;
                }
                self.bodies = self.bodies.saturating_add(1);
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, entry: &wasmparser::Import<'_>) -> Result<(), Refusal> {
        at_most("bytes of an import name", entry.name.len().max(entry.module.len()) as u64, NAME_BYTES_MAX as u64)?;
        let TypeRef::Func(index) = entry.ty else {
            return Err(Refusal::ImportKind { name: alloc::format!("{}.{}", entry.module, entry.name) });
        };
        self.parameters.add_function(index);
        if !imports::is_known(entry.module, entry.name) {
            self.unknown_imports.push(alloc::format!("{}.{}", entry.module, entry.name));
        }
        self.imports.push(Import { module: entry.module.to_string(), name: entry.name.to_string() });
        Ok(())
    }

    fn finish(self, wasm_bytes: usize) -> ModuleFacts {
        let dialect = Dialect::of(&self.exports);
        let names = (self.imports.len() as u64).saturating_add(self.exports.len() as u64);
        let counts = Counts {
            functions: self.functions.into(),
            code_bytes: self.code_bytes,
            largest_body_bytes: self.largest_body,
            operators: self.operators,
            data_bytes: self.data_bytes,
            names,
            elements: self.table_elements.saturating_add(self.elements),
            takes_values: self.exports.iter().any(|export| export == skiff_abi::values::VALUES).into(),
        };
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        ModuleFacts {
            dialect,
            imports: self.imports,
            unknown_imports: self.unknown_imports,
            exports: self.exports,
            memory: self.memory,
            functions: self.functions,
            code_bytes: narrow(self.code_bytes),
            data_bytes: narrow(self.data_bytes),
            table_elements: narrow(self.table_elements),
            has_start: self.has_start,
            never_frees: self.never_frees,
            wasm_bytes: narrow(wasm_bytes as u64),
            counts,
        }
    }
}
