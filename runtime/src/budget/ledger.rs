//! Who has reserved how much of the gateway's memory.
//!
//! Rust's allocator cannot fail softly on a chip, so memory is promised before it is used: an
//! instance is loaded only after its predicted bytes were reserved here. A [`Reservation`] is a
//! value kept beside what it pays for; dropping it gives the bytes back.

use alloc::boxed::Box;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

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

/// Whose bytes they are. A package cannot choose one of the gateway's own, whatever its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// Stack, static data and the gateway's own state.
    Runtime,
    /// Socket buffers, packet buffers and what HTTP clients hold.
    Network,
    /// The data model.
    Model,
    /// Deltas on their way.
    Queues,
    /// The module that is being translated, while that lasts: one at a time.
    #[cfg(feature = "engine-chip")]
    Translation,
    /// The version in force of the plugin with this id.
    Plugin(Box<str>),
    /// A version that comes up, or ends, beside the one in force.
    NextVersion(Box<str>),
}

/// Bytes promised to an account; dropping it gives them back.
#[derive(Debug)]
pub struct Reservation(Rc<Cell<u64>>);

impl Reservation {
    /// Returns the reserved bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.get()
    }

    /// Makes `bytes` the whole reservation, as when a linear memory has grown.
    ///
    /// What has been taken already is noted even beyond the total; nothing is free then.
    pub fn resize(&mut self, bytes: u64) {
        self.0.set(bytes);
    }
}

/// Reserved bytes by account.
#[derive(Debug)]
pub struct Ledger {
    total: u64,
    /// Entries whose reservation has been dropped count for nothing and go with the next reservation.
    entries: Vec<(Account, Weak<Cell<u64>>)>,
    /// Memory that the gateway itself holds while it runs.
    own: Vec<Reservation>,
}

impl Ledger {
    /// Opens a ledger over `total` bytes.
    #[must_use]
    pub fn new(total: u64) -> Self {
        Self { total, entries: Vec::new(), own: Vec::new() }
    }

    /// Reserves `bytes` for `account`, beside what it may have reserved already.
    ///
    /// # Errors
    /// [`Shortage`] when this many are not free; nothing changes then.
    pub fn reserve(&mut self, account: Account, bytes: u64) -> Result<Reservation, Shortage> {
        let free = self.free();
        if bytes > free {
            return Err(Shortage { needed: bytes, free });
        }
        Ok(self.enter(account, bytes))
    }

    /// Takes `bytes` for the gateway itself, for good, whether or not this many are free: what is there is there.
    pub fn take(&mut self, account: Account, bytes: u64) {
        let reservation = self.enter(account, bytes);
        self.own.push(reservation);
    }

    fn enter(&mut self, account: Account, bytes: u64) -> Reservation {
        self.entries.retain(|(_, reserved)| reserved.strong_count() > 0);
        let reserved = Rc::new(Cell::new(bytes));
        self.entries.push((account, Rc::downgrade(&reserved)));
        Reservation(reserved)
    }

    /// Notes that the next version of a plugin is in force now: its account and that of the version before change names.
    pub fn exchange_versions(&mut self, id: &str) {
        for (account, _) in &mut self.entries {
            let other = match account {
                Account::Plugin(of) if **of == *id => Account::NextVersion(id.into()),
                Account::NextVersion(of) if **of == *id => Account::Plugin(id.into()),
                _ => continue,
            };
            *account = other;
        }
    }

    /// Returns what `account` has reserved, bytes.
    #[must_use]
    pub fn reserved(&self, account: &Account) -> u64 {
        self.accounts().filter(|(of, _)| *of == account).map(|(_, bytes)| bytes).sum()
    }

    /// Returns what the version in force of the plugin with this id has reserved, bytes.
    #[must_use]
    pub fn reserved_by_plugin(&self, id: &str) -> u64 {
        let own = |account: &Account| matches!(account, Account::Plugin(of) if **of == *id);
        self.accounts().filter(|(account, _)| own(account)).map(|(_, bytes)| bytes).sum()
    }

    /// Returns all bytes there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns the bytes that are not reserved.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.total.saturating_sub(self.accounts().map(|(_, bytes)| bytes).sum())
    }

    /// Visits the accounts and what each has reserved.
    pub fn accounts(&self) -> impl Iterator<Item = (&Account, u64)> {
        self.entries.iter().filter_map(|(account, reserved)| Some((account, reserved.upgrade()?.get())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plugin(id: &str) -> Account {
        Account::Plugin(id.into())
    }

    #[test]
    fn what_does_not_fit_is_refused_with_both_numbers() {
        let mut ledger = Ledger::new(100);
        let a = ledger.reserve(plugin("a"), 60).unwrap();
        assert_eq!(ledger.reserve(plugin("b"), 41).unwrap_err(), Shortage { needed: 41, free: 40 });
        assert_eq!(ledger.reserved(&plugin("b")), 0);
        drop(a);
        let mut b = ledger.reserve(plugin("b"), 100).unwrap();
        assert_eq!(ledger.reserve(plugin("b"), u64::MAX).unwrap_err().free, 0);
        b.resize(30);
        assert_eq!((ledger.reserved_by_plugin("b"), ledger.free(), ledger.accounts().count()), (30, 70, 1));
    }

    #[test]
    fn the_gateways_own_rows_are_out_of_reach_of_a_name() {
        let mut ledger = Ledger::new(100);
        ledger.take(Account::Model, 40);
        drop(ledger.reserve(plugin("model"), 10).unwrap());
        assert_eq!((ledger.reserved(&Account::Model), ledger.free()), (40, 60));
    }

    #[test]
    fn the_next_version_takes_the_account_of_the_one_before_and_of_nobody_else() {
        let mut ledger = Ledger::new(100);
        let other = ledger.reserve(plugin("x"), 5).unwrap();
        let before = ledger.reserve(plugin("x+"), 10).unwrap();
        let next = ledger.reserve(Account::NextVersion("x+".into()), 20).unwrap();
        ledger.exchange_versions("x+");
        assert_eq!(ledger.reserved(&Account::NextVersion("x+".into())), before.bytes());
        drop(before);
        let rows = (ledger.reserved_by_plugin("x"), ledger.reserved_by_plugin("x+"), ledger.free());
        assert_eq!(rows, (other.bytes(), next.bytes(), 75));
    }

    proptest! {
        #[test]
        fn accounts_and_free_bytes_always_make_the_total(steps in prop::collection::vec((0_usize..4, any::<bool>(), 0_u64..400), 0..60)) {
            let mut ledger = Ledger::new(1000);
            let mut held: [Option<Reservation>; 4] = [const { None }; 4];
            for (account, release, bytes) in steps {
                if release {
                    held[account] = None;
                } else if let Ok(reservation) = ledger.reserve(plugin(&std::format!("plugin{account}")), bytes) {
                    held[account] = Some(reservation);
                }
                prop_assert_eq!(ledger.accounts().map(|(_, bytes)| bytes).sum::<u64>() + ledger.free(), ledger.total());
                prop_assert_eq!(ledger.total() - ledger.free(), held.iter().flatten().map(Reservation::bytes).sum::<u64>());
            }
        }
    }
}
