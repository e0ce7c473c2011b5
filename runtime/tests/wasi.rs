//! WASI preview 1 as a guest sees it: files of its own, clocks that do not block, and errors for everything else.

mod guests;

use guests::{Guest, limits, try_load};
use skiff_runtime::budget::PluginLimits;
use skiff_runtime::host::{Answer, Call, Failure};
use skiff_runtime::vfs::Medium;

/// Errors of preview 1 that tests name.
const BADF: i32 = 8;
const EXIST: i32 = 20;
const FAULT: i32 = 21;
const INVAL: i32 = 28;
const MFILE: i32 = 33;
const NAMETOOLONG: i32 = 37;
const NOENT: i32 = 44;
const NOSPC: i32 = 51;
const NOTSUP: i32 = 58;
const PERM: i32 = 63;

/// A guest that knows many WASI functions and small helpers: `$path` puts nothing down, texts lie in data segments.
fn guest_with(body: &str, capabilities: &str, limits: &PluginLimits) -> Guest {
    let functions = [
        ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"),
        ("fd_write", "i32 i32 i32 i32"),
        ("fd_read", "i32 i32 i32 i32"),
        ("fd_pread", "i32 i32 i32 i64 i32"),
        ("fd_pwrite", "i32 i32 i32 i64 i32"),
        ("fd_close", "i32"),
        ("fd_sync", "i32"),
        ("fd_seek", "i32 i64 i32 i32"),
        ("fd_tell", "i32 i32"),
        ("fd_readdir", "i32 i32 i32 i64 i32"),
        ("fd_prestat_get", "i32 i32"),
        ("fd_filestat_get", "i32 i32"),
        ("fd_filestat_set_size", "i32 i64"),
        ("fd_allocate", "i32 i64 i64"),
        ("fd_renumber", "i32 i32"),
        ("path_filestat_get", "i32 i32 i32 i32 i32"),
        ("path_create_directory", "i32 i32 i32"),
        ("path_remove_directory", "i32 i32 i32"),
        ("path_unlink_file", "i32 i32 i32"),
        ("path_rename", "i32 i32 i32 i32 i32 i32"),
        ("path_readlink", "i32 i32 i32 i32 i32 i32"),
        ("path_symlink", "i32 i32 i32 i32 i32"),
        ("path_link", "i32 i32 i32 i32 i32 i32 i32"),
        ("poll_oneoff", "i32 i32 i32 i32"),
        ("sock_recv", "i32 i32 i32 i32 i32 i32"),
    ];
    let imports: String = functions
        .iter()
        .map(|(name, params)| {
            format!("(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} (param {params}) (result i32)))\n")
        })
        .collect();
    let helpers = r#"
        (data (i32.const 16) "data//log.txt") ;; 13 bytes
        (data (i32.const 48) "data/sub") ;; 8 bytes
        (data (i32.const 64) "data/sub/b.txt") ;; 14 bytes
        (data (i32.const 96) "../../etc/passwd") ;; 16 bytes
        (data (i32.const 128) "hello boat") ;; 10 bytes
        (data (i32.const 160) "/etc/passwd") ;; 11 bytes
        (data (i32.const 192) "tmp/t") ;; 5 bytes
        ;; opens with rights to read and to write; the descriptor lies at 1000
        (func $open (param $at i32) (param $bytes i32) (param $oflags i32) (result i32)
            (call $path_open (i32.const 3) (i32.const 0) (local.get $at) (local.get $bytes) (local.get $oflags)
                (i64.const 0x1fffffff) (i64.const 0) (i32.const 0) (i32.const 1000)))
        (func $fd (result i32) (i32.load (i32.const 1000)))
        ;; one vector at 1008
        (func $vector (param $at i32) (param $bytes i32) (result i32)
            (i32.store (i32.const 1008) (local.get $at)) (i32.store (i32.const 1012) (local.get $bytes)) (i32.const 1008))
        (func $write (result i32)
            (call $fd_write (call $fd) (call $vector (i32.const 128) (i32.const 10)) (i32.const 1) (i32.const 1016)))"#;
    let text = guests::buffer_guest(&imports, &format!("{helpers}{body}"));
    try_load(&text, capabilities, limits).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs one expression with result `i32` as `plugin_start`.
fn code_with(expression: &str, capabilities: &str, limits: &PluginLimits) -> (i32, Guest) {
    let body = format!(r#"(func (export "plugin_start") (param i32 i32) (result i32) (local $i i32) {expression})"#);
    let mut guest = guest_with(&body, capabilities, limits);
    match guest.start() {
        Ok(Answer::Code(Some(code))) => (code, guest),
        other => panic!("{other:?} of {expression}"),
    }
}

fn code(expression: &str) -> i32 {
    code_with(expression, "{}", &limits()).0
}

#[test]
fn files_are_written_and_read_back_by_a_fresh_instance() {
    let (result, guest) = code_with(
        "(drop (call $open (i32.const 16) (i32.const 13) (i32.const 1))) (drop (call $write)) (call $write)",
        "{}",
        &limits(),
    );
    assert_eq!(result, 0);
    let mut medium = guest.record.files;
    assert_eq!(
        medium.read("data/log.txt", 100).as_deref(),
        Ok(&b"hello boathello boat"[..]),
        "written at the end of the call"
    );

    let body = r#"(func (export "plugin_start") (param i32 i32) (result i32)
        (drop (call $open (i32.const 16) (i32.const 13) (i32.const 0)))
        (drop (call $fd_seek (call $fd) (i64.const -4) (i32.const 2) (i32.const 1024)))
        (drop (call $fd_read (call $fd) (call $vector (i32.const 2000) (i32.const 100)) (i32.const 1) (i32.const 1016)))
        (drop (call $fd_pread (call $fd) (call $vector (i32.const 2004) (i32.const 2)) (i32.const 1) (i64.const 1) (i32.const 1020)))
        (drop (call $fd_tell (call $fd) (i32.const 1032)))
        (i32.add (i32.mul (i32.load (i32.const 1016)) (i32.const 1000)) (i32.load (i32.const 1032))))
      (func (export "poll") (result i32) (i32.load (i32.const 2000)))
      (func (export "plugin_stop") (result i32) (i32.load16_u (i32.const 2004)))"#;
    let mut next = guest_with(body, "{}", &limits());
    next.record.files = medium;
    assert_eq!(next.start(), Ok(Answer::Code(Some(4020))), "4 bytes read, the offset is 20 and pread does not move it");
    assert_eq!(next.call(Call::Poll), Ok(Answer::Code(Some(i32::from_le_bytes(*b"boat")))));
    assert_eq!(next.call(Call::Stop), Ok(Answer::Code(Some(i32::from(u16::from_le_bytes(*b"el"))))));
}

#[test]
fn the_root_is_preopened_and_has_its_three_folders() {
    assert_eq!(code("(call $fd_prestat_get (i32.const 3) (i32.const 1000))"), 0);
    assert_eq!(code("(call $fd_prestat_get (i32.const 4) (i32.const 1000))"), BADF);
    let listed = code(
        "(drop (call $fd_readdir (i32.const 3) (i32.const 2000) (i32.const 500) (i64.const 0) (i32.const 1000)))
         (i32.load (i32.const 1000))",
    );
    assert_eq!(listed, 3 * 24 + ("config".len() + "data".len() + "tmp".len()) as i32);
    let rest = code(
        "(drop (call $fd_readdir (i32.const 3) (i32.const 2000) (i32.const 500) (i64.const 2) (i32.const 1000)))
         (i32.add (i32.mul (i32.load (i32.const 1000)) (i32.const 1000)) (i32.load8_u (i32.const 2024)))",
    );
    assert_eq!(rest, (24 + 3) * 1000 + i32::from(b't'), "the cookie goes on behind the second entry");
    let cut = "(drop (call $fd_readdir (i32.const 3) (i32.const 2000) (i32.const 30) (i64.const 0) (i32.const 1000)))
               (i32.load (i32.const 1000))";
    assert_eq!(code(cut), 30, "a full buffer says that there is more");
    assert_eq!(
        code("(call $fd_readdir (i32.const 3) (i32.const 65530) (i32.const 30) (i64.const 0) (i32.const 1000))"),
        FAULT
    );
}

#[test]
fn nothing_leads_out_of_the_root() {
    assert_eq!(code("(call $open (i32.const 96) (i32.const 16) (i32.const 0))"), NOENT, "`..` stays at the root");
    assert_eq!(code("(call $open (i32.const 160) (i32.const 11) (i32.const 0))"), 76, "not capable");
    let symlink = |target: &str| format!("(call $path_symlink {target} (i32.const 3) (i32.const 192) (i32.const 5))");
    assert_eq!(code(&symlink("(i32.const 160) (i32.const 11)")), PERM);
    assert_eq!(code(&symlink("(i32.const 48) (i32.const 8)")), NOTSUP);
    assert_eq!(code("(call $open (i32.const 0) (i32.const 4) (i32.const 1))"), INVAL, "NUL in a name");
    assert_eq!(code("(call $open (i32.const 16) (i32.const 2000) (i32.const 1))"), NAMETOOLONG);
    assert_eq!(code("(call $open (i32.const 65530) (i32.const 100) (i32.const 1))"), FAULT);
    assert_eq!(code("(call $open (i32.const -1) (i32.const -1) (i32.const 1))"), NAMETOOLONG);
}

#[test]
fn folders_are_made_filled_and_removed() {
    let mkdir = "(call $path_create_directory (i32.const 3) (i32.const 48) (i32.const 8))";
    assert_eq!(code(mkdir), 0);
    assert_eq!(code(&format!("(drop {mkdir}) {mkdir}")), EXIST);
    assert_eq!(code("(call $open (i32.const 64) (i32.const 14) (i32.const 1))"), NOENT, "no folder, no file");
    let filled = format!("(drop {mkdir}) (drop (call $open (i32.const 64) (i32.const 14) (i32.const 1)))");
    let rmdir = "(call $path_remove_directory (i32.const 3) (i32.const 48) (i32.const 8))";
    assert_eq!(code(&format!("{filled} {rmdir}")), 55, "not empty");
    let unlink = "(call $path_unlink_file (i32.const 3) (i32.const 64) (i32.const 14))";
    assert_eq!(code(&format!("{filled} (drop {unlink}) {rmdir}")), 0);
    let rename =
        "(call $path_rename (i32.const 3) (i32.const 64) (i32.const 14) (i32.const 3) (i32.const 16) (i32.const 13))";
    let stat = "(call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 13) (i32.const 2000))";
    assert_eq!(
        code(&format!("{filled} (drop (call $write)) (drop {rename}) (drop {stat}) (i32.load (i32.const 2032))")),
        10
    );
    let readlink = "(call $path_readlink (i32.const 3) (i32.const 48) (i32.const 8) (i32.const 2000) (i32.const 10) (i32.const 1000))";
    assert_eq!((code(&format!("(drop {mkdir}) {readlink}")), code(readlink)), (INVAL, NOENT));
}

#[test]
fn sizes_are_set_and_quotas_hold() {
    let small = PluginLimits { files_quota_bytes: 100, file_bytes_max: 64, descriptors_max: 4, ..limits() };
    let open = "(drop (call $open (i32.const 16) (i32.const 13) (i32.const 1)))";
    let of = |expression: &str| code_with(&format!("{open} {expression}"), "{}", &small).0;
    assert_eq!(of("(call $fd_filestat_set_size (call $fd) (i64.const 64))"), 0);
    assert_eq!(of("(call $fd_filestat_set_size (call $fd) (i64.const 65))"), 22, "one file");
    assert_eq!(of("(call $fd_filestat_set_size (call $fd) (i64.const -1))"), 22);
    assert_eq!(of("(call $fd_allocate (call $fd) (i64.const 0) (i64.const 40))"), 0);
    assert_eq!(of("(call $fd_allocate (call $fd) (i64.const 0) (i64.const 0))"), INVAL);
    assert_eq!(of("(call $fd_allocate (call $fd) (i64.const -1) (i64.const 2))"), INVAL);
    let both = "(drop (call $fd_filestat_set_size (call $fd) (i64.const 64)))
        (drop (call $path_create_directory (i32.const 3) (i32.const 48) (i32.const 8)))
        (drop (call $open (i32.const 64) (i32.const 14) (i32.const 1)))
        (call $fd_filestat_set_size (call $fd) (i64.const 40))";
    assert_eq!(of(both), NOSPC, "all files together");
    let storm = "(loop $more (result i32)
        (local.set $i (call $open (i32.const 16) (i32.const 13) (i32.const 0)))
        (if (result i32) (i32.eqz (local.get $i)) (then (br $more)) (else (local.get $i))))";
    assert_eq!(of(storm), MFILE, "descriptors");
    assert_eq!(
        of("(drop (call $fd_renumber (call $fd) (i32.const 3))) (call $fd_prestat_get (i32.const 4) (i32.const 0))"),
        BADF
    );
    assert_eq!(of("(drop (call $fd_close (call $fd))) (call $fd_sync (call $fd))"), BADF);
}

#[test]
fn tmp_is_memory_and_ends_with_the_instance() {
    let (result, guest) =
        code_with("(drop (call $open (i32.const 192) (i32.const 5) (i32.const 1))) (call $write)", "{}", &limits());
    assert_eq!(result, 0);
    let mut kept = 0;
    let mut files = guest.record.files;
    files.list("", &mut |_, _| kept += 1).unwrap();
    assert_eq!(kept, 0, "nothing reaches the medium");
}

#[test]
fn a_plugin_that_promised_to_keep_nothing_has_no_files() {
    let no = r#"{"storage":"none"}"#;
    for expression in [
        "(call $fd_prestat_get (i32.const 3) (i32.const 1000))",
        "(call $open (i32.const 16) (i32.const 13) (i32.const 1))",
        "(call $fd_filestat_get (i32.const 3) (i32.const 1000))",
    ] {
        assert_eq!(code_with(expression, no, &limits()).0, BADF, "{expression}");
    }
}

#[test]
fn lying_vectors_have_no_effect() {
    let open = "(drop (call $open (i32.const 16) (i32.const 13) (i32.const 1)))";
    for (list, count, number) in [
        ("(i32.const 1008)", "(i32.const 1025)", INVAL),
        ("(i32.const 1008)", "(i32.const -1)", INVAL),
        ("(i32.const 65534)", "(i32.const 1)", FAULT),
        ("(i32.const -4)", "(i32.const 1)", FAULT),
        ("(call $vector (i32.const 65530) (i32.const 7))", "(i32.const 1)", FAULT),
        ("(call $vector (i32.const 0) (i32.const -1))", "(i32.const 1)", FAULT),
    ] {
        for call in ["fd_write", "fd_read"] {
            let expression = format!("{open} (call ${call} (call $fd) {list} {count} (i32.const 1016))");
            assert_eq!(code(&expression), number, "{call} {list} {count}");
        }
    }
    let nowhere = format!(
        "{open} (call $fd_write (call $fd) (call $vector (i32.const 128) (i32.const 4)) (i32.const 1) (i32.const 65534))"
    );
    let (result, guest) = code_with(&nowhere, "{}", &limits());
    let mut files = guest.record.files;
    assert_eq!((result, files.read("data/log.txt", 9)), (FAULT, Ok(Vec::new())), "a count that cannot be stored");
}

#[test]
fn a_sleeping_guest_waits_without_blocking_and_a_call_that_only_sleeps_ends() {
    // One subscription at 3000: a relative clock of 2500 ms.
    let sleep = "(i64.store (i32.const 3000) (i64.const 77)) (i32.store8 (i32.const 3008) (i32.const 0))
        (i32.store (i32.const 3016) (i32.const 1)) (i64.store (i32.const 3024) (i64.const 2500000000))
        (drop (call $poll_oneoff (i32.const 3000) (i32.const 3100) (i32.const 1) (i32.const 3200)))";
    let (result, guest) = code_with(
        &format!("{sleep} (i32.add (i32.mul (i32.load (i32.const 3200)) (i32.const 100)) (i32.load (i32.const 3100)))"),
        "{}",
        &limits(),
    );
    assert_eq!(
        (result, guest.record.passed_ms),
        (177, 3000),
        "one event with its number, after three waits of a second"
    );
    let body = format!(
        r#"(func (export "plugin_start") (param i32 i32) (result i32) (loop $ever {sleep} (br $ever)) (i32.const 0))"#
    );
    let mut guest = guest_with(&body, "{}", &limits());
    assert!(matches!(guest.start(), Err(Failure::OutOfFuel { .. })));
    assert_eq!(code("(call $poll_oneoff (i32.const 3000) (i32.const 3100) (i32.const 0) (i32.const 3200))"), INVAL);
    assert_eq!(code("(call $poll_oneoff (i32.const 65530) (i32.const 3100) (i32.const 1) (i32.const 3200))"), FAULT);
}

#[test]
fn what_does_not_exist_here_has_its_errno() {
    assert_eq!(
        code("(call $sock_recv (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"),
        57
    );
    assert_eq!(
        code(
            "(call $path_link (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 13) (i32.const 3) (i32.const 192) (i32.const 5))"
        ),
        NOTSUP
    );
    assert_eq!(
        code(
            "(drop (call $fd_read (i32.const 0) (call $vector (i32.const 2000) (i32.const 9)) (i32.const 1) (i32.const 1016))) (i32.load (i32.const 1016))"
        ),
        0,
        "standard input is at its end"
    );
}

#[test]
fn file_calls_cost_fuel_by_what_they_do() {
    let fuel = |expression: &str| {
        let open = "(drop (call $open (i32.const 16) (i32.const 13) (i32.const 1)))";
        code_with(&format!("{open} {expression}"), "{}", &limits()).1.instance.usage().fuel_in_call
    };
    let small =
        fuel("(call $fd_write (call $fd) (call $vector (i32.const 0) (i32.const 8)) (i32.const 1) (i32.const 1016))");
    let large = fuel(
        "(call $fd_write (call $fd) (call $vector (i32.const 0) (i32.const 65536)) (i32.const 1) (i32.const 1016))",
    );
    assert!(large >= small + 8000, "{small} {large}");
    let synced = fuel("(drop (call $write)) (call $fd_sync (call $fd))");
    assert!(synced >= small + 50_000, "{small} {synced}");
}
