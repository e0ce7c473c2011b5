//! DNS messages (RFC 1035 §4), as far as a responder reads and writes them.
//!
//! ```text
//! id flags questions answers authorities additionals   12 bytes
//! question: name type class
//! record:   name type class TTL length data
//! name:     length label … 0, or a pointer (11xxxxxx xxxxxxxx) to the rest of one that stands before it
//! ```
//!
//! Whatever the bytes are, reading ends: a pointer leads back only, and a name has 255 bytes at the most.

mod message;
mod name;
#[cfg(test)]
mod tests;
mod writer;

pub use self::message::{Entry, Message, Question, Record, Section};
pub use self::name::Name;
pub use self::writer::Writer;

/// Bytes of a name, lengths and final zero among them (RFC 1035 §2.3.4).
pub const NAME_BYTES_MAX: usize = 255;
/// Bytes of a label (RFC 1035 §2.3.4).
pub const LABEL_BYTES_MAX: usize = 63;
/// Bytes before the first question.
pub const HEADER_BYTES: usize = 12;

/// Types of records (RFC 1035 §3.2.2, RFC 2782, RFC 4034).
pub mod kind {
    /// IPv4 address.
    pub const A: u16 = 1;
    /// Another name.
    pub const PTR: u16 = 12;
    /// Text.
    pub const TXT: u16 = 16;
    /// Host and port of a service.
    pub const SRV: u16 = 33;
    /// Which types a name has.
    pub const NSEC: u16 = 47;
    /// In a question: all of them.
    pub const ANY: u16 = 255;
}

/// The internet's class.
pub const CLASS_IN: u16 = 1;
/// In a question: any class.
pub const CLASS_ANY: u16 = 255;
/// The highest bit of a class: of a question, that it is to be answered to the asker alone; of a record, that others of its
/// name and type are not valid any more (RFC 6762 §18.12, §18.13).
pub const TOP_BIT: u16 = 0x8000;

/// Bits of the header's second word.
pub mod flags {
    /// A response.
    pub const RESPONSE: u16 = 0x8000;
    /// Authoritative.
    pub const AUTHORITATIVE: u16 = 0x0400;
    /// More known answers follow, or the answer is cut.
    pub const TRUNCATED: u16 = 0x0200;
    /// The asker wants names looked up for it.
    pub const RECURSION_DESIRED: u16 = 0x0100;
    /// What kind of question it is; 0 is the usual one.
    pub const OPCODE: u16 = 0x7800;
    /// What became of it; 0 is nothing wrong.
    pub const CODE: u16 = 0x000f;
}
