//! Why a board started.

use core::fmt;

/// What started the board, as its reset controller or the last run's note says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetReason {
    /// Power came.
    PowerOn,
    /// The reset button or pin.
    Pin,
    /// The supply fell too low: an engine is started.
    BrownOut,
    /// The watchdog: a poll took too long.
    Watchdog,
    /// A panic or an exception of the firmware.
    Crash,
    /// The firmware asked for it: an update, a factory reset.
    Software,
    /// Nobody can tell.
    Unknown,
}

impl ResetReason {
    /// Returns the word for it in the status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PowerOn => "power-on",
            Self::Pin => "pin",
            Self::BrownOut => "brown-out",
            Self::Watchdog => "watchdog",
            Self::Crash => "crash",
            Self::Software => "software",
            Self::Unknown => "unknown",
        }
    }

    /// Tells whether somebody wanted this start: only such starts count as a call for a factory reset.
    #[must_use]
    pub const fn is_by_hand(self) -> bool {
        matches!(self, Self::PowerOn | Self::Pin)
    }
}

impl fmt::Display for ResetReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerOn => "power came",
            Self::Pin => "the reset button was pressed",
            Self::BrownOut => "the supply fell too low",
            Self::Watchdog => "the watchdog barked: a poll took too long",
            Self::Crash => "the firmware crashed",
            Self::Software => "the firmware asked for it",
            Self::Unknown => "the reason is not known",
        })
    }
}
