//! Memory that is promised and taken bit by bit: what admission reserved for a plugin, and what it holds of it.

use super::{Account, Ledger, Reservation, Shortage};

/// What a plugin was promised. It keeps that as long as it lives, however little it holds; beyond it it gets what nobody was
/// promised, and gives it back when it holds less.
#[derive(Debug)]
pub struct Promise {
    reservation: Reservation,
    promised: u64,
}

impl Promise {
    /// Promises `bytes` to an account: as predicted, or as its owner set it.
    ///
    /// # Errors
    /// [`Shortage`] when this many are not free; nothing changes then.
    pub fn reserve(ledger: &mut Ledger, account: Account, bytes: u64) -> Result<Self, Shortage> {
        Ok(Self { reservation: ledger.reserve(account, bytes)?, promised: bytes })
    }

    /// Returns what was promised, bytes.
    #[must_use]
    pub const fn promised(&self) -> u64 {
        self.promised
    }

    /// Returns what is reserved: the promise, or what it holds beyond that, bytes.
    #[must_use]
    pub fn reserved(&self) -> u64 {
        self.reservation.bytes()
    }

    /// Returns what it may hold in all, bytes: the promise, and what nobody was promised.
    #[must_use]
    pub fn allowed(&self, ledger: &Ledger) -> u64 {
        self.reservation.bytes().saturating_add(ledger.free())
    }

    /// Notes what it holds, bytes. It was allowed that; what is beyond the promise is not free for others then.
    pub fn note(&mut self, held: u64) {
        self.reservation.resize(held.max(self.promised));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    use proptest::prelude::*;

    fn promise(ledger: &mut Ledger, id: &str, bytes: u64) -> Promise {
        Promise::reserve(ledger, Account::Plugin(id.into()), bytes).unwrap()
    }

    #[test]
    fn what_is_promised_is_never_anothers() {
        let mut ledger = Ledger::new(100);
        let (mut a, b) = (promise(&mut ledger, "a", 30), promise(&mut ledger, "b", 50));
        a.note(0);
        assert_eq!((a.allowed(&ledger), b.allowed(&ledger), ledger.free()), (50, 70, 20));
        // All that nobody was promised, and no byte more.
        a.note(50);
        assert_eq!((a.allowed(&ledger), b.allowed(&ledger), ledger.free()), (50, 50, 0));
        assert!(Promise::reserve(&mut ledger, Account::Plugin("c".into()), 1).is_err());
    }

    #[test]
    fn what_was_taken_beyond_the_promise_comes_back() {
        let mut ledger = Ledger::new(100);
        let mut a = promise(&mut ledger, "a", 30);
        a.note(90);
        assert_eq!(ledger.free(), 10);
        a.note(10);
        assert_eq!((ledger.free(), ledger.reserved_by_plugin("a"), a.promised()), (70, 30, 30));
        drop(a);
        assert_eq!(ledger.free(), 100);
    }

    proptest! {
        #[test]
        fn nobody_is_ever_short_of_what_was_promised(steps in prop::collection::vec((0_usize..3, 0_u64..1200), 0..80)) {
            let mut ledger = Ledger::new(1000);
            let sizes = [200_u64, 300, 150];
            let mut all: Vec<Promise> = sizes.iter().enumerate()
                .map(|(place, bytes)| promise(&mut ledger, &std::format!("p{place}"), *bytes)).collect();
            for (place, wanted) in steps {
                let held = wanted.min(all[place].allowed(&ledger));
                all[place].note(held);
                prop_assert!(ledger.accounts().map(|(_, bytes)| bytes).sum::<u64>() <= ledger.total());
                for (promise, size) in all.iter().zip(sizes) {
                    prop_assert!(promise.allowed(&ledger) >= size);
                }
            }
        }
    }
}
