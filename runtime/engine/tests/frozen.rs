//! A machine that was written as an image goes on from there as it would have.

#[path = "differential/both.rs"]
#[allow(dead_code, reason = "generated modules are the same; nothing is compared with the reference here")]
mod both;

use skiff_engine::{
    ExportKind, Image, Limits, Machine, Outcome, Quota, RefusalKind, Sink, SinkFull, Step, Value, Words, translate,
};

const KEY: [u8; 32] = [7; 32];
const ALARM: &[u8] = include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm");

/// Writes a machine as an image; returns both.
fn frozen(machine: Machine) -> (Machine, Image) {
    let mut freezing = machine.freeze(KEY, Limits::LINUX.image_words_max).expect("nothing is under way");
    let mut words = Words::default();
    loop {
        if let Step::Done(header) = freezing.step(&mut words).expect("an image") {
            return (freezing.into_machine(), words.finish(&header).expect("the header of this image"));
        }
    }
}

/// Calls a function with zeros; imports give zeros. Returns how it ended, results and fuel.
fn call(machine: &mut Machine, function: u32) -> (Outcome, Option<Vec<Value>>, u64) {
    let zeros = |machine: &Machine, function, results: bool| -> Vec<Value> {
        let ty = machine.image().type_of(function).unwrap();
        if results { ty.results } else { ty.params }.iter().map(Value::zero).collect()
    };
    machine.begin(function, &zeros(machine, function, false)).unwrap();
    let mut fuel = 100_000;
    loop {
        match machine.run(&mut fuel) {
            Outcome::Asks { import } => machine.answer(&zeros(machine, import, true)).unwrap(),
            Outcome::Done => return (Outcome::Done, machine.finish(), fuel),
            other => {
                machine.abandon();
                return (other, None, fuel);
            }
        }
    }
}

/// Everything that can be seen of a machine.
fn state(machine: &Machine) -> (Vec<u8>, Vec<Value>, Vec<u32>) {
    let mut memory = vec![0; machine.memory().size_bytes() as usize];
    assert!(machine.memory().read(0, &mut memory));
    let globals = (0..).map_while(|index| machine.global(index)).collect();
    (memory, globals, (0..).map_while(|table| machine.table_size(table)).collect())
}

#[test]
fn a_plugin_goes_on_from_its_start_with_less_memory() {
    let mut machine = Machine::new(translate(ALARM, [0; 32], &Limits::CHIP).unwrap(), Quota::CHIP).unwrap();
    let start = machine.start().unwrap();
    assert_eq!(call(&mut machine, start).0, Outcome::Done);
    for name in ["plugin_name", "plugin_schema", "plugin_start"] {
        let function = machine.image().function(name).unwrap();
        assert_eq!(call(&mut machine, function).0, Outcome::Done);
    }
    let started = machine.ram_bytes();
    let (mut machine, image) = frozen(machine);
    assert!(image.is_of(&KEY, &Limits::CHIP));
    println!("RAM started {started}, image {}", image.size_bytes());
    let mut thawed = Machine::new(image, Quota::CHIP).unwrap();
    assert_eq!((thawed.start(), thawed.memory().used_chunks()), (None, 0));
    println!("RAM thawed {}", thawed.ram_bytes());
    assert!(thawed.ram_bytes() + 10_000 < started, "{} after {started}", thawed.ram_bytes());
    assert_eq!(state(&machine), state(&thawed));
    for name in ["plugin_schema", "__collect", "plugin_stop"] {
        let function = machine.image().function(name).unwrap();
        assert_eq!(call(&mut machine, function), call(&mut thawed, function), "{name}");
        assert_eq!(state(&machine), state(&thawed));
    }
    assert!(thawed.memory().used_chunks() <= machine.memory().used_chunks());
}

#[test]
fn tables_segments_and_grown_memory_are_as_they_were() {
    let text = r#"(module (memory 1 3) (table $t 4 8 funcref) (elem (i32.const 0) $one $two)
        (data $kept "kept") (data $gone "gone") (elem $segment func $one)
        (global $wide (mut i64) (i64.const 5))
        (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
        (func (export "change")
            (drop (memory.grow (i32.const 1)))
            (i32.store (i32.const 100000) (i32.const -1))
            (drop (table.grow $t (ref.func $two) (i32.const 1)))
            (table.set $t (i32.const 0) (ref.null func))
            (global.set $wide (i64.const 0x123456789a))
            (data.drop $gone) (elem.drop $segment))
        (func (export "table") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))
        (func (export "kept") (memory.init $kept (i32.const 0) (i32.const 0) (i32.const 4)))
        (func (export "gone") (memory.init $gone (i32.const 0) (i32.const 0) (i32.const 4)))
        (func (export "segment") (table.init $t $segment (i32.const 0) (i32.const 0) (i32.const 1))))"#;
    let image = translate(&wat::parse_str(text).unwrap(), [0; 32], &Limits::CHIP).unwrap();
    let quota = Quota { memory_bytes_max: 200_000, ..Quota::CHIP };
    let mut machine = Machine::new(image, quota).unwrap();
    let function = |machine: &Machine, name: &str| machine.image().function(name).unwrap();
    let change = function(&machine, "change");
    assert_eq!(call(&mut machine, change).0, Outcome::Done);
    let (machine, image) = frozen(machine);
    // Again, from what was frozen.
    let (_, image) = frozen(Machine::new(image, quota).unwrap());
    let mut thawed = Machine::new(image, quota).unwrap();
    assert_eq!(state(&machine), state(&thawed));
    assert_eq!(thawed.memory().word(100_000), Some(u32::MAX));
    assert_eq!(thawed.global(0), Some(Value::I64(0x12_3456_789a)));
    let mut table = |index: i32| {
        let table = function(&thawed, "table");
        thawed.begin(table, &[Value::I32(index)]).unwrap();
        let outcome = thawed.run(&mut 100);
        let result = thawed.finish();
        thawed.abandon();
        (outcome == Outcome::Done, result)
    };
    assert_eq!(table(0), (false, None), "null");
    for index in [1, 4] {
        assert_eq!(table(index), (true, Some(vec![Value::I32(2)])));
    }
    for (name, done) in [("kept", true), ("gone", false), ("segment", false)] {
        let function = function(&thawed, name);
        assert_eq!(call(&mut thawed, function).0 == Outcome::Done, done, "{name}");
    }
}

#[test]
fn generated_modules_go_on_as_they_would_have() {
    let quota = Quota { registers: 4096, calls_max: 100, chunks: 2048, memory_bytes_max: 1 << 20, ..Quota::default() };
    let (mut modules, mut calls, mut noise) = (0, 0, 1_u64);
    for _ in 0..400 {
        let data: Vec<u8> = (0..600)
            .map(|_| {
                // xorshift64
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                noise as u8
            })
            .collect();
        let Some(wasm) = both::generated(&data) else { continue };
        let Ok(image) = translate(&wasm, [0; 32], &Limits::LINUX) else { continue };
        let Ok(mut machine) = Machine::new(image, quota) else { continue };
        let functions: Vec<u32> = machine
            .image()
            .exports()
            .filter(|export| export.kind == ExportKind::Function)
            .map(|export| export.index)
            .collect();
        modules += 1;
        for function in functions {
            call(&mut machine, function);
            let (before, image) = frozen(machine);
            machine = before;
            let mut thawed = Machine::new(image, quota).unwrap();
            assert_eq!(state(&machine), state(&thawed));
            assert_eq!(call(&mut machine, function), call(&mut thawed, function));
            assert_eq!(state(&machine), state(&thawed));
            calls += 1;
        }
    }
    assert!(modules > 100 && calls > 200, "{modules} modules, {calls} calls");
}

#[test]
fn what_is_under_way_is_not_frozen_and_room_is_asked_for() {
    let text =
        r#"(module (import "a" "b" (func $ask)) (memory 1) (data (i32.const 0) "x") (func (export "f") (call $ask)))"#;
    let image = translate(&wat::parse_str(text).unwrap(), [0; 32], &Limits::CHIP).unwrap();
    let length = image.size_bytes() as u32 / 4;
    let mut machine = Machine::new(image, Quota::CHIP).unwrap();
    let function = machine.image().function("f").unwrap();
    machine.begin(function, &[]).unwrap();
    assert_eq!(machine.run(&mut 100), Outcome::Asks { import: 0 });
    let mut machine = machine.freeze(KEY, 1 << 20).map(|_| ()).expect_err("it asks something");
    machine.answer(&[]).unwrap();
    assert_eq!(machine.run(&mut 100), Outcome::Done);
    machine.abandon();
    let ended = |machine: Machine, words_max: u32, sink: &mut dyn Sink| {
        let mut freezing = machine.freeze(KEY, words_max).unwrap();
        let ended = loop {
            match freezing.step(sink) {
                Ok(Step::More) => {}
                Ok(Step::Done(_)) => break None,
                Err(kind) => break Some(kind),
            }
        };
        (freezing.into_machine(), ended)
    };
    let (machine, kind) = ended(machine, length + 100, &mut Words::default());
    assert!(matches!(kind, Some(RefusalKind::Limit { what: "words of an image", .. })), "{kind:?}");
    /// Flash that is full.
    struct Full;
    impl Sink for Full {
        fn append(&mut self, _: &[u8]) -> Result<(), SinkFull> {
            Err(SinkFull)
        }
    }
    let (machine, kind) = ended(machine, 1 << 20, &mut Full);
    assert_eq!(kind, Some(RefusalKind::NoRoom));
    let (_, kind) = ended(machine, 1 << 20, &mut Words::default());
    assert_eq!(kind, None);
}
