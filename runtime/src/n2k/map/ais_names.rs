//! Names of ship types and aids to navigation, as the Signal K schema has them (@signalk/signalk-schema 1.8.2).

/// Returns the name of an AIS ship type (ITU-R M.1371, table 53); `None` for one that has none.
pub(crate) fn ship_type(code: i64) -> Option<&'static str> {
    named(&SHIP_TYPES, code.checked_sub(SHIP_TYPES_FROM)?)
}

/// Returns the name of a type of aid to navigation (ITU-R M.1371, table 74); `None` for one that has none.
pub(crate) fn aton_type(code: i64) -> Option<&'static str> {
    named(&ATON_TYPES, code)
}

fn named(names: &[&'static str], at: i64) -> Option<&'static str> {
    names.get(usize::try_from(at).ok()?).copied().filter(|name| !name.is_empty())
}

/// Code of the first of [`SHIP_TYPES`].
const SHIP_TYPES_FROM: i64 = 20;

#[rustfmt::skip]
/// From [`SHIP_TYPES_FROM`] on; empty where schema or database ("reserved") has no name.
const SHIP_TYPES: [&str; 80] = [
    "Wing In Ground",
    "Wing In Ground hazard cat A",
    "Wing In Ground hazard cat B",
    "Wing In Ground hazard cat C",
    "Wing In Ground hazard cat D",
    "",
    "",
    "",
    "",
    "Wing In Ground (no other information)",
    "Fishing",
    "Towing",
    "Towing exceeds 200m or wider than 25m",
    "Engaged in dredging or underwater operations",
    "Engaged in diving operations",
    "Engaged in military operations",
    "Sailing",
    "Pleasure",
    "",
    "",
    "High speed craft",
    "High speed craft carrying dangerous goods",
    "High speed craft hazard cat B",
    "High speed craft hazard cat C",
    "High speed craft hazard cat D",
    "",
    "",
    "",
    "",
    "High speed craft (no additional information)",
    "Pilot vessel",
    "SAR",
    "Tug",
    "Port tender",
    "Anti-pollution",
    "Law enforcement",
    "Spare",
    "Spare #2",
    "Medical",
    "RR Resolution No.18",
    "Passenger ship",
    "Passenger ship hazard cat A",
    "Passenger ship hazard cat B",
    "Passenger ship hazard cat C",
    "Passenger ship hazard cat D",
    "",
    "",
    "",
    "",
    "Passenger ship (no additional information)",
    "Cargo ship",
    "Cargo ship carrying dangerous goods",
    "Cargo ship hazard cat B",
    "Cargo ship hazard cat C",
    "Cargo ship hazard cat D",
    "",
    "",
    "",
    "",
    "Cargo ship (no additional information)",
    "Tanker",
    "Tanker carrying dangerous goods",
    "Tanker hazard cat B",
    "Tanker hazard cat C",
    "Tanker hazard cat D",
    "",
    "",
    "",
    "",
    "Tanker (no additional information)",
    "Other",
    "Other carrying dangerous goods",
    "Other hazard cat B",
    "Other hazard cat C",
    "Other hazard cat D",
    "",
    "",
    "",
    "",
    "Other (no additional information)",
];

#[rustfmt::skip]
const ATON_TYPES: [&str; 32] = [
    "",
    "Reference Point",
    "",
    "Fixed Structure Off Shore",
    "Emergency Wreck Marking Buoy",
    "Light, Without Sectors",
    "Light, With Sectors",
    "Leading Light Front",
    "Leading Light Rear",
    "Beacon, Cardinal N",
    "Beacon, Cardinal E",
    "Beacon, Cardinal S",
    "Beacon, Cardinal W",
    "Beacon, Port Hand",
    "Beacon, Starboard Hand",
    "Beacon, Preferred Channel Port Hand",
    "Beacon, Preferred Channel Starboard Hand",
    "Beacon, Isolated Danger",
    "Beacon, Safe Water",
    "Beacon, Special Mark",
    "Cardinal Mark N",
    "Cardinal Mark E",
    "Cardinal Mark S",
    "Cardinal Mark W",
    "Port Hand Mark",
    "Starboard Hand Mark",
    "Preferred Channel Port Hand",
    "Preferred Channel Starboard Hand",
    "Isolated danger",
    "Safe Water",
    "Special Mark",
    "Light Vessel/LANBY/Rigs",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_names_where_the_schema_has_them() {
        assert_eq!(ship_type(36), Some("Sailing"));
        assert_eq!(ship_type(99), Some("Other (no additional information)"));
        assert_eq!(aton_type(31), Some("Light Vessel/LANBY/Rigs"));
        for code in [-1, 0, 19, 25, 38, 75, 100, i64::MIN, i64::MAX] {
            assert_eq!(ship_type(code), None);
        }
        assert_eq!((aton_type(0), aton_type(2), aton_type(32)), (None, None, None));
    }
}
