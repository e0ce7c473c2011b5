//! wasmtime: https://crates.io/crates/wasmtime; Cranelift's machine code, or with `SKIFF_PULLEY` its interpreter Pulley.
//!
//! Boards have no room for the compiler: they get a module that [`precompiled`] has made, and run it where it lies.

use alloc::string::ToString;

use wasmtime::{Caller, Config, Engine as Wasmtime, Func, Linker, Memory, Module, Store, Val};

use crate::emitted::emitted;
use crate::engine::{Engine, Export, Failed, SILENT};

pub struct Chosen {
    store: Store<()>,
    memory: Memory,
    functions: [Option<Func>; Export::ALL.len()],
}

#[cfg(feature = "std")]
fn module(wasm: &[u8]) -> Result<(Wasmtime, Module), Failed> {
    let mut config = Config::new();
    if std::env::var_os("SKIFF_PULLEY").is_some() {
        config.target("pulley64").map_err(|error| error.to_string())?;
    }
    let engine = Wasmtime::new(&config).map_err(|error| error.to_string())?;
    let module = Module::new(&engine, wasm).map_err(|error| error.to_string())?;
    Ok((engine, module))
}

#[cfg(not(feature = "std"))]
fn module(code: &[u8]) -> Result<(Wasmtime, Module), Failed> {
    let engine = Wasmtime::new(&of_board()).map_err(|error| error.to_string())?;
    // SAFETY: the code is one that `precompiled` has made, and lies in flash for as long as the board runs.
    let module = unsafe { Module::deserialize_raw(&engine, code.into()) }.map_err(|error| error.to_string())?;
    Ok((engine, module))
}

/// What has to be said where a module is compiled and where it runs: there is no virtual memory, and little of the other.
fn of_board() -> Config {
    let mut config = Config::new();
    config.memory_reservation(0).memory_reservation_for_growth(0).memory_guard_size(0).memory_may_move(true);
    config.memory_init_cow(false).signals_based_traps(false).max_wasm_stack(8 * 1024);
    config
}

/// Compiles a module for Pulley on a processor of 32 bits without an operating system.
///
/// # Errors
/// What the compiler says.
#[cfg(feature = "std")]
pub fn precompiled(wasm: &[u8]) -> Result<alloc::vec::Vec<u8>, Failed> {
    let mut config = of_board();
    config.target("pulley32").map_err(|error| error.to_string())?;
    let engine = Wasmtime::new(&config).map_err(|error| error.to_string())?;
    engine.precompile_module(wasm).map_err(|error| error.to_string())
}

/// Where wasmtime keeps what belongs to a thread; a board has one.
#[cfg(not(feature = "std"))]
mod thread {
    use core::ptr::null_mut;
    use core::sync::atomic::{AtomicPtr, Ordering};

    static SLOTS: [AtomicPtr<u8>; 2] = [AtomicPtr::new(null_mut()), AtomicPtr::new(null_mut())];

    #[unsafe(no_mangle)]
    extern "C" fn wasmtime_tls_get(slot: usize) -> *mut u8 {
        SLOTS[slot].load(Ordering::Relaxed)
    }

    #[unsafe(no_mangle)]
    extern "C" fn wasmtime_tls_set(slot: usize, value: *mut u8) {
        SLOTS[slot].store(value, Ordering::Relaxed);
    }
}

impl Engine for Chosen {
    fn load(wasm: &[u8]) -> Result<Self, Failed> {
        let (engine, module) = module(wasm)?;
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let emit = |mut caller: Caller<'_, ()>, at: u32, length: u32| {
            let Some(memory) = caller.get_export("memory").and_then(|export| export.into_memory()) else { return };
            let text = memory.data(&caller).get(at as usize..).and_then(|rest| rest.get(..length as usize));
            emitted(text.unwrap_or_default());
        };
        let emits = module.imports().find(|import| import.name() == "sk_handle_message");
        let linked = match emits.and_then(|import| Some(import.ty().func()?.params().len())) {
            Some(2) => linker.func_wrap("env", "sk_handle_message", emit).map(|_| ()),
            _ => {
                let emit = move |caller: Caller<'_, ()>, at: u32, length: u32, _: i32| emit(caller, at, length);
                linker.func_wrap("env", "sk_handle_message", emit).map(|_| ())
            }
        };
        linked.map_err(|error| error.to_string())?;
        for (name, arguments) in SILENT {
            let linked = match arguments {
                4 => linker.func_wrap("env", name, |_: i32, _: i32, _: i32, _: i32| {}).map(|_| ()),
                _ => linker.func_wrap("env", name, |_: i32, _: i32| {}).map(|_| ()),
            };
            linked.map_err(|error| error.to_string())?;
        }
        let instance = linker.instantiate(&mut store, &module).map_err(|error| error.to_string())?;
        let memory = instance.get_memory(&mut store, "memory").ok_or("has no memory")?;
        let functions = Export::ALL.map(|export| instance.get_func(&mut store, export.name()));
        Ok(Self { store, memory, functions })
    }

    fn has(&self, export: Export) -> bool {
        self.functions[export as usize].is_some()
    }

    fn call(&mut self, export: Export, arguments: &[u32]) -> Result<u32, Failed> {
        let function = self.functions[export as usize].ok_or("has no such export")?;
        let mut values = [Val::I32(0), Val::I32(0)];
        for (value, argument) in values.iter_mut().zip(arguments) {
            *value = Val::I32(argument.cast_signed());
        }
        let mut results = [Val::I32(0)];
        let results = &mut results[..usize::from(export.has_result())];
        function.call(&mut self.store, &values[..arguments.len()], results).map_err(|error| error.to_string())?;
        Ok(match results {
            [Val::I32(value)] => value.cast_unsigned(),
            _ => 0,
        })
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Failed> {
        self.memory.write(&mut self.store, at as usize, bytes).map_err(|error| error.to_string())
    }
}
