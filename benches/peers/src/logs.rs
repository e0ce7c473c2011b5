//! Messages to logs, and which of them arrive whole at which line.
//!
//! Nothing of the runtime is used: what it reads was not written by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::messages::TestMessage;
use crate::random::Random;

/// A log, and the messages in it that nothing was lost of, a line each for the peer.
pub struct Log {
    /// Its text.
    pub text: String,
    /// The messages in it that arrive whole, one a line, as the peer reads them.
    pub messages: String,
}

/// When the first message was received: noon of this day.
const DAY: &str = "2026-06-01";
/// Milliseconds since 1970.
const START: i64 = 1_780_315_200_000;
const NOON_HOUR: i64 = 12;
/// Frames lost, in a hundred.
const LOST: u64 = 1;
/// Messages of different devices whose frames are mixed.
const MIXED: usize = 5;

fn hex(bytes: &[u8], between: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
}

/// Returns a time of that day as RFC 3339 has it; the longest log that can be asked for lasts three hours.
fn stamp(time: i64) -> String {
    let (seconds, millis) = ((time - START) / 1000, (time - START) % 1000);
    let (hour, minute, second) = (NOON_HOUR + seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{DAY}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

fn for_peer(out: &mut String, line: usize, time: i64, message: &TestMessage) {
    let TestMessage { pgn, source, destination, priority, payload, .. } = message;
    let row = json!({
        "line": line, "pgn": pgn, "src": source, "dst": destination, "prio": priority,
        "time": stamp(time), "data": hex(payload, ""),
    });
    let _ = writeln!(out, "{row}");
}

/// Writes whole messages in canboat's plain format.
pub fn whole(messages: &[TestMessage]) -> Log {
    let mut log = Log { text: String::new(), messages: String::new() };
    for (index, message) in messages.iter().enumerate() {
        let time = START + i64::try_from(index).unwrap_or(0) * 37;
        let TestMessage { pgn, source, destination, priority, payload, .. } = message;
        let (stamp, bytes) = (stamp(time), hex(payload, ","));
        let _ = writeln!(log.text, "{stamp},{priority},{pgn},{source},{destination},{},{bytes}", payload.len());
        for_peer(&mut log.messages, index + 1, time, message);
    }
    log
}

/// A message on its way.
struct Sending<'a> {
    message: &'a TestMessage,
    frames: std::vec::IntoIter<(u32, Vec<u8>)>,
    is_whole: bool,
}

/// Writes frames in candump's format, those of several messages mixed and some lost.
///
/// # Errors
/// A message that cannot be split.
pub fn frames(messages: &[TestMessage], random: &mut Random) -> Result<Log, String> {
    let mut log = Log { text: String::new(), messages: String::new() };
    let (mut line, mut time) = (0, START);
    let mut counters = BTreeMap::<(u32, u8), u8>::new();
    // A commanded address has 9 bytes and comes by the transport protocol, which candump shows as other PGNs.
    let mut waiting = messages.iter().filter(|message| message.pgn != 65_240).peekable();
    let mut sending: Vec<Sending<'_>> = Vec::new();
    loop {
        while sending.len() < MIXED {
            // A device ends one message of a PGN before it begins the next.
            let is_busy = |next: &TestMessage| {
                sending.iter().any(|busy| (busy.message.source, busy.message.pgn) == (next.source, next.pgn))
            };
            let Some(message) = waiting.next_if(|next| !is_busy(next)) else { break };
            let counter = counters.entry((message.pgn, message.source)).or_default();
            *counter = (*counter + 1) % 8;
            sending.push(Sending { message, frames: split(message, *counter)?.into_iter(), is_whole: true });
        }
        let index = usize::try_from(random.below(sending.len() as u64)).unwrap_or(0);
        let Some(chosen) = sending.get_mut(index) else { return Ok(log) };
        let Some((id, data)) = chosen.frames.next() else {
            sending.swap_remove(index);
            continue;
        };
        time += i64::from(random.chance(50));
        let is_last = chosen.frames.len() == 0;
        if random.chance(LOST) {
            chosen.is_whole = false;
        } else {
            line += 1;
            let _ = writeln!(
                log.text,
                "({}.{:03}000) can0 {id:08X}#{}",
                time / 1000,
                time % 1000,
                hex(&data, "").to_uppercase()
            );
            if is_last && chosen.is_whole {
                for_peer(&mut log.messages, line, time, chosen.message);
            }
        }
    }
}

/// Bytes of a frame.
const FRAME_BYTES: usize = 8;
/// Frames of a fast packet: its index has five bits.
const FAST_FRAMES: u8 = 32;
/// Bytes of a fast packet.
const FAST_BYTES: usize = FRAME_BYTES - 2 + (FAST_FRAMES as usize - 1) * (FRAME_BYTES - 1);

/// Splits a message (NMEA 2000 appendix A; J1939-21 §5.2 has the identifier): a fast packet begins each frame with
/// sequence counter and index, the first also with the length, and fills the last with ones.
fn split(message: &TestMessage, counter: u8) -> Result<Vec<(u32, Vec<u8>)>, String> {
    let TestMessage { pgn, source, destination, priority, payload, is_fast } = message;
    // A PDU1 group has its destination where the others have the last byte of their number.
    let group = if (pgn >> 8) & 0xff < 240 { pgn | u32::from(*destination) } else { *pgn };
    let id = u32::from(*priority) << 26 | group << 8 | u32::from(*source);
    let too_long = || format!("a message of PGN {pgn} has {} bytes", payload.len());
    if !is_fast {
        let fits = payload.len() <= FRAME_BYTES;
        return fits.then(|| vec![(id, payload.clone())]).ok_or_else(too_long);
    }
    let length = u8::try_from(payload.len()).ok().filter(|_| payload.len() <= FAST_BYTES).ok_or_else(too_long)?;
    let (first, rest) = payload.split_at(payload.len().min(FRAME_BYTES - 2));
    let parts = std::iter::once(first).chain(rest.chunks(FRAME_BYTES - 1));
    let frames = (0..FAST_FRAMES).zip(parts).map(|(index, part)| {
        let head = counter << 5 | index;
        let mut data = if index == 0 { vec![head, length] } else { vec![head] };
        data.extend(part);
        data.resize(FRAME_BYTES, 0xff);
        (id, data)
    });
    Ok(frames.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Vec<TestMessage> {
        let message = |source| TestMessage {
            pgn: 129_029,
            source,
            destination: 255,
            priority: 3,
            payload: vec![source; 43],
            is_fast: true,
        };
        (0..40).map(|index| message(index % 3)).collect()
    }

    #[test]
    fn a_line_for_every_message_that_arrives_whole() {
        let log = whole(&messages());
        assert_eq!((log.text.lines().count(), log.messages.lines().count()), (40, 40));
        assert!(log.text.starts_with("2026-06-01T12:00:00.000Z,3,129029,0,255,43,00,00"), "{}", log.text);
    }

    #[test]
    fn losses_take_messages_away_and_only_them() {
        let mut random = Random::new(3);
        let log = frames(&messages(), &mut random).unwrap();
        let (lines, whole) = (log.text.lines().count(), log.messages.lines().count());
        assert!(lines < 40 * 7 && lines > 40 * 6, "{lines}");
        assert!(whole < 40 && whole >= 40 - (40 * 7 - lines), "{whole}");
    }

    #[test]
    fn the_longest_fast_packet_has_all_its_frames_and_a_longer_one_is_an_error() {
        let mut message = messages().remove(0);
        for counter in [0, 7] {
            message.payload = vec![1; FAST_BYTES];
            let frames = split(&message, counter).unwrap();
            assert_eq!((frames.len(), frames[31].1[0]), (32, counter << 5 | 31));
            assert!(frames.iter().all(|(_, data)| data.len() == FRAME_BYTES));
            message.payload.push(1);
            assert!(split(&message, counter).is_err());
        }
    }
}
