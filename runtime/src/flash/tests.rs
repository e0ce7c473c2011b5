//! The storage over simulated flash; what all media have in common is tested in `hal-linux/tests/storage_contract.rs`.

use std::collections::BTreeMap;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::nor::{NorSim, Torn};
use super::*;
use crate::hal::{Key, Storage, StorageError};

const SECTORS: u16 = 24;

fn layout() -> Layout {
    Layout { records: 0..8 * SECTOR_BYTES, images: 8 * SECTOR_BYTES..u32::from(SECTORS) * SECTOR_BYTES }
}

fn mount(flash: &NorSim) -> FlashStorage<NorSim> {
    FlashStorage::mount(flash.clone(), &layout()).unwrap()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

#[test]
fn a_cut_while_mounting_loses_nothing() {
    // A replacement is cut after its head, so that mounting has pieces to clear away.
    let flash = NorSim::new(SECTORS);
    let (name, old, new) = (key("a.json"), vec![1; 3000], vec![2; 3000]);
    mount(&flash).replace(&name, &old).unwrap();
    let before = flash.content();
    let mut seen_cuts = 0;
    for steps in (0..900).step_by(7) {
        for cut in 0.. {
            let flash = NorSim::with_content(before.clone());
            let mut storage = mount(&flash);
            flash.cut_power_after(steps, Torn::Half);
            let _ = storage.replace(&name, &new);
            flash.power_on();
            flash.cut_power_after(cut, Torn::Half);
            let _ = FlashStorage::mount(flash.clone(), &layout());
            let was_cut = flash.is_without_power();
            flash.power_on();
            let content = mount(&flash).read_all(&name, 10_000).unwrap();
            assert!(content == old || content == new, "{steps} {cut}");
            if !was_cut {
                break;
            }
            seen_cuts += 1;
        }
    }
    assert!(seen_cuts > 10, "{seen_cuts}");
}

#[test]
fn a_full_area_refuses_and_keeps_everything() {
    let flash = NorSim::new(SECTORS);
    let mut storage = mount(&flash);
    let mut stored = Vec::new();
    let refused = loop {
        let name = key(&std::format!("plugin-config-data/{}.json", stored.len()));
        match storage.replace(&name, &vec![stored.len() as u8; 900]) {
            Ok(()) => stored.push(name),
            Err(error) => break (name, error),
        }
    };
    assert_eq!(refused.1, StorageError::Full);
    assert!(storage.room_for(&refused.0) < 900);
    assert!(stored.len() > 12, "{}", stored.len());
    let last = stored.last().unwrap();
    assert_eq!(storage.replace(last, &vec![7; 2000]), Err(StorageError::Full));
    assert_eq!(storage.append(last, &vec![7; 5000]), Err(StorageError::Full));
    for round in 0..2 {
        for (number, name) in stored.iter().enumerate() {
            assert_eq!(storage.read_all(name, 1000).unwrap(), vec![number as u8; 900], "{round}");
        }
        storage = mount(&flash);
    }
    // What is removed makes room again, as often as one likes.
    for round in 0..40 {
        storage.remove(last).unwrap();
        assert!(storage.room_for(last) >= 900);
        storage.replace(last, &vec![round; 900]).unwrap();
    }
    assert_eq!(storage.read_all(last, 1000).unwrap(), vec![39; 900]);
}

#[test]
fn room_is_what_can_be_written() {
    for bytes in [1, 500, 992, 993, 3000] {
        let mut storage = mount(&NorSim::new(SECTORS));
        storage.replace(&key("a"), &vec![1; bytes]).unwrap();
        let (record, image) = (key("b"), key("skiff/packages/b.pkg"));
        let room = usize::try_from(storage.room_for(&record)).unwrap();
        assert!(room > 10_000);
        storage.replace(&record, &vec![2; room]).unwrap();
        let room = usize::try_from(storage.room_for(&image)).unwrap();
        assert_eq!(room, 0, "no room for its head");
        storage.remove(&record).unwrap();
        let room = usize::try_from(storage.room_for(&image)).unwrap();
        assert_eq!(room, 16 * 4096);
        assert_eq!(storage.replace(&image, &vec![3; room + 1]), Err(StorageError::Full));
        storage.replace(&image, &vec![3; room]).unwrap();
        assert_eq!(storage.room_for(&image), 0);
        assert_eq!(storage.replace(&image, b"x"), Err(StorageError::Full));
        assert_eq!(storage.read_all(&image, 1_000_000).unwrap(), vec![3; room]);
    }
}

#[test]
fn records_that_are_too_long_are_refused() {
    let layout = Layout { records: 0..64 * SECTOR_BYTES, images: 64 * SECTOR_BYTES..64 * SECTOR_BYTES };
    let flash = NorSim::new(64);
    let mut storage = FlashStorage::mount(flash.clone(), &layout).unwrap();
    let name = key("a");
    storage.replace(&name, &vec![1; RECORD_BYTES_MAX]).unwrap();
    let bytes = RECORD_BYTES_MAX as u32 + 1;
    assert_eq!(storage.append(&name, b"x"), Err(StorageError::TooLong { bytes }));
    assert_eq!(storage.replace(&name, &vec![1; bytes as usize]), Err(StorageError::TooLong { bytes }));
    assert_eq!(storage.replace(&key("skiff/packages/a.pkg"), b"x"), Err(StorageError::Full));
    let mut storage = FlashStorage::mount(flash, &layout).unwrap();
    assert_eq!(storage.read_all(&name, bytes).unwrap(), vec![1; RECORD_BYTES_MAX]);
}

#[test]
fn layouts_that_do_not_fit_are_refused() {
    let sector = SECTOR_BYTES;
    for (records, images) in [
        (0..3 * sector, 4 * sector..5 * sector),
        (0..4 * sector + 4, 5 * sector..6 * sector),
        (0..8 * sector, 7 * sector..9 * sector),
        (0..8 * sector, 8 * sector..25 * sector),
        (sector..sector, 8 * sector..9 * sector),
    ] {
        let layout = Layout { records, images };
        let error = FlashStorage::mount(NorSim::new(SECTORS), &layout).unwrap_err();
        assert_eq!(error, MountError::Layout, "{layout:?}");
    }
}

#[test]
fn images_are_read_in_place_and_stay_while_they_are() {
    let flash = NorSim::new(SECTORS);
    let mut storage = mount(&flash);
    let (image, record) = (key("skiff/packages/a.pkg"), key("a"));
    storage.replace(&image, &[1; 30_000]).unwrap();
    storage.replace(&record, b"x").unwrap();
    assert!(storage.mapped(&image).is_none(), "this flash is not mapped");
    flash.map();
    assert!(storage.mapped(&record).is_none());
    let (bytes, lease) = storage.mapped(&image).unwrap().into_parts();
    assert_eq!(bytes, [1; 30_000]);
    // The old version is in use: its sectors are no room, though the record is another one now.
    storage.replace(&image, &[2; 30_000]).unwrap();
    assert_eq!(storage.replace(&image, &[3; 30_000]), Err(StorageError::Full));
    assert_eq!(storage.mapped(&image).unwrap().into_parts().0, [2; 30_000]);
    drop(lease);
    storage.replace(&image, &[3; 30_000]).unwrap();
    flash.damage(|bytes| bytes.iter_mut().filter(|byte| **byte == 3).take(1).for_each(|byte| *byte = 7));
    assert!(storage.mapped(&image).is_none());
    assert_eq!(storage.read_all(&image, 100_000), Err(StorageError::Failed));
    assert_eq!(storage.append(&image, b"x"), Err(StorageError::ReadOnly));
    assert_eq!(storage.read_all(&record, 10).unwrap(), b"x");
}

#[test]
fn writing_again_and_again_wears_all_sectors() {
    let flash = NorSim::new(SECTORS);
    let mut storage = mount(&flash);
    for round in 0..2000_u32 {
        storage.replace(&key("a.json"), &round.to_le_bytes().repeat(50)).unwrap();
    }
    assert_eq!(storage.read_all(&key("a.json"), 1000).unwrap(), 1999_u32.to_le_bytes().repeat(50));
    // 330 bytes of items per round over eight sectors, and nothing else.
    assert!(flash.steps() / 2000 < 120, "{} words a write", flash.steps() / 2000);
}

const NAMES: [&str; 6] = [
    "settings.json",
    "skiff/auth.json",
    "plugin-config-data/_acme_tide.json",
    "plugin-config-data/_acme_tide/vfs/data/log",
    "skiff/packages/_acme_tide.pkg",
    "skiff/packages/b.pkg",
];

#[derive(Clone, Debug)]
enum Step {
    Replace(usize, usize, u8),
    Append(usize, usize, u8),
    Remove(usize),
    Mount,
    Cut(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..6_usize, 0..7000_usize, any::<u8>()).prop_map(|(name, bytes, seed)| Step::Replace(name, bytes, seed)),
        3 => (0..4_usize, 0..1500_usize, any::<u8>()).prop_map(|(name, bytes, seed)| Step::Append(name, bytes, seed)),
        1 => (0..6_usize).prop_map(Step::Remove),
        1 => Just(Step::Mount),
        1 => (0..3000_u32).prop_map(Step::Cut),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Writes of all kinds, refused where there is no room, cut at any word, on a flash that is used for long.
    #[test]
    fn storage_holds_what_a_map_would(steps in steps()) {
        let flash = NorSim::new(SECTORS);
        let mut storage = mount(&flash);
        let mut model: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for step in steps {
            let (name, content) = match &step {
                Step::Replace(name, bytes, seed) => (NAMES[*name], Some(vec![*seed; *bytes])),
                Step::Append(name, bytes, seed) => {
                    let mut content = model.get(NAMES[*name]).cloned().unwrap_or_default();
                    content.resize(content.len() + bytes, *seed);
                    (NAMES[*name], Some(content))
                }
                Step::Remove(name) => (NAMES[*name], None),
                Step::Mount => {
                    storage = mount(&flash);
                    continue;
                }
                Step::Cut(steps) => {
                    flash.cut_power_after(*steps, Torn::Half);
                    continue;
                }
            };
            let result = match &step {
                Step::Replace(..) => storage.replace(&key(name), content.as_ref().unwrap()),
                Step::Append(_, bytes, seed) => storage.append(&key(name), &vec![*seed; *bytes]),
                _ => storage.remove(&key(name)),
            };
            let was_cut = flash.is_without_power();
            if was_cut {
                flash.power_on();
                storage = mount(&flash);
            }
            let found = storage.read_all(&key(name), 1_000_000).ok();
            prop_assert!(found == content || (result.is_err() && found == model.get(name).cloned()), "{step:?}");
            prop_assert!(was_cut || matches!(result, Ok(()) | Err(StorageError::Full)), "{result:?}");
            match found {
                Some(found) => model.insert(name, found),
                None => model.remove(name),
            };
        }
        for name in NAMES {
            prop_assert_eq!(storage.read_all(&key(name), 1_000_000).ok(), model.get(name).cloned());
        }
        let listed = model.len();
        let mut count = 0;
        storage.list("", &mut |_, _| { count += 1; core::ops::ControlFlow::Continue(()) }).unwrap();
        prop_assert_eq!(count, listed);
    }

    /// Damage to the bytes of items costs the records it hits, and no other.
    #[test]
    fn damage_is_told_and_costs_nothing_else(hit in 0..6_usize, at in 0..2400_usize, byte in 0..255_u8) {
        let flash = NorSim::new(SECTORS);
        let mut storage = mount(&flash);
        for (number, name) in NAMES.iter().enumerate() {
            storage.replace(&key(name), &vec![0xa0 | number as u8; 2400]).unwrap();
        }
        let mine = 0xa0 | hit as u8;
        flash.damage(|bytes| {
            // Inside a long run of the record's own bytes, so that no header is hit.
            let places: Vec<usize> = (8..bytes.len() - 8)
                .filter(|place| bytes[place - 8..place + 8].iter().all(|byte| *byte == mine)).collect();
            bytes[places[at % places.len()]] = byte;
        });
        prop_assume!(byte != mine);
        for _ in 0..2 {
            for (number, name) in NAMES.iter().enumerate() {
                let found = storage.read_all(&key(name), 10_000);
                if number == hit {
                    prop_assert_eq!(found, Err(StorageError::Failed));
                } else {
                    prop_assert_eq!(found, Ok(vec![0xa0 | number as u8; 2400]));
                }
            }
            storage = mount(&flash);
        }
        storage.replace(&key(NAMES[hit]), b"again").unwrap();
        prop_assert_eq!(storage.read_all(&key(NAMES[hit]), 100).unwrap(), b"again");
    }
}
