//! Alternating and direct current: shore power, generators, converters.

use super::rule::{How, Leaf, Mapping, Root, leaf, leaves};
use super::text::join;
use super::{Scene, faults, find};
use crate::delta::Value;
use crate::n2k::id::Pgn;
use crate::n2k::tables::Field;

pub(super) const MAPPINGS: &[Mapping] = &[
    // Meters name the shore or the generator by the device instance of their address claim.
    energy(65_005, Root::Device("electrical.ac.", ".total")),
    reactive(65_006, Root::Device("electrical.ac.", ".phase.C")),
    real(65_007, Root::Device("electrical.ac.", ".phase.C")),
    basic(65_008, Root::Device("electrical.ac.", ".phase.C")),
    reactive(65_009, Root::Device("electrical.ac.", ".phase.B")),
    real(65_010, Root::Device("electrical.ac.", ".phase.B")),
    basic(65_011, Root::Device("electrical.ac.", ".phase.B")),
    reactive(65_012, Root::Device("electrical.ac.", ".phase.A")),
    real(65_013, Root::Device("electrical.ac.", ".phase.A")),
    basic(65_014, Root::Device("electrical.ac.", ".phase.A")),
    reactive(65_015, Root::Device("electrical.ac.", ".total")),
    real(65_016, Root::Device("electrical.ac.", ".total")),
    basic(65_017, Root::Device("electrical.ac.", ".average")),
    energy(65_018, Root::Device("electrical.generators.", ".total")),
    reactive(65_019, Root::Device("electrical.generators.", ".phase.C")),
    real(65_020, Root::Device("electrical.generators.", ".phase.C")),
    basic(65_021, Root::Device("electrical.generators.", ".phase.C")),
    reactive(65_022, Root::Device("electrical.generators.", ".phase.B")),
    real(65_023, Root::Device("electrical.generators.", ".phase.B")),
    basic(65_024, Root::Device("electrical.generators.", ".phase.B")),
    reactive(65_025, Root::Device("electrical.generators.", ".phase.A")),
    real(65_026, Root::Device("electrical.generators.", ".phase.A")),
    basic(65_027, Root::Device("electrical.generators.", ".phase.A")),
    reactive(65_028, Root::Device("electrical.generators.", ".total")),
    real(65_029, Root::Device("electrical.generators.", ".total")),
    basic(65_030, Root::Device("electrical.generators.", ".average")),
    Mapping::code(127_503, inputs),
    Mapping::code(127_504, outputs),
    Mapping::fields(127_744, CONNECTION, &PHASE_A),
    Mapping::fields(127_745, CONNECTION, &PHASE_B),
    Mapping::fields(127_746, CONNECTION, &PHASE_C),
    Mapping::fields(
        127_750,
        Root::Connection("electrical.converter."),
        &[
            leaf(Field::OperatingState, ".operatingState", How::LowerText),
            leaf(Field::TemperatureState, ".temperatureState", How::LowerText),
            leaf(Field::OverloadState, ".overloadState", How::LowerText),
            leaf(Field::LowDcVoltageState, ".lowDCVoltageState", How::LowerText),
            leaf(Field::RippleState, ".rippleState", How::LowerText),
        ],
    ),
    Mapping::fields(
        127_751,
        Root::Connection("electrical.dc."),
        &[leaf(Field::DcVoltage, ".voltage", How::Same), leaf(Field::DcCurrent, ".current", How::Same)],
    ),
];

const CONNECTION: Root = Root::Connection("electrical.ac.");
const PHASE_A: [Leaf; 2] = phase(".phase.A.power", ".phase.A.current");
const PHASE_B: [Leaf; 2] = phase(".phase.B.power", ".phase.B.current");
const PHASE_C: [Leaf; 2] = phase(".phase.C.power", ".phase.C.current");

const fn phase(power: &'static str, current: &'static str) -> [Leaf; 2] {
    [leaf(Field::Power, power, How::Same), leaf(Field::AcRmsCurrent, current, How::Same)]
}

/// Joule in one kilowatt hour.
const JOULE: i64 = 3_600_000;

/// Total energy (65005, 65018).
const fn energy(pgn: u32, root: Root) -> Mapping {
    const LEAVES: &[Leaf] = &[
        leaf(Field::TotalEnergyExport, ".energyExport", How::Times(JOULE)),
        leaf(Field::TotalEnergyImport, ".energyImport", How::Times(JOULE)),
    ];
    Mapping::fields(pgn, root, LEAVES)
}

/// Voltages, frequency and current (65008 and its like).
const fn basic(pgn: u32, root: Root) -> Mapping {
    const LEAVES: &[Leaf] = &[
        leaf(Field::LineLineAcRmsVoltage, ".lineLineVoltage", How::Same),
        leaf(Field::LineNeutralAcRmsVoltage, ".lineNeutralVoltage", How::Same),
        leaf(Field::AcFrequency, ".frequency", How::Same),
        leaf(Field::AcRmsCurrent, ".current", How::Same),
    ];
    Mapping::fields(pgn, root, LEAVES)
}

/// Reactive power (65006 and its like). The power factor is divided a second time, as the peer has it.
const fn reactive(pgn: u32, root: Root) -> Mapping {
    const LEAVES: &[Leaf] = &[
        leaf(Field::ReactivePower, ".reactivePower", How::Same),
        leaf(Field::PowerFactor, ".powerFactor", How::Per(32_768.0)),
        leaf(Field::PowerFactorLagging, ".powerFactorLagging", How::LowerText),
    ];
    Mapping::fields(pgn, root, LEAVES).and(keep_power_factor)
}

/// Real and apparent power (65007 and its like), which follow reactive power by number.
const fn real(pgn: u32, root: Root) -> Mapping {
    const LEAVES: &[Leaf] = &[leaf(Field::RealPower, ".realPower", How::Same)];
    Mapping::fields(pgn, root, LEAVES).and(apparent_power)
}

fn keep_power_factor(scene: &mut Scene<'_>) {
    let Some(factor) = scene.decoded.number(Field::PowerFactor) else { return };
    let known = scene.memory.source(scene.id.source).is_some_and(|source| source.device_instance().is_some());
    if known {
        scene.memory.keep_power_factor(scene.id.source, Pgn(scene.id.pgn.0.saturating_add(1)), factor);
    }
}

/// Apparent power is multiplied by the last power factor of the same phase, as the peer has it.
fn apparent_power(scene: &mut Scene<'_>) {
    let Some(power) = scene.decoded.number(Field::ApparentPower) else { return };
    let Some(root) = find(scene.id.pgn).and_then(|(_, mapping)| mapping.root.text(scene)) else { return };
    let Some(factor) = scene.memory.power_factor(scene.id.source, scene.id.pgn) else { return };
    scene.value_at(&join(&[&root, ".apparentPower"]), Value::Float(power.to_f64() * factor.to_f64()));
}

/// What one line of 127503 has.
const INPUT: &[Leaf] = &[
    leaf(Field::Acceptability, ".acceptability", How::Same),
    leaf(Field::Voltage, ".voltage", How::Same),
    leaf(Field::Current, ".current", How::Same),
    leaf(Field::Frequency, ".frequency", How::Same),
    leaf(Field::BreakerSize, ".breakerSize", How::Same),
    leaf(Field::RealPower, ".realPower", How::Same),
    leaf(Field::ReactivePower, ".reactivePower", How::Same),
    leaf(Field::PowerFactor, ".powerFactor", How::Same),
];
/// What one line of 127504 has.
const OUTPUT: &[Leaf] = &[
    leaf(Field::Waveform, ".waveform", How::Same),
    leaf(Field::Voltage, ".voltage", How::Same),
    leaf(Field::Current, ".current", How::Same),
    leaf(Field::Frequency, ".frequency", How::Same),
    leaf(Field::BreakerSize, ".breakerSize", How::Same),
    leaf(Field::RealPower, ".realPower", How::Same),
    leaf(Field::ReactivePower, ".reactivePower", How::Same),
    leaf(Field::PowerFactor, ".powerFactor", How::Same),
];

/// PGN 127503.
fn inputs(scene: &mut Scene<'_>) {
    lines(scene, "electrical.ac.", INPUT);
}

/// PGN 127504.
fn outputs(scene: &mut Scene<'_>) {
    lines(scene, "electrical.inverters.", OUTPUT);
}

/// Gives every line as phase A, as the peer has it.
fn lines(scene: &mut Scene<'_>, base: &str, rows: &[Leaf]) {
    let Some(instance) = faults::named(scene.decoded.raw(Field::Instance)) else { return };
    let root = join(&[base, &instance, ".A"]);
    for line in scene.decoded.groups() {
        leaves(&mut scene.of(&line), &root, rows);
    }
}
