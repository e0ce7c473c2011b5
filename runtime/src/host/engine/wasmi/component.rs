//! Links a component: its core modules become instances of one store, its imports host functions, its exports functions.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use ::wasmi::{
    AsContextMut, Error, Extern, ExternType, Func, FuncType, Instance, Memory, Module as Translated, Store,
    StoreLimits, StoreLimitsBuilder, Val as Value, ValType as Type,
};
use skiff_abi::export;

use super::link::{called, unknown_function};
use super::{Data, Exported, Guest, Module, config, start_error};
use crate::budget::PluginLimits;
use crate::host::component::{
    self, CORE_INSTANCES_MAX, CoreFunc, CoreInstance, CorePlace, Gives, Item, Layout, Lift, Lowered, MODULES_MAX,
    TABLES_MAX, linked, of_export,
};
use crate::host::failure::{LoadError, short};
use crate::host::imports::Linked;
use crate::host::state::HostState;

/// Functions behind the exports that the host calls, by their names in the contract.
pub(super) type Lifts = BTreeMap<&'static str, LiftedBy>;

/// A function behind an export.
#[derive(Debug)]
pub(super) struct LiftedBy {
    pub(super) function: Func,
    pub(super) realloc: Option<Func>,
    pub(super) post_return: Option<Func>,
}

/// Limits of what can grow in a component: the memory as in any guest, and tables and instances of all its modules.
///
/// The interpreter counts a memory that a module imports as one more. That only one is made is known before: a component
/// with two is refused by its facts, and no module is made twice.
pub(super) fn store_limits(limits: &PluginLimits, linear_bytes_max: u64) -> StoreLimits {
    let linear_bytes_max = linear_bytes_max.min(limits.linear_bytes_max.into());
    StoreLimitsBuilder::new()
        .memory_size(usize::try_from(linear_bytes_max).unwrap_or(usize::MAX))
        .table_elements(limits.table_elements_max as usize)
        .instances(CORE_INSTANCES_MAX)
        .memories(MODULES_MAX)
        .tables(TABLES_MAX)
        .trap_on_grow_failure(false)
        .build()
}

/// Makes a component ready to be called.
pub(super) fn load(module: &Module<'_>, state: Box<HostState>) -> Result<Guest, LoadError> {
    let limits = module.limits;
    let layout = Layout::read(module.wasm).map_err(|refusal| LoadError::Invalid(refusal.to_string()))?;
    let engine = config::engine(limits);
    let mut store = Store::new(
        &engine,
        Data { host: state, memory: None, growth: store_limits(limits, module.linear_bytes_max), realloc: None },
    );
    store.limiter(|data| &mut data.growth);
    let _ = store.set_fuel(limits.fuel_start_section);
    let mut linking = Linking { store, layout: &layout, made: Vec::new() };
    for instance in &layout.instances {
        let made = match instance {
            CoreInstance::Gathered(_) => None,
            CoreInstance::Made { module, with } => {
                let wasm = layout.modules.get(*module).copied().unwrap_or_default();
                let translated = Translated::new(&engine, wasm).map_err(|error| LoadError::Invalid(short(&error)))?;
                let externs = linking.externs(&translated, with)?;
                let made = Instance::new(&mut linking.store, &translated, &externs);
                Some(made.map_err(|error| start_error(&error, limits))?)
            }
        };
        linking.made.push(made);
    }
    let memory =
        layout.memory.and_then(|place| linking.memory(place)).ok_or(LoadError::MissingExport(export::MEMORY))?;
    let mut lifts = Lifts::new();
    for (interface, name, lift) in &layout.exports {
        if let component::Exported::Called(export) = of_export(interface, name, lift.texts, lift.gives) {
            lifts.insert(export, linking.lifted(lift, name)?);
        }
    }
    let Linking { mut store, .. } = linking;
    store.data_mut().memory = Some(memory);
    Ok(Guest { store, exported: Exported::Component(lifts), memory, stopped: None, parked: Vec::new() })
}

/// A component that is being linked.
struct Linking<'l, 'w> {
    store: Store<Data>,
    layout: &'l Layout<'w>,
    /// By core instance; `None` for those that only gather.
    made: Vec<Option<Instance>>,
}

impl Linking<'_, '_> {
    /// Finds what a core module imports in the instances it is given.
    fn externs(&mut self, module: &Translated, with: &[(&str, usize)]) -> Result<Vec<Extern>, LoadError> {
        let mut externs = Vec::new();
        for import in module.imports() {
            let from = with.iter().find(|(name, _)| *name == import.module()).map(|(_, instance)| *instance);
            let given = match from {
                Some(from) => self.given(from, import.name(), import.ty())?,
                None => None,
            };
            externs.push(given.ok_or_else(|| {
                LoadError::Instantiate(format!("a core module is not given {}.{}", import.module(), import.name()))
            })?);
        }
        Ok(externs)
    }

    /// Finds what an instance gives under a name; host functions are made of the type that is asked for.
    fn given(&mut self, from: usize, name: &str, ty: &ExternType) -> Result<Option<Extern>, LoadError> {
        let layout = self.layout;
        let item = match layout.instances.get(from) {
            Some(CoreInstance::Gathered(items)) => {
                items.iter().find(|(other, _)| *other == name).map(|(_, item)| *item)
            }
            Some(CoreInstance::Made { .. }) => return Ok(self.export(from, name)),
            None => None,
        };
        Ok(match (item, ty) {
            (Some(Item::Function(CoreFunc::Lowered(index))), ExternType::Func(ty)) => match layout.lowered.get(index) {
                Some(lowered) => Some(Extern::Func(self.lowered(lowered, ty)?)),
                None => None,
            },
            (Some(Item::Function(CoreFunc::Drop)), ExternType::Func(ty)) => Some(Extern::Func(self.drop(ty)?)),
            (Some(Item::Function(CoreFunc::Export(place)) | Item::Other(place)), _) => {
                self.export(place.instance, place.name)
            }
            _ => None,
        })
    }

    fn export(&self, instance: usize, name: &str) -> Option<Extern> {
        self.made.get(instance)?.as_ref()?.get_export(&self.store, name)
    }

    fn function(&self, function: CoreFunc<'_>) -> Option<Func> {
        match function {
            CoreFunc::Export(place) => self.export(place.instance, place.name)?.into_func(),
            CoreFunc::Lowered(_) | CoreFunc::Drop => None,
        }
    }

    fn memory(&self, place: CorePlace<'_>) -> Option<Memory> {
        self.export(place.instance, place.name)?.into_memory()
    }

    /// Finds the function of an option, which must have a type that such functions have.
    fn option(&self, function: Option<CoreFunc<'_>>, flat: &str) -> Result<Option<Func>, LoadError> {
        let Some(function) = function else { return Ok(None) };
        match self.function(function) {
            Some(function) if is(&function.ty(&self.store), flat) => Ok(Some(function)),
            _ => Err(LoadError::Instantiate("a function of the canonical ABI is missing or has another type".into())),
        }
    }

    fn lifted(&self, lift: &Lift<'_>, name: &str) -> Result<LiftedBy, LoadError> {
        let takes = "ii".repeat(lift.texts.unwrap_or(0));
        let gives = if lift.gives == Some(Gives::Nothing) { "" } else { "i" };
        let function =
            self.function(lift.function).filter(|function| is(&function.ty(&self.store), &format!("{takes}>{gives}")));
        let function =
            function.ok_or_else(|| LoadError::Instantiate(format!("the function behind {name} has another type")))?;
        let realloc = self.option(lift.realloc, "iiii>i")?;
        if realloc.is_none() && lift.texts != Some(0) {
            return Err(LoadError::Instantiate(format!("{name} takes a text and gives no room for it")));
        }
        Ok(LiftedBy { function, realloc, post_return: self.option(lift.post_return, &format!("{gives}>"))? })
    }

    /// Makes the host function for an import.
    fn lowered(&mut self, lowered: &Lowered<'_>, ty: &FuncType) -> Result<Func, LoadError> {
        let Lowered { interface, name, realloc } = *lowered;
        let Some((import, flat)) = linked(interface, name) else {
            return Ok(unknown_function(&mut self.store, ty, interface, name));
        };
        if !is(ty, flat) {
            return Err(LoadError::Instantiate(short(&format!(
                "imports {name} of {interface} with another type than its WIT has"
            ))));
        }
        let realloc = self.option(realloc, "iiii>i")?;
        Ok(import_function(&mut self.store, ty, import, realloc))
    }

    /// Makes the host function that ends a handle.
    fn drop(&mut self, ty: &FuncType) -> Result<Func, LoadError> {
        if !is(ty, "i>") {
            return Err(LoadError::Instantiate("the end of a handle has another type".into()));
        }
        Ok(Func::new(&mut self.store, ty.clone(), move |mut store, params, _| {
            let component = &mut store.data_mut().host.component;
            let number = params.first().and_then(Value::i32).map_or(0, i32::cast_unsigned);
            match component.is_quiet {
                true => Err(Error::new(IS_QUIET)),
                false if component.handles.end(number) => Ok(()),
                false => Err(Error::new("it ended a handle that is not there")),
            }
        }))
    }
}

fn import_function(store: &mut Store<Data>, ty: &FuncType, import: Linked, realloc: Option<Func>) -> Func {
    Func::new(store, ty.clone(), move |mut store, params, results| {
        let data = store.data_mut();
        if data.host.component.is_quiet {
            return Err(Error::new(IS_QUIET));
        }
        data.realloc = realloc;
        called(store.as_context_mut(), import, params, results)
    })
}

/// What a guest is told that asks something while it allocates or cleans up for the host.
const IS_QUIET: &str = "an import was called by realloc or post-return, which may call none";

/// Tells whether a type is the one that letters say: `i` and `l` for numbers of 32 and 64 bits, results behind `>`.
fn is(ty: &FuncType, flat: &str) -> bool {
    let letter = |ty: &Type| match ty {
        Type::I32 => 'i',
        Type::I64 => 'l',
        Type::F32 => 'f',
        Type::F64 => 'd',
        _ => '?',
    };
    let letters = ty.params().iter().map(letter).chain(core::iter::once('>')).chain(ty.results().iter().map(letter));
    letters.eq(flat.chars())
}
