//! WAMR, from the sources in https://crates.io/crates/wamr-sys; its classic or its fast interpreter.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

use crate::engine::{Engine, Export, Failed, emit_arguments};

#[repr(C)]
struct Loaded {
    module: *mut c_void,
    instance: *mut c_void,
    env: *mut c_void,
}

unsafe extern "C" {
    fn skiff_wamr_load(wasm: *mut u8, length: u32, arguments: u32, loaded: *mut Loaded) -> *const c_char;
    fn skiff_wamr_unload(loaded: *mut Loaded);
    fn skiff_wamr_find(loaded: *mut Loaded, name: *const c_char) -> *mut c_void;
    fn skiff_wamr_call(loaded: *mut Loaded, function: *mut c_void, count: u32, arguments: *mut u32) -> *const c_char;
    fn skiff_wamr_write(loaded: *mut Loaded, at: u32, data: *const u8, length: u32) -> i32;
}

pub struct Chosen {
    loaded: Loaded,
    functions: [*mut c_void; Export::ALL.len()],
    /// The engine writes into it while it loads, and reads it later.
    _wasm: Box<[u8]>,
}

fn checked(wrong: *const c_char) -> Result<(), Failed> {
    if wrong.is_null() {
        return Ok(());
    }
    // SAFETY: the engine gives texts that live until the next call.
    Err(unsafe { CStr::from_ptr(wrong) }.to_string_lossy().into_owned())
}

impl Engine for Chosen {
    fn load(wasm: &[u8]) -> Result<Self, Failed> {
        let mut wasm: Box<[u8]> = wasm.into();
        let mut loaded = Loaded { module: ptr::null_mut(), instance: ptr::null_mut(), env: ptr::null_mut() };
        // SAFETY: the bytes stay where they are as long as the module.
        checked(unsafe {
            skiff_wamr_load(wasm.as_mut_ptr(), wasm.len() as u32, emit_arguments(&wasm) as u32, &mut loaded)
        })?;
        let functions = Export::ALL.map(|export| {
            let name = CString::new(export.name()).unwrap_or_default();
            // SAFETY: the module was loaded above.
            unsafe { skiff_wamr_find(&mut loaded, name.as_ptr()) }
        });
        Ok(Self { loaded, functions, _wasm: wasm })
    }

    fn has(&self, export: Export) -> bool {
        !self.functions[export as usize].is_null()
    }

    fn call(&mut self, export: Export, arguments: &[u32]) -> Result<u32, Failed> {
        if !self.has(export) {
            return Err("has no such export".into());
        }
        let function = self.functions[export as usize];
        let mut cells = [0_u32; 4];
        for (cell, argument) in cells.iter_mut().zip(arguments) {
            *cell = *argument;
        }
        // SAFETY: the function is of this module; the result takes the place of the first argument.
        checked(unsafe { skiff_wamr_call(&mut self.loaded, function, arguments.len() as u32, cells.as_mut_ptr()) })?;
        Ok(if export.has_result() { cells[0] } else { 0 })
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Failed> {
        // SAFETY: the module is loaded; what is written was allocated by the guest.
        let done = unsafe { skiff_wamr_write(&mut self.loaded, at, bytes.as_ptr(), bytes.len() as u32) };
        if done == 1 { Ok(()) } else { Err("is outside of the memory".into()) }
    }
}

impl Drop for Chosen {
    fn drop(&mut self) {
        // SAFETY: it is unloaded once.
        unsafe { skiff_wamr_unload(&mut self.loaded) };
    }
}
