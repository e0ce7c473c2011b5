//! The frame of a sentence: start, talker, kind, fields, check sum.

use super::SentenceError;

/// Bytes of a sentence; the standard allows 82, AIS receivers and tag blocks make it more.
pub const SENTENCE_BYTES_MAX: usize = 512;
/// Fields of a sentence that are looked at.
const FIELDS_MAX: usize = 32;

/// The fields behind the kind, in order.
#[derive(Clone, Debug)]
pub(super) struct Fields<'t>(heapless::Vec<&'t str, FIELDS_MAX>);

impl<'t> Fields<'t> {
    /// Returns a field, from 0; empty where there is none.
    pub fn text(&self, index: usize) -> &'t str {
        self.0.get(index).copied().unwrap_or_default()
    }
}

/// One sentence.
#[derive(Clone, Debug)]
pub(super) struct Sentence<'t> {
    /// Who speaks: `GP`, `II`, `AI`.
    pub talker: &'t str,
    /// Three letters.
    pub kind: &'t str,
    pub fields: Fields<'t>,
    /// All of it from `$` or `!` on, without a tag block.
    pub text: &'t str,
    pub has_checksum: bool,
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
        let (body, sum) = match body.split_once('*') {
            Some((body, sum)) => (body, Some(sum)),
            None => (body, None),
        };
        if let Some(sum) = sum {
            let announced = sum.get(..2).and_then(|sum| u8::from_str_radix(sum, 16).ok());
            let found = body.bytes().fold(0, |sum, byte| sum ^ byte);
            if announced != Some(found) {
                return Err(SentenceError::Checksum);
            }
        }
        let mut parts = body.split(',');
        let address = parts.next().unwrap_or_default();
        if address.len() != 5 || !address.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
            return Err(SentenceError::Malformed);
        }
        let (talker, kind) = address.split_at_checked(2).ok_or(SentenceError::Malformed)?;
        let fields = Fields(parts.take(FIELDS_MAX).map(str::trim).collect());
        Ok(Self { talker, kind, fields, text, has_checksum: sum.is_some() })
    }
}
