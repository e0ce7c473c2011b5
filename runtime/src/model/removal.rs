//! Sources of the boat that are taken out: what an owner removed is not shown as the last that was heard.

use alloc::vec::Vec;

use super::Model;
use super::context::ContextTree;
use super::leaf::Leaf;
use super::room::Room;

impl Model {
    /// Forgets the sources of the boat whose `$source` is `meant`, with their values and notifications, of every context;
    /// returns how many there were. What plugins told stays: it goes with them.
    ///
    /// A source that tells something again is there again.
    #[cold]
    pub fn forget_sources(&mut self, meant: impl Fn(&str) -> bool) -> usize {
        let gone = self.sources.numbers_of_boat(&meant);
        if gone.is_empty() {
            return 0;
        }
        for context in core::iter::once(&mut self.own).chain(self.foreign.values_mut()) {
            context.forget_sources(&gone, &mut self.room);
        }
        let empty: Vec<_> =
            self.foreign.iter().filter(|(_, tree)| tree.is_empty()).map(|(name, _)| name.clone()).collect();
        for name in empty {
            if let Some(tree) = self.foreign.remove(&name) {
                tree.release(&mut self.room);
            }
        }
        self.notifications.forget_sources(&meant);
        for number in &gone {
            self.sources.remove(*number, &mut self.room);
        }
        gone.len()
    }
}

impl ContextTree {
    fn forget_sources(&mut self, gone: &[u16], room: &mut Room) {
        self.trim(room, &mut |leaf, room| leaf.forget_sources(gone, room));
    }
}

impl Leaf {
    fn forget_sources(&mut self, gone: &[u16], room: &mut Room) {
        while let Some(place) = self.readings().iter().position(|reading| gone.contains(&reading.source)) {
            self.remove(place, room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits};
    use crate::delta::{Delta, Stamp};
    use crate::time::UnixMillis;
    use std::format;
    use std::sync::Arc;

    const SELF: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";

    fn told(model: &mut Model, source: &str, context: &str, path: &str, value: &str) {
        let text = format!(
            r#"{{"context":"{context}","updates":[{{"$source":"{source}","timestamp":"2026-01-01T00:00:00.000Z","values":[{{"path":"{path}","value":{value}}}]}}]}}"#
        );
        let stamp = Stamp { source_ref: source, self_context: SELF, now: UnixMillis(0) };
        model.take_in(Arc::new(Delta::parse(&text, &stamp).unwrap()));
    }

    #[test]
    fn what_a_source_told_goes_with_it_and_what_others_told_stays() {
        let mut model = Model::new(&Limits::of(Board::Linux), SELF);
        told(&mut model, "wifi.GP", SELF, "a.b", "1");
        let before = model.counts();
        told(&mut model, "usb.GP", SELF, "a.b", "2");
        told(&mut model, "usb.GP", SELF, "a.c", "3");
        told(&mut model, "usb.AI", "vessels.urn:mrn:imo:mmsi:230099999", "a.c", "3");
        told(&mut model, "usb2.GP", SELF, "a.b", "4");
        let alarm = r#"{"state":"alarm","method":[],"message":"m"}"#;
        told(&mut model, "usb.GP", SELF, "notifications.a", alarm);
        assert_eq!(model.forget_sources(|source| source.starts_with("usb.")), 2);
        assert_eq!(model.forget_sources(|source| source.starts_with("usb.")), 0);
        let leaf = model.json_at(&["vessels", "self", "a", "b"]).unwrap();
        assert!(leaf.contains(r#""value":4"#) && leaf.contains(r#""wifi.GP":{"#) && !leaf.contains("usb.GP"), "{leaf}");
        assert!(model.json_at(&["vessels", "self", "a", "c"]).is_none());
        assert!(!model.json_at(&["vessels"]).unwrap().contains("230099999"));
        assert!(!model.json_at(&["sources"]).unwrap().contains(r#""usb":"#));
        assert_eq!(model.notifications().count(), 0);
        assert_eq!(model.forget_sources(|source| source == "usb2.GP"), 1);
        let leaf = model.json_at(&["vessels", "self", "a", "b"]).unwrap();
        assert!(leaf.contains(r#""value":1"#) && !leaf.contains("values"), "{leaf}");
        assert_eq!(model.counts().bytes, before.bytes, "all room is given back");
        // Who tells something again is there again.
        told(&mut model, "usb.GP", SELF, "a.c", "5");
        assert!(model.json_at(&["vessels", "self", "a", "c"]).is_some());
    }

    #[test]
    fn what_is_known_of_a_path_stays_without_a_value() {
        let mut model = Model::new(&Limits::of(Board::Linux), SELF);
        let text = r#"{"updates":[{"$source":"x","meta":[{"path":"a.b","value":{"displayName":"B"}}]}]}"#;
        let stamp = Stamp { source_ref: "x", self_context: SELF, now: UnixMillis(0) };
        model.take_in(Arc::new(Delta::parse(text, &stamp).unwrap()));
        told(&mut model, "x", SELF, "a.b", "1");
        model.forget_sources(|source| source == "x");
        let leaf = model.json_at(&["vessels", "self", "a", "b"]).unwrap_or_default();
        assert!(leaf.contains("displayName") && !leaf.contains(r#""value""#), "{leaf}");
    }
}
