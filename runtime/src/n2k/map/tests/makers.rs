//! Messages of makers: Raymarine, Simrad, Lowrance, Fusion.

use super::*;

fn one(definition: Definition, fields: Inputs<'_>) -> Vec<String> {
    defined(&mut Memory::default(), definition, fields, &[])
}

#[test]
fn pilots_tell_their_mode() {
    let mode = |pilot: i64, sub: i64| {
        one(Definition::Seatalk1PilotMode, &[(Field::PilotMode, Input::Raw(pilot)), (Field::SubMode, Input::Raw(sub))])
    };
    assert_eq!(mode(64, 0), [r#"steering.autopilot.state="standby""#]);
    assert_eq!(mode(70, 8), [r#"steering.autopilot.state="wind""#]);
    assert_eq!(mode(74, 0), [r#"steering.autopilot.state="route""#]);
    assert_eq!(mode(66, 4), [r#"steering.autopilot.state="auto""#]);
    assert!(mode(74, 4).is_empty() && mode(1, 0).is_empty());
    let mode = |pilot: i64| one(Definition::SeatalkPilotMode, &[(Field::PilotMode, Input::Raw(pilot))]).remove(0);
    assert_eq!(mode(64), r#"steering.autopilot.state="auto""#);
    assert_eq!(mode(385), r#"steering.autopilot.state="route""#);
    assert_eq!(mode(7), r#"steering.autopilot.state="standby""#);
    let simnet = |bits: u64| one(Definition::SimnetPilotMode, &[(Field::Mode, Input::Bits(bits))]);
    assert_eq!(simnet(1 << 3), [r#"steering.autopilot.state="standby""#]);
    assert_eq!(simnet(1 << 4 | 1 << 6), [r#"steering.autopilot.state="route""#]);
    assert!(simnet(0).is_empty());
    assert!(one(Definition::SimnetDeviceStatus, &[]).is_empty());
}

#[test]
fn pilots_tell_their_target_and_hull() {
    let angle = |mode: i64| {
        one(Definition::SimnetAutopilotAngle, &[(Field::Mode, Input::Raw(mode)), (Field::Angle, Input::Raw(10_000))])
    };
    assert_eq!(angle(10), ["steering.autopilot.target.headingMagnetic=1"]);
    assert_eq!(angle(3), ["steering.autopilot.target.windAngleApparent=1"]);
    assert!(angle(4).is_empty());
    let port = [(Field::Mode, Input::Raw(3)), (Field::Angle, Input::Raw(60_000))];
    let values = one(Definition::SimnetAutopilotAngle, &port);
    assert_eq!(values, ["steering.autopilot.target.windAngleApparent=-0.28318530717958623"]);
    assert_eq!(one(Definition::SeatalkPilotWindDatum, &[]), ["steering.autopilot.target.windAngleApparent=null"]);
    assert_eq!(
        one(
            Definition::SeatalkPilotLockedHeading,
            &[(Field::TargetHeadingTrue, Input::Raw(0)), (Field::TargetHeadingMagnetic, Input::Raw(1)),]
        ),
        ["steering.autopilot.target.headingMagnetic=0.0001"]
    );
    assert_eq!(
        one(Definition::Seatalk1PilotHullType, &[(Field::HullType, Input::Raw(2))]),
        [r#"steering.autopilot.hullType="sailCatamaran""#]
    );
    assert_eq!(
        one(Definition::SeatalkPilotAutoTurn, &[(Field::Enabled, Input::Raw(1))]),
        ["steering.autopilot.autoTurn.state=true"]
    );
    let steer = |reference: i64| {
        mapped(
            127_237,
            &[(Field::HeadingReference, Input::Raw(reference)), (Field::HeadingToSteerCourse, Input::Raw(1))],
        )
    };
    assert_eq!(steer(1), ["steering.autopilot.target.headingMagnetic=0.0001"]);
    assert_eq!(steer(0), ["steering.autopilot.target.headingTrue=0.0001"]);
}

#[test]
fn alarms_of_makers_notify() {
    let alarm = |id: i64, status: i64| {
        let fields = [
            (Field::AlarmStatus, Input::Raw(status)),
            (Field::AlarmId, Input::Raw(id)),
            (Field::AlarmGroup, Input::Raw(3)),
        ];
        one(Definition::SeatalkAlarm, &fields).remove(0)
    };
    assert_eq!(
        alarm(1, 1),
        r#"notifications.chartplotter.ShallowDepth={"message":"Shallow Depth","method":["visual","sound"],"state":"alarm","timestamp":"2026-06-01T10:00:00.000Z"}"#
    );
    assert!(alarm(14, 2).contains(r#""method":["visual"],"state":"alert""#));
    assert!(alarm(14, 0).contains(r#""state":"normal""#));
    assert!(
        alarm(250, 1).starts_with(r#"notifications.chartplotter.unknown250={"message":"Unknown Seatalk Alarm 250""#)
    );
    assert!(one(Definition::SeatalkAlarm, &[(Field::AlarmStatus, Input::Raw(1))]).is_empty());
    assert_eq!(
        one(Definition::SimnetAlarm, &[(Field::Alarm, Input::Raw(9999))]),
        [
            r#"notifications.unknown9999={"message":"Unknown Simnet Alarm 9999","method":["visual"],"state":"warn","timestamp":"2026-06-01T10:00:00.000Z"}"#
        ]
    );
    assert!(one(Definition::SimnetCommandApStandby, &[]).is_empty());
}

#[test]
fn displays_tell_brightness_and_colour() {
    assert_eq!(
        one(
            Definition::Seatalk1DisplayBrightness,
            &[(Field::Group, Input::Raw(1)), (Field::Brightness, Input::Raw(60)),]
        ),
        ["electrical.displays.raymarine.helm1.brightness=0.6"]
    );
    assert_eq!(
        one(Definition::Seatalk1DisplayColor, &[(Field::Group, Input::Raw(6)), (Field::Color, Input::Raw(3))]),
        [r#"electrical.displays.raymarine.group1.color="red/black""#]
    );
    let navico = |key: i64, value: &[u8]| {
        let fields = [
            (Field::DisplayGroup, Input::Raw(1)),
            (Field::Key, Input::Raw(key)),
            (Field::Minlength, Input::Raw(1)),
            (Field::Value, Input::Bytes(value)),
        ];
        one(Definition::SimnetKeyValue, &fields)
    };
    assert_eq!(navico(4863, &[88]), ["electrical.displays.navico.default.brightness=0.88"]);
    assert_eq!(navico(9983, &[4]), ["electrical.displays.navico.default.nightMode.state=1"]);
    assert_eq!(navico(44_079, &[2]), [r#"electrical.displays.navico.default.nightModeColor="blue""#]);
    assert!(navico(41, &[0, 0]).is_empty());
}

#[test]
fn temperatures_of_lowrance_have_no_instance() {
    let temperature = |source: i64, raw: i64| {
        let fields = [(Field::TemperatureSource, Input::Raw(source)), (Field::ActualTemperature, Input::Raw(raw))];
        one(Definition::LowranceTemperature, &fields)
    };
    assert_eq!(temperature(0, 28_500), ["environment.water.temperature=285"]);
    assert_eq!(temperature(5, 28_500), ["tanks.liveWell.default.temperature=285"]);
    assert!(temperature(0, 0).is_empty() && temperature(200, 28_500).is_empty());
}

#[test]
fn stereos_tell_what_plays_once_the_source_is_known() {
    let mut memory = Memory::default();
    let track = [(Field::Track, Input::Text("Blue Train"))];
    assert!(defined(&mut memory, Definition::FusionTrackName, &track, &[]).is_empty());
    let source = [
        (Field::SourceId, Input::Raw(2)),
        (Field::CurrentSourceId, Input::Raw(5)),
        (Field::Source, Input::Text("AUX")),
    ];
    let values = defined(&mut memory, Definition::FusionSource, &source, &[]);
    assert_eq!(values.len(), 5);
    assert_eq!(
        values[3..],
        [
            r#"entertainment.device.fusion1.output.zone4.source="entertainment.device.fusion1.avsource.source5""#,
            r#"entertainment.device.fusion1.avsource.source2.name="AUX""#,
        ]
    );
    assert_eq!(
        defined(&mut memory, Definition::FusionTrackName, &track, &[]),
        [r#"entertainment.device.fusion1.avsource.source5.track.name="Blue Train""#]
    );
    let media = [(Field::Length, Input::Raw(205_500)), (Field::Flags, Input::Raw(2)), (Field::Track, Input::Raw(3))];
    assert_eq!(
        defined(&mut memory, Definition::FusionMedia, &media, &[]),
        [
            "entertainment.device.fusion1.avsource.source5.track.length=205.5",
            "entertainment.device.fusion1.avsource.source5.track.number=3",
            r#"entertainment.device.fusion1.avsource.source5.playbackState="Paused""#,
        ]
    );
    let tuner = |id: i64| [(Field::SourceId, Input::Raw(id)), (Field::Frequency, Input::Raw(99_500_000))];
    assert_eq!(
        defined(&mut memory, Definition::FusionTuner, &tuner(1), &[]),
        ["entertainment.device.fusion1.avsource.source5.tuner.frequency=99.5"]
    );
    assert_eq!(
        defined(&mut memory, Definition::FusionTuner, &tuner(0), &[]),
        ["entertainment.device.fusion1.avsource.source5.tuner.frequency=99500"]
    );
}

#[test]
fn stereos_tell_of_their_zones() {
    assert_eq!(
        one(Definition::FusionVolumes, &[(Field::Zone1, Input::Raw(12)), (Field::Zone3, Input::Raw(0))]),
        [
            "entertainment.device.fusion1.output.zone1.volume.master=12",
            "entertainment.device.fusion1.output.zone3.volume.master=0",
        ]
    );
    assert_eq!(
        one(Definition::FusionZoneName, &[(Field::Number, Input::Raw(0)), (Field::Name, Input::Text("Saloon"))]),
        [r#"entertainment.device.fusion1.output.zone1.name="Saloon""#]
    );
    assert_eq!(
        one(Definition::FusionMute, &[(Field::Mute, Input::Raw(1))])[1],
        "entertainment.device.fusion1.output.zone2.isMuted=true"
    );
    assert_eq!(
        one(Definition::FusionEq, &[(Field::Bass, Input::Raw(-3)), (Field::Treble, Input::Raw(2))])[3],
        r#"entertainment.device.fusion1.output.zone4.equalizer={"bass":-3,"treble":2}"#
    );
    assert_eq!(
        one(Definition::FusionPowerState, &[(Field::State, Input::Raw(1))]),
        [r#"entertainment.device.fusion1.state="on""#]
    );
}
