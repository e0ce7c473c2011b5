//! What a frame costs on its way to delta text: instructions, allocations, and the RAM of reassembly.

use skiff_runtime::config::SAMPLE_SELF_CONTEXT;
use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::fast_packet::REASSEMBLY_BYTES;
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::{DeltaForm, N2kMessage, Receiver, sample};
use skiff_runtime::time::{Instant, UnixMillis};

use crate::partition::Partition;
use crate::{clock, heap, report, watchdog};

/// Frames between two ticks of the watchdog.
const FRAMES_PER_TICK: usize = 256;
/// Time stamp of every delta here.
const TIME: UnixMillis = UnixMillis(1_780_308_000_000);

/// Takes the log through the receiver twice, and tells the second time: what is kept from message to message has its
/// size then.
pub fn measure(partition: &Partition) {
    let mut receiver = Receiver::new(sample::LABEL);
    take(&mut receiver, partition);
    let allocations = heap::usage().allocations;
    let taken = take(&mut receiver, partition);
    report::value("frames", taken.frames);
    report::value("deltas of them", taken.deltas);
    report::value("instructions per frame", taken.instructions / taken.frames.max(1));
    report::value("instructions of the dearest frame", taken.dearest);
    report::value("allocations for frames", (heap::usage().allocations - allocations) as u64);
    report::value("reassembly", REASSEMBLY_BYTES as u64);
}

#[derive(Default)]
struct Taken {
    frames: u64,
    deltas: u64,
    instructions: u64,
    dearest: u64,
}

fn take(receiver: &mut Receiver, partition: &Partition) -> Taken {
    let mut taken = Taken::default();
    let records = partition.log().map(|(_, records)| records);
    for (index, record) in records.into_iter().flatten().enumerate() {
        if index % FRAMES_PER_TICK == 0 {
            watchdog::tick();
        }
        let Record { item: Item::Frame(frame), time } = record else { continue };
        let now = Instant(time.map_or(0, |time| u64::try_from(time.0).unwrap_or(0)).saturating_mul(1000));
        let began = clock::cycles();
        taken.deltas += u64::from(is_delta(receiver, &frame, now));
        let took = clock::cycles() - began;
        taken.frames += 1;
        taken.instructions += took;
        taken.dearest = taken.dearest.max(took);
    }
    taken
}

/// Decodes, maps and writes one frame; true when it completed a message that has a delta.
fn is_delta(receiver: &mut Receiver, frame: &CanFrame, now: Instant) -> bool {
    let mut message = N2kMessage::default();
    receiver.frame_into(frame, now, &mut message)
        && receiver.delta_text(&message, TIME, DeltaForm::Stamped { self_context: SAMPLE_SELF_CONTEXT }).is_some()
}
