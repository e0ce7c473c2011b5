//! The client requests go through: the HAL's own, else plain HTTP over its network.

use core::task::Poll;

use super::plain::PlainHttp;
use crate::hal::{Fetch, FetchError, FetchHop, FetchId, FetchReply, Network};
use crate::time::Instant;

/// A HAL's client and network, lent.
pub struct FetchClient<'c> {
    /// The HAL's own client.
    pub fetch: Option<&'c mut (dyn Fetch + 'static)>,
    /// Its network.
    pub network: Option<&'c mut (dyn Network + 'static)>,
    /// Requests that go over the network.
    pub plain: &'c mut PlainHttp,
    /// Monotonic time.
    pub now: Instant,
}

impl Fetch for FetchClient<'_> {
    fn begin(&mut self, hop: FetchHop) -> Result<FetchId, FetchError> {
        match (&mut self.fetch, &self.network) {
            (Some(fetch), _) => fetch.begin(hop),
            (None, Some(_)) => self.plain.begin(hop, self.now),
            (None, None) => Err(FetchError::Unsupported),
        }
    }

    fn poll(&mut self, id: FetchId) -> Poll<Result<FetchReply, FetchError>> {
        match (&mut self.fetch, &mut self.network) {
            (Some(fetch), _) => fetch.poll(id),
            (None, Some(network)) => self.plain.poll(id, *network, self.now),
            (None, None) => Poll::Ready(Err(FetchError::Unsupported)),
        }
    }

    fn cancel(&mut self, id: FetchId) {
        match (&mut self.fetch, &mut self.network) {
            (Some(fetch), _) => fetch.cancel(id),
            (None, Some(network)) => self.plain.cancel(id, *network),
            (None, None) => {}
        }
    }
}
