//! The budget table: what each part of the board has reserved, uses, and may have.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use skiff_runtime::budget::{MODEL, NETWORK, QUEUES, RUNTIME};
use skiff_runtime::gateway::Gateway;
use skiff_virt::{heap, stack, uart};

/// All RAM of the board, bytes.
const RAM_BYTES: u64 = 400 * 1024;

/// Measurements of the heap, by row.
#[derive(Default)]
pub struct Measured(Vec<(String, u64)>);

impl Measured {
    /// Notes what a row took at its peak.
    pub fn note(&mut self, row: &str, bytes: usize) {
        self.0.push((row.to_string(), bytes as u64));
    }

    fn of(&self, row: &str) -> Option<u64> {
        self.0.iter().find(|(name, _)| name == row).map(|(_, bytes)| *bytes)
    }

    /// Prints the rows. What nobody else has measured of the heap, and stack and static data, is the runtime's.
    pub fn print(&self, gateway: &Gateway) {
        let rows = gateway.budget();
        let usage = heap::usage();
        let others: u64 = rows
            .iter()
            .filter(|row| row.name != RUNTIME)
            .filter_map(|row| self.of(&row.name).or(row.used))
            .fold(0, u64::saturating_add);
        let fixed = RAM_BYTES.saturating_sub(usage.arena as u64 + stack::size() as u64);
        for row in rows {
            let used = match row.name.as_str() {
                RUNTIME => {
                    let own = (usage.used as u64).saturating_sub(others);
                    Some(own.saturating_add(stack::used() as u64).saturating_add(fixed))
                }
                NETWORK | MODEL | QUEUES => self.of(&row.name).or(row.used),
                name => self.of(name),
            };
            let (name, used) = (row.name, used.unwrap_or(0));
            uart::write_fmt(format_args!(
                "# budget: {name}: reserved {}, used {used}, limit {}\n",
                row.reserved, row.limit
            ));
        }
        let ledger = gateway.plugins().ledger();
        uart::write_fmt(format_args!("# budget: free: reserved {}, used 0, limit {}\n", ledger.free(), ledger.total()));
    }
}
