use super::*;
use crate::hal::sim::{PowerCut, SimFirmware, SimStorage, Survivor};
use crate::hal::{Firmware, Slot};
use crate::time::Instant;
use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec::Vec;

const SLOT_BYTES: usize = 4096;

fn image(letter: u8, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|index| letter ^ u8::try_from(index % 251).unwrap()).collect()
}

fn file(image: &[u8]) -> Vec<u8> {
    let header = Header::of(image, 13, "2.0.0").unwrap();
    [&header.encode()[..], image].concat()
}

/// Sends a file in pieces, then ends the update.
fn send(flash: &SimFirmware, storage: &SimStorage, file: &[u8], piece: usize) -> Result<Progress, UpdateError> {
    let (mut flash, mut storage) = (flash.clone(), storage.clone());
    let first = piece.max(HEADER_BYTES).min(file.len());
    let mut update = Update::begin(&mut flash, &mut storage, &file[..first])?;
    for part in file[first..].chunks(piece) {
        update.piece(&mut flash, update.received(), part)?;
    }
    update.finish(&mut flash, &mut storage)
}

/// Starts the board until it stays up; returns what the last start found.
fn boot(flash: &SimFirmware, storage: &SimStorage) -> Start {
    storage.power_on();
    flash.start();
    loop {
        match Trial::start(&mut flash.clone(), &mut storage.clone()).unwrap() {
            Start::Restart => flash.start(),
            start => return start,
        }
    }
}

fn on_trial(start: Start) -> Trial {
    match start {
        Start::OnTrial(trial) => trial,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_image_is_tried_and_confirmed() {
    let (old, new) = (image(1, 3000), image(2, 3501));
    let (flash, storage) = (SimFirmware::new(SLOT_BYTES, &old), SimStorage::new());
    assert_eq!(boot(&flash, &storage), Start::Normal);
    assert_eq!(send(&flash, &storage, &file(&new), 777), Ok(Progress::Ready));
    assert_eq!(flash.bootable(new.len()), new);
    let mut trial = on_trial(boot(&flash, &storage));
    assert_eq!((trial.version(), flash.running()), ("2.0.0", Slot::Second));
    let mut poll = |healthy, second: u64| {
        trial.poll(&mut flash.clone(), &mut storage.clone(), healthy, Instant::from_millis(second * 1000)).unwrap()
    };
    assert_eq!(
        (poll(true, 1), poll(true, 60), poll(false, 61)),
        (TrialEnd::Running, TrialEnd::Running, TrialEnd::Running)
    );
    assert_eq!((poll(true, 70), poll(true, 129)), (TrialEnd::Running, TrialEnd::Running));
    assert_eq!(poll(true, 130), TrialEnd::Confirmed);
    assert_eq!(boot(&flash, &storage), Start::Normal);
    assert_eq!(flash.bootable(new.len()), new);
}

#[test]
fn an_image_that_does_not_stay_up_is_rolled_back_after_three_starts() {
    let (old, new) = (image(1, 3000), image(2, 3000));
    let (flash, storage) = (SimFirmware::new(SLOT_BYTES, &old), SimStorage::new());
    send(&flash, &storage, &file(&new), 512).unwrap();
    for _ in 0..3 {
        on_trial(boot(&flash, &storage));
    }
    let failed = Start::RolledBack { version: "2.0.0".try_into().unwrap() };
    assert_eq!(boot(&flash, &storage), failed);
    assert_eq!((flash.bootable(old.len()), flash.running()), (old, Slot::First));
    // It is told until the next update.
    assert_eq!(boot(&flash, &storage), failed);
    assert_eq!(send(&flash, &storage, &file(&new), 512), Ok(Progress::Ready));
}

#[test]
fn an_image_without_health_is_rolled_back_after_ten_minutes() {
    let (old, new) = (image(1, 3000), image(2, 3000));
    let (flash, storage) = (SimFirmware::new(SLOT_BYTES, &old), SimStorage::new());
    send(&flash, &storage, &file(&new), 512).unwrap();
    let mut trial = on_trial(boot(&flash, &storage));
    let mut poll = |second: u64| {
        trial.poll(&mut flash.clone(), &mut storage.clone(), false, Instant::from_millis(second * 1000)).unwrap()
    };
    assert_eq!((poll(599), poll(600)), (TrialEnd::Running, TrialEnd::Restart));
    assert!(matches!(boot(&flash, &storage), Start::RolledBack { .. }));
    assert_eq!(flash.bootable(old.len()), old);
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let old = image(1, 3000);
    let (flash, storage) = (SimFirmware::new(SLOT_BYTES, &old), SimStorage::new());
    let good = file(&image(2, 3000));
    let mut damaged = good.clone();
    damaged[2000] ^= 0x10;
    assert_eq!(send(&flash, &storage, &damaged, 500), Err(UpdateError::Sum));
    let other_chip = [&Header::of(&good, 5, "1").unwrap().encode()[..], &good].concat();
    let refused = send(&flash, &storage, &other_chip, 500);
    assert_eq!(refused, Err(UpdateError::Header(HeaderError::Chip { image: 5, board: 13 })));
    let large = file(&image(2, SLOT_BYTES + 1));
    assert!(matches!(send(&flash, &storage, &large, 500), Err(UpdateError::Header(HeaderError::Length { .. }))));
    assert_eq!(send(&flash, &storage, &[&good[..], b"x"].concat(), 500), Err(UpdateError::TooLong));
    assert_eq!(send(&flash, &storage, &good[..50], 500), Err(UpdateError::Piece));
    assert!(matches!(
        send(&flash, &storage, &good[..2000], 500),
        Ok(Progress::Receiving { received: 2000, total: 3096 })
    ));
    assert_eq!(boot(&flash, &storage), Start::Normal);
    assert_eq!(flash.bootable(old.len()), old);
}

#[test]
fn a_piece_out_of_order_says_where_to_go_on() {
    let (mut flash, mut storage) = (SimFirmware::new(SLOT_BYTES, &[1]), SimStorage::new());
    let file = file(&image(2, 1000));
    let mut update = Update::begin(&mut flash, &mut storage, &file[..101]).unwrap();
    for wrong in [0, 100, 102, 5000] {
        let refused = update.piece(&mut flash, wrong, &file[101..200]);
        assert_eq!(refused, Err(UpdateError::Offset { expected: 101 }));
    }
    assert_eq!(update.piece(&mut flash, 101, &[]), Err(UpdateError::Piece));
    update.piece(&mut flash, 101, &file[101..]).unwrap();
    assert_eq!(update.finish(&mut flash, &mut storage), Ok(Progress::Ready));
}

#[test]
fn no_update_is_taken_while_one_is_on_trial() {
    let (flash, storage) = (SimFirmware::new(SLOT_BYTES, &image(1, 3000)), SimStorage::new());
    let new = file(&image(2, 3000));
    send(&flash, &storage, &new, 512).unwrap();
    assert_eq!(send(&flash, &storage, &new, 512), Err(UpdateError::OnTrial), "it is chosen already");
    on_trial(boot(&flash, &storage));
    // The slot that does not run holds the only image known to be good.
    assert_eq!(send(&flash, &storage, &new, 512), Err(UpdateError::OnTrial));
}

/// Allowed ends of an attempt with a power cut: the old image whole, or the new one.
fn assert_bootable(flash: &SimFirmware, storage: &SimStorage, images: [&[u8]; 2], cut: &str) {
    for start in 0..6 {
        let bootable = [images[0], images[1]].iter().any(|image| flash.bootable(image.len()) == **image);
        assert!(bootable, "{cut}, start {start}");
        let _ = boot(flash, storage);
    }
    // Nothing confirmed the new one, so the old one is back in the end.
    assert_eq!(flash.bootable(images[0].len()), images[0], "{cut}");
    // And an update can be sent again.
    assert_eq!(send(flash, storage, &file(images[1]), 512), Ok(Progress::Ready), "{cut}");
}

#[test]
fn after_a_power_cut_at_every_step_of_the_flash_a_whole_image_is_started() {
    let (old, new) = (image(1, 3000), image(2, 3333));
    let mut cuts = 0;
    for steps in 0.. {
        let (flash, storage) = (SimFirmware::new(SLOT_BYTES, &old), SimStorage::new());
        flash.cut_after(steps);
        let done = send(&flash, &storage, &file(&new), 512).is_ok();
        assert_bootable(&flash, &storage, [&old, &new], &std::format!("after {steps} steps"));
        if done {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 20, "{cuts} steps");
}

#[test]
fn after_a_power_cut_at_every_write_of_the_record_a_whole_image_is_started() {
    let (old, new) = (image(1, 3000), image(2, 3333));
    for after_writes in 0..8 {
        for leaves in [Survivor::Old, Survivor::New] {
            let (flash, storage) = (SimFirmware::new(SLOT_BYTES, &old), SimStorage::new());
            storage.cut_power(PowerCut { after_writes, leaves });
            let cut = std::format!("after {after_writes} writes, {leaves:?}");
            let _ = send(&flash, &storage, &file(&new), 512);
            // The cut may also come in one of the starts that follow.
            for _ in 0..8 {
                flash.start();
                let bootable = flash.bootable(old.len()) == old || flash.bootable(new.len()) == new;
                assert!(bootable, "{cut}");
                let _ = Trial::start(&mut flash.clone(), &mut storage.clone());
                if storage.is_without_power() {
                    storage.power_on();
                }
            }
            assert_bootable(&flash, &storage, [&old, &new], &cut);
        }
    }
}

#[test]
fn a_power_cut_while_rolling_back_is_no_harm() {
    let (old, new) = (image(1, 3000), image(2, 3333));
    for steps in 0..2 {
        let (flash, storage) = (SimFirmware::new(SLOT_BYTES, &old), SimStorage::new());
        send(&flash, &storage, &file(&new), 512).unwrap();
        for _ in 0..3 {
            on_trial(boot(&flash, &storage));
        }
        flash.start();
        flash.cut_after(steps);
        let _ = Trial::start(&mut flash.clone(), &mut storage.clone());
        assert!(matches!(boot(&flash, &storage), Start::RolledBack { .. }));
        assert_eq!(flash.bootable(old.len()), old);
    }
}

#[test]
fn errors_are_clauses() {
    let clauses: Vec<String> =
        [UpdateError::Sum, UpdateError::OnTrial, UpdateError::Flash].iter().map(ToString::to_string).collect();
    assert!(clauses.iter().all(|clause| !clause.ends_with('.')), "{clauses:?}");
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same_image(bytes in 1_usize..4000, sizes in proptest::collection::vec(1_usize..900, 1..8)) {
        let new = image(7, bytes);
        let (mut flash, mut storage) = (SimFirmware::new(SLOT_BYTES, &[1]), SimStorage::new());
        let file = file(&new);
        let first = (HEADER_BYTES + sizes[0]).min(file.len());
        let mut update = Update::begin(&mut flash, &mut storage, &file[..first]).unwrap();
        let (mut at, mut sizes) = (first, sizes.iter().cycle());
        while at < file.len() {
            let end = (at + sizes.next().unwrap()).min(file.len());
            update.piece(&mut flash, u32::try_from(at).unwrap(), &file[at..end]).unwrap();
            at = end;
        }
        prop_assert_eq!(update.finish(&mut flash, &mut storage), Ok(Progress::Ready));
        prop_assert_eq!(flash.bootable(bytes), new);
    }
}
