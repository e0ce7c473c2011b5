//! What a held button asks for.
//!
//! The only button of the usual boards is the one that also chooses the boot loader when it is held at a reset, so that
//! it counts only when it was seen released first. A factory reset erases configuration, installed plugins, networks and
//! the administration token: it is the way out when that is lost.

use core::time::Duration;

use skiff_runtime::time::Instant;

/// Time held after which the board warns that it is about to forget everything.
pub const WARN: Duration = Duration::from_secs(3);
/// Time held after which it forgets everything.
pub const RESET: Duration = Duration::from_secs(10);
/// Time held after which letting go opens the set-up page: nobody leans on it for so long by chance.
pub const SHORT: Duration = Duration::from_millis(300);
/// Contacts bounce.
const BOUNCE: Duration = Duration::from_millis(30);

/// What the button asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    None,
    /// It was pressed and let go: the set-up network is to be made, and its page is to be open.
    OpenSetUp,
    /// It is held, and will ask for a factory reset.
    Warn,
    /// Forget everything and start anew.
    FactoryReset,
}

/// Watches the button.
#[derive(Clone, Debug, Default)]
pub struct Button {
    was_released: bool,
    pressed_since: Option<Instant>,
    /// When it was last seen released, for contacts that bounce.
    released_at: Option<Instant>,
}

impl Button {
    /// Takes the state of the button.
    pub fn poll(&mut self, is_pressed: bool, now: Instant) -> Wish {
        if !is_pressed {
            let since = *self.released_at.get_or_insert(now);
            if now.since(since) < BOUNCE {
                return Wish::None;
            }
            self.was_released = true;
            let held = self.pressed_since.take().map(|pressed| since.since(pressed));
            return if held.is_some_and(|held| (SHORT..WARN).contains(&held)) { Wish::OpenSetUp } else { Wish::None };
        }
        self.released_at = None;
        if !self.was_released {
            return Wish::None;
        }
        let held = now.since(*self.pressed_since.get_or_insert(now));
        if held >= RESET {
            self.was_released = false;
            self.pressed_since = None;
            return Wish::FactoryReset;
        }
        if held >= WARN { Wish::Warn } else { Wish::None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant(ms * 1000)
    }

    fn released() -> Button {
        let mut button = Button::default();
        button.poll(false, at(0));
        button.poll(false, at(50));
        button
    }

    #[test]
    fn ten_seconds_ask_for_a_factory_reset_once() {
        let mut button = released();
        assert_eq!(button.poll(true, at(1000)), Wish::None);
        assert_eq!(button.poll(true, at(3900)), Wish::None);
        assert_eq!(button.poll(true, at(4000)), Wish::Warn);
        assert_eq!(button.poll(true, at(10_999)), Wish::Warn);
        assert_eq!(button.poll(true, at(11_000)), Wish::FactoryReset);
        assert_eq!(button.poll(true, at(30_000)), Wish::None);
    }

    #[test]
    fn letting_go_begins_anew() {
        let mut button = released();
        for start in [1000, 12_000] {
            assert_eq!(button.poll(true, at(start)), Wish::None);
            assert_eq!(button.poll(true, at(start + 9000)), Wish::Warn);
            assert_eq!(button.poll(false, at(start + 9100)), Wish::None);
            assert_eq!(button.poll(false, at(start + 9200)), Wish::None);
        }
    }

    #[test]
    fn a_short_press_opens_the_set_up_page_once() {
        let mut button = released();
        for (held, wish) in [(200, Wish::None), (400, Wish::OpenSetUp), (2900, Wish::OpenSetUp), (3100, Wish::None)] {
            button.poll(true, at(10_000));
            button.poll(true, at(10_000 + held - 1));
            assert_eq!(button.poll(false, at(10_000 + held)), Wish::None);
            assert_eq!(button.poll(false, at(10_000 + held + 40)), wish, "held {held} ms");
            assert_eq!(button.poll(false, at(10_000 + held + 90)), Wish::None);
        }
    }

    #[test]
    fn a_bounce_is_no_release() {
        let mut button = released();
        button.poll(true, at(1000));
        button.poll(false, at(5000));
        assert_eq!(button.poll(true, at(5010)), Wish::Warn);
        assert_eq!(button.poll(true, at(11_000)), Wish::FactoryReset);
    }

    #[test]
    fn a_button_that_is_stuck_at_the_start_asks_for_nothing() {
        let mut button = Button::default();
        assert!((0..100).all(|second| button.poll(true, at(second * 1000)) == Wish::None));
    }
}
