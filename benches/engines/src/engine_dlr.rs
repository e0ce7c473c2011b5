//! dlr-wasm-interpreter: https://crates.io/crates/dlr-wasm-interpreter

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use alloc::{format, vec};

use dlr_wasm_interpreter::{
    Config, ExternVal, FuncAddr, FuncType, HostCall, MemAddr, NumType, ResultType, RunState, Store, ValType, Value,
    decode_and_validate,
};

use crate::emitted::emitted;
use crate::engine::{Engine, Export, Failed, SILENT, emit_arguments};

/// Number of `sk_handle_message`; the others do nothing.
const EMIT: usize = 1;
const SILENT_CODE: usize = 0;

/// What a chip has room for: each call takes all of it from the heap, 24 bytes a value.
struct Small;

impl Config for Small {
    const MAX_VALUE_STACK_SIZE: usize = 1024;
    const MAX_CALL_STACK_SIZE: usize = 128;
}

pub struct Chosen {
    store: Store<'static, Small>,
    memory: MemAddr,
    functions: [Option<FuncAddr>; Export::ALL.len()],
    /// The store borrows it; last, so that it is dropped last.
    _wasm: Box<[u8]>,
}

impl Engine for Chosen {
    fn load(wasm: &[u8]) -> Result<Self, Failed> {
        let wasm: Box<[u8]> = wasm.into();
        // SAFETY: the boxed bytes neither move nor change, and are dropped after the store.
        let bytes: &'static [u8] = unsafe { core::slice::from_raw_parts(wasm.as_ptr(), wasm.len()) };
        let module = decode_and_validate(bytes, &mut ()).map_err(|error| format!("{error:?}"))?;
        let mut store: Store<'static, Small> = Store::new(Small);
        let mut function = |arguments: usize, code: usize| {
            let params = ResultType { valtypes: vec![ValType::NumType(NumType::I32); arguments] };
            ExternVal::Func(store.func_alloc(FuncType { params, returns: ResultType { valtypes: Vec::new() } }, code))
        };
        let names = module.imports().map(|(_, name, _)| name.to_string()).collect::<Vec<_>>();
        let imports = names
            .iter()
            .map(|name| match SILENT.iter().find(|(silent, _)| silent == name) {
                Some((_, arguments)) => function(*arguments, SILENT_CODE),
                None => function(emit_arguments(bytes), EMIT),
            })
            .collect();
        // SAFETY: the functions come from this store.
        let instance =
            unsafe { store.module_instantiate(&module, imports, None) }.map_err(|error| format!("{error:?}"))?;
        let module = instance.module_addr;
        // SAFETY: the module was instantiated in this store.
        let find = |name: &str| unsafe { store.instance_export(module, name) }.ok();
        let functions = Export::ALL.map(|export| find(export.name()).and_then(|export| export.as_func()));
        let memory = find("memory").and_then(|export| export.as_mem()).ok_or("has no memory")?;
        Ok(Self { store, memory, functions, _wasm: wasm })
    }

    fn has(&self, export: Export) -> bool {
        self.functions[export as usize].is_some()
    }

    fn call(&mut self, export: Export, arguments: &[u32]) -> Result<u32, Failed> {
        let function = self.functions[export as usize].ok_or("has no such export")?;
        let values = arguments.iter().map(|argument| Value::I32(*argument)).collect();
        // SAFETY: the function is of this store.
        let mut state = unsafe { self.store.invoke(function, values, None) }.map_err(|error| format!("{error:?}"))?;
        loop {
            match state {
                RunState::Finished { values, .. } => {
                    return Ok(match values[..] {
                        [Value::I32(value)] => value,
                        _ => 0,
                    });
                }
                RunState::HostCalled { host_call: HostCall { params, hostcode }, resumable } => {
                    if let (EMIT, [Value::I32(at), Value::I32(length), ..]) = (hostcode, &params[..]) {
                        // SAFETY: the memory is of this store.
                        let memory = unsafe { self.store.mem_data_mut(self.memory) };
                        let text = memory.get(*at as usize..).and_then(|rest| rest.get(..*length as usize));
                        emitted(text.unwrap_or_default());
                    }
                    // SAFETY: the call is of this store, and none of its functions has a result.
                    state = unsafe { self.store.finish_host_call(resumable, Vec::new()) }
                        .map_err(|error| format!("{error:?}"))?;
                }
                RunState::Resumable { resumable, .. } => {
                    // SAFETY: the call is of this store.
                    state = unsafe { self.store.resume_wasm(resumable) }.map_err(|error| format!("{error:?}"))?;
                }
            }
        }
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Failed> {
        // SAFETY: the memory is of this store.
        let memory = unsafe { self.store.mem_data_mut(self.memory) };
        let place = memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..bytes.len()));
        place.ok_or("is outside of the memory")?.copy_from_slice(bytes);
        Ok(())
    }
}
