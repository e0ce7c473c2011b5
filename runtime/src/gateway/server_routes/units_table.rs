//! Units that people read instead of those of SI: conversions, kinds of values, and the units that people of a region use.
//!
//! Names of units, categories and presets are Signal K Server's (2.32 `unitpreferences`), which apps keep. Factors are exact
//! where a definition makes them so: international foot, pound and nautical mile (1959), imperial and US gallon.

/// How a value in the base unit becomes one in the unit.
#[derive(Clone, Copy)]
pub(super) enum Formula {
    /// Times this number, as it is written.
    Times(&'static str),
    /// By these formulas, there and back.
    Texts(&'static str, &'static str),
}

use Formula::{Texts, Times};

/// A unit: its name, its symbol, what it is called.
pub(super) type Unit = (&'static str, &'static str, &'static str, Formula);

/// Base units, what they are called, and the units that stand for them.
pub(super) const BASES: [(&str, &str, &[Unit]); 20] = [
    (
        "m/s",
        "metres per second",
        &[
            ("m/s", "m/s", "metres per second", Times("1")),
            ("kn", "kn", "knots", Times("1.9438444924406046")),
            ("km/h", "km/h", "kilometres per hour", Times("3.6")),
            ("mph", "mph", "miles per hour", Times("2.2369362920544025")),
            ("fps", "ft/s", "feet per second", Times("3.280839895013123")),
            ("Bf", "Bf", "Beaufort", Texts("(value / 0.836)^(2/3)", "0.836 * value^1.5")),
        ],
    ),
    (
        "K",
        "kelvin",
        &[
            ("K", "K", "kelvin", Times("1")),
            ("C", "°C", "degrees Celsius", Texts("value - 273.15", "value + 273.15")),
            ("F", "°F", "degrees Fahrenheit", Texts("value * 1.8 - 459.67", "(value + 459.67) / 1.8")),
        ],
    ),
    (
        "Pa",
        "pascal",
        &[
            ("Pa", "Pa", "pascal", Times("1")),
            ("hPa", "hPa", "hectopascal", Times("0.01")),
            ("mbar", "mbar", "millibar", Times("0.01")),
            ("bar", "bar", "bar", Times("0.00001")),
            ("psi", "psi", "pounds per square inch", Times("0.00014503773773020923")),
            ("inHg", "inHg", "inches of mercury", Times("0.0002953007450742544")),
            ("mmHg", "mmHg", "millimetres of mercury", Times("0.007500615758456564")),
        ],
    ),
    (
        "m",
        "metre",
        &[
            ("m", "m", "metres", Times("1")),
            ("meter", "m", "metres", Times("1")),
            ("mm", "mm", "millimetres", Times("1000")),
            ("cm", "cm", "centimetres", Times("100")),
            ("kilometer", "km", "kilometres", Times("0.001")),
            ("naut-mile", "nmi", "nautical miles", Times("0.0005399568034557236")),
            ("mile", "mi", "miles", Times("0.0006213711922373339")),
            ("yard", "yd", "yards", Times("1.0936132983377078")),
            ("foot", "ft", "feet", Times("3.280839895013123")),
            ("inch", "in", "inches", Times("39.37007874015748")),
            ("fathom", "fathom", "fathoms", Times("0.5468066491688539")),
        ],
    ),
    (
        "rad",
        "radian",
        &[
            ("radian", "rad", "radians", Times("1")),
            ("degree", "°", "degrees", Times("57.29577951308232")),
            ("arcminute", "′", "minutes of arc", Times("3437.746770784939")),
        ],
    ),
    (
        "deg",
        "degree",
        &[("deg", "°", "degrees", Times("1")), ("radian", "rad", "radians", Times("0.017453292519943295"))],
    ),
    (
        "rad/s",
        "radians per second",
        &[
            ("rad/s", "rad/s", "radians per second", Times("1")),
            ("deg/s", "°/s", "degrees per second", Times("57.29577951308232")),
            ("rpm", "rpm", "revolutions per minute", Times("9.549296585513721")),
        ],
    ),
    (
        "m3",
        "cubic metre",
        &[
            ("m3", "m³", "cubic metres", Times("1")),
            ("liter", "l", "litres", Times("1000")),
            ("gallon", "gal", "US gallons", Times("264.1720523581484")),
            ("gallon-imp", "gal", "imperial gallons", Times("219.96924829908778")),
        ],
    ),
    (
        "m3/s",
        "cubic metres per second",
        &[
            ("m3/s", "m³/s", "cubic metres per second", Times("1")),
            ("L/h", "l/h", "litres per hour", Times("3600000")),
            ("L/min", "l/min", "litres per minute", Times("60000")),
            ("gal/h", "gal/h", "US gallons per hour", Times("951019.3884893342")),
            ("gal-imp/h", "gal/h", "imperial gallons per hour", Times("791889.293876716")),
        ],
    ),
    ("V", "volt", &[("V", "V", "volts", Times("1")), ("mV", "mV", "millivolts", Times("1000"))]),
    ("A", "ampere", &[("A", "A", "amperes", Times("1")), ("mA", "mA", "milliamperes", Times("1000"))]),
    (
        "W",
        "watt",
        &[
            ("W", "W", "watts", Times("1")),
            ("kW", "kW", "kilowatts", Times("0.001")),
            ("horsepower", "hp", "horsepower", Times("0.0013410220895950279")),
        ],
    ),
    ("ratio", "ratio", &[("ratio", "", "ratio", Times("1")), ("percent", "%", "per cent", Times("100"))]),
    ("Hz", "hertz", &[("hertz", "Hz", "hertz", Times("1")), ("rpm", "rpm", "revolutions per minute", Times("60"))]),
    (
        "s",
        "second",
        &[
            ("second", "s", "seconds", Times("1")),
            ("minute", "min", "minutes", Texts("value / 60", "value * 60")),
            ("hour", "h", "hours", Texts("value / 3600", "value * 3600")),
            ("day", "d", "days", Texts("value / 86400", "value * 86400")),
        ],
    ),
    (
        "C",
        "coulomb",
        &[
            ("C", "C", "coulombs", Times("1")),
            ("Ah", "Ah", "ampere-hours", Texts("value / 3600", "value * 3600")),
            ("mAh", "mAh", "milliampere-hours", Texts("value / 3.6", "value * 3.6")),
        ],
    ),
    (
        "J",
        "joule",
        &[
            ("J", "J", "joules", Times("1")),
            ("Wh", "Wh", "watt-hours", Texts("value / 3600", "value * 3600")),
            ("btu", "BTU", "British thermal units", Times("0.0009478171203133172")),
        ],
    ),
    (
        "kg",
        "kilogram",
        &[
            ("kg", "kg", "kilograms", Times("1")),
            ("metric-ton", "t", "tonnes", Times("0.001")),
            ("pound", "lb", "pounds", Times("2.2046226218487757")),
        ],
    ),
    (
        "m2",
        "square metre",
        &[("m2", "m²", "square metres", Times("1")), ("sqft", "ft²", "square feet", Times("10.763910416709722"))],
    ),
    (
        "B",
        "byte",
        &[
            ("B", "B", "bytes", Times("1")),
            ("MB", "MB", "megabytes", Texts("value / 1000000", "value * 1000000")),
            ("MiB", "MiB", "mebibytes", Texts("value / 1048576", "value * 1048576")),
        ],
    ),
];

/// Units that people of a region use; the order of the columns in [`CATEGORIES`].
pub(super) const PRESETS: [(&str, &str, &str); 6] = [
    ("metric", "Metric", "kilometres, km/h, metres, degrees Celsius"),
    ("nautical-metric", "Nautical (metric)", "nautical miles and knots, else metric"),
    ("imperial-us", "Imperial (US)", "miles, mph, feet, degrees Fahrenheit, US gallons"),
    ("imperial-uk", "Imperial (UK)", "miles, mph, feet, degrees Celsius, imperial gallons"),
    ("nautical-imperial-us", "Nautical imperial (US)", "nautical miles and knots, else as in the US"),
    ("nautical-imperial-uk", "Nautical imperial (UK)", "nautical miles and knots, else as in the UK"),
];

/// Kinds of values: their base unit, the unit of each preset, and how many digits are shown.
pub(super) const CATEGORIES: [(&str, &str, [&str; 6], &str); 22] = [
    ("distance", "m", ["kilometer", "naut-mile", "mile", "mile", "naut-mile", "naut-mile"], "0.0"),
    ("speed", "m/s", ["km/h", "kn", "mph", "mph", "kn", "kn"], "0.0"),
    ("temperature", "K", ["C", "C", "F", "C", "F", "C"], "0.0"),
    ("pressure", "Pa", ["mbar", "mbar", "psi", "mbar", "inHg", "mbar"], "0.0"),
    ("depth", "m", ["m", "m", "foot", "foot", "foot", "foot"], "0.0"),
    ("length", "m", ["m", "m", "foot", "foot", "foot", "foot"], "0.0"),
    ("volume", "m3", ["liter", "liter", "gallon", "gallon-imp", "gallon", "gallon-imp"], "0.0"),
    ("volumeRate", "m3/s", ["L/h", "L/h", "gal/h", "gal-imp/h", "gal/h", "gal-imp/h"], "0.0"),
    ("angle", "rad", ["degree"; 6], "0.0"),
    ("angleDegrees", "deg", ["deg"; 6], "0.0"),
    ("angularVelocity", "rad/s", ["deg/s"; 6], "0.0"),
    ("voltage", "V", ["V"; 6], "0.00"),
    ("current", "A", ["A"; 6], "0.00"),
    ("power", "W", ["W"; 6], "0.00"),
    ("percentage", "ratio", ["percent"; 6], "0"),
    ("frequency", "Hz", ["rpm"; 6], "0.0"),
    ("time", "s", ["hour"; 6], "0.0"),
    ("charge", "C", ["Ah"; 6], "0.0"),
    ("energy", "J", ["J", "J", "btu", "btu", "btu", "btu"], "0.0"),
    ("mass", "kg", ["kg", "kg", "pound", "pound", "pound", "pound"], "0.0"),
    ("area", "m2", ["m2", "m2", "sqft", "sqft", "sqft", "sqft"], "0.0"),
    ("dataSize", "B", ["MB", "MB", "MiB", "MiB", "MiB", "MiB"], "0.0"),
];

/// Returns the category of a path with this unit; lengths are told apart by what they are of.
pub(super) fn category_of(path: &str, unit: &str) -> Option<&'static str> {
    if unit == "m" {
        return Some(match path {
            _ if path.contains(".depth.") => "depth",
            _ if path.starts_with("navigation.") && !path.contains(".gnss.") => "distance",
            _ => "length",
        });
    }
    CATEGORIES.iter().find(|(_, base, ..)| *base == unit).map(|(category, ..)| *category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_of_a_preset_has_a_conversion() {
        for (category, base, targets, _) in CATEGORIES {
            let (_, _, units) = BASES.iter().find(|(name, ..)| *name == base).unwrap();
            for target in targets {
                assert!(units.iter().any(|(name, ..)| *name == target), "{category} {target}");
            }
        }
    }

    #[test]
    fn factors_are_numbers() {
        for (_, _, units) in BASES {
            for (name, _, _, formula) in units {
                if let Times(factor) = formula {
                    assert!(factor.parse::<f64>().is_ok_and(|factor| factor > 0.0), "{name}");
                }
            }
        }
    }

    #[test]
    fn lengths_are_told_apart() {
        for (path, unit, category) in [
            ("environment.depth.belowKeel", "m", Some("depth")),
            ("navigation.log", "m", Some("distance")),
            ("navigation.gnss.antennaAltitude", "m", Some("length")),
            ("navigation.speedOverGround", "m/s", Some("speed")),
            ("navigation.state", "", None),
        ] {
            assert_eq!(category_of(path, unit), category, "{path}");
        }
    }
}
