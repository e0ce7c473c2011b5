//! The capabilities a package declares in `wasmCapabilities`: eleven of the contract, and what Skiff adds.

/// A capability of the plugin contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Capability {
    /// Outgoing HTTP through `as-fetch`.
    Network = 0,
    /// Files below the plugin's own root.
    Storage = 1,
    /// Reading the data model and receiving deltas.
    DataRead = 2,
    /// Emitting deltas.
    DataWrite = 3,
    /// Serial ports.
    SerialPorts = 4,
    /// PUT handlers.
    PutHandlers = 5,
    /// HTTP endpoints below `/plugins/<id>`.
    HttpEndpoints = 6,
    /// Resource provider.
    ResourceProvider = 7,
    /// Weather provider.
    WeatherProvider = 8,
    /// Radar provider.
    RadarProvider = 9,
    /// UDP and TCP sockets.
    RawSockets = 10,
    /// Autopilot provider, an extension.
    AutopilotProvider = 11,
}

impl Capability {
    /// Every capability, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::Network,
        Self::Storage,
        Self::DataRead,
        Self::DataWrite,
        Self::SerialPorts,
        Self::PutHandlers,
        Self::HttpEndpoints,
        Self::ResourceProvider,
        Self::WeatherProvider,
        Self::RadarProvider,
        Self::RawSockets,
        Self::AutopilotProvider,
    ];

    /// Returns the key in `wasmCapabilities`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Storage => "storage",
            Self::DataRead => "dataRead",
            Self::DataWrite => "dataWrite",
            Self::SerialPorts => "serialPorts",
            Self::PutHandlers => "putHandlers",
            Self::HttpEndpoints => "httpEndpoints",
            Self::ResourceProvider => "resourceProvider",
            Self::WeatherProvider => "weatherProvider",
            Self::RadarProvider => "radarProvider",
            Self::RawSockets => "rawSockets",
            Self::AutopilotProvider => "autopilotProvider",
        }
    }

    /// Finds a capability by its key in `wasmCapabilities`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Capability;

    #[test]
    fn every_name_finds_its_capability_again() {
        for capability in Capability::ALL {
            assert_eq!(Capability::from_name(capability.name()), Some(capability));
        }
        assert_eq!(Capability::from_name("staticFiles"), None);
    }
}
