//! What an import answers in the guest's memory, in the layout of the canonical ABI.
//!
//! The guest gives the address of a record of known size; texts and lists that the record leads to lie where its `realloc`
//! puts them, one after the other:
//!
//! ```text
//! to ─► record:  │ case │ ... │ address │ count │      a part goes into the record or into a later part
//!                                  └──► part: bytes of a text, or elements with addresses of their own
//! ```

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::host::imports::Outcome;
use crate::time::Instant;

/// Bytes of a record: the largest one of the rows, `descriptor-stat` of WASI, takes 104.
const RECORD_BYTES_MAX: usize = 104;
/// The record of `option<string>` and `result<_, string>`: the case, padding, address and count.
const TEXT_RECORD_BYTES: usize = 12;
/// Where its address stands.
const TEXT_AT: usize = 4;

/// Where the address and the count of a part go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Place {
    /// Into the record, at this byte.
    Record(usize),
    /// Into the part with this index, which comes later, at this byte.
    Part(usize, usize),
}

/// One allocation.
#[derive(Debug)]
pub(in crate::host) struct Part {
    pub(in crate::host) data: Vec<u8>,
    /// Alignment of its elements, bytes.
    pub(in crate::host) align: u32,
    /// Elements of the list, bytes of a text.
    pub(in crate::host) count: u32,
    pub(in crate::host) place: Place,
}

/// An answer that is being written.
#[derive(Debug)]
pub(in crate::host) struct Answered {
    to: u32,
    record: heapless::Vec<u8, RECORD_BYTES_MAX, u8>,
    parts: Vec<Part>,
    /// Parts that were written.
    written: usize,
    /// The guest sleeps before it goes on: until when, and how long.
    sleep: Option<(Instant, Duration)>,
}

impl Answered {
    /// Of a record at an address, so many bytes of zeros.
    pub(in crate::host) fn record(to: u32, bytes: usize) -> Self {
        let mut record = heapless::Vec::new();
        // A record longer than the longest would be a mistake in a row, and is cut.
        let _ = record.resize(bytes.min(RECORD_BYTES_MAX), 0);
        Self { to, record, parts: Vec::new(), written: 0, sleep: None }
    }

    /// `option<string>`.
    pub(in crate::host) fn option(to: u32, text: Option<String>) -> Self {
        let mut answer = Self::record(to, TEXT_RECORD_BYTES);
        if let Some(text) = text {
            answer.set(0, &[1]);
            answer.text(Place::Record(TEXT_AT), text.into_bytes());
        }
        answer
    }

    /// `result<_, string>`.
    pub(in crate::host) fn result(to: u32, result: Result<(), &str>) -> Self {
        let mut answer = Self::record(to, TEXT_RECORD_BYTES);
        if let Err(clause) = result {
            answer.set(0, &[1]);
            answer.text(Place::Record(TEXT_AT), clause.as_bytes().to_vec());
        }
        answer
    }

    /// Sets bytes of the record.
    pub(in crate::host) fn set(&mut self, at: usize, bytes: &[u8]) {
        put(&mut self.record, at, bytes);
    }

    /// Adds a text, or a list of bytes.
    pub(in crate::host) fn text(&mut self, place: Place, data: Vec<u8>) {
        let count = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.parts.push(Part { data, align: 1, count, place });
    }

    /// Adds a part.
    pub(in crate::host) fn part(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// Lets the guest sleep when the answer is written.
    pub(in crate::host) fn sleep(&mut self, sleep: Option<(Instant, Duration)>) {
        self.sleep = sleep;
    }

    /// Returns until when the guest sleeps, and how long.
    pub(in crate::host) fn sleeps(&self) -> Option<(Instant, Duration)> {
        self.sleep
    }

    /// Returns the part that has to be written next.
    pub(in crate::host) fn next(&self) -> Option<&Part> {
        self.parts.get(self.written)
    }

    /// The next part was written at an address; its bytes are no longer needed.
    pub(in crate::host) fn written(&mut self, at: u32) {
        let Some(part) = self.parts.get_mut(self.written) else { return };
        part.data = Vec::new();
        let (place, count) = (part.place, part.count);
        let mut bytes = [0; 8];
        let (first, second) = bytes.split_at_mut(4);
        first.copy_from_slice(&at.to_le_bytes());
        second.copy_from_slice(&count.to_le_bytes());
        match place {
            Place::Record(at) => put(&mut self.record, at, &bytes),
            Place::Part(index, at) => {
                if let Some(part) = self.parts.get_mut(index) {
                    put(&mut part.data, at, &bytes);
                }
            }
        }
        self.written = self.written.saturating_add(1);
    }

    /// Returns where the record goes, and the record.
    pub(in crate::host) fn finished(&self) -> (u32, &[u8]) {
        (self.to, &self.record)
    }
}

fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    if let Some(to) = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..new.len())) {
        to.copy_from_slice(new);
    }
}

impl From<Answered> for Outcome {
    fn from(answer: Answered) -> Self {
        Self::Answer(Box::new(answer))
    }
}
