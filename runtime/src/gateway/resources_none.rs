//! Boards keep no resources of their own: only plugins do.

use super::Gateway;
use crate::http::Request;
use crate::plugin::Reply;
use crate::server::Response;
use crate::server::providers::{OwnProvider, Question};

/// A provider without a name or a type.
#[derive(Default)]
pub(super) struct OwnResources(OwnProvider);

impl Gateway {
    pub(super) fn own_provider(&self) -> OwnProvider {
        self.resources.0.clone()
    }

    pub(super) fn own_reply(&self, _: &Question) -> Option<Reply> {
        None
    }

    pub(super) fn own_plugin(&self, _: &str, _: &str, _: &Request) -> Option<Response> {
        None
    }
}
