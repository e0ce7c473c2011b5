//! What the gateway says of itself over multicast DNS: the same on Linux as on boards.

pub use skiff_runtime::discovery::service::{Offer, name, texts};
