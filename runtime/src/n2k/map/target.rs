//! Whom a delta speaks of: other vessels, base stations, aircraft and marks have contexts of their own.

use super::rule::Target;
use super::text::{Text, digits, join, padded};
use crate::n2k::decode::Decoded;
use crate::n2k::tables::Field;

/// The context of a delta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// The own vessel.
    Own,
    /// Somebody else's, `vessels.urn:mrn:imo:mmsi:…`.
    Other(heapless::String<128>),
    /// The identity is there but is none: the delta is dropped, or it would be shown as an unknown's.
    Invalid,
}

/// Digits of an MMSI (ITU-R M.585).
const MMSI_DIGITS: usize = 9;

impl Target {
    /// Returns the context of the payload.
    pub fn context(self, decoded: &Decoded) -> Context {
        let (base, unknown, field, width) = match self {
            Self::Own => return Context::Own,
            Self::Vessel => ("vessels.urn:mrn:imo:mmsi:", "vessels.unknown", Field::UserId, 1),
            Self::Aton => ("atons.urn:mrn:imo:mmsi:", "atons.unknown", Field::UserId, 1),
            Self::Station => ("shore.basestations.urn:mrn:imo:mmsi:", "shore.unknown", Field::UserId, MMSI_DIGITS),
            Self::Aircraft => ("sar.urn:mrn:imo:mmsi:", "sar.unknown", Field::UserId, MMSI_DIGITS),
        };
        let Some(mmsi) = decoded.raw(field) else { return other(join(&[unknown])) };
        let mmsi = if width == 1 { digits(mmsi) } else { padded(mmsi, width) };
        if mmsi.len() < MMSI_DIGITS { Context::Invalid } else { other(join(&[base, &mmsi])) }
    }
}

fn other(text: Text) -> Context {
    Context::Other(text)
}
