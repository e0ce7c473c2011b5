//! Any frames give messages no longer than announced, or counted refusals, in bounded memory.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::Receiver;
use skiff_runtime::n2k::payload::MESSAGE_BYTES_MAX;
use skiff_runtime::time::Instant;

/// Groups that are put together: fast packets, the transport protocol, and a single frame.
const GROUPS: [u32; 6] = [0x0df8_0500, 0x0ded_ff00, 0x1cec_ff00, 0x1ceb_ff00, 0x1cec_0100, 0x09f1_1200];

// Each frame takes ten bytes: group, sender and pause, eight of data.
fuzz_target!(|bytes: &[u8]| {
    let mut receiver = Receiver::new("fuzz");
    receiver.transfers_mut().set_address(Some(skiff_runtime::n2k::SourceAddress(1)));
    let mut now = 0;
    let mut frames = 0;
    for chunk in bytes.chunks(10) {
        let (&[head, length], data) = chunk.split_first_chunk::<2>().unwrap_or((&[0, 0], &[]));
        let id = GROUPS[usize::from(head) % GROUPS.len()] | u32::from(head >> 5);
        now += u64::from(length >> 4) * 20_000;
        let data = &data[..data.len().min(usize::from(length & 0xf))];
        let Some(frame) = CanFrame::new(id, data) else { continue };
        frames += 1;
        if let Some(message) = receiver.frame(&frame, Instant(now)) {
            assert!(message.payload.len() <= MESSAGE_BYTES_MAX);
        }
        while receiver.transfers_mut().next_reply().is_some() {}
    }
    assert_eq!(receiver.counters().frames, frames);
});
