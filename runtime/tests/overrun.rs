//! How far a call runs past its fuel: work is paid by its length, and what is left over has a named bound.

mod guests;

use guests::{limits, load, try_load};
use skiff_runtime::host::{Call, Failure};

/// A guest of the buffer dialect whose `poll` repeats `body` for ever.
fn repeating(imports: &str, body: &str) -> String {
    format!(
        r#"(module {imports}
            (memory (export "memory") 4)
            (table $t 1000 1000 funcref)
            (elem $e func)
            (data $d "some bytes")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 65536))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            (func (export "poll") (result i32) (loop $again {body} (br $again)) (i32.const 0)))"#
    )
}

/// Runs the poll to its end; returns the fuel it spent and the slices it took.
fn exhausted(imports: &str, body: &str) -> (u64, u32, usize) {
    let mut guest = load(&repeating(imports, body));
    guest.start().unwrap();
    guest.record.events.clear();
    let (result, slices) = guest.call_in_slices(Call::Poll);
    let limit = limits().fuel_per_call;
    assert_eq!(result, Err(Failure::OutOfFuel { limit }), "{body}");
    let spent = guest.instance.usage().fuel_in_call;
    assert!(spent <= limit + limits().fuel_overrun_max(0), "{body}: {spent} fuel");
    (spent, slices, guest.record.events.len())
}

/// Returns the fuel of one poll that comes to its end.
fn of_one(imports: &str, body: &str) -> u64 {
    let mut guest = load(&repeating(imports, body));
    guest.start().unwrap();
    guest.call(Call::Poll).unwrap();
    guest.instance.usage().fuel_in_call
}

#[test]
fn instructions_and_bulk_operations_never_run_past_the_limit() {
    for body in [
        "",
        "(memory.fill (i32.const 0) (i32.const 7) (i32.const 262144))",
        "(memory.copy (i32.const 0) (i32.const 131072) (i32.const 131072))",
        "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 10))",
        "(table.fill $t (i32.const 0) (ref.null func) (i32.const 1000))",
        "(table.copy $t $t (i32.const 0) (i32.const 500) (i32.const 500))",
        "(drop (memory.grow (i32.const 1)))",
        "(drop (table.grow $t (ref.null func) (i32.const 1)))",
    ] {
        let (spent, ..) = exhausted("", body);
        assert!(spent <= limits().fuel_per_call, "{body}: {spent}");
    }
}

#[test]
fn bulk_operations_cost_by_their_length() {
    let fill = |bytes: u32| {
        let body = format!("(memory.fill (i32.const 0) (i32.const 7) (i32.const {bytes})) (return (i32.const 0))");
        let mut guest = load(&repeating("", &body));
        guest.start().unwrap();
        guest.call(Call::Poll).unwrap();
        guest.instance.usage().fuel_in_call
    };
    let (short, long) = (fill(1024), fill(262_144));
    assert!(long > short * 50, "{short} and {long}");
}

#[test]
fn imports_cost_by_their_length_and_end_within_the_named_overrun() {
    let text = "(import \"env\" \"sk_debug\" (func $debug (param i32 i32)))";
    let (_, _, of_long) = exhausted(text, "(call $debug (i32.const 0) (i32.const 4096))");
    let (_, _, of_short) = exhausted(text, "(call $debug (i32.const 0) (i32.const 8))");
    // A line of 4,096 bytes costs 51,200 fuel: 5,000,000 fuel buy 97 of them, and one more that is paid afterwards.
    assert!((90..=98).contains(&of_long), "{of_long} calls");
    assert!(of_short > of_long * 100, "{of_short} and {of_long}");
    let two = "(import \"env\" \"sk_publish_notification\" (func $publish (param i32 i32 i32 i32) (result i32)))";
    let once =
        "(drop (call $publish (i32.const 0) (i32.const 1024) (i32.const 0) (i32.const 8192))) (return (i32.const 0))";
    let spent = of_one(two, once);
    // The path is not parsed, the value is.
    assert!((103_248..104_000).contains(&spent), "{spent} fuel");
}

#[test]
fn an_import_that_does_next_to_nothing_is_paid_too() {
    let random = "(import \"env\" \"seed\" (func $f (result f64)))";
    let asked = of_one(random, "(drop (call $f)) (return (i32.const 0))");
    assert!((336..380).contains(&asked), "{asked} fuel: the guest is suspended for it");
    let now = "(import \"Date\" \"now\" (func $f (result f64)))";
    let answered = of_one(now, "(drop (call $f)) (return (i32.const 0))");
    assert!((64..100).contains(&answered), "{answered} fuel: the host answers by itself");
}

#[test]
fn ranges_that_overlap_are_paid_as_one_memory() {
    let import = "(import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))";
    // 1,024 vectors, each the whole memory.
    let body = "(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1024) (i32.const 16384)))";
    let (_, _, lines) = exhausted(import, body);
    assert!(lines <= 154, "{lines} lines");
}

#[test]
fn work_that_is_not_seen_in_the_arguments_is_paid_too() {
    let random = "(import \"wasi_snapshot_preview1\" \"random_get\" (func $f (param i32 i32) (result i32)))";
    let (_, slices, _) = exhausted(random, "(drop (call $f (i32.const 0) (i32.const 262144)))");
    assert!(slices <= 200, "{slices} slices of one call each");
    let save = "(import \"env\" \"sk_save_config\" (func $f (param i32 i32) (result i32)))";
    let (_, _, saves) = exhausted(save, "(drop (call $f (i32.const 0) (i32.const 2)))");
    // 65,900 fuel each.
    assert!((50..=78).contains(&saves), "{saves} times saved");
    let read = "(import \"env\" \"sk_read_config\" (func $f (param i32 i32) (result i32)))";
    let (spent, ..) = exhausted(read, "(drop (call $f (i32.const 0) (i32.const 0)))");
    assert!(spent >= limits().fuel_per_call);
}

#[test]
fn a_node_costs_its_length_also_where_it_does_not_fit() {
    let import = "(import \"env\" \"sk_get_self_path\" (func $f (param i32 i32 i32 i32) (result i32)))";
    let body = "(drop (call $f (i32.const 16) (i32.const 1) (i32.const 64) (i32.const 8))) (return (i32.const 0))";
    let spent = |node: usize| {
        let mut guest = load(&repeating(&format!("{import} (data (i32.const 16) \"a\")"), body));
        guest.record.nodes = vec![("a".into(), format!("{{\"value\":\"{}\"}}", "x".repeat(node)))];
        guest.start().unwrap();
        guest.call(Call::Poll).unwrap();
        guest.instance.usage().fuel_in_call
    };
    assert!(spent(80_000) >= spent(8) + 9_000, "{} and {}", spent(80_000), spent(8));
}

#[test]
fn what_the_system_opens_costs_more_than_a_number() {
    let import = "(import \"env\" \"sk_udp_create\" (func $f (param i32) (result i32)))";
    let text = repeating(import, "(drop (call $f (i32.const 0)))");
    let mut guest = try_load(&text, r#"{"rawSockets":true}"#, &limits()).unwrap();
    guest.start().unwrap();
    guest.record.events.clear();
    assert!(guest.call(Call::Poll).is_err());
    // Each refusal is a line of the log: 5,000,000 fuel at 2,390 each.
    assert!((2_000..=2_441).contains(&guest.record.events.len()), "{} sockets", guest.record.events.len());
}
