//! Which sentences there are, by their names.

use core::num::NonZeroU32;
use core::time::Duration;

use super::values::Slot;

/// A sentence that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Position, speed, course, date, variation.
    Rmc,
    /// Position, and how good it is.
    Gga,
    /// Position and time.
    Gll,
    /// Course and speed over ground.
    Vtg,
    /// Magnetic heading, deviation, variation.
    Hdg,
    /// True heading.
    Hdt,
    /// Magnetic heading.
    Hdm,
    /// Apparent wind.
    MwvR,
    /// True wind.
    MwvT,
    /// Heading and speed through water.
    Vhw,
    /// Depth below the transducer, in three units.
    Dbt,
    /// Depth below the transducer, and where that is.
    Dpt,
    /// Water temperature.
    Mtw,
    /// Air pressure.
    XdrBaro,
    /// Air temperature.
    XdrTemp,
    /// Pitch and roll.
    XdrNa,
    /// Rate of turn.
    Rot,
    /// Rudder angle.
    Rsa,
    /// What an autopilot steers by.
    Apb,
    /// Cross track error.
    Xte,
    /// Date and time.
    Zda,
    /// AIS of others.
    Vdm,
    /// AIS of the own vessel.
    Vdo,
}

/// Kind, its name, the sentence it is, and the values of which a new one asks for a new sentence.
type Row = (Kind, &'static str, &'static str, &'static [Slot]);

/// In the order of [`Kind`]. Names of kinds that share a sentence are those of npm's `signalk-to-nmea0183`.
pub(super) const KINDS: [Row; 23] = [
    (Kind::Rmc, "RMC", "RMC", &[Slot::Latitude]),
    (Kind::Gga, "GGA", "GGA", &[Slot::Latitude]),
    (Kind::Gll, "GLL", "GLL", &[Slot::Latitude]),
    (Kind::Vtg, "VTG", "VTG", &[Slot::SpeedOverGround]),
    (Kind::Hdg, "HDG", "HDG", &[Slot::HeadingMagnetic]),
    (Kind::Hdt, "HDT", "HDT", &[Slot::HeadingTrue, Slot::HeadingMagnetic]),
    (Kind::Hdm, "HDM", "HDM", &[Slot::HeadingTrue, Slot::HeadingMagnetic]),
    (Kind::MwvR, "MWVR", "MWV", &[Slot::AngleApparent, Slot::SpeedApparent]),
    (Kind::MwvT, "MWVT", "MWV", &[Slot::AngleTrueWater, Slot::SpeedTrue]),
    (Kind::Vhw, "VHW", "VHW", &[Slot::SpeedThroughWater]),
    (Kind::Dbt, "DBT", "DBT", &[Slot::BelowTransducer]),
    (Kind::Dpt, "DPT", "DPT", &[Slot::BelowTransducer]),
    (Kind::Mtw, "MTW", "MTW", &[Slot::WaterTemperature]),
    (Kind::XdrBaro, "XDRBARO", "XDR", &[Slot::Pressure]),
    (Kind::XdrTemp, "XDRTEMP", "XDR", &[Slot::OutsideTemperature]),
    (Kind::XdrNa, "XDRNA", "XDR", &[Slot::Pitch]),
    (Kind::Rot, "ROT", "ROT", &[Slot::RateOfTurn]),
    (Kind::Rsa, "RSA", "RSA", &[Slot::RudderAngle]),
    (
        Kind::Apb,
        "APB",
        "APB",
        &[Slot::CourseError, Slot::CircleError, Slot::LineError, Slot::ArrivalCircle, Slot::Perpendicular],
    ),
    (Kind::Xte, "XTE", "XTE", &[Slot::CourseError, Slot::CircleError, Slot::LineError]),
    (Kind::Zda, "ZDA", "ZDA", &[Slot::DateTime]),
    (Kind::Vdm, "VDM", "VDM", &[]),
    (Kind::Vdo, "VDO", "VDO", &[Slot::Latitude]),
];

/// A set of kinds of sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// Every kind.
    pub const ALL: Self = Self((1 << KINDS.len()) - 1);

    /// Returns the kinds of a name, whatever its case: `RMC`, `MWVR`, `XDRTemp`; `MWV` and `XDR` are all of that
    /// sentence, `AIS` is `VDM` and `VDO`. `None` where there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut kinds = Self::NONE;
        for (kind, known, sentence, _) in KINDS {
            let is_ais = matches!(kind, Kind::Vdm | Kind::Vdo) && name.eq_ignore_ascii_case("AIS");
            if is_ais || known.eq_ignore_ascii_case(name) || sentence.eq_ignore_ascii_case(name) {
                kinds.insert(kind);
            }
        }
        Some(kinds).filter(|kinds| *kinds != Self::NONE)
    }

    /// Returns every name that [`named`](Self::named) knows but `MWV`, `XDR` and `AIS`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.into_iter().map(|(_, name, ..)| name)
    }

    /// Adds a kind.
    pub fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u8;
    }

    /// Takes a kind out.
    pub fn remove(&mut self, kind: Kind) {
        self.0 &= !(1 << kind as u8);
    }

    /// Adds the kinds of another set.
    pub fn join(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Tells whether a kind is in it.
    #[must_use]
    pub fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

/// How often each kind is made, where it differs from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paces([Option<NonZeroU32>; KINDS.len()]);

impl Paces {
    /// Every kind as the rest.
    pub const NONE: Self = Self([None; KINDS.len()]);

    /// Sets the time between two of each of these kinds, milliseconds.
    pub fn set(&mut self, kinds: Kinds, millis: NonZeroU32) {
        for ((kind, ..), pace) in KINDS.into_iter().zip(&mut self.0) {
            if kinds.has(kind) {
                *pace = Some(millis);
            }
        }
    }

    /// Returns the time between two of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<Duration> {
        let pace = self.0.get(kind as usize).copied().flatten();
        pace.map(|millis| Duration::from_millis(millis.get().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_case_and_the_rows_are_in_order() {
        for (at, (kind, name, ..)) in KINDS.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
            assert!(Kinds::named(&name.to_ascii_lowercase()).unwrap().has(kind), "{name}");
            assert!(Kinds::ALL.has(kind) && !Kinds::NONE.has(kind));
        }
        let wind = Kinds::named("MWV").unwrap();
        assert!(wind.has(Kind::MwvR) && wind.has(Kind::MwvT) && !wind.has(Kind::Rmc));
        let mut ais = Kinds::named("ais").unwrap();
        assert!(ais.has(Kind::Vdm) && ais.has(Kind::Vdo));
        ais.remove(Kind::Vdo);
        assert!(ais.has(Kind::Vdm) && !ais.has(Kind::Vdo));
        assert_eq!((Kinds::named("XYZ"), Kinds::named("")), (None, None));
    }
}
