//! In-memory HAL with a virtual clock and faults: what every test and `replay` run on.
//!
//! Every part is a handle onto shared state (`Clone` gives a second handle), so that a test keeps one and the
//! gateway gets the other. Nothing here reads a clock, a thread or real randomness: the same calls give the
//! same answers. [`contract`] holds the checks that every HAL must pass.
//!
//! ```
//! use core::time::Duration;
//! use skiff_runtime::hal::Clock;
//! use skiff_runtime::hal::sim::SimClock;
//!
//! let clock = SimClock::without_wall();
//! let given_away = clock.clone();
//! clock.advance(Duration::from_secs(1));
//! assert_eq!(given_away.now().as_millis(), 1000);
//! ```

mod can;
mod clock;
pub mod contract;
pub mod cuts;
#[cfg(any(test, feature = "appstore"))]
mod errands;
mod fetch;
mod firmware;
mod network;
mod passwords;
mod rng;
mod storage;

pub use can::SimCan;
pub use clock::SimClock;
#[cfg(any(test, feature = "appstore"))]
pub use errands::SimErrands;
pub use fetch::SimFetch;
pub use firmware::SimFirmware;
pub use network::{SIM_DATAGRAM_BYTES_MAX, SIM_STREAM_BYTES, SimNetwork};
pub use passwords::SimPasswords;
pub use rng::SimRng;
pub use storage::{PowerCut, SimStorage, Survivor};
