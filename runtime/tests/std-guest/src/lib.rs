//! Prints, reads the clock and the environment, hashes with a random seed, and misses a file.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// Marks the buffer dialect.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_id(_: *mut u8, _: usize) -> usize {
    0
}

/// Gives the host a block.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(bytes: usize) -> *mut u8 {
    Vec::leak(vec![0; bytes]).as_mut_ptr()
}

/// Says what a guest's standard library can do here.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_start(_: *const u8, _: usize) -> i32 {
    let Ok(since) = SystemTime::now().duration_since(UNIX_EPOCH) else { return 1 };
    println!("std guest {} at {}", std::env::var("PLUGIN_ID").unwrap_or_default(), since.as_secs());
    let squares: HashMap<u32, u32> = (0..10).map(|n| (n, n * n)).collect();
    eprintln!("squares {}, file there {}", squares.values().sum::<u32>(), std::fs::read("/data/x").is_ok());
    0
}

/// Ends.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_stop() -> i32 {
    0
}
