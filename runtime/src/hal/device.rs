//! The board itself: its log, its firmware, the network it is to join.

use alloc::string::String;

/// What a board without an operating system lets its administrator do. Clauses of errors are told to the caller.
pub trait Device {
    /// Returns the last lines of the log.
    fn log(&mut self) -> String;

    /// Keeps the network to join, a JSON object; it is joined after the next start.
    ///
    /// # Errors
    /// What cannot be used or kept.
    fn set_network(&mut self, json: &[u8]) -> Result<(), String>;

    /// Writes a piece of a new firmware beside the one that runs; pieces come in order, the first at offset 0.
    ///
    /// # Errors
    /// What was not written.
    fn write_firmware(&mut self, offset: u32, data: &[u8]) -> Result<(), String>;

    /// Makes the new firmware the one of the next start, on trial.
    ///
    /// # Errors
    /// Why it cannot be started.
    fn activate_firmware(&mut self) -> Result<(), String>;

    /// Asks for a new start, once the answer to the caller has been sent.
    fn restart(&mut self);
}
