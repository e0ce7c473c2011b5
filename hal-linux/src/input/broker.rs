//! A broker as an input: which topics are subscribed to, and what becomes of them.

use skiff_runtime::delta::{DELTA_BYTES_MAX, Delta, Stamp};
use skiff_runtime::json;
use skiff_runtime::time::UnixMillis;

use crate::mqtt::{BROKER_OPTIONS, Broker, FROM_BROKERS};

/// Rows of one input.
const ROWS_MAX: usize = 64;
/// Bytes of a topic, a path or the name of a member.
const NAME_BYTES_MAX: usize = 256;
/// Levels below a base that are no paths: what an output tells and asks there.
const NO_PATHS: [&str; 4] = ["status", "put", "answers", "delta"];

/// Units that things tell, with what makes Signal K's of them: a factor, and what is added after it.
const UNITS: [(&str, f64, f64); 13] = [
    ("C", 1.0, 273.15),
    ("F", 5.0 / 9.0, 459.67 * 5.0 / 9.0),
    ("%", 0.01, 0.0),
    ("deg", std::f64::consts::PI / 180.0, 0.0),
    ("rpm", 1.0 / 60.0, 0.0),
    ("hPa", 100.0, 0.0),
    ("mbar", 100.0, 0.0),
    ("bar", 100_000.0, 0.0),
    ("kn", 1852.0 / 3600.0, 0.0),
    ("km/h", 1.0 / 3.6, 0.0),
    ("min", 60.0, 0.0),
    ("h", 3600.0, 0.0),
    ("l", 0.001, 0.0),
];

/// What becomes of a topic.
#[derive(Clone, Debug, PartialEq)]
enum Row {
    /// `map=TOPIC,PATH[,MEMBER[,UNIT]]`: the value of a path.
    Path { topic: String, path: String, member: Option<String>, factor: f64, offset: f64 },
    /// `below=TOPIC`: what follows is the path, as an output has it.
    Below(String),
    /// `deltas=TOPIC`: whole deltas of other vessels.
    Deltas(String),
}

/// A broker, and what is listened to there.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Where it is.
    pub broker: Broker,
    rows: Vec<Row>,
    /// What it kept from before is taken as if it were told now.
    takes_retained: bool,
    label: String,
}

// No number of a unit is none.
impl Eq for Listener {}

impl Listener {
    /// Takes what a user typed: `[user@]host[:port]`, and options; with the label, where one is given.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(is_secure: bool, place: &str, options: &str) -> Result<(Self, Option<String>), String> {
        let mut broker = Broker::parse(is_secure, place)?;
        let (mut rows, mut label, mut takes_retained) = (Vec::new(), None, false);
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match name {
                _ if value.is_empty() => return Err(format!("{name}= needs a value")),
                _ if broker.set(name, value)? => {}
                "label" => label = Some(value.to_owned()),
                "map" => rows.push(mapped(value)?),
                "below" => rows.push(Row::Below(filter(value, false)?)),
                "deltas" => rows.push(Row::Deltas(filter(value, true)?)),
                "retained" if matches!(value, "yes" | "no") => takes_retained = value == "yes",
                "retained" => return Err("retained is yes or no".into()),
                _ => {
                    return Err(format!(
                        "{name} is no option; there are map=TOPIC,PATH[,MEMBER[,UNIT]], below=, deltas=, retained=, \
                         label=, {BROKER_OPTIONS}"
                    ));
                }
            }
        }
        if rows.is_empty() || rows.len() > ROWS_MAX {
            return Err(format!("name 1 to {ROWS_MAX} of map=TOPIC,PATH, below=TOPIC and deltas=TOPIC"));
        }
        let broker = broker.checked()?;
        let own = broker.label();
        Ok((Self { broker, rows, takes_retained, label: own }, label))
    }

    /// The same, with this label.
    #[must_use]
    pub fn labelled(&self, label: &str) -> Self {
        Self { label: label.to_owned(), ..self.clone() }
    }

    /// Returns the label of its deltas.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Visits what is subscribed to.
    pub fn filters(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(Row::filter)
    }

    /// Makes deltas of a message, one a row that it is of; an error where it cannot be read. `own` is the URN of the own vessel.
    ///
    /// What the broker kept from before has no time of its own but the one that stands in it: without one it is passed over, unless
    /// `retained=yes`.
    pub fn deltas(
        &self,
        topic: &str,
        payload: &[u8],
        is_retained: bool,
        own: &str,
    ) -> impl Iterator<Item = Result<String, ()>> {
        let payload = str::from_utf8(payload);
        let source = format!("{}.{FROM_BROKERS}", self.label);
        let is_stale = is_retained && !self.takes_retained;
        self.rows.iter().filter(move |row| matches(row.filter(), topic)).filter_map(move |row| match payload {
            Ok(payload) => row.delta(topic, payload, is_stale, &source, own),
            Err(_) => Some(Err(())),
        })
    }
}

impl Row {
    /// Returns what is subscribed to.
    fn filter(&self) -> &str {
        match self {
            Self::Path { topic, .. } | Self::Below(topic) | Self::Deltas(topic) => topic,
        }
    }

    /// Makes a delta; `None` where the message is none of ours.
    fn delta(&self, topic: &str, payload: &str, is_stale: bool, source: &str, own: &str) -> Option<Result<String, ()>> {
        match self {
            Self::Path { .. } if is_stale => None,
            Self::Path { path, member, factor, offset, .. } => {
                let value = value(payload, member.as_deref(), *factor, *offset);
                Some(value.map(|value| told(source, path, &value, None)))
            }
            Self::Below(filter) => {
                let levels = topic.get(filter.len().saturating_sub(1)..)?;
                let path = levels.replace('/', ".");
                if NO_PATHS.contains(&levels.split('/').next()?) || path.len() > NAME_BYTES_MAX {
                    return None;
                }
                let Ok(payload) = json::compact(payload) else { return Some(Err(())) };
                let member = |name: &str| json::member(&payload, name).filter(|_| payload.starts_with('{'));
                let time =
                    member("timestamp").and_then(json::string).filter(|time| UnixMillis::parse_iso(time).is_some());
                if is_stale && time.is_none() {
                    return None;
                }
                let value = if member("$source").is_some() { member("value") } else { None };
                Some(Ok(told(source, &path, value.unwrap_or(&payload), time.as_deref())))
            }
            Self::Deltas(_) => delta_of_other(payload, source, own),
        }
    }
}

/// Reads `TOPIC,PATH[,MEMBER[,UNIT]]`.
fn mapped(text: &str) -> Result<Row, String> {
    let mut parts = text.split(',');
    let (topic, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (member, unit, more) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    let is_path = !path.is_empty() && path.len() <= NAME_BYTES_MAX && path.split('.').all(|part| !part.is_empty());
    if !is_path || more.is_some() || member.len() > NAME_BYTES_MAX {
        return Err("map is TOPIC,PATH[,MEMBER[,UNIT]], for example map=cabin/sensor,environment.inside.temperature,temperature,C".into());
    }
    let (_, factor, offset) = match UNITS.iter().find(|(name, ..)| *name == unit) {
        Some(unit) => *unit,
        None if unit.is_empty() => ("", 1.0, 0.0),
        None => {
            let names: Vec<_> = UNITS.iter().map(|(name, ..)| *name).collect();
            return Err(format!("{unit} is no unit; there are {}", names.join(", ")));
        }
    };
    let member = Some(member.to_owned()).filter(|member| !member.is_empty());
    Ok(Row::Path { topic: filter(topic, true)?, path: path.to_owned(), member, factor, offset })
}

/// Reads a filter of topics (MQTT 5 §4.7.1), or the topic below which all is wanted.
fn filter(text: &str, with_wildcards: bool) -> Result<String, String> {
    let levels: Vec<&str> = text.split('/').collect();
    let is_sound = |(at, level): (usize, &&str)| match *level {
        "+" => with_wildcards,
        "#" => with_wildcards && at + 1 == levels.len(),
        level => !level.contains(['+', '#']) && !level.contains(char::is_control),
    };
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !levels.iter().enumerate().all(is_sound) {
        return Err(format!("{text} is no topic"));
    }
    Ok(if with_wildcards { text.to_owned() } else { format!("{}/#", text.trim_end_matches('/')) })
}

/// Tells whether a topic is one of a filter's.
fn matches(filter: &str, topic: &str) -> bool {
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", Some(_)) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// Reads the value of a payload, or of one of its members, and brings it to Signal K's unit.
fn value(payload: &str, member: Option<&str>, factor: f64, offset: f64) -> Result<String, ()> {
    // What things tell is often a text without quotes.
    let payload = json::compact(payload).or_else(|_| match member {
        None if !payload.trim().is_empty() => Ok(json::quoted(payload.trim())),
        _ => Err(()),
    })?;
    let value = match member {
        None => payload.as_str(),
        Some(member) if payload.starts_with('{') => json::member(&payload, member).ok_or(())?,
        Some(_) => return Err(()),
    };
    #[expect(clippy::float_cmp, reason = "as they stand in the table")]
    if factor == 1.0 && offset == 0.0 {
        return Ok(value.to_owned());
    }
    let number = json::number(value).or_else(|| json::string(value)?.trim().parse().ok()).ok_or(())?;
    let mut text = String::new();
    json::write_f64(&mut text, number * factor + offset).map_err(|_| ())?;
    Ok(text)
}

/// Writes a delta of one value of the own vessel.
fn told(source: &str, path: &str, value: &str, time: Option<&str>) -> String {
    json::object(|out| {
        out.list("updates", |list| {
            list.object(|update| {
                update.text("$source", source);
                if let Some(time) = time {
                    update.text("timestamp", time);
                }
                update.list("values", |list| {
                    list.object(|entry| _ = entry.text("path", path).json("value", value));
                });
            });
        });
    })
}

/// Writes a delta of another vessel anew, with sources that say whence it came. Of the own vessel nobody else is asked.
fn delta_of_other(payload: &str, source: &str, own: &str) -> Option<Result<String, ()>> {
    if payload.len() > DELTA_BYTES_MAX {
        return Some(Err(()));
    }
    let stamp = Stamp { source_ref: "", self_context: own, now: UnixMillis::UNKNOWN };
    let Ok(delta) = Delta::parse(payload, &stamp) else { return Some(Err(())) };
    let urn = |context: &str| context.strip_prefix("vessels.").unwrap_or(context).to_owned();
    if urn(delta.context()) == urn(own) || urn(delta.context()) == "self" {
        return None;
    }
    Some(Ok(json::object(|out| {
        out.text("context", delta.context());
        out.list("updates", |list| {
            for update in delta.updates() {
                list.object(|out| {
                    let theirs = update.source_ref();
                    out.text(
                        "$source",
                        &if theirs.is_empty() { source.to_owned() } else { format!("{source}.{theirs}") },
                    );
                    if !update.timestamp().is_empty() {
                        out.text("timestamp", update.timestamp());
                    }
                    out.list("values", |list| {
                        for (path, value) in update.values() {
                            list.object(|entry| _ = entry.text("path", path).json("value", value));
                        }
                    });
                });
            }
        });
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "urn:mrn:imo:mmsi:211000000";

    fn listener(options: &str) -> Listener {
        Listener::parse(false, "nas", options).unwrap().0
    }

    fn heard(options: &str, topic: &str, payload: &str, is_retained: bool) -> Option<Result<String, ()>> {
        listener(options).deltas(topic, payload.as_bytes(), is_retained, OWN).next()
    }

    fn delta(path: &str, value: &str, time: &str) -> Option<Result<String, ()>> {
        let time = if time.is_empty() { String::new() } else { format!(r#""timestamp":"{time}","#) };
        let value = format!(r#"{{"path":"{path}","value":{value}}}"#);
        Some(Ok(format!(r#"{{"updates":[{{"$source":"mqtt-nas.mqtt",{time}"values":[{value}]}}]}}"#)))
    }

    #[test]
    fn a_topic_becomes_the_value_of_a_path_in_units_of_signal_k() {
        for (map, payload, value) in [
            ("a,x.y", "21.5", "21.5"),
            ("a,x.y", "on", "\"on\""),
            ("a,x.y", r#"{"b":1}"#, r#"{"b":1}"#),
            ("a,x.y,t", r#"{"t":true}"#, "true"),
            ("a,x.y,t,C", r#"{"t":20}"#, "293.15"),
            ("a,x.y,,hPa", "1013", "101300"),
            ("a,x.y,,%", "\"50\"", "0.5"),
            ("+,x.y,,deg", "180", "3.141592653589793"),
        ] {
            assert_eq!(heard(&format!("map={map}"), "a", payload, false), delta("x.y", value, ""), "{map}");
        }
        for (map, payload) in
            [("a,x.y,t", "1"), ("a,x.y,t", "{}"), ("a,x.y,,C", "warm"), ("a,x.y", ""), ("a,x.y,t", "{")]
        {
            assert_eq!(heard(&format!("map={map}"), "a", payload, false), Some(Err(())), "{map}: {payload}");
        }
        assert_eq!(heard("map=a,x.y", "b", "1", false), None);
        // A thing that tells several values at once.
        let both = listener("map=a,x.t,t&map=a,x.h,h,%");
        let told: Vec<_> = both.deltas("a", br#"{"t":1,"h":50}"#, false, OWN).collect();
        assert_eq!(told, [delta("x.t", "1", "").unwrap(), delta("x.h", "0.5", "").unwrap()]);
    }

    #[test]
    fn what_an_output_told_is_read_back_with_its_time() {
        let payload = r#"{"value":1.5,"timestamp":"2026-01-01T00:00:00.000Z","$source":"can0.7"}"#;
        let expected = delta("a.b", "1.5", "2026-01-01T00:00:00.000Z");
        assert_eq!(heard("below=boat", "boat/a/b", payload, false), expected);
        assert_eq!(heard("below=boat/", "boat/a/b", payload, true), expected);
        assert_eq!(heard("below=boat", "boat/a/b", "7", false), delta("a.b", "7", ""));
        for topic in ["boat/put/a/b", "boat/status", "boat/answers", "boat/delta", "other/a"] {
            assert_eq!(heard("below=boat", topic, "1", false), None, "{topic}");
        }
        assert_eq!(heard("below=boat", "boat/a", "online", false), Some(Err(())));
    }

    #[test]
    fn what_was_kept_has_no_time_and_is_passed_over() {
        assert_eq!(heard("map=a,x.y", "a", "1", true), None);
        assert_eq!(heard("below=boat", "boat/a", "1", true), None);
        assert_eq!(heard("map=a,x.y&retained=yes", "a", "1", true), delta("x.y", "1", ""));
    }

    #[test]
    fn deltas_of_other_vessels_say_whence_they_came_and_the_own_one_is_nobody_elses() {
        let text = |context: &str| {
            format!(
                r#"{{"context":"{context}","updates":[{{"$source":"can0.7","timestamp":"2026-01-01T00:00:00.000Z","values":[{{"path":"a","value":1}}]}}]}}"#
            )
        };
        let other = "vessels.urn:mrn:imo:mmsi:211000001";
        let told = heard("deltas=fleet/+/delta", "fleet/x/delta", &text(other), true).unwrap().unwrap();
        assert_eq!(told, text(other).replace("can0.7", "mqtt-nas.mqtt.can0.7"));
        let own = format!("vessels.{OWN}");
        assert_eq!(heard("deltas=fleet/#", "fleet/x", &text(&own), false), None);
        assert_eq!(
            heard("deltas=fleet/#", "fleet/x", r#"{"updates":[{"values":[{"path":"a","value":1}]}]}"#, false),
            None
        );
        assert_eq!(heard("deltas=fleet/#", "fleet/x", "{", false), Some(Err(())));
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (options, clause) in [
            ("", "map=TOPIC,PATH"),
            ("map=a", "map is TOPIC"),
            ("map=a,b..c", "map is TOPIC"),
            ("map=a,b,c,d,e", "map is TOPIC"),
            ("map=a,b,c,stone", "stone is no unit"),
            ("map=a/#/b,c", "no topic"),
            ("map=a+,c", "no topic"),
            ("below=a/#", "no topic"),
            ("deltas=", "needs a value"),
            ("map=a,b&retained=x", "yes or no"),
            ("map=a,b&password=x", "password is no option"),
        ] {
            let refused = Listener::parse(false, "nas", options).unwrap_err();
            assert!(refused.contains(clause), "{options}: {refused}");
        }
        let (listener, label) = Listener::parse(true, "nas", "map=a/+/b,c&label=cabin").unwrap();
        assert_eq!((label.as_deref(), listener.filters().collect::<Vec<_>>()), (Some("cabin"), vec!["a/+/b"]));
        assert!(matches("a/+/b", "a/x/b") && !matches("a/+", "a") && !matches("a", "a/b") && matches("#", "a/b"));
    }
}
