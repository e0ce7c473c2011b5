//! Records as lines of another format.

use alloc::string::String;
use core::fmt::{self, Write};

use super::{Item, Record, canboat};
use crate::hal::CanFrame;
use crate::n2k::fast_packet::{FastPackets, Frames};
use crate::n2k::id::{Id, PGN_MAX};
use crate::n2k::iso_tp::{IsoTp, TransferFrames};
use crate::n2k::table::is_fast;
use crate::time::{Instant, UnixMillis};

/// Formats that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// CAN frames: `(1780308000.000000) can0 09F11207#FF103B`.
    Candump,
    /// CAN frames: `10:00:00.000 R 09F11207 FF 10 3B`, the time of day only; `T` where it was sent.
    Ydwg,
    /// Whole messages: `A100000.000 07FF2 1F112 FF103B`, the time of day only.
    N2kAscii,
    /// Whole messages: `2026-06-01T10:00:00.000Z,2,127250,7,255,3,ff,10,3b`.
    /// A first line says that short ones are whole, too: `# format=FAST`.
    Canboat,
}

impl To {
    /// Every format and its name on the command line.
    pub const ALL: [(&'static str, Self); 4] =
        [("candump", Self::Candump), ("ydwg", Self::Ydwg), ("n2kascii", Self::N2kAscii), ("canboat", Self::Canboat)];

    /// Returns the format of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, to)| *to)
    }
}

/// Why a record could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The PGN is one of a gateway's own, which no CAN frame can carry.
    GatewayPgn,
    /// A frame of a longer message that does not fit the ones before it.
    LostFrame,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GatewayPgn => "PGN of a gateway's own, which no CAN frame can carry",
            Self::LostFrame => "frame of a message whose other frames are missing",
        })
    }
}

impl core::error::Error for WriteError {}

/// Writes records; puts frames together or splits messages where the format needs it.
///
/// A record without a time is written with the time of the one before it, or 1970. Frames of messages that never end
/// are left out where whole messages are written.
#[derive(Clone, Debug)]
pub struct LogWriter {
    to: To,
    time: UnixMillis,
    /// Tells fast packets apart that follow each other.
    sequence_counter: u8,
    fast_packets: FastPackets,
    transfers: IsoTp,
    /// What the lines are has been said.
    is_headed: bool,
    /// What follows was sent, not received.
    is_sent: bool,
}

impl LogWriter {
    /// Builds a writer.
    #[must_use]
    pub fn new(to: To) -> Self {
        let (fast_packets, transfers) = (FastPackets::default(), IsoTp::default());
        Self { to, time: UnixMillis(0), sequence_counter: 0, fast_packets, transfers, is_headed: false, is_sent: false }
    }

    /// Says of the records that follow whether they were sent or received; only Yacht Devices' format tells.
    pub fn set_sent(&mut self, is_sent: bool) {
        self.is_sent = is_sent;
    }

    /// Adds the lines of a record to `out`, each with its end.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is added then.
    pub fn write(&mut self, record: &Record, out: &mut String) -> Result<(), WriteError> {
        self.time = record.time.unwrap_or(self.time);
        // Times before 1970 cannot be written as candump does.
        let time = UnixMillis(self.time.0.max(0));
        let is_framed = matches!(self.to, To::Candump | To::Ydwg);
        // Writing into a String cannot fail.
        let _ = match &record.item {
            Item::Frame(frame) if is_framed => self.frame(time, frame, out),
            Item::Frame(frame) => {
                let id = Id::from_can(frame.id());
                // The clock of a log jumps: frames are told apart by their counters alone.
                let now = Instant::default();
                let lost = |_| WriteError::LostFrame;
                if is_fast(id.pgn) {
                    let payload = self.fast_packets.push(&id, frame.data(), now).map_err(lost)?;
                    payload.map_or(Ok(()), |payload| self.whole(time, &id, &payload, out))
                } else if IsoTp::is_transport(id.pgn) {
                    let message = self.transfers.push(&id, frame.data(), now).map_err(|_| WriteError::LostFrame)?;
                    message.map_or(Ok(()), |(id, payload)| self.whole(time, &id, &payload, out))
                } else {
                    self.whole(time, &id, frame.data(), out)
                }
            }
            Item::Whole { id, payload } if is_framed => {
                if id.pgn > PGN_MAX {
                    return Err(WriteError::GatewayPgn);
                }
                self.sequence_counter = self.sequence_counter.wrapping_add(1);
                match Frames::new(id, self.sequence_counter, payload) {
                    Some(mut frames) => frames.try_for_each(|frame| self.frame(time, &frame, out)),
                    None => TransferFrames::new(id, payload)
                        .into_iter()
                        .flatten()
                        .try_for_each(|frame| self.frame(time, &frame, out)),
                }
            }
            Item::Whole { id, payload } => self.whole(time, id, payload, out),
        };
        Ok(())
    }

    fn frame(&self, time: UnixMillis, frame: &CanFrame, out: &mut String) -> fmt::Result {
        if self.to == To::Candump {
            let (seconds, millis) = (time.0 / 1000, time.0 % 1000);
            write!(out, "({seconds:010}.{millis:03}000) can0 {:08X}#", frame.id())?;
            bytes(out, frame.data())?;
        } else {
            clock(out, time, ":")?;
            write!(out, " {} {:08X}", if self.is_sent { 'T' } else { 'R' }, frame.id())?;
            frame.data().iter().try_for_each(|byte| write!(out, " {byte:02X}"))?;
        }
        out.write_char('\n')
    }

    fn whole(&mut self, time: UnixMillis, id: &Id, payload: &[u8], out: &mut String) -> fmt::Result {
        let Id { priority, pgn, source, destination } = *id;
        if self.to == To::Canboat && !core::mem::replace(&mut self.is_headed, true) {
            writeln!(out, "{}", canboat::FAST)?;
        }
        if self.to == To::N2kAscii {
            out.write_char('A')?;
            clock(out, time, "")?;
            write!(out, " {:02X}{destination:02X}{priority:X} {:05X} ", source.0, pgn.0)?;
            bytes(out, payload)?;
        } else {
            write!(out, "{time},{priority},{pgn},{},{destination},{}", source.0, payload.len())?;
            payload.iter().try_for_each(|byte| write!(out, ",{byte:02x}"))?;
        }
        out.write_char('\n')
    }
}

fn bytes(out: &mut String, data: &[u8]) -> fmt::Result {
    data.iter().try_for_each(|byte| write!(out, "{byte:02X}"))
}

/// Writes the time of day, with `between` hours, minutes and seconds.
fn clock(out: &mut String, time: UnixMillis, between: &str) -> fmt::Result {
    let of_day = time.0.rem_euclid(86_400_000);
    let (seconds, millis) = (of_day / 1000, of_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    write!(out, "{hour:02}{between}{minute:02}{between}{second:02}.{millis:03}")
}
