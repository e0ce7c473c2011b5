//! Bytes as modules and as images: whatever they are, they are refused or end within their fuel, and nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_engine::{ExportKind, Image, Limits, Machine, Outcome, Quota, Value, translate};

/// Runs each exported function for a while; imports give nothing but zeros.
fn run(image: Image) {
    let quota =
        Quota { registers: 4096, calls_max: 100, chunks: 64, memory_bytes_max: 1 << 20, ..Quota::default() };
    let Ok(mut machine) = Machine::new(image, quota) else { return };
    let exports: Vec<u32> = machine
        .image()
        .exports()
        .filter(|export| export.kind == ExportKind::Function)
        .map(|export| export.index)
        .take(16)
        .chain(machine.start())
        .collect();
    for function in exports {
        let Some(ty) = machine.image().type_of(function) else { continue };
        let arguments: Vec<Value> = ty.as_type().params.iter().map(|ty| Value::zero(*ty)).collect();
        if machine.begin(function, &arguments).is_err() {
            continue;
        }
        let mut fuel = 10_000;
        loop {
            match machine.run(&mut fuel) {
                Outcome::Asks { import } => {
                    let ty = machine.image().type_of(import);
                    let results = ty.map(|ty| ty.as_type().results.iter().map(|ty| Value::zero(*ty)).collect::<Vec<_>>());
                    if fuel == 0 || machine.answer(&results.unwrap_or_default()).is_err() {
                        break;
                    }
                    fuel = fuel.saturating_sub(1);
                }
                _ => break,
            }
        }
        machine.abandon();
        let memory = machine.memory();
        let _ = memory.pieces(0, memory.size_bytes()).map(Iterator::count);
    }
}

fuzz_target!(|data: &[u8]| {
    // The module as it is.
    if let Ok(image) = translate(data, [0; 32], &Limits::CHIP) {
        // And its image with some bytes changed behind the sums' back.
        let mut bytes = image.bytes().to_vec();
        run(image);
        for change in data.rchunks_exact(4).take(8) {
            let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize % bytes.len();
            bytes[at] ^= change[3];
        }
        skiff_engine::fuzzing::mend(&mut bytes);
        if let Ok(image) = Image::from_bytes(&bytes) {
            run(image);
        }
    }
});
