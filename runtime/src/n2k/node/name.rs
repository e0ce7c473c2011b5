//! The NAME of a device (ISO 11783-5 §4.1, PGN 60928): 64 bits, lowest byte first on the wire.

use core::fmt;

/// Manufacturer code of a device whose maker has none of its own; open projects share it.
pub const MANUFACTURER_UNREGISTERED: u16 = 2046;
/// Device class "inter/intranetwork device".
pub const CLASS_NETWORK: u8 = 25;
/// Function "PC gateway" of [`CLASS_NETWORK`].
pub const FUNCTION_PC_GATEWAY: u8 = 130;
/// Industry group of ships.
const INDUSTRY_MARINE: u64 = 4;
/// Device instances that the lower of its two fields can tell apart.
const INSTANCE_LOWER_MASK: u64 = 7;
const INSTANCE_AT: u32 = 32;

/// A NAME: who a device is, whatever its address. In a conflict the lower one keeps the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub u64);

/// What a NAME is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameParts {
    /// Serial number among the devices of the maker, 21 bits.
    pub unique_number: u32,
    /// Manufacturer code, 11 bits.
    pub manufacturer: u16,
    /// Device instance, 0 to 255.
    pub device_instance: u8,
    /// Function of the device within its class.
    pub function: u8,
    /// Device class, 7 bits.
    pub class: u8,
    /// System instance, 4 bits.
    pub system_instance: u8,
}

impl Default for NameParts {
    fn default() -> Self {
        Self {
            unique_number: 0,
            manufacturer: MANUFACTURER_UNREGISTERED,
            device_instance: 0,
            function: FUNCTION_PC_GATEWAY,
            class: CLASS_NETWORK,
            system_instance: 0,
        }
    }
}

impl Name {
    /// Bits of a unique number.
    pub const UNIQUE_NUMBER_MAX: u32 = 0x1f_ffff;

    /// Puts a NAME of a ship's device together that can take any address; bits that do not fit are cut off.
    #[must_use]
    pub fn new(parts: &NameParts) -> Self {
        Self(
            u64::from(parts.unique_number & Self::UNIQUE_NUMBER_MAX)
                | u64::from(parts.manufacturer & 0x7ff) << 21
                | u64::from(parts.device_instance) << INSTANCE_AT
                | u64::from(parts.function) << 40
                | u64::from(parts.class & 0x7f) << 49
                | u64::from(parts.system_instance & 0xf) << 56
                | INDUSTRY_MARINE << 60
                | 1 << 63,
        )
    }

    /// Reads the payload of an address claim.
    #[must_use]
    pub fn from_payload(payload: &[u8]) -> Option<Self> {
        <[u8; 8]>::try_from(payload).ok().map(|bytes| Self(u64::from_le_bytes(bytes)))
    }

    /// Returns the payload of an address claim.
    #[must_use]
    pub fn payload(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    /// Returns what it is made of.
    #[must_use]
    pub fn parts(self) -> NameParts {
        let [_, _, _, _, device_instance, function, class, system] = self.0.to_le_bytes();
        let low = u32::try_from(self.0 & 0xffff_ffff).unwrap_or(u32::MAX);
        NameParts {
            unique_number: low & Self::UNIQUE_NUMBER_MAX,
            manufacturer: u16::try_from(low >> 21).unwrap_or(u16::MAX),
            device_instance,
            function,
            class: class >> 1,
            system_instance: system & 0xf,
        }
    }

    /// Returns the same device with its next device instance, the lower three bits counted around.
    #[must_use]
    pub fn next_instance(self) -> Self {
        let lower = (self.0 >> INSTANCE_AT).wrapping_add(1) & INSTANCE_LOWER_MASK;
        Self(self.0 & !(INSTANCE_LOWER_MASK << INSTANCE_AT) | lower << INSTANCE_AT)
    }
}

impl fmt::Display for Name {
    /// Sixteen hexadecimal digits, as in `canName` of a source.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::decode::Decoded;
    use crate::n2k::{Field, Pgn};

    #[test]
    fn parts_are_where_the_tables_have_them() {
        let parts = NameParts {
            unique_number: 123_456,
            manufacturer: 1851,
            device_instance: 0x2b,
            function: 130,
            class: 25,
            system_instance: 3,
        };
        let name = Name::new(&parts);
        let payload = name.payload();
        let decoded = Decoded::new(Pgn(60_928), &payload).unwrap();
        for (field, value) in [
            (Field::UniqueNumber, 123_456),
            (Field::ManufacturerCode, 1851),
            (Field::DeviceInstanceLower, 3),
            (Field::DeviceInstanceUpper, 5),
            (Field::DeviceFunction, 130),
            (Field::DeviceClass, 25),
            (Field::SystemInstance, 3),
            (Field::IndustryGroup, 4),
            (Field::ArbitraryAddressCapable, 1),
        ] {
            assert_eq!(decoded.raw(field), Some(value), "{field:?}");
        }
        assert_eq!((name.parts(), Name::from_payload(&payload)), (parts, Some(name)));
        assert_eq!(Name::from_payload(&payload[1..]), None);
    }

    #[test]
    fn the_next_instance_counts_around_in_three_bits() {
        let first = Name::new(&NameParts { device_instance: 0x2f, ..NameParts::default() });
        let next = first.next_instance();
        assert_eq!(next.parts(), NameParts { device_instance: 0x28, ..NameParts::default() });
        assert_eq!((0..8).fold(first, |name, _| name.next_instance()), first);
    }

    #[test]
    fn parts_that_are_too_large_are_cut_and_disturb_no_other() {
        let parts = NameParts { unique_number: u32::MAX, manufacturer: 0, class: 0xff, ..NameParts::default() };
        let cut = NameParts { unique_number: Name::UNIQUE_NUMBER_MAX, class: 0x7f, ..parts };
        assert_eq!(Name::new(&parts).parts(), cut);
    }
}
