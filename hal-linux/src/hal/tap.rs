//! A tap interface: Ethernet frames to and from the kernel, for a TCP/IP stack of our own.
#![allow(unsafe_code)] // one ioctl, below

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::ioctl::{Setter, ioctl};
use skiff_runtime::net::smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use skiff_runtime::net::smoltcp::time::Instant;

/// Where the kernel gives out tap interfaces (Documentation/networking/tuntap.rst).
const DEVICE: &str = "/dev/net/tun";
/// Attaches a descriptor to an interface (linux/if_tun.h): `_IOW('T', 202, int)`.
const TUNSETIFF: rustix::ioctl::Opcode = 0x4004_54ca;
/// Ethernet frames, without a header of the kernel's before them (linux/if_tun.h).
const IFF_TAP_NO_PI: u16 = 0x1002;
/// Bytes of an interface's name with its NUL (linux/if.h).
const NAME_BYTES: usize = 16;
/// An Ethernet header before the payload that the MTU counts, bytes.
const ETHERNET_BYTES: usize = 14;
/// Payload of a frame where the system does not say (RFC 894), bytes.
const MTU_DEFAULT: usize = 1500;

/// What `TUNSETIFF` takes: `struct ifreq` (linux/if.h), 40 bytes; 32-bit systems read the first 32 of them.
#[repr(C)]
struct Request {
    name: [u8; NAME_BYTES],
    flags: u16,
    rest: [u8; 22],
}

/// Why a tap interface cannot be used.
#[derive(Debug)]
pub struct TapError {
    name: String,
    error: io::Error,
}

impl fmt::Display for TapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, error } = self;
        match error.kind() {
            ErrorKind::NotFound => write!(f, "tap interfaces are not there: {DEVICE}: {error}; try: sudo modprobe tun"),
            ErrorKind::PermissionDenied => write!(
                f,
                "not permitted to use the tap interface {name}; make it for this user once: sudo ip tuntap add dev \
                 {name} mode tap user $USER && sudo ip addr add 192.168.7.1/24 dev {name} && sudo ip link set {name} up"
            ),
            ErrorKind::ResourceBusy => write!(f, "the tap interface {name} is used by another program"),
            _ => write!(f, "tap interface {name}: {error}"),
        }
    }
}

impl std::error::Error for TapError {}

/// An open tap interface. Frames that the kernel does not take now are lost, as on a wire.
pub struct Tap {
    file: File,
    mtu: usize,
    received: Vec<u8>,
    sending: Vec<u8>,
}

impl Tap {
    /// Opens an interface; makes it when it is not there and we may.
    ///
    /// # Errors
    /// [`TapError`] with what to do.
    pub fn open(name: &str) -> Result<Self, TapError> {
        let fail = |error: io::Error| TapError { name: name.to_owned(), error };
        let mut request = Request { name: [0; NAME_BYTES], flags: IFF_TAP_NO_PI, rest: [0; 22] };
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() >= NAME_BYTES || !name.bytes().all(sound) {
            return Err(fail(io::Error::new(ErrorKind::InvalidInput, "no name of an interface")));
        }
        request.name[..name.len()].copy_from_slice(name.as_bytes());
        // Flags fit i32: they are a handful of low bits.
        let flags = i32::try_from((OFlags::NONBLOCK | OFlags::CLOEXEC).bits()).unwrap_or(0);
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(DEVICE).map_err(fail)?;
        // SAFETY: TUNSETIFF reads a `struct ifreq`, which `Request` is laid out like.
        let attach = unsafe { Setter::<TUNSETIFF, Request>::new(request) };
        // SAFETY: as above; nothing of our memory is kept by the kernel.
        unsafe { ioctl(&file, attach) }.map_err(|error| fail(error.into()))?;
        let mtu = std::fs::read_to_string(format!("/sys/class/net/{name}/mtu"));
        let mtu = mtu.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(MTU_DEFAULT);
        let frame = mtu + ETHERNET_BYTES;
        Ok(Self { file, mtu: frame, received: vec![0; frame], sending: Vec::with_capacity(frame) })
    }

    /// Returns a descriptor that is readable when a frame waits.
    ///
    /// # Errors
    /// What the system said.
    pub fn waiter(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }
}

impl Device for Tap {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Sending<'_>)> {
        // An interface that is down or gone gives errors: nothing arrives then.
        let count = self.file.read(&mut self.received).ok()?;
        let frame = self.received.get(..count)?;
        Some((Received(frame), Sending { file: &self.file, frame: &mut self.sending }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Some(Sending { file: &self.file, frame: &mut self.sending })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

/// A frame that arrived.
pub struct Received<'t>(&'t [u8]);

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Room for a frame to send.
pub struct Sending<'t> {
    file: &'t File,
    frame: &'t mut Vec<u8>,
}

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        self.frame.clear();
        self.frame.resize(length, 0);
        let result = f(self.frame);
        let mut file = self.file;
        if let Err(error) = file.write(self.frame) {
            log::debug!("frame not sent: {error}");
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_before_the_kernel_sees_them() {
        for name in ["", "a name", "../x", "averyveryverylongname"] {
            assert!(Tap::open(name).is_err(), "{name}");
        }
    }

    #[test]
    fn errors_say_what_to_do() {
        let told = |kind: ErrorKind| TapError { name: "tap7".into(), error: kind.into() }.to_string();
        assert!(told(ErrorKind::PermissionDenied).contains("sudo ip tuntap add dev tap7 mode tap user $USER"));
        assert!(told(ErrorKind::ResourceBusy).contains("another program"));
        assert!(told(ErrorKind::NotFound).contains("modprobe tun"));
    }
}
