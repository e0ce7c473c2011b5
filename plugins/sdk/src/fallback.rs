//! Fills the rows from JSON deltas, and publishes them as one, where the host does not.
//!
//! Signal K Server, and Skiff as long as a plugin's exports are not asked for, give a plugin the text of every delta of
//! every vessel. What a host that writes rows does is done here: values of the own vessel only, none of the plugin's own,
//! the latest of each input, one update for a delta. There is no clock: time and age are those of the time stamps, and an
//! update that the least time between two holds back is made up for by the next delta.
//!
//! No host tells a plugin which context is its own vessel's, and others send positions and headings, too. They send no
//! depth, wind, engine or battery, so the context of the first delta with such a path counts as the own vessel's until the
//! plugin is restarted; `vessels.self` always does.

use core::ops::Range;

use crate::rows::OutputRow;
use crate::time::millis;
use crate::values::Rows;
use crate::{Host, Json, Object, Plugin, Refused, Text};

/// Modules with pages of one byte load nowhere but in Skiff, which writes and reads rows: they need nothing of this, and
/// have nothing of it.
pub const IS_NEEDED: bool = !cfg!(feature = "small-pages");
/// A delta of outputs has at most so many bytes; rows that do not fit one are published by themselves.
const DELTA_BYTES_MAX: usize = 1024;
/// What AIS does not tell of other vessels.
const OWN_PATHS: [&str; 6] = ["environment.", "propulsion.", "electrical.", "tanks.", "steering.", "navigation.gnss."];
const OWN: &str = "vessels.self";

/// Handles a delta in place of a host that writes rows: inputs, update, outputs, then the delta itself if it is wanted.
pub fn delta<P: Plugin, H: Host>(plugin: &mut P, delta: Json<'_>, host: &mut H) {
    let Some(mut rows) = plugin.rows() else { return plugin.delta(delta, host) };
    let wants_others = rows.head.flags & skiff_abi::values::FLAG_OTHER_DELTAS != 0;
    if IS_NEEDED && !rows.listener.by_values {
        if rows.hear(delta, P::ID) {
            plugin.update(host);
            if let Some(rows) = plugin.rows() {
                rows.rest();
            }
        }
        publish(plugin, host);
    }
    if wants_others {
        plugin.delta(delta, host);
        publish(plugin, host);
    }
}

/// Publishes the outputs that a call has set, where the host does not.
pub fn publish<P: Plugin, H: Host>(plugin: &mut P, host: &mut H) {
    if IS_NEEDED && let Some(rows) = plugin.rows() {
        rows.publish(&mut |delta| host.emit(delta));
    }
}

/// Starts the plugin with rows in which nothing has arrived; what it sets while it starts counts as known.
pub fn start<P: Plugin, H: Host>(plugin: &mut P, config: Json<'_>, host: &mut H) -> Result<(), Refused> {
    if let Some(rows) = plugin.rows() {
        rows.reset();
    }
    let started = plugin.start(config, host);
    if let Some(rows) = plugin.rows() {
        rows.outputs.iter_mut().for_each(OutputRow::forget);
    }
    started
}

/// The host writes and reads the rows by itself from now on.
pub fn is_not_needed<P: Plugin>(plugin: &mut P) {
    if let Some(rows) = plugin.rows() {
        rows.listener.by_values = true;
    }
}

/// Visits the values of a delta, path and value; with the first of each update the update itself.
#[inline(never)]
fn each_value<'t>(delta: Json<'t>, visit: &mut dyn FnMut(Option<Json<'t>>, &'t str, Json<'t>)) {
    for update in delta.elements_of("updates") {
        let mut first = Some(update);
        update.update_values().for_each(|(path, value)| visit(first.take(), path, value));
    }
}

impl Rows<'_> {
    /// Takes in the values of a delta; tells whether an update is due.
    fn hear(&mut self, delta: Json<'_>, own_source: &str) -> bool {
        let context = delta.member("context").map_or(Some(OWN), Json::string);
        if !context.is_some_and(|context| self.is_own(context, delta)) {
            return false;
        }
        let mut time = None;
        let mut is_own = false;
        each_value(delta, &mut |update, path, value| {
            if let Some(update) = update {
                is_own = update.member("$source").and_then(Json::string) == Some(own_source);
                time = update.member("timestamp").and_then(Json::string).and_then(millis);
            }
            if !is_own {
                self.hear_value(path, value, time);
            }
        });
        let waits = self.listener.updated.is_some_and(|updated| {
            let passed = self.head.time.saturating_sub(updated);
            (0..i64::from(self.head.interval_ms)).contains(&passed)
        });
        if !self.listener.is_due || waits {
            return false;
        }
        self.head.updates = self.head.updates.wrapping_add(1);
        (self.listener.is_due, self.listener.updated) = (false, Some(self.head.time));
        self.write_ages(self.head.time);
        true
    }

    /// Writes how old each input is at `now`, Unix ms.
    pub(crate) fn write_ages(&mut self, now: i64) {
        for (row, time) in self.inputs.iter_mut().zip(self.times.iter()) {
            // A clock that was set back makes an age unknown, too.
            let age = now.checked_sub(*time).and_then(|age| u32::try_from(age).ok());
            row.age = age.filter(|_| row.was_seen()).unwrap_or(u32::MAX);
        }
    }

    /// Takes in one value, which can feed several inputs; `time` in Unix ms, the latest heard where there is none.
    fn hear_value(&mut self, path: &str, value: Json<'_>, time: Option<i64>) {
        for at in 0..self.inputs.len() {
            let Some(place) = self.input_places.get(at) else { return };
            let (of, member) = place.parts(self.texts);
            if of != path {
                continue;
            }
            let value = match member {
                None => value,
                Some(member) if value.text().starts_with('{') => match value.member(member) {
                    Some(value) => value,
                    // Root values are merged: one that is not named stays.
                    None if of.is_empty() => continue,
                    None => Json::new("null"),
                },
                Some(_) if value.text() == "null" => value,
                Some(_) => Json::new("{}"),
            };
            self.hear_row(at, value, time);
        }
    }

    /// Takes in the value of one input.
    pub(crate) fn hear_row(&mut self, at: usize, value: Json<'_>, time: Option<i64>) {
        let (Some(row), Some(place)) = (self.inputs.get_mut(at), self.input_places.get(at)) else { return };
        self.head.time = time.unwrap_or(self.head.time);
        row.hear(value, (place.kind)(value, place.text_mut(self.texts)));
        if let Some(known) = self.times.get_mut(at) {
            *known = self.head.time;
        }
        self.head.arrived = self.head.arrived.wrapping_add(1);
        self.listener.is_due |= !row.is_quiet();
    }

    /// After an update: nothing is new any more.
    pub(crate) fn rest(self) {
        self.inputs.iter_mut().for_each(|row| {
            row.take_new();
        });
        self.head.arrived = 0;
    }

    fn is_own(&mut self, context: &str, delta: Json<'_>) -> bool {
        if context == OWN {
            return true;
        }
        let listener = &mut *self.listener;
        let mut told = false;
        if listener.own_bytes == 0 {
            each_value(delta, &mut |_, path, _| told |= OWN_PATHS.iter().any(|own| path.starts_with(own)));
        }
        if listener.own_bytes == 0
            && context.starts_with("vessels.")
            && told
            && let Some(room) = listener.own.get_mut(..context.len())
        {
            room.iter_mut().zip(context.bytes()).for_each(|(to, from)| *to = from);
            listener.own_bytes = context.len();
        }
        listener.own_bytes != 0 && listener.own.get(..listener.own_bytes) == Some(context.as_bytes())
    }

    /// Writes the changed rows among `range` as one delta; `false` when there are none, or not all of it fits.
    fn write(&self, text: &mut Text<'_>, range: Range<usize>) -> bool {
        let mut delta = Object::open(text);
        let text = delta.member("updates");
        text.push_str("[");
        let mut update = Object::open(text);
        let values = update.member("values");
        values.push_str("[");
        let empty = values.len();
        for at in range.clone() {
            let before = values.len();
            values.push_str(if before == empty { "" } else { "," });
            if !self.write_row(at, range.clone(), values) {
                values.truncate(before);
            }
        }
        let is_any = values.len() > empty;
        values.push_str("]");
        update.close();
        text.push_str("]");
        delta.close();
        is_any
    }

    /// Writes path and value of a row; `false` when it did not change, stands with another one, or has no value.
    fn write_row(&self, at: usize, range: Range<usize>, text: &mut Text<'_>) -> bool {
        if !self.is_changed(at) {
            return false;
        }
        let (path, member) = self.output_parts(at);
        let mut entry = Object::open(text);
        let text = entry.member("path");
        for part in ["\"", path, "\""] {
            text.push_str(part);
        }
        let text = entry.member("value");
        let is_value = if member.is_none() {
            self.write_value(at, text)
        } else {
            // Members of one path are one object, written where its first one stands.
            let is_same = |other: &usize| {
                let (other_path, other_member) = self.output_parts(*other);
                other_path == path && other_member.is_some() && self.is_changed(*other)
            };
            let mut object = Object::open(text);
            if range.clone().find(is_same) == Some(at) {
                for other in (at..range.end).filter(is_same) {
                    let (_, member) = self.output_parts(other);
                    object.member_if(member.unwrap_or_default(), |text| self.write_value(other, text));
                }
            }
            object.close() > 0
        };
        entry.close();
        is_value
    }

    fn is_changed(&self, at: usize) -> bool {
        self.outputs.get(at).is_some_and(OutputRow::is_changed)
    }

    #[inline(never)]
    fn write_value(&self, at: usize, text: &mut Text<'_>) -> bool {
        let (Some(row), Some(place)) = (self.outputs.get(at), self.output_places.get(at)) else { return false };
        if row.is_withdrawn() {
            text.push_str("null");
            return true;
        }
        (place.kind)(row, place.text(self.texts), text)
    }

    // Called from many places, and inlining it costs a kilobyte.
    #[inline(never)]
    fn output_parts(&self, at: usize) -> (&str, Option<&str>) {
        self.output_places.get(at).map_or(("", None), |place| place.parts(self.texts))
    }

    fn publish(self, emit: &mut dyn FnMut(&str)) {
        if self.listener.by_values || !self.outputs.iter().any(OutputRow::is_changed) {
            return;
        }
        let mut buffer = [0; DELTA_BYTES_MAX];
        let all = self.outputs.len();
        // All in one delta; else each row by itself.
        if !self.publish_rows(&mut buffer, 0..all, emit) {
            for at in 0..all {
                self.publish_rows(&mut buffer, at..at + 1, emit);
            }
        }
        self.outputs.iter_mut().for_each(OutputRow::forget);
    }

    fn publish_rows(&self, buffer: &mut [u8], range: Range<usize>, emit: &mut dyn FnMut(&str)) -> bool {
        let mut text = Text::new(buffer);
        let is_whole = self.write(&mut text, range) && text.is_complete();
        if is_whole {
            emit(text.as_str());
        }
        is_whole
    }
}

#[cfg(test)]
mod tests {
    use crate::bench::Boat;
    use crate::{Host, Json, Method, Plugin, Refused, Rows, State};
    use std::string::String;
    use std::vec::Vec;
    use std::{format, vec};

    crate::values! {
        /// One of each.
        pub struct Values {
            inputs {
                depth: number("environment.depth.belowKeel"),
                latitude: number("navigation.position#latitude"),
                longitude: number("navigation.position#longitude").quiet(),
                name: text("#name", 5).quiet(),
                engine: boolean("propulsion.port.on"),
                other: number("a.b").configured(12),
            }
            outputs {
                north: number("x.position#latitude", 6),
                ratio: shortest("x.ratio"),
                east: number("x.position#longitude", 6),
                note: notification("notifications.x", 20).configured(30),
                list: json("x.list", 900),
                label: text("x.label", 200),
                on: boolean("x.on"),
            }
        }
    }

    struct Echo {
        values: Values,
        updates: Vec<[Option<f64>; 3]>,
        others: usize,
    }

    impl Plugin for Echo {
        const ID: &'static str = "echo";
        const NAME: &'static str = "Echo";

        fn start<H: Host>(&mut self, config: Json<'_>, _: &mut H) -> Result<(), Refused> {
            self.values.label().set("start");
            let path = config.member("path").and_then(Json::string).unwrap_or("a.b");
            let set = self.values.paths().other(&[path]) && self.values.paths().note(&["notifications.", path]);
            if config.member("interval").is_some() {
                self.values.set_interval_ms(1000);
            }
            if config.member("others").is_some() {
                self.values.want_other_deltas();
            }
            if set { Ok(()) } else { Err(Refused) }
        }

        fn rows(&mut self) -> Option<Rows<'_>> {
            Some(self.values.rows())
        }

        fn update<H: Host>(&mut self, host: &mut H) {
            let values = &mut self.values;
            self.updates.push([values.depth().get(), values.latitude().get(), values.other().get()]);
            host.debug(&format!("{:?} {}", values.name().get(), values.depth().age_ms()));
            if let Some(engine) = values.engine().get().filter(|_| values.engine().is_new()) {
                values.on().set(engine);
            }
        }

        fn delta<H: Host>(&mut self, _: Json<'_>, _: &mut H) {
            self.others += 1;
        }
    }

    fn boat(config: &str) -> Boat<Echo> {
        let mut boat = Boat::new(Echo { values: Values::new(), updates: vec![], others: 0 });
        boat.start(config).unwrap();
        boat
    }

    fn delta(context: &str, second: u32, values: &[(&str, &str)]) -> String {
        let values: Vec<_> =
            values.iter().map(|(path, value)| format!(r#"{{"path":"{path}","value":{value}}}"#)).collect();
        let values = values.join(",");
        format!(
            r#"{{"context":"{context}","updates":[{{"timestamp":"2026-01-01T00:00:{second:02}.000Z","values":[{values}],"$source":"x"}}]}}"#
        )
    }

    #[test]
    fn a_delta_gives_one_update_with_its_members_and_texts() {
        let mut boat = boat("{}");
        let values =
            [("navigation.position", r#"{"latitude":54.5,"longitude":10}"#), ("", r#"{"name":"Ada Lovelace"}"#)];
        boat.delta(&delta("vessels.self", 0, &values));
        assert_eq!(boat.plugin.updates, [[None, Some(54.5), None]]);
        assert_eq!(boat.plugin.values.longitude().get(), Some(10.0));
        assert_eq!(boat.plugin.values.name().get(), Some("Ada L"), "cut");
        boat.delta(&delta("vessels.self", 1, &[("navigation.position", "null")]));
        assert_eq!(boat.plugin.updates.last(), Some(&[None, None, None]));
        assert!(boat.told().is_empty(), "nothing was set in an update");
    }

    #[test]
    fn a_quiet_input_alone_gives_no_update_and_ages_are_those_of_time_stamps() {
        let mut boat = boat("{}");
        boat.delta(&delta("vessels.self", 0, &[("", r#"{"name":"Ada"}"#)]));
        assert!(boat.plugin.updates.is_empty());
        boat.delta(&delta("vessels.self", 2, &[("environment.depth.belowKeel", "3")]));
        boat.delta(&delta("vessels.self", 5, &[("a.b", "\"text\"")]));
        boat.delta(&delta("vessels.self", 1, &[("a.b", "7")]));
        assert_eq!(boat.plugin.updates.len(), 3);
        let unknown = format!("Some(\"Ada\") {}", u32::MAX);
        assert_eq!(boat.host.debug, ["Some(\"Ada\") 0", "Some(\"Ada\") 3000", &unknown], "a clock that was set back");
    }

    #[test]
    fn only_the_own_vessel_and_others_values_count() {
        let mut boat = boat("{}");
        let (own, other) = ("vessels.urn:mrn:signalk:uuid:1", "vessels.urn:mrn:imo:mmsi:244000000");
        let position = [("navigation.position", r#"{"latitude":1,"longitude":2}"#)];
        boat.delta(&delta(other, 0, &position));
        boat.delta(&delta(own, 0, &position));
        assert!(boat.plugin.updates.is_empty(), "nobody knows yet whose is whose");
        boat.delta(&delta(own, 0, &[("environment.water.temperature", "280")]));
        boat.delta(&delta(other, 1, &position));
        boat.delta(&delta(own, 1, &position));
        assert_eq!(boat.plugin.updates.len(), 1);
        boat.delta(&delta("vessels.self", 1, &[("a.b", "1")]).replace(r#""$source":"x""#, r#""$source":"echo""#));
        assert_eq!(boat.plugin.updates.len(), 1, "its own");
        boat.delta(&delta("vessels.self", 1, &[("a.b", "1")]));
        assert_eq!(boat.plugin.updates.len(), 2);
    }

    #[test]
    fn updates_keep_the_least_time_between_them() {
        let mut boat = boat(r#"{"interval":1}"#);
        for second in [10, 10, 10, 11, 11, 12] {
            boat.delta(&delta("vessels.self", second, &[("a.b", &format!("{second}"))]));
        }
        assert_eq!(boat.plugin.updates.len(), 3);
        boat.delta(&delta("vessels.self", 3, &[("a.b", "3")]));
        assert_eq!(boat.plugin.updates.len(), 4, "a clock that was set back holds nothing up");
    }

    #[test]
    fn a_configured_path_replaces_the_default_and_one_without_room_is_refused() {
        let mut boat = boat(r#"{"path":"c.d"}"#);
        boat.delta(&delta("vessels.self", 0, &[("a.b", "1"), ("c.d", "2")]));
        assert_eq!(boat.plugin.updates, [[None, None, Some(2.0)]]);
        assert_eq!(boat.start(r#"{"path":"more.than.twelve"}"#), Err(Refused));
        assert!(!boat.plugin.values.paths().depth(&["a"]), "it is not configured");
        assert!(!boat.plugin.values.paths().other(&["a\"b"]), "no path");
    }

    #[test]
    fn what_was_set_is_one_delta_with_members_together() {
        let mut boat = boat("{}");
        let values = &mut boat.plugin.values;
        values.east().set(-10.123_456_78);
        values.north().set(54.0);
        values.ratio().set(0.1);
        values.note().write(State::Alarm, Method::Both, |text| text.push_str("a \"b\""));
        values.list().write(|text| text.push_str("[1]"));
        values.on().withdraw();
        boat.poll();
        let expected = r#"{"updates":[{"values":[{"path":"x.position","value":{"latitude":54,"longitude":-10.123457}},{"path":"x.ratio","value":0.1},{"path":"notifications.a.b","value":{"state":"alarm","method":["visual","sound"],"message":"a \"b\""}},{"path":"x.list","value":[1]},{"path":"x.on","value":null}]}]}"#;
        assert_eq!(boat.told(), [expected]);
        boat.poll();
        assert!(boat.told().is_empty(), "once");
        boat.plugin.values.ratio().set(f64::NAN);
        boat.plugin.values.north().set(f64::INFINITY);
        boat.plugin.values.list().write(|_| ());
        boat.poll();
        assert!(boat.told().is_empty(), "what is no number, and no JSON, is not published");
        boat.set("propulsion.port.on", "true");
        boat.update();
        assert_eq!(boat.told(), [r#"{"updates":[{"values":[{"path":"x.on","value":true}]}]}"#]);
    }

    #[test]
    fn rows_that_do_not_fit_one_delta_are_published_one_by_one() {
        let mut boat = boat("{}");
        boat.plugin.values.list().write(|text| (0..300).for_each(|_| text.push_str("\"a\"")));
        boat.plugin.values.label().write(|text| (0..100).for_each(|_| text.push_str("bc")));
        boat.poll();
        let told = boat.told();
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("x.list") && told[1].contains("x.label"), "{told:?}");
    }

    #[test]
    fn a_host_that_writes_rows_is_left_to_do_it() {
        let mut boat = boat(r#"{"others":1}"#);
        boat.delta(&delta("vessels.self", 0, &[("a.b", "1")]));
        assert_eq!((boat.plugin.updates.len(), boat.plugin.others), (1, 1));
        super::is_not_needed(&mut boat.plugin);
        boat.plugin.values.ratio().set(1.0);
        boat.delta(&delta("vessels.self", 0, &[("a.b", "1")]));
        assert_eq!((boat.plugin.updates.len(), boat.plugin.others), (1, 2));
        assert!(boat.told().is_empty());
    }

    #[test]
    fn any_text_is_survived() {
        let mut boat = boat("{}");
        for text in [
            "",
            "null",
            "[]",
            "{",
            r#"{"context":7,"updates":[]}"#,
            r#"{"updates":[null,{"values":[7,{"path":"a.b"}]}]}"#,
        ] {
            boat.delta(text);
        }
        assert!(boat.plugin.updates.is_empty());
    }
}
