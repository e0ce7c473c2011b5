//! Digital selective calls (DSC): who calls, from where, and of what nature the distress is (ITU-R M.493).

use core::fmt::Write;

use super::instruments::position;
use super::sentence::Sentence;
use super::target::Context;
use crate::delta::{Value, ValueSink};
use crate::n2k::map::nature_of_distress;

/// Bytes of the peer's words and of a sentence.
const MESSAGE_BYTES_MAX: usize = super::SENTENCE_BYTES_MAX + 64;

/// Returns the context of the caller: nine digits, to which the call adds a zero.
pub(super) fn context(sentence: &Sentence<'_>) -> Option<Context> {
    let mmsi = sentence.fields.text(1).get(..9).filter(|mmsi| mmsi.bytes().all(|digit| digit.is_ascii_digit()))?;
    let mut context = Context::new();
    // 8 letters, 18 of the URN, 9 digits.
    let _ = write!(context, "vessels.urn:mrn:imo:mmsi:{mmsi}");
    Some(context)
}

/// Gives where the caller is and the alarm of its distress; of another call, that it was heard.
pub(super) fn values(sentence: &Sentence<'_>, sink: &mut dyn ValueSink) {
    let fields = &sentence.fields;
    let mut message = heapless::String::<MESSAGE_BYTES_MAX>::new();
    let (leaf, state, place) = match (fields.text(2), fields.text(3)) {
        ("12", nature) => {
            let nature = nature.parse().ok().and_then(nature_of_distress).unwrap_or("unassigned");
            // The peer's words, as clients look for them.
            let _ = write!(message, "DSC Distress Recieved! Nature of distress: {nature}");
            (nature, "emergency", place(fields.text(5)))
        }
        ("00", "21") => ("", "", place(fields.text(5))),
        _ => {
            // There is room for it.
            let _ = write!(message, "DSC Message Not Handled: {}", sentence.text);
            ("dsc_parser", "normal", None)
        }
    };
    if place.is_some() {
        position(sink, "navigation.position", place);
    }
    if !leaf.is_empty() {
        let method = [Value::Text("visual"), Value::Text("sound")];
        let members = [
            ("message", Value::Text(&message)),
            ("state", Value::Text(state)),
            ("method", Value::List(if state == "emergency" { &method } else { &[] })),
        ];
        sink.value_below("notifications.", leaf, Value::Object(&members));
    }
}

/// Reads a position of ten digits: quadrant, latitude, longitude, in whole minutes; all nines when it is not known.
fn place(text: &str) -> Option<(f64, f64)> {
    let digits = |from: usize, to: usize| text.get(from..to)?.parse::<u8>().ok().map(f64::from);
    let degrees = digits(5, 7)? * 10.0 + digits(7, 8)?;
    let (latitude, longitude) = (digits(1, 3)? + digits(3, 5)? / 60.0, degrees + digits(8, 10)? / 60.0);
    // 0 is north east, 1 north west, 2 south east, 3 south west.
    let quadrant = digits(0, 1).filter(|quadrant| *quadrant < 4.0)?;
    let sign = |is_negative: bool, value: f64| if is_negative { -value } else { value };
    let is_known = latitude <= 90.0 && longitude <= 180.0;
    is_known.then(|| (sign(quadrant >= 2.0, latitude), sign(quadrant == 1.0 || quadrant == 3.0, longitude)))
}
