//! Firmware over the network: written to the slot that does not run, tried, confirmed or rolled back.
//!
//! ```text
//! pieces ─ Update ─ slot that does not run ─ checked ─ record "trying" ─ boot loader's choice ─ restart
//!                                                                              │
//!           confirmed  ◄─ Trial: a minute of good health ◄─ start (counted) ◄──┘
//!           rolled back ◄─ four starts, or ten minutes without it
//! ```
//!
//! At each moment the boot loader's choice is a whole image: the running slot is never written, and the choice moves
//! only to one that was read back and has the right SHA-256. What a signature would prove is not proved: whoever has the
//! token can install any firmware, as whoever has the cable can.

mod header;
mod trial;
mod update;

pub use header::{HEADER_BYTES, Header, HeaderError};
pub use trial::{Start, Trial, TrialEnd, VERSION_BYTES_MAX};
pub use update::{PIECE_BYTES_MAX, Progress, Update, UpdateError};

#[cfg(test)]
mod tests;
