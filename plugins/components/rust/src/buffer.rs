//! The same plugin in the buffer dialect (runtime/docs/plugin-abi.md §2.7).

use std::cell::RefCell;

use crate::watch::{ID, NAME, SCHEMA, Watch};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn sk_handle_message(text: *const u8, length: usize);
    fn sk_set_status(text: *const u8, length: usize);
    fn sk_set_error(text: *const u8, length: usize);
}

std::thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// Gives the host room for a text.
#[unsafe(no_mangle)]
extern "C" fn allocate(length: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; length].into_boxed_slice()).cast()
}

/// Takes room back that [`allocate`] gave.
#[unsafe(no_mangle)]
unsafe extern "C" fn deallocate(at: *mut u8, length: usize) {
    // SAFETY: the host gives back what `allocate` gave, with its length.
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(at, length)) });
}

/// Writes a text into the host's buffer.
unsafe fn give(text: &str, at: *mut u8, room: usize) -> usize {
    if text.len() > room {
        return 0;
    }
    // SAFETY: the host names a buffer of `room` bytes.
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), at, text.len()) };
    text.len()
}

unsafe fn take<'t>(at: *const u8, length: usize) -> &'t str {
    // SAFETY: the host names a text of this length, which stays until the call ends.
    std::str::from_utf8(unsafe { std::slice::from_raw_parts(at, length) }).unwrap_or_default()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn plugin_id(at: *mut u8, room: usize) -> usize {
    unsafe { give(ID, at, room) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn plugin_name(at: *mut u8, room: usize) -> usize {
    unsafe { give(NAME, at, room) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn plugin_schema(at: *mut u8, room: usize) -> usize {
    unsafe { give(SCHEMA, at, room) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn plugin_start(at: *const u8, length: usize) -> i32 {
    match Watch::start(unsafe { take(at, length) }) {
        Ok(watch) => {
            let text = "waiting for navigation.position";
            unsafe { sk_set_status(text.as_ptr(), text.len()) };
            WATCH.set(Some(watch));
            0
        }
        Err(clause) => {
            unsafe { sk_set_error(clause.as_ptr(), clause.len()) };
            1
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn plugin_stop() -> i32 {
    WATCH.set(None);
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn delta_handler(at: *const u8, length: usize) {
    let delta = unsafe { take(at, length) };
    let emitted = WATCH.with_borrow_mut(|watch| watch.as_mut().and_then(|watch| watch.delta(delta)));
    if let Some(emitted) = emitted {
        unsafe { sk_handle_message(emitted.as_ptr(), emitted.len()) };
    }
}
