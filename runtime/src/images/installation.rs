//! Making an image, a piece a step, so that the bus goes on between.

use alloc::boxed::Box;
use core::fmt;

use sha2::{Digest, Sha256};
use skiff_engine::{HEADER_BYTES, Limits, Refusal, Sink, SinkFull, Step, Translator, Words, translation_heap_bytes};

use super::{Held, ModuleHash, open};
use crate::hal::{APPEND_BYTES_MAX, Draft, Images, Storage, StorageError};

/// Fuel that a step of the translator counts as: 128 bytes of operators take some 30,000 instructions, a unit of fuel some 25.
const TRANSLATING_FUEL: u64 = 1200;
/// The same for hashing [`HASHED_BYTES`].
const HASHING_FUEL: u64 = 1200;
/// Bytes of a module that are hashed at a time.
const HASHED_BYTES: usize = 512;
/// The same for a page of flash: written in some 0.7 ms, and read back.
const PAGE_FUEL: u64 = 4000;
/// Bytes that are erased at once; a step ends with it, which takes some 45 ms.
const SECTOR_BYTES: u32 = 4096;

/// What a step came to.
#[derive(Debug)]
pub enum Progress {
    /// There is more to do.
    Working,
    /// The image is there, and lies where it is read from; every later step says that there is nothing to do.
    Done(Held),
    /// The module is not taken, or there is no room; every later step says the same.
    Refused(Refused),
}

/// Why a module gets no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The translator does not take it.
    Module(Refusal),
    /// There is not enough heap to translate it.
    Heap {
        /// Bytes it may take.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// There is no room in the area of images, though everything that can go would.
    Room {
        /// Bytes of the image.
        needed: u32,
        /// Bytes there are in one piece.
        free: u64,
    },
    /// The storage failed.
    Storage(StorageError),
    /// It is over: the image was handed out, or another one came out than was measured.
    Over,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(refusal) => refusal.fmt(f),
            Self::Heap { needed, free } => {
                write!(f, "does not fit: translating it may take {needed} bytes of heap, {free} are free")
            }
            Self::Room { needed, free } => {
                write!(f, "does not fit: its image has {needed} bytes, {free} are free in the area of images")
            }
            Self::Storage(error) => write!(f, "the image is not stored: {error}"),
            Self::Over => f.write_str("nothing is left to be translated"),
        }
    }
}

impl core::error::Error for Refused {}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Module(refusal)
    }
}

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// A module on its way to an image.
pub struct Installation<'w> {
    wasm: &'w [u8],
    limits: Limits,
    heap_bytes: u64,
    stage: Stage<'w>,
}

enum Stage<'w> {
    Hashing {
        hash: Box<Sha256>,
        at: usize,
    },
    /// Whether it is there already.
    Looking(ModuleHash),
    /// How long it becomes: a walk that writes nothing.
    Measuring {
        module: ModuleHash,
        translator: Box<Translator<'w>>,
        bytes: u32,
    },
    Writing {
        module: ModuleHash,
        translator: Box<Translator<'w>>,
        output: Box<Output>,
    },
    /// All is written but the last page.
    Ending {
        module: ModuleHash,
        output: Box<Output>,
    },
    /// Where the storage keeps no images.
    InMemory {
        translator: Box<Translator<'w>>,
        words: Words,
    },
    Over(Refused),
}

/// What a piece came to.
enum Piece<'w> {
    /// This much fuel was spent; the step ends where something was erased.
    Next(Stage<'w>, u64),
    Erased(Stage<'w>),
    Done(Held),
}

/// What is written of an image, and the page that is filled.
struct Output {
    draft: Draft,
    header: [u8; HEADER_BYTES],
    page: [u8; APPEND_BYTES_MAX],
    filled: usize,
}

/// The area, for as long as a piece takes.
struct ToFlash<'s> {
    images: &'s mut dyn Images,
    output: &'s mut Output,
    fuel: u64,
    has_erased: bool,
    failed: Option<StorageError>,
}

struct Counting<'c>(&'c mut u32);

impl Sink for Counting<'_> {
    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkFull> {
        *self.0 = self.0.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        Ok(())
    }
}

impl ToFlash<'_> {
    fn flush(&mut self) -> Result<(), StorageError> {
        let Output { draft, page, filled, .. } = self.output;
        let page = page.get(..*filled).unwrap_or_default();
        if page.is_empty() {
            return Ok(());
        }
        self.has_erased |= draft.is_at_sector(SECTOR_BYTES);
        self.fuel = self.fuel.saturating_add(PAGE_FUEL);
        self.images.write_image(draft, page)?;
        *filled = 0;
        Ok(())
    }

    fn take(&mut self, mut bytes: &[u8]) -> Result<(), StorageError> {
        while !bytes.is_empty() {
            let Output { page, filled, .. } = &mut *self.output;
            let room = page.get_mut(*filled..).unwrap_or_default();
            let count = room.len().min(bytes.len());
            let (now, rest) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
            room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            *filled = filled.saturating_add(count);
            if *filled == page.len() {
                self.flush()?;
            }
            bytes = rest;
        }
        Ok(())
    }
}

impl Sink for ToFlash<'_> {
    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkFull> {
        self.take(bytes).map_err(|error| {
            self.failed = Some(error);
            SinkFull
        })
    }
}

impl<'w> Installation<'w> {
    /// Begins with a module; nothing is done yet. `heap_free` is what the heap has, bytes.
    ///
    /// # Errors
    /// [`Refused::Heap`] where it may take more.
    pub fn new(wasm: &'w [u8], limits: &Limits, heap_free: u64) -> Result<Self, Refused> {
        let needed = translation_heap_bytes(wasm, limits) as u64;
        if needed > heap_free {
            return Err(Refused::Heap { needed, free: heap_free });
        }
        let stage = Stage::Hashing { hash: Box::default(), at: 0 };
        Ok(Self { wasm, limits: *limits, heap_bytes: needed, stage })
    }

    /// Returns the heap that it may take while it lasts, bytes.
    #[must_use]
    pub const fn heap_bytes(&self) -> u64 {
        self.heap_bytes
    }

    /// Works for about as much time as this much fuel takes, at least one piece, and to the next sector that is erased.
    pub fn step(&mut self, storage: &mut dyn Storage, fuel: u64) -> Progress {
        let mut left = fuel;
        loop {
            let stage = core::mem::replace(&mut self.stage, Stage::Over(Refused::Over));
            match self.piece(stage, storage) {
                Ok(Piece::Next(stage, spent)) => {
                    self.stage = stage;
                    left = left.saturating_sub(spent);
                    if left == 0 {
                        return Progress::Working;
                    }
                }
                Ok(Piece::Erased(stage)) => {
                    self.stage = stage;
                    return Progress::Working;
                }
                Ok(Piece::Done(held)) => return Progress::Done(held),
                Err(refused) => {
                    self.stage = Stage::Over(refused);
                    return Progress::Refused(refused);
                }
            }
        }
    }

    fn piece(&self, stage: Stage<'w>, storage: &mut dyn Storage) -> Result<Piece<'w>, Refused> {
        match stage {
            Stage::Hashing { mut hash, at } => {
                let rest = self.wasm.get(at..).unwrap_or_default();
                let piece = rest.get(..HASHED_BYTES).unwrap_or(rest);
                hash.update(piece);
                let at = at.saturating_add(piece.len());
                let is_whole = piece.len() == rest.len();
                let next = if is_whole {
                    Stage::Looking(ModuleHash(hash.finalize().into()))
                } else {
                    Stage::Hashing { hash, at }
                };
                Ok(Piece::Next(next, HASHING_FUEL))
            }
            Stage::Looking(module) => self.look(module, storage),
            Stage::Measuring { module, mut translator, mut bytes } => {
                match translator.step(&mut Counting(&mut bytes))? {
                    Step::More => Ok(Piece::Next(Stage::Measuring { module, translator, bytes }, TRANSLATING_FUEL)),
                    Step::Done(header) => self.room(module, header, bytes, storage),
                }
            }
            Stage::Writing { module, translator, output } => Self::write(module, translator, output, storage),
            Stage::Ending { module, output } => self.end(module, output, storage),
            Stage::InMemory { mut translator, mut words } => match translator.step(&mut words)? {
                Step::More => Ok(Piece::Next(Stage::InMemory { translator, words }, TRANSLATING_FUEL)),
                Step::Done(header) => {
                    let image = words.finish(&header).map_err(|_| Refused::Over)?;
                    Ok(Piece::Done(Held { image, lease: None }))
                }
            },
            Stage::Over(refused) => Err(refused),
        }
    }

    fn translator(&self, module: &ModuleHash) -> Box<Translator<'w>> {
        Box::new(Translator::new(self.wasm, module.0, &self.limits))
    }

    fn look(&self, module: ModuleHash, storage: &mut dyn Storage) -> Result<Piece<'w>, Refused> {
        let translator = self.translator(&module);
        if storage.images().is_none() {
            let stage = Stage::InMemory { translator, words: Words::default() };
            return Ok(Piece::Next(stage, TRANSLATING_FUEL));
        }
        // The same is there: flash is not worn for it.
        if let Some(held) = open(storage, &module, &self.limits) {
            return Ok(Piece::Done(held));
        }
        Ok(Piece::Next(Stage::Measuring { module, translator, bytes: HEADER_BYTES as u32 }, TRANSLATING_FUEL))
    }

    /// Finds room for an image of which everything is known.
    fn room(
        &self,
        module: ModuleHash,
        header: [u8; HEADER_BYTES],
        bytes: u32,
        storage: &mut dyn Storage,
    ) -> Result<Piece<'w>, Refused> {
        let key = super::key(&module, &self.limits).ok_or(Refused::Over)?;
        let images = storage.images().ok_or(Refused::Over)?;
        let draft = match images.begin_image(&key, bytes) {
            Ok(draft) => draft,
            Err(StorageError::Full) => {
                return Err(Refused::Room { needed: bytes, free: storage.room_for(&key) });
            }
            Err(error) => return Err(error.into()),
        };
        let mut output = Box::new(Output { draft, header, page: [0; APPEND_BYTES_MAX], filled: 0 });
        // Nothing of it counts before the record's own head is written, so that the order is free.
        let Output { header, page, filled, .. } = &mut *output;
        page.iter_mut().zip(header.iter()).for_each(|(to, from)| *to = *from);
        *filled = header.len();
        let translator = self.translator(&module);
        Ok(Piece::Next(Stage::Writing { module, translator, output }, TRANSLATING_FUEL))
    }

    fn write(
        module: ModuleHash,
        mut translator: Box<Translator<'w>>,
        mut output: Box<Output>,
        storage: &mut dyn Storage,
    ) -> Result<Piece<'w>, Refused> {
        let images = storage.images().ok_or(Refused::Over)?;
        let mut sink = ToFlash { images, output: &mut output, fuel: TRANSLATING_FUEL, has_erased: false, failed: None };
        let step = translator.step(&mut sink);
        let ToFlash { fuel, has_erased, failed, .. } = sink;
        let next = match (step, failed) {
            (_, Some(error)) => return Err(error.into()),
            (Err(refusal), None) => return Err(refusal.into()),
            (Ok(Step::More), None) => Stage::Writing { module, translator, output },
            // The same module by the same translator.
            (Ok(Step::Done(header)), None) if header == output.header => Stage::Ending { module, output },
            (Ok(Step::Done(_)), None) => return Err(Refused::Over),
        };
        Ok(if has_erased { Piece::Erased(next) } else { Piece::Next(next, fuel) })
    }

    fn end(
        &self,
        module: ModuleHash,
        mut output: Box<Output>,
        storage: &mut dyn Storage,
    ) -> Result<Piece<'w>, Refused> {
        let images = storage.images().ok_or(Refused::Over)?;
        ToFlash { images, output: &mut output, fuel: 0, has_erased: false, failed: None }.flush()?;
        let Output { draft, .. } = *output;
        images.commit_image(draft)?;
        match open(storage, &module, &self.limits) {
            Some(held) => Ok(Piece::Done(held)),
            None => Err(StorageError::Failed.into()),
        }
    }
}
