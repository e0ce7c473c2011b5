//! Signal K plugin: rings when the boat leaves the circle around its anchor.
//!
//! `watch` is the plugin, in texts alone. Two files bring it to a host: `component` by `plugins/wit`, `buffer` by the
//! buffer dialect, which shows that both give the same.

#[cfg(not(feature = "component"))]
mod buffer;
#[cfg(feature = "component")]
mod component;
mod watch;
