//! Puts the header that a board asks for before its firmware: `firmware_update IMAGE OUT CHIP SLOT VERSION`.
//!
//! CHIP is the chip's number in images, SLOT the bytes of the slot the update is for. What was written is read back as the
//! board reads it.

use std::fs;
use std::process::ExitCode;

use skiff_runtime::device::firmware::Header;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [image, out, chip, slot, version] = arguments.as_slice() else {
        eprintln!("firmware_update: takes IMAGE OUT CHIP SLOT VERSION");
        return ExitCode::FAILURE;
    };
    match write(image, out, chip, slot, version) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("firmware_update: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn write(image: &str, out: &str, chip: &str, slot: &str, version: &str) -> Result<(), String> {
    let chip: u16 = chip.parse().map_err(|error| format!("CHIP {chip}: {error}"))?;
    let slot: u32 = slot.parse().map_err(|error| format!("SLOT {slot}: {error}"))?;
    let bytes = fs::read(image).map_err(|error| format!("{image}: {error}"))?;
    let header = Header::of(&bytes, chip, version).ok_or("the image is longer than 4 GiB")?;
    let file = [&header.encode()[..], &bytes].concat();
    let read = Header::decode(&file).and_then(|read| read.check(chip, slot).map(|()| read));
    match read {
        Ok(read) if read == header => fs::write(out, file).map_err(|error| format!("{out}: {error}")),
        Ok(_) => Err("the header of the update is read back as another".into()),
        Err(error) => Err(format!("the update would be refused: {error}")),
    }
}
