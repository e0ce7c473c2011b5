//! What `--output mqtt://…` names.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::template::Template;
use crate::mqtt::{BROKER_OPTIONS, Broker};

/// Between two values of a series, where nothing else is said.
const EVERY: Duration = Duration::from_secs(1);
/// Milliseconds between two values of a series.
const EVERY_MAX: u64 = 3_600_000;
/// Megabytes that wait in files, where nothing else is said, and at most.
const KEEP: u64 = 64;
const KEEP_MAX: u64 = 16 * 1024;
/// What all topics of a boat begin with.
const BASE: &str = "signalk/{context}";

/// What is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Payload {
    /// `{"value":…,"timestamp":…,"$source":…}`, a topic a path.
    #[default]
    Object,
    /// The value alone.
    Value,
    /// Whole deltas, all in one topic.
    Delta,
}

/// A broker, and what goes there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Where it is.
    pub broker: Broker,
    /// What is published.
    pub payload: Payload,
    /// What status, PUT and answers begin with.
    pub base: Template,
    /// The topic of a value or delta.
    pub topic: Template,
    /// Between two values of a series.
    pub every: Duration,
    /// Bytes that wait in files.
    pub keep_bytes: u64,
    /// Other vessels, too.
    pub is_for_all: bool,
    /// The broker keeps the last value of each topic.
    pub is_retained: bool,
    /// Where Home Assistant looks for sensors.
    pub discovery: Option<String>,
    /// The token by whose role PUT by topic is judged; without one there is none.
    pub put_token_file: Option<PathBuf>,
}

impl Destination {
    /// Takes what a user typed: `[user@]host[:port]`, and options.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(is_secure: bool, place: &str, options: &str) -> Result<Self, String> {
        let mut broker = Broker::parse(is_secure, place)?;
        let (mut base, mut topic, mut payload) = (Template::parse(BASE)?, None, Payload::default());
        let (mut every, mut keep, mut is_for_all, mut is_retained) = (None, KEEP, false, false);
        let (mut discovery, mut put_token_file) = (None, None);
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let number = |max: u64, clause: &str| {
                value.parse().ok().filter(|number| *number <= max).ok_or_else(|| clause.to_owned())
            };
            match name {
                _ if value.is_empty() => return Err(format!("{name}= needs a value")),
                _ if broker.set(name, value)? => {}
                "base" => base = Template::parse(value)?,
                "topic" => topic = Some(Template::parse(value)?),
                "payload" => {
                    payload = match value {
                        "object" => Payload::Object,
                        "value" => Payload::Value,
                        "delta" => Payload::Delta,
                        _ => return Err("payload is object, value or delta".into()),
                    }
                }
                "every" => every = Some(number(EVERY_MAX, "every is milliseconds, up to 3600000")?),
                "keep" => keep = number(KEEP_MAX, "keep is megabytes, up to 16384")?,
                "contexts" => is_for_all = is_one(value, "all", "self", "contexts is self or all")?,
                "retain" => is_retained = is_one(value, "yes", "no", "retain is yes or no")?,
                "discovery" => {
                    let prefix = Template::parse(value)?;
                    if value.contains('{') || prefix.is_of_values() {
                        return Err("discovery is the topic where Home Assistant looks: homeassistant".into());
                    }
                    discovery = Some(value.to_owned());
                }
                "put_token_file" => put_token_file = Some(PathBuf::from(value)),
                _ => {
                    return Err(format!(
                        "{name} is no option; there are base=, topic=, payload=, every=, contexts=, keep=, retain=, \
                         discovery=, put_token_file=, {BROKER_OPTIONS}"
                    ));
                }
            }
        }
        let topic = match topic {
            Some(topic) => topic,
            None => base.below(if payload == Payload::Delta { "delta" } else { "{path}" })?,
        };
        match payload {
            _ if base.is_of_values() => Err("base has no {path} and no {source}: topic= has".into()),
            Payload::Delta if topic.is_of_values() => Err("a delta has several paths: topic= without {path}".into()),
            Payload::Delta if every.is_some() => Err("every= is for values: a delta goes out whole".into()),
            Payload::Delta if discovery.is_some() => Err("discovery= is for values: payload=object or value".into()),
            Payload::Object | Payload::Value if !topic.has_path() => Err("topic= needs {path}".into()),
            _ => Ok(Self {
                broker: broker.checked()?,
                payload,
                base,
                topic,
                every: every.map_or(EVERY, Duration::from_millis),
                keep_bytes: keep << 20,
                is_for_all,
                is_retained,
                discovery,
                put_token_file,
            }),
        }
    }
}

fn is_one(value: &str, yes: &str, no: &str, clause: &str) -> Result<bool, String> {
    if value == yes || value == no { Ok(value == yes) } else { Err(clause.to_owned()) }
}

impl fmt::Display for Destination {
    /// Where it goes; no secret is in there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.broker.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::mqtt::template::Place;

    #[test]
    fn what_nobody_names_has_its_default() {
        let destination = Destination::parse(false, "me@nas", "").unwrap();
        let place = Place { context: "vessels.a", is_own: true, path: "b.c", source: "d" };
        assert_eq!(destination.topic.of(&place), "signalk/vessels/a/b/c");
        assert_eq!((destination.every, destination.keep_bytes), (EVERY, 64 << 20));
        assert!(!destination.is_for_all && !destination.is_retained && destination.put_token_file.is_none());
        assert_eq!(destination.to_string(), "mqtt://nas:1883");
        let options = "base=boats/{vessel}&payload=delta&contexts=all&version=5";
        let destination = Destination::parse(true, "nas:1", options).unwrap();
        assert_eq!(destination.topic.of(&place), "boats/self/delta");
        assert_eq!((destination.to_string(), destination.is_for_all), ("mqtts://nas:1".into(), true));
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (options, clause) in [
            ("every=", "needs a value"),
            ("every=x", "milliseconds"),
            ("keep=99999", "megabytes"),
            ("contexts=x", "self or all"),
            ("retain=x", "yes or no"),
            ("payload=x", "object, value or delta"),
            ("topic=a/b", "needs {path}"),
            ("base=a/{path}", "base has no {path}"),
            ("payload=delta&topic=a/{path}", "several paths"),
            ("payload=delta&every=1", "every= is for values"),
            ("payload=delta&discovery=ha", "discovery= is for values"),
            ("discovery={path}", "Home Assistant"),
            ("password=x", "password is no option"),
            ("password_file=/x", "needs a user"),
        ] {
            let refused = Destination::parse(false, "nas", options).unwrap_err();
            assert!(refused.contains(clause), "{options}: {refused}");
        }
    }
}
