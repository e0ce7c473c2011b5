//! Whatever lies in a flash: mounting it gives a storage or an error, and what was stored before damage elsewhere stays.

#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use skiff_runtime::flash::nor::{NorSim, Torn};
use skiff_runtime::flash::{FlashStorage, Layout, SECTOR_BYTES};
use skiff_runtime::hal::{Key, Storage, StorageError};

const SECTORS: u16 = 8;
const NAMES: [&str; 4] =
    ["skiff/auth.json", "plugin-config-data/a.json", "plugin-config-data/a/vfs/data/log", "skiff/packages/a.pkg"];

#[derive(Arbitrary, Debug)]
enum Input {
    /// A region that was never ours, or is damaged anyhow.
    Region { at: u16, bytes: Vec<u8>, write: u8 },
    /// Records, then damage inside the content of one of them.
    Damage { victim: u8, places: Vec<(u16, u8)> },
    /// Writes, one of them cut.
    Writes { writes: Vec<(u8, u16, u8)>, cut: u16, half: bool },
}

fn layout() -> Layout {
    Layout { records: 0..5 * SECTOR_BYTES, images: 5 * SECTOR_BYTES..u32::from(SECTORS) * SECTOR_BYTES }
}

fn key(number: u8) -> Key {
    Key::parse(NAMES[usize::from(number) % NAMES.len()]).unwrap()
}

/// Content that is told from every other record's, of `bytes` bytes.
fn content(number: u8, bytes: usize) -> Vec<u8> {
    vec![0xa0 | number; bytes]
}

fn mount(flash: &NorSim) -> FlashStorage<NorSim> {
    FlashStorage::mount(flash.clone(), &layout()).expect("a flash that was ours is mounted")
}

fn region(at: u16, bytes: &[u8], write: u8) {
    let flash = NorSim::new(SECTORS);
    flash.damage(|cells| {
        let start = usize::from(at) % cells.len();
        cells.iter_mut().skip(start).zip(bytes).for_each(|(cell, byte)| *cell = *byte);
    });
    let Ok(mut storage) = FlashStorage::mount(flash.clone(), &layout()) else {
        let mut storage = FlashStorage::format(flash, &layout()).expect("any flash can be erased");
        storage.replace(&key(write), b"x").expect("an erased flash takes records");
        return;
    };
    let mut names = Vec::new();
    let _ = storage.list("", &mut |key, _| {
        names.push(key.clone());
        std::ops::ControlFlow::Continue(())
    });
    for name in names {
        let _ = storage.read_all(&name, 100_000);
        let _ = storage.append(&name, b"y");
    }
    if storage.replace(&key(write), b"x").is_ok() {
        assert_eq!(storage.read_all(&key(write), 10).as_deref(), Ok(&b"x"[..]));
    }
}

fn damage(victim: u8, places: &[(u16, u8)]) {
    let flash = NorSim::new(SECTORS);
    let mut storage = mount(&flash);
    for number in 0..4 {
        storage.replace(&key(number), &content(number, 1200)).expect("there is room");
    }
    let mine = 0xa0 | (victim % 4);
    let mut hit = false;
    flash.damage(|cells| {
        let own: Vec<usize> =
            (4..cells.len() - 4).filter(|place| cells[place - 4..place + 4].iter().all(|cell| *cell == mine)).collect();
        for (at, byte) in places {
            let cell = &mut cells[own[usize::from(*at) % own.len()]];
            hit |= *byte != mine;
            *cell = *byte;
        }
    });
    let mut storage = mount(&flash);
    for number in 0..4 {
        let found = storage.read_all(&key(number), 10_000);
        if number != victim % 4 || !hit {
            assert_eq!(found, Ok(content(number, 1200)));
        } else if let Ok(found) = found {
            assert_eq!(found, content(number, 1200), "damage is told, or was undone");
        }
    }
}

fn writes(writes: &[(u8, u16, u8)], cut: u16, half: bool) {
    let flash = NorSim::new(SECTORS);
    let mut storage = mount(&flash);
    let mut held: [Option<Vec<u8>>; 4] = [const { None }; 4];
    let position = usize::from(cut) % writes.len().max(1);
    for (number, (name, bytes, seed)) in writes.iter().take(64).enumerate() {
        if number == position {
            flash.cut_power_after(u32::from(cut), if half { Torn::Half } else { Torn::Nothing });
        }
        let (slot, data) = (usize::from(*name % 4), vec![*seed; usize::from(*bytes % 3000)]);
        let result = storage.replace(&key(*name), &data);
        if flash.is_without_power() {
            flash.power_on();
            storage = mount(&flash);
            let found = storage.read_all(&key(*name), 10_000).ok();
            assert!(found == held[slot] || found.as_ref() == Some(&data), "the old or the new content");
            held[slot] = found;
            continue;
        }
        match result {
            Ok(()) => held[slot] = Some(data),
            Err(error) => assert_eq!(error, StorageError::Full),
        }
    }
    storage = mount(&flash);
    for (slot, held) in (0..).zip(held) {
        assert_eq!(storage.read_all(&key(slot), 10_000).ok(), held);
    }
}

fuzz_target!(|input: Input| {
    match input {
        Input::Region { at, bytes, write } => region(at, &bytes, write),
        Input::Damage { victim, places } => damage(victim, &places),
        Input::Writes { writes: list, cut, half } => writes(&list, cut, half),
    }
});
