//! Images that are not as they were written: refused, or a fault, and never more than that.

mod mend;
mod run;

use skiff_engine::{Fault, Image, ImageError, Limits, Machine, Outcome, Quota, translate};

use self::mend::{HEADER_BYTES, mend};

const PLUGIN: &[u8] = include_bytes!("../../../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm");

fn image() -> Vec<u8> {
    translate(PLUGIN, [7; 32], &Limits::CHIP).unwrap().bytes().to_vec()
}

#[test]
fn an_image_is_taken_as_it_was_written() {
    let image = Image::from_bytes(&image()).unwrap();
    assert!(image.is_of(&[7; 32], &Limits::CHIP));
    assert!(!image.is_of(&[8; 32], &Limits::CHIP) && !image.is_of(&[7; 32], &Limits::LINUX));
}

#[test]
fn what_lies_behind_an_image_does_not_matter() {
    let mut bytes = image();
    let size = bytes.len();
    bytes.extend([0xff; 64]);
    assert_eq!(Image::from_bytes(&bytes).unwrap().size_bytes(), size);
}

#[test]
fn a_changed_byte_is_seen_wherever_it_is() {
    let whole = image();
    for at in (0..whole.len()).step_by(97).chain(0..HEADER_BYTES) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        assert!(Image::from_bytes(&bytes).is_err(), "byte {at}");
    }
}

#[test]
fn an_image_that_was_cut_is_refused() {
    let whole = image();
    for length in [0, 4, HEADER_BYTES - 4, HEADER_BYTES, whole.len() / 8 * 4, whole.len() - 4] {
        assert!(Image::from_bytes(&whole[..length]).is_err(), "{length} bytes");
    }
    assert_eq!(Image::from_bytes(&whole[..whole.len() - 1]).err(), Some(ImageError::Misaligned));
}

#[test]
fn an_image_without_its_header_is_none() {
    // As flash is where a power cut came before the header.
    let mut bytes = image();
    bytes[..HEADER_BYTES].fill(0xff);
    assert_eq!(Image::from_bytes(&bytes).err(), Some(ImageError::NoHeader));
}

#[test]
fn a_loop_that_takes_no_fuel_ends_too() {
    let wasm = wat::parse_str(r#"(module (func (export "f") (loop (br 0))))"#).unwrap();
    let mut bytes = translate(&wasm, [0; 32], &Limits::CHIP).unwrap().bytes().to_vec();
    // The word that takes the fuel of each round: one, in the upper 24 bits.
    let charge = bytes.chunks_exact(4).position(|word| word == [1, 1, 0, 0]).unwrap();
    bytes[charge * 4 + 1] = 0;
    mend(&mut bytes);
    let mut machine = Machine::new(Image::from_bytes(&bytes).unwrap(), Quota::default()).unwrap();
    machine.begin(machine.image().function("f").unwrap(), &[]).unwrap();
    assert_eq!(machine.run(&mut 1_000_000), Outcome::Faulted(Fault::Damaged));
}

#[test]
fn a_machine_believes_nothing_that_an_image_says() {
    let whole = image();
    // Bytes that look like chance, the same each time.
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance as usize
    };
    for round in 0..400 {
        let mut bytes = whole.clone();
        for _ in 0..=round % 12 {
            // Rounds change the header, the code, or the lists at the end.
            let range = match round % 3 {
                0 => 48..HEADER_BYTES,
                1 => HEADER_BYTES..bytes.len(),
                _ => bytes.len() - 4096..bytes.len(),
            };
            let at = range.start + next() % range.len();
            bytes[at] = next() as u8;
        }
        if round % 3 == 0 {
            mend::mend_header(&mut bytes);
        } else {
            mend(&mut bytes);
        }
        if let Ok(image) = Image::from_bytes(&bytes) {
            run::run(image);
        }
    }
}
