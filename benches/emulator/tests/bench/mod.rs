//! A chip on a bench: its flash as it was flashed and set up, and frames for its bus.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;
use skiff_board::boot_choice;
use skiff_emulator::{FLASH_BYTES, Flash, Machine, PER_US, Stopped};
use skiff_runtime::flash::nor::NorSim;
use skiff_runtime::flash::{FlashStorage, Layout};
use skiff_runtime::hal::{CanFrame, Key, Slot, Storage};
use skiff_runtime::n2k::sample::{SEED, START, Sample};
use skiff_runtime::package::{Package, store};

/// The line that says that the firmware serves.
pub const SERVES: &str = "serves on port";
/// Until then it does.
pub const BOOT_US: u64 = 20_000_000;
/// A frame of 8 bytes on the bus.
pub const FRAME_US: u64 = 540;
/// The package that fits beside the radio's share.
const WIND: &str = "plugins/rust/true-wind";
/// As `hal-esp32/esp32c6/partitions.csv` says.
const LAYOUT: Layout = Layout { records: 0x3b_0000..0x3c_0000, images: 0x3c_0000..0x40_0000 };
const SLOTS: [usize; 2] = [0x1_0000, 0x1e_0000];
const CHOICE: u32 = 0xd000;

/// Flash as it is set up.
pub struct Setup {
    content: Vec<u8>,
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_path_buf).unwrap_or_default()
}

/// Reads a file that the environment names.
fn file_from(name: &str) -> Result<Vec<u8>, String> {
    let path = env::var_os(name)
        .ok_or_else(|| format!("{name} is not set: `cargo xtask esp32c6 --emulate` runs these tests"))?;
    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
}

impl Setup {
    /// As it was flashed.
    pub fn flashed() -> Result<Self, String> {
        let mut content = file_from("SKIFF_CHIP_FLASH")?;
        content.resize(FLASH_BYTES, 0xff);
        Ok(Self { content })
    }

    fn change(self, change: impl FnOnce(&mut FlashStorage<NorSim>) -> Result<(), String>) -> Result<Self, String> {
        let nor = NorSim::with_content(self.content);
        let storage = FlashStorage::mount_or_format(nor.clone(), &LAYOUT);
        change(&mut storage.map_err(|error| format!("storage: {error}"))?)?;
        Ok(Self { content: nor.content() })
    }

    /// With a file in the storage.
    pub fn file(self, name: &str, content: &[u8]) -> Result<Self, String> {
        let key = Key::parse(name).map_err(|error| format!("{name}: {error:?}"))?;
        self.change(|storage| storage.replace(&key, content).map_err(|error| format!("{name}: {error}")))
    }

    /// With true wind and its configuration of the sample, on the sample's boat.
    pub fn true_wind(self) -> Result<Self, String> {
        let read =
            |file: &str| fs::read(top().join(WIND).join(file)).map_err(|error| format!("{WIND}/{file}: {error}"));
        let (manifest, module) = (read("package.json")?, read("plugin-small.wasm")?);
        let package = Package::from_parts(&manifest, module.clone()).map_err(|error| format!("{WIND}: {error}"))?;
        let id = package.id();
        let config = String::from_utf8_lossy(&read("sample-config.json")?).into_owned();
        let config = format!("{{\"enabled\":true,\"configuration\":{config}}}");
        let own = b"{\"self\":\"urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001\"}";
        self.change(|storage| {
            let record = store::record(&manifest, &module, 0);
            store::save(storage, &id, &record).map_err(|error| format!("{WIND}: {error}"))
        })?
        .file(&format!("plugin-config-data/{id}.json"), config.as_bytes())?
        .file("skiff/identity.json", own)
    }

    /// With the same firmware in the second slot, on trial, and chosen: as an update leaves the flash.
    pub fn updated(mut self) -> Result<Self, String> {
        let image = self.content[SLOTS[0]..SLOTS[1]].to_vec();
        self.content[SLOTS[1]..SLOTS[1] + image.len()].copy_from_slice(&image);
        // Layout, on trial, second slot, no start yet; the version (runtime/src/device/firmware/trial.rs).
        let setup = self.file("skiff/firmware", b"\x01\x01\x01\x009.9.9")?;
        let mut nor = NorSim::with_content(setup.content);
        boot_choice::choose(&mut nor, CHOICE, Slot::Second).map_err(|error| format!("the choice: {error:?}"))?;
        Ok(Self { content: nor.content() })
    }

    /// With a bit of the second slot's image changed.
    pub fn damaged(mut self) -> Self {
        self.content[SLOTS[1] + 100_000] ^= 1;
        self
    }

    /// Switches a chip with that flash on.
    pub fn power_on(self) -> Result<Machine, String> {
        Machine::new(Flash::with(&self.content), &file_from("SKIFF_CHIP_PROGRAM")?)
    }
}

/// Runs until it serves.
pub fn serve(machine: &mut Machine) -> Result<(), String> {
    wait(machine, SERVES, BOOT_US).map(drop)
}

/// Runs until a line has a text.
pub fn wait(machine: &mut Machine, text: &str, for_us: u64) -> Result<String, String> {
    match machine.run(Some(text), for_us)? {
        Stopped::Line(line) => Ok(line),
        other => Err(format!("no line with `{text}`, {other:?}, after\n{}", machine.lines().join("\n"))),
    }
}

/// Puts a frame into the form that the controller has.
pub fn raw(frame: &CanFrame) -> [u8; 13] {
    let mut raw = [0; 13];
    raw[0] = 0x80 | frame.data().len() as u8;
    raw[1..5].copy_from_slice(&(frame.id() << 3).to_be_bytes());
    raw[5..5 + frame.data().len()].copy_from_slice(frame.data());
    raw
}

/// Lets frames come, each at its time from now on, or when the bus is free again.
pub fn play(machine: &mut Machine, frames: impl Iterator<Item = (u64, CanFrame)>) -> usize {
    let now = machine.bus.now;
    let mut free = 0;
    let mut coming: Vec<_> = frames
        .map(|(at_us, frame)| {
            free = at_us.max(free + FRAME_US);
            (now + free * PER_US, raw(&frame))
        })
        .collect();
    coming.reverse();
    let count = coming.len();
    machine.bus.frames = coming;
    count
}

/// The first seconds of the sample.
pub fn sample(seconds: u64) -> impl Iterator<Item = (u64, CanFrame)> {
    let since = |time: i64| u64::try_from(time - START.0).unwrap_or(0) * 1000;
    Sample::new(SEED)
        .map(move |(time, frame)| (since(time.0), frame))
        .take_while(move |(at, _)| *at < seconds * 1_000_000)
}

/// What plugins said on the console: their deltas without the points in time, which the board has from its own clock.
pub fn said(machine: &Machine) -> Result<Vec<Value>, String> {
    let lines = machine.lines();
    let deltas = lines.iter().filter_map(|line| line.strip_prefix("> ")?.split_once(' '));
    deltas.map(|(_, delta)| timeless(delta)).collect()
}

/// What true wind says on Linux in the first seconds of the sample.
pub fn said_on_linux(seconds: u64) -> Result<Vec<Value>, String> {
    let skiff = env::var_os("SKIFF").ok_or("SKIFF is not set: `cargo xtask esp32c6 --emulate` runs these tests")?;
    let mut replay = Command::new(&skiff);
    replay.args(["replay", "--sample", "--plugin", WIND]).current_dir(top()).stdin(Stdio::null());
    let output = replay.output().map_err(|error| format!("skiff replay: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    // Up to the decoded delta of the first frame that comes later.
    let frames = sample(seconds).count() as u64;
    let line_of = |line: &str| serde_json::from_str::<Value>(line).ok()?.get("_line")?.as_u64();
    let lines = text.lines().take_while(|line| line_of(line).is_none_or(|number| number <= frames));
    lines.filter(|line| line.starts_with("{\"_plugin\":")).map(timeless).collect()
}

fn timeless(delta: &str) -> Result<Value, String> {
    let mut delta: Value = serde_json::from_str(delta).map_err(|error| format!("{error}: {delta}"))?;
    if let Some(object) = delta.as_object_mut() {
        object.remove("_plugin");
    }
    for update in delta.get_mut("updates").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(object) = update.as_object_mut() {
            object.remove("timestamp");
        }
    }
    Ok(delta)
}
