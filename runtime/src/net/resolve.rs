//! Host names (RFC 1035), asked of the network's name server.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::task::Poll;

use smoltcp::iface::{Context, SocketHandle, SocketSet};
use smoltcp::socket::dns::{self, GetQueryResultError, QueryHandle, StartQueryError};
use smoltcp::wire::DnsQueryType;

use crate::hal::NetError;

/// Lookups that are under way.
pub(super) struct Names {
    handle: SocketHandle,
    lookups_max: usize,
    asked: Vec<(String, QueryHandle)>,
}

impl Names {
    pub(super) fn new(handle: SocketHandle, lookups_max: u16) -> Self {
        Self { handle, lookups_max: usize::from(lookups_max), asked: Vec::new() }
    }

    /// Returns the socket that asks.
    pub(super) fn handle(&self) -> SocketHandle {
        self.handle
    }

    /// Asks, or looks whether the answer is there.
    pub(super) fn resolve(
        &mut self,
        host: &str,
        sockets: &mut SocketSet<'static>,
        context: &mut Context,
    ) -> Poll<Result<IpAddr, NetError>> {
        // The root's own zone is asked on the link, which this stack does not do (RFC 6762).
        let name = host.strip_suffix('.').unwrap_or(host);
        if name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("local")) {
            return Poll::Ready(Err(NetError::UnknownHost));
        }
        let resolver: &mut dns::Socket<'static> = sockets.get_mut(self.handle);
        if let Some(index) = self.asked.iter().position(|(asked, _)| asked == host) {
            let Some((_, query)) = self.asked.get(index) else { return Poll::Pending };
            let answer = match resolver.get_query_result(*query) {
                Err(GetQueryResultError::Pending) => return Poll::Pending,
                Err(GetQueryResultError::Failed) => Err(NetError::UnknownHost),
                Ok(addresses) => addresses.first().map(|address| (*address).into()).ok_or(NetError::UnknownHost),
            };
            self.asked.swap_remove(index);
            return Poll::Ready(answer);
        }
        if self.asked.len() >= self.lookups_max {
            self.forget_one(resolver);
        }
        if self.asked.len() >= self.lookups_max {
            // The caller asks again; by then another lookup has ended.
            return Poll::Pending;
        }
        match resolver.start_query(context, host, DnsQueryType::A) {
            Ok(query) => {
                self.asked.push((host.to_owned(), query));
                Poll::Pending
            }
            Err(StartQueryError::NoFreeSlot) => Poll::Pending,
            Err(StartQueryError::InvalidName | StartQueryError::NameTooLong) => Poll::Ready(Err(NetError::UnknownHost)),
        }
    }

    /// Drops the answer to a question whose caller did not come back for it.
    fn forget_one(&mut self, resolver: &mut dns::Socket<'static>) {
        let answered = self
            .asked
            .iter()
            .position(|(_, query)| !matches!(resolver.get_query_result(*query), Err(GetQueryResultError::Pending)));
        if let Some(index) = answered {
            self.asked.swap_remove(index);
        }
    }
}
