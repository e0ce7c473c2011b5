//! The image of a module, made in the heap.

use alloc::format;
use alloc::vec::Vec;

use skiff_engine::{
    HEADER_BYTES, Image, Limits, Refusal, RefusalKind, Sink, SinkFull, Step, Translator, translation_heap_bytes,
};

use crate::budget::PluginLimits;
use crate::host::failure::{LoadError, short};

/// More linear memory than [`Limits::CHIP`] takes.
const CHIP_LINEAR_BYTES_MAX: u32 = 1 << 20;
/// Words of a header, for which room is left in front.
const HEADER_WORDS: usize = HEADER_BYTES / 4;

/// Translates a module.
///
/// # Errors
/// [`LoadError`]: it is not valid, asks for too much, or the heap has no room for it.
pub(super) fn of(wasm: &[u8], limits: &PluginLimits) -> Result<Image, LoadError> {
    let bounds = bounds(limits);
    room_for(translation_heap_bytes(wasm, &bounds))?;
    let words = words(wasm, &bounds).map_err(|refusal| match refusal.kind {
        RefusalKind::SegmentOutOfBounds | RefusalKind::NoRoom | RefusalKind::OutOfMemory => {
            LoadError::Instantiate(short(&refusal))
        }
        _ => LoadError::Invalid(short(&refusal)),
    })?;
    Image::owned(words).map_err(|error| LoadError::Instantiate(short(&error)))
}

/// Bounds of a translation: those of chips where a plugin has the memory of a chip.
fn bounds(limits: &PluginLimits) -> Limits {
    if limits.linear_bytes_max > CHIP_LINEAR_BYTES_MAX { Limits::LINUX } else { Limits::CHIP }
}

/// Refuses a translation that the heap has no room for, before it begins.
fn room_for(bytes: usize) -> Result<(), LoadError> {
    let mut room: Vec<u8> = Vec::new();
    let refused = |_| LoadError::Instantiate(format!("no {bytes} bytes of memory to translate it"));
    room.try_reserve_exact(bytes).map_err(refused)
}

/// Words of an image.
struct Words(Vec<u32>);

impl Sink for Words {
    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkFull> {
        self.0.try_reserve(bytes.len() / 4).map_err(|_| SinkFull)?;
        let words = bytes.chunks_exact(4).filter_map(|word| word.first_chunk());
        self.0.extend(words.map(|word| u32::from_le_bytes(*word)));
        Ok(())
    }
}

/// Translates a module into words; they take no more room than they need.
fn words(wasm: &[u8], bounds: &Limits) -> Result<Vec<u32>, Refusal> {
    let mut words = Words(alloc::vec![0; HEADER_WORDS]);
    // What is kept in flash is known by the hash of its module; this image goes with its instance.
    let mut translator = Translator::new(wasm, [0; 32], bounds);
    let header = loop {
        if let Step::Done(header) = translator.step(&mut words)? {
            break header;
        }
    };
    let Words(mut words) = words;
    for (word, bytes) in words.iter_mut().zip(header.chunks_exact(4)) {
        *word = bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    }
    words.shrink_to_fit();
    Ok(words)
}
