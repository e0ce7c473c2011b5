//! Batteries, chargers and inverters.

use super::faults;
use super::rule::{How, Mapping, Root, leaf};
use crate::n2k::tables::Field;

const BATTERY: Root = Root::Instance("electrical.batteries.");
const CHARGER: Root = Root::Instance("electrical.chargers.");
const INVERTER: Root = Root::Instance("electrical.inverters.");

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::fields(
        127_506,
        BATTERY,
        &[
            leaf(Field::StateOfCharge, ".capacity.stateOfCharge", How::Shift(-2)),
            leaf(Field::StateOfHealth, ".capacity.stateOfHealth", How::Shift(-2)),
            leaf(Field::TimeRemaining, ".capacity.timeRemaining", How::MinutesOrNull),
        ],
    ),
    Mapping::fields(
        127_507,
        CHARGER,
        &[
            leaf(Field::OperatingState, ".operatingState", How::LowerText),
            leaf(Field::ChargeMode, ".chargeMode", How::LowerText),
            leaf(Field::Enabled, ".enabled", How::Switch),
            leaf(Field::EqualizationPending, ".equalizationPending", How::Switch),
            leaf(Field::EqualizationTimeRemaining, ".equalizationTimeRemaining", How::MinutesOrNull),
        ],
    ),
    Mapping::fields(
        127_508,
        BATTERY,
        &[
            leaf(Field::Voltage, ".voltage", How::Same),
            leaf(Field::Current, ".current", How::Same),
            leaf(Field::Temperature, ".temperature", How::Same),
        ],
    ),
    Mapping::fields(
        127_509,
        INVERTER,
        &[
            leaf(Field::OperatingState, ".operatingState", How::LowerText),
            leaf(Field::InverterEnable, ".enabled", How::Switch),
        ],
    ),
    // Its field equalizeTime is a span of time, which the peer does not take for a number.
    Mapping::fields(
        127_510,
        CHARGER,
        &[
            leaf(Field::ChargerEnableDisable, ".enabled", How::Switch),
            leaf(Field::ChargeCurrentLimit, ".chargeCurrentLimit", How::Same),
            leaf(Field::ChargingAlgorithm, ".chargingAlgorithm", How::LowerText),
            leaf(Field::ChargerMode, ".chargeMode", How::LowerText),
            leaf(Field::EstimatedTemperature, ".estimatedTemperature", How::LowerText),
            leaf(Field::EqualizeOneTimeEnableDisable, ".equalizeOneTimeEnabled", How::Switch),
            leaf(Field::OverChargeEnableDisable, ".overChargeEnabled", How::Switch),
        ],
    ),
    // loadSenseInterval is such a span too.
    Mapping::fields(
        127_511,
        INVERTER,
        &[
            leaf(Field::InverterEnableDisable, ".enabled", How::Switch),
            leaf(Field::InverterMode, ".inverterMode", How::LowerText),
            leaf(Field::LoadSenseEnableDisable, ".loadSenseEnabled", How::Switch),
            leaf(Field::LoadSensePowerThreshold, ".loadSensePowerThreshold", How::Same),
        ],
    ),
    Mapping::fields(
        127_513,
        BATTERY,
        &[
            leaf(Field::BatteryType, ".batteryType", How::LowerText),
            leaf(Field::SupportsEqualization, ".supportsEqualization", How::Switch),
            leaf(Field::NominalVoltage, ".nominalVoltage", How::Text),
            leaf(Field::Chemistry, ".chemistry", How::LowerText),
            leaf(Field::Capacity, ".capacity.nominal", How::Times(faults::COULOMB)),
            leaf(Field::TemperatureCoefficient, ".temperatureCoefficient", How::Same),
            leaf(Field::PeukertExponent, ".peukertExponent", How::Same),
            leaf(Field::ChargeEfficiencyFactor, ".chargeEfficiencyFactor", How::Same),
        ],
    ),
];
