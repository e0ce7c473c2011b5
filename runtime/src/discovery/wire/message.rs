//! Messages that are read: questions and records, in the order they stand in.

use super::HEADER_BYTES;
use super::name::Name;

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
    /// See [`flags`](super::flags).
    pub flags: u16,
    counts: [u16; 4],
}

pub(super) fn word(data: &[u8], at: usize) -> Option<u16> {
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
    pub(super) fn questions(&self) -> Option<&'m [u8]> {
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
