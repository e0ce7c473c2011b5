//! Which path belongs to which message, and as what.

use crate::n2k::id::Pgn;
use crate::n2k::map::{FLUIDS, temperature_source};

/// References of wind data (lookup WIND_REFERENCE).
pub(super) const WIND_TRUE_NORTH: u8 = 0;
pub(super) const WIND_APPARENT: u8 = 2;
pub(super) const WIND_TRUE_BOAT: u8 = 3;
/// References of a heading (lookup DIRECTION_REFERENCE).
pub(super) const HEADING_TRUE: u8 = 0;
pub(super) const HEADING_MAGNETIC: u8 = 1;

/// One message that is sent again and again: what it says, and of which of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// 130306 with this reference.
    Wind(u8),
    /// 128267.
    Depth,
    /// 129025.
    Position,
    /// 127250 with this reference.
    Heading(u8),
    /// 127508 of this instance.
    Battery(u8),
    /// 127505 of this type and instance.
    Tank(u8, u8),
    /// 130312 of this source and instance.
    Temperature(u8, u8),
    /// 130316 of the same.
    ExtendedTemperature(u8, u8),
    /// 127501 of this bank.
    Switches(u8),
}

/// Values that one message is made of at most.
pub(super) const PARTS_MAX: usize = 28;

impl Subject {
    /// Returns PGN, priority and the shortest time between two messages, ms (NMEA 2000 appendix B).
    pub fn schedule(self) -> (Pgn, u8, u64) {
        let (pgn, priority, millis) = match self {
            Self::Wind(_) => (130_306, 2, 100),
            Self::Depth => (128_267, 3, 1000),
            Self::Position => (129_025, 2, 100),
            Self::Heading(_) => (127_250, 2, 100),
            Self::Battery(_) => (127_508, 6, 1500),
            Self::Tank(..) => (127_505, 6, 2500),
            Self::Temperature(..) => (130_312, 5, 2000),
            Self::ExtendedTemperature(..) => (130_316, 5, 2000),
            Self::Switches(_) => (127_501, 3, 100),
        };
        (Pgn(pgn), priority, millis)
    }

    /// Tells whether a part makes the message worth sending; others only complete it, and do not become stale.
    pub fn is_main(self, part: u8) -> bool {
        match self {
            Self::Wind(_) | Self::Battery(_) | Self::Switches(_) => true,
            _ => part == 0,
        }
    }
}

/// PGNs that can be sent of paths.
pub const SENT_PGNS: [Pgn; 10] = [
    Pgn(127_250),
    Pgn(127_501),
    Pgn(127_502),
    Pgn(127_505),
    Pgn(127_508),
    Pgn(128_267),
    Pgn(129_025),
    Pgn(130_306),
    Pgn(130_312),
    Pgn(130_316),
];

/// Reads an instance: a number, or the name of an engine.
fn instance(text: &str) -> Option<u8> {
    match text {
        "port" => Some(0),
        "starboard" => Some(1),
        // The last ones mean "out of range" and "not available".
        _ => text.parse().ok().filter(|number| *number <= 252),
    }
}

/// Calls `give` with each message that the value of a path is a part of, and which part.
pub(super) fn subjects(path: &str, mut give: impl FnMut(Subject, u8)) {
    let fixed = match path {
        "environment.wind.speedApparent" => Some((Subject::Wind(WIND_APPARENT), 0)),
        "environment.wind.angleApparent" => Some((Subject::Wind(WIND_APPARENT), 1)),
        "environment.wind.speedTrue" => Some((Subject::Wind(WIND_TRUE_BOAT), 0)),
        "environment.wind.angleTrueWater" => Some((Subject::Wind(WIND_TRUE_BOAT), 1)),
        "environment.wind.speedOverGround" => Some((Subject::Wind(WIND_TRUE_NORTH), 0)),
        "environment.wind.directionTrue" => Some((Subject::Wind(WIND_TRUE_NORTH), 1)),
        "environment.depth.belowTransducer" => Some((Subject::Depth, 0)),
        "environment.depth.surfaceToTransducer" => Some((Subject::Depth, 1)),
        "environment.depth.transducerToKeel" => Some((Subject::Depth, 2)),
        "navigation.headingTrue" => Some((Subject::Heading(HEADING_TRUE), 0)),
        "navigation.headingMagnetic" => Some((Subject::Heading(HEADING_MAGNETIC), 0)),
        _ => None,
    };
    if let Some((subject, part)) = fixed {
        return give(subject, part);
    }
    match path {
        "navigation.magneticDeviation" => give(Subject::Heading(HEADING_MAGNETIC), 1),
        "navigation.magneticVariation" => {
            give(Subject::Heading(HEADING_TRUE), 2);
            give(Subject::Heading(HEADING_MAGNETIC), 2);
        }
        "navigation.position.latitude" => give(Subject::Position, 0),
        "navigation.position.longitude" => give(Subject::Position, 1),
        _ => numbered(path, &mut give),
    }
}

/// Paths that have an instance in them.
fn numbered(path: &str, give: &mut impl FnMut(Subject, u8)) {
    if let Some((code, number)) = temperature_source(path) {
        if let Some(instance) = instance(number) {
            give(Subject::Temperature(code, instance), 0);
            give(Subject::ExtendedTemperature(code, instance), 0);
        }
        return;
    }
    let mut parts = path.split('.');
    let names = [(); 6].map(|()| parts.next());
    if parts.next().is_some() {
        return;
    }
    match names {
        [Some("electrical"), Some("batteries"), Some(number), Some(leaf), None, None] => {
            let part = ["voltage", "current", "temperature"].iter().position(|name| *name == leaf);
            if let (Some(number), Some(part)) = (instance(number), part.and_then(|part| u8::try_from(part).ok())) {
                give(Subject::Battery(number), part);
            }
        }
        [Some("tanks"), Some(fluid), Some(number), Some(leaf), None, None] => {
            let fluid = FLUIDS.iter().position(|name| *name == fluid).and_then(|code| u8::try_from(code).ok());
            let part = ["currentLevel", "capacity"].iter().position(|name| *name == leaf);
            let part = part.and_then(|part| u8::try_from(part).ok());
            // The instance of a tank has four bits, the last two codes mean no number.
            let number = instance(number).filter(|number| *number <= 13);
            if let (Some(fluid), Some(number), Some(part)) = (fluid, number, part) {
                give(Subject::Tank(fluid, number), part);
            }
        }
        _ => {
            if let Some((bank, switch)) = switch(path) {
                give(Subject::Switches(bank), switch - 1);
            }
        }
    }
}

/// Reads `electrical.switches.bank.<bank>.<switch>.state`: bank, and switch from 1 to 28.
#[must_use]
pub fn switch(path: &str) -> Option<(u8, u8)> {
    let (bank, rest) = path.strip_prefix("electrical.switches.bank.")?.split_once('.')?;
    let switch = rest.strip_suffix(".state")?.parse().ok().filter(|switch| (1..=28).contains(switch))?;
    Some((instance(bank)?, switch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Vec<(Subject, u8)> {
        let mut found = Vec::new();
        subjects(path, |subject, part| found.push((subject, part)));
        found
    }

    #[test]
    fn paths_know_their_messages() {
        for (path, expected) in [
            ("environment.wind.angleApparent", vec![(Subject::Wind(2), 1)]),
            ("navigation.magneticVariation", vec![(Subject::Heading(0), 2), (Subject::Heading(1), 2)]),
            ("electrical.batteries.3.current", vec![(Subject::Battery(3), 1)]),
            ("tanks.freshWater.1.currentLevel", vec![(Subject::Tank(1, 1), 0)]),
            (
                "environment.outside.temperature",
                vec![(Subject::Temperature(1, 0), 0), (Subject::ExtendedTemperature(1, 0), 0)],
            ),
            (
                "environment.inside.4.temperature",
                vec![(Subject::Temperature(2, 4), 0), (Subject::ExtendedTemperature(2, 4), 0)],
            ),
            (
                "environment.inside.refrigerator.temperature",
                vec![(Subject::Temperature(7, 0), 0), (Subject::ExtendedTemperature(7, 0), 0)],
            ),
            (
                "propulsion.starboard.exhaustTemperature",
                vec![(Subject::Temperature(14, 1), 0), (Subject::ExtendedTemperature(14, 1), 0)],
            ),
            ("electrical.switches.bank.2.28.state", vec![(Subject::Switches(2), 27)]),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }

    #[test]
    fn others_have_none() {
        for path in [
            "",
            "environment.wind",
            "environment.inside.saloon.temperature",
            "electrical.batteries.house.voltage",
            "electrical.batteries.253.voltage",
            "electrical.batteries.1.voltage.x",
            "tanks.fuel.14.currentLevel",
            "tanks.beer.0.currentLevel",
            "electrical.switches.bank.0.29.state",
            "electrical.switches.bank.0.0.state",
            "electrical.switches.bank.0.1.order",
            "navigation.speedOverGround",
        ] {
            assert_eq!(of(path), [], "{path}");
        }
    }
}
