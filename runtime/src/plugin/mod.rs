//! Installed plugins: who runs, who is stopped and why, and whose turn it is.
//!
//! [`Registry::turn`] gives each plugin with work one fuel slice, round robin. What a plugin emits
//! lands in the outbox of [`World`] and is published after its slice: a guest is never re-entered.

mod context;
mod crash;
mod ended;
mod errors;
mod exchange;
mod faults;
mod fetch;
mod files;
mod filter;
mod guest_view;
#[cfg(feature = "engine-chip")]
mod image;
mod installed;
mod interest;
mod life;
mod load;
mod log_share;
mod memory;
mod offers;
mod orphans;
mod ports;
mod queues;
mod registry;
mod reload;
mod seat;
mod services;
mod sockets;
mod trouble;
mod turn;
mod unusable;
mod values;
mod version;
#[cfg(any(test, feature = "trace"))]
mod watched;
#[cfg(not(any(test, feature = "trace")))]
#[path = "unwatched.rs"]
mod watched;
mod wear;

pub use context::{Emitted, Net, Turn, World};
pub use crash::{CRASH_WINDOW, CrashHistory, RESTARTS_MAX};
pub use errors::{ConfigureError, InstallError, ReplaceError};
pub use exchange::{ExchangeId, Finished, Outcome, Reply};
pub use fetch::OFFLINE_RETRY;
pub use filter::wished;
pub use guest_view::Drops;
pub use installed::{Plugin, Waiting};
pub use life::PluginState;
pub use offers::{Frame, Frames, Offers, PutOffer};
pub use registry::{Enabled, Registry};
pub use sockets::SOCKET_PERIOD;
pub use turn::POLL_PERIOD;
pub use unusable::Unusable;
pub use values::Offer;
