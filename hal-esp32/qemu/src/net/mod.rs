//! The board with a network: virtio devices, the live gateway, its web server.
//!
//! Where the boot word `net` is set, the log in flash is played at its own pace, again and again, and the gateway is
//! served over `smoltcp` and the core's own HTTP and WebSocket. Reached through QEMU's user network.

mod device;
mod plic;
mod radio;
mod random;
mod serve;
mod virtio;

pub use serve::run;
