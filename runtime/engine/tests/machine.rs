//! The machine through its public API: slices, questions, activations inside of each other, memory by the chunk.

use skiff_engine::{BeginError, Fault, Image, Limits, Machine, Outcome, Quota, SetupError, Value, translate};

const FUEL: u64 = 1_000_000;

fn image(text: &str) -> Image {
    translate(&wat::parse_str(text).unwrap(), [0; 32], &Limits::CHIP).unwrap()
}

fn machine(text: &str) -> Machine {
    Machine::new(image(text), Quota { registers: 2048, chunks: 8, ..Quota::default() }).unwrap()
}

fn begin(machine: &mut Machine, name: &str, arguments: &[Value]) {
    let function = machine.image().function(name).unwrap();
    machine.begin(function, arguments).unwrap();
}

/// Calls an export that asks nothing.
fn call(machine: &mut Machine, name: &str, arguments: &[Value]) -> Result<Vec<Value>, Fault> {
    begin(machine, name, arguments);
    let mut fuel = FUEL;
    match machine.run(&mut fuel) {
        Outcome::Done => Ok(machine.finish().unwrap()),
        Outcome::Faulted(fault) => {
            assert!(machine.abandon());
            Err(fault)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_slice_ends_where_its_fuel_ends_and_the_next_one_goes_on() {
    let mut machine = machine(
        r#"(module (func (export "sum") (param i32) (result i64) (local i64)
            (loop (local.set 1 (i64.add (local.get 1) (i64.extend_i32_u (local.get 0))))
              (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 1)))"#,
    );
    begin(&mut machine, "sum", &[Value::I32(1000)]);
    let (mut slices, mut spent) = (0, 0);
    loop {
        let mut fuel = 50;
        let outcome = machine.run(&mut fuel);
        spent += 50 - fuel;
        slices += 1;
        match outcome {
            Outcome::Done => break,
            Outcome::OutOfFuel { required } => assert!(required > fuel && required < 50),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(machine.finish(), Some(vec![Value::I64(500_500)]));
    // Ten operators a round, and the last one: what is executed is what is charged.
    assert_eq!((spent, slices > 200), (10_001, true));
}

#[test]
fn what_a_branch_skips_is_not_charged() {
    let mut machine = machine(
        r#"(module (func (export "early") (param i32)
            (br_if 0 (local.get 0))
            (drop (i32.add (i32.const 1) (i32.const 2))) (drop (i32.add (i32.const 1) (i32.const 2)))))"#,
    );
    for (argument, cost) in [(1, 2), (0, 8)] {
        begin(&mut machine, "early", &[Value::I32(argument)]);
        let mut fuel = FUEL;
        assert_eq!(machine.run(&mut fuel), Outcome::Done);
        machine.finish().unwrap();
        assert_eq!(FUEL - fuel, cost);
    }
}

const ASKS: &str = r#"(module
    (import "host" "wide" (func $wide (param i32 i64 f64) (result i64)))
    (memory (export "memory") 1)
    (func (export "ask") (param i32) (result i64)
        (i64.add (call $wide (local.get 0) (i64.const -2) (f64.const 0.5)) (i64.extend_i32_u (local.get 0))))
    (func (export "place") (param i32) (result i32) (i32.add (local.get 0) (i32.const 8)))
    (export "direct" (func $wide)))"#;

#[test]
fn a_question_waits_for_its_answer() {
    let mut machine = machine(ASKS);
    let import = machine.image().imports().next().unwrap();
    assert_eq!((import.module, import.name), ("host", "wide"));
    begin(&mut machine, "ask", &[Value::I32(7)]);
    let mut fuel = FUEL;
    assert_eq!(machine.run(&mut fuel), Outcome::Asks { import: 0 });
    // Asked again, it asks the same, and takes nothing for it.
    let before = fuel;
    assert_eq!(machine.run(&mut fuel), Outcome::Asks { import: 0 });
    assert_eq!(fuel, before);
    assert_eq!(machine.arguments().collect::<Vec<_>>(), [Value::I32(7), Value::I64(-2), Value::F64(0.5)]);
    assert_eq!(machine.finish(), None);
    assert_eq!(machine.answer(&[Value::I32(1)]), Err(BeginError::Arguments));
    machine.answer(&[Value::I64(1 << 40)]).unwrap();
    assert_eq!(machine.answer(&[Value::I64(1)]), Err(BeginError::NotAsked));
    assert_eq!(machine.run(&mut fuel), Outcome::Done);
    assert_eq!(machine.finish(), Some(vec![Value::I64((1 << 40) + 7)]));
}

#[test]
fn an_import_that_the_host_calls_asks_the_host() {
    let mut machine = machine(ASKS);
    begin(&mut machine, "direct", &[Value::I32(1), Value::I64(2), Value::F64(3.0)]);
    let mut fuel = FUEL;
    assert_eq!(machine.run(&mut fuel), Outcome::Asks { import: 0 });
    machine.answer(&[Value::I64(9)]).unwrap();
    assert_eq!(machine.run(&mut fuel), Outcome::Done);
    assert_eq!(machine.finish(), Some(vec![Value::I64(9)]));
}

#[test]
fn another_call_runs_while_one_waits() {
    let mut machine = machine(ASKS);
    begin(&mut machine, "ask", &[Value::I32(7)]);
    let place = machine.image().function("place").unwrap();
    // What has not asked cannot be put aside.
    assert_eq!(machine.begin(place, &[Value::I32(1)]), Err(BeginError::Busy));
    let mut fuel = FUEL;
    assert_eq!(machine.run(&mut fuel), Outcome::Asks { import: 0 });
    for round in 0..3 {
        assert_eq!(call(&mut machine, "place", &[Value::I32(round)]), Ok(vec![Value::I32(round + 8)]));
    }
    // It still has its arguments, and everything below them.
    assert_eq!(machine.arguments().collect::<Vec<_>>(), [Value::I32(7), Value::I64(-2), Value::F64(0.5)]);
    // One that asks in its turn, up to the limit.
    begin(&mut machine, "ask", &[Value::I32(5)]);
    assert_eq!(machine.run(&mut fuel), Outcome::Asks { import: 0 });
    assert_eq!(machine.activations(), 2);
    machine.answer(&[Value::I64(100)]).unwrap();
    assert_eq!(machine.run(&mut fuel), Outcome::Done);
    assert_eq!(machine.finish(), Some(vec![Value::I64(105)]));
    machine.answer(&[Value::I64(1000)]).unwrap();
    assert_eq!(machine.run(&mut fuel), Outcome::Done);
    assert_eq!(machine.finish(), Some(vec![Value::I64(1007)]));
}

#[test]
fn no_more_activations_than_allowed() {
    let quota = Quota { activations_max: 2, ..Quota::default() };
    let mut machine = Machine::new(image(ASKS), quota).unwrap();
    let mut fuel = FUEL;
    for _ in 0..2 {
        begin(&mut machine, "ask", &[Value::I32(1)]);
        assert_eq!(machine.run(&mut fuel), Outcome::Asks { import: 0 });
    }
    let ask = machine.image().function("ask").unwrap();
    assert_eq!(machine.begin(ask, &[Value::I32(1)]), Err(BeginError::Busy));
    assert!(machine.abandon() && machine.abandon() && !machine.abandon());
}

#[test]
fn calls_of_the_wrong_kind_do_not_begin() {
    let mut machine = machine(ASKS);
    let ask = machine.image().function("ask").unwrap();
    assert_eq!(machine.begin(ask, &[]), Err(BeginError::Arguments));
    assert_eq!(machine.begin(ask, &[Value::I64(1)]), Err(BeginError::Arguments));
    assert_eq!(machine.begin(99, &[]), Err(BeginError::NoFunction));
    assert_eq!(machine.image().function("memory"), None);
    assert_eq!(machine.run(&mut 5), Outcome::Faulted(Fault::NothingBegun));
}

#[test]
fn calls_inside_of_each_other_end_where_there_is_no_room() {
    let text = r#"(module (func $f (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0))))
        (func (export "one") (result i32) (i32.const 1)))"#;
    for quota in [Quota { registers: 512, ..Quota::default() }, Quota { calls_max: 10, ..Quota::default() }] {
        let mut machine = Machine::new(image(text), quota).unwrap();
        assert_eq!(call(&mut machine, "f", &[Value::I32(1)]), Err(Fault::StackOverflow));
        // The machine itself is as it was.
        assert_eq!(call(&mut machine, "one", &[]), Ok(vec![Value::I32(1)]));
    }
}

const MEMORY: &str = r#"(module (memory (export "memory") 1 2) (data (i32.const 1020) "abcdefgh") (data $later "0123456789")
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32 i32) (memory.init $later (local.get 0) (local.get 1) (local.get 2)))
    (func (export "drop") (data.drop $later))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;

fn numbers<const N: usize>(values: [i32; N]) -> [Value; N] {
    values.map(Value::I32)
}

#[test]
fn what_is_not_written_takes_no_memory() {
    let mut machine = machine(MEMORY);
    // Across the border of two chunks, out of the image.
    assert_eq!(call(&mut machine, "load", &numbers([1022])), Ok(vec![Value::I32(i32::from_le_bytes(*b"cdef"))]));
    call(&mut machine, "fill", &numbers([8192, 0, 20_000])).unwrap();
    call(&mut machine, "copy", &numbers([40_000, 50_000, 5000])).unwrap();
    assert_eq!(machine.memory().used_chunks(), 0);
    call(&mut machine, "store", &numbers([1022, -1])).unwrap();
    assert_eq!(machine.memory().used_chunks(), 2);
    let mut bytes = [0; 8];
    assert!(machine.memory().read(1020, &mut bytes));
    assert_eq!(&bytes, b"ab\xff\xff\xff\xffgh");
}

#[test]
fn a_store_that_finds_no_chunk_ends_the_call_and_nothing_else() {
    let mut machine = machine(MEMORY);
    for chunk in 0..8 {
        call(&mut machine, "store", &numbers([chunk * 1024, 1])).unwrap();
    }
    assert_eq!(call(&mut machine, "store", &numbers([9 * 1024, 1])), Err(Fault::Memory));
    assert_eq!(call(&mut machine, "load", &numbers([7 * 1024])), Ok(vec![Value::I32(1)]));
    assert_eq!(machine.write_memory(20_000, b"x"), Err(Fault::Memory));
    machine.allow_memory(9, 64 << 10);
    call(&mut machine, "store", &numbers([9 * 1024, 1])).unwrap();
}

#[test]
fn bulk_operations_go_from_chunk_to_chunk() {
    let mut machine = machine(MEMORY);
    let text: Vec<u8> = (0..3000_u32).map(|number| (number % 251) as u8).collect();
    machine.write_memory(500, &text).unwrap();
    let read = |machine: &Machine, at: u32| {
        let mut bytes = vec![0; 3000];
        assert!(machine.memory().read(at, &mut bytes));
        bytes
    };
    // Onto itself, up and down.
    for (to, from) in [(700, 500), (333, 700)] {
        call(&mut machine, "copy", &numbers([to, from, 3000])).unwrap();
        assert!(read(&machine, to as u32) == text, "copied to {to}");
    }
    call(&mut machine, "fill", &numbers([1000, 7, 1500])).unwrap();
    assert!(read(&machine, 1000)[..1500].iter().all(|byte| *byte == 7));
    call(&mut machine, "init", &numbers([1020, 2, 8])).unwrap();
    assert_eq!(&read(&machine, 1020)[..8], b"23456789");
    assert_eq!(call(&mut machine, "init", &numbers([0, 2, 9])), Err(Fault::MemoryOutOfBounds));
    call(&mut machine, "drop", &[]).unwrap();
    assert_eq!(call(&mut machine, "init", &numbers([0, 0, 1])), Err(Fault::MemoryOutOfBounds));
    call(&mut machine, "init", &numbers([0, 0, 0])).unwrap();
    for arguments in [[65_000, 0, 1000], [0, 65_000, 1000], [-1, 0, 1]] {
        assert_eq!(call(&mut machine, "copy", &numbers(arguments)), Err(Fault::MemoryOutOfBounds));
    }
}

#[test]
fn memory_grows_to_the_lesser_of_two_limits() {
    let mut machine = machine(MEMORY);
    machine.allow_memory(8, 64 << 10);
    assert_eq!(call(&mut machine, "grow", &numbers([1])), Ok(vec![Value::I32(-1)]));
    machine.allow_memory(8, 256 << 10);
    assert_eq!(call(&mut machine, "grow", &numbers([1])), Ok(vec![Value::I32(1)]));
    assert_eq!(call(&mut machine, "grow", &numbers([1])), Ok(vec![Value::I32(-1)]));
    assert_eq!((machine.memory().size_bytes(), machine.memory().used_chunks()), (128 << 10, 0));
}

#[test]
fn the_host_reaches_ranges_and_no_byte_more() {
    let mut machine = machine(MEMORY);
    let memory = machine.memory();
    assert!(
        memory.holds(65_535, 1) && memory.holds(65_536, 0) && !memory.holds(65_535, 2) && !memory.holds(u32::MAX, 2)
    );
    assert!(memory.pieces(65_535, 2).is_none());
    let pieces: Vec<&[u8]> = memory.pieces(1020, 8).unwrap().collect();
    assert_eq!(pieces, [b"abcd", b"efgh"]);
    assert_eq!((memory.word(1022), memory.word(65_533)), (Some(u32::from_le_bytes(*b"cdef")), None));
    assert_eq!(machine.write_memory(65_535, b"xy"), Err(Fault::MemoryOutOfBounds));
    machine.take_memory(2000, 100).unwrap();
    assert_eq!(machine.memory().used_chunks(), 2);
}

#[test]
fn a_quota_that_is_too_small_is_said_at_the_start() {
    let quota = Quota { memory_bytes_max: 1024, ..Quota::default() };
    assert_eq!(Machine::new(image(MEMORY), quota).err(), Some(SetupError::Quota));
    let table = "(module (table 100 funcref))";
    let quota = Quota { table_elements_max: 99, ..Quota::default() };
    assert_eq!(Machine::new(image(table), quota).err(), Some(SetupError::Quota));
}

#[test]
fn globals_are_seen_and_set_by_the_host() {
    let mut machine = machine(
        r#"(module (global (export "fixed") i64 (i64.const -3)) (global $g (export "open") (mut f64) (f64.const 1))
            (func (export "get") (result f64) (global.get $g)))"#,
    );
    assert_eq!((machine.global(0), machine.global(2)), (Some(Value::I64(-3)), None));
    assert!(!machine.set_global(0, Value::I64(1)) && !machine.set_global(1, Value::I32(1)));
    assert!(machine.set_global(1, Value::F64(2.5)));
    assert_eq!(call(&mut machine, "get", &[]), Ok(vec![Value::F64(2.5)]));
}

#[test]
fn more_locals_than_a_window_has_are_reached_all() {
    let locals = "(local i64 ".to_string() + &"i64 ".repeat(299) + ")";
    let text = format!(
        r#"(module (func (export "far") (param i32 i64) (result i64 i32) {locals}
            (local.set 301 (i64.add (local.get 1) (i64.const 5)))
            (local.set 150 (local.get 301))
            (local.set 0 (i32.add (local.tee 0 (i32.const 4)) (local.get 0)))
            (i64.add (local.get 301) (local.get 150)) (local.get 0)))"#
    );
    let mut machine = Machine::new(image(&text), Quota::default()).unwrap();
    let results = call(&mut machine, "far", &[Value::I32(1), Value::I64(10)]);
    assert_eq!(results, Ok(vec![Value::I64(30), Value::I32(8)]));
}
