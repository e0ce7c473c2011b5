//! Deltas as messages, a line each until they are sent.
//!
//! ```text
//! -signalk/vessels/urn:…/navigation/headingTrue⇥{"value":1.2,"timestamp":"…","$source":"can0.7"}⏎
//! ```
//!
//! The first letter says whether the broker keeps it: `=` yes, `-` no. No topic has a tabulator and no JSON a line's end in it.

use std::collections::BTreeSet;

use skiff_runtime::delta::{Delta, UpdateRef};
use skiff_runtime::json;
use skiff_runtime::time::Instant;

use super::destination::{Destination, Payload};
use super::discovery::Sensors;
use super::template::{Place, Template};
use crate::mqtt::{FROM_BROKERS, packet::Message};
use crate::output::series::Series;

/// Bytes of a message; a longer one is left out.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Sensors that are told to Home Assistant.
const SENSORS_MAX: usize = 1024;

/// Makes messages of deltas.
pub struct Values {
    self_context: String,
    is_for_all: bool,
    payload: Payload,
    topic: Template,
    is_retained: bool,
    series: Series,
    sensors: Option<Sensors>,
    /// Paths that have a sensor.
    announced: BTreeSet<String>,
}

impl Values {
    /// Makes those of a destination.
    pub fn new(destination: &Destination, self_context: &str) -> Self {
        let sensors = destination.discovery.as_ref().map(|prefix| Sensors::new(prefix, destination, self_context));
        Self {
            self_context: self_context.to_owned(),
            is_for_all: destination.is_for_all,
            payload: destination.payload,
            topic: destination.topic.clone(),
            is_retained: destination.is_retained,
            series: Series::new(destination.every),
            sensors,
            announced: BTreeSet::new(),
        }
    }

    /// Gives the lines of a delta; `meta` returns what is known of a path of the own vessel. What came from a broker goes to none: two
    /// gateways at one broker would tell each other for ever.
    pub fn of(
        &mut self,
        delta: &Delta,
        now: Instant,
        meta: impl Fn(&str) -> Option<String>,
        mut give: impl FnMut(&str),
    ) {
        let is_own = delta.is_own(&self.self_context);
        if !is_own && !self.is_for_all {
            return;
        }
        let context = if is_own { self.self_context.clone() } else { delta.context().to_owned() };
        let place = Place { context: &context, is_own, path: "", source: "" };
        if self.payload == Payload::Delta {
            if delta.updates().all(|update| !is_from_broker(update.source_ref())) {
                self.give(&place, delta.text(), &mut give);
            }
            return;
        }
        for update in delta.updates().filter(|update| !is_from_broker(update.source_ref())) {
            for (path, value) in update.entries() {
                let source = update.source_ref();
                if path.is_empty() || !self.series.is_due(&context, path, source, now) {
                    continue;
                }
                let place = Place { path, source, ..place };
                if is_own && value.number().is_some() {
                    self.announce(&place, &meta, &mut give);
                }
                let payload = match self.payload {
                    Payload::Value => value.shown().to_string(),
                    Payload::Object | Payload::Delta => object(&update, &value.shown()),
                };
                self.give(&place, &payload, &mut give);
            }
        }
    }

    /// Tells Home Assistant of a path, the first time that it has a number.
    fn announce(&mut self, place: &Place<'_>, meta: &impl Fn(&str) -> Option<String>, give: &mut impl FnMut(&str)) {
        let Some(sensors) = &self.sensors else { return };
        if place.path.starts_with("notifications.")
            || self.announced.len() >= SENSORS_MAX
            || self.announced.contains(place.path)
        {
            return;
        }
        self.announced.insert(place.path.to_owned());
        let (topic, payload) = sensors.of(place.path, &self.topic.of(place), meta(place.path).as_deref());
        give(&format!("={topic}\t{payload}\n"));
    }

    fn give(&self, place: &Place<'_>, payload: &str, give: &mut impl FnMut(&str)) {
        let mut line = String::from(if self.is_retained { "=" } else { "-" });
        self.topic.write(&mut line, place);
        line.push('\t');
        if payload.contains(['\n', '\r']) {
            // What was never checked cannot be told.
            let Ok(compact) = json::compact(payload) else { return };
            line.push_str(&compact);
        } else {
            line.push_str(payload);
        }
        line.push('\n');
        if line.len() <= LINE_BYTES_MAX {
            give(&line);
        }
    }
}

fn object(update: &UpdateRef<'_>, value: &str) -> String {
    json::object(|out| {
        out.json("value", value);
        let time = update.time().text();
        if !time.is_empty() {
            out.text("timestamp", &time);
        }
        out.text("$source", update.source_ref());
    })
}

/// Tells whether a source is a broker's: one of its segments says so.
fn is_from_broker(source: &str) -> bool {
    source.split('.').any(|segment| segment == FROM_BROKERS)
}

/// Makes the line of a message of our own.
pub fn line(topic: &str, payload: &str, is_retained: bool) -> String {
    format!("{}{topic}\t{payload}\n", if is_retained { '=' } else { '-' })
}

/// Reads a line without its end; `None` of what is none.
pub fn message(line: &str) -> Option<Message<'_>> {
    let (topic, payload) = line.get(1..)?.split_once('\t')?;
    Some(Message { topic, payload: payload.as_bytes(), is_retained: line.starts_with('=') })
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_runtime::delta::Stamp;
    use skiff_runtime::time::UnixMillis;

    const SELF: &str = "vessels.urn:mrn:imo:mmsi:211000000";

    fn maker(options: &str) -> Values {
        Values::new(&Destination::parse(false, "nas", options).unwrap(), SELF)
    }

    fn told(values: &mut Values, text: &str, now: u64) -> Vec<String> {
        let stamp = Stamp { source_ref: "can0.7", self_context: SELF, now: UnixMillis(1000) };
        let delta = Delta::parse(text, &stamp).unwrap();
        let mut told = Vec::new();
        let meta = |_: &str| Some(r#"{"units":"m/s"}"#.to_owned());
        values.of(&delta, Instant::from_millis(now), meta, |line| told.push(line.to_owned()));
        told
    }

    const DELTA: &str = r#"{"updates":[{"values":[{"path":"a.b","value":1},{"path":"a.c","value":{"x":"y"}}]}]}"#;

    #[test]
    fn each_payload_has_its_form() {
        let topic = "signalk/vessels/urn:mrn:imo:mmsi:211000000/a";
        let object = r#""timestamp":"1970-01-01T00:00:01.000Z","$source":"can0.7"}"#;
        assert_eq!(
            told(&mut maker(""), DELTA, 0),
            [
                format!("-{topic}/b\t{{\"value\":1,{object}\n"),
                format!("-{topic}/c\t{{\"value\":{{\"x\":\"y\"}},{object}\n")
            ]
        );
        let values = told(&mut maker("payload=value&retain=yes&topic=x/{path}"), DELTA, 0);
        assert_eq!(values, ["=x/a/b\t1\n", "=x/a/c\t{\"x\":\"y\"}\n"]);
        let deltas = told(&mut maker("payload=delta"), DELTA, 0);
        let (topic, payload) = deltas[0].split_once('\t').unwrap();
        assert_eq!(topic, "-signalk/vessels/urn:mrn:imo:mmsi:211000000/delta");
        assert!(payload.contains(SELF) && payload.ends_with("}]}\n"), "{payload}");
        let read = message(deltas[0].trim_end()).unwrap();
        assert_eq!((read.topic, read.is_retained), (topic.trim_start_matches('-'), false));
        assert_eq!(message("no topic"), None);
    }

    #[test]
    fn a_path_is_throttled_and_others_are_told_beside_it() {
        let mut values = maker("every=1000");
        let counts = [0, 500, 1000].map(|now| told(&mut values, DELTA, now).len());
        assert_eq!(counts, [2, 0, 2]);
    }

    #[test]
    fn other_vessels_are_told_of_where_they_are_wanted_and_what_came_from_a_broker_never() {
        let other = DELTA.replacen('{', r#"{"context":"vessels.x","#, 1);
        assert!(told(&mut maker(""), &other, 0).is_empty());
        assert_eq!(told(&mut maker("contexts=all"), &other, 0).len(), 2);
        let from = DELTA.replacen(r#"{"values""#, r#"{"$source":"nas.mqtt","values""#, 1);
        assert!(told(&mut maker(""), &from, 0).is_empty());
        assert!(told(&mut maker("payload=delta"), &from, 0).is_empty());
    }

    #[test]
    fn a_number_is_announced_once_before_its_first_value() {
        let mut values = maker("discovery=homeassistant&every=0");
        let first = told(&mut values, DELTA, 0);
        assert_eq!(first.len(), 3);
        assert!(first[0].starts_with("=homeassistant/sensor/") && first[0].contains("/a_b/config\t{"), "{first:?}");
        assert_eq!(told(&mut values, DELTA, 0).len(), 2);
    }
}
