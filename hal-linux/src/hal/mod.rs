//! What the core asks for, from Linux: one file per resource.

mod can;
mod clock;
mod network;
mod rng;
mod storage;
mod tap;

pub use can::{CanOpenError, SocketCan};
pub use clock::SystemClock;
pub use network::StdNetwork;
pub use rng::SystemRng;
pub use storage::Folder;
pub use tap::{Tap, TapError};
