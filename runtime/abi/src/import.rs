//! Import modules and function names that a guest can ask for.

/// Module of the host functions.
pub const ENV: &str = "env";
/// Module of the WASI preview 1 functions; other WASI module names are not provided.
pub const WASI: &str = "wasi_snapshot_preview1";
/// Module of the fetch functions, given only with the capability `network`.
pub const AS_FETCH: &str = "as-fetch";
/// Module of the legacy AssemblyScript `Math` imports.
pub const MATH: &str = "Math";
/// Module of the legacy AssemblyScript `Date` imports.
pub const DATE: &str = "Date";

/// Delta version that a two-parameter `sk_handle_message` means.
pub const DELTA_VERSION_DEFAULT: i32 = 1;
