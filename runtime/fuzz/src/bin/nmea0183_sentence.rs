//! Any lines are sentences or errors, each is counted once, and what they give are deltas that can be read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_runtime::delta::{Delta, Stamp};
use skiff_runtime::n2k::DeltaForm;
use skiff_runtime::nmea0183::{Sentences, log_time, told_time};
use skiff_runtime::time::UnixMillis;

const SELF: &str = "vessels.urn:mrn:signalk:uuid:0";
const NOW: UnixMillis = UnixMillis(1_780_308_000_000);

// A line whose sum is wrong goes no further, so each is read with the right one, too.
fuzz_target!(|text: &str| {
    let mut sentences = Sentences::new("fuzz");
    let (mut taken, mut last) = (0, None);
    for line in text.lines().take(64) {
        let body = line.split('*').next().unwrap_or_default();
        let sum = body.bytes().skip(1).fold(0, |sum, byte| sum ^ byte);
        for line in [line, &format!("{body}*{sum:02X}")] {
            taken += 1;
            let _ = told_time(line);
            last = log_time(line, last).or(last);
            if let Ok(Some(delta)) = sentences.delta(line, NOW, DeltaForm::Stamped { self_context: SELF }) {
                let stamp = Stamp { source_ref: "fuzz.XX", self_context: SELF, now: NOW };
                assert!(Delta::parse(delta.text(), &stamp).is_ok(), "{}", delta.text());
            }
        }
    }
    let counters = sentences.counters();
    let lost: u64 = counters.losses().iter().map(|(_, count)| count).sum();
    assert!(
        counters.sentences == taken && counters.deltas + counters.unmapped + counters.without_value + lost <= taken
    );
    let by_kind: u64 = sentences.unmapped().iter().map(|(_, count)| count).sum();
    assert!(by_kind <= counters.unmapped);
});
