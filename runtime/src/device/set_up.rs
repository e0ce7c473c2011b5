//! Who becomes the owner of a board that has none yet: who is on the network that it makes for that, by a code used once.
//!
//! The page on that network shows the code. Whoever brings it, there or by the board's name on the boat's network, gets a
//! new token, and from then on the page changes nothing without one. What is kept of the code is a hash; it is good for ten
//! minutes after it was made or, because the board starts anew to join a network, after the next start.

use alloc::string::String;
use core::time::Duration;

use sha2::{Digest, Sha256};

use crate::hal::{Key, Rng, Storage, StorageError};
use crate::time::Instant;

/// Record: that it is claimed, or the hash of a code.
pub const SET_UP_FILE: &str = "skiff/set-up";
/// What stands there once the board has an owner.
const CLAIMED: &[u8] = b"claimed";
/// Time in which a code is good.
pub const CODE_KEPT: Duration = Duration::from_secs(600);
/// Wrong codes after which the right one is good for nothing any more: 50 bits are not found by trying.
const MISSES_MAX: u8 = 10;
/// Letters and digits that are not mistaken for each other: no `i`, `l`, `0` and `1`.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnopqrstuvwxyz23456789";
/// Letters of a code, a hyphen in the middle not counted.
const CODE_CHARS: usize = 10;
/// Longer texts are not looked at.
const TEXT_BYTES_MAX: usize = 64;
/// Keeps these hashes apart from all others.
const PURPOSE: &str = "skiff set-up code";

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// Who brought it is the owner.
    Owner,
    /// It is not the code.
    Wrong,
    /// There is none, or none any more.
    Gone,
}

#[derive(Clone, Copy, Debug)]
struct Code {
    hash: [u8; 32],
    until: Instant,
    misses: u8,
}

/// Whether the board has an owner, and the code for the first.
#[derive(Clone, Copy, Debug, Default)]
pub struct SetUp {
    is_claimed: bool,
    code: Option<Code>,
}

impl SetUp {
    /// Reads the record; one that cannot be read counts as that of a board with an owner.
    pub fn load(storage: &mut dyn Storage, now: Instant) -> Self {
        let read = key().and_then(|key| storage.read_all(&key, 64));
        match read {
            Err(StorageError::NotFound) => Self::default(),
            Ok(data) if data.len() == 32 => {
                let hash = data.first_chunk().copied().unwrap_or_default();
                Self { is_claimed: false, code: Some(Code { hash, until: now + CODE_KEPT, misses: 0 }) }
            }
            Ok(_) | Err(_) => Self { is_claimed: true, code: None },
        }
    }

    /// Tells whether the board has an owner.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        self.is_claimed
    }

    /// Tells whether there is a code that can be brought.
    #[must_use]
    pub fn has_code(&self, now: Instant) -> bool {
        self.code.is_some_and(|code| now < code.until)
    }

    /// Makes a code and keeps its hash; the one before is good for nothing then.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be kept.
    pub fn make_code(
        &mut self,
        storage: &mut dyn Storage,
        rng: &mut dyn Rng,
        now: Instant,
    ) -> Result<String, StorageError> {
        let mut bytes = [0; CODE_CHARS];
        rng.fill(&mut bytes);
        let letter = |byte: &u8| char::from(ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'x'));
        let (first, second) = bytes.split_at(CODE_CHARS / 2);
        let code: String = first.iter().map(letter).chain(['-']).chain(second.iter().map(letter)).collect();
        let hash = hash_of(&code);
        storage.replace(&key()?, &hash)?;
        self.code = Some(Code { hash, until: now + CODE_KEPT, misses: 0 });
        Ok(code)
    }

    /// Uses the code up, where it is the one.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be kept that the board has an owner; the code stays good.
    pub fn redeem(&mut self, text: &str, storage: &mut dyn Storage, now: Instant) -> Result<Redeemed, StorageError> {
        let Some(code) = self.code.as_mut().filter(|code| now < code.until && code.misses < MISSES_MAX) else {
            self.code = None;
            return Ok(Redeemed::Gone);
        };
        let text = text.trim().to_ascii_lowercase();
        let differs = |(a, b): (&u8, &u8)| a ^ b;
        let is_it = text.len() <= TEXT_BYTES_MAX
            && hash_of(&text).iter().zip(&code.hash).map(differs).fold(0, |all, one| all | one) == 0;
        if !is_it {
            code.misses = code.misses.saturating_add(1);
            return Ok(Redeemed::Wrong);
        }
        self.claim(storage)?;
        Ok(Redeemed::Owner)
    }

    /// Keeps that the board has an owner.
    ///
    /// # Errors
    /// [`StorageError`] of the record.
    pub fn claim(&mut self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        storage.replace(&key()?, CLAIMED)?;
        *self = Self { is_claimed: true, code: None };
        Ok(())
    }
}

fn key() -> Result<Key, StorageError> {
    Key::parse(SET_UP_FILE).map_err(|_| StorageError::Failed)
}

fn hash_of(code: &str) -> [u8; 32] {
    Sha256::new().chain_update(PURPOSE).chain_update(code).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::{SimRng, SimStorage};

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn a_code_makes_one_owner_also_after_a_start() {
        let (mut storage, mut rng) = (SimStorage::new(), SimRng::new(3));
        let mut set_up = SetUp::load(&mut storage, at(0));
        assert!(!set_up.is_claimed() && !set_up.has_code(at(0)));
        assert_eq!(set_up.redeem("", &mut storage, at(0)), Ok(Redeemed::Gone));
        let first = set_up.make_code(&mut storage, &mut rng, at(50)).unwrap();
        let code = set_up.make_code(&mut storage, &mut rng, at(50)).unwrap();
        assert!(code.len() == 11 && code.as_bytes()[5] == b'-' && first != code);
        // The board starts anew: its clock does, too.
        let mut set_up = SetUp::load(&mut storage, at(0));
        assert!(!set_up.is_claimed() && set_up.has_code(at(599)) && !set_up.has_code(at(600)));
        assert_eq!(set_up.redeem(&first, &mut storage, at(1)), Ok(Redeemed::Wrong));
        let typed = std::format!(" {} ", code.to_ascii_uppercase());
        assert_eq!(set_up.redeem(&typed, &mut storage, at(599)), Ok(Redeemed::Owner));
        assert!(set_up.is_claimed());
        assert_eq!(set_up.redeem(&code, &mut storage, at(599)), Ok(Redeemed::Gone));
        assert!(SetUp::load(&mut storage, at(0)).is_claimed());
    }

    #[test]
    fn a_code_ends_by_time_and_by_guesses() {
        let (mut storage, mut rng) = (SimStorage::new(), SimRng::new(3));
        let mut set_up = SetUp::default();
        let code = set_up.make_code(&mut storage, &mut rng, at(0)).unwrap();
        assert_eq!(set_up.redeem(&code, &mut storage, at(600)), Ok(Redeemed::Gone));
        let code = set_up.make_code(&mut storage, &mut rng, at(0)).unwrap();
        for _ in 0..MISSES_MAX {
            assert_eq!(set_up.redeem("aaaaa-aaaaa", &mut storage, at(1)), Ok(Redeemed::Wrong));
        }
        assert_eq!(set_up.redeem(&code, &mut storage, at(1)), Ok(Redeemed::Gone));
    }

    #[test]
    fn a_record_that_is_damaged_lets_nobody_in() {
        let mut storage = SimStorage::new();
        for data in [&b""[..], b"x", &[0; 31], &[0; 100]] {
            storage.replace(&key().unwrap(), data).unwrap();
            assert!(SetUp::load(&mut storage, at(0)).is_claimed(), "{data:?}");
        }
        let mut set_up = SetUp::default();
        storage.set_read_only(true);
        assert!(set_up.make_code(&mut storage, &mut SimRng::new(1), at(0)).is_err() && !set_up.has_code(at(0)));
    }
}
