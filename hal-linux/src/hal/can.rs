//! CAN interfaces of the kernel (SocketCAN).

use std::cell::Cell;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use skiff_runtime::hal::{Can, CanError, CanFrame, CanState, Clock};
use skiff_runtime::time::Instant;
use socketcan::{CanInterface, CanSocket, EmbeddedFrame, ExtendedId, Frame, Socket, SocketOptions};

use super::{SystemClock, queue};

/// Longest name of a network interface (linux/if.h IFNAMSIZ less the end mark).
const NAME_BYTES_MAX: usize = 15;
/// Hardware type of CAN (linux/if_arp.h ARPHRD_CAN).
const HARDWARE_CAN: &str = "280";
/// Bit of `/sys/class/net/NAME/flags` (linux/if.h IFF_UP).
const FLAG_UP: u32 = 1;

/// Error classes and details (linux/can/error.h): CAN_ERR_CRTL, CAN_ERR_BUSOFF, CAN_ERR_RESTARTED.
const CLASS_CONTROLLER: u32 = 0x04;
const CLASS_BUS_OFF: u32 = 0x40;
const CLASS_RESTARTED: u32 = 0x100;
/// CAN_ERR_CRTL_RX_OVERFLOW, …_WARNING, …_PASSIVE, _ACTIVE in byte 1.
const DETAIL_OVERFLOW: u8 = 0x01;
const DETAIL_WARNING: u8 = 0x0c;
const DETAIL_PASSIVE: u8 = 0x30;
const DETAIL_ACTIVE: u8 = 0x40;

/// Errors of the system that mean the interface is not there now (asm-generic/errno.h ENETDOWN, ENODEV, ENXIO, ENOBUFS).
const ENETDOWN: i32 = 100;
const ENODEV: i32 = 19;
const ENXIO: i32 = 6;
const ENOBUFS: i32 = 105;
const EAFNOSUPPORT: i32 = 97;
const EBUSY: i32 = 16;

/// Frames taken at most to find one data frame; the rest waits for the next call.
const SKIPPED_MAX: usize = 64;

/// Why an interface cannot be used; the text says what to type.
#[derive(Debug)]
#[non_exhaustive]
pub enum CanOpenError {
    /// The system has no interface of this name.
    Missing {
        /// The name as given.
        name: String,
    },
    /// The interface exists and is no CAN interface.
    NotCan {
        /// The name as given.
        name: String,
    },
    /// The interface is down.
    Down {
        /// The name as given.
        name: String,
    },
    /// The kernel has no CAN sockets.
    NoSupport,
    /// The system forbids it.
    Denied {
        /// The name as given.
        name: String,
    },
    /// Anything else.
    Other {
        /// The name as given.
        name: String,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for CanOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name } => {
                write!(f, "no CAN interface is named {name}; `ip -brief link show type can` lists those there are")
            }
            Self::NotCan { name } => {
                write!(f, "{name} is no CAN interface; `ip -brief link show type can` lists those there are")
            }
            Self::Down { name } => {
                write!(
                    f,
                    "CAN interface {name} is down; bring it up: `sudo ip link set {name} up type can bitrate 250000`"
                )
            }
            Self::NoSupport => f.write_str("this kernel has no CAN sockets; load them: `sudo modprobe can_raw`"),
            Self::Denied { name } => {
                write!(f, "CAN interface {name} may not be opened by this user")
            }
            Self::Other { name, error } => {
                write!(f, "CAN interface {name} cannot be opened: {error}")
            }
        }
    }
}

impl std::error::Error for CanOpenError {}

impl CanOpenError {
    /// Tells whether the interface can still come: it is plugged in or brought up later.
    #[must_use]
    pub fn can_pass(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Down { .. })
    }
}

/// One CAN interface.
pub struct SocketCan {
    /// Name of the interface.
    name: String,
    /// None before the interface was there.
    socket: Option<CanSocket>,
    /// Waits for `socket`, whichever that is now.
    epoll: OwnedFd,
    clock: SystemClock,
    state: Cell<CanState>,
    /// Frames the controller itself reported lost.
    overflows: u64,
    /// Latest reading of the kernel's counter.
    dropped: Cell<u64>,
}

impl SocketCan {
    /// Opens the interface `name`; frames are stamped from `clock`.
    ///
    /// # Errors
    /// [`CanOpenError`], with what to do about it.
    pub fn open(name: &str, clock: SystemClock) -> Result<Self, CanOpenError> {
        let other = |error| CanOpenError::Other { name: name.to_owned(), error };
        Self::of(name, Some(open_socket(name)?), clock).map_err(other)
    }

    /// As [`open`](Self::open); an interface that is not there or down is waited for, and the reason comes with it.
    ///
    /// # Errors
    /// [`CanOpenError`] of what does not pass by waiting.
    pub fn open_or_wait(name: &str, clock: SystemClock) -> Result<(Self, Option<CanOpenError>), CanOpenError> {
        let other = |error| CanOpenError::Other { name: name.to_owned(), error };
        let (socket, reason) = match open_socket(name) {
            Ok(socket) => (Some(socket), None),
            Err(error) if error.can_pass() => (None, Some(error)),
            Err(error) => return Err(error),
        };
        Ok((Self::of(name, socket, clock).map_err(other)?, reason))
    }

    fn of(name: &str, socket: Option<CanSocket>, clock: SystemClock) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let state = Cell::new(if socket.is_some() { CanState::Active } else { CanState::Down });
        let mut can = Self { name: name.to_owned(), socket, epoll, clock, state, overflows: 0, dropped: Cell::new(0) };
        can.watch()?;
        Ok(can)
    }

    /// Wakes the waiting thread when the socket is ready.
    fn watch(&mut self) -> io::Result<()> {
        let Some(socket) = &self.socket else { return Ok(()) };
        socket.set_nonblocking(true)?;
        // The socket that was there before is closed, and with it gone from the set.
        epoll::add(&self.epoll, socket, EventData::new_u64(0), EventFlags::IN)?;
        Ok(())
    }

    /// Returns a descriptor that is readable when there are frames, to wait for with `poll(2)`; it stays when the socket
    /// is opened again.
    ///
    /// # Errors
    /// What the system said.
    pub fn waiter(&self) -> io::Result<OwnedFd> {
        self.epoll.as_fd().try_clone_to_owned()
    }

    /// Opens the interface again: another socket, since an adapter that was plugged in again is another interface.
    fn open_again(&mut self) -> Result<(), CanOpenError> {
        // What the kernel dropped so far is counted by the socket that goes.
        let dropped = self.lost().saturating_sub(self.overflows);
        let socket = open_socket(&self.name)?;
        self.overflows = self.overflows.saturating_add(dropped);
        self.dropped.set(0);
        self.socket = Some(socket);
        self.watch().map_err(|error| CanOpenError::Other { name: self.name.clone(), error })?;
        self.state.set(CanState::Active);
        Ok(())
    }

    /// Keeps what an error frame tells about the controller.
    fn note(&mut self, class: u32, detail: u8) {
        if class & CLASS_CONTROLLER != 0 {
            if detail & DETAIL_OVERFLOW != 0 {
                self.overflows = self.overflows.saturating_add(1);
            }
            if detail & DETAIL_PASSIVE != 0 {
                self.state.set(CanState::Passive);
            } else if detail & DETAIL_WARNING != 0 {
                self.state.set(CanState::Warning);
            } else if detail & DETAIL_ACTIVE != 0 {
                self.state.set(CanState::Active);
            }
        }
        if class & CLASS_RESTARTED != 0 {
            self.state.set(CanState::Active);
        }
        if class & CLASS_BUS_OFF != 0 {
            self.state.set(CanState::BusOff);
        }
    }
}

/// Opens a socket that gets data and error frames of an interface that is up.
fn open_socket(name: &str) -> Result<CanSocket, CanOpenError> {
    let owned = || name.to_owned();
    let sound = name.len() <= NAME_BYTES_MAX && !name.contains(['/', ' ']) && !matches!(name, "" | "." | "..");
    let attribute = |file: &str| std::fs::read_to_string(format!("/sys/class/net/{name}/{file}"));
    let Ok(hardware) =
        attribute("type").and_then(|text| if sound { Ok(text) } else { Err(ErrorKind::NotFound.into()) })
    else {
        return Err(CanOpenError::Missing { name: owned() });
    };
    if hardware.trim() != HARDWARE_CAN {
        return Err(CanOpenError::NotCan { name: owned() });
    }
    let flags = attribute("flags").ok();
    let flags = flags.and_then(|text| u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok());
    if flags.is_some_and(|flags| flags & FLAG_UP == 0) {
        return Err(CanOpenError::Down { name: owned() });
    }
    let explain = |error: io::Error| match (error.kind(), error.raw_os_error()) {
        (_, Some(EAFNOSUPPORT)) => CanOpenError::NoSupport,
        (ErrorKind::PermissionDenied, _) => CanOpenError::Denied { name: owned() },
        _ => CanOpenError::Other { name: owned(), error },
    };
    let socket = CanSocket::open(name).map_err(explain)?;
    queue::lengthen(&socket);
    socket.set_error_filter(CLASS_CONTROLLER | CLASS_BUS_OFF | CLASS_RESTARTED).map_err(explain)?;
    Ok(socket)
}

/// Tells whether an error means that the interface is down or gone.
fn is_down(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(ENETDOWN | ENODEV | ENXIO))
}

impl Can for SocketCan {
    fn receive(&mut self) -> Option<(CanFrame, Instant)> {
        for _ in 0..SKIPPED_MAX {
            match self.socket.as_ref()?.read_frame() {
                Ok(socketcan::CanFrame::Data(frame)) => {
                    if self.state.get() == CanState::Down {
                        self.state.set(CanState::Active);
                    }
                    if frame.is_extended()
                        && let Some(frame) = CanFrame::new(frame.raw_id(), frame.data())
                    {
                        return Some((frame, self.clock.now()));
                    }
                }
                Ok(socketcan::CanFrame::Error(frame)) => {
                    let detail = frame.data().get(1).copied().unwrap_or(0);
                    self.note(frame.error_bits(), detail);
                }
                Ok(socketcan::CanFrame::Remote(_)) => {}
                Err(error) if is_down(&error) => {
                    self.state.set(CanState::Down);
                    return None;
                }
                Err(_) => return None,
            }
        }
        None
    }

    fn transmit(&mut self, frame: &CanFrame) -> Result<(), CanError> {
        let id = ExtendedId::new(frame.id()).ok_or(CanError::Off)?;
        let frame = socketcan::CanFrame::new(id, frame.data()).ok_or(CanError::Off)?;
        let Some(socket) = &self.socket else { return Err(CanError::Off) };
        match socket.write_frame(&frame) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(ENOBUFS) => {
                Err(CanError::Full)
            }
            Err(error) => {
                if is_down(&error) {
                    self.state.set(CanState::Down);
                }
                Err(CanError::Off)
            }
        }
    }

    fn state(&self) -> CanState {
        self.state.get()
    }

    fn restart(&mut self) {
        match self.state.get() {
            CanState::Down => match self.open_again() {
                Ok(()) => log::info!("{}: the interface is there again", self.name),
                Err(error) => log::debug!("{}: {error}", self.name),
            },
            CanState::BusOff => match restart(&self.name) {
                // The kernel sends an error frame when the controller has started.
                Ok(()) => log::info!("{}: asked the controller to start again", self.name),
                // The kernel was told to do it by itself, or does it just now.
                Err(error) if error.raw_os_error() == Some(EBUSY) => {}
                Err(error) => log::warn!(
                    "{0}: the controller is off the bus and may not be started again from here ({error}); let the kernel \
                     do it: `sudo ip link set {0} type can restart-ms 500`",
                    self.name
                ),
            },
            CanState::Active | CanState::Warning | CanState::Passive => {}
        }
    }

    fn lost(&self) -> u64 {
        if let Some(Ok(dropped)) = self.socket.as_ref().map(queue::dropped) {
            self.dropped.set(dropped.into());
        }
        self.dropped.get().saturating_add(self.overflows)
    }
}

/// Starts a controller again that went off the bus, as `ip link set NAME type can restart` does; needs CAP_NET_ADMIN.
fn restart(name: &str) -> io::Result<()> {
    let failed = |error: socketcan::Error| match error {
        socketcan::Error::Io(error) => error,
        socketcan::Error::Nl(error) => {
            error.errno().map_or_else(|| io::Error::other(error), io::Error::from_raw_os_error)
        }
        other => io::Error::other(other),
    };
    CanInterface::open(name).and_then(|interface| interface.restart()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    /// A datagram pair stands in for the bus: the same file descriptor calls, the same 16 byte records.
    fn bus() -> (UnixDatagram, SocketCan) {
        let (bus, port) = UnixDatagram::pair().unwrap();
        let socket = Some(CanSocket::from(OwnedFd::from(port)));
        let can = SocketCan::of("nocan9", socket, SystemClock::start()).unwrap();
        (bus, can)
    }

    /// `struct can_frame` of linux/can.h.
    fn record(id: u32, data: &[u8]) -> [u8; 16] {
        let mut record = [0; 16];
        record[..4].copy_from_slice(&id.to_ne_bytes());
        record[4] = u8::try_from(data.len()).unwrap();
        record[8..8 + data.len()].copy_from_slice(data);
        record
    }

    const EXTENDED: u32 = 0x8000_0000;
    const REMOTE: u32 = 0x4000_0000;
    const ERROR: u32 = 0x2000_0000;

    #[test]
    fn gives_extended_data_frames_only_and_never_waits() {
        let (bus, mut can) = bus();
        assert_eq!(can.receive(), None);
        for bytes in [
            record(0x123, &[1]),
            record(EXTENDED | REMOTE | 0x09f8_0107, &[]),
            record(EXTENDED | 0x09f8_0107, &[1, 2, 3, 4, 5, 6, 7, 8]),
        ] {
            bus.send(&bytes).unwrap();
        }
        let (frame, _) = can.receive().unwrap();
        assert_eq!((frame.id(), frame.data()), (0x09f8_0107, [1, 2, 3, 4, 5, 6, 7, 8].as_slice()));
        assert_eq!(can.receive(), None);
        assert_eq!(can.lost(), 0);
    }

    #[test]
    fn error_frames_become_the_state() {
        let (bus, mut can) = bus();
        for (class, detail, state) in [
            (CLASS_CONTROLLER, 0x08, CanState::Warning),
            (CLASS_CONTROLLER, 0x20, CanState::Passive),
            (CLASS_BUS_OFF, 0, CanState::BusOff),
            (CLASS_RESTARTED, 0, CanState::Active),
        ] {
            bus.send(&record(ERROR | class, &[0, detail, 0, 0, 0, 0, 0, 0])).unwrap();
            assert_eq!(can.receive(), None);
            assert_eq!(can.state(), state);
        }
        bus.send(&record(ERROR | CLASS_CONTROLLER, &[0, DETAIL_OVERFLOW, 0, 0, 0, 0, 0, 0])).unwrap();
        assert_eq!((can.receive(), can.lost()), (None, 1));
    }

    #[test]
    fn an_interface_that_is_gone_is_looked_for_without_harm() {
        let (_bus, mut can) = bus();
        let waiter = can.waiter().unwrap();
        can.state.set(CanState::Down);
        can.restart();
        assert_eq!((can.state(), can.receive()), (CanState::Down, None), "there is no such interface");
        drop(waiter);
    }

    #[test]
    fn an_interface_that_is_late_is_waited_for_and_what_does_not_pass_is_refused() {
        let (mut can, reason) = SocketCan::open_or_wait("nocan9", SystemClock::start()).unwrap();
        assert!(matches!(reason, Some(CanOpenError::Missing { .. })));
        let frame = CanFrame::new(0x0df0_1023, &[0xff, 0]).unwrap();
        assert_eq!((can.state(), can.receive(), can.lost()), (CanState::Down, None, 0));
        assert_eq!(can.transmit(&frame), Err(CanError::Off));
        can.restart();
        assert_eq!(can.state(), CanState::Down);
        // The adapter is plugged in: what was waited with hears its frames.
        let waiter = can.waiter().unwrap();
        let (bus, port) = UnixDatagram::pair().unwrap();
        can.socket = Some(CanSocket::from(OwnedFd::from(port)));
        can.watch().unwrap();
        bus.send(&record(EXTENDED | 7, &[1])).unwrap();
        let mut fds = [rustix::event::PollFd::new(&waiter, rustix::event::PollFlags::IN)];
        assert_eq!(rustix::event::poll(&mut fds, None).unwrap(), 1);
        assert_eq!(can.receive().unwrap().0.id(), 7);
        assert_eq!(can.state(), CanState::Active);
        let refused = SocketCan::open_or_wait("lo", SystemClock::start()).err().unwrap();
        assert!(matches!(refused, CanOpenError::NotCan { .. }));
    }

    #[test]
    fn the_waiter_hears_of_frames() {
        let (bus, can) = bus();
        let waiter = can.waiter().unwrap();
        let is_readable = || {
            let mut fds = [rustix::event::PollFd::new(&waiter, rustix::event::PollFlags::IN)];
            rustix::event::poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 1
        };
        assert!(!is_readable());
        bus.send(&record(EXTENDED | 7, &[1])).unwrap();
        assert!(is_readable());
    }

    #[test]
    fn transmits_extended_frames() {
        let (bus, mut can) = bus();
        can.transmit(&CanFrame::new(0x0df0_1023, &[0xff, 0]).unwrap()).unwrap();
        let mut bytes = [0; 32];
        assert_eq!(bus.recv(&mut bytes).unwrap(), 16);
        assert_eq!(bytes[..16], record(EXTENDED | 0x0df0_1023, &[0xff, 0]));
    }

    #[test]
    fn refusals_say_what_to_type() {
        let error = |name: &str| SocketCan::open(name, SystemClock::start()).err().unwrap();
        assert!(matches!(error("nocan9"), CanOpenError::Missing { .. }));
        assert!(matches!(error("../../class/net/lo"), CanOpenError::Missing { .. }));
        assert!(matches!(error("lo"), CanOpenError::NotCan { .. }));
        assert!(error("lo").to_string().contains("ip -brief link"));
    }
}
