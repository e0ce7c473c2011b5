//! What is not taken, and how that is said.

use skiff_engine::{Limits, RefusalKind, Sink, SinkFull, Step, Translator, translate};

fn kind(text: &str, limits: &Limits) -> Option<RefusalKind> {
    let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    translate(&wasm, [0; 32], limits).err().map(|refusal| refusal.kind)
}

#[test]
fn proposals_that_are_not_enabled_are_refused_by_name() {
    for (name, text) in [
        ("SIMD", "(module (func (drop (v128.const i64x2 0 0))))"),
        ("SIMD", "(module (func (param v128)))"),
        ("a tail call", "(module (func return_call 0))"),
        ("threads", "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))"),
        ("shared memory", "(module (memory 1 1 shared))"),
        ("64-bit memory or table", "(module (memory i64 1))"),
        ("more than one memory", "(module (memory 1) (memory 1))"),
        ("exception handling", "(module (tag))"),
        ("exception handling", "(module (func (throw 0)) (tag))"),
        ("a type of garbage collection", "(module (type (struct)))"),
        (
            "wide arithmetic",
            "(module (func (drop (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))) drop))",
        ),
        ("an imported memory", r#"(module (import "env" "memory" (memory 1)))"#),
        ("an imported table", r#"(module (import "env" "table" (table 1 funcref)))"#),
        ("an imported global", r#"(module (import "env" "global" (global i32)))"#),
    ] {
        assert_eq!(kind(text, &Limits::LINUX), Some(RefusalKind::Unsupported(name)), "{text}");
    }
}

#[test]
fn each_limit_is_kept_and_named() {
    let nested = "(block ".repeat(9) + &")".repeat(9);
    let many = |count: usize| format!("(module (func {}))", "(drop (i32.const 70000))".repeat(count));
    let base = Limits::CHIP;
    let cases = [
        ("types", Limits { types_max: 1, ..base }, "(module (type (func)) (type (func (param i32))))".into()),
        (
            "parameters and results of all types",
            Limits { type_values_max: 16, ..base },
            format!("(module {})", "(type (func (param i32)))".repeat(17)),
        ),
        ("functions", Limits { functions_max: 1, ..base }, "(module (func) (func))".into()),
        ("tables", Limits { tables_max: 1, ..base }, "(module (table 1 funcref) (table 1 funcref))".into()),
        ("elements of a table", Limits { table_elements_max: 9, ..base }, "(module (table 10 funcref))".into()),
        ("globals", Limits { globals_max: 0, ..base }, "(module (global i32 (i32.const 0)))".into()),
        ("exports", Limits { exports_max: 0, ..base }, r#"(module (func (export "a")))"#.into()),
        ("bytes of a name", Limits { name_bytes_max: 2, ..base }, r#"(module (func (export "abc")))"#.into()),
        ("segments of elements", Limits { element_segments_max: 0, ..base }, "(module (func) (elem func 0))".into()),
        ("segments of data", Limits { data_segments_max: 0, ..base }, r#"(module (data "a"))"#.into()),
        ("bytes of memory", Limits { memory_bytes_max: 65_535, ..base }, "(module (memory 1))".into()),
        ("registers of locals", Limits { local_slots_max: 3, ..base }, "(module (func (local i64 i64)))".into()),
        (
            "operands of a function",
            Limits { operands_max: 2, ..base },
            "(module (func unreachable i32.const 1 i32.const 1 i32.const 1 unreachable))".into(),
        ),
        ("blocks inside of each other", Limits { blocks_max: 8, ..base }, format!("(module (func {nested}))")),
        ("bytes of a function", Limits { body_bytes_max: 9, ..base }, many(9)),
        (
            "words of a function",
            Limits { function_words_max: 9, ..base },
            format!(
                "(module (global (mut i32) (i32.const 0)) (func {}))",
                "(global.set 0 (i32.const 70000))".repeat(9)
            ),
        ),
        (
            "words of an image",
            Limits { image_words_max: 50, ..base },
            format!(r#"(module (data "{}"))"#, "a".repeat(99)),
        ),
    ];
    for (what, limits, text) in cases {
        match kind(&text, &limits) {
            Some(RefusalKind::Limit { what: found, .. }) => assert_eq!(found, what),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn operands_that_no_window_holds_are_refused() {
    let deep = format!("(module (func {} {}))", "(i64.const 1)".repeat(129), "drop ".repeat(129));
    assert!(matches!(kind(&deep, &Limits::LINUX), Some(RefusalKind::Limit { max: 256, .. })));
    let fits = format!("(module (func {} {}))", "(i64.const 1)".repeat(128), "drop ".repeat(128));
    assert_eq!(kind(&fits, &Limits::LINUX), None);
}

#[test]
fn a_segment_that_does_not_fit_is_known_before_the_start() {
    for text in [
        r#"(module (memory 1) (data (i32.const 65535) "ab"))"#,
        "(module (func) (table 2 funcref) (elem (i32.const 1) 0 0))",
        r#"(module (memory 0) (data (i32.const -1) ""))"#,
    ] {
        assert_eq!(kind(text, &Limits::CHIP), Some(RefusalKind::SegmentOutOfBounds), "{text}");
    }
}

#[test]
fn a_sink_without_room_ends_it() {
    struct Full;
    impl Sink for Full {
        fn append(&mut self, _: &[u8]) -> Result<(), SinkFull> {
            Err(SinkFull)
        }
    }
    let wasm = wat::parse_str("(module (func))").unwrap();
    let mut translator = Translator::new(&wasm, [0; 32], &Limits::CHIP);
    let refusal = loop {
        match translator.step(&mut Full) {
            Ok(Step::More) => {}
            Ok(Step::Done(_)) => panic!("an image found room"),
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal.kind, RefusalKind::NoRoom);
    // And it stays so.
    assert_eq!(translator.step(&mut Full), Err(refusal));
}

#[test]
fn a_module_that_was_cut_is_refused_wherever_it_was_cut() {
    let wasm = include_bytes!("../../../plugins/rust/true-wind/plugin-small.wasm");
    assert!(translate(wasm, [0; 32], &Limits::CHIP).is_ok());
    for length in (0..wasm.len()).step_by(53) {
        // Cut behind a section that must be followed by another.
        let Err(refusal) = translate(&wasm[..length], [0; 32], &Limits::CHIP) else {
            panic!("taken at {length} bytes")
        };
        assert!(matches!(refusal.kind, RefusalKind::Malformed(_)), "{refusal}");
    }
}
