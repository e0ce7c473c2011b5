//! Values in rows of the guest's memory: names, offsets and numbers of the extension (abi-extensions.md, "Values").
//!
//! A guest that exports [`VALUES`] and [`UPDATE`] gives the address of a descriptor; that names its input and output
//! rows. All numbers are little endian, all addresses of descriptor and rows multiples of [`ALIGN`].
//!
//! ```text
//! descriptor, 40 bytes      0 magic  4 inputs, outputs  8 input rows  12 output rows  16 least ms  20 flags
//!                           24 newest time  32 updates  36 arrived
//! input row, 32 bytes       0 path  4 its length  6 kind  7 state  8 number  16 buffer, size  24 full  28 age
//! output row, 32 bytes      0 path  4 its length  6 kind  7 state  8 number  16 text, length  24 counter  28 decimals
//! ```

/// Export that returns the address of the descriptor, asked after every `plugin_start` that returned 0.
pub const VALUES: &str = "skiff_values";
/// Export that is called when an input arrived; returns 0.
pub const UPDATE: &str = "skiff_update";

/// First word of the descriptor, "SKV1".
pub const MAGIC: u32 = 0x3156_4b53;
/// Descriptor, rows and their lists begin at multiples of this, bytes.
pub const ALIGN: u32 = 8;
/// Bytes of the descriptor.
pub const DESCRIPTOR_BYTES: u32 = 40;
/// Bytes of an input row and of an output row.
pub const ROW_BYTES: u32 = 32;
/// Bytes of one path; it has at least one.
pub const PATH_BYTES_MAX: u16 = 255;
/// Longest time between two updates that a guest can ask for, ms.
pub const INTERVAL_MS_MAX: u32 = 60_000;
/// Age of a value that never arrived, and of one that is older than a `u32` of ms.
pub const AGE_MAX: u32 = u32::MAX;
/// Decimals of a number are rounded to at most this many.
pub const DECIMALS_MAX: u8 = 15;

/// Flag of the descriptor: deltas with a path that is no input, or of another context, go whole to `delta_handler`.
pub const FLAG_OTHER_DELTAS: u32 = 1;

/// Offsets in the descriptor, bytes.
pub mod descriptor {
    /// [`MAGIC`](super::MAGIC), `u32`.
    pub const MAGIC: u32 = 0;
    /// Number of input rows, `u16`.
    pub const INPUTS: u32 = 4;
    /// Number of output rows, `u16`.
    pub const OUTPUTS: u32 = 6;
    /// Address of the input rows, `u32`.
    pub const INPUT_ROWS: u32 = 8;
    /// Address of the output rows, `u32`.
    pub const OUTPUT_ROWS: u32 = 12;
    /// Least time between two updates, ms, `u32`.
    pub const INTERVAL_MS: u32 = 16;
    /// Flags, `u32`.
    pub const FLAGS: u32 = 20;
    /// By the host: newest time stamp among the inputs that arrived, Unix ms, `i64`; 0 while unknown.
    pub const TIME: u32 = 24;
    /// By the host: updates so far, wrapping, `u32`.
    pub const UPDATES: u32 = 32;
    /// By the host: inputs that arrived since the last update, `u32`.
    pub const ARRIVED: u32 = 36;
}

/// Offsets in an input row, bytes. The guest writes all but state, number, length and age, once.
pub mod input {
    /// Address of the path, `u32`.
    pub const PATH: u32 = 0;
    /// Bytes of the path, `u16`.
    pub const PATH_BYTES: u32 = 4;
    /// Kind and [`QUIET`](super::QUIET), `u8`.
    pub const KIND: u32 = 6;
    /// By the host: state and [`NEW`](super::NEW), `u8`.
    pub const STATE: u32 = 7;
    /// By the host: number, `f64`; of a text the bytes written, `u32`, and 0, `u32`.
    pub const NUMBER: u32 = 8;
    /// Text: address of the buffer, `u32`.
    pub const BUFFER: u32 = 16;
    /// Text: bytes of the buffer, `u32`.
    pub const BUFFER_BYTES: u32 = 20;
    /// By the host: bytes of the full text, `u32`.
    pub const FULL_BYTES: u32 = 24;
    /// By the host: ms since the value arrived, `u32`.
    pub const AGE: u32 = 28;
}

/// Offsets in an output row, bytes; the guest writes all of it.
pub mod output {
    /// Address of the path, `u32`.
    pub const PATH: u32 = 0;
    /// Bytes of the path, `u16`.
    pub const PATH_BYTES: u32 = 4;
    /// Kind, `u8`.
    pub const KIND: u32 = 6;
    /// State and method of a notification, `u8`.
    pub const STATE: u32 = 7;
    /// Number, `f64`.
    pub const NUMBER: u32 = 8;
    /// Address of text, JSON or message, `u32`.
    pub const TEXT: u32 = 16;
    /// Its bytes, `u32`.
    pub const TEXT_BYTES: u32 = 20;
    /// Counter, `u32`: a change publishes the row.
    pub const COUNTER: u32 = 24;
    /// Decimals of a number, `u8`: 0 the shortest text, n rounded to n - 1.
    pub const DECIMALS: u32 = 28;
}

/// Kind of an input or output: a number.
pub const NUMBER: u8 = 1;
/// Kind of an input or output: a text.
pub const TEXT: u8 = 2;
/// Kind of an input or output: a boolean, as the number 0 or 1.
pub const BOOLEAN: u8 = 3;
/// Kind of an output: null.
pub const NULL: u8 = 4;
/// Kind of an output: JSON text as it is.
pub const JSON: u8 = 5;
/// Kind of an output: a notification of state, method and message.
pub const NOTIFICATION: u8 = 6;

/// Bits of [`input::KIND`] that are the kind.
pub const KIND_BITS: u8 = 0x0f;
/// Bit of [`input::KIND`]: an arrival of this input alone causes no update.
pub const QUIET: u8 = 0x80;

/// State of an input: no value has been seen.
pub const NEVER: u8 = 0;
/// State of an input: the value is valid.
pub const VALID: u8 = 1;
/// State of an input: the value was withdrawn (null).
pub const WITHDRAWN: u8 = 2;
/// State of an input: the value is of another type than the kind.
pub const OTHER_TYPE: u8 = 3;
/// Bit of [`input::STATE`]: a value arrived since the last update, also an equal one.
pub const NEW: u8 = 0x80;

/// States of a notification, by the number in the low bits of [`output::STATE`].
pub const NOTIFICATION_STATES: [&str; 6] = ["normal", "nominal", "alert", "warn", "alarm", "emergency"];
/// Bits of [`output::STATE`] that are the state.
pub const NOTIFICATION_STATE_BITS: u8 = 0x07;
/// Bit of [`output::STATE`]: method `visual`.
pub const VISUAL: u8 = 0x40;
/// Bit of [`output::STATE`]: method `sound`.
pub const SOUND: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_magic_reads_skv1_in_memory() {
        assert_eq!(&MAGIC.to_le_bytes(), b"SKV1");
    }

    #[test]
    fn lists_of_rows_keep_the_alignment() {
        assert_eq!((DESCRIPTOR_BYTES % ALIGN, ROW_BYTES % ALIGN), (0, 0));
        assert_eq!((descriptor::TIME % 8, input::NUMBER % 8, output::NUMBER % 8), (0, 0, 0));
    }
}
