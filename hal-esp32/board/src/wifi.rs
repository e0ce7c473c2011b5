//! Which networks the board joins or makes.
//!
//! Without a network to join it makes one of its own, for setting it up: `skiff-XXXX` with a password that is made by
//! chance at the first start, kept in flash and told on USB only. A password that followed from the hardware address
//! would be no secret: the board sends that address with every frame.

use alloc::format;
use alloc::string::{String, ToString};
use core::time::Duration;

pub use skiff_runtime::device::wifi::WifiMode as Mode;
use skiff_runtime::hal::{Key, Rng, Storage, StorageError};
use skiff_runtime::time::Instant;

/// Record of the password of the network it makes.
pub const SETUP_FILE: &str = "skiff/setup-password";
/// Letters and digits that are not mistaken for each other.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789+";
/// 32 to the power of 12: 60 bits.
const PASSWORD_CHARS: usize = 12;
/// Time without the configured network after which the board opens its own, so that it can be reached.
const LOST: Duration = Duration::from_secs(120);
/// Idle time of the setup network after which the board tries to join the configured one again.
const SET_UP: Duration = Duration::from_secs(600);
/// Pause between two attempts to join.
const RETRY: Duration = Duration::from_secs(10);

/// The network the board makes.
#[derive(Clone, PartialEq, Eq)]
pub struct SetupNetwork {
    /// Its name.
    pub ssid: String,
    /// Its password.
    pub password: String,
}

impl SetupNetwork {
    /// Returns the network of this board, with a password that is made at the first start.
    ///
    /// # Errors
    /// [`StorageError`] when a new password cannot be kept; a board without storage makes no network.
    pub fn of(address: [u8; 6], storage: &mut dyn Storage, rng: &mut dyn Rng) -> Result<Self, StorageError> {
        let [.., high, low] = address;
        let ssid = format!("skiff-{high:02x}{low:02x}");
        let key = Key::parse(SETUP_FILE).map_err(|_| StorageError::Failed)?;
        match storage.read_all(&key, 64) {
            Ok(data) => {
                if let Some(password) = core::str::from_utf8(&data).ok().filter(|text| (8..=63).contains(&text.len())) {
                    return Ok(Self { ssid, password: password.to_string() });
                }
            }
            Err(StorageError::NotFound) => {}
            Err(error) => return Err(error),
        }
        let mut bytes = [0; PASSWORD_CHARS];
        rng.fill(&mut bytes);
        let letter = |byte: &u8| char::from(ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'x'));
        let password: String = bytes.iter().map(letter).collect();
        storage.replace(&key, password.as_bytes())?;
        Ok(Self { ssid, password })
    }
}

/// Chooses at a start; `asked` is what the start before asked for.
#[must_use]
pub fn choose(has_station: bool, asked: Option<Mode>) -> Mode {
    if has_station { asked.unwrap_or(Mode::Join) } else { Mode::SetUp }
}

/// The next action of the radio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Try to join.
    Join,
    /// Start again in the other mode: one network at a time, so that the memory for two is not needed.
    Restart(Mode),
}

/// Decides about the networks while the board runs.
#[derive(Clone, Debug)]
pub struct Plan {
    mode: Mode,
    has_station: bool,
    /// Since when the board cannot be reached in its mode.
    alone_since: Option<Instant>,
    tried: Option<Instant>,
}

impl Plan {
    /// Begins.
    #[must_use]
    pub fn begin(mode: Mode, has_station: bool, now: Instant) -> Self {
        Self { mode, has_station, alone_since: Some(now), tried: None }
    }

    /// Decides what the radio does, from whether the board has joined or a client is on its own network.
    pub fn poll(&mut self, in_use: bool, now: Instant) -> Action {
        if in_use {
            self.alone_since = None;
            return Action::None;
        }
        let alone = now.since(*self.alone_since.get_or_insert(now));
        match self.mode {
            Mode::Join if alone >= LOST => Action::Restart(Mode::SetUp),
            Mode::Join if self.tried.is_none_or(|tried| now.since(tried) >= RETRY) => {
                self.tried = Some(now);
                Action::Join
            }
            Mode::SetUp if self.has_station && alone >= SET_UP => Action::Restart(Mode::Join),
            _ => Action::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_runtime::hal::sim::{SimRng, SimStorage};

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000)
    }

    #[test]
    fn the_password_is_made_once_and_by_chance() {
        let (mut storage, mut rng) = (SimStorage::new(), SimRng::new(7));
        let address = [2, 0, 0, 0, 0xab, 0xcd];
        let first = SetupNetwork::of(address, &mut storage, &mut rng).unwrap();
        assert_eq!((first.ssid.as_str(), first.password.len()), ("skiff-abcd", 12));
        assert!(first == SetupNetwork::of(address, &mut storage, &mut rng).unwrap());
        let other = SetupNetwork::of(address, &mut SimStorage::new(), &mut rng).unwrap();
        assert!(first.password != other.password);
        storage.replace(&Key::parse(SETUP_FILE).unwrap(), b"short").unwrap();
        assert!(SetupNetwork::of(address, &mut storage, &mut rng).unwrap().password != "short");
        storage.set_read_only(true);
        storage.remove(&Key::parse(SETUP_FILE).unwrap()).unwrap_err();
    }

    #[test]
    fn without_a_network_to_join_there_is_the_own_one() {
        assert_eq!(choose(false, Some(Mode::Join)), Mode::SetUp);
        assert_eq!((choose(true, None), choose(true, Some(Mode::SetUp))), (Mode::Join, Mode::SetUp));
        let mut plan = Plan::begin(Mode::SetUp, false, at(0));
        assert!((0..10_000).all(|second| plan.poll(false, at(second)) == Action::None));
    }

    #[test]
    fn a_network_that_stays_away_brings_the_own_one() {
        let mut plan = Plan::begin(Mode::Join, true, at(0));
        assert_eq!(plan.poll(false, at(0)), Action::Join);
        assert_eq!(plan.poll(false, at(5)), Action::None);
        assert_eq!(plan.poll(false, at(10)), Action::Join);
        assert_eq!(plan.poll(true, at(100)), Action::None);
        assert_eq!(plan.poll(false, at(200)), Action::Join, "gone again");
        assert_eq!(plan.poll(false, at(319)), Action::Join);
        assert_eq!(plan.poll(false, at(320)), Action::Restart(Mode::SetUp));
    }

    #[test]
    fn the_own_one_gives_way_when_nobody_uses_it() {
        let mut plan = Plan::begin(Mode::SetUp, true, at(0));
        assert_eq!(plan.poll(false, at(599)), Action::None);
        assert_eq!(plan.poll(true, at(600)), Action::None);
        assert_eq!(plan.poll(false, at(700)), Action::None);
        assert_eq!(plan.poll(false, at(1300)), Action::Restart(Mode::Join));
    }
}
