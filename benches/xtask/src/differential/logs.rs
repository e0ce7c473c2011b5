//! Messages to logs, and which of them arrive whole at which line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;
use skiff_runtime::n2k::{Frames, Id, Pgn, SourceAddress};
use skiff_runtime::time::UnixMillis;

use super::messages::Message;
use super::random::Random;

/// A log, and the messages in it that nothing was lost of, a line each for the peer.
pub struct Log {
    pub text: String,
    pub messages: String,
}

/// When the first message was received: 2026-06-01T12:00:00Z.
const START: i64 = 1_780_315_200_000;
/// Frames lost, in a hundred.
const LOST: u64 = 1;
/// Messages of different devices whose frames are mixed.
const MIXED: usize = 5;

fn hex(bytes: &[u8], between: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
}

fn for_peer(out: &mut String, line: usize, time: i64, message: &Message) {
    let Message { pgn, source, destination, priority, payload, .. } = message;
    let row = json!({
        "line": line, "pgn": pgn, "src": source, "dst": destination, "prio": priority,
        "time": UnixMillis(time).to_string(), "data": hex(payload, ""),
    });
    let _ = writeln!(out, "{row}");
}

/// Writes whole messages in canboat's plain format.
pub fn whole(messages: &[Message]) -> Log {
    let mut log = Log { text: String::new(), messages: String::new() };
    for (index, message) in messages.iter().enumerate() {
        let time = START + i64::try_from(index).unwrap_or(0) * 37;
        let Message { pgn, source, destination, priority, payload, .. } = message;
        let (stamp, bytes) = (UnixMillis(time), hex(payload, ","));
        let _ = writeln!(log.text, "{stamp},{priority},{pgn},{source},{destination},{},{bytes}", payload.len());
        for_peer(&mut log.messages, index + 1, time, message);
    }
    log
}

/// A message on its way.
struct Sending<'a> {
    message: &'a Message,
    frames: std::vec::IntoIter<(u32, Vec<u8>)>,
    is_whole: bool,
}

/// Writes frames in candump's format, those of several messages mixed and some lost.
///
/// # Errors
/// A message that cannot be split.
pub fn frames(messages: &[Message], random: &mut Random) -> Result<Log, String> {
    let mut log = Log { text: String::new(), messages: String::new() };
    let (mut line, mut time) = (0, START);
    let mut counters = BTreeMap::<(u32, u8), u8>::new();
    // A commanded address has 9 bytes and comes by the transport protocol, which candump shows as other PGNs.
    let mut waiting = messages.iter().filter(|message| message.pgn != 65_240).peekable();
    let mut sending: Vec<Sending<'_>> = Vec::new();
    loop {
        while sending.len() < MIXED {
            // A device ends one message of a PGN before it begins the next.
            let is_busy = |next: &Message| {
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

fn split(message: &Message, counter: u8) -> Result<Vec<(u32, Vec<u8>)>, String> {
    let id = Id {
        priority: message.priority,
        pgn: Pgn(message.pgn),
        source: SourceAddress(message.source),
        destination: message.destination,
    };
    let frames = Frames::new(&id, counter, &message.payload);
    let frames =
        frames.ok_or_else(|| format!("a message of PGN {} has {} bytes", message.pgn, message.payload.len()))?;
    Ok(frames.map(|frame| (frame.id(), frame.data().to_vec())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Vec<Message> {
        let message =
            |source| Message { pgn: 129_029, source, destination: 255, priority: 3, payload: vec![source; 43] };
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
}
