//! wasm3 0.4.7, from the sources in https://crates.io/crates/wasm3-sys

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

use crate::engine::{Engine, Export, Failed, emit_arguments};

unsafe extern "C" {
    fn skiff_wasm3_load(wasm: *const u8, length: u32, arguments: u32, runtime: *mut *mut c_void) -> *const c_char;
    fn skiff_wasm3_find(runtime: *mut c_void, name: *const c_char, wrong: *mut *const c_char) -> *mut c_void;
    fn skiff_wasm3_call(function: *mut c_void, count: u32, arguments: *const u32, result: *mut u32) -> *const c_char;
    fn skiff_wasm3_write(runtime: *mut c_void, at: u32, data: *const u8, length: u32) -> i32;
    fn m3_FreeRuntime(runtime: *mut c_void);
}

pub struct Chosen {
    runtime: *mut c_void,
    functions: [*mut c_void; Export::ALL.len()],
    /// The engine reads function bodies from it when they are first called.
    _wasm: Box<[u8]>,
}

fn checked(wrong: *const c_char) -> Result<(), Failed> {
    if wrong.is_null() {
        return Ok(());
    }
    // SAFETY: the engine gives constant texts.
    Err(unsafe { CStr::from_ptr(wrong) }.to_string_lossy().into_owned())
}

impl Engine for Chosen {
    fn load(wasm: &[u8]) -> Result<Self, Failed> {
        let wasm: Box<[u8]> = wasm.into();
        let mut runtime = ptr::null_mut();
        // SAFETY: the bytes stay where they are as long as the runtime.
        checked(unsafe {
            skiff_wasm3_load(wasm.as_ptr(), wasm.len() as u32, emit_arguments(&wasm) as u32, &mut runtime)
        })?;
        let mut functions = [ptr::null_mut(); Export::ALL.len()];
        for (function, export) in functions.iter_mut().zip(Export::ALL) {
            let (name, mut wrong) = (CString::new(export.name()).unwrap_or_default(), ptr::null());
            // SAFETY: the runtime was made above.
            *function = unsafe { skiff_wasm3_find(runtime, name.as_ptr(), &mut wrong) };
            checked(wrong).map_err(|reason| format!("{}: {reason}", export.name()))?;
        }
        Ok(Self { runtime, functions, _wasm: wasm })
    }

    fn has(&self, export: Export) -> bool {
        !self.functions[export as usize].is_null()
    }

    fn call(&mut self, export: Export, arguments: &[u32]) -> Result<u32, Failed> {
        if !self.has(export) {
            return Err("has no such export".into());
        }
        let (function, mut result) = (self.functions[export as usize], 0);
        // SAFETY: the function is of this runtime, and takes as many arguments.
        checked(unsafe { skiff_wasm3_call(function, arguments.len() as u32, arguments.as_ptr(), &mut result) })?;
        Ok(if export.has_result() { result } else { 0 })
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Failed> {
        // SAFETY: the runtime lives; the shim looks at the size of its memory.
        let done = unsafe { skiff_wasm3_write(self.runtime, at, bytes.as_ptr(), bytes.len() as u32) };
        if done == 1 { Ok(()) } else { Err("is outside of the memory".into()) }
    }
}

impl Drop for Chosen {
    fn drop(&mut self) {
        // SAFETY: it is freed once; its environment is left, as no function frees what others may use.
        unsafe { m3_FreeRuntime(self.runtime) };
    }
}
