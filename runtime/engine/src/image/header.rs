//! The first words of an image: what it is, what it was made of, where everything stands.

use crate::crc32::Crc32;
use crate::limits::ENGINE_VERSION;

/// "SKWE" as the first four bytes.
const MAGIC: u32 = u32::from_le_bytes(*b"SKWE");
/// Words of a header.
pub(crate) const HEADER_WORDS: usize = 48;
/// No such number: no maximum, no start function.
pub(crate) const NONE: u32 = u32::MAX;

/// A list in an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    /// Its first word.
    pub(crate) at: u32,
    /// How many there are in it.
    pub(crate) count: u32,
}

/// What the first words of an image say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Words of the image, these too.
    pub(crate) words: u32,
    /// CRC-32 of everything behind the header.
    pub(crate) crc: u32,
    /// Hash of the module.
    pub(crate) key: [u8; 32],
    /// [`Limits::fingerprint`](crate::Limits::fingerprint).
    pub(crate) limits: u32,
    /// Imported functions.
    pub(crate) imported: u32,
    /// A word for each function, imported ones first.
    pub(crate) functions: List,
    /// A word for each type: where it stands.
    pub(crate) types: List,
    pub(crate) imports: List,
    pub(crate) exports: List,
    /// A word for each global.
    pub(crate) globals: List,
    /// What globals begin with, by the word.
    pub(crate) global_words: List,
    pub(crate) tables: List,
    pub(crate) elements: List,
    pub(crate) data: List,
    /// Pages; `memory_max` can be [`NONE`].
    pub(crate) memory_min: u32,
    pub(crate) memory_max: u32,
    /// 16 or 0, [`NONE`] without a memory.
    pub(crate) page_log2: u32,
    /// Numbers of the chunks of memory that begin with something in them, ascending.
    pub(crate) chunks: List,
    /// The first of those chunks.
    pub(crate) chunk_data: u32,
    /// The function to run first.
    pub(crate) start: u32,
}

impl Header {
    const LISTS_AT: usize = 14;

    fn lists(&self) -> [List; 10] {
        [
            self.functions,
            self.types,
            self.imports,
            self.exports,
            self.globals,
            self.global_words,
            self.tables,
            self.elements,
            self.data,
            self.chunks,
        ]
    }

    /// Writes it.
    pub(crate) fn to_words(self) -> [u32; HEADER_WORDS] {
        let mut words = [0; HEADER_WORDS];
        let key =
            self.key.chunks_exact(4).map(|bytes| bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)));
        let first =
            [MAGIC, ENGINE_VERSION, self.words, self.crc].into_iter().chain(key).chain([self.limits, self.imported]);
        let lists = self.lists().into_iter().flat_map(|list| [list.at, list.count]);
        let last = [self.memory_min, self.memory_max, self.page_log2, self.chunk_data, self.start];
        for (word, value) in words.iter_mut().zip(first.chain(lists).chain(last)) {
            *word = value;
        }
        if let Some((sum, rest)) = words.split_last_mut() {
            *sum = sum_of(rest);
        }
        words
    }

    /// Returns its bytes.
    pub(crate) fn to_bytes(self) -> [u8; 4 * HEADER_WORDS] {
        let mut bytes = [0; 4 * HEADER_WORDS];
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(self.to_words()) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads it; `None` where it is none of this engine, or damaged.
    pub(crate) fn from_words(words: &[u32]) -> Option<Self> {
        let words: &[u32; HEADER_WORDS] = words.first_chunk()?;
        let (sum, rest) = words.split_last()?;
        if *sum != sum_of(rest) {
            return None;
        }
        let [magic, version, length, crc, k0, k1, k2, k3, k4, k5, k6, k7, limits, imported, ..] = *words;
        if magic != MAGIC || version != ENGINE_VERSION {
            return None;
        }
        let mut key = [0; 32];
        for (bytes, word) in key.chunks_exact_mut(4).zip([k0, k1, k2, k3, k4, k5, k6, k7]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let mut rest = words.get(Self::LISTS_AT..)?.iter().copied();
        let mut list = || Some(List { at: rest.next()?, count: rest.next()? });
        let [functions, types, imports, exports, globals] = [list()?, list()?, list()?, list()?, list()?];
        let [global_words, tables, elements, data, chunks] = [list()?, list()?, list()?, list()?, list()?];
        Some(Self {
            words: length,
            crc,
            key,
            limits,
            imported,
            functions,
            types,
            imports,
            exports,
            globals,
            global_words,
            tables,
            elements,
            data,
            chunks,
            memory_min: rest.next()?,
            memory_max: rest.next()?,
            page_log2: rest.next()?,
            chunk_data: rest.next()?,
            start: rest.next()?,
        })
    }
}

fn sum_of(words: &[u32]) -> u32 {
    words.iter().fold(Crc32::default(), |sum, word| sum.with_word(*word)).sum()
}

/// Lists and what stands behind them leave room for the sum.
const _: () = assert!(Header::LISTS_AT + 2 * 10 + 5 < HEADER_WORDS);
