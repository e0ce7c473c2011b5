//! The health light: what it shows, and when it is on.

use crate::time::Instant;

/// What the light shows; where several hold, the first in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// New firmware is being written or tried: flickers ten times a second.
    Updating,
    /// A plugin has crashed for good: three flashes, then a pause.
    PluginCrashed,
    /// Nothing comes from the bus: two flashes, then a pause.
    NoBus,
    /// No network: one flash, then a pause.
    NoNetwork,
    /// On all the time, with a short gap every four seconds that tells it from a board that hangs.
    Good,
}

/// What the light is decided from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthFacts {
    /// Firmware is being written or tried.
    pub updating: bool,
    /// A plugin is in state `crashed`.
    pub plugin_crashed: bool,
    /// The bus is up and something came in the last seconds.
    pub bus: bool,
    /// There is a network.
    pub network: bool,
}

/// Length of one step of a pattern, milliseconds, and steps of a round.
const STEP_MILLIS: u64 = 100;
const FLASHES_STEPS: u64 = 20;
const GOOD_STEPS: u64 = 40;

impl Health {
    /// Decides what is shown.
    #[must_use]
    pub const fn of(facts: HealthFacts) -> Self {
        match facts {
            HealthFacts { updating: true, .. } => Self::Updating,
            HealthFacts { plugin_crashed: true, .. } => Self::PluginCrashed,
            HealthFacts { bus: false, .. } => Self::NoBus,
            HealthFacts { network: false, .. } => Self::NoNetwork,
            _ => Self::Good,
        }
    }

    /// Tells whether the light is on at `now`; nothing else decides it.
    #[must_use]
    pub const fn is_lit(self, now: Instant) -> bool {
        let step = now.as_millis() / STEP_MILLIS;
        match self {
            Self::Updating => step.is_multiple_of(2),
            Self::PluginCrashed => flash(step, 3),
            Self::NoBus => flash(step, 2),
            Self::NoNetwork => flash(step, 1),
            Self::Good => step % GOOD_STEPS != 0,
        }
    }

    /// Returns the word for it in the status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Updating => "updating",
            Self::PluginCrashed => "plugin-crashed",
            Self::NoBus => "no-bus",
            Self::NoNetwork => "no-network",
            Self::Good => "good",
        }
    }
}

/// `count` flashes of two steps with gaps of two, then dark until the round ends.
const fn flash(step: u64, count: u64) -> bool {
    let step = step % FLASHES_STEPS;
    step < 4 * count && step % 4 < 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: HealthFacts = HealthFacts { updating: false, plugin_crashed: false, bus: true, network: true };

    #[test]
    fn the_worst_is_shown() {
        assert_eq!(Health::of(GOOD), Health::Good);
        assert_eq!(Health::of(HealthFacts { network: false, ..GOOD }), Health::NoNetwork);
        assert_eq!(Health::of(HealthFacts { network: false, bus: false, ..GOOD }), Health::NoBus);
        assert_eq!(Health::of(HealthFacts { plugin_crashed: true, bus: false, ..GOOD }), Health::PluginCrashed);
        assert_eq!(Health::of(HealthFacts { updating: true, plugin_crashed: true, ..GOOD }), Health::Updating);
    }

    /// Flashes that begin and time lit within two rounds of 4 s.
    fn seen(health: Health) -> (usize, usize) {
        let lit = |step: u64| health.is_lit(Instant::from_millis(step * 100 + 37));
        ((1..81).filter(|step| lit(*step) && !lit(step - 1)).count(), (0..80).filter(|step| lit(*step)).count())
    }

    #[test]
    fn patterns_can_be_told_apart() {
        assert_eq!(seen(Health::Good), (2, 78));
        assert_eq!(seen(Health::NoNetwork), (4, 8));
        assert_eq!(seen(Health::NoBus), (8, 16));
        assert_eq!(seen(Health::PluginCrashed), (12, 24));
        assert_eq!(seen(Health::Updating), (40, 40));
    }
}
