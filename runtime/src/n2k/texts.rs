//! Texts of the tables: codes with names, ids of fields and definitions.

use core::fmt;

use super::table::{Kind, TextPart};
use super::tables::{Definition, Field, TEXTS};

impl TextPart {
    fn codes(&self, lookup: u8) -> Option<&'static [(u16, u16)]> {
        let (first, count) = self.rows.get(usize::from(lookup.checked_sub(self.first)?))?;
        self.codes.get(usize::from(*first)..usize::from(*first) + usize::from(*count))
    }
}

/// Returns codes and places of texts of a lookup; none where the features leave it out.
fn codes(lookup: u8) -> &'static [(u16, u16)] {
    TEXTS.iter().find_map(|part| part.codes(lookup)).unwrap_or_default()
}

/// Returns the text at `place`: its length in one byte stands in front of it.
fn text_at(place: u16) -> Option<&'static str> {
    let part = TEXTS.iter().rev().find(|part| part.start <= place)?;
    let place = usize::from(place - part.start);
    let length = usize::from(*part.texts.as_bytes().get(place)?);
    part.texts.get(place + 1..place + 1 + length)
}

impl Kind {
    /// Returns the text of a code.
    pub fn text(&self, code: i64) -> Option<&'static str> {
        let codes = codes(self.lookup()?);
        let code = u16::try_from(code).ok()?;
        let index = codes.binary_search_by_key(&code, |(code, _)| *code).ok()?;
        codes.get(index).and_then(|(_, place)| text_at(*place))
    }

    /// Returns the code of a text.
    pub fn code(&self, text: &str) -> Option<i64> {
        let mut codes = codes(self.lookup()?).iter();
        codes.find(|(_, place)| text_at(*place) == Some(text)).map(|(code, _)| i64::from(*code))
    }
}

/// Returns line `number` of `names`, which hold one name a line.
#[cfg(feature = "names")]
fn name_of(names: &'static str, number: u16) -> Option<&'static str> {
    names.lines().nth(usize::from(number))
}

impl Field {
    /// Returns canboat's id; `None` without the feature `names`.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        #[cfg(feature = "names")]
        return name_of(super::tables::FIELD_NAMES, self as u16);
        #[cfg(not(feature = "names"))]
        None
    }
}

impl Definition {
    /// Returns canboat's id; `None` without the feature `names`.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        #[cfg(feature = "names")]
        return name_of(super::tables::DEFINITION_NAMES, self as u16);
        #[cfg(not(feature = "names"))]
        None
    }
}

impl fmt::Debug for Field {
    /// Writes canboat's id with the feature `names`, a number without.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "field {}", *self as u16),
        }
    }
}

impl fmt::Debug for Definition {
    /// Writes canboat's id with the feature `names`, a number without.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "definition {}", *self as u16),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::tables::KINDS;

    #[test]
    fn every_text_is_found_by_its_code_and_its_code_by_it() {
        let mut texts = 0;
        for part in TEXTS {
            for (row, first) in part.rows.iter().zip(part.first..) {
                let codes = codes(first);
                assert_eq!(codes.len(), usize::from(row.1));
                assert!(codes.is_sorted_by_key(|(code, _)| *code));
                assert!(codes.iter().all(|(_, place)| text_at(*place).is_some_and(|text| !text.contains('\0'))));
                texts += codes.len();
            }
        }
        assert!(texts > 600, "{texts}");
        for kind in KINDS.iter().filter(|kind| kind.lookup().is_some_and(|lookup| !codes(lookup).is_empty())) {
            for (code, place) in codes(kind.lookup().unwrap()) {
                let text = kind.text(i64::from(*code)).unwrap();
                assert_eq!(Some(text), text_at(*place));
                assert_eq!(kind.text(kind.code(text).unwrap()), Some(text));
            }
            assert_eq!((kind.text(-1), kind.text(65_536), kind.code("no such text")), (None, None, None));
        }
    }

    #[cfg(feature = "names")]
    #[test]
    fn ids_are_canboats() {
        use std::format;
        assert_eq!(
            format!("{:?} {:?}", Field::SpeedWaterReferenced, Field::N3AxisOffset),
            "speedWaterReferenced 3AxisOffset"
        );
        assert_eq!(format!("{:?}", Definition::SeatalkPilotHeading), "seatalkPilotHeading");
        assert_eq!(Definition::CrossTrackError.name(), Some("crossTrackError"));
    }
}
