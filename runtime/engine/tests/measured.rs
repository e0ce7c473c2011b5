//! What the project's plugins take: the image, the heap of translating, the RAM of running.

#[path = "../../tests/counting/mod.rs"]
mod counting;

use counting::Counting;
use skiff_engine::{
    Limits, Machine, Outcome, Quota, Sink, SinkFull, Step, Translator, Value, translate, translation_heap_bytes,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ALARM: &[u8] = include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm");
const ALARM_SMALL: &[u8] = include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/plugin-small.wasm");
const WIND: &[u8] = include_bytes!("../../../plugins/rust/true-wind/plugin.wasm");
const WIND_SMALL: &[u8] = include_bytes!("../../../plugins/rust/true-wind/plugin-small.wasm");

/// Flash: takes bytes and holds none of them.
struct Flash(usize);

impl Sink for Flash {
    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkFull> {
        self.0 += bytes.len();
        Ok(())
    }
}

fn zeros(machine: &Machine, function: u32, results: bool) -> Vec<Value> {
    let ty = machine.image().type_of(function).unwrap();
    let types = if results { ty.results } else { ty.params };
    types.iter().map(Value::zero).collect()
}

/// Calls an export with zeros; imports give zeros. Returns fuel.
fn call(machine: &mut Machine, name: &str) -> u64 {
    let function = machine.image().function(name).unwrap_or_else(|| panic!("no {name}"));
    machine.begin(function, &zeros(machine, function, false)).unwrap();
    let mut fuel = 10_000_000;
    loop {
        match machine.run(&mut fuel) {
            Outcome::Done => break,
            Outcome::Asks { import } => machine.answer(&zeros(machine, import, true)).unwrap(),
            other => panic!("{name}: {other:?}"),
        }
    }
    machine.finish().unwrap();
    10_000_000 - fuel
}

/// Returns bytes of the image, and of the heap while it was made.
fn translated(wasm: &[u8]) -> (usize, i64) {
    let before = counting::start_peak();
    let mut flash = Flash(0);
    let mut translator = Translator::new(wasm, [0; 32], &Limits::CHIP);
    while translator.step(&mut flash).unwrap() == Step::More {}
    drop(translator);
    (flash.0, counting::peak() - before)
}

/// Returns the RAM of a machine that was set up, and after its plugin said its name.
fn started(wasm: &[u8]) -> (usize, usize, u32) {
    let image = translate(wasm, [0; 32], &Limits::CHIP).unwrap();
    let mut machine = Machine::new(image, Quota::CHIP).unwrap();
    let before = machine.ram_bytes();
    if machine.start().is_some() {
        let start = machine.start().unwrap();
        machine.begin(start, &[]).unwrap();
        let mut fuel = 10_000_000;
        assert_eq!(machine.run(&mut fuel), Outcome::Done);
        machine.finish().unwrap();
    }
    for name in ["plugin_name", "plugin_schema", "plugin_start"] {
        call(&mut machine, name);
    }
    (before, machine.ram_bytes(), machine.memory().used_chunks())
}

#[test]
fn plugins_fit_a_chip() {
    for (name, wasm, image_max, heap_max, ram_max) in [
        ("alarm", ALARM, 36 << 10, 14 << 10, 20 << 10),
        ("alarm, small", ALARM_SMALL, 22 << 10, 14 << 10, 16 << 10),
        ("true wind", WIND, 32 << 10, 14 << 10, 10 << 10),
        ("true wind, small", WIND_SMALL, 20 << 10, 14 << 10, 10 << 10),
    ] {
        let (image, heap) = translated(wasm);
        let (before, after, chunks) = started(wasm);
        println!(
            "{name}: module {}, image {image}, heap of translating {heap}, RAM {before}, then {after} with {chunks} chunks",
            wasm.len()
        );
        assert!(image <= image_max, "{name}: image of {image} bytes");
        assert!(heap <= heap_max, "{name}: {heap} bytes of heap to translate it");
        assert!(after <= ram_max, "{name}: {after} bytes of RAM");
    }
}

#[test]
fn the_heap_of_translating_is_told_before() {
    for (name, wasm) in [("alarm", ALARM), ("alarm, small", ALARM_SMALL), ("wind", WIND), ("wind, small", WIND_SMALL)] {
        let told = translation_heap_bytes(wasm, &Limits::CHIP) as i64;
        let (_, heap) = translated(wasm);
        println!("{name}: told {told}, taken {heap}");
        assert!(told >= heap, "{name}: {heap} bytes taken, {told} told");
        assert!(told <= 24 << 10, "{name}: {told} bytes told");
    }
}

#[test]
fn no_step_is_long() {
    /// Counts what is written.
    struct Pages(usize);
    impl Sink for Pages {
        fn append(&mut self, bytes: &[u8]) -> Result<(), SinkFull> {
            self.0 += bytes.len();
            Ok(())
        }
    }
    // One function as large as a chip takes, beside much data.
    let body = "(i32.store (i32.const 4) (i32.mul (i32.load (i32.const 4)) (i32.const 100000)))".repeat(1000);
    let data = "x".repeat(60_000);
    let text = format!(r#"(module (memory 1) (data (i32.const 64) "{data}") (data "{data}") (func {body}))"#);
    let wasm = wat::parse_str(text).unwrap();
    let mut translator = Translator::new(&wasm, [0; 32], &Limits::CHIP);
    let (mut steps, mut most, mut pages) = (0, 0, Pages(0));
    loop {
        let before = pages.0;
        let step = translator.step(&mut pages).unwrap();
        most = most.max(pages.0 - before);
        steps += 1;
        if step != Step::More {
            break;
        }
    }
    assert!(steps > 300, "{steps}");
    assert!(most <= 1024, "{most} bytes in one step");
}
