//! The packages of the project on one WebAssembly engine, which a feature chooses: the program beside this measures it on
//! Linux, that in `board` on the emulated RISC-V board.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod emitted;
pub mod engine;
pub mod guest;

#[cfg(feature = "dlr")]
#[path = "engine_dlr.rs"]
mod chosen;
#[cfg(feature = "native")]
#[path = "engine_native.rs"]
mod chosen;
#[cfg(feature = "none")]
#[path = "engine_none.rs"]
mod chosen;
#[cfg(feature = "tinywasm")]
#[path = "engine_tinywasm.rs"]
mod chosen;
#[cfg(feature = "wamr")]
#[path = "engine_wamr.rs"]
mod chosen;
#[cfg(feature = "wasm3")]
#[path = "engine_wasm3.rs"]
mod chosen;
#[cfg(feature = "wasmi")]
#[path = "engine_wasmi.rs"]
mod chosen;
#[cfg(feature = "wasmtime")]
#[path = "engine_wasmtime.rs"]
mod chosen;

pub use chosen::*;
