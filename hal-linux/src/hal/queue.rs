//! The kernel's receive queue of a socket: made longer, and what it lost.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use rustix::net::sockopt;
use socketcan::SocketOptions;

/// `getsockopt(SOL_SOCKET, SO_MEMINFO)`: nine counters of 32 bits, the last counts what the receive queue dropped
/// (asm-generic/socket.h, linux/sock_diag.h SK_MEMINFO_DROPS).
const SOL_SOCKET: i32 = 1;
const SO_MEMINFO: i32 = 55;
const MEMINFO_DROPS: usize = 8;

/// Bytes of a receive queue. The kernel counts about 800 for a CAN frame or a short datagram: a full bus of 2,000 frames/s
/// may wait for a second, with the usual 208 KiB for an eighth of one.
const QUEUE_BYTES: usize = 2 * 1024 * 1024;

/// Makes the receive queue of a socket longer, as far as this user may.
pub fn lengthen(socket: impl AsFd) {
    // With CAP_NET_ADMIN beyond net.core.rmem_max, else up to it; where neither works the queue stays as it is.
    if sockopt::set_socket_recv_buffer_size_force(&socket, QUEUE_BYTES).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(&socket, QUEUE_BYTES);
    }
}

/// A socket whose counters are read.
struct Counters(RawFd);

impl AsRawFd for Counters {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

impl SocketOptions for Counters {}

/// Returns how much the receive queue of a socket dropped since it was opened.
///
/// # Errors
/// What the system said; kernels before 4.12 do not count.
pub fn dropped(socket: &impl AsRawFd) -> io::Result<u32> {
    let mut counters = [0_u8; 4 * (MEMINFO_DROPS + 1)];
    let length = Counters(socket.as_raw_fd()).get_socket_option_bytes(SOL_SOCKET, SO_MEMINFO, &mut counters)?;
    match counters.last_chunk().filter(|_| length == counters.len()) {
        Some(drops) => Ok(u32::from_ne_bytes(*drops)),
        None => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn what_finds_no_room_is_counted() {
        let (socket, sender) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        assert_eq!(dropped(&socket).unwrap(), 0);
        sockopt::set_socket_recv_buffer_size(&socket, 4096).unwrap();
        for _ in 0..200 {
            sender.send_to(&[0; 512], socket.local_addr().unwrap()).unwrap();
        }
        let lost = dropped(&socket).unwrap();
        assert!((1..200).contains(&lost), "{lost}");
    }

    #[test]
    fn queues_are_lengthened_as_far_as_allowed() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let before = sockopt::socket_recv_buffer_size(&socket).unwrap();
        lengthen(&socket);
        assert!(sockopt::socket_recv_buffer_size(&socket).unwrap() >= before);
    }
}
