//! Every function that a guest can import is there under its documented type, and adapts to others.

mod guests;

use guests::{limits, try_load};
use skiff_runtime::host::Answer;

/// Functions of `env` (plugin ABI §2.4, §3); parameters and result, one letter a type.
const ENV: &[(&str, &str, &str)] = &[
    ("abort", "iiii", ""),
    ("seed", "", "d"),
    ("console.log", "ii", ""),
    ("sk_debug", "ii", ""),
    ("sk_set_status", "ii", ""),
    ("sk_set_error", "ii", ""),
    ("sk_read_config", "ii", "i"),
    ("sk_save_config", "ii", "i"),
    ("sk_has_capability", "ii", "i"),
    ("sk_handle_message", "iii", ""),
    ("sk_get_self_path", "iiii", "i"),
    ("sk_publish_notification", "iiii", "i"),
    ("sk_register_put_handler", "iiii", "i"),
    ("sk_register_resource_provider", "ii", "i"),
    ("sk_register_weather_provider", "ii", "i"),
    ("sk_register_radar_provider", "ii", "i"),
    ("sk_emit_binary_stream", "iiii", "i"),
    ("sk_radar_emit_spokes", "iiii", "i"),
    ("sk_udp_create", "i", "i"),
    ("sk_udp_bind", "ii", "i"),
    ("sk_udp_join_multicast", "iiiii", "i"),
    ("sk_udp_leave_multicast", "iiiii", "i"),
    ("sk_udp_set_multicast_ttl", "ii", "i"),
    ("sk_udp_set_multicast_loopback", "ii", "i"),
    ("sk_udp_set_broadcast", "ii", "i"),
    ("sk_udp_send", "iiiiii", "i"),
    ("sk_udp_recv", "iiiii", "i"),
    ("sk_udp_pending", "i", "i"),
    ("sk_udp_close", "i", ""),
    ("sk_tcp_create", "", "i"),
    ("sk_tcp_connect", "iiii", "i"),
    ("sk_tcp_connected", "i", "i"),
    ("sk_tcp_set_line_buffering", "ii", "i"),
    ("sk_tcp_send", "iii", "i"),
    ("sk_tcp_recv_line", "iii", "i"),
    ("sk_tcp_recv_raw", "iii", "i"),
    ("sk_tcp_pending", "i", "i"),
    ("sk_tcp_close", "i", ""),
];

/// What plugin ABI §2.4 has beside them, and the serial ports of `abi-extensions.md`.
const MORE: &[(&str, &str, &str)] = &[
    ("trace", "iiddddd", ""),
    ("sk_get_path", "iiii", "i"),
    ("Date.now", "", "d"),
    ("performance.now", "", "d"),
    ("Math.random", "", "d"),
    ("console.debug", "i", ""),
    ("console.info", "i", ""),
    ("console.warn", "i", ""),
    ("console.error", "i", ""),
    ("sk_serial_open", "iiiiii", "i"),
    ("sk_serial_read", "iii", "i"),
    ("sk_serial_write", "iii", "i"),
    ("sk_serial_close", "i", ""),
];

/// WASI preview 1 (plugin ABI appendix B); each gives an errno, `proc_exit` nothing.
const WASI: &[(&str, &str)] = &[
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "ili"),
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "ill"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "il"),
    ("fd_filestat_set_times", "illi"),
    ("fd_pread", "iiili"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiili"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiili"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiilli"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiillii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_exit", "i"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// §8.1.
const FETCH: &[(&str, &str, &str)] = &[
    ("_initAsyncify", "ii", ""),
    ("_fetchGETSync", "iii", "i"),
    ("_fetchPOSTSync", "iiii", "i"),
    ("_fetchGET", "iiii", ""),
    ("_fetchPOST", "iiiii", ""),
];

const ALL: &str = r#"{"network":true,"putHandlers":true,"resourceProvider":true,"weatherProvider":true,"radarProvider":true,"rawSockets":true,"serialPorts":true}"#;

/// Every import as module, name, parameters, result.
fn every() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    let env = ENV.iter().chain(MORE).map(|(name, params, result)| ("env", *name, *params, *result));
    let wasi = WASI
        .iter()
        .map(|(name, params)| ("wasi_snapshot_preview1", *name, *params, if *name == "proc_exit" { "" } else { "i" }));
    let fetch = FETCH.iter().map(|(name, params, result)| ("as-fetch", *name, *params, *result));
    env.chain(wasi).chain(fetch).collect()
}

fn type_name(letter: char) -> &'static str {
    match letter {
        'i' => "i32",
        'l' => "i64",
        'd' => "f64",
        _ => panic!("{letter} is no type"),
    }
}

/// A guest whose `poll` calls one import with zeros; its result is dropped.
fn calling(module: &str, name: &str, params: &str, result: &str) -> String {
    let types = |letters: &str| letters.chars().map(|letter| format!(" {}", type_name(letter))).collect::<String>();
    let zeros: String = params.chars().map(|letter| format!("({}.const 0) ", type_name(letter))).collect();
    let call = format!("(call $f {zeros})");
    let call = if result.is_empty() { call } else { format!("(drop {call})") };
    let result = if result.is_empty() { String::new() } else { format!("(result{})", types(result)) };
    format!(
        r#"(module
            (import "{module}" "{name}" (func $f (param{}) {result}))
            (memory (export "memory") 1)
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 4096))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
            (func (export "poll") (result i32) {call} (i32.const 7)))"#,
        types(params)
    )
}

fn poll(module: &str, name: &str, params: &str, result: &str) -> Result<Answer, String> {
    let text = calling(module, name, params, result);
    let mut guest = try_load(&text, ALL, &limits()).unwrap_or_else(|error| panic!("{module}.{name}: {error}"));
    assert!(guest.instance.unknown_imports().is_empty(), "{module}.{name}: {:?}", guest.instance.unknown_imports());
    guest.start().unwrap();
    guest.call(skiff_runtime::host::Call::Poll).map_err(|failure| format!("{failure}"))
}

#[test]
fn the_tables_are_whole() {
    assert_eq!((ENV.len(), WASI.len(), FETCH.len()), (38, 46, 5));
}

#[test]
fn every_import_is_called_under_its_documented_type() {
    for (module, name, params, result) in every() {
        let polled = poll(module, name, params, result);
        if name == "proc_exit" {
            assert!(polled.is_err(), "it never returns");
        } else {
            assert_eq!(polled, Ok(Answer::Code(Some(7))), "{module}.{name}");
        }
    }
}

#[test]
fn fewer_parameters_more_parameters_and_results_left_out_adapt() {
    for (module, name, params, result) in every().into_iter().filter(|(_, name, ..)| *name != "proc_exit") {
        let fewer = &params[..params.len().saturating_sub(1)];
        let more = format!("{params}il");
        for (params, result) in [(fewer, result), (&*more, result), (params, "")] {
            assert_eq!(poll(module, name, params, result), Ok(Answer::Code(Some(7))), "{module}.{name} {params}");
        }
    }
}

#[test]
fn a_result_nobody_gives_is_nothing_and_a_long_one_a_trap() {
    for (name, params) in [("sk_debug", "ii"), ("sk_udp_close", "i"), ("abort", "iiii")] {
        assert_eq!(poll("env", name, params, "i"), Ok(Answer::Code(Some(7))), "{name}");
        assert_eq!(poll("env", name, params, "d"), Ok(Answer::Code(Some(7))), "{name}");
        assert!(poll("env", name, params, "l").is_err(), "{name}");
    }
}

#[test]
fn a_parameter_of_a_type_that_cannot_be_gives_the_failure_value_and_no_crash() {
    for (module, name, params, result) in
        every().into_iter().filter(|(_, name, params, _)| *name != "proc_exit" && !params.is_empty())
    {
        let wrong: String = params.chars().map(|letter| if letter == 'l' { 'd' } else { 'l' }).collect();
        // Either its failure value or a trap of the plugin: the host goes on.
        let _ = poll(module, name, &wrong, result);
    }
}

/// Chips have no room for it, see `host/imports/math.rs`.
#[cfg(feature = "std")]
#[test]
fn javascripts_math_is_a_module_too() {
    for (name, params) in [("sin", "d"), ("pow", "dd"), ("round", "d"), ("imul", "dd"), ("random", "")] {
        assert_eq!(poll("Math", name, params, "d"), Ok(Answer::Code(Some(7))), "{name}");
    }
    assert_eq!(poll("Date", "now", "", "d"), Ok(Answer::Code(Some(7))));
}
