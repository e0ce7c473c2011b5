//! How long the gateway and its clients wait for each other, the same for every carrier.

use core::time::Duration;

/// Time a connection may wait for its first or next request.
pub const IDLE: Duration = Duration::from_secs(15);
/// Time a client has for request line and header fields, from their first byte on. A carrier that cannot tell this
/// byte from the wait before it gives [`IDLE`] for both.
pub const HEAD: Duration = Duration::from_secs(10);
/// Time a client has for the body.
pub const BODY: Duration = Duration::from_secs(30);
/// Time that plugins have for an answer together; a plugin that computes is stopped by its fuel long before, one that
/// fetches can be late.
pub const PLUGINS: Duration = Duration::from_secs(45);
/// Time the gateway has for an answer, with which a carrier gives up.
pub const ANSWER: Duration = Duration::from_secs(60);
/// Time between two pings; a stream client that stays silent for two of them is given up.
pub const PING: Duration = Duration::from_secs(30);
/// A stream client that takes nothing for this long is given up.
pub const STALL: Duration = Duration::from_secs(30);

const _: () = assert!(HEAD.as_nanos() < IDLE.as_nanos(), "a client in the middle of a head keeps its connection less");
const _: () =
    assert!(PLUGINS.as_nanos() < ANSWER.as_nanos(), "the gateway says that a plugin is late, not the carrier");
