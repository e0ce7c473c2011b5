//! Switching what other devices switch: a command to the device that has the bank, and the older PGN to all.

use crate::n2k::id::{BROADCAST, Pgn, SourceAddress};
use crate::n2k::node::{PGN_GROUP, command};
use crate::n2k::payload::Payload;
use crate::n2k::receiver::N2kMessage;

/// Banks whose device is remembered.
pub const BANKS_MAX: usize = 32;

const PGN_STATUS: Pgn = Pgn(127_501);
const PGN_CONTROL: Pgn = Pgn(127_502);
/// Number of the field "instance" of [`PGN_STATUS`]; the switches follow.
const FIELD_INSTANCE: u8 = 1;

/// Which device has which bank of switches (PGN 127501).
#[derive(Clone, Debug, Default)]
pub struct Banks(heapless::Vec<(u8, SourceAddress), BANKS_MAX>);

/// A message to send: PGN, priority, destination, payload.
pub type OutboundMessage = (Pgn, u8, u8, Payload);

impl Banks {
    /// Takes note of who sent the state of a bank.
    pub fn heard(&mut self, message: &N2kMessage) {
        let (PGN_STATUS, Some(&bank)) = (message.id.pgn, message.payload.first()) else { return };
        match self.0.iter_mut().find(|(known, _)| *known == bank) {
            Some((_, device)) => *device = message.id.source,
            // With more banks the rest is switched by the older PGN.
            None => drop(self.0.push((bank, message.id.source))),
        }
    }

    /// Returns what switches `switch` (1 to 28) of `bank`: a command of 127501 (126208) to the device that has the bank,
    /// where that is known, and switch bank control (127502) to all.
    #[must_use]
    pub fn switch(&self, bank: u8, switch: u8, on: bool) -> [Option<OutboundMessage>; 2] {
        let device = self.0.iter().find(|(known, _)| *known == bank).map(|(_, device)| *device);
        let wanted = [(FIELD_INSTANCE, bank), (switch.saturating_add(FIELD_INSTANCE), u8::from(on))];
        let commanded = device.map(|device| (PGN_GROUP, 3, device.0, command(PGN_STATUS, &wanted)));
        // Two bits a switch, ones where it is to stay as it is.
        let at = 8 + 2 * u32::from(switch.saturating_sub(1).min(27));
        let bits = (u64::MAX << 8 | u64::from(bank)) & !(3 << at) | u64::from(on) << at;
        let control = Payload::from_slice(&bits.to_le_bytes()).ok();
        [commanded, control.map(|payload| (PGN_CONTROL, 3, BROADCAST, payload))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::decode::Decoded;
    use crate::n2k::{Field, Id};

    fn status(bank: u8, source: u8) -> N2kMessage {
        let id = Id { priority: 3, pgn: PGN_STATUS, source: SourceAddress(source), destination: BROADCAST };
        N2kMessage { id, payload: Payload::from_slice(&[bank, 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).unwrap() }
    }

    #[test]
    fn a_known_bank_is_commanded_and_all_are_told() {
        let mut banks = Banks::default();
        banks.heard(&status(2, 60));
        banks.heard(&status(2, 61));
        let [command, control] = banks.switch(2, 5, true);
        let (pgn, _, destination, payload) = command.unwrap();
        assert_eq!((pgn, destination), (Pgn(126_208), 61));
        assert_eq!(payload.as_slice(), [1, 0x0d, 0xf2, 1, 0xf8, 2, 1, 2, 6, 1]);
        let (pgn, _, destination, payload) = control.unwrap();
        assert_eq!((pgn, destination), (Pgn(127_502), 255));
        assert_eq!(payload.as_slice(), [2, 0xff, 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff]);
        let decoded = Decoded::new(PGN_CONTROL, &payload).unwrap();
        assert_eq!((decoded.raw(Field::Switch5), decoded.raw(Field::Switch4)), (Some(1), Some(3)));
    }

    #[test]
    fn an_unknown_bank_is_only_told() {
        let [command, control] = Banks::default().switch(0, 28, false);
        assert_eq!(command, None);
        assert_eq!(control.unwrap().3.as_slice(), [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]);
    }

    #[test]
    fn banks_are_bounded() {
        let mut banks = Banks::default();
        (0..=255).for_each(|bank| banks.heard(&status(bank, 7)));
        assert_eq!(banks.0.len(), BANKS_MAX);
    }
}
