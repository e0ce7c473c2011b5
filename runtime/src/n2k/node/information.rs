//! What a node tells of itself: product and configuration information, PGN lists, heartbeat.

use alloc::string::String;
use alloc::vec::Vec;

use crate::n2k::encode::{EncodeError, Input, encode};
use crate::n2k::id::Pgn;
use crate::n2k::payload::Payload;
use crate::n2k::tables::Field;
use crate::sorted;

/// Characters of each text of product information (PGN 126996).
pub const PRODUCT_TEXT_MAX: usize = 32;
/// Bytes of each text of configuration information (PGN 126998), so that all three fit one fast packet.
pub const CONFIGURATION_TEXT_MAX: usize = 70;
/// PGNs that fit one list.
const LIST_MAX: usize = 74;
/// Version of NMEA 2000 that the node follows, in thousandths.
const NMEA_2000_VERSION: i64 = 2100;
/// Certification level "not certified".
const CERTIFICATION_NONE: i64 = 0;
/// Function codes of PGN 126464.
const LIST_TRANSMIT: u8 = 0;
const LIST_RECEIVE: u8 = 1;

/// Who made the device, and how it was installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Information {
    /// Product code of the maker.
    pub product_code: u16,
    /// Model, at most [`PRODUCT_TEXT_MAX`] ASCII characters.
    pub model: String,
    /// Version of the software.
    pub software_version: String,
    /// Version of the hardware.
    pub model_version: String,
    /// Serial number.
    pub serial: String,
    /// Load of the bus, in units of 50 mA.
    pub load_equivalency: u8,
    /// Two texts of the installer.
    pub installation: [String; 2],
    /// The maker's text.
    pub manufacturer: String,
    /// PGNs that it can send besides those of every node.
    pub transmits: Vec<Pgn>,
    /// PGNs that it understands besides those of every node.
    pub receives: Vec<Pgn>,
}

/// PGNs that every node sends and understands.
const BOTH: [u32; 6] = [59_392, 59_904, 60_928, 126_208, 126_464, 126_996];
const TRANSMITS: [u32; 4] = [60_416, 126_993, 126_998, 59_904];
const RECEIVES: [u32; 3] = [60_160, 60_416, 65_240];

/// Cuts a text to what a field takes.
fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or("")
}

impl Information {
    /// Returns the payload of product information (PGN 126996).
    ///
    /// # Errors
    /// [`EncodeError`] when the tables do not hold the PGN.
    pub fn product(&self) -> Result<Payload, EncodeError> {
        let text = |text| Input::Text(cut(text, PRODUCT_TEXT_MAX));
        encode(
            Pgn(126_996),
            &[
                (Field::Nmea2000Version, Input::Raw(NMEA_2000_VERSION)),
                (Field::ProductCode, Input::Raw(self.product_code.into())),
                (Field::ModelId, text(&self.model)),
                (Field::SoftwareVersionCode, text(&self.software_version)),
                (Field::ModelVersion, text(&self.model_version)),
                (Field::ModelSerialCode, text(&self.serial)),
                (Field::CertificationLevel, Input::Raw(CERTIFICATION_NONE)),
                (Field::LoadEquivalency, Input::Raw(self.load_equivalency.into())),
            ],
        )
    }

    /// Returns the payload of configuration information (PGN 126998).
    ///
    /// # Errors
    /// [`EncodeError`] when the tables do not hold the PGN, or the texts are not ASCII and too long therefore.
    pub fn configuration(&self) -> Result<Payload, EncodeError> {
        let text = |text| Input::Text(cut(text, CONFIGURATION_TEXT_MAX));
        let [first, second] = &self.installation;
        encode(
            Pgn(126_998),
            &[
                (Field::InstallationDescription1, text(first)),
                (Field::InstallationDescription2, text(second)),
                (Field::ManufacturerInformation, text(&self.manufacturer)),
            ],
        )
    }

    /// Returns the payloads of both PGN lists (PGN 126464), what is sent first.
    #[must_use]
    pub fn lists(&self) -> [Payload; 2] {
        [(LIST_TRANSMIT, &TRANSMITS[..], &self.transmits), (LIST_RECEIVE, &RECEIVES[..], &self.receives)].map(
            |(function, own, more)| {
                let own = BOTH.iter().chain(own).map(|pgn| Pgn(*pgn));
                let mut list: Vec<Pgn> = own.chain(more.iter().copied()).collect();
                sorted::sort(&mut list);
                list.dedup();
                let mut payload = Payload::default();
                let bytes = list.iter().take(LIST_MAX).flat_map(|pgn| {
                    let [low, middle, high, _] = pgn.0.to_le_bytes();
                    [low, middle, high]
                });
                // No list is longer than a payload.
                let _ = core::iter::once(function).chain(bytes).try_for_each(|byte| payload.push(byte));
                payload
            },
        )
    }
}

/// Returns the payload of a heartbeat (PGN 126993): its period in ms, and a count from 0 to 252.
#[must_use]
pub(super) fn heartbeat(period_ms: u16, count: u8) -> [u8; 8] {
    let [low, high] = period_ms.to_le_bytes();
    // States of controllers and equipment stay "not available".
    [low, high, count, 0xff, 0xff, 0xff, 0xff, 0xff]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::decode::Decoded;

    fn information() -> Information {
        Information {
            product_code: 4711,
            model: "Skiff".into(),
            software_version: "0.1.0".into(),
            model_version: "gateway".into(),
            serial: "000123".into(),
            load_equivalency: 1,
            installation: ["chart table".into(), String::new()],
            manufacturer: "Skiff".into(),
            transmits: Vec::from([Pgn(130_306), Pgn(126_993)]),
            receives: Vec::from([Pgn(129_025)]),
        }
    }

    #[test]
    fn product_information_has_134_bytes_and_reads_back() {
        let payload = information().product().unwrap();
        assert_eq!(payload.len(), 134);
        assert_eq!(payload[..9], [0x34, 0x08, 0x67, 0x12, b'S', b'k', b'i', b'f', b'f']);
        assert_eq!((payload[9], payload[132], payload[133]), (0xff, 0, 1));
        let decoded = Decoded::new(Pgn(126_996), &payload).unwrap();
        assert_eq!((decoded.raw(Field::Nmea2000Version), decoded.raw(Field::ProductCode)), (Some(2100), Some(4711)));
    }

    #[test]
    fn configuration_information_has_three_texts() {
        let payload = information().configuration().unwrap();
        let mut expected = std::vec![13, 1];
        expected.extend(b"chart table");
        expected.extend([2, 1, 7, 1]);
        expected.extend(b"Skiff");
        assert_eq!(payload.as_slice(), expected);
    }

    #[test]
    fn texts_that_are_too_long_are_cut() {
        let long = "x".repeat(200);
        let information = Information {
            model: long.clone(),
            installation: [long.clone(), long.clone()],
            manufacturer: long,
            ..information()
        };
        assert_eq!(information.product().unwrap().len(), 134);
        assert_eq!(information.configuration().unwrap().len(), 216);
    }

    #[test]
    fn lists_are_sorted_and_name_each_pgn_once() {
        let [sent, understood] = information().lists();
        let pgns = |payload: &Payload| -> Vec<u32> {
            payload[1..].chunks(3).map(|pgn| u32::from_le_bytes([pgn[0], pgn[1], pgn[2], 0])).collect()
        };
        assert_eq!((sent[0], understood[0]), (0, 1));
        assert_eq!(pgns(&sent), [59_392, 59_904, 60_416, 60_928, 126_208, 126_464, 126_993, 126_996, 126_998, 130_306]);
        assert_eq!(
            pgns(&understood),
            [59_392, 59_904, 60_160, 60_416, 60_928, 65_240, 126_208, 126_464, 126_996, 129_025]
        );
        let many = Information { transmits: (1..200).map(Pgn).collect(), ..Information::default() };
        assert_eq!(many.lists()[0].len(), 223);
    }

    #[test]
    fn heartbeats_tell_period_and_count() {
        let decoded = heartbeat(60_000, 252);
        assert_eq!(decoded, [0x60, 0xea, 252, 0xff, 0xff, 0xff, 0xff, 0xff]);
        let decoded = Decoded::new(Pgn(126_993), &decoded).unwrap();
        assert_eq!(decoded.raw(Field::SequenceCounter), Some(252));
    }
}
