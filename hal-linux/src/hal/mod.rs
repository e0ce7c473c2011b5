//! What the core asks for, from Linux: one file per resource.

mod can;
mod clock;
mod disk;
mod fetch;
mod network;
mod passwords;
pub mod queue;
mod rng;
mod serial;
mod storage;
mod tap;

pub use can::{CanOpenError, SocketCan};
pub use clock::SystemClock;
pub use disk::{Disk, System};
pub use fetch::UreqFetch;
pub use network::StdNetwork;
pub use passwords::{PasswordThread, hash_password};
pub use rng::SystemRng;
pub use serial::DeviceFiles;
pub use storage::Folder;
pub use tap::{Tap, TapError};
