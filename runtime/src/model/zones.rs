//! Zones of a path raise notifications: `meta.zones`, `[{"lower":…,"upper":…,"state":…,"message":…}]` (Signal K 1.7, zones).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Model, TakenIn};
use crate::delta::{Delta, Stamp};
use crate::json;
use crate::sorted::SortedMap;
use crate::time::UnixMillis;

/// `$source` of the notifications that zones raise.
const SOURCE: &str = "zones";
/// Zones of one path; more are ignored.
const ZONES_MAX: usize = 16;
/// Severity of states, calm ones first (Signal K 1.7, `definitions/alarmState`).
const STATES: [&str; 6] = ["nominal", "normal", "alert", "warn", "alarm", "emergency"];
const NORMAL: &str = "normal";

/// The paths that have zones.
#[derive(Debug, Default)]
pub(super) struct Zones {
    rows: SortedMap<Box<str>, PathZones>,
    limit: usize,
}

#[derive(Debug, Default)]
struct PathZones {
    zones: Vec<Zone>,
    /// The zone that was told last, and its state; `None` before the first value.
    told: Option<(Option<usize>, &'static str)>,
}

/// A range of values, `lower` included, `upper` not.
#[derive(Clone, Debug, PartialEq)]
struct Zone {
    lower: Option<f64>,
    upper: Option<f64>,
    state: &'static str,
    message: Option<String>,
}

/// Returns what is wrong with zones that somebody sets, by the number of the zone. Those that a source tells are not refused:
/// one that cannot be read is left out.
pub(crate) fn refusal(zones: &str) -> Option<String> {
    let (mut number, mut wrong) = (0, None);
    let read = json::items::<json::JsonError>(zones, |item| {
        number += 1;
        wrong = wrong.take().or_else(|| Some(format!("zone {number}: {}", refusal_of_one(item)?)));
        Ok(())
    });
    match read {
        Err(error) => Some(format!("zones: {error}")),
        Ok(()) if number > ZONES_MAX => Some(format!("a path has {ZONES_MAX} zones at most")),
        Ok(()) => wrong,
    }
}

fn refusal_of_one(zone: &str) -> Option<String> {
    let state = json::member(zone, "state").and_then(json::string).unwrap_or_default();
    if !STATES.contains(&&*state) {
        return Some(format!("its state is one of {}", STATES.join(", ")));
    }
    let edges = ["lower", "upper"].map(|name| json::member(zone, name).filter(|text| *text != "null"));
    if edges.into_iter().flatten().any(|text| json::number(text).is_none()) {
        return Some("its edges are numbers".into());
    }
    match edges.map(|edge| edge.and_then(json::number)) {
        [Some(lower), Some(upper)] if lower >= upper => Some("lower has to be less than upper".into()),
        _ => None,
    }
}

impl Zones {
    pub(super) fn new(limit: u16) -> Self {
        Self { rows: SortedMap::new(), limit: usize::from(limit) }
    }
}

impl PathZones {
    /// Reads the zones of a meta object; one that cannot be read is left out.
    fn read(meta: &str) -> Vec<Zone> {
        let mut zones = Vec::new();
        let Some(list) = json::member(meta, "zones").filter(|list| list.starts_with('[')) else { return zones };
        // What is no list has no zones.
        let _ = json::items::<json::JsonError>(list, |item| {
            let edge = |name: &str| json::member(item, name).and_then(json::number);
            let state = json::member(item, "state").and_then(json::string);
            let state = state.and_then(|state| STATES.into_iter().find(|known| *known == &*state));
            if let Some(state) = state
                && zones.len() < ZONES_MAX
            {
                let message = json::member(item, "message").and_then(json::string).map(Cow::into_owned);
                zones.push(Zone { lower: edge("lower"), upper: edge("upper"), state, message });
            }
            Ok(())
        });
        zones
    }

    /// Returns the zone that a value is in; of several the most severe.
    fn zone(&self, value: f64) -> Option<usize> {
        let inside =
            |zone: &Zone| zone.lower.is_none_or(|lower| value >= lower) && zone.upper.is_none_or(|upper| value < upper);
        let severity = |zone: &Zone| STATES.into_iter().position(|state| state == zone.state);
        let all = self.zones.iter().enumerate().filter(|(_, zone)| inside(zone));
        all.max_by_key(|(_, zone)| severity(zone)).map(|(at, _)| at)
    }
}

/// Returns the notification of a state: method as `meta` says (`alarmMethod`, …), else by its severity.
fn notification(path: &str, meta: &str, state: &str, message: Option<&str>) -> String {
    let method = json::member(meta, &format!("{state}Method")).filter(|method| method.starts_with('['));
    let name = json::member(meta, "displayName").and_then(json::string);
    json::object(|value| {
        value.text("state", state);
        match method {
            Some(method) => drop(value.json("method", method)),
            None => drop(value.list("method", |out| {
                if matches!(state, "alert" | "warn" | "alarm" | "emergency") {
                    out.text("visual");
                }
                if matches!(state, "alarm" | "emergency") {
                    out.text("sound");
                }
            })),
        }
        match message {
            Some(message) => value.text("message", message),
            None => value.text("message", &format!("{} is {state}", name.as_deref().unwrap_or(path))),
        };
    })
}

/// Whether new zones judge the value that is there.
const JUDGES_KNOWN: bool = cfg!(any(test, feature = "std"));

impl Model {
    /// Takes note of the zones and values of a delta of the own vessel that is in the model; what these raise comes back.
    pub(super) fn zones_of(&mut self, delta: &Delta) -> Vec<Arc<Delta>> {
        let mut raised = Vec::new();
        // Nearly always there is nothing to do, and this is on the way of every delta.
        if self.zones.rows.is_empty() && delta.updates().all(|update| update.meta().next().is_none()) {
            return raised;
        }
        for update in delta.updates() {
            for (path, meta) in update.meta() {
                if json::member(meta, "zones").is_some() {
                    self.set_zones(path, update.timestamp(), &mut raised);
                }
            }
            for (path, value) in update.entries() {
                if let Some(value) = self.zones.rows.get(path).and_then(|_| value.number()) {
                    self.judge(path, value, update.timestamp(), &mut raised);
                }
            }
        }
        raised
    }

    /// Brings the zones that are known of a path now into force; where there are none any more, an alarm is over.
    fn set_zones(&mut self, path: &str, timestamp: &str, raised: &mut Vec<Arc<Delta>>) {
        let zones = self.own_meta(path).map(PathZones::read).unwrap_or_default();
        if zones.is_empty() {
            if let Some(PathZones { told: Some((Some(_), _)), .. }) = self.zones.rows.remove(path) {
                self.raise(path, NORMAL, None, timestamp, raised);
            }
            return;
        }
        if let Some(row) = self.zones.rows.get_mut(path) {
            if row.zones != zones {
                *row = PathZones { zones, told: None };
            }
        } else if self.zones.rows.len() < self.zones.limit {
            self.zones.rows.insert(path.into(), PathZones { zones, told: None });
        } else {
            self.refuse();
        }
        // What is known already is judged at once; on chips, which have no room for this, the next value is.
        if JUDGES_KNOWN && let Some(value) = self.own_value(path).and_then(|value| value.number()) {
            self.judge(path, value, timestamp, raised);
        }
    }

    fn judge(&mut self, path: &str, value: f64, timestamp: &str, raised: &mut Vec<Arc<Delta>>) {
        let Some(row) = self.zones.rows.get_mut(path) else { return };
        let at = row.zone(value);
        let zone = at.and_then(|at| row.zones.get(at));
        let state = zone.map_or(NORMAL, |zone| zone.state);
        if row.told.is_some_and(|told| told == (at, state)) {
            return;
        }
        let message = zone.and_then(|zone| zone.message.clone());
        row.told = Some((at, state));
        self.raise(path, state, message.as_deref(), timestamp, raised);
    }

    fn raise(&mut self, path: &str, state: &str, message: Option<&str>, time: &str, raised: &mut Vec<Arc<Delta>>) {
        let value = notification(path, self.own_meta(path).unwrap_or("{}"), state, message);
        let now = UnixMillis::parse_iso(time).unwrap_or(UnixMillis::UNKNOWN);
        let stamp = Stamp { source_ref: SOURCE, self_context: &self.self_context, now };
        // A path too long for another word before it raises nothing.
        let Ok(delta) = Delta::of_value("", &format!("notifications.{path}"), &value, &stamp) else { return };
        let (writer, notifier) = (self.room.writer, self.notifications.writer);
        (self.room.writer, self.notifications.writer) = Default::default();
        let TakenIn { notifications, .. } = self.take_in(Arc::new(delta));
        (self.room.writer, self.notifications.writer) = (writer, notifier);
        raised.extend(notifications);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits};
    use std::string::ToString;

    const SELF: &str = "vessels.urn:x";
    const OIL: &str = "propulsion.port.oilTemperature";

    /// The states and messages that an update raises.
    fn raised(model: &mut Model, update: &str) -> Vec<(String, String)> {
        let stamp = Stamp { source_ref: "s", self_context: SELF, now: UnixMillis(0) };
        let delta = Delta::parse(&format!(r#"{{"updates":[{update}]}}"#), &stamp).unwrap();
        let mut all = Vec::new();
        for delta in model.take_in(Arc::new(delta)).into_deltas() {
            for update in delta.updates() {
                for (path, value) in update.values().filter(|(path, _)| path.starts_with("notifications.")) {
                    assert_eq!((path, update.source_ref()), (&*format!("notifications.{OIL}"), SOURCE));
                    let text = |name| json::member(value, name).and_then(json::string).unwrap().to_string();
                    assert!(json::member(value, "id").is_some(), "{value}");
                    all.push((text("state"), text("message")));
                }
            }
        }
        all
    }

    fn zones(list: &str) -> String {
        format!(r#"{{"meta":[{{"path":"{OIL}","value":{{"displayName":"Oil","zones":{list}}}}}]}}"#)
    }

    fn value(value: &str) -> String {
        format!(r#"{{"timestamp":"2026-01-01T00:00:00.000Z","values":[{{"path":"{OIL}","value":{value}}}]}}"#)
    }

    fn said(state: &str, message: &str) -> Vec<(String, String)> {
        std::vec![(state.to_string(), message.to_string())]
    }

    #[test]
    fn a_value_that_enters_another_zone_raises_its_notification() {
        let mut model = Model::new(&Limits::of(Board::Linux), SELF);
        let list = r#"[{"lower":370,"state":"alarm","message":"too hot"},{"lower":360,"state":"warn"},{"upper":300,"state":"odd"}]"#;
        assert!(raised(&mut model, &zones(list)).is_empty());
        assert_eq!(raised(&mut model, &value("350")), said("normal", "Oil is normal"));
        assert!(raised(&mut model, &value("351")).is_empty(), "told once");
        assert_eq!(raised(&mut model, &value("370")), said("alarm", "too hot"), "the most severe of two");
        assert!(raised(&mut model, &value("null")).is_empty(), "a sensor that is lost clears no alarm");
        assert_eq!(raised(&mut model, &value("369.9")), said("warn", "Oil is warn"));
        assert_eq!(raised(&mut model, &value("355")), said("normal", "Oil is normal"));
        assert_eq!(model.notifications().count(), 1);
    }

    #[test]
    fn a_value_that_is_there_is_judged_by_new_zones_at_once() {
        let mut model = Model::new(&Limits::of(Board::Linux), SELF);
        raised(&mut model, &value("380"));
        let hot = r#"[{"lower":370,"state":"alarm","message":"too hot"}]"#;
        assert_eq!(raised(&mut model, &zones(hot)), said("alarm", "too hot"));
        assert!(raised(&mut model, &zones(hot)).is_empty(), "told once");
        assert_eq!(raised(&mut model, &zones(r#"[{"lower":400,"state":"alarm"}]"#)), said("normal", "Oil is normal"));
    }

    #[test]
    fn zones_that_are_taken_away_end_their_alarm() {
        let mut model = Model::new(&Limits::of(Board::Linux), SELF);
        raised(&mut model, &zones(r#"[{"lower":370,"state":"alarm"}]"#));
        raised(&mut model, &value("380"));
        assert_eq!(raised(&mut model, &zones("[]")), said("normal", "Oil is normal"));
        assert!(raised(&mut model, &value("390")).is_empty());
    }

    #[test]
    fn zones_that_somebody_sets_are_judged_whole() {
        for good in [
            "[]",
            r#"[{"state":"warn"}]"#,
            r#"[{"lower":null,"upper":1,"state":"alarm"},{"lower":1,"upper":1.5,"state":"normal"}]"#,
        ] {
            assert_eq!(refusal(good), None, "{good}");
        }
        let states = "its state is one of nominal, normal, alert, warn, alarm, emergency";
        for (bad, why) in [
            (r#"[{"state":"warn"},{"upper":1}]"#, format!("zone 2: {states}")),
            (r#"[{"state":"red"}]"#, format!("zone 1: {states}")),
            (r#"[7]"#, format!("zone 1: {states}")),
            (r#"[{"state":"warn","upper":"3"}]"#, "zone 1: its edges are numbers".into()),
            (r#"[{"state":"warn","lower":2,"upper":2}]"#, "zone 1: lower has to be less than upper".into()),
        ] {
            assert_eq!(refusal(bad), Some(why), "{bad}");
        }
        let many = std::vec![r#"{"state":"warn"}"#; ZONES_MAX + 1].join(",");
        assert_eq!(refusal(&format!("[{many}]")).as_deref(), Some("a path has 16 zones at most"));
    }

    #[test]
    fn methods_are_those_of_the_meta_or_of_the_severity() {
        let of = |meta: &str, state: &str| {
            json::member(&notification(OIL, meta, state, None), "method").unwrap().to_string()
        };
        assert_eq!([of("{}", "normal"), of("{}", "warn")], ["[]", r#"["visual"]"#]);
        assert_eq!(of("{}", "alarm"), r#"["visual","sound"]"#);
        assert_eq!(of(r#"{"alarmMethod":["sound"]}"#, "alarm"), r#"["sound"]"#);
    }

    #[test]
    fn paths_with_zones_are_bounded() {
        let mut model = Model::new(&Limits::of(Board::Linux), SELF);
        model.zones = Zones::new(1);
        let two = r#"{"meta":[{"path":"a","value":{"zones":[{"state":"warn"}]}},{"path":"b","value":{"zones":[{"state":"warn"}]}}]}"#;
        assert!(raised(&mut model, two).is_empty());
        assert_eq!((model.zones.rows.len(), model.counts().refused), (1, 1));
        let many = std::vec![r#"{"state":"warn"}"#; 100].join(",");
        assert_eq!(PathZones::read(&format!(r#"{{"zones":[{many}]}}"#)).len(), ZONES_MAX);
        assert!(PathZones::read(r#"{"zones":7}"#).is_empty());
    }
}
