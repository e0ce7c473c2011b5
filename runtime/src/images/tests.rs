//! Images in simulated flash: made in slices, found again, made room for, and whole after every power cut.

use std::vec;
use std::vec::Vec;

use skiff_engine::{Machine, Outcome, Quota, Value};

use super::*;
use crate::flash::nor::{NorSim, Torn};
use crate::flash::{FlashStorage, Layout, SECTOR_BYTES};
use crate::hal::{Images, StorageError};

const ALARM: &[u8] = include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm");
const WIND: &[u8] = include_bytes!("../../../plugins/rust/true-wind/plugin.wasm");
const LIMITS: Limits = Limits::CHIP;
/// A slice of a chip.
const SLICE: u64 = 20_000;
const HEAP: u64 = 64 << 10;
/// Sectors of records; what follows is for images.
const RECORDS: u32 = 8;

fn flash(sectors_of_images: u32) -> NorSim {
    NorSim::new((RECORDS + sectors_of_images) as u16)
}

fn mount(flash: &NorSim) -> FlashStorage<NorSim> {
    let bytes = flash.content().len() as u32;
    let layout = Layout { records: 0..RECORDS * SECTOR_BYTES, images: RECORDS * SECTOR_BYTES..bytes };
    FlashStorage::mount(flash.clone(), &layout).unwrap()
}

/// A small module that gives a number, and has so many words of data.
fn module(number: u32, data: usize) -> Vec<u8> {
    let data = "\\01\\02\\03\\04".repeat(data);
    wat::parse_str(std::format!(
        r#"(module (memory 1) (data (i32.const 0) "{data}")
            (func (export "number") (result i32) (i32.const {number}))
            (func (export "first") (result i32) (i32.load8_u (i32.const 0))))"#
    ))
    .unwrap()
}

fn install(storage: &mut dyn Storage, wasm: &[u8], limits: &Limits) -> Result<Held, Refused> {
    let mut installation = Installation::new(wasm, limits, HEAP)?;
    loop {
        match installation.step(storage, SLICE) {
            Progress::Working => {}
            Progress::Done(held) => return Ok(held),
            Progress::Refused(refused) => return Err(refused),
        }
    }
}

fn run(image: Image, name: &str) -> Value {
    let mut machine = Machine::new(image, Quota::default()).unwrap();
    let function = machine.image().function(name).unwrap();
    machine.begin(function, &[]).unwrap();
    let mut fuel = 1000;
    assert_eq!(machine.run(&mut fuel), Outcome::Done);
    machine.finish().unwrap()[0]
}

#[test]
fn an_image_is_the_one_that_is_made_at_once() {
    for mapped in [false, true] {
        for wasm in [ALARM, WIND, &module(7, 3000)] {
            let flash = flash(16);
            if mapped {
                flash.map();
            }
            let mut storage = mount(&flash);
            let held = install(&mut storage, wasm, &LIMITS).unwrap();
            let hash = ModuleHash::of(wasm);
            let whole = skiff_engine::translate(wasm, hash.0, &LIMITS).unwrap();
            assert_eq!(held.image.bytes(), whole.bytes());
            assert_eq!(held.lease.is_some(), mapped);
            let mut again = mount(&flash);
            assert_eq!(open(&mut again, &hash, &LIMITS).unwrap().image.bytes(), whole.bytes());
        }
    }
}

#[test]
fn what_is_there_is_not_written_again() {
    let flash = flash(16);
    let mut storage = mount(&flash);
    install(&mut storage, ALARM, &LIMITS).unwrap();
    let steps = flash.steps();
    install(&mut storage, ALARM, &LIMITS).unwrap();
    assert_eq!(flash.steps(), steps);
    // Other limits make another image.
    let other = Limits { exports_max: LIMITS.exports_max - 1, ..LIMITS };
    assert!(open(&mut storage, &ModuleHash::of(ALARM), &other).is_none());
    install(&mut storage, &module(1, 1), &other).unwrap();
    assert!(flash.steps() > steps);
}

#[test]
fn another_engine_makes_it_again() {
    let flash = flash(16);
    let wasm = module(9, 10);
    let mut storage = mount(&flash);
    let made = install(&mut storage, &wasm, &LIMITS).unwrap().image.bytes().to_vec();
    // As an engine of another version would have left it, its sums right: version and the header's own sum.
    let start = flash.content().windows(made.len()).position(|bytes| bytes == made).unwrap();
    flash.damage(|bytes| {
        let header = &mut bytes[start..start + skiff_engine::HEADER_BYTES];
        header[4] ^= 0x40;
        let end = header.len() - 4;
        let sum = crate::crc32::crc32(&header[..end]);
        header[end..].copy_from_slice(&sum.to_le_bytes());
    });
    let mut storage = mount(&flash);
    assert!(open(&mut storage, &ModuleHash::of(&wasm), &LIMITS).is_none());
    let held = install(&mut storage, &wasm, &LIMITS).unwrap();
    assert_eq!(run(held.image, "number"), Value::I32(9));
}

#[test]
fn a_damaged_image_is_made_again_and_never_run() {
    let pristine = flash(16);
    let wasm = module(5, 2000);
    let made = install(&mut mount(&pristine), &wasm, &LIMITS).unwrap().image.bytes().to_vec();
    let content = pristine.content();
    let start = content.windows(made.len()).position(|bytes| bytes == made).unwrap();
    for at in (0..made.len()).step_by(97) {
        let flash = NorSim::with_content(content.clone());
        flash.map();
        flash.damage(|bytes| bytes[start + at] ^= 4);
        let mut storage = mount(&flash);
        assert!(open(&mut storage, &ModuleHash::of(&wasm), &LIMITS).is_none(), "byte {at}");
        assert_eq!(run(install(&mut storage, &wasm, &LIMITS).unwrap().image, "number"), Value::I32(5));
    }
}

/// Installs, cutting the power at each write and each erased sector; then starts again and looks for both.
fn cut_everywhere(flash: &NorSim, old: Option<&[u8]>, new: &[u8]) -> u32 {
    let before = flash.content();
    let mut cuts = 0;
    for torn in [Torn::Nothing, Torn::Half, Torn::All] {
        let steps = {
            let flash = NorSim::with_content(before.clone());
            install(&mut mount(&flash), new, &LIMITS).unwrap();
            flash.steps() as u32
        };
        for step in 0..steps {
            let flash = NorSim::with_content(before.clone());
            flash.map();
            let mut storage = mount(&flash);
            flash.cut_power_after(step, torn);
            let installed = install(&mut storage, new, &LIMITS);
            let was_cut = flash.is_without_power();
            flash.power_on();
            assert!(was_cut || installed.is_ok(), "{installed:?}");
            drop(installed);
            let mut storage = mount(&flash);
            if let Some(old) = old {
                let image = open(&mut storage, &ModuleHash::of(old), &LIMITS).expect("the old one").image;
                assert_eq!(run(image, "number"), Value::I32(1), "{torn:?} {step}");
            }
            // The new one is whole or not there; and it can be made.
            if let Some(held) = open(&mut storage, &ModuleHash::of(new), &LIMITS) {
                assert_eq!(run(held.image, "number"), Value::I32(2), "{torn:?} {step}");
            }
            let held = install(&mut storage, new, &LIMITS).unwrap();
            assert_eq!(run(held.image, "number"), Value::I32(2), "{torn:?} {step}");
            cuts += u32::from(was_cut);
        }
    }
    cuts
}

#[test]
fn a_power_cut_leaves_the_old_image_and_never_a_broken_one() {
    let flash = flash(8);
    let (old, new) = (module(1, 100), module(2, 900));
    install(&mut mount(&flash), &old, &LIMITS).unwrap();
    // What an image before has left behind is erased as it is reached.
    flash.damage(|bytes| bytes[(RECORDS * SECTOR_BYTES) as usize + 8192..].fill(0x5a));
    let cuts = cut_everywhere(&flash, Some(&old), &new);
    assert!(cuts > 3 * 1024, "{cuts}");
}

#[test]
fn a_power_cut_while_another_makes_room_leaves_no_broken_one() {
    let flash = flash(3);
    let mut storage = mount(&flash);
    install(&mut storage, &module(8, 1500), &LIMITS).unwrap();
    drop(storage);
    let cuts = cut_everywhere(&flash, None, &module(2, 900));
    assert!(cuts > 3 * 1024, "{cuts}");
}

#[test]
fn the_oldest_unused_image_makes_room_and_one_in_use_never() {
    let flash = flash(6);
    flash.map();
    let mut storage = mount(&flash);
    // Two sectors each.
    let modules: Vec<Vec<u8>> = (0..4).map(|number| module(number, 1500)).collect();
    let in_use = install(&mut storage, &modules[0], &LIMITS).unwrap();
    for wasm in &modules[1..3] {
        drop(install(&mut storage, wasm, &LIMITS).unwrap());
    }
    // The oldest is in use, so that the second goes.
    drop(install(&mut storage, &modules[3], &LIMITS).unwrap());
    let there = |storage: &mut FlashStorage<NorSim>| {
        modules.iter().map(|wasm| open(storage, &ModuleHash::of(wasm), &LIMITS).is_some()).collect::<Vec<_>>()
    };
    assert_eq!(there(&mut storage), [true, false, true, true]);
    // A package takes the room of what can be made again, but for what is in use; and is told so before.
    let package = Key::parse("skiff/packages/a.pkg").unwrap();
    assert_eq!(storage.room_for(&package), u64::from(4 * SECTOR_BYTES));
    storage.replace(&package, &vec![3; 4 * SECTOR_BYTES as usize]).unwrap();
    assert_eq!(there(&mut storage), [true, false, false, false]);
    assert_eq!(run(in_use.image.clone(), "number"), Value::I32(0));
    // Nothing goes where it would not help.
    let refused = install(&mut storage, &modules[1], &LIMITS).unwrap_err();
    assert!(matches!(refused, Refused::Room { needed: 4097.., free: 0 }), "{refused:?}");
    assert!(std::format!("{refused}").contains("0 are free in the area of images"), "{refused}");
    assert_eq!(there(&mut storage), [true, false, false, false]);
    drop(in_use);
    assert!(install(&mut storage, &modules[1], &LIMITS).is_ok());
    assert_eq!(there(&mut storage), [false, true, false, false]);
    assert_eq!(storage.read_all(&package, 1 << 20).unwrap(), vec![3; 4 * SECTOR_BYTES as usize]);
}

#[test]
fn nothing_but_the_translator_writes_an_image() {
    let flash = flash(8);
    let mut storage = mount(&flash);
    let wasm = module(3, 10);
    let bytes = install(&mut storage, &wasm, &LIMITS).unwrap().image.bytes().to_vec();
    let key = key(&ModuleHash::of(&module(4, 10)), &LIMITS).unwrap();
    let (plain, package) = (Key::parse("a").unwrap(), Key::parse("skiff/packages/a.pkg").unwrap());
    assert_eq!(storage.replace(&key, &bytes), Err(StorageError::ReadOnly));
    assert_eq!(Storage::append(&mut storage, &key, &bytes), Err(StorageError::ReadOnly));
    for from in [plain, package] {
        storage.replace(&from, &bytes).unwrap();
        assert_eq!(storage.rename(&from, &key), Err(StorageError::ReadOnly));
        assert_eq!(Storage::copy(&mut storage, &from, &key), Err(StorageError::ReadOnly));
        assert!(storage.begin_image(&from, 4096).is_err());
    }
    assert_eq!(storage.len(&key), Err(StorageError::NotFound));
}

#[test]
fn a_draft_has_its_length_and_no_other() {
    let flash = flash(8);
    let mut storage = mount(&flash);
    let key = key(&ModuleHash([1; 32]), &LIMITS).unwrap();
    let mut draft = storage.begin_image(&key, 512).unwrap();
    storage.write_image(&mut draft, &[1; 256]).unwrap();
    assert_eq!(storage.write_image(&mut draft, &[1; 260]), Err(StorageError::TooLong { bytes: 512 }));
    assert_eq!(storage.commit_image(draft), Err(StorageError::Failed));
    assert_eq!(storage.len(&key), Err(StorageError::NotFound));
    // One that was given up gives its room back.
    for _ in 0..20 {
        let draft = storage.begin_image(&key, 8 * SECTOR_BYTES).unwrap();
        assert_eq!(storage.begin_image(&key, 4).unwrap_err(), StorageError::Full);
        drop(draft);
    }
}

#[test]
fn refusals_are_told_in_words() {
    let mut storage = mount(&flash(8));
    let needed = skiff_engine::translation_heap_bytes(ALARM, &LIMITS) as u64;
    assert!(needed <= 24 << 10, "{needed}");
    let refused = Installation::new(ALARM, &LIMITS, needed - 1).err().unwrap();
    let told = std::format!("does not fit: translating it may take {needed} bytes of heap, {} are free", needed - 1);
    assert_eq!(std::format!("{refused}"), told);
    let steps = storage.flash().steps();
    let refused = install(&mut storage, &ALARM[..ALARM.len() - 5], &LIMITS).unwrap_err();
    assert!(matches!(refused, Refused::Module(_)), "{refused:?}");
    assert_eq!(storage.flash().steps(), steps, "nothing is erased for a module that is refused");
    let refused = install(&mut storage, b"no module", &LIMITS).unwrap_err();
    assert!(std::format!("{refused}").contains("magic"), "{refused}");
}

#[test]
fn steps_are_slices_and_end_with_a_sector() {
    let flash = flash(16);
    let mut storage = mount(&flash);
    let mut installation = Installation::new(ALARM, &LIMITS, HEAP).unwrap();
    let (mut slices, mut most, mut before) = (0, 0, flash.steps());
    let held = loop {
        match installation.step(&mut storage, SLICE) {
            Progress::Working => {}
            Progress::Done(held) => break held,
            Progress::Refused(refused) => panic!("{refused}"),
        }
        slices += 1;
        let now = flash.steps();
        // Pages of a slice, with those that the translator's last step writes at once, and one sector.
        most = most.max(now - before);
        before = now;
    };
    assert!(slices > 40, "{slices}");
    assert!(most <= 9 * 64 + 1, "{most} words and sectors in one slice");
    assert_eq!(held.image.bytes().len(), 34_628);
    assert!(matches!(installation.step(&mut storage, SLICE), Progress::Refused(Refused::Over)));
}

#[test]
fn the_bus_is_served_between_steps() {
    /// At 160 MHz and 25 instructions a unit of fuel, microseconds; a page is written in 0.7 ms, a sector erased in 45 ms.
    const SLICE_US: u64 = SLICE * 25 / 160;
    const PAGE_US: u64 = 700;
    const SECTOR_US: u64 = 45_000;
    /// Between two frames of a saturated bus.
    const FRAME_US: u64 = 524;
    let queue = u64::from(crate::budget::Limits::of(crate::budget::Board::Esp32C6).can_queue_len);
    // The largest function that a chip takes, and data.
    let body = "(i32.store (i32.const 4) (i32.mul (i32.load (i32.const 4)) (i32.const 100000)))".repeat(1000);
    let data = "x".repeat(20_000);
    let text = std::format!(
        r#"(module (memory 1) (data (i32.const 64) "{data}") (data "{data}") (func (export "f") {body}))"#
    );
    let flash = flash(32);
    let mut storage = mount(&flash);
    let wasm = wat::parse_str(text).unwrap();
    let mut installation = Installation::new(&wasm, &LIMITS, 2 * HEAP).unwrap();
    let (mut now_us, mut served, mut longest_queue, mut slices) = (0_u64, 0_u64, 0, 0);
    loop {
        let before = flash.steps();
        let progress = installation.step(&mut storage, SLICE);
        // The virtual clock: what was written, all of it in the same slice, and a sector with it.
        let words = flash.steps() - before;
        let erasing = if words > 0 { SECTOR_US } else { 0 };
        now_us += SLICE_US + words.div_ceil(64) * PAGE_US + erasing;
        // Frames that came meanwhile are taken before the next step.
        let waiting = now_us / FRAME_US - served;
        longest_queue = longest_queue.max(waiting);
        served += waiting;
        slices += 1;
        match progress {
            Progress::Working => {}
            Progress::Done(_) => break,
            Progress::Refused(refused) => panic!("{refused}"),
        }
    }
    assert!(longest_queue * 3 < queue, "{longest_queue} frames waited, there is room for {queue}");
    assert!(slices > 60 && served > 2000, "{slices} slices, {served} frames");
}

#[test]
fn images_of_what_is_not_installed_are_pruned() {
    let mut storage = mount(&flash(12));
    let modules: Vec<Vec<u8>> = (0..3).map(|number| module(number, 10)).collect();
    for wasm in &modules {
        install(&mut storage, wasm, &LIMITS).unwrap();
    }
    let wanted = [ModuleHash::of(&modules[1])];
    assert_eq!(prune(&mut storage, &wanted, &LIMITS), 2);
    assert_eq!(prune(&mut storage, &wanted, &LIMITS), 0);
    assert!(open(&mut storage, &wanted[0], &LIMITS).is_some());
    // Another firmware's engine or limits: all of them.
    assert_eq!(prune(&mut storage, &wanted, &Limits::LINUX), 1);
}

#[test]
fn where_no_images_are_kept_one_is_made_in_memory() {
    struct Nothing;
    impl Storage for Nothing {
        fn len(&mut self, _: &Key) -> Result<u32, StorageError> {
            Err(StorageError::NotFound)
        }
        fn read(&mut self, _: &Key, _: u32, _: &mut [u8]) -> Result<usize, StorageError> {
            Err(StorageError::NotFound)
        }
        fn replace(&mut self, _: &Key, _: &[u8]) -> Result<(), StorageError> {
            Err(StorageError::ReadOnly)
        }
        fn append(&mut self, _: &Key, _: &[u8]) -> Result<(), StorageError> {
            Err(StorageError::ReadOnly)
        }
        fn remove(&mut self, _: &Key) -> Result<(), StorageError> {
            Ok(())
        }
        fn list(
            &mut self,
            _: &str,
            _: &mut dyn FnMut(&Key, u32) -> core::ops::ControlFlow<()>,
        ) -> Result<(), StorageError> {
            Ok(())
        }
        fn capacity(&mut self) -> crate::hal::Capacity {
            crate::hal::Capacity::default()
        }
    }
    let held = install(&mut Nothing, &module(6, 10), &LIMITS).unwrap();
    assert!(held.lease.is_none());
    assert_eq!(run(held.image, "first"), Value::I32(1));
}
