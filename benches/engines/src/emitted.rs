//! Texts that come out of plugins. An engine calls a function of ours in the middle of a call, some without anything of
//! ours in their hands: so the texts lie in one place for all.

use alloc::string::String;
use alloc::vec::Vec;

#[cfg(feature = "std")]
std::thread_local! {
    static EMITTED: core::cell::RefCell<Vec<String>> = const { core::cell::RefCell::new(Vec::new()) };
}

#[cfg(feature = "std")]
fn with<T>(act: impl FnOnce(&mut Vec<String>) -> T) -> T {
    EMITTED.with_borrow_mut(act)
}

#[cfg(not(feature = "std"))]
struct Single(core::cell::UnsafeCell<Vec<String>>);

// SAFETY: boards without an operating system have one processor here, and no interrupt handler that emits.
#[cfg(not(feature = "std"))]
unsafe impl Sync for Single {}

#[cfg(not(feature = "std"))]
static EMITTED: Single = Single(core::cell::UnsafeCell::new(Vec::new()));

#[cfg(not(feature = "std"))]
fn with<T>(act: impl FnOnce(&mut Vec<String>) -> T) -> T {
    // SAFETY: as above; nothing that is handed over here calls this again.
    act(unsafe { &mut *EMITTED.0.get() })
}

/// Keeps a delta that a plugin emitted.
pub fn emitted(text: &[u8]) {
    let text = String::from_utf8_lossy(text).into_owned();
    with(|emitted| emitted.push(text));
}

/// Returns what was emitted since the last time.
pub fn take_emitted() -> Vec<String> {
    with(core::mem::take)
}

/// The same for engines in C.
#[cfg(any(feature = "wasm3", feature = "wamr"))]
#[unsafe(no_mangle)]
extern "C" fn skiff_emitted(text: *const u8, length: u32) {
    // SAFETY: the shims hand over a range inside the linear memory that the engine has checked the beginning of.
    emitted(unsafe { std::slice::from_raw_parts(text, length as usize) });
}
