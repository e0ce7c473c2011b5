//! An allocator that counts, for tests about memory: one per test binary.
//!
//! Every thread is counted apart: the test runner's own thread allocates when it likes, also in the middle of a test.
#![allow(dead_code)] // each test file uses its part

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what the thread has allocated now and at most.
pub struct Counting;

// Both are made without an allocation and need no drop, as what an allocator uses must.
thread_local! {
    static NOW: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// Bytes this thread has allocated now.
pub fn now() -> i64 {
    NOW.get()
}

/// Bytes this thread had allocated at most since [`start_peak`].
pub fn peak() -> i64 {
    PEAK.get()
}

/// Measures the peak from now on; returns what is allocated now.
pub fn start_peak() -> i64 {
    let before = now();
    PEAK.set(before);
    before
}

fn add(bytes: usize) {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    NOW.set(NOW.get() + bytes);
    PEAK.set(PEAK.get().max(NOW.get()));
}

fn remove(bytes: usize) {
    NOW.set(NOW.get() - i64::try_from(bytes).unwrap_or(i64::MAX));
}

// SAFETY: every call is handed on to the system allocator unchanged; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        remove(layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size);
        remove(layout.size());
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
