//! tinywasm: https://crates.io/crates/tinywasm

use alloc::string::ToString;

use tinywasm::engine::{Config, StackConfig};
use tinywasm::types::WasmValue;
use tinywasm::{Engine as Tinywasm, FuncContext, Function, HostFunction, Imports, Memory, ModuleInstance, Store};

use crate::emitted::emitted;
use crate::engine::{Engine, Export, Failed, SILENT, emit_arguments};

pub struct Chosen {
    store: Store,
    memory: Memory,
    functions: [Option<Function>; Export::ALL.len()],
}

impl Engine for Chosen {
    fn load(wasm: &[u8]) -> Result<Self, Failed> {
        let module = tinywasm::parse_bytes(wasm).map_err(|error| error.to_string())?;
        // What a chip has room for: by itself it would take 470 KB at once.
        let stacks = Config::new().with_value_stack(StackConfig::dynamic(64, 4096));
        let mut store = Store::new(Tinywasm::new(stacks.with_call_stack(StackConfig::dynamic(16, 128))));
        let mut imports = Imports::new();
        let emit = |context: FuncContext<'_>, at: i32, length: i32| {
            let memory = context.memory("memory")?;
            emitted(&memory.read_vec(context.store(), at as u32 as usize, length as u32 as usize)?);
            Ok(())
        };
        let emit = match emit_arguments(wasm) {
            2 => HostFunction::from(&mut store, move |context: FuncContext<'_>, (at, length): (i32, i32)| {
                emit(context, at, length)
            }),
            _ => HostFunction::from(&mut store, move |context: FuncContext<'_>, (at, length, _): (i32, i32, i32)| {
                emit(context, at, length)
            }),
        };
        imports.define("env", "sk_handle_message", emit);
        for (name, arguments) in SILENT {
            let nothing = match arguments {
                4 => HostFunction::from(&mut store, |_: FuncContext<'_>, _: (i32, i32, i32, i32)| Ok(())),
                _ => HostFunction::from(&mut store, |_: FuncContext<'_>, _: (i32, i32)| Ok(())),
            };
            imports.define("env", name, nothing);
        }
        let instance =
            ModuleInstance::instantiate(&mut store, &module, Some(imports)).map_err(|error| error.to_string())?;
        let memory = instance.memory("memory").map_err(|error| error.to_string())?;
        let functions = Export::ALL.map(|export| instance.func_untyped(&store, export.name()).ok());
        Ok(Self { store, memory, functions })
    }

    fn has(&self, export: Export) -> bool {
        self.functions[export as usize].is_some()
    }

    fn call(&mut self, export: Export, arguments: &[u32]) -> Result<u32, Failed> {
        let function = self.functions[export as usize].as_ref().ok_or("has no such export")?;
        let mut values = [WasmValue::I32(0), WasmValue::I32(0)];
        for (value, argument) in values.iter_mut().zip(arguments) {
            *value = WasmValue::I32(argument.cast_signed());
        }
        let results = function.call(&mut self.store, &values[..arguments.len()]).map_err(|error| error.to_string())?;
        Ok(match results[..] {
            [WasmValue::I32(value)] => value.cast_unsigned(),
            _ => 0,
        })
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Failed> {
        self.memory.copy_from_slice(&mut self.store, at as usize, bytes).map_err(|error| error.to_string())
    }
}
