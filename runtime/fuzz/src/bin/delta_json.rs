//! Any text is a delta or an error, and a delta's own text is a delta again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_runtime::delta::{Delta, Stamp};
use skiff_runtime::time::UnixMillis;

fuzz_target!(|text: &str| {
    let stamp = Stamp {
        source_ref: "fuzz",
        self_context: "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001",
        now: UnixMillis(1_764_000_000_000),
    };
    if let Ok(delta) = Delta::parse(text, &stamp) {
        let again = Delta::parse(delta.text(), &stamp);
        assert!(again.is_ok_and(|again| again.text() == delta.text()));
    }
});
