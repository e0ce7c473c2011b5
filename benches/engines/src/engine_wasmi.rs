//! wasmi: https://crates.io/crates/wasmi

use alloc::string::ToString;

use wasmi::{Caller, Config, Engine as Wasmi, Func, Instance, Linker, Memory, Module, Store, Val};

use crate::emitted::emitted;
use crate::engine::{Engine, Export, Failed, SILENT, emit_arguments};

pub struct Chosen {
    store: Store<()>,
    memory: Memory,
    functions: [Option<Func>; Export::ALL.len()],
}

impl Engine for Chosen {
    fn load(wasm: &[u8]) -> Result<Self, Failed> {
        let engine = Wasmi::new(&Config::default());
        let module = Module::new(&engine, wasm).map_err(|error| error.to_string())?;
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let emit = |caller: Caller<'_, ()>, at: u32, length: u32| {
            let Some(memory) = caller.get_export("memory").and_then(|export| export.into_memory()) else { return };
            let text = memory.data(&caller).get(at as usize..).and_then(|rest| rest.get(..length as usize));
            emitted(text.unwrap_or_default());
        };
        let linked = match emit_arguments(wasm) {
            2 => linker.func_wrap("env", "sk_handle_message", emit).map(|_| ()),
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
        let instance: Instance =
            linker.instantiate_and_start(&mut store, &module).map_err(|error| error.to_string())?;
        let memory = instance.get_memory(&store, "memory").ok_or("has no memory")?;
        let functions = Export::ALL.map(|export| instance.get_func(&store, export.name()));
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
