//! A source that is called otherwise from now on: a device whose NAME came after its first values.

use super::Model;
use super::context::ContextTree;
use super::leaf::Leaf;
use super::room::Room;

impl Model {
    /// Takes what source `from` told as told by `to`: values, notifications, its rank among others. Where both told
    /// something, the later one stays.
    // Once for a device: kept away from the path of every message.
    #[cold]
    #[inline(never)]
    pub fn rename_source(&mut self, from: &str, to: &str) {
        self.priorities.rename(from, to);
        self.notifications.rename(from, to);
        let Some((old, new)) = self.sources.rename(from, to, &mut self.room) else { return };
        self.own.rename_source(old, new, &mut self.room);
        self.foreign.values_mut().for_each(|context| context.rename_source(old, new, &mut self.room));
        self.sources.remove(old, &mut self.room);
    }
}

impl ContextTree {
    #[inline(never)]
    fn rename_source(&mut self, old: u16, new: u16, room: &mut Room) {
        self.leaves_mut().for_each(|leaf| leaf.rename_source(old, new, room));
    }
}

impl Leaf {
    /// Joins the readings of two numbers of one source under the new one; the later one stays.
    fn rename_source(&mut self, old: u16, new: u16, room: &mut Room) {
        let place = |leaf: &Self, number: u16| leaf.readings().iter().position(|reading| reading.source == number);
        let Some(of_old) = place(self, old) else { return };
        if let Some(of_new) = place(self, new) {
            let is_old_later = self.latest().is_some_and(|latest| latest.source == old);
            self.remove(if is_old_later { of_new } else { of_old }, room);
        }
        self.set_source(old, new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits};
    use crate::delta::{Delta, Stamp};
    use crate::model::Priorities;
    use crate::time::UnixMillis;
    use std::string::String;
    use std::sync::Arc;

    const SELF: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";
    const PATH: [&str; 4] = ["vessels", "self", "a", "b"];

    fn model() -> Model {
        Model::new(&Limits::of(Board::Linux), SELF)
    }

    fn told(model: &mut Model, source: &str, path: &str, value: &str) {
        let text = std::format!(
            r#"{{"updates":[{{"source":{{"label":"can0","type":"NMEA2000","pgn":127250,"src":"7"}},"$source":"{source}","timestamp":"2026-01-01T00:00:00.000Z","values":[{{"path":"{path}","value":{value}}}]}}]}}"#
        );
        let stamp = Stamp { source_ref: source, self_context: SELF, now: UnixMillis(0) };
        model.take_in(Arc::new(Delta::parse(&text, &stamp).unwrap()));
    }

    fn leaf(model: &Model) -> String {
        model.json_at(&PATH).unwrap()
    }

    #[test]
    fn values_move_and_no_second_source_is_left() {
        let mut model = model();
        told(&mut model, "can0.7", "a.b", "1");
        told(&mut model, "can0.8", "a.b", "2");
        model.rename_source("can0.7", "can0.c0ffee");
        let text = leaf(&model);
        assert!(text.contains(r#""can0.c0ffee":{"#) && !text.contains("can0.7"), "{text}");
        let sources = model.json_at(&["sources"]).unwrap();
        assert!(sources.contains(r#""c0ffee":{"n2k":{"src":"7""#) && !sources.contains(r#""7":{"#), "{sources}");
        // Another time, and one that nobody knows: nothing.
        model.rename_source("can0.7", "can0.c0ffee");
        model.rename_source("x", "y");
        assert_eq!(leaf(&model), text);
    }

    #[test]
    fn of_two_that_are_one_the_later_value_stays_and_room_is_given_back() {
        for (old_is_later, value) in [(false, r#""value":2"#), (true, r#""value":1"#)] {
            let mut model = model();
            if old_is_later {
                told(&mut model, "can0.c0ffee", "a.b", "2");
                told(&mut model, "can0.7", "a.b", "1");
            } else {
                told(&mut model, "can0.7", "a.b", "1");
                told(&mut model, "can0.c0ffee", "a.b", "2");
            }
            let before = model.counts().bytes;
            model.rename_source("can0.7", "can0.c0ffee");
            let text = leaf(&model);
            assert!(text.contains(value) && text.contains(r#""$source":"can0.c0ffee""#), "{text}");
            assert!(!text.contains("values") && model.counts().bytes < before, "{text}");
        }
    }

    #[test]
    fn notifications_keep_their_id_and_end_under_the_new_name() {
        let mut model = model();
        let alarm = r#"{"state":"alarm","method":[],"message":"m"}"#;
        told(&mut model, "can0.7", "notifications.a", alarm);
        let id = model.notifications().next().unwrap().id.clone();
        model.rename_source("can0.7", "can0.c0ffee");
        told(&mut model, "can0.c0ffee", "notifications.a", alarm);
        let all: Vec<_> = model.notifications().map(|known| (&*known.id, &*known.source)).collect();
        assert_eq!(all, [(&*id, "can0.c0ffee")]);
        told(&mut model, "can0.c0ffee", "notifications.a", "null");
        assert_eq!(model.notifications().count(), 0);
    }

    #[test]
    fn priorities_by_address_hold_for_the_name() {
        let mut model = model();
        model.prefer(
            Priorities::parse(r#"{"a.b":[{"sourceRef":"can0.7"},{"sourceRef":"can0.8","timeout":-1}]}"#).unwrap(),
        );
        model.rename_source("can0.7", "can0.c0ffee");
        told(&mut model, "can0.c0ffee", "a.b", "1");
        told(&mut model, "can0.8", "a.b", "2");
        assert!(leaf(&model).contains(r#""value":1"#));
    }
}
