//! From a module to an image, in one walk, a piece a step.

mod access;
mod code;
mod condition;
mod control;
mod data;
mod function;
mod names;
mod need;
mod operators;
mod stack;
mod tables;

use alloc::vec::Vec;

use self::data::{Data, Placed};
use self::function::{Begun, Buffers};
use self::names::{exports, imports};
use self::tables::Initial;
use crate::image::{HEADER_BYTES, HEADER_WORDS, Header, Image, ImageError, List, NONE};
use crate::limits::Limits;
use crate::out::{Out, Sink, SinkFull, Written, list};
use crate::refusal::{Refusal, RefusalKind, at_most, malformed, push};
use crate::wasm::{Module, Reader};

pub use self::need::translation_heap_bytes;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more to do.
    More,
    /// The sink has everything that stands behind the header; this is the header, to be written last and in front, so that
    /// an image that is not whole has none.
    Done([u8; HEADER_BYTES]),
}

/// Checks a module and translates it: operators of `STEP_BYTES`, words of `STEP_WORDS`, a chunk of data or a section that
/// only declares a step.
///
/// All it holds between steps is what the module declares, the buffers of one function and a list of what data there is.
pub struct Translator<'w> {
    reader: Reader<'w>,
    limits: Limits,
    key: [u8; 32],
    module: Module,
    /// Where the head of each function stands, of an import its type.
    functions: Vec<u32>,
    initial: Initial,
    imports: List,
    exports: List,
    placed: Placed,
    written: Written,
    buffers: Buffers,
    stage: Stage<'w>,
    /// Place in the order of sections of the last one.
    order: usize,
    data_seen: bool,
    /// The first segment that does not fit, which counts only where nothing else is wrong.
    outside: Option<Refusal>,
    failed: Option<Refusal>,
}

/// What the next step goes on with.
enum Stage<'w> {
    /// The next section.
    Section,
    /// The next body in the section of code.
    Body(Bodies<'w>),
    /// Operators of one.
    Operators(Bodies<'w>, Begun<'w>),
    /// Its words, from this one on.
    Words(Bodies<'w>, usize),
    /// The section of data.
    Data(Data<'w>),
}

/// Bodies that are still to come in the section of code.
#[derive(Clone, Copy)]
struct Bodies<'w> {
    reader: Reader<'w>,
    left: u32,
}

/// Bytes of operators that are translated in one step, and those of one that is longer.
const STEP_BYTES: usize = 128;
/// Words of a function that are written in one step: a page of the usual flash chips.
const STEP_WORDS: usize = 64;

/// Sections in the order that they must have.
const ORDER: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

impl<'w> Translator<'w> {
    /// Begins with a module. `key` is what the image will be known by, a hash of the module; with engine version and
    /// limits it tells whether an image still belongs to it.
    #[must_use]
    pub fn new(wasm: &'w [u8], key: [u8; 32], limits: &Limits) -> Self {
        Self {
            reader: Reader::new(wasm),
            limits: *limits,
            key,
            module: Module::default(),
            functions: Vec::new(),
            initial: Initial::default(),
            imports: List::default(),
            exports: List::default(),
            placed: Placed::default(),
            written: Written::new(limits.image_words_max),
            buffers: Buffers::default(),
            stage: Stage::Section,
            order: 0,
            data_seen: false,
            outside: None,
            failed: None,
        }
    }

    /// Does the next step.
    ///
    /// # Errors
    /// [`Refusal`]: the module is not taken; every later step says the same, and what the sink has is worth nothing.
    pub fn step(&mut self, sink: &mut dyn Sink) -> Result<Step, Refusal> {
        if let Some(refusal) = self.failed {
            return Err(refusal);
        }
        let done = self.next(sink);
        if let Err(refusal) = done {
            self.failed = Some(refusal);
        }
        done
    }

    fn next(&mut self, sink: &mut dyn Sink) -> Result<Step, Refusal> {
        match core::mem::replace(&mut self.stage, Stage::Section) {
            Stage::Section => {}
            Stage::Body(bodies) => return self.body(bodies).map(|()| Step::More),
            Stage::Operators(bodies, begun) => return self.operators(bodies, begun).map(|()| Step::More),
            Stage::Words(bodies, from) => return self.words(bodies, from, sink).map(|()| Step::More),
            Stage::Data(data) => return self.data(data, sink).map(|()| Step::More),
        }
        let at = self.reader.at();
        if at == 0 {
            self.preamble().map_err(|kind| refusal(at, kind))?;
        }
        if self.reader.is_empty() {
            if let Some(outside) = self.outside {
                return Err(outside);
            }
            return self.finish(sink).map_err(|kind| refusal(at, kind));
        }
        let done = self.section(sink);
        self.unless_outside(done).map(|()| Step::More)
    }

    /// A segment that does not fit counts only where nothing else is wrong.
    fn unless_outside(&mut self, done: Result<(), (usize, RefusalKind)>) -> Result<(), Refusal> {
        match done {
            Err((at, kind @ RefusalKind::SegmentOutOfBounds)) => {
                self.outside = Some(refusal(at, kind));
                Ok(())
            }
            done => done.map_err(|(at, kind)| refusal(at, kind)),
        }
    }

    fn preamble(&mut self) -> Result<(), RefusalKind> {
        if self.reader.bytes(4) != Ok(b"\0asm".as_slice()) {
            return malformed("magic header not detected");
        }
        match self.reader.word() {
            Ok(1) => Ok(()),
            Ok(version) if version >> 16 == 1 => Err(RefusalKind::Unsupported("a component")),
            _ => malformed("unknown binary version"),
        }
    }

    fn section(&mut self, sink: &mut dyn Sink) -> Result<(), (usize, RefusalKind)> {
        let at = self.reader.at();
        let (id, mut section) = self.open().map_err(|kind| (at, kind))?;
        if id == 0 {
            return section.name().map(|_| ()).map_err(|kind| (section.at(), kind));
        }
        let mut out = self.written.to(sink);
        let (module, limits) = (&mut self.module, &self.limits);
        let reader = &mut section;
        let done = match id {
            1 => module.type_section(reader, limits),
            2 => imports(reader, module, limits, &mut out, &mut self.functions).map(|list| self.imports = list),
            3 => module.function_section(reader, limits),
            4 => module.table_section(reader, limits),
            5 => module.memory_section(reader, limits),
            6 => module.global_section(reader, limits),
            7 => exports(reader, module, limits, &mut out).map(|list| self.exports = list),
            8 => module.start_section(reader),
            9 => self.initial.read(reader, module, limits, &mut out),
            12 => reader.u32().map(|count| module.data_count = Some(count)),
            10 => return self.code(section).map_err(|kind| (at, kind)),
            _ => {
                self.data_seen = true;
                let data = Data::new(section, module, limits).map_err(|kind| (at, kind))?;
                self.stage = Stage::Data(data);
                return Ok(());
            }
        };
        done.map_err(|kind| (section.at(), kind))?;
        section.finish().map_err(|kind| (section.at(), kind))
    }

    /// Reads id and length of a section.
    fn open(&mut self) -> Result<(u8, Reader<'w>), RefusalKind> {
        let id = self.reader.byte()?;
        let length = self.reader.u32()?;
        let section = self.reader.part(length)?;
        if id != 0 {
            match ORDER.iter().position(|known| *known == id) {
                None if id == 13 => return Err(RefusalKind::Unsupported("exception handling")),
                None => return malformed("malformed section id"),
                Some(place) if place < self.order => return malformed("unexpected content after last section"),
                Some(place) => self.order = place.wrapping_add(1),
            }
        }
        Ok((id, section))
    }

    /// Begins the section of code.
    fn code(&mut self, mut reader: Reader<'w>) -> Result<(), RefusalKind> {
        let left = reader.u32()?;
        if left != self.own_functions() {
            return malformed("function and code section have inconsistent lengths");
        }
        self.stage = Stage::Body(Bodies { reader, left });
        Ok(())
    }

    fn own_functions(&self) -> u32 {
        (self.module.functions.len() as u32).saturating_sub(self.module.imported)
    }

    /// Begins with the next body.
    fn body(&mut self, mut bodies: Bodies<'w>) -> Result<(), Refusal> {
        let at = bodies.reader.at();
        if bodies.left == 0 {
            // No other function comes.
            self.buffers = Buffers::default();
            return bodies.reader.finish().map_err(|kind| refusal(at, kind));
        }
        bodies.left = bodies.left.wrapping_sub(1);
        let ty = self.module.functions.get(self.functions.len()).copied().unwrap_or_default();
        let length = bodies.reader.u32().map_err(|kind| refusal(at, kind))?;
        at_most("bytes of a function", length, self.limits.body_bytes_max).map_err(|kind| refusal(at, kind))?;
        let body = bodies.reader.part(length).map_err(|kind| refusal(at, kind))?;
        let begun = function::begin(body, ty, &self.module, &self.limits, &mut self.buffers);
        self.stage = Stage::Operators(bodies, begun.map_err(|(at, kind)| refusal(at, kind))?);
        Ok(())
    }

    /// Translates the next operators of a body.
    fn operators(&mut self, bodies: Bodies<'w>, mut begun: Begun<'w>) -> Result<(), Refusal> {
        let done = begun.go_on(STEP_BYTES, &self.module, &self.limits, &mut self.buffers);
        let done = done.map_err(|(at, kind)| refusal(at, kind))?;
        self.stage = if done { Stage::Words(bodies, 0) } else { Stage::Operators(bodies, begun) };
        Ok(())
    }

    /// Writes the next words of a function.
    fn words(&mut self, bodies: Bodies<'w>, from: usize, sink: &mut dyn Sink) -> Result<(), Refusal> {
        let at = |kind| refusal(bodies.reader.at(), kind);
        if from == 0 {
            push(&mut self.functions, self.written.at()).map_err(at)?;
        }
        let rest = self.buffers.code.words.get(from..).unwrap_or_default();
        let now = rest.get(..STEP_WORDS).unwrap_or(rest);
        self.written.to(sink).words(now).map_err(at)?;
        let is_last = now.len() == rest.len();
        let from = from.saturating_add(now.len());
        self.stage = if is_last { Stage::Body(bodies) } else { Stage::Words(bodies, from) };
        Ok(())
    }

    /// Does the next step of the section of data.
    fn data(&mut self, mut data: Data<'w>, sink: &mut dyn Sink) -> Result<(), Refusal> {
        let done = match data.step(&mut self.module, &mut self.written.to(sink)) {
            Ok(Some(placed)) => {
                self.placed = placed;
                Ok(())
            }
            Ok(None) => {
                self.stage = Stage::Data(data);
                Ok(())
            }
            Err(kind) => Err((data.at(), kind)),
        };
        self.unless_outside(done)
    }

    /// Writes what stands behind the code, and the header.
    fn finish(&mut self, sink: &mut dyn Sink) -> Result<Step, RefusalKind> {
        if self.functions.len() != self.module.functions.len() {
            return malformed("function and code section have inconsistent lengths");
        }
        if !self.data_seen && self.module.data_count.is_some_and(|count| count > 0) {
            return malformed("data count and data section have inconsistent lengths");
        }
        let module = &self.module;
        let mut out = self.written.to(sink);
        let functions = list(&mut out, self.functions.iter().map(|word| [*word]))?;
        let types = types(&mut out, module)?;
        let globals = module
            .globals
            .iter()
            .map(|global| [u32::from(global.ty as u8) | u32::from(global.mutable) << 8 | u32::from(global.slot) << 16]);
        let globals = list(&mut out, globals)?;
        let global_words = list(&mut out, module.global_words.iter().map(|word| [*word]))?;
        let mut rows: Vec<[u32; 5]> = Vec::new();
        for (index, table) in module.tables.iter().enumerate() {
            let words = self.initial.of(index);
            push(&mut rows, [table.ty as u32, table.min, table.max.unwrap_or(NONE), out.at(), words.len() as u32])?;
            out.words(words)?;
        }
        let tables = list(&mut out, rows.into_iter())?;
        let elements = list(&mut out, module.elements.iter().map(|segment| [segment.count, segment.at]))?;
        let header = Header {
            words: self.written.at(),
            crc: self.written.crc(),
            key: self.key,
            limits: self.limits.fingerprint(),
            imported: module.imported,
            functions,
            types,
            imports: self.imports,
            exports: self.exports,
            globals,
            global_words,
            tables,
            elements,
            data: self.placed.segments,
            memory_min: module.memory.map_or(0, |memory| memory.min),
            memory_max: module.memory.and_then(|memory| memory.max).unwrap_or(NONE),
            page_log2: module.memory.map_or(NONE, |memory| memory.page_log2.into()),
            chunks: self.placed.chunks,
            chunk_data: self.placed.chunk_data,
            start: module.start.unwrap_or(NONE),
        };
        Ok(Step::Done(header.to_bytes()))
    }
}

/// An image in memory.
#[derive(Debug)]
pub struct Words(Vec<u32>);

impl Default for Words {
    /// Room for the header, which comes last.
    fn default() -> Self {
        Self(alloc::vec![0; HEADER_WORDS])
    }
}

impl Sink for Words {
    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkFull> {
        self.0.try_reserve(bytes.len() / 4).map_err(|_| SinkFull)?;
        let words = bytes.chunks_exact(4).filter_map(|word| word.first_chunk());
        self.0.extend(words.map(|word| u32::from_le_bytes(*word)));
        Ok(())
    }
}

impl Words {
    /// Puts the header in front.
    ///
    /// # Errors
    /// [`ImageError`] for the header of another image.
    pub fn finish(mut self, header: &[u8; HEADER_BYTES]) -> Result<Image, ImageError> {
        for (word, bytes) in self.0.iter_mut().zip(header.chunks_exact(4)) {
            *word = bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        }
        // Room that was taken for more goes back: the image stays as long as its plugin.
        self.0.shrink_to_fit();
        Image::owned(self.0)
    }
}

/// Translates a module at once, into memory.
///
/// # Errors
/// [`Refusal`]: the module is not taken.
pub fn translate(wasm: &[u8], key: [u8; 32], limits: &Limits) -> Result<Image, Refusal> {
    let mut words = Words::default();
    let mut translator = Translator::new(wasm, key, limits);
    loop {
        if let Step::Done(header) = translator.step(&mut words)? {
            return words.finish(&header).map_err(|_| RefusalKind::NoRoom.into());
        }
    }
}

fn refusal(at: usize, kind: RefusalKind) -> Refusal {
    Refusal { at: u32::try_from(at).unwrap_or(u32::MAX), kind }
}

/// Writes types: how many parameters and results, then a byte each.
fn types(out: &mut Out<'_>, module: &Module) -> Result<List, RefusalKind> {
    let mut places: Vec<[u32; 1]> = Vec::new();
    for index in 0..module.types.len() as u32 {
        let ty = module.ty(index)?;
        push(&mut places, [out.at()])?;
        out.word(ty.params.len() as u32 | (ty.results.len() as u32) << 16)?;
        let mut values = ty.params.iter().chain(ty.results).map(|ty| *ty as u8);
        while let Some(first) = values.next() {
            // A type that is not there is no type.
            let mut next = || values.next().unwrap_or_default();
            out.bytes(&[first, next(), next(), next()])?;
        }
    }
    list(out, places.into_iter())
}
