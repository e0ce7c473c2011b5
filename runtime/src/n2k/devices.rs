//! What the devices of one bus say of themselves: address claim, product and configuration information.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::decode::{Decoded, Lookup, Reading};
use super::id::{Pgn, SourceAddress};
use super::payload::Payload;
use super::receiver::N2kMessage;
use super::send::OutboundMessage;
use super::tables::Field;
use crate::delta::hexadecimal;
use crate::json::{self, Object};
use crate::time::Instant;

/// Address claim (ISO 11783-5), product information and configuration information (NMEA 2000, appendix B).
const CLAIM: Pgn = Pgn(60_928);
const PRODUCT: Pgn = Pgn(126_996);
const CONFIGURATION: Pgn = Pgn(126_998);
/// Request for a PGN (ISO 11783-3 §5.4.2), and its priority.
const REQUEST: Pgn = Pgn(59_904);
const REQUEST_PRIORITY: u8 = 6;
/// Highest address that a device can have (ISO 11783-5 §4.2); 254 is nobody's, 255 is all.
const ADDRESS_MAX: u8 = 251;
/// Bytes of a message that are kept: those of a fast packet, which all three fit.
const PAYLOAD_BYTES_MAX: usize = 223;
/// Time between two requests on the bus: a device answers each with some twenty frames.
const ASK_PAUSE: Duration = Duration::from_millis(500);
/// Time that a device has to answer before it is asked again.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Times that a device is asked for one PGN: some never answer.
const ASKED_MAX: u8 = 3;

/// The devices of one bus, at most one an address.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    /// By address, ascending.
    rows: Vec<Device>,
    /// When the bus may be asked again.
    next_ask: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Device {
    address: SourceAddress,
    claim: Option<[u8; 8]>,
    product: Told,
    configuration: Told,
}

/// One of the two messages that devices send when they are asked.
#[derive(Clone, Debug, Default)]
struct Told {
    payload: Option<Box<[u8]>>,
    /// It is wanted once more.
    again: bool,
    asked: u8,
    /// When it was asked for last.
    at: Option<Instant>,
}

impl Devices {
    /// Takes a message; returns what its device says of itself, a JSON object with canboat's names for the fields, when
    /// that has become other than before.
    pub fn hear(&mut self, message: &N2kMessage) -> Option<String> {
        let (address, pgn) = (message.id.source, message.id.pgn);
        if !matches!(pgn, CLAIM | PRODUCT | CONFIGURATION) || address.0 > ADDRESS_MAX {
            return None;
        }
        let payload = message.payload.as_slice();
        // What the tables cannot read tells nothing, and is not kept.
        Decoded::new(pgn, payload).filter(|_| !payload.is_empty())?;
        if pgn == CLAIM {
            let claim = <[u8; 8]>::try_from(payload).ok()?;
            self.claimed(address, claim)?;
        } else {
            let device = self.at(address)?;
            let told = if pgn == PRODUCT { &mut device.product } else { &mut device.configuration };
            let payload = payload.get(..PAYLOAD_BYTES_MAX).unwrap_or(payload);
            told.again = false;
            if told.payload.as_deref() == Some(payload) {
                return None;
            }
            told.payload = Some(payload.into());
        }
        let device = self.at(address)?;
        Some(json::object(|out| device.write(out)))
    }

    /// Takes a claim; `None` when it is known. A device that had another address keeps what it told, one that is new at
    /// this address has told nothing yet.
    fn claimed(&mut self, address: SourceAddress, claim: [u8; 8]) -> Option<()> {
        let before = self.at(address)?.claim;
        if before == Some(claim) {
            return None;
        }
        let moved = self.rows.iter().position(|device| device.claim == Some(claim));
        let moved = moved.map(|place| self.rows.remove(place));
        let device = self.at(address)?;
        // What came before the first claim was its own.
        if before.is_some() || moved.is_some() {
            *device = moved.unwrap_or_else(|| Device::new(address));
        }
        (device.address, device.claim) = (address, Some(claim));
        Some(())
    }

    /// Finds or makes the row of an address.
    fn at(&mut self, address: SourceAddress) -> Option<&mut Device> {
        let place = self.rows.partition_point(|device| device.address.0 < address.0);
        if self.rows.get(place).is_none_or(|device| device.address != address) {
            self.rows.insert(place, Device::new(address));
        }
        self.rows.get_mut(place)
    }

    /// Returns the next request to send, at most one every half second: devices that have claimed an address and not told the rest
    /// are asked three times, `own` is not.
    pub fn next_request(&mut self, now: Instant, own: SourceAddress) -> Option<OutboundMessage> {
        if self.next_ask.is_some_and(|next| next > now) {
            return None;
        }
        for device in self.rows.iter_mut().filter(|device| device.address != own) {
            let address = device.address.0;
            if let Some((told, pgn)) = device.wanted().into_iter().find(|(told, _)| told.due() <= now) {
                (told.asked, told.at) = (told.asked.saturating_add(1), Some(now));
                self.next_ask = Some(now + ASK_PAUSE);
                let [low, middle, high, _] = pgn.0.to_le_bytes();
                let mut payload = Payload::new();
                payload.set(&[low, middle, high]).ok()?;
                return Some((REQUEST, REQUEST_PRIORITY, address, payload));
            }
        }
        None
    }

    /// Returns when [`next_request`](Self::next_request) will have something.
    pub fn due(&mut self, own: SourceAddress) -> Option<Instant> {
        let others = self.rows.iter_mut().filter(|device| device.address != own);
        let due = others.flat_map(Device::wanted).map(|(told, _)| told.due()).min()?;
        Some(self.next_ask.map_or(due, |next| next.max(due)))
    }

    /// Has every device asked anew; what it told stays until it answers. Returns how many there are.
    pub fn ask_again(&mut self) -> usize {
        self.rows.iter_mut().for_each(Device::ask_again);
        self.rows.len()
    }

    /// Has the device at an address asked anew.
    pub fn ask_again_of(&mut self, address: SourceAddress) {
        self.rows.iter_mut().filter(|device| device.address == address).for_each(Device::ask_again);
    }

    /// Visits the addresses that were heard of with what the device there says of itself, as [`hear`](Self::hear) does.
    pub fn told(&self) -> impl Iterator<Item = (SourceAddress, String)> {
        self.rows.iter().map(|device| (device.address, json::object(|out| device.write(out))))
    }

    /// Visits the addresses that were heard of, and whether the device there has told its product information.
    pub fn addresses(&self) -> impl Iterator<Item = (SourceAddress, bool)> {
        self.rows.iter().map(|device| (device.address, device.product.payload.is_some()))
    }
}

impl Told {
    fn is_wanted(&self) -> bool {
        self.asked < ASKED_MAX && (self.payload.is_none() || self.again)
    }

    /// When to ask for it, where it is wanted.
    fn due(&self) -> Instant {
        self.at.map_or(Instant(0), |at| at + ANSWER_TIME)
    }
}

impl Device {
    fn new(address: SourceAddress) -> Self {
        Self { address, claim: None, product: Told::default(), configuration: Told::default() }
    }

    fn ask_again(&mut self) {
        for told in [&mut self.product, &mut self.configuration] {
            (told.again, told.asked, told.at) = (true, 0, None);
        }
    }

    /// What it can be asked for; nothing before its claim, since who has none may be gone by now.
    fn wanted(&mut self) -> impl IntoIterator<Item = (&mut Told, Pgn)> {
        let is_there = self.claim.is_some();
        let both = [(&mut self.product, PRODUCT), (&mut self.configuration, CONFIGURATION)];
        both.into_iter().filter(move |(told, _)| is_there && told.is_wanted())
    }

    /// Writes the fields of its messages as canboat names them, `canName` and `deviceInstance` (its two parts in one) first.
    fn write(&self, out: &mut Object<'_>) {
        if let Some(claim) = self.claim {
            let [_, _, _, _, instance, ..] = claim;
            out.text("canName", &hexadecimal(u64::from_le_bytes(claim))).number("deviceInstance", instance);
        }
        let claim = self.claim.as_ref().map(<[u8; 8]>::as_slice);
        let told = [
            (CLAIM, claim),
            (PRODUCT, self.product.payload.as_deref()),
            (CONFIGURATION, self.configuration.payload.as_deref()),
        ];
        for (pgn, payload) in told {
            let Some(decoded) = payload.and_then(|payload| Decoded::new(pgn, payload)) else { continue };
            for (field, reading) in decoded.readings() {
                if let Some(name) = field.name().filter(|_| field != Field::Reserved) {
                    write_reading(name, reading, out);
                }
            }
        }
    }
}

fn write_reading(name: &str, reading: Reading<'_>, out: &mut Object<'_>) {
    match reading {
        Reading::Number(number) => out.json(name, &number.text()),
        Reading::Float(number) => out.number(name, number),
        Reading::Lookup(Lookup::Text(text)) => out.text(name, text),
        Reading::Lookup(Lookup::Code(code)) => out.number(name, code),
        Reading::Text(text) => out.text(name, &text.to_stack()),
        // None of the three messages has any.
        Reading::Flags(_) | Reading::Bytes(_) | Reading::Name(_) => out,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::node::{Information, Name, NameParts};
    use crate::n2k::{Id, id::BROADCAST};

    fn message(pgn: Pgn, address: u8, payload: &[u8]) -> N2kMessage {
        let id = Id { priority: 6, pgn, source: SourceAddress(address), destination: BROADCAST };
        let mut message = N2kMessage { id, ..N2kMessage::default() };
        message.payload.set(payload).unwrap();
        message
    }

    fn claim(address: u8, unique_number: u32) -> N2kMessage {
        let parts = NameParts {
            unique_number,
            manufacturer: 229,
            device_instance: 9,
            function: 140,
            class: 40,
            system_instance: 1,
        };
        message(CLAIM, address, &Name::new(&parts).payload())
    }

    fn product(address: u8, model: &str) -> N2kMessage {
        let information =
            Information { product_code: 1234, model: model.into(), serial: "S-1".into(), ..Information::default() };
        message(PRODUCT, address, &information.product().unwrap())
    }

    fn read(text: &str) -> serde_json::Value {
        serde_json::from_str(text).unwrap()
    }

    fn asked(devices: &mut Devices, seconds: u64) -> Vec<(u8, u32)> {
        let now = Instant::from_millis(seconds * 1000);
        core::iter::from_fn(|| devices.next_request(now, SourceAddress(100)))
            .map(|(pgn, _, to, payload)| {
                assert_eq!(pgn, REQUEST);
                (to, u32::from_le_bytes([payload[0], payload[1], payload[2], 0]))
            })
            .collect()
    }

    #[test]
    fn a_device_says_who_it_is() {
        let mut devices = Devices::default();
        let claimed = read(&devices.hear(&claim(7, 77)).unwrap());
        assert_eq!(claimed["manufacturerCode"], "Garmin");
        assert_eq!((&claimed["uniqueNumber"], &claimed["deviceInstance"]), (&77.into(), &9.into()));
        assert_eq!((&claimed["deviceInstanceLower"], &claimed["deviceInstanceUpper"]), (&1.into(), &1.into()));
        assert_eq!(
            (&claimed["deviceClass"], &claimed["industryGroup"]),
            (&"Steering and Control surfaces".into(), &"Marine Industry".into())
        );
        assert_eq!(claimed["canName"].as_str().unwrap().len(), 16);
        assert_eq!(devices.hear(&claim(7, 77)), None, "nothing new");
        let told = read(&devices.hear(&product(7, "GPS 19x")).unwrap());
        assert_eq!((&told["modelId"], &told["modelSerialCode"]), (&"GPS 19x".into(), &"S-1".into()));
        assert_eq!((&told["productCode"], &told["uniqueNumber"]), (&1234.into(), &77.into()));
    }

    #[test]
    fn what_a_device_told_goes_with_it_to_another_address_and_is_no_other_devices() {
        let mut devices = Devices::default();
        assert!(read(&devices.hear(&product(7, "A")).unwrap()).get("canName").is_none(), "before its claim");
        assert_eq!(read(&devices.hear(&claim(7, 1)).unwrap())["modelId"], "A");
        let other = read(&devices.hear(&claim(7, 2)).unwrap());
        assert!(other.get("modelId").is_none() && other["uniqueNumber"] == 2, "{other}");
        devices.hear(&product(7, "B"));
        assert_eq!(read(&devices.hear(&claim(9, 2)).unwrap())["modelId"], "B");
        assert_eq!(devices.addresses().collect::<Vec<_>>(), [(SourceAddress(9), true)], "and is at one");
    }

    #[test]
    fn a_device_is_asked_for_what_it_did_not_tell_three_times_and_slowly() {
        let mut devices = Devices::default();
        devices.hear(&product(8, "without a claim"));
        devices.hear(&claim(7, 1));
        devices.hear(&claim(100, 2));
        assert_eq!(devices.due(SourceAddress(100)), Some(Instant(0)));
        assert_eq!(asked(&mut devices, 0), [(7, PRODUCT.0)]);
        assert_eq!(asked(&mut devices, 0), [], "the bus has a pause");
        assert_eq!(asked(&mut devices, 1), [(7, CONFIGURATION.0)]);
        devices.hear(&product(7, "A"));
        assert_eq!(asked(&mut devices, 2), []);
        assert_eq!(devices.due(SourceAddress(100)), Some(Instant::from_millis(11_000)));
        assert_eq!(asked(&mut devices, 11), [(7, CONFIGURATION.0)]);
        assert_eq!(asked(&mut devices, 21), [(7, CONFIGURATION.0)]);
        assert_eq!(
            (asked(&mut devices, 1000), devices.due(SourceAddress(100))),
            (Vec::new(), None),
            "it never answers"
        );
        assert_eq!(devices.ask_again(), 3);
        assert_eq!(asked(&mut devices, 1001), [(7, PRODUCT.0)]);
        assert_eq!(devices.hear(&product(7, "A")), None, "an answer, though nothing new");
        assert_eq!(asked(&mut devices, 1002), [(7, CONFIGURATION.0)]);
        assert_eq!(asked(&mut devices, 1003), []);
    }

    #[test]
    fn nobody_and_nonsense_are_no_devices() {
        let mut devices = Devices::default();
        for (address, payload) in [(254, &[1; 8][..]), (255, &[1; 8]), (7, &[1; 7]), (7, &[])] {
            assert_eq!(devices.hear(&message(CLAIM, address, payload)), None);
        }
        assert_eq!(devices.hear(&message(PRODUCT, 7, &[])), None);
        assert_eq!(devices.hear(&message(Pgn(127_250), 7, &[1; 8])), None);
        let long = read(&devices.hear(&message(CONFIGURATION, 3, &[200; 1000])).unwrap());
        assert!(long.as_object().unwrap().len() <= 3, "{long}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_devices_say_is_json_and_bounded(said in proptest::collection::vec((0_u8.., 0_usize..3, proptest::collection::vec(0_u8.., 0..300)), 0..400)) {
            let mut devices = Devices::default();
            for (address, pgn, payload) in said {
                if let Some(about) = devices.hear(&message([CLAIM, PRODUCT, CONFIGURATION][pgn], address, &payload)) {
                    proptest::prop_assert!(read(&about).is_object() && about.len() < 4096, "{}", about);
                }
            }
            proptest::prop_assert!(devices.rows.len() <= usize::from(ADDRESS_MAX) + 1);
            proptest::prop_assert!(devices.rows.is_sorted_by_key(|device| device.address.0));
        }
    }
}
