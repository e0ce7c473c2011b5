//! Compiles the engines that are written in C, from the sources that their packages in the registry hold.
//!
//! Those packages want a binding generator for their headers; the few functions that are needed are declared in
//! `src/c` instead. `cargo xtask bench` says where the sources are.

fn main() {
    #[cfg(feature = "wasm3")]
    wasm3();
    #[cfg(feature = "wamr")]
    wamr();
}

#[cfg(any(feature = "wasm3", feature = "wamr"))]
fn source(variable: &str) -> std::path::PathBuf {
    println!("cargo:rerun-if-changed=src/c");
    println!("cargo:rerun-if-env-changed={variable}");
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} does not say where the sources are")).into()
}

#[cfg(any(feature = "wasm3", feature = "wamr"))]
fn files(folder: &std::path::Path, build: &mut cc::Build, keep: impl Fn(&str) -> bool) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".c") && keep(&name) {
            build.file(entry.path());
        }
    }
}

#[cfg(feature = "wasm3")]
fn wasm3() {
    let folder = source("WASM3_SOURCE");
    let mut build = cc::Build::new();
    files(&folder, &mut build, |name| {
        !name.contains("uvwasi") && !name.contains("tracer") && !name.contains("meta_wasi")
    });
    build.file("src/c/wasm3.c").include(&folder).opt_level(3).warnings(false);
    build.flag("-fomit-frame-pointer").compile("wasm3");
    println!("cargo:rustc-link-lib=m");
}

#[cfg(feature = "wamr")]
fn wamr() {
    let core = source("WAMR_SOURCE").join("core");
    let is_fast = std::env::var_os("CARGO_FEATURE_WAMR_FAST").is_some();
    let mut build = cc::Build::new();
    let interpreter = core.join("iwasm/interpreter");
    let chosen = if is_fast { "wasm_interp_fast.c" } else { "wasm_interp_classic.c" };
    files(&interpreter, &mut build, |name| [chosen, "wasm_loader.c", "wasm_runtime.c"].contains(&name));
    files(&core.join("iwasm/common"), &mut build, |name| name != "wasm_c_api.c");
    for folder in [
        "shared/mem-alloc",
        "shared/mem-alloc/ems",
        "shared/utils",
        "shared/platform/linux",
        "shared/platform/common/posix",
    ] {
        files(&core.join(folder), &mut build, |name| name != "runtime_timer.c");
    }
    build.file(core.join("iwasm/common/arch/invokeNative_em64.s")).file("src/c/wamr.c");
    for folder in [
        "iwasm/include",
        "iwasm/common",
        "iwasm/interpreter",
        "shared/include",
        "shared/platform/include",
        "shared/platform/linux",
        "shared/mem-alloc",
        "shared/utils",
        ".",
    ] {
        build.include(core.join(folder));
    }
    for (name, value) in [
        ("WASM_ENABLE_INTERP", "1"),
        ("WASM_ENABLE_FAST_INTERP", if is_fast { "1" } else { "0" }),
        ("WASM_ENABLE_BULK_MEMORY", "1"),
        ("WASM_ENABLE_REF_TYPES", "0"),
        ("WASM_ENABLE_LIBC_BUILTIN", "0"),
        ("WASM_DISABLE_HW_BOUND_CHECK", "1"),
        ("BH_PLATFORM_LINUX", "1"),
        ("BUILD_TARGET_X86_64", "1"),
        ("BH_MALLOC", "wasm_runtime_malloc"),
        ("BH_FREE", "wasm_runtime_free"),
        ("WASM_ENABLE_LOG", "0"),
    ] {
        build.define(name, value);
    }
    build.opt_level(3).warnings(false).compile("wamr");
    println!("cargo:rustc-link-lib=pthread");
    println!("cargo:rustc-link-lib=m");
}
