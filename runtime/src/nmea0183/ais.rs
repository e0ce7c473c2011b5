//! AIS messages of one sentence or several.

use alloc::boxed::Box;

use aivdm::{AisMessage, Channel, FragmentAssembler};

use super::SentenceError;
use super::sentence::Sentence;

/// Messages of several parts that can be open at once: two channels, and two senders on each.
const OPEN_MAX: usize = 4;
/// Letters of the longest message: five slots of 168 bits and more, six bits each.
const LETTERS_MAX: usize = 256;

/// Letters of a whole message by its type; the others have none of their own.
const LETTERS: [(u8, usize); 9] =
    [(b'1', 28), (b'2', 28), (b'3', 28), (b'4', 28), (b'5', 71), (b'9', 28), (b'B', 28), (b'C', 52), (b'E', 46)];
/// Letters that receivers cut off at the end: spare bits, of which some count none.
const CUT_MAX: usize = 2;

/// Takes a message apart.
fn decode(letters: &[u8], fill_bits: u8) -> Result<AisMessage, SentenceError> {
    let whole = LETTERS.iter().find(|(kind, _)| letters.first() == Some(kind)).map_or(0, |(_, whole)| *whole);
    let missing = whole.saturating_sub(letters.len());
    if missing == 0 || missing > CUT_MAX {
        return aivdm::decode_payload(letters, fill_bits).map_err(|_| SentenceError::Ais);
    }
    let mut padded: heapless::Vec<u8, LETTERS_MAX> = letters.iter().copied().take(LETTERS_MAX).collect();
    // No whole message is longer than there is room for.
    let _ = padded.resize(whole, b'0');
    aivdm::decode_payload(&padded, 0).map_err(|_| SentenceError::Ais)
}

/// Key of an open message.
type Key = (Option<u8>, Channel);

/// Messages whose parts are not all there.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    open: heapless::Vec<(Key, FragmentAssembler<LETTERS_MAX>), OPEN_MAX>,
}

/// Returns the message of a sentence, or that it completes.
///
/// # Errors
/// [`SentenceError`] says what is wrong.
pub(super) fn message(
    sentence: &Sentence<'_>,
    fragments: &mut Option<Box<Fragments>>,
) -> Result<Option<AisMessage>, SentenceError> {
    if !sentence.has_checksum {
        return Err(SentenceError::NoChecksum);
    }
    let part = aivdm::Sentence::parse(sentence.text).map_err(|_| SentenceError::Ais)?;
    if part.fragment_count == 1 {
        return decode(part.payload, part.fill_bits).map(Some);
    }
    let open = &mut fragments.get_or_insert_default().open;
    let key = (part.seq_id, part.channel);
    let known = open.iter().position(|(other, _)| *other == key);
    let at = match known {
        Some(at) => at,
        None if part.fragment_number != 1 => return Err(SentenceError::Fragment),
        None => {
            // The oldest stands first and gives way.
            let lost = open.is_full();
            if lost {
                open.remove(0);
            }
            // A place was made above, so this cannot fail.
            let _ = open.push((key, FragmentAssembler::new()));
            open.len().saturating_sub(1)
        }
    };
    let Some((_, assembler)) = open.get_mut(at) else { return Err(SentenceError::Fragment) };
    let result = match assembler.push(&part) {
        Ok(None) => return Ok(None),
        Ok(Some(whole)) => decode(whole.armored, whole.fill_bits).map(Some),
        Err(_) => Err(SentenceError::Fragment),
    };
    open.remove(at);
    result
}
