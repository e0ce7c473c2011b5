//! A machine that stands still, written as an image that begins where it is: a start that was done is not done again.

use alloc::vec::Vec;

use super::chunks::Origin;
use super::rare::is_bit_set;
use super::{IMAGE_CHUNKS_MAX, Machine};
use crate::image::NONE;
use crate::out::{Out, Sink, Written, list};
use crate::refusal::{RefusalKind, at_most, push};
use crate::translate::Step;

/// Words of the image before that are copied in one step.
const STEP_WORDS: usize = 64;

/// A machine that is being written, a piece a step. It cannot be called meanwhile.
///
/// What comes out runs as the image of a module does: code and lists are those of the image before, memory, globals and tables
/// are those of now, and there is no start function. Memory that is only read lies in the image then and takes no RAM. What the
/// memory began with before is still in it, unused.
#[derive(Debug)]
pub struct Freezing {
    machine: Machine,
    key: [u8; 32],
    written: Written,
    /// The next chunk to be looked at; none while words are copied.
    chunk: Option<u32>,
    chunk_data: u32,
    numbers: Vec<u32>,
}

impl Machine {
    /// Begins to write it as an image, which will be known by this key. `image_words_max` bounds its length.
    ///
    /// # Errors
    /// The machine itself where an activation is under way: its registers are in no image.
    #[expect(clippy::result_large_err, reason = "the machine is given back, whatever comes of it")]
    pub fn freeze(self, key: [u8; 32], image_words_max: u32) -> Result<Freezing, Self> {
        if !self.activations.is_empty() {
            return Err(self);
        }
        let written = Written::new(image_words_max);
        Ok(Freezing { machine: self, key, written, chunk: None, chunk_data: 0, numbers: Vec::new() })
    }
}

impl Freezing {
    /// Gives the machine back, which goes on where it was.
    #[must_use]
    pub fn into_machine(self) -> Machine {
        self.machine
    }

    /// Does the next step, as [`Translator::step`](crate::Translator::step) does: the header comes last.
    ///
    /// # Errors
    /// [`RefusalKind`]: no room, no heap, or an image that is too long or damaged; what the sink has is worth nothing then.
    pub fn step(&mut self, sink: &mut dyn Sink) -> Result<Step, RefusalKind> {
        let mut out = self.written.to(sink);
        let image = &self.machine.image;
        let Some(number) = self.chunk else {
            let rest = image.words().get(out.at() as usize..).unwrap_or_default();
            let now = rest.get(..STEP_WORDS).unwrap_or(rest);
            out.words(now)?;
            if now.len() == rest.len() {
                (self.chunk, self.chunk_data) = (Some(0), out.at());
            }
            return Ok(Step::More);
        };
        if number < self.machine.chunks.count() {
            if let Some(words) = self.machine.chunks.content(Origin::of(image), number) {
                out.words(words)?;
                push(&mut self.numbers, number)?;
            }
            self.chunk = Some(number.wrapping_add(1));
            return Ok(Step::More);
        }
        self.finish(sink)
    }

    /// Writes the lists that are other ones now, and the header.
    fn finish(&mut self, sink: &mut dyn Sink) -> Result<Step, RefusalKind> {
        const DAMAGED: RefusalKind = RefusalKind::Malformed("the image is damaged");
        let Machine { image, tables, globals, dropped, chunks, .. } = &self.machine;
        let mut header = *image.header();
        let mut out = self.written.to(sink);
        at_most("chunks of data", self.numbers.len() as u32, IMAGE_CHUNKS_MAX)?;
        header.chunks = list(&mut out, self.numbers.iter().map(|number| [*number]))?;
        header.chunk_data = self.chunk_data;
        header.global_words = list(&mut out, globals.iter().map(|word| [*word]))?;
        let mut rows: Vec<[u32; 5]> = Vec::new();
        for table in 0..header.tables.count {
            let ([ty, size, max], words) = tables.content(image, table).map_err(|_| DAMAGED)?;
            push(&mut rows, [ty, size, max, out.at(), words.len() as u32])?;
            out.words(words)?;
        }
        header.tables = list(&mut out, rows.into_iter())?;
        // A segment that was dropped is one without anything in it.
        let segments = |out: &mut Out<'_>, of, first: u32| {
            let rows = (0_u32..).map_while(|index| image.row::<2>(of, index)).enumerate();
            let rows = rows.map(|(index, [length, at])| {
                let is_dropped = is_bit_set(dropped, first.saturating_add(index as u32));
                [if is_dropped { 0 } else { length }, at]
            });
            list(out, rows)
        };
        let before = header.data.count;
        header.data = segments(&mut out, header.data, 0)?;
        header.elements = segments(&mut out, header.elements, before)?;
        (header.memory_min, header.start, header.key) = (chunks.pages(), NONE, self.key);
        (header.words, header.crc) = (self.written.at(), self.written.crc());
        Ok(Step::Done(header.to_bytes()))
    }
}
