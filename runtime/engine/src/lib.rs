//! WebAssembly for chips: translated once, run from flash, memory by the kilobyte.
//!
//! A module is checked and translated when it is installed ([`Translator`]); what comes out, the [`Image`], is words that
//! lie in flash and are run from there by a [`Machine`], whose whole state is data: a call ends its slice where its fuel
//! ends, asks the host where it calls an import, and goes on later where it was. The linear memory is a table of chunks of
//! 1 KiB: what nobody has written takes no RAM.
//!
//! ```text
//!  module ──► Translator ──► Sink (flash, Vec) ──► Image ──► Machine ◄── fuel, answers
//!             one function     words, CRC          checked   registers, frames, chunks
//!             a step                               at start
//! ```
//!
//! ```
//! use skiff_engine::{Limits, Machine, Outcome, Quota, Value, translate};
//!
//! let wasm = wat::parse_str(r#"(module (func (export "add") (param i32 i32) (result i32)
//!     local.get 0 local.get 1 i32.add))"#).unwrap();
//! let image = translate(&wasm, [0; 32], &Limits::LINUX).unwrap();
//! let mut machine = Machine::new(image, Quota::default()).unwrap();
//! let add = machine.image().function("add").unwrap();
//! machine.begin(add, &[Value::I32(40), Value::I32(2)]).unwrap();
//! let mut fuel = 100;
//! assert_eq!(machine.run(&mut fuel), Outcome::Done);
//! assert_eq!(machine.finish().unwrap(), [Value::I32(42)]);
//! ```
//!
//! What is taken: WebAssembly 1.0 with mutable globals, sign extension, saturating conversion, multi-value, bulk memory,
//! reference types, extended constant expressions and pages of one byte. `runtime/docs/engine.md` describes image and words.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::string_slice
    )
)]

extern crate alloc;

#[cfg(target_endian = "big")]
compile_error!("images are read as words where they lie, which are little-endian");

mod crc32;
mod image;
mod limits;
mod machine;
mod op;
mod out;
mod refusal;
mod translate;
mod value;
mod wasm;

pub use image::{Export, ExportKind, HEADER_BYTES, Image, ImageError, Import, Signature, Types};
pub use limits::{ENGINE_VERSION, Limits};
pub use machine::{
    BeginError, CHUNK_RAM_BYTES, Fault, Freezing, LinearMemory, Machine, Outcome, Quota, SetupError, Values,
};
pub use out::{Sink, SinkFull};
pub use refusal::{Refusal, RefusalKind};
pub use translate::{Step, Translator, Words, translate, translation_heap_bytes};
pub use value::{Value, ValueType};
