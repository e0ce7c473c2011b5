//! From frame to delta text nothing is allocated once the memory that is used again is there.

mod counting;

use counting::{Counting, now, peak, start_peak};
use skiff_runtime::n2k::sample::{SEED, Sample};
use skiff_runtime::n2k::{DeltaForm, Receiver};
use skiff_runtime::time::Instant;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Frames before and while it is counted: ten seconds of the boat, then a minute.
const WARM_UP: usize = 1000;
const COUNTED: usize = 6000;

#[test]
fn a_frame_is_decoded_mapped_and_written_without_an_allocation() {
    let (mut boat, mut receiver) = (Sample::new(SEED), Receiver::new("can0"));
    let mut take = |count: usize| {
        let mut deltas = 0_usize;
        for _ in 0..count {
            let (time, frame) = boat.next_frame();
            let at = Instant::from_millis(time.0.unsigned_abs());
            let Some(message) = receiver.frame(&frame, at) else { continue };
            let form = DeltaForm::Stamped { self_context: "vessels.self" };
            deltas += usize::from(receiver.delta_text(&message, time, form).is_some());
        }
        deltas
    };
    assert!(take(WARM_UP) > 100, "the boat says something");
    let before = start_peak();
    let deltas = take(COUNTED);
    let (after, most) = (now(), peak());
    assert!(deltas > COUNTED / 4, "{deltas}");
    assert_eq!((after, most), (before, before), "bytes allocated after and at most, of {deltas} deltas");
}
