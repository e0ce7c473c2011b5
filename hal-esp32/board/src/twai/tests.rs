use std::vec::Vec;

use proptest::prelude::*;
use skiff_runtime::hal::{CanError, CanFrame, CanState};

use super::model::{Model, Sent};
use super::{Controller, Part, Raw, Registers, Sink, drain, frame_of, register};

/// Room for so many.
struct Queue(Vec<Raw>, usize);

impl Sink for Queue {
    fn put(&mut self, raw: &Raw) -> bool {
        let has_room = self.0.len() < self.1;
        if has_room {
            self.0.push(*raw);
        }
        has_room
    }
}

fn frame(number: u8) -> CanFrame {
    CanFrame::new(0x09f1_1203, &[number; 8]).unwrap()
}

/// As another controller puts it on the bus.
fn raw(frame: &CanFrame) -> Raw {
    let mut sender = Controller::new(Model::started(false), Part::Full);
    sender.transmit(frame).unwrap();
    let Sent::Frame(raw) = sender.registers().send(true) else { panic!("nothing was sent") };
    raw
}

fn received(model: &mut Model) -> (Vec<CanFrame>, u32) {
    let mut queue = Queue(Vec::new(), usize::MAX);
    let lost = drain(model, &mut queue);
    (queue.0.iter().filter_map(frame_of).collect(), lost)
}

#[test]
fn what_one_sends_another_receives() {
    let mut model = Model::started(false);
    for length in 0..=8 {
        let frame = CanFrame::new(0x1dff_fa7f - length as u32, &[1, 2, 3, 4, 5, 6, 7, 8][..length]).unwrap();
        assert!(model.deliver(&raw(&frame)), "acknowledged");
        assert_eq!(received(&mut model), (Vec::from([frame]), 0));
    }
}

#[test]
fn standard_and_remote_frames_are_no_frames_of_nmea_2000() {
    let whole = raw(&frame(1));
    for information in [0x08, 0xc8, 0x48] {
        let mut other = whole;
        other[0] = information;
        assert_eq!(frame_of(&other), None);
    }
    let mut long = whole;
    long[0] = 0x8f;
    assert_eq!(frame_of(&long).unwrap().data().len(), 8, "more than eight is eight");
}

#[test]
fn who_only_listens_acknowledges_nothing_and_sends_nothing() {
    let mut controller = Controller::new(Model::started(true), Part::Listen);
    assert_eq!(controller.transmit(&frame(1)), Err(CanError::Off));
    assert!(!controller.registers().is_sending());
    assert!(!controller.registers().deliver(&raw(&frame(2))), "not acknowledged");
    assert_eq!(received(controller.registers()).0, [frame(2)], "but heard");
}

#[test]
fn frames_without_room_are_counted_and_the_next_are_whole() {
    let mut model = Model::started(true);
    for number in 0..10 {
        model.deliver(&raw(&frame(number)));
    }
    let (frames, lost) = received(&mut model);
    assert_eq!((frames.len(), lost), (4, 6), "64 bytes hold four frames of 13");
    assert_eq!(model.read(register::STATUS) & register::STATUS_OVERRUN, 0, "cleared");
    model.deliver(&raw(&frame(11)));
    assert_eq!(received(&mut model), (Vec::from([frame(11)]), 0));
}

#[test]
fn a_bit_that_stays_when_nothing_waits_costs_no_frame() {
    let mut model = Model::started(true);
    model.missed_sticks = true;
    for number in 0..10 {
        model.deliver(&raw(&frame(number)));
    }
    assert_eq!(received(&mut model).1, 6);
    assert_ne!(model.read(register::STATUS) & register::STATUS_MISSED, 0, "it stays");
    for number in 20..24 {
        model.deliver(&raw(&frame(number)));
    }
    let (frames, lost) = received(&mut model);
    assert_eq!((frames.len(), lost), (4, 0));
}

#[test]
fn more_lost_frames_than_the_counter_tells_do_not_hold_the_handler() {
    let mut model = Model::started(true);
    for number in 0..=255 {
        model.deliver(&raw(&frame(number)));
    }
    assert_eq!(received(&mut model), ((0..4).map(frame).collect(), 60), "64 are counted");
    assert!(!model.interrupts());
}

#[test]
fn a_controller_whose_counter_never_falls_does_not_hold_the_handler() {
    struct Broken;
    impl Registers for Broken {
        fn read(&self, _: usize) -> u32 {
            u32::MAX
        }
        fn write(&mut self, _: usize, _: u32) {}
    }
    assert_eq!(drain(&mut Broken, &mut Queue(Vec::new(), 0)), 128);
}

#[test]
fn a_full_queue_counts_what_it_has_no_room_for() {
    let mut model = Model::started(true);
    for number in 0..3 {
        model.deliver(&raw(&frame(number)));
    }
    let mut queue = Queue(Vec::new(), 2);
    assert_eq!(drain(&mut model, &mut queue), 1);
    assert_eq!(queue.0.len(), 2);
    assert!(!model.interrupts(), "the controller is empty nevertheless");
}

#[test]
fn one_frame_is_sent_at_a_time() {
    let mut controller = Controller::new(Model::started(false), Part::Full);
    assert_eq!(controller.transmit(&frame(1)), Ok(()));
    assert_eq!(controller.transmit(&frame(2)), Err(CanError::Full));
    assert_eq!(controller.registers().send(true), Sent::Frame(raw(&frame(1))));
    assert_eq!(controller.transmit(&frame(2)), Ok(()));
}

#[test]
fn a_bus_connected_after_the_start_gets_what_waits_and_is_heard() {
    let mut controller = Controller::new(Model::started(false), Part::Full);
    assert_eq!(controller.transmit(&frame(1)), Ok(()));
    // For an hour nobody is there.
    for _ in 0..100_000 {
        assert_eq!(controller.registers().send(false), Sent::Alone);
    }
    assert_eq!(controller.state(), CanState::Passive, "passive, never off");
    assert_eq!(controller.transmit(&frame(2)), Err(CanError::Full));
    assert_eq!(controller.registers().send(true), Sent::Frame(raw(&frame(1))), "the claim goes first");
    assert!(controller.registers().deliver(&raw(&frame(9))));
    assert_eq!(received(controller.registers()).0, [frame(9)]);
    for _ in 0..40 {
        assert_eq!(controller.transmit(&frame(2)), Ok(()));
        assert!(matches!(controller.registers().send(true), Sent::Frame(_)));
    }
    assert_eq!(controller.state(), CanState::Active);
}

fn off() -> Controller<Model> {
    let mut controller = Controller::new(Model::started(false), Part::Full);
    let mut seen = Vec::new();
    while controller.state() != CanState::BusOff {
        seen.push(controller.state());
        controller.registers().transmit_error();
    }
    seen.dedup();
    assert_eq!(seen, [CanState::Active, CanState::Warning, CanState::Passive]);
    controller
}

#[test]
fn off_the_bus_nothing_is_sent_or_heard_until_it_was_quiet() {
    let mut controller = off();
    assert_eq!(controller.transmit(&frame(1)), Err(CanError::Off));
    assert!(!controller.registers().deliver(&raw(&frame(2))));
    controller.registers().quiet(1000);
    assert_eq!(controller.state(), CanState::BusOff, "it comes back when it is asked to");
    controller.restart();
    controller.registers().quiet(127);
    assert_eq!(controller.state(), CanState::BusOff);
    controller.registers().quiet(1);
    assert_eq!(controller.state(), CanState::Active);
    assert_eq!(controller.transmit(&frame(1)), Ok(()));
    assert!(controller.registers().deliver(&raw(&frame(2))));
    assert_eq!(received(controller.registers()), (Vec::from([frame(2)]), 0));
}

#[test]
fn asking_again_does_not_begin_the_count_anew() {
    let mut controller = off();
    for _ in 0..4 {
        controller.restart();
        controller.registers().quiet(32);
    }
    assert_eq!(controller.state(), CanState::Active);
}

#[test]
fn a_controller_left_in_reset_is_down_and_starts_when_asked_to() {
    let mut controller = Controller::new(Model::default(), Part::Full);
    assert_eq!(controller.state(), CanState::Down);
    assert_eq!(controller.transmit(&frame(1)), Err(CanError::Off));
    controller.restart();
    assert_eq!(controller.state(), CanState::Active);
}

/// What the core does with a controller that goes off: the pauses are the core's (`n2k::node::link`).
#[test]
fn the_core_brings_it_back_with_pauses_that_grow() {
    use skiff_runtime::n2k::node::link::{Link, LinkChange};
    use skiff_runtime::time::Instant;

    let mut controller = Controller::new(Model::started(false), Part::Full);
    let (mut link, mut restarts) = (Link::default(), Vec::new());
    for now in 0..60_000 {
        match link.poll(controller.state(), Instant(now * 1000)) {
            LinkChange::Restart => {
                restarts.push(now);
                controller.restart();
            }
            // A shorted bus: whatever is sent is an error.
            LinkChange::Up => (0..32).for_each(|_| controller.registers().transmit_error()),
            LinkChange::Down | LinkChange::None => {}
        }
        controller.registers().quiet(22);
    }
    let pauses: Vec<u64> = restarts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]) && pauses.len() > 4, "{pauses:?}");
    assert!(pauses.last().is_some_and(|pause| *pause >= 10_000), "{pauses:?}");
}

proptest! {
    /// Whatever comes, and whenever the handler has its turn: each frame is received once, in order, or counted.
    #[test]
    fn no_frame_is_lost_uncounted(bursts in proptest::collection::vec(0_usize..12, 1..40), sticks: bool) {
        let mut model = Model::started(true);
        model.missed_sticks = sticks;
        let (mut number, mut lost, mut frames) = (0_u32, 0, Vec::new());
        for burst in &bursts {
            for _ in 0..*burst {
                let frame = CanFrame::new(number, &number.to_be_bytes()).unwrap();
                model.deliver(&raw(&frame));
                number += 1;
            }
            let (taken, missing) = received(&mut model);
            frames.extend(taken.iter().map(CanFrame::id));
            lost += missing;
        }
        prop_assert_eq!(u32::try_from(frames.len()).unwrap() + lost, number);
        prop_assert!(frames.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(!model.interrupts());
    }
}
