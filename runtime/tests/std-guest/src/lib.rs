//! Prints, reads the clock and the environment, hashes with a random seed, misses a file and keeps others.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
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
    match files() {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("files: {error}"),
    }
    0
}

/// Writes, appends, seeks, renames, lists, reads and removes.
fn files() -> std::io::Result<String> {
    fs::create_dir("/data/logs")?;
    fs::write("/data/logs/a.txt", "one\n")?;
    let mut file = fs::OpenOptions::new().append(true).read(true).open("/data/logs/a.txt")?;
    file.write_all(b"two\n")?;
    file.seek(SeekFrom::Start(2))?;
    let mut tail = String::new();
    file.read_to_string(&mut tail)?;
    file.sync_all()?;
    drop(file);
    fs::rename("/data/logs/a.txt", "/data/logs/b.txt")?;
    let names: Vec<_> = fs::read_dir("/data/logs")?.flatten().map(|entry| entry.file_name()).collect();
    let (text, bytes) = (fs::read_to_string("/data/logs/b.txt")?, fs::metadata("/data/logs/b.txt")?.len());
    let refused = [
        fs::read("/data/logs").is_err(),
        fs::remove_dir("/data/logs").is_err(),
        fs::File::open("/../etc/passwd").is_err(),
        fs::hard_link("/data/logs/b.txt", "/data/c").is_err(),
    ];
    fs::remove_file("/data/logs/b.txt")?;
    fs::remove_dir("/data/logs")?;
    Ok(format!("files {names:?} {text:?} {tail:?} {bytes} bytes, refused {refused:?}"))
}

/// Ends.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_stop() -> i32 {
    0
}
