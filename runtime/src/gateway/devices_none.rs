//! Devices of a bus, where what they say of themselves is not kept.

use super::interface::Interface;
use crate::model::Model;
use crate::n2k::{N2kMessage, Receiver};
use crate::time::Instant;

#[derive(Default)]
pub(super) struct Devices;

impl Devices {
    #[expect(clippy::unused_self, reason = "as where they are kept")]
    pub fn hear(&mut self, _: &N2kMessage, _: &mut Receiver, _: &str, _: &mut Model) {}

    #[expect(clippy::unused_self, reason = "as where they are kept")]
    pub fn ask(&mut self, _: &mut Interface, _: Instant) -> Option<Instant> {
        None
    }
}
