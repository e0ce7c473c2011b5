//! What the TCP/IP stack and the web server of a board may take.

use super::Board;

/// Limits of a network stack of our own and of the clients it carries. Bytes unless the name says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetLimits {
    /// Open TCP sockets: connections, those waiting to be accepted, and those that are closing.
    pub tcp_sockets_max: u16,
    /// Connections that were opened from here, by plugins; so they leave the web server its own.
    pub connects_max: u16,
    /// Receive buffer of a TCP socket.
    pub tcp_receive_bytes: u16,
    /// Send buffer of a TCP socket.
    pub tcp_send_bytes: u16,
    /// TCP sockets that wait on a port while nobody comes; a burst of clients gets more, as far as there are sockets.
    pub backlog: u16,
    /// Open UDP sockets.
    pub udp_sockets_max: u16,
    /// Payload that waits in each direction of a UDP socket.
    pub udp_bytes: u16,
    /// Datagrams that wait in each direction of a UDP socket.
    pub udp_datagrams_max: u16,
    /// Host names looked up at the same time.
    pub lookups_max: u16,
    /// Packets taken from the device in one poll; the bus comes next.
    pub packets_per_poll: u16,
    /// Connections of HTTP clients, stream clients among them; more get 503.
    pub connections_max: u16,
    /// Request line and header fields of a request.
    pub head_bytes_max: u32,
    /// Header fields of a request.
    pub headers_max: u16,
    /// A message of a stream client.
    pub message_bytes_max: u32,
    /// Bytes of heads, bodies, messages and responses of all HTTP clients; beyond it new requests wait.
    pub held_bytes_max: u32,
}

impl NetLimits {
    /// Returns the limits of a board.
    #[must_use]
    pub const fn of(board: Board) -> Self {
        match board {
            // `--net tap` on Linux.
            Board::Linux => Self {
                tcp_sockets_max: 128,
                connects_max: 16,
                tcp_receive_bytes: 16 * 1024,
                tcp_send_bytes: 32 * 1024,
                backlog: 16,
                udp_sockets_max: 16,
                udp_bytes: 16 * 1024,
                udp_datagrams_max: 16,
                lookups_max: 8,
                packets_per_poll: 64,
                connections_max: 80,
                head_bytes_max: 32 * 1024,
                headers_max: 64,
                message_bytes_max: 64 * 1024,
                held_bytes_max: 32 * 1024 * 1024,
            },
            Board::QemuRiscv32 | Board::Esp32C6 => Self {
                tcp_sockets_max: 9,
                connects_max: 2,
                tcp_receive_bytes: 1460,
                tcp_send_bytes: 2920,
                backlog: 2,
                // Two for plugins and one for multicast DNS, or for what a board that is set up answers.
                udp_sockets_max: 3,
                udp_bytes: 1472,
                udp_datagrams_max: 4,
                lookups_max: 1,
                packets_per_poll: 8,
                connections_max: 4,
                head_bytes_max: 2048,
                headers_max: 32,
                message_bytes_max: 2048,
                held_bytes_max: 24 * 1024,
            },
            Board::Esp32S3 | Board::Esp32C5 | Board::Esp32P4 => Self {
                tcp_sockets_max: 18,
                connects_max: 4,
                tcp_receive_bytes: 4 * 1460,
                tcp_send_bytes: 4 * 1460,
                backlog: 4,
                udp_sockets_max: 4,
                udp_bytes: 4 * 1472,
                udp_datagrams_max: 8,
                lookups_max: 4,
                packets_per_poll: 16,
                connections_max: 8,
                head_bytes_max: 8 * 1024,
                headers_max: 64,
                message_bytes_max: 16 * 1024,
                held_bytes_max: 256 * 1024,
            },
        }
    }

    /// Returns the bytes of all socket buffers and of what HTTP clients may hold: what a budget table reserves.
    #[must_use]
    pub const fn reserved_bytes(&self) -> u64 {
        let tcp = self.tcp_sockets_max as u64 * (self.tcp_receive_bytes as u64 + self.tcp_send_bytes as u64);
        let udp = self.udp_sockets_max as u64 * 2 * self.udp_bytes as u64;
        tcp.saturating_add(udp).saturating_add(self.held_bytes_max as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::NetLimits;
    use crate::budget::{Board, Limits};

    #[test]
    fn every_board_has_sockets_for_its_clients() {
        for board in Board::ALL {
            let (net, limits) = (NetLimits::of(board), Limits::of(board));
            assert!(net.tcp_sockets_max > net.connections_max + net.connects_max + net.backlog, "{board:?}");
            assert!(net.connections_max > limits.clients_max, "{board:?}: stream clients leave room for a request");
            assert!(net.reserved_bytes() * 4 < limits.total_bytes * 3, "{board:?}: {}", net.reserved_bytes());
            assert!(net.held_bytes_max > limits.request_bytes_max + net.head_bytes_max, "{board:?}");
        }
    }
}
