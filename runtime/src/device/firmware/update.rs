//! One update on its way: pieces in order, checked and written as they come.

use core::fmt;

use sha2::{Digest, Sha256};

use super::{HEADER_BYTES, Header, HeaderError, Trial};
use crate::hal::{Firmware, FlashFailed, Storage, StorageError};

/// Bytes of one piece: erasing four blocks of 4 KiB takes some 180 ms on an ESP32-C6, in which the receive queue of a busy
/// bus does not run over.
pub const PIECE_BYTES_MAX: usize = 16 * 1024;
/// Bytes read back at once.
const CHECK_BYTES: usize = 512;

/// Why a piece was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateError {
    /// The header is refused.
    Header(HeaderError),
    /// The piece is not the next one; the update goes on with byte `expected`.
    Offset {
        /// Bytes received so far, header included.
        expected: u32,
    },
    /// The piece is longer than [`PIECE_BYTES_MAX`], or shorter than the header where it is the first.
    Piece,
    /// More bytes than the header says.
    TooLong,
    /// What was read back has another SHA-256 than the header says.
    Sum,
    /// New firmware is on trial or waits for its first start: the other slot holds what would be rolled back to.
    OnTrial,
    /// The flash refused.
    Flash,
    /// The storage refused.
    Storage(StorageError),
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(f),
            Self::Offset { expected } => write!(f, "the next piece must begin at byte {expected}"),
            Self::Piece => write!(f, "a piece has 1 to {PIECE_BYTES_MAX} bytes, the first at least {HEADER_BYTES}"),
            Self::TooLong => f.write_str("more bytes than the header says"),
            Self::Sum => f.write_str("the image is damaged: its SHA-256 is not the one in the header"),
            Self::OnTrial => {
                f.write_str("new firmware is on trial or waits for its first start, wait until it is confirmed")
            }
            Self::Flash => FlashFailed.fmt(f),
            Self::Storage(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for UpdateError {}

impl From<HeaderError> for UpdateError {
    fn from(error: HeaderError) -> Self {
        Self::Header(error)
    }
}

impl From<FlashFailed> for UpdateError {
    fn from(_: FlashFailed) -> Self {
        Self::Flash
    }
}

impl From<StorageError> for UpdateError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// How far an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More is wanted.
    Receiving {
        /// Bytes received, header included.
        received: u32,
        /// Bytes in all, header included.
        total: u32,
    },
    /// Whole, checked, and chosen for the next start: restart the board.
    Ready,
}

/// Takes the pieces of one firmware file.
#[derive(Clone, Debug)]
pub struct Update {
    header: Header,
    /// Bytes of the image that are written.
    written: u32,
    /// Bytes up to which the slot is erased.
    erased: u32,
    /// Bytes that do not fill a word yet.
    rest: heapless::Vec<u8, 4>,
}

impl Update {
    /// Begins with the first piece, which holds at least the header.
    ///
    /// # Errors
    /// [`UpdateError`]; nothing was written when the header is refused.
    pub fn begin(flash: &mut dyn Firmware, storage: &mut dyn Storage, piece: &[u8]) -> Result<Self, UpdateError> {
        if piece.len() < HEADER_BYTES || piece.len() > PIECE_BYTES_MAX {
            return Err(UpdateError::Piece);
        }
        let header = Header::decode(piece)?;
        header.check(flash.chip(), flash.slot_bytes())?;
        if Trial::is_on(storage)? {
            return Err(UpdateError::OnTrial);
        }
        let mut update = Self { header, written: 0, erased: 0, rest: heapless::Vec::new() };
        update.image(flash, piece.get(HEADER_BYTES..).unwrap_or_default())?;
        Ok(update)
    }

    /// Returns the header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the bytes received so far, header included.
    #[must_use]
    pub fn received(&self) -> u32 {
        let rest = u32::try_from(self.rest.len()).unwrap_or(0);
        self.written.saturating_add(rest).saturating_add(HEADER_BYTES as u32)
    }

    /// Takes the next piece, which begins at byte `offset` of the file.
    ///
    /// # Errors
    /// [`UpdateError::Offset`] and [`UpdateError::Piece`] leave the update as it is; after every other error begin anew.
    pub fn piece(&mut self, flash: &mut dyn Firmware, offset: u32, piece: &[u8]) -> Result<(), UpdateError> {
        if piece.is_empty() || piece.len() > PIECE_BYTES_MAX {
            return Err(UpdateError::Piece);
        }
        if offset != self.received() {
            return Err(UpdateError::Offset { expected: self.received() });
        }
        self.image(flash, piece)
    }

    fn image(&mut self, flash: &mut dyn Firmware, mut data: &[u8]) -> Result<(), UpdateError> {
        let after = u64::from(self.received()).saturating_add(data.len() as u64);
        if after > u64::from(self.header.bytes).saturating_add(HEADER_BYTES as u64) {
            return Err(UpdateError::TooLong);
        }
        // Flash is written by words: what does not fill one waits for the next piece.
        while !self.rest.is_empty() && !self.rest.is_full() {
            let Some((byte, others)) = data.split_first() else { break };
            let _ = self.rest.push(*byte);
            data = others;
        }
        if self.rest.is_full() {
            let word = core::mem::take(&mut self.rest);
            self.write(flash, &word)?;
        }
        let whole = data.len() - data.len() % 4;
        let (words, rest) = data.split_at_checked(whole).unwrap_or((data, &[]));
        self.write(flash, words)?;
        // At most three bytes, and only where nothing waits any more.
        let _ = self.rest.extend_from_slice(rest);
        if self.received() == self.header.bytes.saturating_add(HEADER_BYTES as u32) {
            let rest = core::mem::take(&mut self.rest);
            self.write(flash, &rest)?;
        }
        Ok(())
    }

    fn write(&mut self, flash: &mut dyn Firmware, data: &[u8]) -> Result<(), UpdateError> {
        let end = self.written.saturating_add(u32::try_from(data.len()).map_err(|_| UpdateError::TooLong)?);
        while self.erased < end {
            flash.erase(self.erased)?;
            self.erased = self.erased.saturating_add(flash.block_bytes().max(1));
        }
        if !data.is_empty() {
            flash.write(self.written, data)?;
        }
        self.written = end;
        Ok(())
    }

    /// Ends the update once all is there: reads the image back, and lets the boot loader start it next.
    ///
    /// # Errors
    /// [`UpdateError::Sum`] and others: the firmware that runs stays the one that is started.
    pub fn finish(&self, flash: &mut dyn Firmware, storage: &mut dyn Storage) -> Result<Progress, UpdateError> {
        if self.written < self.header.bytes {
            let total = self.header.bytes.saturating_add(HEADER_BYTES as u32);
            return Ok(Progress::Receiving { received: self.received(), total });
        }
        let mut hash = Sha256::new();
        let mut buffer = [0; CHECK_BYTES];
        let mut offset = 0_u32;
        while offset < self.header.bytes {
            let left = usize::try_from(self.header.bytes.saturating_sub(offset)).unwrap_or(CHECK_BYTES);
            let Some(part) = buffer.get_mut(..left.min(CHECK_BYTES)) else { break };
            flash.read(offset, part)?;
            hash.update(&*part);
            offset = offset.saturating_add(u32::try_from(part.len()).unwrap_or(u32::MAX));
        }
        if <[u8; 32]>::from(hash.finalize()) != self.header.sum {
            return Err(UpdateError::Sum);
        }
        let new = flash.running().other();
        // The record first: an image that is started without one would never be rolled back.
        Trial::announce(storage, new, &self.header.version)?;
        flash.start_next(new)?;
        Ok(Progress::Ready)
    }
}
