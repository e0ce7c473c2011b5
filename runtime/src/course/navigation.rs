//! Who commands where the vessel goes: clients, or a plotter on the bus.
//!
//! What a client orders holds until it is cleared; a plotter commands while nobody else does, and for as long as it is heard.

use alloc::string::String;
use core::time::Duration;

use super::geometry::{Line, begin_of_track};
use super::{API_SOURCE, Changed, Course, CourseError, Facts, Order, Position, Target};
use crate::delta::{Delta, Origin, UpdateRef};
use crate::json;
use crate::time::Instant;

/// Time after which a plotter that is not heard commands no longer (Signal K Server 2.32 `EXTERNAL_NAV_MAX_AGE_MS`).
pub const UNHEARD_MAX: Duration = Duration::from_secs(15);
/// Difference between the cross track error that is told and that of our leg, metres, beyond which the leg is another, and
/// how often in a row it is seen before that is believed (`XTE_REBASE_THRESHOLD_M`, `XTE_REBASE_CONFIRMATIONS`).
const ERROR_APART_MAX_M: f64 = 10.0;
const ERRORS_APART: u8 = 3;

/// PGNs that tell of a course: cross track error, navigation data, route.
const PGNS: core::ops::RangeInclusive<u32> = 129_283..=129_285;
const ROOTS: [&str; 2] = ["navigation.courseGreatCircle.", "navigation.courseRhumbline."];
/// Paths below them by which a plotter is heard, beside those that are read.
const HEARD: [&str; 5] = [
    "nextPoint.distance",
    "nextPoint.bearingTrue",
    "nextPoint.bearingMagnetic",
    "bearingTrackTrue",
    "bearingTrackMagnetic",
];

/// What a plotter says in one update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard<'d> {
    teller: Teller<'d>,
    /// Its destination; `Some(None)` where it says that it has none.
    next: Option<Option<Position>>,
    /// Where its leg begins.
    previous: Option<Position>,
    /// Its cross track error, metres.
    cross_track: Option<f64>,
}

/// Who tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Teller<'d> {
    /// On NMEA 2000, or on NMEA 0183.
    is_n2k: bool,
    source: &'d str,
}

/// Tells whether a delta can be about a plotter's course.
#[must_use]
pub fn concerns(delta: &Delta) -> bool {
    delta.updates().any(|update| match update.origin() {
        Some(Origin::Bus(source)) => PGNS.contains(&source.pgn),
        Some(Origin::Object(_)) => update.entries().any(|(path, _)| below_root(path).is_some()),
        None => false,
    })
}

fn below_root(path: &str) -> Option<&str> {
    ROOTS.iter().find_map(|root| path.strip_prefix(root))
}

impl<'d> Heard<'d> {
    /// Reads an update; `None` where no plotter speaks of its course.
    #[must_use]
    pub fn read(update: &UpdateRef<'d>) -> Option<Self> {
        let is_n2k = match update.origin()? {
            Origin::Bus(_) => true,
            Origin::Object(source) => match json::member(source, "type").and_then(json::string)?.as_ref() {
                "NMEA2000" => true,
                "NMEA0183" => false,
                _ => return None,
            },
        };
        let teller = Teller { is_n2k, source: update.source_ref() };
        let mut heard = Self { teller, next: None, previous: None, cross_track: None };
        let mut is_heard = false;
        for (path, value) in update.entries() {
            let Some(below) = below_root(path) else { continue };
            let text = value.shown();
            match below {
                "nextPoint.position" => heard.next = Some(Position::read(&text)),
                "previousPoint.position" => heard.previous = Position::read(&text),
                "crossTrackError" => heard.cross_track = json::number(&text),
                other if HEARD.contains(&other) => {}
                _ => continue,
            }
            is_heard = true;
        }
        is_heard.then_some(heard)
    }
}

/// Who commands.
#[derive(Clone, Debug, Default, PartialEq)]
enum Commander {
    #[default]
    Nobody,
    /// A client of the Course API.
    Api,
    /// A plotter.
    Plotter {
        is_n2k: bool,
        source: String,
        heard: Instant,
        /// How often in a row its cross track error was another than ours.
        errors_apart: u8,
    },
}

/// Where the vessel goes, and who says so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Navigation {
    course: Course,
    commander: Commander,
    api_only: bool,
}

impl Navigation {
    /// Returns where the vessel goes.
    #[must_use]
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// Tells whether plotters are not listened to.
    #[must_use]
    pub fn is_api_only(&self) -> bool {
        self.api_only
    }

    /// Tells whether a plotter commands, which tells of its course itself; what it says is not stored.
    #[must_use]
    pub fn is_plotters(&self) -> bool {
        matches!(self.commander, Commander::Plotter { .. })
    }

    /// Returns the `$source` of the next point.
    #[must_use]
    pub fn source(&self) -> &str {
        match &self.commander {
            Commander::Plotter { source, .. } => source,
            Commander::Nobody | Commander::Api => API_SOURCE,
        }
    }

    /// Does what a client orders.
    ///
    /// # Errors
    /// [`CourseError`]; nothing is changed then.
    pub fn obey(&mut self, order: &Order, facts: &Facts<'_>) -> Result<Changed, CourseError> {
        let changed = self.course.obey(order, facts)?;
        match order {
            Order::Destination { .. } | Order::ActiveRoute { .. } => self.commander = Commander::Api,
            Order::Clear => self.commander = Commander::Nobody,
            Order::Step(_) | Order::Restart | Order::ArrivalCircle(_) | Order::TargetArrivalTime(_) => {}
        }
        Ok(changed)
    }

    /// Listens to plotters or not; a plotter that commands does no longer.
    pub fn set_api_only(&mut self, yes: bool) -> Option<Changed> {
        self.api_only = yes;
        (yes && self.commander != Commander::Api).then(|| self.clear())
    }

    /// Takes over the new text of the resource that the course [follows](Course::follows).
    pub fn take_resource(&mut self, text: &str) -> Option<Changed> {
        self.course.take_resource(text)
    }

    fn clear(&mut self) -> Changed {
        self.course.clear();
        self.commander = Commander::Nobody;
        Changed::All
    }

    /// Returns when a plotter commands no longer, if it is not heard before.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match &self.commander {
            Commander::Plotter { heard, .. } => Some(*heard + UNHEARD_MAX),
            Commander::Nobody | Commander::Api => None,
        }
    }

    /// Goes nowhere once a plotter that commands was not heard for [`UNHEARD_MAX`].
    pub fn end_unheard(&mut self, now: Instant) -> Option<Changed> {
        self.deadline().is_some_and(|deadline| deadline <= now).then(|| self.clear())
    }

    /// Takes in what a plotter says.
    pub fn hear(&mut self, said: &Heard<'_>, facts: &Facts<'_>, now: Instant) -> Option<Changed> {
        let teller = said.teller;
        let mut changed = None;
        match &mut self.commander {
            Commander::Api => return None,
            Commander::Nobody => {
                let next = said.next.flatten().filter(|_| !self.api_only)?;
                self.course.obey(&to(next), facts).ok()?;
                let source = String::from(teller.source);
                self.commander = Commander::Plotter { is_n2k: teller.is_n2k, source, heard: now, errors_apart: 0 };
                changed = Some(Changed::All);
            }
            Commander::Plotter { is_n2k, source, heard, .. } => {
                if *is_n2k != teller.is_n2k || *source != teller.source {
                    return None;
                }
                *heard = now;
                match said.next {
                    Some(None) => return Some(self.clear()),
                    Some(Some(next)) if self.course.next_point.as_ref().is_none_or(|at| !at.position.is_at(&next)) => {
                        changed = self.course.obey(&to(next), facts).ok();
                    }
                    _ => {}
                }
            }
        }
        if let Some(previous) = said.previous
            && self.course.previous_point.as_ref().is_none_or(|at| !at.position.is_at(&previous))
        {
            self.course.begin_at(previous);
            self.set_errors_apart(0);
            changed = changed.or(Some(Changed::PreviousPoint));
        }
        if let Some(error) = said.cross_track {
            changed = self.compare(error, facts).or(changed);
        }
        changed
    }

    fn set_errors_apart(&mut self, count: u8) {
        if let Commander::Plotter { errors_apart, .. } = &mut self.commander {
            *errors_apart = count;
        }
    }

    /// Lets the leg begin where the plotter's must, once its cross track error is another than that of ours.
    fn compare(&mut self, error: f64, facts: &Facts<'_>) -> Option<Changed> {
        let at = facts.vessel?.place();
        let from = self.course.previous_point.as_ref()?.position.place();
        let to = self.course.next_point.as_ref()?.position.place();
        let Commander::Plotter { errors_apart, .. } = &mut self.commander else { return None };
        if libm::fabs(Line::GreatCircle.cross_track(at, from, to) - error) <= ERROR_APART_MAX_M {
            *errors_apart = 0;
            return None;
        }
        *errors_apart = errors_apart.saturating_add(1);
        if *errors_apart < ERRORS_APART {
            return None;
        }
        let begin = begin_of_track(at, to, error)?;
        *errors_apart = 0;
        self.course.begin_again_at(Position::at(begin), facts.now);
        Some(Changed::All)
    }
}

fn to(position: Position) -> Order {
    Order::Destination { to: Target::Position(position), arrival_circle: None }
}

impl Navigation {
    /// Returns what is stored of it.
    #[must_use]
    pub fn json(&self) -> String {
        json::object(|out| {
            out.boolean("apiOnly", self.api_only).json("course", &self.course.json());
            out.json("points", &self.course.points_json());
        })
    }

    /// Reads what [`json`](Self::json) wrote; `None` for what it did not.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let course = Course::read(json::member(text, "course")?, json::member(text, "points")?)?;
        let commander = if course.next_point.is_some() { Commander::Api } else { Commander::Nobody };
        Some(Self { course, commander, api_only: json::boolean(json::member(text, "apiOnly")?)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::Stamp;
    use crate::time::UnixMillis;
    use std::format;

    fn facts() -> Facts<'static> {
        Facts { vessel: Position::new(54.0, 10.0, None), now: Some("2026-11-30T08:00:00.000Z"), resource: None }
    }

    /// A navigation that hears `values`, `path:value`, from a source at a second.
    fn hear(navigation: &mut Navigation, kind: &str, from: &str, values: &str, second: u64) -> Option<Changed> {
        let text = format!(
            r#"{{"updates":[{{"source":{{"type":"{kind}","label":"x"}},"$source":"{from}","values":[{values}]}}]}}"#
        );
        let stamp = Stamp { source_ref: "x", self_context: "vessels.x", now: UnixMillis::UNKNOWN };
        let delta = Delta::parse(&text, &stamp).unwrap();
        let update = delta.updates().next().unwrap();
        let said = Heard::read(&update).filter(|_| concerns(&delta))?;
        navigation.hear(&said, &facts(), Instant::from_millis(second * 1000))
    }

    fn next(latitude: &str) -> String {
        format!(
            r#"{{"path":"navigation.courseGreatCircle.nextPoint.position","value":{{"latitude":{latitude},"longitude":10}}}}"#
        )
    }

    fn error(metres: f64) -> String {
        format!(r#"{{"path":"navigation.courseGreatCircle.crossTrackError","value":{metres}}}"#)
    }

    fn destination(navigation: &Navigation) -> Option<(f64, f64)> {
        let (latitude, longitude) = navigation.course().next_point.as_ref()?.position.place().degrees();
        Some((latitude.round(), longitude.round()))
    }

    #[test]
    fn a_plotter_commands_while_it_is_heard() {
        let mut navigation = Navigation::default();
        assert_eq!(hear(&mut navigation, "NMEA2000", "can0.7", &error(3.0), 0), None, "an error is no destination");
        assert_eq!(hear(&mut navigation, "NMEA2000", "can0.7", &next("55"), 1), Some(Changed::All));
        assert_eq!((destination(&navigation), navigation.source()), (Some((55.0, 10.0)), "can0.7"));
        assert_eq!(hear(&mut navigation, "NMEA2000", "can0.7", &next("55"), 2), None, "nothing new");
        assert_eq!(hear(&mut navigation, "NMEA0183", "gps.GP", &next("50"), 3), None, "another one does not command");
        assert_eq!(hear(&mut navigation, "NMEA2000", "can0.7", &next("56"), 4), Some(Changed::All));
        assert_eq!(navigation.end_unheard(Instant::from_millis(18_999)), None);
        assert_eq!(navigation.end_unheard(Instant::from_millis(19_000)), Some(Changed::All));
        assert_eq!((destination(&navigation), navigation.deadline()), (None, None));
    }

    #[test]
    fn a_plotter_that_ends_its_course_clears_it() {
        let mut navigation = Navigation::default();
        hear(&mut navigation, "NMEA0183", "gps.GP", &next("55"), 1);
        assert_eq!(hear(&mut navigation, "NMEA0183", "gps.GP", &next("null"), 2), Some(Changed::All));
        assert_eq!(destination(&navigation), None);
    }

    #[test]
    fn a_client_is_not_overruled_and_can_keep_plotters_out() {
        let mut navigation = Navigation::default();
        hear(&mut navigation, "NMEA2000", "can0.7", &next("55"), 1);
        navigation.obey(&to(Position::new(57.0, 10.0, None).unwrap()), &facts()).unwrap();
        assert_eq!(hear(&mut navigation, "NMEA2000", "can0.7", &next("55"), 2), None);
        assert_eq!((destination(&navigation), navigation.deadline()), (Some((57.0, 10.0)), None));
        assert_eq!(navigation.set_api_only(true), None, "a client's course stays");
        navigation.obey(&Order::Clear, &facts()).unwrap();
        assert_eq!(hear(&mut navigation, "NMEA2000", "can0.7", &next("55"), 3), None);
        navigation.set_api_only(false);
        assert_eq!(hear(&mut navigation, "NMEA2000", "can0.7", &next("55"), 4), Some(Changed::All));
        assert_eq!(navigation.set_api_only(true), Some(Changed::All));
        assert_eq!(destination(&navigation), None);
    }

    #[test]
    fn who_is_no_plotter_is_not_listened_to() {
        let mut navigation = Navigation::default();
        assert_eq!(hear(&mut navigation, "Plugin", "x", &next("55"), 1), None);
        assert_eq!(hear(&mut navigation, "NMEA2000", "x", &next("95"), 1), None);
        assert_eq!(navigation, Navigation::default());
    }

    #[test]
    fn a_leg_begins_where_the_cross_track_error_says() {
        let mut navigation = Navigation::default();
        hear(&mut navigation, "NMEA2000", "can0.7", &next("55"), 1);
        let mut seen = [5.0, 300.0, 5.0, 300.0, 301.0, 299.0]
            .map(|metres| hear(&mut navigation, "NMEA2000", "can0.7", &error(metres), 2));
        assert_eq!(seen[5].take(), Some(Changed::All));
        assert_eq!(seen, [None; 6], "not before the third in a row");
        let place = |point: &Option<super::super::Point>| point.as_ref().unwrap().position.place();
        let (from, to) = (place(&navigation.course().previous_point), place(&navigation.course().next_point));
        let found = Line::GreatCircle.cross_track(facts().vessel.unwrap().place(), from, to);
        assert!((found - 299.0).abs() < 0.1, "{found}");
    }

    #[test]
    fn what_is_stored_is_commanded_again() {
        let mut navigation = Navigation::default();
        navigation.set_api_only(true);
        navigation.obey(&to(Position::new(57.0, 10.0, None).unwrap()), &facts()).unwrap();
        assert_eq!(Navigation::read(&navigation.json()), Some(navigation));
        assert_eq!(Navigation::read("{}"), None);
    }
}
