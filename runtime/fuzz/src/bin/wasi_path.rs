//! No path a guest can name leads out of its folder, and what resolves is a key any medium takes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_runtime::hal::Key;
use skiff_runtime::vfs::path::{DEPTH_MAX, PATH_BYTES_MAX, resolve};

fuzz_target!(|input: (&str, &str)| {
    let Ok(folder) = resolve("", input.0) else { return };
    let Ok(path) = resolve(&folder, input.1) else { return };
    assert!(path.len() <= PATH_BYTES_MAX && path.split('/').count() <= DEPTH_MAX);
    let key = Key::parse(&format!("plugin-config-data/x/vfs/{path}"));
    assert!(path.is_empty() || key.is_ok(), "{path:?}");
    assert!(input.1.starts_with('/') || input.1.contains("..") || path.starts_with(&folder), "{folder:?} {path:?}");
    if !path.is_empty() {
        assert_eq!(resolve("", &path).as_deref(), Ok(path.as_str()), "a resolved path is its own");
    }
});
