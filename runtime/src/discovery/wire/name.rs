//! Names, whose ends may stand elsewhere in the message.

use super::{HEADER_BYTES, NAME_BYTES_MAX};

/// A name inside a message; its labels were checked.
#[derive(Clone, Copy, Debug)]
pub struct Name<'m> {
    pub(super) message: &'m [u8],
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
