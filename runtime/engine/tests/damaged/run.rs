//! Runs whatever an image exports, for a while.

use skiff_engine::{ExportKind, Image, Machine, Outcome, Quota, Value};

/// Fuel of one call.
const FUEL: u64 = 10_000;

fn zeros(machine: &Machine, function: u32, results: bool) -> Vec<Value> {
    let Some(ty) = machine.image().type_of(function) else { return Vec::new() };
    let types = if results { ty.results } else { ty.params };
    types.iter().map(Value::zero).collect()
}

/// Calls exported functions; imports give zeros.
pub fn run(image: Image) {
    let quota = Quota { registers: 4096, calls_max: 100, chunks: 64, memory_bytes_max: 1 << 20, ..Quota::default() };
    let Ok(mut machine) = Machine::new(image, quota) else { return };
    let functions: Vec<u32> = machine
        .image()
        .exports()
        .filter(|export| export.kind == ExportKind::Function)
        .map(|export| export.index)
        .take(16)
        .chain(machine.start())
        .collect();
    for function in functions {
        let arguments = zeros(&machine, function, false);
        if machine.begin(function, &arguments).is_err() {
            continue;
        }
        let mut fuel = FUEL;
        while let Outcome::Asks { import } = machine.run(&mut fuel) {
            let results = zeros(&machine, import, true);
            if fuel == 0 || machine.answer(&results).is_err() {
                break;
            }
            fuel -= 1;
        }
        machine.abandon();
        let memory = machine.memory();
        let _ = memory.pieces(0, memory.size_bytes()).map(Iterator::count);
        assert!(memory.used_chunks() <= quota.chunks);
    }
}
