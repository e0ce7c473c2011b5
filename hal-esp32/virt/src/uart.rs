//! The serial port: an NS16550A at 0x1000_0000, polled.

use core::fmt::{self, Write};

/// Transmit holding register of QEMU's `virt` (NS16550A, register 0).
const DATA: *mut u8 = 0x1000_0000 as *mut u8;
/// Line status register.
const STATUS: *const u8 = 0x1000_0005 as *const u8;
/// A byte was received.
const RECEIVED: u8 = 1;
/// The transmit holding register is empty.
const EMPTY: u8 = 1 << 5;

/// Sends one line and its end.
pub fn line(text: &str) {
    text.bytes().for_each(send);
    send(b'\n');
}

/// Sends formatted text.
pub fn write_fmt(arguments: fmt::Arguments<'_>) {
    // Sending cannot fail.
    let _ = Port.write_fmt(arguments);
}

/// Takes a byte that was received.
pub fn receive() -> Option<u8> {
    // SAFETY: the port is there on this machine, and reading its status changes nothing.
    if unsafe { STATUS.read_volatile() } & RECEIVED == 0 {
        return None;
    }
    // SAFETY: as above; reading takes the byte.
    Some(unsafe { DATA.read_volatile() })
}

struct Port;

impl Write for Port {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(send);
        Ok(())
    }
}

fn send(byte: u8) {
    // SAFETY: the port is there on this machine, and reading its status changes nothing.
    while unsafe { STATUS.read_volatile() } & EMPTY == 0 {}
    // SAFETY: as above; the register takes a byte.
    unsafe { DATA.write_volatile(byte) };
}
