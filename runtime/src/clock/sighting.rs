//! What devices say about the time: PGNs 126992, 129029 and 129033, sentences RMC and ZDA.
//!
//! The payloads are read here and not with the tables: a chip's tables leave 129033 out.

use core::fmt::Write;

use crate::n2k::{N2kMessage, Pgn};
use crate::nmea0183;
use crate::time::UnixMillis;

/// Bytes of a source's name that are kept.
pub const SOURCE_NAME_BYTES_MAX: usize = 40;

/// Who told the time: label and address or talker, `can0.7`, `gps.GP`.
pub type SourceName = heapless::String<SOURCE_NAME_BYTES_MAX>;

/// Where a device has its time from, the best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A quartz of its own (126992, source 5).
    Crystal,
    /// It does not say: 129033, ZDA.
    Untold,
    /// A radio station (126992, source 2).
    Radio,
    /// A caesium or rubidium clock of its own (126992, sources 3 and 4).
    Atomic,
    /// Satellites: 129029 with a fix, 126992 (sources 0 and 1), RMC with a valid fix.
    Gnss,
}

impl Origin {
    /// Returns the word for it in the status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crystal => "crystal",
            Self::Untold => "untold",
            Self::Radio => "radio",
            Self::Atomic => "atomic",
            Self::Gnss => "gnss",
        }
    }
}

/// One device telling the time once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Who.
    pub source: SourceName,
    /// Where it has the time from.
    pub origin: Origin,
    /// Coordinated universal time.
    pub time: UnixMillis,
    /// What the boat's clocks show, minutes east of UTC, where it says so.
    pub local_offset_minutes: Option<i16>,
}

const SYSTEM_TIME: Pgn = Pgn(126_992);
const GNSS_POSITION: Pgn = Pgn(129_029);
const TIME_AND_DATE: Pgn = Pgn(129_033);
/// Days since 1970 and time of day, both at most as large as the definitions of these PGNs allow.
const DAYS_MAX: u16 = 65_532;
const DAY_TENTHS: u32 = 864_000_000;
/// Local offset of 129033, minutes.
const OFFSET_MAX: i16 = 1440;

/// Reads date (days) and time of day (0.1 ms) that begin at byte `at`; `None` when either is not available.
fn moment(payload: &[u8], at: usize) -> Option<UnixMillis> {
    let days = payload.get(at..at.checked_add(2)?)?.try_into().map(u16::from_le_bytes).ok()?;
    let tenths = payload.get(at.checked_add(2)?..at.checked_add(6)?)?.try_into().map(u32::from_le_bytes).ok()?;
    if days > DAYS_MAX || tenths >= DAY_TENTHS {
        return None;
    }
    let millis = i64::from(days).checked_mul(86_400_000)?.checked_add(i64::from(tenths / 10))?;
    Some(UnixMillis(millis))
}

/// Returns what an NMEA 2000 message says about the time; `None` when nothing, or when the device has no fix.
#[must_use]
pub fn of_message(label: &str, message: &N2kMessage) -> Option<Sighting> {
    let payload = message.payload.as_slice();
    let (origin, time, local_offset_minutes) = match message.id.pgn {
        SYSTEM_TIME => {
            let origin = match payload.get(1)? & 0x0f {
                0 | 1 => Origin::Gnss,
                2 => Origin::Radio,
                3 | 4 => Origin::Atomic,
                5 => Origin::Crystal,
                _ => Origin::Untold,
            };
            (origin, moment(payload, 2)?, None)
        }
        GNSS_POSITION => {
            // Byte 31: type of system, and the method in the high half: 0 is no fix, 6 dead reckoning, 7 and 8 made up.
            let method = payload.get(31)? >> 4;
            (Origin::Gnss, (1..=5).contains(&method).then(|| moment(payload, 1))??, None)
        }
        TIME_AND_DATE => {
            let offset = payload.get(6..8).and_then(|bytes| bytes.try_into().ok()).map(i16::from_le_bytes);
            (Origin::Untold, moment(payload, 0)?, offset.filter(|offset| (-OFFSET_MAX..=OFFSET_MAX).contains(offset)))
        }
        _ => return None,
    };
    Some(Sighting { source: name(label, &message.id.source.0), origin, time, local_offset_minutes })
}

/// Returns what a sentence of NMEA 0183 says about the time; `None` when nothing, or when the receiver has no fix.
#[must_use]
pub fn of_sentence(label: &str, line: &str) -> Option<Sighting> {
    let told = nmea0183::told_time(line)?;
    let origin = if told.by_fix { Origin::Gnss } else { Origin::Untold };
    let source = name(label, &told.talker);
    Some(Sighting { source, origin, time: told.time, local_offset_minutes: told.local_offset_minutes })
}

fn name(label: &str, device: &dyn core::fmt::Display) -> SourceName {
    let mut name = SourceName::new();
    // Room for the point and for an address or talker.
    let kept = label.get(..label.floor_char_boundary(SOURCE_NAME_BYTES_MAX - 4)).unwrap_or_default();
    let _ = write!(name, "{kept}.{device}");
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::{Id, Payload, SourceAddress};
    use std::vec::Vec;

    fn message(pgn: u32, payload: &[u8]) -> N2kMessage {
        let id = Id { priority: 3, pgn: Pgn(pgn), source: SourceAddress(7), destination: 255 };
        N2kMessage { id, payload: Payload::from_slice(payload).unwrap() }
    }

    fn told(pgn: u32, payload: &[u8]) -> Option<(Origin, String, Option<i16>)> {
        let sighting = of_message("can0", &message(pgn, payload))?;
        assert_eq!(sighting.source, "can0.7");
        Some((sighting.origin, sighting.time.text().as_str().into(), sighting.local_offset_minutes))
    }

    use std::string::String;

    /// 2026-06-01 is day 20,605; 10:00:00.123.
    const MOMENT: [u8; 6] = {
        let ([a, b], [c, d, e, f]) = (20_605_u16.to_le_bytes(), 360_001_230_u32.to_le_bytes());
        [a, b, c, d, e, f]
    };
    const TEXT: &str = "2026-06-01T10:00:00.123Z";

    #[test]
    fn system_time_says_where_it_is_from() {
        let of = |source: u8| told(126_992, &[&[1, 0xf0 | source], &MOMENT[..]].concat()).unwrap().0;
        assert_eq!([0, 1, 2, 3, 4, 5, 9].map(of), {
            use Origin::*;
            [Gnss, Gnss, Radio, Atomic, Atomic, Crystal, Untold]
        });
        assert_eq!(told(126_992, &[&[1, 0xf0], &MOMENT[..]].concat()).unwrap().1, TEXT);
        assert!(Origin::Gnss > Origin::Atomic && Origin::Radio > Origin::Untold && Origin::Untold > Origin::Crystal);
    }

    #[test]
    fn a_position_without_a_fix_tells_no_time() {
        let payload = |method: u8| {
            let mut payload: Vec<u8> = [&[1], &MOMENT[..], &[0; 24]].concat();
            payload.push(method << 4 | 3);
            payload
        };
        assert_eq!(told(129_029, &payload(1)), Some((Origin::Gnss, TEXT.into(), None)));
        assert!([0, 6, 7, 8, 15].iter().all(|method| told(129_029, &payload(*method)).is_none()));
        assert_eq!(told(129_029, &payload(1)[..20]), None);
    }

    #[test]
    fn time_and_date_has_the_local_offset() {
        let payload = |offset: i16| [&MOMENT[..], &offset.to_le_bytes()].concat();
        assert_eq!(told(129_033, &payload(120)), Some((Origin::Untold, TEXT.into(), Some(120))));
        assert_eq!(told(129_033, &payload(-570)).unwrap().2, Some(-570));
        assert_eq!(told(129_033, &payload(i16::MAX)).unwrap().2, None);
        assert_eq!(told(129_033, &MOMENT), Some((Origin::Untold, TEXT.into(), None)));
    }

    #[test]
    fn what_is_not_available_is_no_time() {
        assert_eq!(told(129_033, &[0xff; 8]), None);
        assert_eq!(told(126_992, &[&[1, 0xf0, 0xff, 0xff], &MOMENT[2..]].concat()), None);
        assert_eq!(told(126_992, &[1, 0xf0]), None);
        assert_eq!(told(127_250, &[0; 8]), None);
    }

    #[test]
    fn sentences_tell_the_time() {
        let rmc = of_sentence("gps", "$GPRMC,100000.12,A,6000.00,N,02400.00,E,0.0,0.0,010626,,").unwrap();
        assert_eq!((rmc.source.as_str(), rmc.origin, rmc.time.text().as_str()), {
            ("gps.GP", Origin::Gnss, "2026-06-01T10:00:00.120Z")
        });
        assert_eq!(of_sentence("gps", "$GPRMC,100000,V,,,,,,,010626,,"), None);
        let zda = of_sentence("gps", "$IIZDA,100000,01,06,2026,-02,-30").unwrap();
        assert_eq!((zda.origin, zda.local_offset_minutes), (Origin::Untold, Some(150)));
        assert_eq!(of_sentence("gps", "$IIZDA,,,,,,"), None);
        assert_eq!(of_sentence("gps", "$IIZDA,100000,01,06,2026,00,00*00"), None);
        assert_eq!(of_sentence("gps", "nonsense"), None);
    }

    #[test]
    fn long_labels_are_cut() {
        let label = "é".repeat(40);
        assert!(of_sentence(&label, "$IIZDA,100000,01,06,2026,,").unwrap().source.ends_with(".II"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(pgn in proptest::sample::select(std::vec![126_992_u32, 129_029, 129_033]),
                        payload in proptest::collection::vec(proptest::num::u8::ANY, 0..60), line in "\\PC{0,60}") {
            let _ = of_message("can0", &message(pgn, &payload));
            let _ = of_sentence("gps", &line);
        }
    }
}
