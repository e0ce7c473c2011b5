//! DNS messages (RFC 1035 §4), as far as a responder reads and writes them.
//!
//! ```text
//! id flags questions answers authorities additionals   12 bytes
//! question: name type class
//! record:   name type class TTL length data
//! name:     length label … 0, or a pointer (11xxxxxx xxxxxxxx) to the rest of one that stands before it
//! ```
//!
//! Whatever the bytes are, reading ends: a pointer leads back only, and a name has 255 bytes at the most.

use alloc::vec::Vec;

/// Bytes of a name, lengths and final zero among them (RFC 1035 §2.3.4).
pub const NAME_BYTES_MAX: usize = 255;
/// Bytes of a label (RFC 1035 §2.3.4).
pub const LABEL_BYTES_MAX: usize = 63;
/// Bytes before the first question.
pub const HEADER_BYTES: usize = 12;
/// Names to whose ends later names of a message point; names beyond that are written out.
const POINTERS_MAX: usize = 32;

/// Types of records (RFC 1035 §3.2.2, RFC 2782, RFC 4034).
pub mod kind {
    /// IPv4 address.
    pub const A: u16 = 1;
    /// Another name.
    pub const PTR: u16 = 12;
    /// Text.
    pub const TXT: u16 = 16;
    /// Host and port of a service.
    pub const SRV: u16 = 33;
    /// Which types a name has.
    pub const NSEC: u16 = 47;
    /// In a question: all of them.
    pub const ANY: u16 = 255;
}

/// The internet's class.
pub const CLASS_IN: u16 = 1;
/// In a question: any class.
pub const CLASS_ANY: u16 = 255;
/// The highest bit of a class: of a question, that it is to be answered to the asker alone; of a record, that others of its
/// name and type are not valid any more (RFC 6762 §18.12, §18.13).
pub const TOP_BIT: u16 = 0x8000;

/// Bits of the header's second word.
pub mod flags {
    /// A response.
    pub const RESPONSE: u16 = 0x8000;
    /// Authoritative.
    pub const AUTHORITATIVE: u16 = 0x0400;
    /// More known answers follow, or the answer is cut.
    pub const TRUNCATED: u16 = 0x0200;
    /// The asker wants names looked up for it.
    pub const RECURSION_DESIRED: u16 = 0x0100;
    /// What kind of question it is; 0 is the usual one.
    pub const OPCODE: u16 = 0x7800;
    /// What became of it; 0 is nothing wrong.
    pub const CODE: u16 = 0x000f;
}

/// A name inside a message; its labels were checked.
#[derive(Clone, Copy, Debug)]
pub struct Name<'m> {
    message: &'m [u8],
    at: usize,
}

/// What comes after a label.
enum Part<'m> {
    Label(&'m [u8], usize),
    Pointer(usize),
    End,
}

fn part(message: &[u8], at: usize) -> Option<Part<'_>> {
    let length = *message.get(at)?;
    let next = at.checked_add(1)?;
    match length >> 6 {
        0 if length == 0 => Some(Part::End),
        0 => {
            let end = next.checked_add(length.into())?;
            Some(Part::Label(message.get(next..end)?, end))
        }
        3 => Some(Part::Pointer(usize::from(length & 0x3f) << 8 | usize::from(*message.get(next)?))),
        _ => None,
    }
}

impl<'m> Name<'m> {
    /// Reads the name at a place, and returns where what follows it begins; `None` where there is no sound one.
    #[must_use]
    pub fn read(message: &'m [u8], at: usize) -> Option<(Self, usize)> {
        let (mut place, mut bytes, mut end) = (at, 0_usize, None);
        // A pointer leads before everything that was read of the name.
        let mut first = at;
        loop {
            match part(message, place)? {
                Part::End => return Some((Self { message, at }, end.unwrap_or(place.checked_add(1)?))),
                Part::Label(label, next) => {
                    bytes = bytes.checked_add(label.len())?.checked_add(1)?;
                    if bytes >= NAME_BYTES_MAX {
                        return None;
                    }
                    place = next;
                }
                Part::Pointer(to) => {
                    if to >= first || to < HEADER_BYTES {
                        return None;
                    }
                    end = end.or(place.checked_add(2));
                    (first, place) = (to, to);
                }
            }
        }
    }

    /// Visits the labels.
    pub fn labels(self) -> impl Iterator<Item = &'m [u8]> + Clone {
        let mut place = Some(self.at);
        core::iter::from_fn(move || {
            loop {
                match part(self.message, place?)? {
                    Part::End => return None,
                    Part::Label(label, next) => {
                        place = Some(next);
                        return Some(label);
                    }
                    // It was seen to lead back.
                    Part::Pointer(to) => place = Some(to),
                }
            }
        })
    }

    /// Tells whether it has these labels; letters are the same in upper and lower case (RFC 6762 §16).
    #[must_use]
    pub fn is<'n>(self, labels: impl Iterator<Item = &'n str>) -> bool {
        let mut own = self.labels();
        let mut labels = labels;
        loop {
            match (own.next(), labels.next()) {
                (None, None) => return true,
                (Some(own), Some(wanted)) if own.eq_ignore_ascii_case(wanted.as_bytes()) => {}
                _ => return false,
            }
        }
    }
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'m> {
    /// Of whom.
    pub name: Name<'m>,
    /// Type of record.
    pub kind: u16,
    /// Class, with its highest bit.
    pub class: u16,
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'m> {
    /// Whose.
    pub name: Name<'m>,
    /// Type.
    pub kind: u16,
    /// Class, with its highest bit.
    pub class: u16,
    /// Seconds that it is valid.
    pub ttl: u32,
    /// What stands in it.
    pub data: &'m [u8],
    /// Where that begins in the message, for names in it.
    at: usize,
}

impl<'m> Record<'m> {
    /// Returns the name that stands in its data after `skipped` bytes, and fills the data to the end.
    #[must_use]
    pub fn name_inside(&self, skipped: usize) -> Option<Name<'m>> {
        let (name, end) = Name::read(self.name.message, self.at.checked_add(skipped)?)?;
        (end == self.at.checked_add(self.data.len())?).then_some(name)
    }
}

/// The section that a record stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Answers, in a query those that are known.
    Answer,
    /// In a probe what is about to be claimed.
    Authority,
    /// What will be asked next.
    Additional,
}

/// A part of a message.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'m> {
    /// A question.
    Question(Question<'m>),
    /// A record.
    Record(Section, Record<'m>),
}

/// A message that was received.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m> {
    data: &'m [u8],
    /// What an answer says again.
    pub id: u16,
    /// See [`flags`].
    pub flags: u16,
    counts: [u16; 4],
}

fn word(data: &[u8], at: usize) -> Option<u16> {
    let bytes = data.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*bytes))
}

impl<'m> Message<'m> {
    /// Reads the header; `None` where there is none.
    #[must_use]
    pub fn read(data: &'m [u8]) -> Option<Self> {
        let counts = [word(data, 4)?, word(data, 6)?, word(data, 8)?, word(data, 10)?];
        Some(Self { data, id: word(data, 0)?, flags: word(data, 2)?, counts })
    }

    /// Tells whether a bit of the flags is set.
    #[must_use]
    pub fn has(&self, bits: u16) -> bool {
        self.flags & bits != 0
    }

    /// Returns how many questions it says that it has.
    #[must_use]
    pub fn question_count(&self) -> u16 {
        self.counts.first().copied().unwrap_or(0)
    }

    /// Tells whether somebody is about to claim a name.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.counts.get(2).is_some_and(|count| *count > 0)
    }

    /// Returns the bytes of the questions; `None` where one of them is not sound.
    fn questions(&self) -> Option<&'m [u8]> {
        let mut end = HEADER_BYTES;
        for _ in 0..self.question_count() {
            end = Name::read(self.data, end)?.1.checked_add(4)?;
        }
        self.data.get(HEADER_BYTES..end)
    }

    /// Visits questions and records, up to the first that is not sound.
    pub fn entries(self) -> impl Iterator<Item = Entry<'m>> {
        let mut at = HEADER_BYTES;
        let mut counts = self.counts;
        core::iter::from_fn(move || {
            let section = counts.iter().position(|count| *count > 0)?;
            if let Some(count) = counts.get_mut(section) {
                *count = count.saturating_sub(1);
            }
            let (name, fixed) = Name::read(self.data, at)?;
            let (kind, class) = (word(self.data, fixed)?, word(self.data, fixed.checked_add(2)?)?);
            let section = match section {
                0 => {
                    at = fixed.checked_add(4)?;
                    return Some(Entry::Question(Question { name, kind, class }));
                }
                1 => Section::Answer,
                2 => Section::Authority,
                _ => Section::Additional,
            };
            let ttl = u32::from_be_bytes(*self.data.get(fixed.checked_add(4)?..)?.first_chunk::<4>()?);
            let length = usize::from(word(self.data, fixed.checked_add(8)?)?);
            let begin = fixed.checked_add(10)?;
            at = begin.checked_add(length)?;
            let data = self.data.get(begin..at)?;
            Some(Entry::Record(section, Record { name, kind, class, ttl, data, at: begin }))
        })
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec;

    fn written(names: &[Vec<&str>]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::begin(&mut out, 1472, 7, flags::RESPONSE);
        for name in names {
            let record = |writer: &mut Writer<'_>| {
                writer.record(name.iter().copied(), (kind::PTR, CLASS_IN, 120), |w| w.name(name.iter().copied()));
            };
            assert!(writer.entry(1, record));
        }
        out
    }

    #[test]
    fn names_that_stand_there_already_are_pointed_to() {
        let names = [vec!["boat", "local"], vec!["_http", "_tcp", "LOCAL"], vec!["x", "_http", "_tcp", "local"]];
        let out = written(&names);
        assert_eq!(out.windows(6).filter(|bytes| bytes.eq_ignore_ascii_case(b"\x05local")).count(), 1);
        let message = Message::read(&out).unwrap();
        assert_eq!((message.id, message.question_count(), message.is_probe()), (7, 0, false));
        let read: Vec<_> = message.entries().collect();
        assert_eq!(read.len(), 3);
        for (entry, name) in read.iter().zip(&names) {
            let Entry::Record(Section::Answer, record) = entry else { panic!("{entry:?}") };
            assert!(record.name.is(name.iter().copied()) && record.ttl == 120 && record.kind == kind::PTR);
            assert!(record.name_inside(0).unwrap().is(name.iter().copied()));
            assert!(record.name_inside(1).is_none() && !record.name.is(["boat"].into_iter()));
        }
    }

    #[test]
    fn pointers_that_lead_on_or_to_themselves_are_no_names() {
        let mut bytes = vec![0; 12];
        bytes.extend([1, b'a', 0xc0, 12, 0xc0, 18, 0xc0, 16, 0xc0, 4, 0x40, 0xc0]);
        for at in [12, 16, 18, 20, 22, 23, 24, 99] {
            assert!(Name::read(&bytes, at).is_none(), "at {at}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_none() {
        let name = |labels: usize| {
            let mut bytes = vec![0; 12];
            (0..labels).for_each(|_| bytes.extend(*b"\x01a"));
            bytes.push(0);
            Name::read(&bytes, 12).is_some()
        };
        assert!(name(127) && !name(128));
    }

    #[test]
    fn what_does_not_fit_leaves_nothing_behind() {
        let mut out = Vec::new();
        let mut writer = Writer::begin(&mut out, 40, 0, 0);
        let question = |writer: &mut Writer<'_>| {
            writer.name(["a", "local"].into_iter());
            writer.words(&[kind::A, CLASS_IN]);
        };
        assert!(writer.entry(0, question));
        let before = writer.message().len();
        let long = |w: &mut Writer<'_>| w.record(["b", "local"].into_iter(), (1, 1, 1), |w| w.bytes(&[0; 99]));
        assert!(!writer.entry(1, long) && writer.message().len() == before);
        assert!(writer.entry(0, question), "there is room for something shorter");
        assert_eq!(Message::read(&out).unwrap().entries().count(), 2);
    }

    #[test]
    fn a_message_that_is_cut_is_read_up_to_there() {
        let out = written(&[vec!["a", "local"], vec!["b", "local"]]);
        for end in 0..out.len() {
            let count = Message::read(&out[..end]).map_or(0, |message| message.entries().count());
            assert!(count < 2, "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Some(message) = Message::read(&bytes) {
                for entry in message.entries() {
                    let name = match entry { Entry::Question(q) => q.name, Entry::Record(_, r) => r.name };
                    prop_assert!(name.labels().map(|label| label.len() + 1).sum::<usize>() < NAME_BYTES_MAX);
                }
            }
        }

        #[test]
        fn what_is_written_is_read(names in proptest::collection::vec(
            proptest::collection::vec("[a-c ö.]{1,9}", 1..4), 0..12,
        )) {
            let names: Vec<Vec<&str>> = names.iter().map(|name| name.iter().map(String::as_str).collect()).collect();
            let out = written(&names);
            let mut read = Message::read(&out).unwrap().entries();
            for name in &names {
                let Some(Entry::Record(_, record)) = read.next() else { panic!("a record is missing") };
                prop_assert!(record.name.is(name.iter().copied()));
                prop_assert!(record.name_inside(0).unwrap().is(name.iter().copied()));
            }
            prop_assert!(read.next().is_none());
        }
    }
}
