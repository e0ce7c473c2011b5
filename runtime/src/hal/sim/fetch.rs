//! A scripted web: answers by URL, with delays, redirects, failures and no network at all.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::net::{IpAddr, Ipv4Addr};
use core::task::Poll;
use core::time::Duration;

use super::SimClock;
use crate::hal::{Clock, Fetch, FetchError, FetchHop, FetchId, FetchReply};
use crate::time::Instant;

/// Address of hosts that were given none (RFC 5737, documentation).
const SOMEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
/// Requests on their way at the same time.
const REQUESTS_MAX: usize = 64;

/// Simulated HTTP client; clones share the same web.
#[derive(Clone)]
pub struct SimFetch(Rc<RefCell<Web>>);

struct Web {
    clock: SimClock,
    pages: BTreeMap<String, (Duration, Result<FetchReply, FetchError>)>,
    hosts: BTreeMap<String, IpAddr>,
    offline: bool,
    places: usize,
    flying: BTreeMap<FetchId, (Instant, Result<FetchReply, FetchError>)>,
    last: u32,
    requests: Vec<FetchHop>,
    cancelled: usize,
}

impl SimFetch {
    /// Builds a web without pages: every request is refused by the server.
    #[must_use]
    pub fn new(clock: SimClock) -> Self {
        Self(Rc::new(RefCell::new(Web {
            clock,
            pages: BTreeMap::new(),
            hosts: BTreeMap::new(),
            offline: false,
            places: REQUESTS_MAX,
            flying: BTreeMap::new(),
            last: 0,
            requests: Vec::new(),
            cancelled: 0,
        })))
    }

    /// Answers `url` at once.
    pub fn serve(&self, url: &str, status: u16, body: &[u8]) {
        self.serve_after(url, Duration::ZERO, status, body);
    }

    /// Answers `url` after a delay.
    pub fn serve_after(&self, url: &str, delay: Duration, status: u16, body: &[u8]) {
        let reply = FetchReply { status, location: None, body: body.to_vec() };
        self.0.borrow_mut().pages.insert(url.to_string(), (delay, Ok(reply)));
    }

    /// Redirects `url`.
    pub fn redirect(&self, url: &str, status: u16, location: &str) {
        let reply = FetchReply { status, location: Some(location.to_string()), body: Vec::new() };
        self.0.borrow_mut().pages.insert(url.to_string(), (Duration::ZERO, Ok(reply)));
    }

    /// Fails requests for `url`.
    pub fn fail(&self, url: &str, error: FetchError) {
        self.0.borrow_mut().pages.insert(url.to_string(), (Duration::ZERO, Err(error)));
    }

    /// Takes the network away, or brings it back.
    pub fn set_offline(&self, offline: bool) {
        self.0.borrow_mut().offline = offline;
    }

    /// Takes this many requests at the same time.
    pub fn set_places(&self, count: usize) {
        self.0.borrow_mut().places = count;
    }

    /// Says what a host name resolves to.
    pub fn name(&self, host: &str, address: IpAddr) {
        self.0.borrow_mut().hosts.insert(host.to_string(), address);
    }

    /// Returns every request so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<FetchHop> {
        self.0.borrow().requests.clone()
    }

    /// Returns how many requests are on their way, and how many were given up.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let web = self.0.borrow();
        (web.flying.len(), web.cancelled)
    }
}

impl Fetch for SimFetch {
    fn begin(&mut self, hop: FetchHop) -> Result<FetchId, FetchError> {
        let mut web = self.0.borrow_mut();
        if web.flying.len() >= web.places {
            return Err(FetchError::TooMany);
        }
        web.last = web.last.saturating_add(1);
        let id = FetchId(web.last);
        let address = hop.host.parse().ok().or_else(|| web.hosts.get(&hop.host).copied()).unwrap_or(SOMEWHERE);
        let (delay, answer) = if web.offline {
            (Duration::ZERO, Err(FetchError::Offline))
        } else if !hop.destinations.allow(&hop.host, address, hop.port) {
            (Duration::ZERO, Err(FetchError::Denied))
        } else {
            web.pages.get(&hop.url()).cloned().unwrap_or((Duration::ZERO, Err(FetchError::Unreachable)))
        };
        let answer = match answer {
            Ok(reply) if reply.body.len() > hop.body_bytes_max as usize => {
                Err(FetchError::TooLarge { limit: hop.body_bytes_max })
            }
            answer => answer,
        };
        let at = web.clock.now() + delay;
        web.flying.insert(id, (at, answer));
        web.requests.push(hop);
        Ok(id)
    }

    fn poll(&mut self, id: FetchId) -> Poll<Result<FetchReply, FetchError>> {
        let mut web = self.0.borrow_mut();
        let now = web.clock.now();
        match web.flying.get(&id) {
            None => Poll::Ready(Err(FetchError::Cancelled)),
            Some((at, _)) if *at > now => Poll::Pending,
            Some(_) => {
                let (_, answer) = web.flying.remove(&id).unwrap_or((now, Err(FetchError::Cancelled)));
                Poll::Ready(answer)
            }
        }
    }

    fn cancel(&mut self, id: FetchId) {
        let mut web = self.0.borrow_mut();
        if web.flying.remove(&id).is_some() {
            web.cancelled = web.cancelled.saturating_add(1);
        }
    }
}
