//! NMEA 2000: CAN frames to Signal K deltas, and back to frames.
//!
//! ```text
//! log line ─ log ─┐
//! CAN frame ──────┴─ Receiver: id ─ fast_packet, iso_tp ─ decode (tables) ─ map ─ Delta
//! fields ─ encode (tables) ─ Frames ─ CAN frame          sample = a boat made of that
//! ```
//!
//! ```
//! use skiff_runtime::hal::CanFrame;
//! use skiff_runtime::n2k::{DeltaForm, Receiver};
//! use skiff_runtime::time::{Instant, UnixMillis};
//!
//! let mut receiver = Receiver::new("can0");
//! let frame = CanFrame::new(0x09f1_1207, &[0xff, 0x10, 0x3b, 0xff, 0x7f, 0xff, 0x7f, 0xfc]).unwrap();
//! let message = receiver.frame(&frame, Instant(0)).unwrap();
//! let delta = receiver.delta(&message, UnixMillis(1_780_308_000_000), DeltaForm::Line { line: 1 }).unwrap();
//! assert!(delta.text().contains(r#"{"path":"navigation.headingTrue","value":1.512}"#));
//! ```

pub mod decode;
#[cfg(any(test, feature = "devices"))]
pub mod devices;
pub mod encode;
pub mod fast_packet;
pub mod id;
pub mod iso_tp;
pub mod log;
pub mod map;
pub mod node;
mod number;
pub mod payload;
pub mod receiver;
pub mod sample;
mod table;
#[rustfmt::skip]
mod tables;
pub mod send;
mod text;
mod texts;

pub use fast_packet::Frames;
pub use id::{Id, Pgn, SourceAddress};
pub use payload::Payload;
pub use receiver::{Counters, DeltaForm, N2kMessage, Receiver, ReceiverLimits};
pub use table::is_fast;
pub use tables::{Definition, Field};
pub use text::FieldText;
