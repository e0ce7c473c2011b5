//! Files of Yacht Devices' voyage recorder, `.DAT` (manual of YDVR-04, appendix D).
//!
//! ```text
//! | milliseconds of the minute 2 | identifier 4 | data |         all numbers lowest byte first
//! data   8 bytes of a frame; 3 of a request (59904); 8 of the recorder's own where the identifier is all ones
//!        | sequence 1 | length 1 | the message |              of a fast packet, put together by the recorder
//! ```

use super::{Item, LineError, Record};
use crate::hal::CanFrame;
use crate::n2k::id::{Id, Pgn};
use crate::n2k::payload::Payload;
use crate::time::UnixMillis;

/// Bytes in front of the data.
const HEAD_BYTES: usize = 6;
/// Identifier of the recorder's own records, with which a file begins.
const OWN: u32 = u32::MAX;
const MINUTE_MS: u16 = 60_000;
/// Longest time between two records of a file that has not lost its place.
const GAP_MS_MAX: u16 = 10_000;
const REQUEST: u32 = 59_904;
/// Fast packets of the makers, which the recorder's manual does not list one by one.
const OF_MAKERS: core::ops::RangeInclusive<u32> = 130_816..=131_071;
/// Fast packets that the recorder puts together.
const FAST: [u32; 93] = [
    65_240, 126_208, 126_464, 126_720, 126_983, 126_984, 126_985, 126_986, 126_987, 126_988, 126_996, 126_998, 127_233,
    127_237, 127_489, 127_496, 127_497, 127_498, 127_503, 127_504, 127_506, 127_507, 127_509, 127_510, 127_511,
    127_512, 127_513, 127_514, 128_275, 128_520, 129_029, 129_038, 129_039, 129_040, 129_041, 129_044, 129_045,
    129_284, 129_285, 129_301, 129_302, 129_538, 129_540, 129_541, 129_542, 129_545, 129_547, 129_549, 129_551,
    129_556, 129_792, 129_793, 129_794, 129_795, 129_796, 129_797, 129_798, 129_799, 129_800, 129_801, 129_802,
    129_803, 129_804, 129_805, 129_806, 129_807, 129_808, 129_809, 129_810, 130_052, 130_053, 130_054, 130_060,
    130_061, 130_064, 130_065, 130_066, 130_067, 130_068, 130_069, 130_070, 130_071, 130_072, 130_073, 130_074,
    130_320, 130_321, 130_322, 130_323, 130_324, 130_567, 130_577, 130_578,
];

/// Tells whether a file that begins so is one of the recorder: its own record stands first.
pub(super) fn is_like(first: &[u8]) -> bool {
    matches!(first, [low, high, 0xff, 0xff, 0xff, 0xff, ..] if u16::from_le_bytes([*low, *high]) < MINUTE_MS)
}

/// Reads the records of a file, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder {
    /// Milliseconds of the last record's minute.
    last: Option<u16>,
    /// Milliseconds since the first minute began.
    total_ms: i64,
}

/// How the data of a record are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Own,
    Frame(usize),
    Fast,
}

impl Recorder {
    /// Returns the bytes of the record at the begin of `data`; `None` when it is not all there.
    pub fn record_bytes(&self, data: &[u8]) -> Option<usize> {
        let (time, id) = head(data)?;
        let length = length(data, layout(id))?;
        let pgn = Id::from_can(id).pgn.0;
        if OF_MAKERS.contains(&pgn) && !FAST.contains(&pgn) {
            // Some files hold these in frames: what leads to a next record is right.
            let as_frame = length_of_frame(data, 8);
            if !follows(data, length, time) && as_frame.is_some_and(|length| follows(data, length, time)) {
                return as_frame;
            }
        }
        Some(length)
    }

    /// Reads a whole record; `None` for the recorder's own.
    ///
    /// # Errors
    /// [`LineError`] says what is wrong.
    pub fn record(&mut self, record: &[u8]) -> Result<Option<Record>, LineError> {
        let (time, id) = head(record).ok_or(LineError::CutOff)?;
        if time >= MINUTE_MS {
            return Err(LineError::Time);
        }
        let passed = self
            .last
            .replace(time)
            .map_or(time, |last| if time < last { (MINUTE_MS - last).saturating_add(time) } else { time - last });
        self.total_ms = self.total_ms.saturating_add(passed.into());
        let time = Some(UnixMillis(self.total_ms));
        let data = record.get(HEAD_BYTES..).unwrap_or_default();
        let item = match layout(id) {
            Layout::Own => return Ok(None),
            Layout::Fast if data.len() != 8 || FAST.contains(&Id::from_can(id).pgn.0) => {
                let data = data.get(2..).unwrap_or_default();
                let payload = Payload::from_slice(data).map_err(|_| LineError::PayloadTooLong { bytes: data.len() })?;
                Item::Whole { id: Id::from_can(id), payload }
            }
            _ => Item::Frame(CanFrame::new(id, data).ok_or(LineError::Identifier)?),
        };
        Ok(Some(Record { time, item }))
    }
}

/// Returns time and identifier, of which the highest three bits are not the bus's.
fn head(data: &[u8]) -> Option<(u16, u32)> {
    let (time, rest) = data.split_first_chunk::<2>()?;
    let id = u32::from_le_bytes(*rest.first_chunk::<4>()?);
    Some((u16::from_le_bytes(*time), if id == OWN { id } else { id & CanFrame::ID_MAX }))
}

fn layout(id: u32) -> Layout {
    if id == OWN {
        return Layout::Own;
    }
    let Pgn(pgn) = Id::from_can(id).pgn;
    match pgn {
        REQUEST => Layout::Frame(3),
        _ if FAST.contains(&pgn) || OF_MAKERS.contains(&pgn) => Layout::Fast,
        _ => Layout::Frame(8),
    }
}

fn length_of_frame(data: &[u8], bytes: usize) -> Option<usize> {
    Some(HEAD_BYTES + bytes).filter(|length| data.len() >= *length)
}

/// Returns the bytes of a record, when they are all there.
fn length(data: &[u8], layout: Layout) -> Option<usize> {
    match layout {
        Layout::Own => length_of_frame(data, 8),
        Layout::Frame(bytes) => length_of_frame(data, bytes),
        Layout::Fast => length_of_frame(data, 2 + usize::from(*data.get(HEAD_BYTES + 1)?)),
    }
}

/// Tells whether a record can follow that many bytes behind one of this time; none at all can, too.
fn follows(data: &[u8], length: usize, time: u16) -> bool {
    let Some((next, _)) = data.get(length..).and_then(head) else { return true };
    next < MINUTE_MS && (next.wrapping_add(MINUTE_MS).wrapping_sub(time)) % MINUTE_MS <= GAP_MS_MAX
}
