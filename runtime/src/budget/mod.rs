//! What may be used, what is used, and who decides.

mod ledger;
mod limits;
mod net;
#[cfg(any(test, feature = "engine-chip"))]
mod promise;
mod table;

pub use ledger::{Account, Ledger, Reservation, Shortage};
pub use limits::{Board, CodeLayout, Engine, Limits, PluginLimits};
pub use net::NetLimits;
#[cfg(any(test, feature = "engine-chip"))]
pub use promise::Promise;
pub use table::{BudgetRow, Fixed, MODEL, NETWORK, QUEUES, RUNTIME};
