//! Who has reserved how much of the gateway's memory.
//!
//! Rust's allocator cannot fail softly on a chip, so memory is promised before it is used: an
//! instance is loaded only after its predicted bytes were reserved here.

use alloc::boxed::Box;
use core::fmt;

use crate::sorted::SortedMap;

/// A reservation that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Bytes asked for.
    pub needed: u64,
    /// Bytes free.
    pub free: u64,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "does not fit: {} bytes needed, {} free", self.needed, self.free)
    }
}

impl core::error::Error for Shortage {}

/// Reserved bytes by account; the account of a plugin is its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    total: u64,
    accounts: SortedMap<Box<str>, u64>,
}

impl Ledger {
    /// Opens a ledger over `total` bytes.
    #[must_use]
    pub fn new(total: u64) -> Self {
        Self { total, accounts: SortedMap::new() }
    }

    /// Adds `bytes` to what `account` has reserved.
    ///
    /// # Errors
    /// [`Shortage`] when so many are not free; nothing changes then.
    pub fn reserve(&mut self, account: &str, bytes: u64) -> Result<(), Shortage> {
        let free = self.free();
        if bytes > free {
            return Err(Shortage { needed: bytes, free });
        }
        match self.accounts.get_mut(account) {
            Some(reserved) => *reserved = reserved.saturating_add(bytes),
            None => _ = self.accounts.insert(account.into(), bytes),
        }
        Ok(())
    }

    /// Makes `bytes` the whole reservation of `account`, as when its linear memory has grown.
    ///
    /// What has been taken already is noted even beyond the total; nothing is free then.
    pub fn resize(&mut self, account: &str, bytes: u64) {
        if let Some(reserved) = self.accounts.get_mut(account) {
            *reserved = bytes;
        }
    }

    /// Frees everything that `account` has reserved.
    pub fn release(&mut self, account: &str) {
        self.accounts.remove(account);
    }

    /// Returns what `account` has reserved, bytes.
    #[must_use]
    pub fn reserved(&self, account: &str) -> u64 {
        self.accounts.get(account).copied().unwrap_or(0)
    }

    /// Returns all bytes there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns the bytes nobody has reserved.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.total.saturating_sub(self.accounts.values().sum())
    }

    /// Visits the accounts and what each has reserved.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.accounts.iter().map(|(name, bytes)| (&**name, *bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_fit_is_refused_with_both_numbers() {
        let mut ledger = Ledger::new(100);
        ledger.reserve("a", 60).unwrap();
        assert_eq!(ledger.reserve("b", 41), Err(Shortage { needed: 41, free: 40 }));
        assert_eq!(ledger.reserved("b"), 0);
        ledger.release("a");
        assert_eq!(ledger.reserve("b", 100), Ok(()));
        assert_eq!(ledger.reserve("b", u64::MAX).unwrap_err().free, 0);
        ledger.resize("b", 30);
        ledger.resize("nobody", 30);
        assert_eq!((ledger.reserved("b"), ledger.free(), ledger.accounts().count()), (30, 70, 1));
    }

    proptest! {
        #[test]
        fn accounts_and_free_bytes_always_make_the_total(steps in prop::collection::vec((0_u8..4, any::<bool>(), 0_u64..400), 0..60)) {
            let mut ledger = Ledger::new(1000);
            for (account, release, bytes) in steps {
                let name = std::format!("plugin{account}");
                if release {
                    ledger.release(&name);
                } else {
                    let _ = ledger.reserve(&name, bytes);
                }
                prop_assert_eq!(ledger.accounts().map(|(_, bytes)| bytes).sum::<u64>() + ledger.free(), ledger.total());
            }
        }
    }
}
