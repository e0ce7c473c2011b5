//! What of a board's memory is spoken for before a plugin comes, and the rows that show it.

use alloc::string::String;

use super::{Board, Limits, NetLimits};

/// Row of stack, static data and the gateway's own state.
pub const RUNTIME: &str = "runtime";
/// Row of socket buffers, packet buffers and what HTTP clients hold.
pub const NETWORK: &str = "network";
/// Row of the data model.
pub const MODEL: &str = "model";
/// Row of deltas on their way.
pub const QUEUES: &str = "queues";

const KIB: u64 = 1024;
/// State of the gateway beside the data model, and the largest delta of a bus while it is taken in: measured, see
/// `docs/memory.md`.
const GATEWAY_BYTES: u64 = 24 * KIB;

/// A row of the budget table, bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetRow {
    /// `runtime`, `network`, `model`, `queues`, or a plugin's package name.
    pub name: String,
    /// Taken off what plugins may be promised.
    pub reserved: u64,
    /// In use now; `None` where only the board can measure it.
    pub used: Option<u64>,
    /// The most it may ever have.
    pub limit: u64,
}

/// Bytes reserved for everything but plugins.
///
/// On Linux all of it is 0: there [`Limits::total_bytes`] is for plugins alone, and the system gives the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// Stack, static data, the gateway's own state.
    pub runtime: u64,
    /// Sockets, packets, HTTP clients, where the board has a network.
    pub network: u64,
    /// The data model.
    pub model: u64,
    /// Deltas on their way to and from plugins: all plugins share their texts, and one works at a time.
    pub queues: u64,
}

impl Fixed {
    /// The part of the runtime's bytes that is not heap: stack and static data, as the board's linker script lays
    /// them out.
    pub const OUTSIDE_HEAP_BYTES: u64 = 52 * KIB;
    /// The part of the network's bytes that the device has: its queues, packet buffers, tables of the stack; measured.
    pub const DEVICE_BYTES: u64 = 28 * KIB;
    /// Heap of the Wi-Fi driver of the ESP32-C6: what the documentation of esp-radio 1.0.0-beta.1 sets aside for it. Not
    /// measured on a chip.
    pub const RADIO_BYTES: u64 = 100 * KIB;

    /// Returns what a board reserves.
    #[must_use]
    pub const fn of(limits: &Limits) -> Self {
        match limits.board {
            Board::Linux => Self { runtime: 0, network: 0, model: 0, queues: 0 },
            board => Self {
                runtime: Self::OUTSIDE_HEAP_BYTES + GATEWAY_BYTES,
                network: if limits.network { Self::network(board) } else { 0 },
                model: limits.model_bytes_max as u64,
                queues: limits.plugin.delta_queue_bytes as u64 + limits.plugin.emit_queue_bytes as u64,
            },
        }
    }

    const fn network(board: Board) -> u64 {
        NetLimits::of(board).reserved_bytes() + Self::DEVICE_BYTES + Self::radio(board)
    }

    const fn radio(board: Board) -> u64 {
        if matches!(board, Board::Esp32C6) { Self::RADIO_BYTES } else { 0 }
    }

    /// Returns the most that one plugin may ever have: its own limit, or what is left beside gateway and network, bytes.
    #[must_use]
    pub const fn left_for_one_plugin(limits: &Limits) -> u64 {
        let (own, left) = (limits.plugin_bytes_max(), limits.total_bytes.saturating_sub(Self::of(limits).total()));
        if own < left { own } else { left }
    }

    /// Returns all of it, bytes.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.runtime.saturating_add(self.network).saturating_add(self.model).saturating_add(self.queues)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_keeps_most_of_its_memory_for_the_gateway_and_a_page_for_a_plugin() {
        for board in Board::ALL {
            let limits = Limits::of(board);
            let fixed = Fixed::of(&limits);
            assert_eq!(fixed.total() == 0, board == Board::Linux);
            // Beside a radio there is room for a plugin with small pages only.
            let least = if board == Board::Esp32C6 { 84 * KIB } else { 160 * KIB };
            assert!(limits.total_bytes.saturating_sub(fixed.total()) > least, "{board:?} {fixed:?}");
        }
    }

    #[test]
    fn where_there_is_no_network_plugins_have_its_share() {
        let limits = Limits::of(Board::QemuRiscv32);
        let (with, without) = (Fixed::of(&limits), Fixed::of(&limits.without_network()));
        assert!(with.network > 0 && without.network == 0);
        assert_eq!(with.total() - with.network, without.total());
        assert!(Fixed::left_for_one_plugin(&limits) < Fixed::left_for_one_plugin(&limits.without_network()));
    }

    #[test]
    fn the_model_reserves_what_it_may_hold() {
        let limits = Limits::of(Board::QemuRiscv32);
        assert_eq!(Fixed::of(&limits).model, u64::from(limits.model_bytes_max));
    }
}
