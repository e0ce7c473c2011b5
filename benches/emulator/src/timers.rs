//! The timer of the scheduler (first of group 0), and the watchdog of the low-power domain.

use crate::bus::PER_US;

const ENABLED: u32 = 1 << 31;
const UPWARD: u32 = 1 << 30;
const AGAIN: u32 = 1 << 29;
const ALARM: u32 = 1 << 10;
/// Ticks of the slow clock in a second (RC_SLOW).
const SLOW_HZ: u64 = 136_000;
/// What unlocks the watchdog.
const KEY: u32 = 0x50d8_3aa1;

/// A timer of 54 bits with an alarm.
#[derive(Clone, Debug, Default)]
pub struct Timer {
    config: u32,
    mhz: u64,
    /// Its value at a cycle.
    base: u64,
    since: u64,
    latched: u64,
    alarm: u64,
    load: u64,
    wanted: u32,
    raw: u32,
    calibration: u32,
}

impl Timer {
    fn divider(&self) -> u64 {
        match self.config >> 13 & 0xffff {
            0 => 65_536,
            1 => 2,
            divider => divider.into(),
        }
    }

    fn value(&self, now: u64) -> u64 {
        if self.config & ENABLED == 0 {
            return self.base;
        }
        let ticks = (now - self.since) * self.mhz / (PER_US * self.divider());
        if self.config & UPWARD == 0 { self.base.wrapping_sub(ticks) } else { self.base.wrapping_add(ticks) }
    }

    fn rebase(&mut self, now: u64) {
        (self.base, self.since) = (self.value(now), now);
    }

    /// Reads a register; `None` for those of the rest of the group.
    #[must_use]
    pub fn read(&self, offset: usize, _: u64) -> Option<u32> {
        Some(match offset {
            0x00 => self.config,
            0x04 => self.latched as u32,
            0x08 => (self.latched >> 32) as u32,
            // The value was taken at once.
            0x0c => 0,
            0x10 => self.alarm as u32,
            0x14 => (self.alarm >> 32) as u32,
            0x68 => self.calibration | 1 << 15,
            // Cycles of the crystal (40 MHz) in so many of the slow clock.
            0x6c => (((self.calibration >> 16 & 0x7fff) as u64 * 40_000_000 / SLOW_HZ) as u32) << 7,
            0x70 => self.wanted,
            0x74 => self.raw,
            0x78 => self.raw & self.wanted,
            _ => return None,
        })
    }

    /// Writes a register; `false` for those of the rest of the group.
    pub fn write(&mut self, offset: usize, value: u32, now: u64, mhz: u64) -> bool {
        match offset {
            0x00 => {
                self.rebase(now);
                (self.config, self.mhz) = (value, mhz);
            }
            0x0c => self.latched = self.value(now),
            0x10 => self.alarm = self.alarm & !0xffff_ffff | u64::from(value),
            0x14 => self.alarm = self.alarm & 0xffff_ffff | u64::from(value) << 32,
            0x18 => self.load = self.load & !0xffff_ffff | u64::from(value),
            0x1c => self.load = self.load & 0xffff_ffff | u64::from(value) << 32,
            0x20 => (self.base, self.since) = (self.load, now),
            0x68 => self.calibration = value,
            0x70 => self.wanted = value,
            0x7c => self.raw &= !value,
            _ => return false,
        }
        true
    }

    /// The alarm, where it is reached.
    pub fn advance(&mut self, now: u64) {
        if self.config & (ENABLED | ALARM) == ENABLED | ALARM && self.value(now) >= self.alarm {
            self.raw |= 1;
            // An alarm is for one time.
            self.config &= !ALARM;
            if self.config & AGAIN != 0 {
                (self.base, self.since) = (self.load, now);
            }
        }
    }

    /// When the alarm is due.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        if self.config & (ENABLED | ALARM | UPWARD) != ENABLED | ALARM | UPWARD {
            return None;
        }
        let ticks = self.alarm.saturating_sub(self.base);
        Some(self.since + (ticks.saturating_mul(PER_US * self.divider())).div_ceil(self.mhz))
    }

    /// Tells whether it asks for an interrupt.
    #[must_use]
    pub fn interrupts(&self) -> bool {
        self.raw & self.wanted & 1 != 0
    }
}

/// The watchdog; its first stage alone, for the firmware uses no other.
#[derive(Clone, Debug, Default)]
pub struct Watchdog {
    config: u32,
    hold: u32,
    fed: u64,
    is_open: bool,
}

impl Watchdog {
    /// Writes a register.
    pub fn write(&mut self, offset: usize, value: u32, now: u64) {
        match offset {
            0x18 => self.is_open = value == KEY,
            0x00 if self.is_open => (self.config, self.fed) = (value, now),
            0x04 if self.is_open => self.hold = value,
            0x14 if self.is_open => self.fed = now,
            _ => {}
        }
    }

    /// When it resets, if nobody feeds it.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        let resets = self.config >> 28 & 7 >= 2;
        // The time is doubled, by fuses that nobody blew (ESP-IDF, `wdt_hal_iram.c`).
        let us = (u64::from(self.hold) << 1) * 1_000_000 / SLOW_HZ;
        (self.config & ENABLED != 0 && resets).then_some(self.fed + us * PER_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_comes_once_and_at_its_time() {
        let mut timer = Timer::default();
        timer.write(0x10, 1000, 0, 40);
        timer.write(0x00, ENABLED | UPWARD | ALARM | 40 << 13, 0, 40);
        timer.write(0x70, 1, 0, 40);
        assert_eq!(timer.due(), Some(1000 * PER_US), "microseconds");
        timer.advance(1000 * PER_US - 1);
        assert!(!timer.interrupts());
        timer.advance(1000 * PER_US);
        assert!(timer.interrupts());
        assert_eq!(timer.due(), None);
        timer.write(0x7c, 1, 0, 40);
        assert!(!timer.interrupts());
    }

    #[test]
    fn the_watchdog_is_locked_and_wants_to_be_fed() {
        let mut watchdog = Watchdog::default();
        watchdog.write(0x00, ENABLED | 4 << 28, 0);
        assert_eq!(watchdog.due(), None, "locked");
        watchdog.write(0x18, KEY, 0);
        watchdog.write(0x04, 340_000, 0);
        watchdog.write(0x00, ENABLED | 4 << 28, 0);
        assert_eq!(watchdog.due(), Some(5_000_000 * PER_US));
        watchdog.write(0x14, 1 << 31, 160);
        assert_eq!(watchdog.due(), Some(5_000_001 * PER_US));
    }
}
