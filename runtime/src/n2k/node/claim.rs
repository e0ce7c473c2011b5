//! The claim of an address (ISO 11783-5 §4.4): who has it, who gives way.
//!
//! ```text
//! Off ── start ──> Listening ── 250 ms ──> Claiming ── 250 ms ──> Claimed
//!                      ^                     │  ^  lower NAME: next free address
//!                      │ 60 s                v  └──────────────────┘
//!                      └──────────────── CannotClaim
//! ```

use core::time::Duration;

use super::name::Name;
use crate::n2k::id::SourceAddress;
use crate::time::Instant;

/// Time to listen to the claims of others before the own one, and from the claim until the address may be used.
pub const CLAIM_WAIT: Duration = Duration::from_millis(250);
/// Time after which a node that found no address tries again.
pub const RETRY: Duration = Duration::from_secs(60);
/// Highest address that a device can claim.
pub const ADDRESS_MAX: u8 = 251;
/// How often a node that met its own NAME on the bus takes the next device instance.
const TWINS_MAX: u8 = 8;

/// How far the claim has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Not on the bus.
    Off,
    /// Others were asked for their claims.
    Listening,
    /// This address was claimed, and is not used yet.
    Claiming(SourceAddress),
    /// This address is ours.
    Claimed(SourceAddress),
    /// Every address belongs to a lower NAME.
    CannotClaim,
}

/// The message to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Say {
    /// A request for the claims of all others, from the null address.
    AskClaims,
    /// A claim of this address.
    Claim(SourceAddress),
    /// The claim from the null address that means "cannot".
    CannotClaim,
}

/// The state machine.
#[derive(Clone, Debug)]
pub(super) struct Claimer {
    name: Name,
    state: Claim,
    /// When the state ends by itself.
    until: Option<Instant>,
    /// The address to begin with.
    preferred: SourceAddress,
    /// Addresses of others, one bit each.
    taken: [u64; 4],
    twins: u8,
}

impl Claimer {
    pub fn new(name: Name, preferred: SourceAddress) -> Self {
        let preferred = SourceAddress(preferred.0.min(ADDRESS_MAX));
        Self { name, state: Claim::Off, until: None, preferred, taken: [0; 4], twins: 0 }
    }

    pub fn name(&self) -> Name {
        self.name
    }

    pub fn state(&self) -> Claim {
        self.state
    }

    pub fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Returns the address when it may be used.
    pub fn address(&self) -> Option<SourceAddress> {
        match self.state {
            Claim::Claimed(address) => Some(address),
            _ => None,
        }
    }

    /// The bus is there: asks who is on it.
    pub fn start(&mut self, now: Instant) -> Say {
        (self.taken, self.twins) = ([0; 4], 0);
        (self.state, self.until) = (Claim::Listening, Some(now + CLAIM_WAIT));
        Say::AskClaims
    }

    /// The bus is gone.
    pub fn stop(&mut self) {
        if let Claim::Claimed(address) | Claim::Claiming(address) = self.state {
            self.preferred = address;
        }
        (self.state, self.until) = (Claim::Off, None);
    }

    /// Goes on when a wait is over.
    pub fn poll(&mut self, now: Instant) -> Option<Say> {
        if self.until.is_none_or(|until| now < until) {
            return None;
        }
        match self.state {
            Claim::Listening => Some(self.claim_next(self.preferred, now)),
            Claim::Claiming(address) => {
                (self.state, self.until) = (Claim::Claimed(address), None);
                self.preferred = address;
                None
            }
            Claim::CannotClaim => Some(self.start(now)),
            Claim::Off | Claim::Claimed(_) => {
                self.until = None;
                None
            }
        }
    }

    /// Takes note that another device uses an address.
    pub fn note(&mut self, address: SourceAddress) {
        if let Some(word) = self.taken.get_mut(usize::from(address.0 / 64)) {
            *word |= 1 << (address.0 % 64);
        }
    }

    /// Takes a claim of another device.
    pub fn heard(&mut self, from: SourceAddress, name: Name, now: Instant) -> Option<Say> {
        let (Claim::Claiming(address) | Claim::Claimed(address)) = self.state else {
            self.note(from);
            return None;
        };
        if from != address {
            self.note(from);
            return None;
        }
        if name > self.name {
            return Some(Say::Claim(address));
        }
        if name == self.name {
            // Two devices cannot be one: the one that notices becomes another, and asks for the address again.
            if self.twins >= TWINS_MAX {
                return Some(self.give_up(now));
            }
            self.twins += 1;
            self.name = self.name.next_instance();
        }
        self.note(from);
        Some(self.claim_next(address, now))
    }

    /// Takes the command to have another address (PGN 65240).
    pub fn commanded(&mut self, name: Name, address: SourceAddress, now: Instant) -> Option<Say> {
        let is_ours = name == self.name && self.state != Claim::Off && address.0 <= ADDRESS_MAX;
        if !is_ours || self.state == Claim::Claimed(address) {
            return None;
        }
        // The command wins over what was heard; the claim tells whether the address is free.
        (self.state, self.until) = (Claim::Claiming(address), Some(now + CLAIM_WAIT));
        Some(Say::Claim(address))
    }

    /// Answers a request for claims.
    pub fn asked(&self) -> Option<Say> {
        match self.state {
            Claim::Claiming(address) | Claim::Claimed(address) => Some(Say::Claim(address)),
            Claim::CannotClaim => Some(Say::CannotClaim),
            Claim::Off | Claim::Listening => None,
        }
    }

    /// Claims `first` or the next address behind it that nobody has.
    fn claim_next(&mut self, first: SourceAddress, now: Instant) -> Say {
        let free = (first.0..=ADDRESS_MAX).chain(0..first.0).find(|address| !self.is_taken(*address));
        let Some(address) = free.map(SourceAddress) else { return self.give_up(now) };
        (self.state, self.until) = (Claim::Claiming(address), Some(now + CLAIM_WAIT));
        Say::Claim(address)
    }

    fn give_up(&mut self, now: Instant) -> Say {
        (self.state, self.until) = (Claim::CannotClaim, Some(now + RETRY));
        Say::CannotClaim
    }

    fn is_taken(&self, address: u8) -> bool {
        self.taken.get(usize::from(address / 64)).is_some_and(|word| word & (1 << (address % 64)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Name = Name(0x8000_0000_0000_1000);
    const LOWER: Name = Name(0x8000_0000_0000_0fff);
    const HIGHER: Name = Name(0x8000_0000_0000_1001);
    const AT: SourceAddress = SourceAddress(100);

    fn ms(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn claiming() -> Claimer {
        let mut claimer = Claimer::new(OURS, AT);
        assert_eq!((claimer.start(ms(0)), claimer.poll(ms(249))), (Say::AskClaims, None));
        assert_eq!(claimer.poll(ms(250)), Some(Say::Claim(AT)));
        claimer
    }

    fn claimed() -> Claimer {
        let mut claimer = claiming();
        assert_eq!((claimer.poll(ms(499)), claimer.address()), (None, None));
        assert_eq!((claimer.poll(ms(500)), claimer.address()), (None, Some(AT)));
        claimer
    }

    #[test]
    fn the_lower_name_keeps_the_address() {
        for mut claimer in [claiming(), claimed()] {
            let state = claimer.state();
            assert_eq!(claimer.heard(AT, HIGHER, ms(600)), Some(Say::Claim(AT)));
            assert_eq!(claimer.state(), state, "and needs not wait again");
            assert_eq!(claimer.heard(AT, LOWER, ms(600)), Some(Say::Claim(SourceAddress(101))));
            assert_eq!(claimer.address(), None, "the new one must be waited for");
            claimer.poll(ms(850));
            assert_eq!(claimer.address(), Some(SourceAddress(101)));
        }
    }

    #[test]
    fn addresses_of_others_are_not_tried() {
        let mut claimer = Claimer::new(OURS, SourceAddress(250));
        claimer.start(ms(0));
        claimer.note(SourceAddress(250));
        claimer.heard(SourceAddress(251), HIGHER, ms(10));
        claimer.note(SourceAddress(0));
        assert_eq!(claimer.poll(ms(250)), Some(Say::Claim(SourceAddress(1))), "252 and on are no addresses");
    }

    #[test]
    fn a_full_bus_is_told_and_tried_again_later() {
        let mut claimer = claimed();
        (0..=ADDRESS_MAX).filter(|address| *address != AT.0).for_each(|address| claimer.note(SourceAddress(address)));
        assert_eq!(claimer.heard(AT, LOWER, ms(1000)), Some(Say::CannotClaim));
        assert_eq!((claimer.state(), claimer.address()), (Claim::CannotClaim, None));
        assert_eq!(claimer.asked(), Some(Say::CannotClaim));
        assert_eq!(claimer.heard(AT, LOWER, ms(2000)), None);
        assert_eq!(claimer.poll(ms(60_999)), None);
        assert_eq!(claimer.poll(ms(61_000)), Some(Say::AskClaims));
        assert_eq!(claimer.poll(ms(61_250)), Some(Say::Claim(AT)), "nobody answered");
    }

    #[test]
    fn a_twin_gets_another_instance_and_no_endless_argument() {
        let mut claimer = claimed();
        let mut said = Vec::new();
        for _ in 0..=TWINS_MAX {
            let (Claim::Claimed(address) | Claim::Claiming(address)) = claimer.state() else {
                panic!("given up early")
            };
            let name = claimer.name();
            said.push(claimer.heard(address, name, ms(1000)).unwrap());
        }
        assert_eq!(said.first(), Some(&Say::Claim(SourceAddress(101))));
        assert_eq!(said.last(), Some(&Say::CannotClaim));
        assert_eq!(claimer.name(), OURS, "eight instances, then around");
    }

    #[test]
    fn a_commanded_address_is_claimed_by_the_device_that_is_meant() {
        let mut claimer = claimed();
        let to = SourceAddress(30);
        assert_eq!(claimer.commanded(LOWER, to, ms(1000)), None);
        assert_eq!(claimer.commanded(OURS, SourceAddress(252), ms(1000)), None);
        assert_eq!(claimer.commanded(OURS, AT, ms(1000)), None);
        assert_eq!(claimer.commanded(OURS, to, ms(1000)), Some(Say::Claim(to)));
        assert_eq!((claimer.poll(ms(1250)), claimer.address()), (None, Some(to)));
        claimer.stop();
        assert_eq!(claimer.commanded(OURS, AT, ms(2000)), None);
    }

    #[test]
    fn after_an_interruption_the_last_address_is_claimed_first() {
        let mut claimer = claimed();
        claimer.heard(AT, LOWER, ms(600));
        claimer.stop();
        assert_eq!((claimer.state(), claimer.asked(), claimer.poll(ms(9000))), (Claim::Off, None, None));
        claimer.start(ms(10_000));
        assert_eq!(claimer.poll(ms(10_250)), Some(Say::Claim(SourceAddress(101))));
    }

    proptest::proptest! {
        /// Whatever others claim: an address that is ours was never claimed by a lower NAME since.
        #[test]
        fn a_lower_name_always_gets_its_address(
            events in proptest::collection::vec((0_u8..=255, 0_u64..3, 0_u64..200), 0..80),
        ) {
            let mut claimer = Claimer::new(OURS, AT);
            let mut now = 0;
            claimer.start(ms(now));
            for (from, name, pause) in events {
                now += pause;
                claimer.poll(ms(now));
                let name = Name(OURS.0 - 1 + name);
                let before = claimer.name();
                claimer.heard(SourceAddress(from), name, ms(now));
                if name <= before && let Claim::Claimed(address) | Claim::Claiming(address) = claimer.state() {
                    proptest::prop_assert_ne!(address.0, from);
                }
            }
        }
    }
}
