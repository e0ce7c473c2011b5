//! What the core asks of the machine below it: one small trait per resource.
//!
//! Every call returns at once; waiting is a value ([`Received::Pending`], `None`,
//! [`core::task::Poll::Pending`]). The traits are object-safe, so that Linux, a chip and the
//! in-memory [`sim`] swap at run time and the core is compiled once. Byte streams (serial ports,
//! log ports) are `embedded-io` `Read + ReadReady + Write`; [`Stream`] makes one of a TCP connection.

mod can;
mod destinations;
#[cfg(any(test, feature = "appstore"))]
mod errands;
mod fetch;
mod firmware;
#[cfg(feature = "engine-chip")]
mod images;
mod key;
mod network;
mod passwords;
mod serial;
pub mod sim;
mod storage;
mod stream;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

pub use can::{Can, CanError, CanFrame, CanState};
pub use destinations::{DESTINATION_BYTES_MAX, DESTINATIONS_MAX, Destinations};
#[cfg(any(test, feature = "appstore"))]
pub use errands::{
    ERRANDS_WAITING_MAX, Errand, ErrandDone, ErrandFailed, Errands, ErrandsBusy, InstalledPackage, KeptApp, StoreJob,
    StoreJobState,
};
pub use fetch::{Fetch, FetchError, FetchHop, FetchId, FetchMethod, FetchReply};
pub use firmware::{Firmware, FlashFailed, Slot};
#[cfg(feature = "engine-chip")]
pub use images::{APPEND_BYTES_MAX, Draft, IMAGES_MADE, Images};
pub use key::{KEY_BYTES_MAX, Key, KeyError};
pub use network::{NetError, Network, Reach, Received, Socket};
pub use passwords::{PASSWORDS_WAITING_MAX, PasswordAnswer, PasswordTask, Passwords, PasswordsBusy};
pub use serial::{SerialError, SerialPort, SerialPorts, SerialSettings};
pub use storage::{Capacity, Lease, Mapped, Storage, StorageError};
pub use stream::Stream;

use crate::time::{Instant, UnixMillis};

/// Monotonic and wall clock.
pub trait Clock {
    /// Returns the time since boot; never goes back.
    fn now(&self) -> Instant;

    /// Returns the wall clock, or `None` while it is not known (a chip before the first position fix).
    fn wall(&self) -> Option<UnixMillis>;

    /// Sets the wall clock, for instance from the bus. A HAL whose system keeps the time ignores it.
    fn set_wall(&mut self, time: UnixMillis);
}

/// Cryptographic randomness: never blocks, never fails.
pub trait Rng {
    /// Fills the whole buffer.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// The last lines of the log, which a HAL's logger keeps (the log ring of `device` behind a lock).
pub trait Logs {
    /// Returns the newest `lines` lines, oldest first, each with its line end.
    fn tail(&mut self, lines: usize) -> String;
}

/// A CAN interface under the name that becomes the source label of its deltas (`can0`).
pub struct CanPort {
    /// Source label.
    pub label: String,
    /// The interface.
    pub can: Box<dyn Can>,
}

/// Everything the gateway needs from below.
pub struct Hal {
    /// Clocks.
    pub clock: Box<dyn Clock>,
    /// Randomness.
    pub rng: Box<dyn Rng>,
    /// Files, by key.
    pub storage: Box<dyn Storage>,
    /// Sockets; `None` where a HAL carries HTTP itself and plugins get none.
    pub network: Option<Box<dyn Network>>,
    /// HTTP client for plugins; where it is `None`, plain HTTP goes over `network`.
    pub fetch: Option<Box<dyn Fetch>>,
    /// Serial ports for plugins; `None` where there are none.
    pub serial: Option<Box<dyn SerialPorts>>,
    /// CAN interfaces, none when frames are pushed in.
    pub can: Vec<CanPort>,
}
