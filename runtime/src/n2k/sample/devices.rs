//! What each device of the simulated boat sends, and how often.

use core::f64::consts::{PI, TAU};

use super::START;
use super::boat::{Boat, full_turn, half_turn};
use crate::n2k::encode::{EncodeError, Input};
use crate::n2k::id::{Pgn, SourceAddress};
use crate::n2k::payload::Payload;
use crate::n2k::tables::Field;

/// One message that a device sends again and again.
pub(super) struct SampleRow {
    pub period_millis: i64,
    /// Rows are spread so that the bus is not silent between bursts.
    pub phase_millis: i64,
    pub source: SourceAddress,
    pub priority: u8,
    pub pgn: Pgn,
    pub fields: fn(&SampleState<'_>, Encode<'_>) -> Result<Payload, EncodeError>,
}

/// The encoder of one row.
type Encode<'e> = &'e dyn Fn(&[(Field, Input<'_>)]) -> Result<Payload, EncodeError>;

/// The boat as the devices measure it.
pub(super) struct SampleState<'b> {
    pub boat: &'b Boat,
    pub elapsed: i64,
    pub sid: i64,
}

const GNSS: SourceAddress = SourceAddress(10);
const COMPASS: SourceAddress = SourceAddress(20);
const WIND: SourceAddress = SourceAddress(30);
const LOG: SourceAddress = SourceAddress(35);
const ENGINE: SourceAddress = SourceAddress(40);
const BATTERY: SourceAddress = SourceAddress(50);
const TANK: SourceAddress = SourceAddress(51);
const RUDDER: SourceAddress = SourceAddress(60);
const WEATHER: SourceAddress = SourceAddress(70);

/// Magnetic variation, rad: 3.5 degrees east.
const VARIATION: f64 = 3.5 * PI / 180.0;

/// Largest yaw that fits the range of PGN 127257, rad: a step below half a turn.
const YAW_MAX: f64 = PI - 1e-4;

/// Everything that is sent, about 100 frames a second.
pub(super) static SCHEDULE: [SampleRow; 20] = [
    row(100, 0, COMPASS, 2, 127_250, magnetic_heading),
    row(100, 10, GNSS, 2, 127_250, true_heading),
    row(100, 20, WIND, 2, 130_306, wind),
    row(100, 30, LOG, 2, 128_259, speed),
    row(100, 40, GNSS, 2, 129_025, position),
    row(100, 50, COMPASS, 2, 127_251, rate_of_turn),
    row(100, 60, ENGINE, 2, 127_488, engine_rapid),
    row(100, 70, RUDDER, 2, 127_245, rudder),
    row(250, 85, GNSS, 2, 129_026, course),
    row(500, 95, LOG, 3, 128_267, depth),
    row(200, 75, COMPASS, 3, 127_257, attitude),
    row(1000, 35, GNSS, 3, 129_029, gnss),
    row(500, 125, ENGINE, 2, 127_489, engine_dynamic),
    row(1500, 165, BATTERY, 6, 127_508, battery),
    row(2500, 215, TANK, 6, 127_505, fuel),
    row(2500, 265, TANK, 6, 127_505, fresh_water),
    row(2000, 315, WEATHER, 5, 130_310, outside),
    row(2000, 365, WEATHER, 5, 130_311, climate),
    row(2000, 415, ENGINE, 5, 130_312, engine_room),
    row(2000, 465, LOG, 5, 130_312, water_temperature),
];

const fn row(
    period_millis: i64,
    phase_millis: i64,
    source: SourceAddress,
    priority: u8,
    pgn: u32,
    fields: fn(&SampleState<'_>, Encode<'_>) -> Result<Payload, EncodeError>,
) -> SampleRow {
    SampleRow { period_millis, phase_millis, source, priority, pgn: Pgn(pgn), fields }
}

impl SampleState<'_> {
    fn truth(&self) -> super::Truth {
        self.boat.truth(self.elapsed)
    }

    /// Returns a slow change around `mean` for values that nothing else depends on.
    fn drift(&self, mean: f64, amplitude: f64, period_seconds: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a century of milliseconds is exact")]
        let seconds = self.elapsed as f64 / 1000.0;
        mean + amplitude * libm::sin(TAU * seconds / period_seconds)
    }

    fn seconds(&self) -> i64 {
        self.elapsed / 1000
    }
}

/// Returns the raw number of a value for a resolution of 1 / `steps`.
fn raw(value: f64, steps: f64) -> Input<'static> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and the encoder checks the range")]
    Input::Raw(libm::round(value * steps) as i64)
}

/// Returns the raw number of an angle of 0 to 2 pi; what rounds up to a whole turn is zero.
fn angle(radians: f64) -> Input<'static> {
    match raw(full_turn(radians), 1e4) {
        Input::Raw(62_832..) => Input::Raw(0),
        raw => raw,
    }
}

fn heading(state: &SampleState<'_>, encode: Encode<'_>, radians: f64, reference: &str) -> Result<Payload, EncodeError> {
    let heading = [
        (Field::Sid, Input::Raw(state.sid)),
        (Field::Heading, angle(radians)),
        (Field::Reference, Input::Text(reference)),
    ];
    encode(&heading)
}

fn magnetic_heading(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[
        (Field::Sid, Input::Raw(state.sid)),
        (Field::Heading, angle(state.truth().heading - VARIATION)),
        (Field::Variation, raw(VARIATION, 1e4)),
        (Field::Reference, Input::Text("Magnetic")),
    ])
}

fn true_heading(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    heading(state, encode, state.truth().heading, "True")
}

fn wind(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    let truth = state.truth();
    encode(&[
        (Field::Sid, Input::Raw(state.sid)),
        (Field::WindSpeed, raw(truth.apparent_speed, 100.0)),
        (Field::WindAngle, angle(truth.apparent_angle)),
        (Field::Reference, Input::Text("Apparent")),
    ])
}

fn speed(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[
        (Field::Sid, Input::Raw(state.sid)),
        (Field::SpeedWaterReferenced, raw(state.truth().speed_through_water, 100.0)),
        (Field::SpeedWaterReferencedType, Input::Text("Paddle wheel")),
    ])
}

fn position(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[(Field::Latitude, raw(state.boat.latitude, 1e7)), (Field::Longitude, raw(state.boat.longitude, 1e7))])
}

fn course(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    let truth = state.truth();
    encode(&[
        (Field::Sid, Input::Raw(state.sid)),
        (Field::CogReference, Input::Text("True")),
        (Field::Cog, angle(truth.course_over_ground)),
        (Field::Sog, raw(truth.speed_over_ground, 100.0)),
    ])
}

fn gnss(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    let time = START.0.saturating_add(state.elapsed);
    encode(&[
        (Field::Sid, Input::Raw(state.sid)),
        (Field::Date, Input::Raw(time.div_euclid(86_400_000))),
        (Field::Time, Input::Raw(time.rem_euclid(86_400_000).saturating_mul(10))),
        (Field::Latitude, raw(state.boat.latitude, 1e16)),
        (Field::Longitude, raw(state.boat.longitude, 1e16)),
        (Field::Altitude, raw(state.drift(2.4, 0.3, 11.0), 1e6)),
        (Field::GnssType, Input::Text("GPS+GLONASS")),
        (Field::Method, Input::Text("GNSS fix")),
        (Field::Integrity, Input::Text("No integrity checking")),
        (Field::NumberOfSvs, Input::Raw(11)),
        (Field::Hdop, raw(0.9, 100.0)),
        (Field::Pdop, raw(1.5, 100.0)),
        (Field::GeoidalSeparation, raw(40.1, 100.0)),
        (Field::ReferenceStations, Input::Raw(0)),
    ])
}

fn rate_of_turn(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[(Field::Sid, Input::Raw(state.sid)), (Field::Rate, raw(state.truth().rate_of_turn, 3.2e7))])
}

fn attitude(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[
        (Field::Sid, Input::Raw(state.sid)),
        (Field::Yaw, raw(half_turn(state.truth().heading - VARIATION).clamp(-YAW_MAX, YAW_MAX), 1e4)),
        (Field::Pitch, raw(state.drift(0.01, 0.03, 4.3), 1e4)),
        (Field::Roll, raw(state.drift(0.21, 0.04, 6.1), 1e4)),
    ])
}

fn rudder(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[(Field::Instance, Input::Raw(0)), (Field::Position, raw(state.truth().rate_of_turn * 1.5 - 0.02, 1e4))])
}

fn depth(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[
        (Field::Sid, Input::Raw(state.sid)),
        (Field::Depth, raw(state.truth().depth, 100.0)),
        (Field::Offset, raw(-0.4, 1000.0)),
    ])
}

fn engine_rapid(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[(Field::Instance, Input::Raw(0)), (Field::Speed, raw(state.drift(1850.0, 25.0, 13.0), 4.0))])
}

fn engine_dynamic(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[
        (Field::Instance, Input::Raw(0)),
        (Field::OilPressure, raw(state.drift(345_000.0, 5_000.0, 23.0), 0.01)),
        (Field::OilTemperature, raw(state.drift(368.0, 0.5, 71.0), 10.0)),
        (Field::Temperature, raw(state.drift(355.4, 0.8, 83.0), 100.0)),
        (Field::AlternatorPotential, raw(state.drift(14.1, 0.05, 19.0), 100.0)),
        (Field::FuelRate, raw(state.drift(4.2, 0.2, 13.0), 10.0)),
        (Field::TotalEngineHours, Input::Raw(4_512_300_i64.saturating_add(state.seconds()))),
        (Field::CoolantPressure, raw(92_000.0, 0.01)),
        (Field::FuelPressure, raw(300_000.0, 0.001)),
        (Field::DiscreteStatus1, Input::Raw(0)),
        (Field::DiscreteStatus2, Input::Raw(0)),
        (Field::EngineLoad, raw(state.drift(42.0, 2.0, 13.0), 1.0)),
        (Field::EngineTorque, raw(state.drift(47.0, 2.0, 13.0), 1.0)),
    ])
}

fn battery(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[
        (Field::Instance, Input::Raw(0)),
        (Field::Voltage, raw(state.drift(13.85, 0.05, 19.0), 100.0)),
        (Field::Current, raw(state.drift(6.0, 3.0, 27.0), 10.0)),
        (Field::Temperature, raw(296.4, 100.0)),
        (Field::Sid, Input::Raw(state.sid)),
    ])
}

fn tank(encode: Encode<'_>, fluid: &str, percent: f64, litres: f64) -> Result<Payload, EncodeError> {
    encode(&[
        (Field::Instance, Input::Raw(0)),
        (Field::Type, Input::Text(fluid)),
        (Field::Level, raw(percent.max(0.0), 250.0)),
        (Field::Capacity, raw(litres, 10.0)),
    ])
}

fn fuel(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    tank(encode, "Fuel", state.drift(63.0, 0.2, 41.0), 180.0)
}

fn fresh_water(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    tank(encode, "Water", state.drift(81.0, 0.1, 43.0), 250.0)
}

fn outside(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[
        (Field::Sid, Input::Raw(state.sid)),
        (Field::OutsideAmbientAirTemperature, raw(state.drift(293.1, 0.2, 61.0), 100.0)),
        (Field::AtmosphericPressure, raw(101_300.0, 0.01)),
    ])
}

fn climate(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    encode(&[
        (Field::Sid, Input::Raw(state.sid)),
        (Field::TemperatureSource, Input::Text("Main Cabin Temperature")),
        (Field::HumiditySource, Input::Text("Outside")),
        (Field::Temperature, raw(295.2, 100.0)),
        (Field::Humidity, raw(state.drift(68.0, 1.0, 59.0), 250.0)),
    ])
}

fn temperature(state: &SampleState<'_>, encode: Encode<'_>, source: &str, kelvin: f64) -> Result<Payload, EncodeError> {
    encode(&[
        (Field::Sid, Input::Raw(state.sid)),
        (Field::Instance, Input::Raw(0)),
        (Field::Source, Input::Text(source)),
        (Field::ActualTemperature, raw(kelvin, 100.0)),
    ])
}

fn engine_room(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    temperature(state, encode, "Engine Room Temperature", state.drift(311.5, 0.4, 67.0))
}

fn water_temperature(state: &SampleState<'_>, encode: Encode<'_>) -> Result<Payload, EncodeError> {
    temperature(state, encode, "Sea Temperature", state.drift(289.4, 0.1, 73.0))
}
