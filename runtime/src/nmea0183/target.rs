//! AIS messages as values of another vessel, station, aircraft or mark.

use core::fmt::Write;

use aivdm::message::StaticDataReport;
use aivdm::{AisMessage, Cog, Heading, Latitude, Longitude, NavigationStatus, Sog};

use super::broadcast;
use super::fields::{knots, radians};
use crate::delta::{Value, ValueSink};
use crate::json::Decimal;
use crate::n2k::map::{aton_type, ship_type};
use crate::time::UnixMillis;

/// A context: `vessels.urn:mrn:imo:mmsi:` and nine digits.
pub(super) type Context = heapless::String<48>;

/// Returns the context of a message's sender; `None` for messages that say nothing of it.
pub(super) fn context(message: &AisMessage) -> Option<Context> {
    let (group, mmsi) = match message {
        AisMessage::PositionReportClassA(report) => ("vessels", report.mmsi),
        AisMessage::PositionReportClassB(report) => ("vessels", report.mmsi),
        AisMessage::PositionReportClassBExtended(report) => ("vessels", report.mmsi),
        AisMessage::LongRangeBroadcast(report) => ("vessels", report.mmsi),
        AisMessage::StaticVoyageData(data) => ("vessels", data.mmsi),
        AisMessage::StaticDataReport(StaticDataReport::A(part)) => ("vessels", part.mmsi),
        AisMessage::StaticDataReport(StaticDataReport::B(part)) => ("vessels", part.mmsi),
        // Message 11 is the answer of a vessel.
        AisMessage::BaseStationReport(report) if report.message_type == 11 => ("vessels", report.mmsi),
        AisMessage::BaseStationReport(report) => ("atons", report.mmsi),
        AisMessage::AidToNavigationReport(report) => ("atons", report.mmsi),
        AisMessage::SarAircraftPositionReport(report) => ("aircraft", report.mmsi),
        AisMessage::SafetyRelatedBroadcast(message) => ("vessels", message.mmsi),
        AisMessage::BinaryBroadcastMessage(message) => return broadcast::context(message),
        _ => return None,
    };
    mmsi_context(group, mmsi.raw())
}

/// Returns `vessels.urn:mrn:imo:mmsi:` with another group, and a number.
pub(super) fn mmsi_context(group: &str, mmsi: u32) -> Option<Context> {
    let mut context = Context::new();
    // 8 letters, 18 of the URN, 10 digits at most.
    write!(context, "{group}.urn:mrn:imo:mmsi:{mmsi:09}").ok()?;
    Some(context)
}

/// Gives the values of the own vessel's message (VDO): how it moves. What it is stands in its settings.
pub(super) fn own(message: &AisMessage, sink: &mut dyn ValueSink) {
    if let Some(motion) = Motion::of(message) {
        motion.give(sink);
    }
}

/// Gives the values of a message; `now` tells the year of an arrival.
pub(super) fn values(message: &AisMessage, now: UnixMillis, sink: &mut dyn ValueSink) {
    if let Some(motion) = Motion::of(message) {
        motion.give(sink);
    }
    match message {
        AisMessage::PositionReportClassA(report) => {
            identity(sink, report.mmsi.raw(), Some("A"));
            state(sink, report.navigation_status);
            let maneuver = usize::from(report.maneuver_indicator.to_raw());
            if let Some(maneuver) = MANEUVERS.get(maneuver) {
                sink.value("navigation.specialManeuver", Value::Text(maneuver));
            }
        }
        AisMessage::PositionReportClassB(report) => identity(sink, report.mmsi.raw(), Some("B")),
        AisMessage::PositionReportClassBExtended(report) => {
            identity(sink, report.mmsi.raw(), Some("B"));
            name(sink, report.name.as_str());
            kind(sink, report.ship_type);
            Sides {
                bow: report.dimension_to_bow,
                stern: report.dimension_to_stern,
                port: report.dimension_to_port,
                starboard: report.dimension_to_starboard,
            }
            .give(sink);
        }
        AisMessage::LongRangeBroadcast(report) => {
            identity(sink, report.mmsi.raw(), None);
            state(sink, report.navigation_status);
        }
        AisMessage::BaseStationReport(report) => {
            identity(sink, report.mmsi.raw(), (report.message_type == 4).then_some("BASE"));
        }
        AisMessage::SafetyRelatedBroadcast(message) => identity(sink, message.mmsi.raw(), None),
        AisMessage::BinaryBroadcastMessage(message) => {
            identity(sink, message.mmsi.raw(), None);
            broadcast::values(message, now, sink);
        }
        AisMessage::SarAircraftPositionReport(report) => identity(sink, report.mmsi.raw(), None),
        AisMessage::StaticVoyageData(data) => {
            identity(sink, data.mmsi.raw(), Some("A"));
            name(sink, data.name.as_str());
            callsign(sink, data.call_sign.as_str());
            kind(sink, data.ship_type);
            Sides {
                bow: data.dimension_to_bow,
                stern: data.dimension_to_stern,
                port: data.dimension_to_port,
                starboard: data.dimension_to_starboard,
            }
            .give(sink);
            if data.draught_decimeters > 0 {
                let draft = Value::Number(Decimal::new(data.draught_decimeters.into(), -1));
                sink.value("design.draft", Value::Object(&[("current", draft)]));
            }
            let destination = unpadded(data.destination.as_str());
            if !destination.is_empty() {
                sink.value("navigation.destination.commonName", Value::Text(destination));
            }
            arrival(sink, [data.eta_month, data.eta_day, data.eta_hour, data.eta_minute], now);
            if data.imo_number != 0 {
                let mut imo = heapless::String::<16>::new();
                // 4 letters, 10 digits at most.
                let _ = write!(imo, "IMO {}", data.imo_number);
                let registrations = Value::Object(&[("imo", Value::Text(&imo))]);
                sink.value("", Value::Object(&[("registrations", registrations)]));
            }
        }
        AisMessage::StaticDataReport(StaticDataReport::A(part)) => {
            identity(sink, part.mmsi.raw(), None);
            name(sink, part.name.as_str());
        }
        AisMessage::StaticDataReport(StaticDataReport::B(part)) => {
            identity(sink, part.mmsi.raw(), None);
            callsign(sink, part.call_sign.as_str());
            kind(sink, part.ship_type);
            // A craft that belongs to a ship tells its number instead.
            if part.mmsi.raw() / 10_000_000 != 98 {
                Sides {
                    bow: part.dimension_to_bow,
                    stern: part.dimension_to_stern,
                    port: part.dimension_to_port,
                    starboard: part.dimension_to_starboard,
                }
                .give(sink);
            }
        }
        AisMessage::AidToNavigationReport(report) => {
            identity(sink, report.mmsi.raw(), Some("ATON"));
            name(sink, report.name.as_str());
            let code = i64::from(report.aid_type);
            if let Some(text) = aton_type(code).filter(|_| code > 0) {
                let members = [("id", Value::Number(Decimal::new(code, 0))), ("name", Value::Text(text))];
                sink.value("atonType", Value::Object(&members));
            }
            sink.value("offPosition", Value::Bool(report.off_position));
            sink.value("virtual", Value::Bool(report.virtual_aid));
            Sides {
                bow: report.dimension_to_bow,
                stern: report.dimension_to_stern,
                port: report.dimension_to_port,
                starboard: report.dimension_to_starboard,
            }
            .give(sink);
        }
        _ => {}
    }
}

/// By navigational status (ITU-R M.1371, table 45), in the words of Signal K's parser.
pub(super) const STATES: [&str; 16] = [
    "motoring",
    "anchored",
    "not under command",
    "restricted manouverability",
    "constrained by draft",
    "moored",
    "aground",
    "fishing",
    "sailing",
    "hazardous material high speed",
    "hazardous material wing in ground",
    "",
    "",
    "",
    "ais-sart",
    "default",
];
/// By special manoeuvre indicator.
pub(super) const MANEUVERS: [&str; 4] = ["not available", "not engaged", "engaged", "reserved"];

fn state(sink: &mut dyn ValueSink, status: NavigationStatus) {
    let status = usize::from(NavigationStatus::to_raw(status));
    if let Some(state) = STATES.get(status).filter(|state| !state.is_empty()) {
        sink.value("navigation.state", Value::Text(state));
    }
}

/// How something moves: degrees, metres per second, radians, radians per second.
#[derive(Default)]
struct Motion {
    position: Option<(f64, f64)>,
    speed: Option<f64>,
    course: Option<f64>,
    heading: Option<f64>,
    turn: Option<f64>,
}

impl Motion {
    fn new(latitude: Latitude, longitude: Longitude, speed: Sog, course: Cog, heading: Option<Heading>) -> Self {
        Self {
            position: latitude.as_degrees().zip(longitude.as_degrees()),
            speed: speed.knots().map(knots),
            course: course.degrees().filter(|degrees| *degrees < 360.0).map(radians),
            heading: heading
                .and_then(Heading::degrees)
                .filter(|degrees| *degrees < 360)
                .map(|degrees| radians(degrees.into())),
            turn: None,
        }
    }

    fn of(message: &AisMessage) -> Option<Self> {
        Some(match message {
            AisMessage::PositionReportClassA(report) => Self {
                turn: report.rate_of_turn.degrees_per_minute().map(|degrees| radians(degrees) / 60.0),
                ..Self::new(report.latitude, report.longitude, report.sog, report.cog, Some(report.heading))
            },
            AisMessage::PositionReportClassB(report) => {
                Self::new(report.latitude, report.longitude, report.sog, report.cog, Some(report.heading))
            }
            AisMessage::PositionReportClassBExtended(report) => {
                Self::new(report.latitude, report.longitude, report.sog, report.cog, Some(report.heading))
            }
            AisMessage::BaseStationReport(report) => {
                Self { position: report.latitude.as_degrees().zip(report.longitude.as_degrees()), ..Self::default() }
            }
            AisMessage::AidToNavigationReport(report) => {
                Self { position: report.latitude.as_degrees().zip(report.longitude.as_degrees()), ..Self::default() }
            }
            AisMessage::SarAircraftPositionReport(report) => Self {
                position: report.latitude.as_degrees().zip(report.longitude.as_degrees()),
                // Whole knots; 1023 is "not available".
                speed: Some(report.sog_knots).filter(|speed| *speed < 1023).map(|speed| knots(speed.into())),
                course: report.cog.degrees().filter(|degrees| *degrees < 360.0).map(radians),
                heading: None,
                turn: None,
            },
            AisMessage::LongRangeBroadcast(report) => Self {
                // Tenths of minutes. 91 and 181 degrees are "not available", and none of the earth; the reader takes 910 and
                // 1810 tenths for that, which are places.
                position: Some((f64::from(report.latitude_raw) / 600.0, f64::from(report.longitude_raw) / 600.0)),
                speed: Some(report.sog_knots).filter(|speed| *speed < 63).map(|speed| knots(speed.into())),
                course: Some(report.cog_degrees)
                    .filter(|degrees| *degrees < 360)
                    .map(|degrees| radians(degrees.into())),
                heading: None,
                turn: None,
            },
            _ => return None,
        })
    }

    fn give(&self, sink: &mut dyn ValueSink) {
        for (path, value) in [
            ("navigation.speedOverGround", self.speed),
            ("navigation.courseOverGroundTrue", self.course),
            ("navigation.headingTrue", self.heading),
            ("navigation.rateOfTurn", self.turn),
        ] {
            if let Some(value) = value {
                sink.value(path, Value::Float(value));
            }
        }
        if let Some(position) = self.position {
            place(sink, position);
        }
    }
}

/// Gives latitude and longitude in degrees.
pub(super) fn place(sink: &mut dyn ValueSink, (latitude, longitude): (f64, f64)) {
    // Zero is what transponders without a fix send.
    let is_sound =
        latitude != 0.0 && longitude != 0.0 && libm::fabs(latitude) <= 90.0 && libm::fabs(longitude) <= 180.0;
    if is_sound {
        let members = [("longitude", Value::Float(longitude)), ("latitude", Value::Float(latitude))];
        sink.value("navigation.position", Value::Object(&members));
    }
}

/// Distances of the antenna in metres.
struct Sides {
    bow: u16,
    stern: u16,
    port: u8,
    starboard: u8,
}

impl Sides {
    fn give(&self, sink: &mut dyn ValueSink) {
        let number = |metres: i64| Value::Number(Decimal::new(metres, 0));
        let (length, beam) =
            (i64::from(self.bow) + i64::from(self.stern), i64::from(self.port) + i64::from(self.starboard));
        if length > 0 {
            sink.value("design.length", Value::Object(&[("overall", number(length))]));
        }
        if beam > 0 {
            sink.value("design.beam", number(beam));
        }
        if self.bow > 0 {
            sink.value("sensors.ais.fromBow", number(self.bow.into()));
        }
        if beam > 0 && self.starboard > 0 {
            // Half the beam less the distance to starboard, in halves of a metre.
            let center = Decimal::new((beam - 2 * i64::from(self.starboard)) * 5, -1);
            sink.value("sensors.ais.fromCenter", Value::Number(center));
        }
    }
}

fn identity(sink: &mut dyn ValueSink, mmsi: u32, class: Option<&str>) {
    let mut digits = heapless::String::<10>::new();
    // 10 digits at most.
    let _ = write!(digits, "{mmsi:09}");
    sink.value("", Value::Object(&[("mmsi", Value::Text(&digits))]));
    if let Some(class) = class {
        sink.value("sensors.ais.class", Value::Text(class));
    }
}

/// Returns a text without what fills its field: all from the first `@` on, and blanks (ITU-R M.1371, table 47).
fn unpadded(text: &str) -> &str {
    text.split('@').next().unwrap_or_default().trim()
}

pub(super) fn name(sink: &mut dyn ValueSink, name: &str) {
    let name = unpadded(name);
    if !name.is_empty() {
        sink.value("", Value::Object(&[("name", Value::Text(name))]));
    }
}

fn callsign(sink: &mut dyn ValueSink, callsign: &str) {
    let callsign = unpadded(callsign);
    if !callsign.is_empty() {
        let communication = Value::Object(&[("callsignVhf", Value::Text(callsign))]);
        sink.value("", Value::Object(&[("communication", communication)]));
    }
}

fn kind(sink: &mut dyn ValueSink, code: u8) {
    if let Some(text) = ship_type(code.into()) {
        let members = [("id", Value::Number(Decimal::new(code.into(), 0))), ("name", Value::Text(text))];
        sink.value("design.aisShipType", Value::Object(&members));
    }
}

/// Gives the arrival, whose year is not sent: the next time that this date comes.
fn arrival(sink: &mut dyn ValueSink, [month, day, hour, minute]: [u8; 4], now: UnixMillis) {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 {
        return;
    }
    let today = now.text();
    let Some(year) = today.get(..4).and_then(|year| year.parse::<i64>().ok()) else { return };
    let of_day = (i64::from(hour) * 60 + i64::from(minute)) * 60_000;
    let this_year = UnixMillis::from_civil(year, month.into(), day.into(), of_day);
    let time =
        if this_year < now { UnixMillis::from_civil(year + 1, month.into(), day.into(), of_day) } else { this_year };
    sink.value("navigation.destination.eta", Value::Text(&time.text()));
}
