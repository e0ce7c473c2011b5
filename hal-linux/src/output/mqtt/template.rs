//! Topics by template: `signalk/{context}/{path}`.

/// Bytes of a template.
const TEMPLATE_BYTES_MAX: usize = 256;

/// What a topic is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `vessels/urn:mrn:imo:mmsi:211000000`.
    Context,
    /// `self`, or what follows `vessels.`.
    Vessel,
    /// `environment/wind/speedTrue`.
    Path,
    /// `can0.7`.
    Source,
}

/// A topic with places to be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// What fills them.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Whom it is about, in full.
    pub context: &'a str,
    /// It is the own vessel.
    pub is_own: bool,
    /// Of the value, empty for a whole delta.
    pub path: &'a str,
    /// `$source`.
    pub source: &'a str,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_topic = !text.is_empty() && text.len() <= TEMPLATE_BYTES_MAX && !text.starts_with(['$', '/']);
        if !is_topic
            || text.ends_with('/')
            || text.contains(|letter: char| matches!(letter, '+' | '#') || letter.is_control())
        {
            return Err("a topic has up to 256 bytes, no + and no #, and neither begins nor ends with /".into());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}').ok_or("a { of a topic has no }")?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(match name {
                "context" => Part::Context,
                "vessel" => Part::Vessel,
                "path" => Part::Path,
                "source" => Part::Source,
                _ => {
                    return Err(format!(
                        "{{{name}}} is no place; there are {{context}}, {{vessel}}, {{path}}, {{source}}"
                    ));
                }
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Returns this with a level behind it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn below(&self, level: &str) -> Result<Self, String> {
        let mut parts = self.0.clone();
        parts.push(Part::Text("/".to_owned()));
        parts.extend(Self::parse(level)?.0);
        Ok(Self(parts))
    }

    /// Tells whether the path stands in it.
    pub fn has_path(&self) -> bool {
        self.0.contains(&Part::Path)
    }

    /// Tells whether what only a value has stands in it.
    pub fn is_of_values(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Path | Part::Source))
    }

    /// Writes the topic.
    pub fn write(&self, out: &mut String, place: &Place<'_>) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Context => {
                    let (group, key) = place.context.split_once('.').unwrap_or(("vessels", place.context));
                    level(out, group, None);
                    out.push('/');
                    level(out, key, None);
                }
                Part::Vessel if place.is_own => out.push_str("self"),
                Part::Vessel => level(out, place.context.split_once('.').map_or(place.context, |(_, key)| key), None),
                Part::Path => level(out, place.path, Some('.')),
                Part::Source => level(out, place.source, None),
            }
        }
    }

    /// Returns the topic.
    pub fn of(&self, place: &Place<'_>) -> String {
        let mut out = String::new();
        self.write(&mut out, place);
        out
    }
}

/// Writes what has a meaning in topics (MQTT 5 §4.7) as `_`, and `separator` as `/`.
fn level(out: &mut String, text: &str, separator: Option<char>) {
    out.extend(text.chars().map(|letter| match letter {
        _ if Some(letter) == separator => '/',
        '+' | '#' | '/' => '_',
        _ if letter.is_control() => '_',
        _ => letter,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place {
        context: "vessels.urn:mrn:imo:mmsi:211000000",
        is_own: true,
        path: "environment.wind.speedTrue",
        source: "can0.7",
    };

    #[test]
    fn places_are_filled_and_nothing_in_them_is_a_wildcard() {
        for (template, place, topic) in [
            (
                "signalk/{context}/{path}",
                PLACE,
                "signalk/vessels/urn:mrn:imo:mmsi:211000000/environment/wind/speedTrue",
            ),
            ("{vessel}/{path}/{source}", PLACE, "self/environment/wind/speedTrue/can0.7"),
            ("a/{vessel}", Place { is_own: false, ..PLACE }, "a/urn:mrn:imo:mmsi:211000000"),
            ("a/{path}", Place { path: "x.#.+.y/z\n", ..PLACE }, "a/x/_/_/y_z_"),
        ] {
            assert_eq!(Template::parse(template).unwrap().of(&place), topic);
        }
        let below = Template::parse("boats/{vessel}").unwrap().below("status").unwrap();
        assert_eq!(below.of(&PLACE), "boats/self/status");
    }

    #[test]
    fn what_is_no_topic_is_said() {
        for (template, clause) in [
            ("", "256 bytes"),
            ("a/#", "no #"),
            ("$SYS/a", "neither begins"),
            ("/a", "neither begins"),
            ("a/", "ends with /"),
            ("a/{path", "no }"),
            ("a/{boat}", "{boat} is no place"),
        ] {
            assert!(Template::parse(template).unwrap_err().contains(clause), "{template}");
        }
    }
}
