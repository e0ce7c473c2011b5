//! The board's way into a network: station, set-up access point, and when which of them is on.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use sha2::{Digest, Sha256};

use crate::hal::{Key, Rng, Storage, StorageError};
use crate::time::Instant;

const SECRET_KEY: &str = "skiff/set-up-secret";
const SECRET_BYTES: usize = 16;
/// Letters of the password: 60 bits. WPA2 takes 8 to 63 (IEEE 802.11-2020 §J.4.1).
const PASSWORD_LETTERS: usize = 12;
/// Letters of the network's name that tell boards apart.
const NAME_LETTERS: usize = 4;
/// No letter that is taken for another one.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Name and password of the access point for set-up.
#[derive(Clone, PartialEq, Eq)]
pub struct SetUpAccess {
    /// Name of the network, `Skiff-` and four letters.
    pub ssid: String,
    /// Password; tell it on the serial port only.
    pub password: String,
}

impl fmt::Debug for SetUpAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetUpAccess({}, …)", self.ssid)
    }
}

impl SetUpAccess {
    /// Derives both from a secret that is made at the first start and kept.
    ///
    /// Neither comes from the hardware address, which every passer-by can read from the air.
    ///
    /// # Errors
    /// [`StorageError`] when the secret can be neither read nor written.
    pub fn open_or_create(storage: &mut dyn Storage, rng: &mut dyn Rng) -> Result<Self, StorageError> {
        let key = Key::parse(SECRET_KEY).map_err(|_| StorageError::Failed)?;
        match storage.read_all(&key, u32::try_from(SECRET_BYTES).unwrap_or(u32::MAX)) {
            Ok(secret) if secret.len() == SECRET_BYTES => Ok(Self::of(&secret)),
            Err(StorageError::Failed) => Err(StorageError::Failed),
            // None yet, or one that is no secret.
            _ => {
                let mut secret = [0; SECRET_BYTES];
                rng.fill(&mut secret);
                storage.replace(&key, &secret)?;
                Ok(Self::of(&secret))
            }
        }
    }

    fn of(secret: &[u8]) -> Self {
        let ssid = format!("Skiff-{}", letters::<NAME_LETTERS>(secret, b"skiff network name"));
        Self { ssid, password: letters::<PASSWORD_LETTERS>(secret, b"skiff set-up password") }
    }
}

/// Returns letters that depend on the secret and on what they are for.
fn letters<const N: usize>(secret: &[u8], purpose: &[u8]) -> String {
    let hash = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(secret).finalize();
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte & 31)).map_or('a', |letter| char::from(*letter));
    hash.iter().take(N).map(letter).collect()
}

/// Without a network for this long, the access point is switched on beside the station.
pub const FAILING: Duration = Duration::from_secs(180);
/// With a network for this long, it is switched off.
const STEADY: Duration = Duration::from_secs(60);
/// An attempt that takes longer has failed.
const ATTEMPT: Duration = Duration::from_secs(20);
/// First and longest pause between attempts.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// What the radio says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RadioFacts {
    /// There are credentials to try.
    pub has_credentials: bool,
    /// The station is associated and has an address.
    pub is_online: bool,
    /// The attempt on its way was refused: wrong password, no such network.
    pub has_failed: bool,
    /// Devices at the access point.
    pub guests: u8,
}

/// What the radio is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RadioPlan {
    /// Begin an attempt to join the network now.
    pub join: bool,
    /// The access point is to be on.
    pub access_point: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Station {
    Idle,
    Joining { since: Instant },
    Online { since: Instant },
    Pausing { until: Instant },
}

/// Decides when to join, when to pause, and when the access point is on.
#[derive(Clone, Copy, Debug)]
pub struct WifiLink {
    station: Station,
    pause: Duration,
    /// Without a network since.
    offline_since: Instant,
    access_point: bool,
}

impl WifiLink {
    /// Builds the machine at the start of the board.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { station: Station::Idle, pause: PAUSES[0], offline_since: now, access_point: false }
    }

    /// Takes what the radio says and returns what it is to do.
    pub fn poll(&mut self, facts: RadioFacts, now: Instant) -> RadioPlan {
        if !facts.has_credentials {
            *self = Self { access_point: true, ..Self::new(now) };
            return RadioPlan { join: false, access_point: true };
        }
        let mut join = false;
        self.station = match self.station {
            Station::Online { since } if facts.is_online => Station::Online { since },
            Station::Online { .. } => {
                (self.offline_since, self.pause) = (now, PAUSES[0]);
                self.pausing(now)
            }
            _ if facts.is_online => Station::Online { since: now },
            Station::Joining { since } if !facts.has_failed && now.since(since) < ATTEMPT => self.station,
            Station::Joining { .. } => self.pausing(now),
            // Somebody who is setting the board up must not lose it: joining moves the radio to another channel.
            Station::Pausing { until } if now < until || facts.guests > 0 && self.access_point => self.station,
            Station::Idle | Station::Pausing { .. } => {
                join = true;
                Station::Joining { since: now }
            }
        };
        self.access_point = match self.station {
            Station::Online { since } => self.access_point && (now.since(since) < STEADY || facts.guests > 0),
            _ => self.access_point || now.since(self.offline_since) >= FAILING,
        };
        RadioPlan { join, access_point: self.access_point }
    }

    fn pausing(&mut self, now: Instant) -> Station {
        let until = now + self.pause;
        self.pause = self.pause.saturating_mul(2).min(PAUSES[1]);
        Station::Pausing { until }
    }

    /// Takes note of new credentials: they are tried at once.
    pub fn credentials_changed(&mut self, now: Instant) {
        (self.station, self.pause) = (Station::Pausing { until: now }, PAUSES[0]);
    }

    /// Returns the word for it in the status.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match (self.station, self.access_point) {
            (Station::Online { .. }, _) => "online",
            (Station::Joining { .. }, _) => "joining",
            (Station::Pausing { .. }, _) => "pausing",
            (Station::Idle, true) => "set-up",
            (Station::Idle, false) => "off",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::{SimRng, SimStorage};
    use std::vec::Vec;

    const WAITING: RadioFacts = RadioFacts { has_credentials: true, is_online: false, has_failed: false, guests: 0 };
    const ONLINE: RadioFacts = RadioFacts { is_online: true, ..WAITING };

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn every_board_has_its_own_password_and_keeps_it() {
        let mut made = Vec::new();
        for seed in 0..50 {
            let mut storage = SimStorage::new();
            let access = SetUpAccess::open_or_create(&mut storage, &mut SimRng::new(seed)).unwrap();
            assert_eq!(SetUpAccess::open_or_create(&mut storage, &mut SimRng::new(99)).unwrap(), access);
            assert_eq!((access.password.len(), access.ssid.len()), (12, 10));
            assert!(!std::format!("{access:?}").contains(&access.password));
            assert!(!access.password.contains(&access.ssid[6..]), "the name must not give the password away");
            made.push(access.password);
        }
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 50);
    }

    #[test]
    fn without_credentials_only_the_access_point_is_on() {
        let mut link = WifiLink::new(at(0));
        let facts = RadioFacts { has_credentials: false, ..WAITING };
        for second in 0..1000 {
            assert_eq!(link.poll(facts, at(second)), RadioPlan { join: false, access_point: true });
        }
        assert_eq!(link.name(), "set-up");
        link.credentials_changed(at(1000));
        assert!(link.poll(WAITING, at(1000)).join);
    }

    #[test]
    fn attempts_back_off_and_the_access_point_comes_in_parallel() {
        let mut link = WifiLink::new(at(0));
        let refused = RadioFacts { has_failed: true, ..WAITING };
        let (mut joins, mut access_point) = (Vec::new(), None);
        for second in 0..400 {
            let facts = if link.name() == "joining" { refused } else { WAITING };
            let plan = link.poll(facts, at(second));
            joins.extend(plan.join.then_some(second));
            access_point = access_point.or(plan.access_point.then_some(second));
        }
        assert_eq!(joins, [0, 2, 5, 10, 19, 36, 69, 130, 191, 252, 313, 374]);
        assert_eq!(access_point, Some(180));
    }

    #[test]
    fn an_attempt_without_an_answer_ends() {
        let mut link = WifiLink::new(at(0));
        let joins: Vec<u64> = (0..60).filter(|second| link.poll(WAITING, at(*second)).join).collect();
        assert_eq!(joins, [0, 21, 43]);
    }

    #[test]
    fn a_steady_network_ends_the_access_point_and_a_guest_keeps_it() {
        let mut link = WifiLink::new(at(0));
        (0..=200).for_each(|second| drop(link.poll(WAITING, at(second))));
        assert!(link.poll(ONLINE, at(201)).access_point && link.poll(ONLINE, at(260)).access_point);
        assert!(link.poll(RadioFacts { guests: 1, ..ONLINE }, at(400)).access_point);
        assert!(!link.poll(ONLINE, at(401)).access_point);
        assert_eq!(link.name(), "online");
        // A network that was there for long and goes away is tried again after a second.
        assert!(!link.poll(WAITING, at(500)).join && link.poll(WAITING, at(501)).join);
        assert!(!link.poll(WAITING, at(502)).access_point);
    }

    #[test]
    fn a_guest_is_not_thrown_off_the_channel() {
        let mut link = WifiLink::new(at(0));
        (0..=200).for_each(|second| drop(link.poll(WAITING, at(second))));
        let guest = RadioFacts { guests: 1, has_failed: true, ..WAITING };
        assert!((201..900).all(|second| !link.poll(guest, at(second)).join));
        assert!((900..1000).any(|second| link.poll(WAITING, at(second)).join));
    }
}
