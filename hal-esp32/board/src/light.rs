//! What the LED shows.

use skiff_runtime::time::Instant;

/// How the board is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// The button is held, a factory reset comes: very fast.
    AboutToForget,
    /// Something is broken: the storage, a plugin: fast.
    Fault,
    /// The controller is off the bus, or nothing is heard there: twice, then a pause.
    NoBus,
    /// Reachable over its own network only: once a second.
    SetUp,
    /// All is well: on, with a short gap.
    Good,
}

/// Returns whether the LED is on at a moment.
#[must_use]
pub fn is_on(health: Health, now: Instant) -> bool {
    let ms = now.0 / 1000 % 2000;
    match health {
        Health::AboutToForget => ms % 100 < 50,
        Health::Fault => ms % 250 < 125,
        Health::NoBus => ms < 150 || (300..450).contains(&ms),
        Health::SetUp => ms % 1000 < 500,
        Health::Good => ms < 1900,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(health: Health) -> usize {
        let states: std::vec::Vec<bool> = (0..2000).map(|ms| is_on(health, Instant(ms * 1000))).collect();
        states.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    #[test]
    fn each_state_looks_different() {
        let counts = [Health::AboutToForget, Health::Fault, Health::NoBus, Health::SetUp, Health::Good].map(changes);
        assert_eq!(counts, [39, 15, 3, 3, 1]);
        let share = |health| (0..2000).filter(|ms| is_on(health, Instant(ms * 1000))).count();
        assert_eq!((share(Health::NoBus), share(Health::SetUp), share(Health::Good)), (300, 1000, 1900));
    }
}
