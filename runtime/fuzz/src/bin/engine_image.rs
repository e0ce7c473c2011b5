//! Bytes as modules, and their images with bytes changed: refused, or ended within their fuel, and nothing panics.

#![no_main]

#[path = "../../../engine/tests/damaged/mend.rs"]
mod mend;
#[path = "../../../engine/tests/damaged/run.rs"]
mod run;

use libfuzzer_sys::fuzz_target;
use skiff_engine::{Image, Limits, translate};

fuzz_target!(|data: &[u8]| {
    let Ok(image) = translate(data, [0; 32], &Limits::CHIP) else { return };
    let mut bytes = image.bytes().to_vec();
    run::run(image);
    for change in data.rchunks_exact(4).take(8) {
        let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize % bytes.len();
        bytes[at] ^= change[3];
    }
    mend::mend(&mut bytes);
    if let Ok(image) = Image::from_bytes(&bytes) {
        run::run(image);
    }
});
