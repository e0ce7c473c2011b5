//! What a call is for, and which export it calls.

use skiff_abi::{export, values};

use super::Call;

/// The kind of a [`Call`]; the rest of it is not needed while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// Asks for the id.
    Id,
    /// Asks for the name.
    Name,
    /// Asks for the schema of the configuration.
    Schema,
    /// Asks for the HTTP endpoints.
    Endpoints,
    /// Starts the plugin.
    Start,
    /// Stops it.
    Stop,
    /// Wakes it once a second.
    Poll,
    /// Frees what nobody holds.
    Collect,
    /// Hands a delta over.
    Delta,
    /// Tells that inputs arrived.
    Update,
    /// Asks the handler of a request, a PUT or a provider.
    Handler,
    /// Hands the answer to an asynchronous fetch over.
    Fetched,
}

impl CallKind {
    /// Returns the name of the export; a handler is named by each request anew.
    #[must_use]
    pub const fn export(self) -> &'static str {
        match self {
            Self::Id => export::PLUGIN_ID,
            Self::Name => export::PLUGIN_NAME,
            Self::Schema => export::PLUGIN_SCHEMA,
            Self::Endpoints => export::HTTP_ENDPOINTS,
            Self::Start => export::PLUGIN_START,
            Self::Stop => export::PLUGIN_STOP,
            Self::Poll => export::POLL,
            Self::Collect => export::AS_COLLECT,
            Self::Delta => export::DELTA_HANDLER,
            Self::Update => values::UPDATE,
            Self::Handler => "a handler",
            Self::Fetched => export::RESPONSE_HANDLER,
        }
    }

    /// Tells whether it is one of the calls that bring a plugin up.
    #[must_use]
    pub const fn brings_up(self) -> bool {
        matches!(self, Self::Name | Self::Schema | Self::Endpoints | Self::Start)
    }
}

impl Call {
    /// Returns what it is for.
    #[must_use]
    pub const fn kind(&self) -> CallKind {
        match self {
            Self::Id => CallKind::Id,
            Self::Name => CallKind::Name,
            Self::Schema => CallKind::Schema,
            Self::Endpoints => CallKind::Endpoints,
            Self::Start { .. } => CallKind::Start,
            Self::Stop => CallKind::Stop,
            Self::Poll => CallKind::Poll,
            Self::Collect => CallKind::Collect,
            Self::Delta(_) | Self::DeltaText(_) => CallKind::Delta,
            Self::Update => CallKind::Update,
            Self::Http { .. } | Self::Put { .. } | Self::Provider { .. } => CallKind::Handler,
            Self::Fetched { .. } => CallKind::Fetched,
        }
    }
}
