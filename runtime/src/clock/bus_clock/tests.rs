use super::*;
use std::string::String;

const NOON: i64 = BUILT_AFTER.0 + 43_200_000;

fn says(source: &str, origin: Origin, time: i64) -> Sighting {
    let source = SourceName::try_from(source).unwrap();
    Sighting { source, origin, time: UnixMillis(time), local_offset_minutes: None }
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

/// A device whose clock shows `NOON` at boot, told at each whole second of `seconds`, `late` milliseconds late.
fn listen(clock: &mut BusClock, source: &str, origin: Origin, seconds: core::ops::Range<u64>, ahead: i64) {
    for second in seconds {
        let time = NOON + ahead + i64::try_from(second * 1000).unwrap();
        clock.take(&says(source, origin, time), at(second));
    }
}

fn shown(clock: &BusClock, second: u64) -> Option<i64> {
    clock.wall(at(second)).map(|wall| wall.0 - NOON)
}

fn status(clock: &BusClock, second: u64) -> String {
    crate::json::object(|out| clock.status(at(second), out))
}

#[test]
fn one_device_is_believed_after_three_seconds() {
    let mut clock = BusClock::default();
    listen(&mut clock, "can0.7", Origin::Gnss, 5..8, 0);
    assert_eq!((clock.wall(at(8)), clock.state(at(8))), (None, ClockState::Unknown));
    listen(&mut clock, "can0.7", Origin::Gnss, 8..9, 0);
    assert_eq!((shown(&clock, 10), clock.state(at(10))), (Some(10_000), ClockState::Followed));
}

#[test]
fn two_devices_that_agree_are_believed_at_once() {
    let mut clock = BusClock::default();
    listen(&mut clock, "can0.7", Origin::Untold, 5..6, -400);
    listen(&mut clock, "gps.GP", Origin::Gnss, 5..6, 0);
    assert_eq!(shown(&clock, 6), Some(6_000));
    let mut apart = BusClock::default();
    listen(&mut apart, "can0.7", Origin::Untold, 5..6, -4_000);
    listen(&mut apart, "gps.GP", Origin::Gnss, 5..6, 0);
    assert_eq!(shown(&apart, 6), None);
}

#[test]
fn a_clock_that_stands_still_is_never_believed() {
    let mut clock = BusClock::default();
    for second in 0..100 {
        assert_eq!(clock.take(&says("can0.7", Origin::Gnss, NOON), at(second)), None);
    }
}

#[test]
fn what_cannot_be_is_counted_and_not_believed() {
    let mut clock = BusClock::default();
    // A receiver whose week number ran over, and one that says the year 2099.
    listen(&mut clock, "can0.7", Origin::Gnss, 0..20, -1024 * 7 * 86_400_000);
    listen(&mut clock, "can0.8", Origin::Gnss, 0..20, 73 * 365 * 86_400_000);
    assert_eq!(clock.wall(at(20)), None);
    assert_eq!(status(&clock, 20), r#"{"state":"unknown","jumps":0,"implausible":40}"#);
}

#[test]
fn noise_does_not_move_a_clock_that_is_set() {
    let mut clock = BusClock::default();
    listen(&mut clock, "can0.7", Origin::Gnss, 0..10, 0);
    for second in 10..100 {
        // Every third sighting of the device itself is wrong, another time each.
        let wrong = if second % 3 == 0 { -3_600_000 * i64::try_from(second).unwrap() } else { 0 };
        listen(&mut clock, "can0.7", Origin::Gnss, second..second + 1, wrong);
        // Something else is an hour ahead all the time, from a quartz.
        listen(&mut clock, "can0.9", Origin::Crystal, second..second + 1, 3_600_000);
        assert_eq!(shown(&clock, second), Some(i64::try_from(second * 1000).unwrap()));
    }
    assert!(status(&clock, 100).contains(r#""jumps":0"#));
}

#[test]
fn the_followed_device_may_jump_when_it_means_it() {
    let mut clock = BusClock::default();
    listen(&mut clock, "can0.7", Origin::Gnss, 0..10, 0);
    listen(&mut clock, "can0.7", Origin::Gnss, 10..20, -60_000);
    assert_eq!(shown(&clock, 20), Some(20_000));
    listen(&mut clock, "can0.7", Origin::Gnss, 20..21, -60_000);
    assert_eq!(shown(&clock, 21), Some(-39_000));
    assert!(status(&clock, 21).contains(r#""jumps":1"#));
}

#[test]
fn a_better_device_takes_over_and_a_lesser_one_does_not() {
    let mut clock = BusClock::default();
    listen(&mut clock, "can0.9", Origin::Crystal, 0..10, 90_000);
    assert_eq!(shown(&clock, 10), Some(100_000));
    listen(&mut clock, "can0.7", Origin::Gnss, 10..21, 0);
    assert_eq!(shown(&clock, 21), Some(21_000));
    listen(&mut clock, "can0.9", Origin::Crystal, 21..60, 90_000);
    assert_eq!(shown(&clock, 60), Some(60_000));
    assert!(status(&clock, 60).starts_with(r#"{"state":"followed","source":"can0.7","origin":"gnss","silent_s":40"#));
}

#[test]
fn a_silent_device_leaves_a_clock_that_goes_on() {
    let mut clock = BusClock::default();
    listen(&mut clock, "can0.7", Origin::Gnss, 0..10, 0);
    assert_eq!((clock.state(at(200)), shown(&clock, 200)), (ClockState::Held, Some(200_000)));
    // A quartz that shows something else is not better than ours, until ours is a day old.
    listen(&mut clock, "can0.9", Origin::Crystal, 200..260, 5_000);
    assert_eq!(shown(&clock, 260), Some(260_000));
    listen(&mut clock, "can0.9", Origin::Crystal, 90_000..90_011, 5_000);
    assert_eq!(shown(&clock, 90_011), Some(90_016_000));
}

#[test]
fn drift_is_followed_and_never_goes_back_visibly() {
    let mut clock = BusClock::default();
    let (mut before, mut largest) = (i64::MIN, 0);
    // Our quartz is 1000 ppm fast: after each minute the device seems 60 ms further behind. It sends 0 to 300 ms late.
    for tenth in 0..18_000_u64 {
        let now = Instant::from_millis(tenth * 100);
        let truth = NOON + i64::try_from(tenth * 100 - tenth / 10).unwrap();
        if tenth % 10 == 0 {
            let late = i64::try_from(tenth / 10 * 70 % 300).unwrap();
            clock.take(&says("can0.7", Origin::Gnss, truth - late), now);
        }
        clock.tick(now);
        if let Some(wall) = clock.wall(now) {
            assert!(wall.0 > before, "went back at {tenth}");
            before = wall.0;
            largest = i64::max(largest, if tenth > 1300 { (wall.0 - truth).abs() } else { 0 });
        }
    }
    assert!(largest < 150, "{largest} ms off");
    assert!(
        status(&clock, 1800).contains(r#""drift_ppm":-100"#) || status(&clock, 1800).contains(r#""drift_ppm":-99"#)
    );
}

#[test]
fn many_devices_take_bounded_memory() {
    let mut clock = BusClock::default();
    for device in 0..200_u32 {
        let name = std::format!("can0.{device}");
        clock.take(&says(&name, Origin::Untold, NOON + i64::from(device) * 10_000), at(1));
    }
    assert_eq!((clock.candidates.len(), clock.wall(at(1))), (CANDIDATES, None));
}
