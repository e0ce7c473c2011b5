//! Messages that are written, in as much room as there is.

use alloc::vec::Vec;

use super::LABEL_BYTES_MAX;
use super::message::{Message, word};
use super::name::Name;

/// Names to whose ends later names of a message point; names beyond that are written out.
const POINTERS_MAX: usize = 32;

/// A message being written, in as much room as it is given.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut Vec<u8>,
    bytes_max: usize,
    /// Where labels begin that later names can point to.
    pointers: heapless::Vec<u16, POINTERS_MAX>,
    is_full: bool,
}

impl<'b> Writer<'b> {
    /// Begins a message in `out`, whatever it held, of `bytes_max` bytes at the most.
    pub fn begin(out: &'b mut Vec<u8>, bytes_max: usize, id: u16, flags: u16) -> Self {
        out.clear();
        let mut writer = Self { out, bytes_max, pointers: heapless::Vec::new(), is_full: false };
        writer.words(&[id, flags, 0, 0, 0, 0]);
        writer
    }

    /// Says the questions of a message again, which has to come first: names in them lead back to the same places. False,
    /// with nothing written, where they are not sound or have no room.
    pub fn repeat(&mut self, message: &Message<'_>) -> bool {
        let Some(questions) = message.questions() else { return false };
        self.bytes(questions);
        let is_written = !core::mem::take(&mut self.is_full);
        if is_written {
            self.put(4, message.question_count());
        }
        is_written
    }

    /// Writes a question or a record by `write`, and counts it in its section: 0 are questions, 3 is what is additional.
    /// False, with nothing written, where there is no room.
    pub fn entry(&mut self, section: usize, write: impl FnOnce(&mut Self)) -> bool {
        let (length, pointers) = (self.out.len(), self.pointers.len());
        write(self);
        if core::mem::take(&mut self.is_full) {
            self.out.truncate(length);
            self.pointers.truncate(pointers);
            return false;
        }
        let at = section.saturating_mul(2).saturating_add(4);
        let count = word(self.out, at).unwrap_or(0).saturating_add(1);
        self.put(at, count);
        true
    }

    /// Writes what every record begins with, then its data by `write`.
    pub fn record<'n>(
        &mut self,
        name: impl Iterator<Item = &'n str> + Clone,
        (kind, class, ttl): (u16, u16, u32),
        write: impl FnOnce(&mut Self),
    ) {
        self.name(name);
        self.words(&[kind, class]);
        self.bytes(&ttl.to_be_bytes());
        let at = self.out.len();
        self.words(&[0]);
        let begin = self.out.len();
        write(self);
        let length = self.out.len().saturating_sub(begin);
        self.put(at, u16::try_from(length).unwrap_or(u16::MAX));
    }

    /// Writes a name; what stands in the message already is pointed to.
    pub fn name<'n>(&mut self, labels: impl Iterator<Item = &'n str> + Clone) {
        let mut rest = labels;
        loop {
            let known = self
                .pointers
                .iter()
                .copied()
                .find(|at| Name::read(self.out, usize::from(*at)).is_some_and(|(name, _)| name.is(rest.clone())));
            if let Some(at) = known {
                self.words(&[0xc000 | at]);
                return;
            }
            let at = u16::try_from(self.out.len()).ok().filter(|at| *at < 0x4000);
            let Some(label) = rest.next() else {
                self.bytes(&[0]);
                return;
            };
            if let Some(at) = at {
                // Beyond the last place the name is written out.
                let _ = self.pointers.push(at);
            }
            self.text(label.get(..label.len().min(LABEL_BYTES_MAX)).unwrap_or_default());
        }
    }

    /// Writes a text of 255 bytes at the most, its length before it.
    pub fn text(&mut self, text: &str) {
        match u8::try_from(text.len()) {
            Ok(length) => self.bytes(&[length]),
            Err(_) => self.is_full = true,
        }
        self.bytes(text.as_bytes());
    }

    /// Writes numbers of two bytes.
    pub fn words(&mut self, words: &[u16]) {
        for word in words {
            self.bytes(&word.to_be_bytes());
        }
    }

    /// Writes bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.out.len().saturating_add(bytes.len()) > self.bytes_max {
            self.is_full = true;
        } else {
            self.out.extend_from_slice(bytes);
        }
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        self.out
    }

    fn put(&mut self, at: usize, word: u16) {
        for (to, from) in self.out.iter_mut().skip(at).zip(word.to_be_bytes()) {
            *to = from;
        }
    }
}
