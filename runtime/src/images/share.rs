//! A machine's chunks, and what its plugin was promised of the board's memory.

use skiff_engine::Machine;

use crate::budget::{Account, Ledger, Promise, Shortage};

/// What a plugin on this engine may take, and has taken.
#[derive(Debug)]
pub struct Share {
    promise: Promise,
    /// What the memory of the guest can grow to, bytes.
    memory_bytes_max: u32,
}

/// What a plugin holds, for its owner to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Chunks of its linear memory.
    pub chunks: u32,
    /// All bytes.
    pub used: u64,
    /// What it was promised, or holds beyond that.
    pub reserved: u64,
}

impl Share {
    /// Promises `bytes` to an account: as predicted, or as its owner set it.
    ///
    /// # Errors
    /// [`Shortage`] when this many are not free; nothing changes then.
    pub fn reserve(ledger: &mut Ledger, account: Account, bytes: u64, memory_bytes_max: u32) -> Result<Self, Shortage> {
        Ok(Self { promise: Promise::reserve(ledger, account, bytes)?, memory_bytes_max })
    }

    /// Returns what is reserved: what was promised, or is held beyond that, bytes.
    #[must_use]
    pub fn reserved(&self) -> u64 {
        self.promise.reserved()
    }

    /// Returns what the plugin may hold in all, bytes: the promise, and what nobody was promised.
    #[must_use]
    pub fn allowed(&self, ledger: &Ledger) -> u64 {
        self.promise.allowed(ledger)
    }

    /// Lets the machine take chunks before a slice: those of the promise, and what nobody was promised. `beside` is what the host
    /// holds for the plugin beside the machine, bytes. A store that finds no chunk then ends the plugin
    /// ([`Fault::Memory`](skiff_engine::Fault::Memory)) and nothing else.
    pub fn allow(&self, machine: &mut Machine, beside: u64, ledger: &Ledger) {
        // First how far it grows, by which the table is reckoned.
        machine.allow_memory(0, self.memory_bytes_max);
        let chunks = machine.chunks_within(self.promise.allowed(ledger).saturating_sub(beside));
        machine.allow_memory(chunks, self.memory_bytes_max);
    }

    /// Notes after a slice what the plugin holds.
    pub fn note(&mut self, machine: &Machine, beside: u64) -> Taken {
        let used = (machine.ram_bytes() as u64).saturating_add(beside);
        self.promise.note(used);
        Taken { chunks: machine.memory().used_chunks(), used, reserved: used.max(self.promise.promised()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    use skiff_engine::{Fault, Limits, Outcome, Quota, Value, translate};

    const KIB: u64 = 1024;
    const MEMORY_BYTES_MAX: u32 = 64 << 10;

    /// A guest that writes to as many chunks as it is told.
    fn guest() -> Machine {
        let text = r#"(module (memory 1) (global $next (mut i32) (i32.const 0))
            (func (export "take") (param $chunks i32)
                (block $done (loop $more
                    (br_if $done (i32.eqz (local.get $chunks)))
                    (i32.store (global.get $next) (i32.const 1))
                    (global.set $next (i32.add (global.get $next) (i32.const 1024)))
                    (local.set $chunks (i32.sub (local.get $chunks) (i32.const 1)))
                    (br $more)))))"#;
        let image = translate(&wat::parse_str(text).unwrap(), [0; 32], &Limits::CHIP).unwrap();
        let quota = Quota { registers: 300, chunks: 0, memory_bytes_max: MEMORY_BYTES_MAX, ..Quota::default() };
        Machine::new(image, quota).unwrap()
    }

    /// Three plugins of 8 KiB each on a board with 32: 8 are nobody's.
    struct Board {
        ledger: Ledger,
        plugins: Vec<(Machine, Share)>,
    }

    impl Board {
        fn new() -> Self {
            let mut ledger = Ledger::new(32 * KIB);
            let plugins = (0..3)
                .map(|number| {
                    let account = Account::Plugin(std::format!("p{number}").into());
                    (guest(), Share::reserve(&mut ledger, account, 8 * KIB, MEMORY_BYTES_MAX).unwrap())
                })
                .collect();
            Self { ledger, plugins }
        }

        fn take(&mut self, plugin: usize, chunks: i32) -> (Outcome, Taken) {
            let (machine, share) = &mut self.plugins[plugin];
            share.allow(machine, 100, &self.ledger);
            let function = machine.image().function("take").unwrap();
            machine.begin(function, &[Value::I32(chunks)]).unwrap();
            let outcome = machine.run(&mut 100_000);
            machine.abandon();
            let taken = share.note(machine, 100);
            let reserved: u64 = self.ledger.accounts().map(|(_, bytes)| bytes).sum();
            assert!(reserved <= self.ledger.total(), "{reserved}");
            (outcome, taken)
        }
    }

    const FAULT: Outcome = Outcome::Faulted(Fault::Memory);

    #[test]
    fn a_plugin_gets_what_it_was_promised_whatever_others_take() {
        let mut board = Board::new();
        // The first one takes all that nobody was promised, and ends there.
        let (outcome, greedy) = board.take(0, 60);
        assert_eq!(outcome, FAULT);
        assert!(greedy.used > 15 * KIB && greedy.used <= 16 * KIB, "{greedy:?}");
        assert_eq!((greedy.reserved, board.ledger.free()), (greedy.used, 16 * KIB - greedy.used));
        // The others have theirs, to the last chunk, and no more.
        for plugin in [1, 2] {
            let (outcome, taken) = board.take(plugin, 6);
            assert_eq!((outcome, taken.chunks, taken.reserved), (Outcome::Done, 6, 8 * KIB));
            assert!(taken.used < taken.reserved, "`used` shows chunks: {taken:?}");
        }
        assert_eq!(board.take(1, 3).0, FAULT);
        assert_eq!(board.take(2, 0), (Outcome::Done, board.take(2, 0).1), "the end of one is nothing to another");
    }

    #[test]
    fn more_is_given_while_nobody_was_promised_it() {
        let mut board = Board::new();
        let (outcome, taken) = board.take(1, 12);
        assert_eq!((outcome, taken.chunks), (Outcome::Done, 12));
        assert!(taken.reserved > 8 * KIB);
        // What is left is less than another one needs.
        let refused = Share::reserve(&mut board.ledger, Account::Plugin("late".into()), 4 * KIB, MEMORY_BYTES_MAX);
        assert_eq!(refused.unwrap_err().free, board.ledger.free());
        // One that ends gives back promise and more.
        board.plugins.remove(1);
        assert_eq!(board.ledger.free(), 16 * KIB);
        let late = Share::reserve(&mut board.ledger, Account::Plugin("late".into()), 12 * KIB, MEMORY_BYTES_MAX);
        let late = late.unwrap();
        board.plugins.push((guest(), late));
        assert_eq!(board.take(0, 11).0, FAULT, "what was promised to the late one is not free any more");
        assert_eq!(board.take(2, 10).0, Outcome::Done);
    }

    #[test]
    fn the_host_writes_within_the_same_bounds() {
        let mut board = Board::new();
        let (machine, share) = &mut board.plugins[0];
        share.allow(machine, 0, &board.ledger);
        assert_eq!(machine.write_memory(0, &[1; 20 << 10]), Err(Fault::Memory));
        assert!(share.note(machine, 0).used <= 16 * KIB);
        // What the host holds beside leaves less.
        let (machine, share) = &mut board.plugins[1];
        share.allow(machine, 7 * KIB, &board.ledger);
        assert_eq!(machine.take_memory(0, 4096), Err(Fault::Memory));
        let allowed = share.promise.allowed(&board.ledger);
        assert!(share.note(machine, 7 * KIB).used <= allowed);
    }
}
