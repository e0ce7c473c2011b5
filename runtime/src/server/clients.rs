//! What a carrier tells about its clients.

/// Counters of a carrier, shown by `GET /skiff/v1/status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientCounters {
    /// Connections that are open.
    pub connections: u32,
    /// Connections taken.
    pub accepted: u64,
    /// Requests read.
    pub requests: u64,
    /// WebSocket streams opened.
    pub streams: u64,
    /// Connections refused because all were in use.
    pub refused: u64,
    /// Idle and late connections closed to make room for new ones.
    pub evicted: u64,
    /// Clients that missed a deadline: head, body, response, stream.
    pub slow: u64,
    /// Requests and frames that could not be understood or were too long.
    pub malformed: u64,
    /// Requests refused because all clients together held too much memory.
    pub no_memory: u64,
    /// Connections that broke.
    pub broken: u64,
    /// Responses whose client was gone.
    pub unread: u64,
}

impl ClientCounters {
    /// Returns the counters with the names `GET /skiff/v1/status` shows them under.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 11] {
        [
            ("connections", self.connections.into()),
            ("accepted", self.accepted),
            ("requests", self.requests),
            ("streams", self.streams),
            ("refused", self.refused),
            ("evicted", self.evicted),
            ("slow", self.slow),
            ("malformed", self.malformed),
            ("no_memory", self.no_memory),
            ("broken", self.broken),
            ("unread", self.unread),
        ]
    }
}
