//! Any bytes of any PGN give a value or a counted refusal: as frames, as a whole message, field by field.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::decode::{Decoded, Reading};
use skiff_runtime::n2k::{DeltaForm, Frames, Id, Pgn, Receiver};
use skiff_runtime::time::{Instant, UnixMillis};

const FORM: DeltaForm<'static> = DeltaForm::Line { line: 1 };

/// Reads every field in every way; returns how many groups were read.
fn read_all(decoded: &Decoded<'_>) -> usize {
    for (field, reading) in decoded.readings() {
        match reading {
            Reading::Text(text) => assert!(text.to_stack().chars().eq(text.chars())),
            Reading::Flags(flags) => assert!(flags.count() <= 64),
            Reading::Number(_) | Reading::Float(_) | Reading::Lookup(_) | Reading::Bytes(_) | Reading::Name(_) => {}
        }
        let _ = (decoded.raw(field), decoded.bits(field), decoded.number(field), decoded.lookup(field));
        let _ = (decoded.float(field), decoded.flags(field), decoded.string(field), decoded.bytes(field));
    }
    decoded.groups().chain(decoded.second_groups()).map(|group| 1 + read_all(&group)).sum()
}

fuzz_target!(|input: (u32, Vec<u8>)| {
    let (id, payload) = input;
    let id = Id::from_can(id & 0x1fff_ffff);
    for decoded in [Decoded::new(id.pgn, &payload), Decoded::fallback(id.pgn, &payload)].into_iter().flatten() {
        assert!(read_all(&decoded) <= payload.len() * 8);
    }
    // Group functions read the fields of any PGN.
    let function =
        [&[1, (id.pgn.0 & 0xff) as u8, (id.pgn.0 >> 8) as u8, (id.pgn.0 >> 16) as u8][..], &payload].concat();
    Decoded::new(Pgn(126_208), &function).iter().for_each(|decoded| {
        read_all(decoded);
    });

    let mut receiver = Receiver::new("fuzz");
    let whole = receiver.whole(id, &payload);
    let delta = whole.and_then(|message| receiver.delta(&message, UnixMillis(1_780_308_000_000), FORM));
    let counters = receiver.counters();
    let refused = counters.unmapped + counters.without_value + counters.null_address + counters.oversized;
    assert_eq!(u64::from(delta.is_some()) + refused, 1, "{counters:?}");

    // The same in frames gives the same delta.
    if let Some(frames) = Frames::new(&id, 0, &payload) {
        let mut receiver = Receiver::new("fuzz");
        let frames: Vec<CanFrame> = frames.collect();
        let message = frames.iter().find_map(|frame| receiver.frame(frame, Instant(0)));
        let again = message.and_then(|message| receiver.delta(&message, UnixMillis(1_780_308_000_000), FORM));
        assert_eq!(again.map(|delta| delta.text().to_owned()), delta.map(|delta| delta.text().to_owned()));
    }
});
