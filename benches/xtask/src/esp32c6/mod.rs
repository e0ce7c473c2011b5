//! Builds the firmware of the ESP32-C6 to an image that can be flashed, and holds it against its slots.

mod emulate;
mod esptool;
pub mod flasher;
mod partitions;
mod shipped;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use esptool::Esptool;
use partitions::{Partition, Table};
use shipped::Shipped;

use crate::toolchain::{CHIP, Toolchain};
use crate::{built, process, size, wasmi_edits};

/// Version of the crate whose package carries the boot loader that Espressif builds (Apache-2.0).
const BOOT_LOADER_CRATE: &str = "espflash";
/// Its version.
const BOOT_LOADER_VERSION: &str = "4";
/// Where the boot loader and the partition table lie in flash (ESP-IDF, ESP32-C6).
const BOOT_LOADER_AT: u32 = 0;
const TABLE_AT: u32 = 0x8000;
/// The chip's number in images (ESP-IDF, `esp_chip_id_t`).
const ESP32_C6: u16 = 13;
/// Bytes of flash.
const FLASH_BYTES: u32 = 4 * 1024 * 1024;
/// Bytes of a slot that stay free for versions to come.
const SLOT_FREE_BYTES: u64 = 300 * 1024;
/// Bytes of RAM that the linker script gives out: 512 KiB without what the boot loader and the ROM keep.
const RAM_BYTES: u64 = 0x6_e610;

/// Runs `xtask esp32c6 [--emulate]`.
///
/// # Errors
/// What cannot be installed or built, that the image does not fit, and what it does wrong in an emulated chip.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let is_emulated = match arguments {
        [] => false,
        [flag] if flag == "--emulate" => true,
        _ => return Err("takes --emulate, or nothing".into()),
    };
    let folder = process::top().join("hal-esp32/esp32c6");
    let out = process::target().join("esp32c6");
    fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let csv = folder.join("partitions.csv");
    let csv = fs::read_to_string(&csv).map_err(|error| format!("{}: {error}", csv.display()))?;
    let table = Table::parse(&csv)?;
    table.check(FLASH_BYTES)?;

    let elf = build(
        &folder,
        &out,
        if is_emulated { &["--no-default-features", "--features", "engine-chip,told"] } else { &[] },
    )?;
    let image = out.join("skiff-esp32c6.bin");
    let esptool = Esptool::prepare(&out)?;
    let slot_at = table.slots().next().map(|slot| slot.at).ok_or("there is no slot for the firmware")?;
    let parts =
        [(BOOT_LOADER_AT, "bootloader.bin", boot_loader(&out)?), (TABLE_AT, "partition-table.bin", table.bytes())];
    for (_, name, bytes) in &parts {
        fs::write(out.join(name), bytes).map_err(|error| format!("{name}: {error}"))?;
    }
    let [boot_loader, table_file] = parts.each_ref().map(|(at, name, _)| (*at, out.join(name)));
    let before = [(boot_loader.0, &*boot_loader.1), (table_file.0, &*table_file.1)];
    if is_emulated {
        let out = out.join("emulated");
        let program = emulate::keep(&elf, &out)?;
        return emulate::run(&emulate::Parts { program: &program, before, slot_at, out: &out }, &esptool);
    }
    esptool.convert(&elf, &image)?;
    let app = length(&image)?;
    let whole = out.join(shipped::WHOLE);
    let parts = [before[0], before[1], (slot_at, &*image)];
    esptool.merge(&parts, &whole)?;

    let slots: Vec<&Partition> = table.slots().collect();
    let slot = slots.iter().map(|slot| slot.bytes).min().unwrap_or(0);
    print_table(&elf, app, u64::from(slot))?;
    let update = out.join("skiff-esp32c6-update.bin");
    write_update(&image, &update, slot)?;
    let shipped = Shipped::of(&out, &whole, &update, &parts)?;
    print!("{}", shipped.lines(&process::top()));
    if slots.len() < 2 {
        return Err("there are not two slots for the firmware".into());
    }
    let free = u64::from(slot).saturating_sub(app);
    if free < SLOT_FREE_BYTES {
        return Err(format!("the image has {app} bytes, a slot {slot}; {SLOT_FREE_BYTES} are to stay free"));
    }
    println!("it fits each of {} slots, {free} bytes stay free; it has never run on a chip", slots.len());
    Ok(())
}

fn length(file: &Path) -> Result<u64, String> {
    fs::metadata(file).map(|data| data.len()).map_err(|error| format!("{}: {error}", file.display()))
}

/// Puts the header before the image that the board asks for; the runtime writes it and reads it back.
fn write_update(image: &Path, update: &Path, slot: u32) -> Result<(), String> {
    let mut header = Command::new(built::example("firmware_update")?);
    header.arg(image).arg(update).args([ESP32_C6.to_string(), slot.to_string(), env!("CARGO_PKG_VERSION").to_string()]);
    process::output(&mut header).map(drop)
}

fn build(folder: &Path, out: &Path, features: &[&str]) -> Result<PathBuf, String> {
    wasmi_edits::ensure()?;
    let toolchain = Toolchain::ensure(CHIP)?;
    let target = out.join("build");
    let mut cargo = toolchain.cargo(folder);
    cargo.args(["build", "--release", "--locked", "--target", CHIP]).args(features).arg("--target-dir").arg(&target);
    process::run(&mut cargo)?;
    Ok(target.join(CHIP).join("release/skiff-esp32c6"))
}

/// Fetches the crate that carries the boot loader; nothing of it is compiled.
fn boot_loader(out: &Path) -> Result<Vec<u8>, String> {
    let folder = out.join("boot-loader");
    let manifest = format!(
        "[package]\nname = \"boot-loader\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n\
         [workspace]\n[dependencies]\n{BOOT_LOADER_CRATE} = {{ version = \"{BOOT_LOADER_VERSION}\", default-features = false }}\n"
    );
    process::write(&folder.join("Cargo.toml"), &manifest)?;
    process::write(&folder.join("lib.rs"), "")?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&folder).args(["metadata", "--format-version", "1", "--quiet"]);
    let metadata: serde_json::Value =
        serde_json::from_str(&process::output(&mut cargo)?).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let found = packages.iter().find(|package| package["name"] == BOOT_LOADER_CRATE);
    let manifest = found.and_then(|package| package["manifest_path"].as_str()).ok_or("cargo did not fetch espflash")?;
    let path = Path::new(manifest).with_file_name("resources").join("bootloaders/esp32c6-bootloader.bin");
    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Prints what the image takes of flash and RAM.
fn print_table(elf: &Path, image: u64, slot: u64) -> Result<(), String> {
    let sections = size::sections_of(elf)?;
    let sum = |names: &[&str]| -> u64 {
        sections.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, bytes)| bytes).sum()
    };
    let code = sum(&[".trap", ".rwtext", ".rwtext.wifi"]);
    let data = sum(&[".data", ".data.wifi", ".bss", ".noinit"]);
    let rows = [
        ("image", image),
        ("slot", slot),
        ("flash: code", sum(&[".text"])),
        ("flash: constants", sum(&[".rodata", ".rodata.wifi", ".rodata_merge", ".flash.appdesc"])),
        ("RAM: code that runs while flash is written, Wi-Fi", code),
        ("RAM: variables, the heap's 272 KiB among them", data),
        ("RAM: static in all", code + data),
        ("RAM: left for the stack", RAM_BYTES.saturating_sub(code + data)),
        ("RAM of the boot loader: the heap's other 64 KiB", sum(&[".dram2_uninit"])),
    ];
    println!("{:<52} {:>12}", "esp32c6", "bytes");
    for (name, bytes) in rows {
        println!("{name:<52} {bytes:>12}");
    }
    Ok(())
}
