//! The plugin host through its public API: dialects, imports, budgets, and the mistakes guests make.

mod guests;

use std::sync::Arc;

use guests::{buffer_guest, limits, load, managed_guest, try_load};
use skiff_runtime::budget::PluginLimits;
use skiff_runtime::delta::{Delta, Stamp};
use skiff_runtime::host::{Answer, Call, Failure};
use skiff_runtime::time::UnixMillis;

fn text(answer: &str) -> Result<Answer, Failure> {
    Ok(Answer::Text(Some(answer.into())))
}

fn delta(values: &str) -> Arc<Delta> {
    let stamp = Stamp { source_ref: "test", self_context: "vessels.urn:x", now: UnixMillis(0) };
    Arc::new(Delta::parse(&format!(r#"{{"updates":[{{"values":[{values}]}}]}}"#), &stamp).unwrap())
}

#[test]
fn the_buffer_dialect_passes_text_by_buffers() {
    let mut guest = load(&buffer_guest(
        r#"(import "env" "sk_debug" (func $debug (param i32 i32)))"#,
        r#"(data (i32.const 16) "Tide") (data (i32.const 32) "{\"a\":1}")
           (func (export "plugin_name") (param i32 i32) (result i32) (memory.copy (local.get 0) (i32.const 16) (i32.const 4)) (i32.const 4))
           (func (export "plugin_schema") (param i32 i32) (result i32) (memory.copy (local.get 0) (i32.const 32) (i32.const 7)) (i32.const 7))
           (func (export "plugin_start") (param i32 i32) (result i32) (call $debug (local.get 0) (local.get 1)) (i32.const 0))
           (func (export "plugin_stop") (result i32) (i32.const 3))
           (func (export "delta_handler") (param i32 i32) (call $debug (local.get 0) (local.get 1)))
           (func (export "echo") (param i32 i32 i32 i32) (result i32) (memory.copy (local.get 2) (local.get 0) (local.get 1)) (local.get 1))"#,
    ));
    assert_eq!(guest.call(Call::Name), text("Tide"));
    assert_eq!(guest.call(Call::Schema), text("{\"a\":1}"));
    assert_eq!(guest.call(Call::Endpoints), Ok(Answer::Absent));
    assert_eq!(guest.call(Call::Start { config: "{\"rate\":\"µ\"}".into() }), Ok(Answer::Code(Some(0))));
    assert_eq!(guest.call(Call::Delta(delta(r#"{"path":"a","value":1}"#))), Ok(Answer::Unit));
    let request = Call::Http { handler: "echo".into(), request: "{\"é\":1}".into() };
    assert_eq!(guest.call(request), text("{\"é\":1}"));
    assert_eq!(guest.call(Call::Stop), Ok(Answer::Code(Some(3))));
    assert_eq!(guest.record.events[0], "log DEBUG {\"rate\":\"µ\"}");
    assert!(guest.record.events[1].contains(r#""path":"a","value":1"#));
}

#[test]
fn the_assemblyscript_dialect_passes_managed_strings() {
    let mut guest = load(&managed_guest(
        r#"(import "env" "console.log" (func $log (param i32)))"#,
        r#"(data (i32.const 8) "\02\00\00\00\08\00\00\00T\00i\00d\00e\00")
           (func (export "plugin_name") (result i32) (i32.const 16))
           (func (export "plugin_schema") (result i32) (i32.const 0))
           (func (export "plugin_start") (param i32 i32) (result i32) (i32.load8_u (local.get 0)))
           (func (export "delta_handler") (param i32) (call $log (local.get 0)))
           (func (export "echo") (param i32 i32) (result i32) (local.get 0))
           (func (export "wrong") (param i32 i32) (result i32) (i32.const 12))"#,
    ));
    assert_eq!(guest.call(Call::Name), text("Tide"));
    assert_eq!(guest.call(Call::Schema), Ok(Answer::Text(None)));
    assert_eq!(guest.start(), Ok(Answer::Code(Some(i32::from(b'{')))), "the start argument is raw UTF-8");
    assert_eq!(guest.call(Call::Delta(delta(r#"{"path":"a","value":"🚤"}"#))), Ok(Answer::Unit));
    assert!(guest.record.events[0].contains("🚤"), "{:?}", guest.record.events);
    let ask = |handler: &str| Call::Http { handler: handler.into(), request: "{\"body\":\"ß\"}".into() };
    assert_eq!(guest.call(ask("echo")), text("{\"body\":\"ß\"}"));
    assert_eq!(guest.call(ask("wrong")), Err(Failure::BadAnswer("the export returned no string")));
    assert_eq!(guest.call(ask("missing")), Ok(Answer::Absent));
    let put = Call::Put { handler: "echo".into(), value: "\"ß\"".into() };
    assert_eq!(guest.call(put), text("\"ß\""), "upstream hands over a number (plugin ABI L-19)");
    assert_eq!(guest.call(ask("echo")), text("{\"body\":\"ß\"}"), "a bad answer leaves the guest in order");
}

#[test]
fn imports_are_built_from_the_types_the_guest_declares() {
    let mut guest = load(&buffer_guest(
        r#"(import "env" "sk_handle_message" (func $emit2 (param i32 i32)))
           (import "env" "sk_handle_message" (func $emit3 (param i32 i32 i32)))
           (import "env" "sk_set_status" (func $status (param i32 i32) (result i32)))
           (import "env" "sk_debug" (func $debug (param i32)))
           (import "env" "sk_has_capability" (func $has (param i32 i32 i32 i32) (result f64)))
           (import "env" "sk_read_config" (func $odd (param i64 i32) (result i32)))"#,
        r#"(data (i32.const 16) "{\"updates\":[]}network")
           (func (export "plugin_start") (param i32 i32) (result i32)
               (call $emit2 (i32.const 16) (i32.const 14))
               (call $emit3 (i32.const 16) (i32.const 14) (i32.const 2))
               (drop (call $status (i32.const 30) (i32.const 7)))
               (call $debug (i32.const 16))
               (i32.add (i32.trunc_f64_s (call $has (i32.const 30) (i32.const 7) (i32.const 9) (i32.const 9)))
                        (i32.mul (i32.const 10) (call $odd (i64.const 16) (i32.const 14)))))"#,
    ));
    assert_eq!(guest.start(), Ok(Answer::Code(Some(0))));
    assert_eq!(
        guest.record.events,
        ["emit V1 {\"updates\":[]}", "emit V2 {\"updates\":[]}", "status network", "log DEBUG "]
    );
}

#[test]
fn a_guest_mistake_gives_the_failure_value_and_no_trap() {
    let calls = |ptr: &str, len: &str| {
        buffer_guest(
            r#"(import "env" "sk_set_status" (func $status (param i32 i32)))
               (import "env" "sk_save_config" (func $save (param i32 i32) (result i32)))
               (import "env" "sk_read_config" (func $read (param i32 i32) (result i32)))
               (import "env" "sk_publish_notification" (func $notify (param i32 i32 i32 i32) (result i32)))
               (import "env" "sk_get_self_path" (func $self (param i32 i32 i32 i32) (result i32)))
               (import "env" "sk_handle_message" (func $emit (param i32 i32)))"#,
            &format!(
                r#"(data (i32.const 16) "{{}}")
                   (func (export "plugin_start") (param i32 i32) (result i32)
                       (call $status (i32.const {ptr}) (i32.const {len}))
                       (call $emit (i32.const {ptr}) (i32.const {len}))
                       (i32.add (i32.add (call $save (i32.const {ptr}) (i32.const {len}))
                                         (call $notify (i32.const 16) (i32.const 2) (i32.const {ptr}) (i32.const {len})))
                                (i32.add (call $read (i32.const {ptr}) (i32.const {len}))
                                         (call $self (i32.const {ptr}) (i32.const {len}) (i32.const 16) (i32.const 2)))))"#
            ),
        )
    };
    for (ptr, len) in [("0x7fffff00", "7"), ("32", "-1"), ("65535", "2"), ("65536", "1"), ("-1", "-1")] {
        let mut guest = load(&calls(ptr, len));
        assert_eq!(guest.start(), Ok(Answer::Code(Some(-2))), "{ptr} {len}");
        assert_eq!(guest.record.events, [""; 0], "{ptr} {len}");
    }
    let mut guest = load(&calls("65536", "0"));
    assert!(guest.start().is_ok());
    assert!(guest.record.events.contains(&"status ".into()), "an empty text at the very end is legal");
}

#[test]
fn out_buffers_that_are_too_small_stay_untouched() {
    let mut guest = load(&buffer_guest(
        r#"(import "env" "sk_read_config" (func $read (param i32 i32) (result i32)))
           (import "env" "sk_get_self_path" (func $self (param i32 i32 i32 i32) (result i32)))"#,
        r#"(data (i32.const 16) "a.b") (data (i32.const 64) "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ")
           (func (export "plugin_start") (param i32 i32) (result i32)
               (i32.add
                   (i32.add (call $read (i32.const 64) (i32.const 1)) (call $self (i32.const 16) (i32.const 3) (i32.const 64) (i32.const 5)))
                   (i32.sub (i32.load8_u (i32.const 64)) (i32.const 0x5a))))
           (func (export "poll") (result i32) (call $self (i32.const 16) (i32.const 3) (i32.const 64) (i32.const 32)))"#,
    ));
    guest.record.config = Some("{\"long\":true}".into());
    guest.record.nodes = vec![("a.b".into(), r#"{"value":1,"$source":"x","meta":{"units":"m"}}"#.into())];
    assert_eq!(guest.start(), Ok(Answer::Code(Some(0))));
    // The whole node has 45 bytes; without meta it fits.
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Code(Some(25))));
}

#[test]
fn an_endless_loop_is_cut_into_slices_and_ends_with_its_fuel() {
    let looping = "(loop $again (br $again)) (i32.const 0)";
    for (export, call) in [
        ("(func (export \"poll\") (result i32) BODY)", Call::Poll),
        ("(func (export \"plugin_stop\") (result i32) BODY)", Call::Stop),
        ("(func (export \"plugin_start\") (param i32 i32) (result i32) BODY)", Call::Start { config: "{}".into() }),
        (
            "(func (export \"delta_handler\") (param i32 i32) (drop (block (result i32) BODY)))",
            Call::Delta(delta(r#"{"path":"a","value":1}"#)),
        ),
        (
            "(func (export \"h\") (param i32 i32 i32 i32) (result i32) BODY)",
            Call::Http { handler: "h".into(), request: "{}".into() },
        ),
        ("(func (export \"plugin_name\") (param i32 i32) (result i32) BODY)", Call::Name),
    ] {
        let mut guest = load(&buffer_guest("", &export.replace("BODY", looping)));
        let limit = match call {
            Call::Start { .. } | Call::Name => limits().fuel_per_start,
            _ => limits().fuel_per_call,
        };
        let (result, slices) = guest.call_in_slices(call.clone());
        assert_eq!(result, Err(Failure::OutOfFuel { limit }), "{export}");
        assert!(u64::from(slices) >= limit / limits().fuel_per_slice, "{export}: {slices} slices");
        assert!(guest.instance.usage().fuel_in_call <= limit, "{export}");
        assert_eq!(guest.call(Call::Poll), Err(Failure::OutOfFuel { limit }), "the instance must not be used again");
    }
}

#[test]
fn the_result_is_the_same_however_it_is_sliced() {
    let sum = buffer_guest(
        "",
        r#"(func (export "poll") (result i32) (local $left i32) (local $sum i32)
               (local.set $left (i32.const 5000))
               (loop $again
                   (local.set $sum (i32.add (local.get $sum) (local.get $left)))
                   (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
               (local.get $sum))"#,
    );
    let mut slices = Vec::new();
    for fuel_per_slice in [50, 1000, 1_000_000] {
        let limits = PluginLimits { fuel_per_slice, ..limits() };
        let mut guest = try_load(&sum, "{}", &limits).unwrap_or_else(|error| panic!("{error}"));
        let (result, count) = guest.call_in_slices(Call::Poll);
        assert_eq!(result, Ok(Answer::Code(Some(12_502_500))));
        slices.push(count);
    }
    assert!(slices[0] > slices[1] && slices[1] > slices[2] && slices[2] == 1, "{slices:?}");
}

#[test]
fn growing_stops_at_the_limit_and_recursion_at_the_stack() {
    let mut guest = load(&buffer_guest(
        "",
        r#"(func $down (param i32) (result i32) (i32.add (i32.const 1) (call $down (local.get 0))))
           (func (export "poll") (result i32) (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size))
           (func (export "plugin_stop") (result i32) (call $down (i32.const 0)))"#,
    ));
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Code(Some(4))));
    assert_eq!(guest.instance.usage().linear_bytes, u64::from(limits().linear_bytes_max));
    assert_eq!(guest.call(Call::Stop), Err(Failure::StackOverflow));
}

#[test]
fn deep_recursion_needs_little_native_stack() {
    let text = buffer_guest(
        "",
        r#"(func $down (param i32) (result i32) (i32.add (i32.const 1) (call $down (local.get 0))))
        (func (export "poll") (result i32) (call $down (i32.const 0)))
        (func (export "plugin_stop") (result i32) (local $left i32) (local.set $left (i32.const 100000))
            (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))) (i32.const 0))"#,
    );
    std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || {
            let mut guest = load(&text);
            assert_eq!(guest.call(Call::Stop), Ok(Answer::Code(Some(0))));
            assert_eq!(guest.call(Call::Poll), Err(Failure::StackOverflow));
        })
        .unwrap()
        .join()
        .expect("the interpreter overflowed the native stack");
}

#[test]
fn traps_end_the_instance_with_their_reason() {
    for (body, failure) in
        [("(unreachable)", Failure::Unreachable), ("(drop (i32.load (i32.const -4)))", Failure::MemoryOutOfBounds)]
    {
        let mut guest =
            load(&buffer_guest("", &format!(r#"(func (export "poll") (result i32) {body} (i32.const 0))"#)));
        assert_eq!(guest.call(Call::Poll), Err(failure.clone()));
        assert!(failure.is_fatal());
        assert_eq!(guest.call(Call::Poll), Err(failure));
    }
}

#[test]
fn the_start_section_is_bounded_and_its_imports_do_nothing() {
    let start = |body: &str| {
        buffer_guest(
            r#"(import "env" "sk_set_status" (func $status (param i32 i32)))"#,
            &format!(r#"(func $begin (call $status (i32.const 0) (i32.const 4)) {body}) (start $begin)"#),
        )
    };
    let refused = try_load(&start("(unreachable)"), "{}", &limits()).err().expect("must be refused");
    assert!(refused.starts_with("trap in start"), "{refused}");
    assert!(load(&start("")).record.events.is_empty());
    let (ended, slices) = load(&start("(loop $again (br $again))")).call_in_slices(Call::Name);
    let limit = limits().fuel_per_start;
    assert_eq!(ended, Err(Failure::InStartSection(Box::new(Failure::OutOfFuel { limit }))));
    assert!(u64::from(slices) >= limit / limits().fuel_per_slice, "{slices} slices");
}

#[test]
fn a_long_start_section_runs_in_slices_before_anything_else() {
    let text = buffer_guest(
        r#"(import "env" "sk_set_status" (func $status (param i32 i32)))"#,
        r#"(global $begun (mut i32) (i32.const 0))
           (data (i32.const 0) "late")
           (func $begin (local $left i32)
               (local.set $left (i32.const 200000))
               (loop $again
                   (call $status (i32.const 0) (i32.const 4))
                   (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
               (global.set $begun (i32.add (global.get $begun) (i32.const 1))))
           (start $begin)
           (func (export "plugin_start") (param i32 i32) (result i32)
               (call $status (i32.const 0) (i32.const 4))
               (i32.sub (global.get $begun) (i32.const 1)))"#,
    );
    let mut guest = load(&text);
    let (started, slices) = guest.call_in_slices(Call::Start { config: "{}".into() });
    assert_eq!(started, Ok(Answer::Code(Some(0))), "the start section ran once, and before plugin_start");
    assert!(slices > 5, "{slices} slices");
    assert_eq!(guest.record.events, ["status late"], "imports do nothing before the start section has returned");
}

#[test]
fn unknown_imports_link_and_trap_only_when_called() {
    let mut guest = load(&buffer_guest(
        r#"(import "env" "sk_launch_missiles" (func $launch (param i32) (result i64)))"#,
        r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
           (func (export "poll") (result i32) (drop (call $launch (i32.const 1))) (i32.const 0))"#,
    ));
    assert_eq!(guest.instance.unknown_imports(), ["env.sk_launch_missiles"]);
    assert_eq!(guest.start(), Ok(Answer::Code(Some(0))));
    let Err(Failure::Trap(message)) = guest.call(Call::Poll) else { panic!("calling it must trap") };
    assert!(message.contains("env.sk_launch_missiles"), "{message}");
}

#[test]
fn capabilities_are_enforced_and_told_truthfully() {
    let text = buffer_guest(
        r#"(import "env" "sk_has_capability" (func $has (param i32 i32) (result i32)))
           (import "env" "sk_handle_message" (func $emit (param i32 i32)))
           (import "env" "sk_udp_create" (func $udp (param i32) (result i32)))
           (import "env" "sk_register_put_handler" (func $put (param i32 i32 i32 i32) (result i32)))"#,
        r#"(data (i32.const 16) "dataWrite{\"updates\":[]}")
           (func (export "plugin_start") (param i32 i32) (result i32)
               (call $emit (i32.const 25) (i32.const 14))
               (i32.add (call $has (i32.const 16) (i32.const 9))
                        (i32.add (call $udp (i32.const 0)) (call $put (i32.const 16) (i32.const 1) (i32.const 16) (i32.const 1)))))"#,
    );
    let run = |capabilities: &str| {
        let mut guest = try_load(&text, capabilities, &limits()).unwrap_or_else(|error| panic!("{error}"));
        (guest.start(), guest.record.events.iter().filter(|event| event.starts_with("emit")).count())
    };
    assert_eq!(run("{}"), (Ok(Answer::Code(Some(0))), 1));
    assert_eq!(run(r#"{"dataWrite":false}"#), (Ok(Answer::Code(Some(-1))), 0));
}

#[test]
fn fetching_without_the_capability_is_refused_at_load() {
    let text = managed_guest(
        r#"(import "as-fetch" "_initAsyncify" (func (param i32 i32)))"#,
        r#"(func (export "plugin_name") (result i32) (i32.const 0)) (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))"#,
    );
    let refused = try_load(&text, "{}", &limits()).err().expect("must be refused");
    assert!(refused.contains("as-fetch") && refused.contains("network"), "{refused}");
    assert!(try_load(&text, r#"{"network":true}"#, &limits()).is_ok());
}

#[test]
fn wasi_prints_to_the_log_and_reads_the_clock() {
    let mut guest = load(&buffer_guest(
        r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
           (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
           (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
           (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
           (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
           (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#,
        r#"(data (i32.const 16) "hello\n") (data (i32.const 32) "\10\00\00\00\06\00\00\00")
           (func (export "poll") (result i32)
               (if (call $write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 48)) (then (unreachable)))
               (if (i32.ne (i32.load (i32.const 48)) (i32.const 6)) (then (unreachable)))
               (if (call $clock (i32.const 0) (i64.const 0) (i32.const 64)) (then (unreachable)))
               (if (i64.ne (i64.load (i32.const 64)) (i64.const 1764000000000000000)) (then (unreachable)))
               (if (call $random (i32.const 72) (i32.const 100)) (then (unreachable)))
               (if (i32.ne (i32.load8_u (i32.const 171)) (i32.const 0x40)) (then (unreachable)))
               (if (call $environ (i32.const 200) (i32.const 204)) (then (unreachable)))
               (if (i32.ne (i32.load8_u (i32.const 204)) (i32.const 0x50)) (then (unreachable)))
               (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 5) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 300)))
           (func (export "plugin_stop") (result i32) (call $exit (i32.const 7)) (i32.const 0))"#,
    ));
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Code(Some(44))), "no such file");
    assert_eq!(guest.record.events, ["log INFO hello"]);
    assert_eq!(guest.call(Call::Stop), Err(Failure::Exit(7)));
}

#[test]
fn what_is_printed_in_pieces_is_logged_in_lines() {
    let mut guest = load(&buffer_guest(
        r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#,
        r#"(data (i32.const 16) "one two\nthree") (data (i32.const 40) "\10\00\00\00\04\00\00\00\14\00\00\00\09\00\00\00")
           (func (export "poll") (result i32)
               (drop (call $write (i32.const 2) (i32.const 40) (i32.const 1) (i32.const 64)))
               (drop (call $write (i32.const 2) (i32.const 48) (i32.const 1) (i32.const 64)))
               (call $write (i32.const 2) (i32.const -4) (i32.const 1) (i32.const 64)))"#,
    ));
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Code(Some(21))), "vectors outside the memory are a fault");
    assert_eq!(guest.record.events, ["log WARN one two", "log WARN three"]);
}

#[test]
fn a_reactor_is_initialised_once_before_its_first_call() {
    let mut guest = load(&buffer_guest(
        r#"(import "env" "sk_debug" (func $debug (param i32 i32)))"#,
        r#"(func (export "_initialize") (call $debug (i32.const 0) (i32.const 0)))
           (func (export "poll") (result i32) (i32.const 0))"#,
    ));
    assert_eq!(guest.call(Call::Name), Ok(Answer::Absent));
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Code(Some(0))));
    assert_eq!(guest.record.events, ["log DEBUG "]);
}

#[test]
fn a_command_runs_its_entry_once_and_may_exit_from_it() {
    let mut guest = load(&buffer_guest(
        r#"(import "env" "sk_debug" (func $debug (param i32 i32)))
           (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#,
        r#"(func (export "_start") (call $debug (i32.const 0) (i32.const 0)) (call $exit (i32.const 0)) (unreachable))
           (func (export "poll") (result i32) (i32.const 5))"#,
    ));
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Code(Some(5))));
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Code(Some(5))));
    assert_eq!(guest.record.events, ["log DEBUG "]);
}

#[test]
fn memory_that_grows_in_the_allocator_is_found_again() {
    let mut guest = load(
        r#"(module
            (import "env" "sk_debug" (func $debug (param i32 i32)))
            (memory (export "memory") 1)
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
            (func (export "plugin_start") (param i32 i32) (result i32) (call $debug (local.get 0) (local.get 1)) (i32.const 0)))"#,
    );
    assert_eq!(guest.start(), Ok(Answer::Code(Some(0))));
    assert_eq!(guest.record.events, ["log DEBUG {}"]);
    assert_eq!(guest.start(), Ok(Answer::Code(Some(0))));
    assert_eq!(guest.start(), Ok(Answer::Code(Some(0))));
    assert_eq!(guest.start(), Err(Failure::NoMemory { bytes: 2 }), "beyond the limit the allocator gives -65536");
}

#[test]
fn modules_beyond_a_limit_are_refused_before_they_are_translated() {
    let refused = |text: &str, limits: &PluginLimits| try_load(text, "{}", limits).err().expect("must be refused");
    let memory = |pages: u32| buffer_guest("", "").replace("\"memory\") 1", &format!("\"memory\") {pages}"));
    assert_eq!(
        refused(&memory(65_536), &limits()),
        "linear memory in bytes: the module needs 4294967296, the limit is 262144"
    );
    let small = PluginLimits { functions_max: 1, ..limits() };
    assert!(refused(&memory(1), &small).starts_with("functions: the module needs 3"));
    let small = PluginLimits { module_bytes_max: 20, ..limits() };
    assert!(refused(&memory(1), &small).starts_with("module size in bytes"));
    let small = PluginLimits { code_heap_bytes_max: 100, ..limits() };
    assert!(refused(&memory(1), &small).starts_with("heap for translated code"));
    assert!(refused("(module (table 1000000 funcref))", &limits()).starts_with("table elements"));
    assert!(refused("(module)", &limits()).starts_with("no plugin dialect"));
    let imports_memory =
        r#"(module (import "env" "memory" (memory 1)) (func (export "plugin_name")) (func (export "plugin_start")))"#;
    assert!(refused(imports_memory, &limits()).contains("env.memory"));
    assert_eq!(
        guests::try_load_binary(b"\0asm\x0d\0\x01\0", "{}", &limits()).err().unwrap_or_default(),
        if cfg!(feature = "components") {
            "no plugin: a component exports signalk:plugin/plugin@1.0.0, this one nothing"
        } else {
            "WebAssembly version 0x1000d (a component?) is not supported: a core module is needed"
        }
    );
    assert_eq!(
        guests::try_load_binary(b"hello", "{}", &limits()).err().unwrap_or_default(),
        "not a WebAssembly module"
    );
}

proptest::proptest! {
    #[test]
    fn damaged_modules_are_refused_and_never_panic(at in 8_usize..300, bit in 0_u8..8, cut in 0_usize..300) {
        let whole = wat::parse_str(buffer_guest("", r#"(func (export "poll") (result i32) (i32.const 0))"#)).unwrap();
        let mut damaged = whole.clone();
        if let Some(byte) = damaged.get_mut(at) {
            *byte ^= 1 << bit;
        }
        let _ = guests::try_load_binary(&damaged, "{}", &limits()).map(|mut guest| guest.call(Call::Poll));
        let _ = guests::try_load_binary(&whole[..cut.min(whole.len())], "{}", &limits());
    }
}
