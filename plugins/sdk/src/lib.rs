//! Guest toolkit: writes Signal K WebAssembly plugins in small `no_std` Rust.
//!
//! A plugin is a type that implements [`Plugin`]; [`plugin!`] turns it into the exports of the
//! buffer dialect, which Skiff and Signal K Server (2.31 and later) both load. No heap is used:
//! [`Json`] reads the text of a delta in place, [`Text`] writes into an array of your own, and the
//! only allocator is the block table behind `allocate`/`deallocate`, through which the host hands
//! over its texts.
//!
//! ```
//! use skiff_plugin::{Host, Json, Plugin, Refused, Text};
//!
//! struct Echo;
//!
//! impl Plugin for Echo {
//!     const ID: &'static str = "@example/echo";
//!     const NAME: &'static str = "Echo";
//!
//!     fn start<H: Host>(&mut self, _config: Json<'_>, host: &mut H) -> Result<(), Refused> {
//!         host.set_status("listening");
//!         Ok(())
//!     }
//!
//!     fn delta<H: Host>(&mut self, delta: Json<'_>, host: &mut H) {
//!         let mut buffer = [0; 64];
//!         let mut text = Text::new(&mut buffer);
//!         text.push_str("updates: ");
//!         text.push_fixed(delta.member("updates").map_or(0.0, |updates| updates.elements().count() as f64), 0);
//!         host.debug(text.as_str());
//!     }
//! }
//!
//! skiff_plugin::plugin!(Echo, Echo, delta);
//! ```
//!
//! A plugin that computes numbers from numbers needs no JSON at all: see [`mod@values`]. Its configuration is a list of fields:
//! [`mod@settings`]. Its tests need no WebAssembly: [`mod@bench`]. What else a host has (HTTP, PUT, providers, requests,
//! sockets, serial ports, files) is in [`Host`] and [`Plugin`].
//!
//! Build it as a `cdylib` for `wasm32-unknown-unknown` with
//! `-C link-arg=-zstack-size=8192 -C link-arg=--initial-memory=65536`; without them a module asks
//! for 17 pages, most of which is an unused stack of 1 MiB.
#![no_std]

#[cfg(any(test, not(target_arch = "wasm32")))]
extern crate std;

#[cfg(not(target_arch = "wasm32"))]
pub mod bench;
pub mod boundary;
pub mod fallback;
pub mod host;
#[cfg(target_arch = "wasm32")]
mod imports;
pub mod json;
pub mod memory;
pub mod object;
pub mod rows;
pub mod settings;
pub mod text;
pub mod time;
pub mod values;

pub use host::{Handle, Host, Offer, Plugin, Refused};
pub use json::Json;
pub use object::Object;
pub use rows::{Method, State};
pub use skiff_abi::Capability;
pub use text::Text;
pub use values::Rows;
