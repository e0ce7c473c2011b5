//! Values as lines of InfluxDB's line protocol, which QuestDB, VictoriaMetrics and Telegraf take too.
//!
//! ```text
//! path,context=CONTEXT,source=$SOURCE[,self=true] value=7.13 1764525953564
//! ```
//!
//! A path is a measurement; the field of a number is `value`, of a text `stringValue`, of a boolean `boolValue`. The members of an object
//! are fields by their names, `latitude` and `longitude` as `lat` and `lon`. The time is milliseconds. So name them the plugins
//! of Signal K Server that write there, and dashboards that were made for them go on.

use std::fmt::Write;
use std::time::Duration;

use skiff_runtime::delta::Delta;
use skiff_runtime::json;
use skiff_runtime::time::Instant;

use crate::output::series::Series;

/// Bytes of a line; a longer one is left out.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// Makes lines of deltas.
pub struct Lines {
    self_context: String,
    /// Of other vessels, too.
    is_for_all: bool,
    series: Series,
    line: String,
}

impl Lines {
    /// Makes lines of the vessel `self_context`, or of all; values of a series that come within `every` are left out.
    pub fn new(self_context: &str, is_for_all: bool, every: Duration) -> Self {
        Self { self_context: self_context.to_owned(), is_for_all, series: Series::new(every), line: String::new() }
    }

    /// Gives the lines of a delta, each with its end.
    pub fn of(&mut self, delta: &Delta, now: Instant, mut give: impl FnMut(&str)) {
        let is_own = delta.is_own(&self.self_context);
        if !is_own && !self.is_for_all {
            return;
        }
        let context = if is_own { self.self_context.clone() } else { delta.context().to_owned() };
        for update in delta.updates() {
            let Some(time) = update.time().millis().filter(|time| time.is_known()) else { continue };
            for (path, value) in update.entries() {
                if path.is_empty() || !self.series.is_due(&context, path, update.source_ref(), now) {
                    continue;
                }
                self.line.clear();
                escaped(&mut self.line, path, &[',', ' ']);
                for (name, tag) in [("context", &*context), ("source", update.source_ref())] {
                    if !tag.is_empty() {
                        self.line.extend([",", name, "="]);
                        escaped(&mut self.line, tag, &[',', ' ', '=']);
                    }
                }
                self.line.push_str(if is_own { ",self=true " } else { " " });
                if fields(&mut self.line, &value.shown()) && self.line.len() <= LINE_BYTES_MAX {
                    // Writing to a string cannot fail.
                    let _ = writeln!(self.line, " {}", time.0);
                    give(&self.line);
                }
            }
        }
    }
}

/// Writes the fields of a value; false where it has none.
fn fields(line: &mut String, value: &str) -> bool {
    let begin = line.len();
    match value.as_bytes().first() {
        Some(b'{') => {
            // A value that is no JSON ends what can be read of it.
            let _ = json::members(value, |name, member| {
                let name = match name {
                    "latitude" => "lat",
                    "longitude" => "lon",
                    name => name,
                };
                // What stands inside a member has no place in a table.
                if !matches!(member.as_bytes().first(), Some(b'{' | b'[')) {
                    field(line, begin, name, member);
                }
                Ok::<_, json::JsonError>(())
            });
        }
        Some(b'"') => field(line, begin, "stringValue", value),
        Some(b't' | b'f') => field(line, begin, "boolValue", value),
        Some(b'[') | None => {}
        Some(_) => field(line, begin, "value", value),
    }
    line.len() > begin
}

fn field(line: &mut String, begin: usize, name: &str, value: &str) {
    let text = json::string(value);
    if text.is_none() && (value == "null" || name.is_empty()) {
        return;
    }
    if line.len() > begin {
        line.push(',');
    }
    escaped(line, name, &[',', ' ', '=']);
    line.push('=');
    match text {
        Some(text) => {
            line.push('"');
            escaped(line, &text, &['"', '\\']);
            line.push('"');
        }
        // A number or a boolean is written there as in JSON.
        None => line.push_str(value),
    }
}

/// Writes a text with a backslash before some letters; what would end a line or escape what follows becomes a space.
fn escaped(line: &mut String, text: &str, special: &[char]) {
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => line.push(' '),
            '\\' if !special.contains(&'\\') => line.push('/'),
            _ if special.contains(&letter) => line.extend(['\\', letter]),
            _ => line.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_runtime::delta::Stamp;
    use skiff_runtime::time::UnixMillis;

    const SELF: &str = "vessels.urn:mrn:imo:mmsi:211000000";

    fn told(lines: &mut Lines, text: &str, now: u64) -> Vec<String> {
        let stamp = Stamp { source_ref: "can0.7", self_context: SELF, now: UnixMillis(1000) };
        let delta = Delta::parse(text, &stamp).unwrap();
        let mut told = Vec::new();
        lines.of(&delta, Instant::from_millis(now), |line| told.push(line.to_owned()));
        told
    }

    fn of_value(path: &str, value: &str) -> Vec<String> {
        let mut lines = Lines::new(SELF, false, Duration::ZERO);
        told(&mut lines, &format!(r#"{{"updates":[{{"values":[{{"path":"{path}","value":{value}}}]}}]}}"#), 0)
    }

    #[test]
    fn each_kind_of_value_has_its_field() {
        for (path, value, expected) in [
            ("a.b", "7.1321", "a.b,T value=7.1321 1000\n"),
            ("a.b", "-2e-7", "a.b,T value=-2e-7 1000\n"),
            ("a.b", "true", "a.b,T boolValue=true 1000\n"),
            ("a.b", r#""say \"x\\y\"\nz""#, "a.b,T stringValue=\"say \\\"x\\\\y\\\" z\" 1000\n"),
            (
                "navigation.position",
                r#"{"latitude":54.5,"longitude":10,"altitude":null}"#,
                "navigation.position,T lat=54.5,lon=10 1000\n",
            ),
            ("n.x", r#"{"state":"alarm","method":["sound"],"a b":1}"#, "n.x,T state=\"alarm\",a\\ b=1 1000\n"),
        ] {
            let tags = format!("context={SELF},source=can0.7,self=true");
            assert_eq!(of_value(path, value), [expected.replace('T', &tags)], "{value}");
        }
        for nothing in ["null", "[1,2]", "{}", r#"{"a":null,"b":{}}"#] {
            assert!(of_value("a.b", nothing).is_empty(), "{nothing}");
        }
        let long = format!("\"{}\"", "x".repeat(LINE_BYTES_MAX));
        assert!(of_value("a.b", &long).is_empty());
    }

    #[test]
    fn other_vessels_are_told_of_where_they_are_wanted() {
        let text =
            r#"{"context":"vessels.urn:mrn:imo:mmsi:211000001","updates":[{"values":[{"path":"a.b","value":1}]}]}"#;
        assert!(told(&mut Lines::new(SELF, false, Duration::ZERO), text, 0).is_empty());
        let all = told(&mut Lines::new(SELF, true, Duration::ZERO), text, 0);
        assert_eq!(all, ["a.b,context=vessels.urn:mrn:imo:mmsi:211000001,source=can0.7 value=1 1000\n"]);
    }
}
