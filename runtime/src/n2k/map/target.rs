//! The context of a delta: other vessels, base stations, aircraft and marks have one of their own.

use super::rule::Target;
use super::text::{digits, join};
use crate::n2k::decode::Decoded;
use crate::n2k::tables::Field;

/// The context of a delta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeltaContext {
    /// The own vessel.
    Own,
    /// Of another vessel, `vessels.urn:mrn:imo:mmsi:…`.
    Other(heapless::String<128>),
    /// The identity is not valid: the delta is dropped, or it would be shown as data of an unknown vessel.
    Invalid,
}

/// Digits of an MMSI (ITU-R M.585).
const MMSI_DIGITS: usize = 9;

impl Target {
    /// Returns the context of the payload.
    pub fn context(self, decoded: &Decoded<'_>) -> DeltaContext {
        let (base, unknown, padded) = match self {
            Self::Own => return DeltaContext::Own,
            Self::Vessel => (VESSELS, "vessels.unknown", false),
            Self::Aton => ("atons.urn:mrn:imo:mmsi:", "atons.unknown", false),
            Self::Station => ("shore.basestations.urn:mrn:imo:mmsi:", "shore.unknown", true),
            Self::Aircraft => ("sar.urn:mrn:imo:mmsi:", "sar.unknown", true),
            Self::Sender => return radio(decoded.raw(Field::SourceId)),
            // The address has ten digits, the last one is 0 (ITU-R M.493).
            Self::Caller => {
                let address = decoded.number(Field::DscMessageAddress);
                return radio(address.map(|address| address.mantissa / 10));
            }
        };
        let sent = decoded.bits(Field::UserId).filter(|bits| *bits != NOT_AVAILABLE);
        let mmsi = match (decoded.raw(Field::UserId), sent) {
            (Some(mmsi), _) if padded => zeros_in_front(mmsi),
            (Some(mmsi), _) => digits(mmsi),
            (None, Some(0)) if self == Self::Aton => return DeltaContext::Other(join(&[unknown])),
            (None, Some(_)) => return DeltaContext::Invalid,
            (None, None) => return DeltaContext::Other(join(&[unknown])),
        };
        if mmsi.len() < MMSI_DIGITS { DeltaContext::Invalid } else { DeltaContext::Other(join(&[base, &mmsi])) }
    }
}

/// An MMSI of 32 bits that is not known.
const NOT_AVAILABLE: u64 = 0xffff_ffff;
const VESSELS: &str = "vessels.urn:mrn:imo:mmsi:";

fn zeros_in_front(mmsi: i64) -> super::text::Digits {
    super::text::padded(mmsi, MMSI_DIGITS)
}

/// Returns the context of who called; without an identity the call would be shown as the own vessel's.
fn radio(mmsi: Option<i64>) -> DeltaContext {
    match mmsi {
        Some(mmsi) if mmsi != 0 => DeltaContext::Other(join(&[VESSELS, &zeros_in_front(mmsi)])),
        _ => DeltaContext::Invalid,
    }
}
