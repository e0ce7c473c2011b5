//! How a board is, in one word: for the status, and for a light.

/// How the board is; where several hold, the first in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// New firmware is being written or tried.
    Updating,
    /// A plugin has crashed.
    PluginCrashed,
    /// A plugin loses what it tells: it holds its share of the model, or emits more than one call may.
    PluginOverShare,
    /// Nothing comes from the bus.
    NoBus,
    /// No network.
    NoNetwork,
    /// All is well.
    Good,
}

/// What it is decided from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthFacts {
    /// Firmware is being written or tried.
    pub updating: bool,
    /// A plugin is in state `crashed`.
    pub plugin_crashed: bool,
    /// A plugin loses what it tells.
    pub plugin_over_share: bool,
    /// The bus is up and something came in the last seconds.
    pub bus: bool,
    /// There is a network.
    pub network: bool,
}

impl Health {
    /// Finds the worst that holds.
    #[must_use]
    pub const fn of(facts: HealthFacts) -> Self {
        match facts {
            HealthFacts { updating: true, .. } => Self::Updating,
            HealthFacts { plugin_crashed: true, .. } => Self::PluginCrashed,
            HealthFacts { plugin_over_share: true, .. } => Self::PluginOverShare,
            HealthFacts { bus: false, .. } => Self::NoBus,
            HealthFacts { network: false, .. } => Self::NoNetwork,
            _ => Self::Good,
        }
    }

    /// Returns the word for it in the status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Updating => "updating",
            Self::PluginCrashed => "plugin-crashed",
            Self::PluginOverShare => "plugin-over-share",
            Self::NoBus => "no-bus",
            Self::NoNetwork => "no-network",
            Self::Good => "good",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: HealthFacts =
        HealthFacts { updating: false, plugin_crashed: false, plugin_over_share: false, bus: true, network: true };

    #[test]
    fn the_worst_is_told() {
        assert_eq!(Health::of(GOOD), Health::Good);
        assert_eq!(Health::of(HealthFacts { network: false, ..GOOD }), Health::NoNetwork);
        assert_eq!(Health::of(HealthFacts { network: false, bus: false, ..GOOD }), Health::NoBus);
        assert_eq!(Health::of(HealthFacts { plugin_crashed: true, bus: false, ..GOOD }), Health::PluginCrashed);
        assert_eq!(Health::of(HealthFacts { plugin_over_share: true, bus: false, ..GOOD }), Health::PluginOverShare);
        assert_eq!(Health::of(HealthFacts { updating: true, plugin_crashed: true, ..GOOD }), Health::Updating);
    }
}
