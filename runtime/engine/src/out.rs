//! Where an image goes: words behind each other, counted and summed.

use crate::crc32::Crc32;
use crate::image::{HEADER_WORDS, List};
use crate::refusal::{RefusalKind, at_most};

/// Takes the bytes of an image behind its header, in order: flash, or a buffer.
pub trait Sink {
    /// Takes the next bytes; always a multiple of four.
    ///
    /// # Errors
    /// [`SinkFull`] where there is no room for them; the translation ends with it.
    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkFull>;
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkFull> {
        (**self).append(bytes)
    }
}

/// There is no room for the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkFull;

/// What was written so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    words: u32,
    words_max: u32,
    crc: Crc32,
}

impl Written {
    pub(crate) fn new(words_max: u32) -> Self {
        Self { words: HEADER_WORDS as u32, words_max, crc: Crc32::default() }
    }

    /// Where the next word will stand.
    pub(crate) fn at(&self) -> u32 {
        self.words
    }

    pub(crate) fn crc(&self) -> u32 {
        self.crc.sum()
    }

    pub(crate) fn to<'o>(&'o mut self, sink: &'o mut dyn Sink) -> Out<'o> {
        Out { written: self, sink }
    }
}

/// Writes the next words.
pub(crate) struct Out<'o> {
    written: &'o mut Written,
    sink: &'o mut dyn Sink,
}

impl Out<'_> {
    pub(crate) fn at(&self) -> u32 {
        self.written.words
    }

    pub(crate) fn word(&mut self, word: u32) -> Result<(), RefusalKind> {
        self.raw(&word.to_le_bytes())
    }

    pub(crate) fn words(&mut self, words: &[u32]) -> Result<(), RefusalKind> {
        // On the stack: a sink for flash gets more than a word at a time.
        let mut buffer = [0; 256];
        for part in words.chunks(buffer.len() / 4) {
            for (bytes, word) in buffer.chunks_exact_mut(4).zip(part) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            self.raw(buffer.get(..part.len().wrapping_mul(4)).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Writes bytes, and zeros up to the next word.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), RefusalKind> {
        let (whole, rest) = bytes.split_at_checked(bytes.len() & !3).unwrap_or((bytes, &[]));
        self.raw(whole)?;
        if rest.is_empty() {
            return Ok(());
        }
        let mut last = [0; 4];
        for (to, byte) in last.iter_mut().zip(rest) {
            *to = *byte;
        }
        self.raw(&last)
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), RefusalKind> {
        let words = u32::try_from(bytes.len() / 4).unwrap_or(u32::MAX);
        let words = self.written.words.saturating_add(words);
        at_most("words of an image", words, self.written.words_max)?;
        self.written.words = words;
        self.written.crc = self.written.crc.with(bytes);
        self.sink.append(bytes).map_err(|SinkFull| RefusalKind::NoRoom)
    }
}

/// Writes a list.
pub(crate) fn list<const N: usize>(
    out: &mut Out<'_>,
    rows: impl Iterator<Item = [u32; N]>,
) -> Result<List, RefusalKind> {
    let mut list = List { at: out.at(), count: 0 };
    for row in rows {
        out.words(&row)?;
        list.count = list.count.saturating_add(1);
    }
    Ok(list)
}
