//! What plugins are fed: the same texts on every engine and every host.
//!
//! A time stamp that never changes lets a value of the first round count in the last one.

/// Context of the own vessel.
pub const SELF: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";

/// What one package is fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Deltas before anything is measured: what the plugin has to have heard.
    pub before: Vec<String>,
    /// Deltas in a circle, each of which the plugin answers with one delta.
    pub answered: Vec<String>,
    /// A delta with nothing in it that the plugin wants.
    pub unwanted: String,
}

/// Returns the text of a delta of the own vessel as Skiff's decoder writes it, with these `path`, `value` pairs.
#[must_use]
pub fn delta(values: &[(&str, f64)]) -> String {
    let values: Vec<String> =
        values.iter().map(|(path, value)| format!(r#"{{"path":"{path}","value":{value}}}"#)).collect();
    format!(
        r#"{{"context":"{SELF}","updates":[{{"source":{{"label":"can0","type":"NMEA2000","pgn":130306,"src":"35"}},"$source":"can0.35","timestamp":"2026-06-01T10:00:00.000Z","values":[{}]}}]}}"#,
        values.join(",")
    )
}

/// Returns a delta that no plugin of the project wants.
#[must_use]
pub fn unwanted() -> String {
    delta(&[("tanks.fuel.0.currentLevel", 0.42), ("tanks.fuel.0.capacity", 0.2)])
}

/// Returns what a package of the project is fed; others find out by themselves which deltas they answer.
#[must_use]
pub fn feed(package: &str) -> Option<Feed> {
    let wind =
        |speed, angle| delta(&[("environment.wind.speedApparent", speed), ("environment.wind.angleApparent", angle)]);
    let depth = |metres| delta(&[("environment.depth.belowTransducer", metres)]);
    match package {
        "@skiff/true-wind" => Some(Feed {
            before: vec![
                wind(8.76, 0.6543),
                delta(&[("navigation.headingTrue", 1.2345)]),
                delta(&[("navigation.speedThroughWater", 3.21)]),
            ],
            answered: vec![wind(8.76, 0.6543), wind(9.12, 0.7011)],
            unwanted: unwanted(),
        }),
        "@skiff/shallow-water-alarm" => Some(Feed {
            // It rings at 4 m and is silent again at 4.5 m: each of the two changes what it says.
            before: vec![depth(9.25)],
            answered: vec![depth(2.75), depth(9.25)],
            unwanted: unwanted(),
        }),
        _ => None,
    }
}

/// Returns a module that every delta is told to as text, as on a host that knows nothing of values; `None` where it is so
/// anyway.
#[must_use]
pub fn as_text(wasm: &[u8]) -> Option<Vec<u8>> {
    let name = skiff_abi::values::VALUES.as_bytes();
    let at = wasm.windows(name.len()).position(|bytes| bytes == name)?;
    let mut wasm = wasm.to_vec();
    // The export goes by another name of the same length.
    *wasm.get_mut(at)? = b'-';
    Some(wasm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_loses_the_name_of_its_rows_and_nothing_else() {
        assert_eq!(as_text(b"..\x0cskiff_values..").as_deref(), Some(&b"..\x0c-kiff_values.."[..]));
        assert_eq!(as_text(b"skiff_value"), None);
    }

    #[test]
    fn a_delta_is_what_the_decoder_would_have_written() {
        let text = delta(&[("a.b", 1.5), ("c", 2.0)]);
        assert!(text.contains(r#""values":[{"path":"a.b","value":1.5},{"path":"c","value":2}]"#), "{text}");
    }

    #[test]
    fn the_packages_of_the_project_have_a_feed_and_others_none() {
        assert!(feed("@skiff/true-wind").is_some_and(|feed| feed.answered.len() == 2));
        assert!(feed("@skiff/shallow-water-alarm").is_some());
        assert_eq!(feed("@acme/tide"), None);
    }
}
