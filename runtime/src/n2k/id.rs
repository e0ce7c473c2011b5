//! The 29-bit identifier of a frame: priority, PGN, source and destination.

use core::fmt;

use crate::hal::CanFrame;

/// Parameter group number, 18 bits on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pgn(pub u32);

impl fmt::Display for Pgn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Address of the device that sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceAddress(pub u8);

impl SourceAddress {
    /// The address of a device that could not claim one (ISO 11783-5 §4.2); it sends nothing worth showing.
    pub const NULL: Self = Self(254);
}

/// Destination that means every device.
pub const BROADCAST: u8 = 255;
/// Largest PGN that the identifier can carry.
pub const PGN_MAX: Pgn = Pgn(0x3_ffff);
/// PDU format values from here on are broadcast only and count the low byte to the PGN (ISO 11783-3 §5.2).
const PDU2_FORMAT_MIN: u32 = 240;

/// Who sends what to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id {
    /// 0 (first) to 7 (last) in arbitration.
    pub priority: u8,
    /// What the data mean.
    pub pgn: Pgn,
    /// Sender.
    pub source: SourceAddress,
    /// Receiver, [`BROADCAST`] for all.
    pub destination: u8,
}

impl Id {
    /// Reads a 29-bit identifier; higher bits are ignored (ISO 11783-3 §5.2, SAE J1939-21).
    #[must_use]
    pub fn from_can(id: u32) -> Self {
        let [source, specific, ..] = id.to_le_bytes();
        let priority = (id >> 26).to_le_bytes()[0] & 7;
        let pgn = (id >> 8) & PGN_MAX.0;
        let (pgn, destination) = if is_addressed(pgn) { (pgn & !0xff, specific) } else { (pgn, BROADCAST) };
        Self { priority, pgn: Pgn(pgn), source: SourceAddress(source), destination }
    }

    /// Returns the 29-bit identifier; bits that do not fit are cut off.
    #[must_use]
    pub fn to_can(&self) -> u32 {
        let pgn = self.pgn.0 & PGN_MAX.0;
        let pgn = if is_addressed(pgn) { (pgn & !0xff) | u32::from(self.destination) } else { pgn };
        ((u32::from(self.priority) & 7) << 26 | pgn << 8 | u32::from(self.source.0)) & CanFrame::ID_MAX
    }
}

/// Tells whether the low byte of the identifier's PGN is a destination (PDU1).
fn is_addressed(pgn: u32) -> bool {
    (pgn >> 8) & 0xff < PDU2_FORMAT_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcast_groups_keep_their_low_byte() {
        let id = Id::from_can(0x09f8_017f);
        assert_eq!(id, Id { priority: 2, pgn: Pgn(129_025), source: SourceAddress(127), destination: BROADCAST });
        assert_eq!(id.to_can(), 0x09f8_017f);
    }

    #[test]
    fn addressed_groups_carry_the_destination_in_it() {
        let id = Id::from_can(0x0ded_2301);
        assert_eq!(id, Id { priority: 3, pgn: Pgn(126_208), source: SourceAddress(1), destination: 0x23 });
        assert_eq!(id.to_can(), 0x0ded_2301);
    }

    proptest::proptest! {
        #[test]
        fn identifiers_survive_a_round_trip(id in 0..=CanFrame::ID_MAX) {
            // Bit 25 is the extended data page, kept as bit 17 of the PGN.
            proptest::prop_assert_eq!(Id::from_can(id).to_can(), id);
        }
    }
}
