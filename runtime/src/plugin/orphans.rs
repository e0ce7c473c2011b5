//! Requests and sockets whose plugin is gone: closed at the next turn, whatever way it went.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::context::Net;
use crate::hal::{Fetch, FetchId, Socket};
use crate::time::Instant;

/// A resource of the HAL without an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Orphan {
    Request(FetchId),
    Socket(Socket),
}

/// Where plugins leave what they had open. Dropping an instance has no HAL at hand, so closing comes later.
#[derive(Clone, Debug, Default)]
pub(super) struct Orphans(Rc<RefCell<Vec<Orphan>>>);

impl Orphans {
    pub(super) fn leave(&self, orphan: Orphan) {
        self.0.borrow_mut().push(orphan);
    }

    /// Closes what was left.
    pub(super) fn close(&self, net: &mut Net<'_>, now: Instant) {
        if self.0.borrow().is_empty() {
            return;
        }
        for orphan in core::mem::take(&mut *self.0.borrow_mut()) {
            match orphan {
                Orphan::Request(id) => net.client(now).cancel(id),
                Orphan::Socket(socket) => {
                    if let Some(network) = &mut net.network {
                        network.close(socket);
                    }
                }
            }
        }
    }
}
