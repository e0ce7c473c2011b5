//! The frame of a sentence: tag block, start, talker, kind, fields, check sum.

use super::SentenceError;
use crate::time::UnixMillis;

/// Bytes of a sentence; the standard allows 82, AIS receivers and tag blocks make it more.
pub const SENTENCE_BYTES_MAX: usize = 512;
/// Fields of a sentence that are looked at.
const FIELDS_MAX: usize = 32;
/// Letters of an address: talker and kind, or `P`, maker and kind.
const ADDRESS_LETTERS_MAX: usize = 10;
/// A tag block's time of more than twelve digits is in milliseconds, as receivers send it beside the standard's seconds.
const SECONDS_MAX: i64 = 999_999_999_999;

/// The fields behind the kind, in order.
#[derive(Clone, Debug)]
pub(super) struct Fields<'t>(heapless::Vec<&'t str, FIELDS_MAX>);

impl<'t> Fields<'t> {
    /// Returns a field, from 0; empty where there is none.
    pub fn text(&self, index: usize) -> &'t str {
        self.0.get(index).copied().unwrap_or_default()
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// One sentence.
#[derive(Clone, Debug)]
pub(super) struct Sentence<'t> {
    /// Who speaks: `GP`, `II`, `AI`; of a maker's own sentence its first two letters.
    pub talker: &'t str,
    /// Three letters; of a maker's own sentence the whole address, `PNKEP`.
    pub kind: &'t str,
    /// The kind as it is told: with a letter behind it, `GSVH`; of a maker's own sentence the last three.
    pub name: &'t str,
    pub fields: Fields<'t>,
    /// All of it from `$` or `!` on, without a tag block.
    pub text: &'t str,
    pub has_checksum: bool,
    /// When it was received, as its tag block says.
    pub tag_time: Option<UnixMillis>,
}

impl<'t> Sentence<'t> {
    /// Reads a line.
    ///
    /// # Errors
    /// [`SentenceError::Malformed`], [`SentenceError::Checksum`]. A sentence without a check sum passes: old devices
    /// send none.
    pub fn read(line: &'t str) -> Result<Self, SentenceError> {
        let line = line.trim();
        if line.len() > SENTENCE_BYTES_MAX {
            return Err(SentenceError::Malformed);
        }
        let tagged = line.strip_prefix('\\').and_then(|rest| rest.split_once('\\'));
        let text = tagged.map_or(line, |(_, sentence)| sentence);
        let body = text.strip_prefix(['$', '!']).ok_or(SentenceError::Malformed)?;
        let (body, sum) = summed(body);
        if sum == Some(false) {
            return Err(SentenceError::Checksum);
        }
        let mut parts = body.split(',');
        let (talker, kind, name) =
            parts.next().filter(|it| is_address(it)).and_then(address).ok_or(SentenceError::Malformed)?;
        let fields = Fields(parts.take(FIELDS_MAX).map(str::trim).collect());
        let tag_time = tagged.and_then(|(block, _)| tag_time(block));
        Ok(Self { talker, kind, name, fields, text, has_checksum: sum.is_some(), tag_time })
    }
}

/// Parts a text from its check sum, and tells whether that agrees; `None` without one.
fn summed(text: &str) -> (&str, Option<bool>) {
    let Some((body, sum)) = text.split_once('*') else { return (text, None) };
    let announced = sum.get(..2).and_then(|sum| u8::from_str_radix(sum, 16).ok());
    let found = body.bytes().fold(0, |sum, byte| sum ^ byte);
    (body, Some(announced == Some(found)))
}

fn is_address(address: &str) -> bool {
    address.len() <= ADDRESS_LETTERS_MAX && address.bytes().all(|letter| letter.is_ascii_alphanumeric())
}

/// Returns talker, kind and name.
fn address(address: &str) -> Option<(&str, &str, &str)> {
    if address.starts_with('P') {
        // `P`, three letters of the maker, and more where it has several kinds.
        let name = address.get(address.len().checked_sub(3)?..).filter(|_| address.len() > 3)?;
        return Some((address.get(..2)?, address, name));
    }
    let (talker, name) = address.split_at_checked(2)?;
    Some((talker, name.get(..3)?, name))
}

/// Reads the time of a tag block, `s:serial,c:1696759212*3E` (NMEA 0183 version 4, §7).
fn tag_time(block: &str) -> Option<UnixMillis> {
    let (body, sum) = summed(block);
    let time: i64 =
        body.split(',').find_map(|part| part.strip_prefix("c:")).filter(|_| sum != Some(false))?.parse().ok()?;
    let millis = if time > SECONDS_MAX { time } else { time.checked_mul(1000)? };
    Some(UnixMillis(millis)).filter(|_| millis > 0)
}
