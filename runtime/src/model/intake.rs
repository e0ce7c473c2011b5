//! What happens to a delta on its way in (plugin ABI §11.2, steps 7 and 8).
//!
//! The own vessel's identity is its owner's to tell and is taken out; notifications leave as a
//! delta of their own, each value with `id` and `status`. Most deltas have neither and pass as they are.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::context::NodeUpdate;
use super::leaf::Told;
use super::room::Owner;
use super::{Model, Priorities};
use crate::delta::{Delta, DeltaVersion, DeltaWriter, ToldWriter, UpdateRef, Value};
use crate::json;

/// Result of taking in a delta.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenIn {
    /// Its notifications, with `id` and `status`; published first.
    pub notifications: Option<Arc<Delta>>,
    /// The rest.
    pub rest: Option<Arc<Delta>>,
    /// Notifications that its values raise by the zones of their paths.
    pub raised: Vec<Arc<Delta>>,
    /// Values of sources that others are preferred to; `None` unless [`Model::tell_lesser`]. In the model they stand among
    /// the `values` of their path.
    pub lesser: Option<Arc<Delta>>,
}

impl TakenIn {
    /// Visits the deltas to publish, in order.
    pub fn into_deltas(self) -> impl Iterator<Item = Arc<Delta>> {
        self.notifications.into_iter().chain(self.rest).chain(self.raised)
    }
}

/// Tells whether a path is a notification's.
pub(super) fn is_notification(path: &str) -> bool {
    // Most paths are told apart by their beginning, which costs nothing.
    matches!(path.as_bytes(), [b'n', b'o', ..])
        && path.strip_prefix("notifications").is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Paths of the own vessel that come from its owner: name, mmsi, call sign, design and antenna dimensions.
fn is_identity(path: &str) -> bool {
    // Most paths are told apart by their first letter.
    match path.as_bytes().first() {
        Some(b'd') => {
            matches!(path.strip_prefix("design."), Some("length" | "beam" | "draft" | "airHeight" | "aisShipType"))
        }
        Some(b'n' | b'm' | b'u' | b'c' | b's') => matches!(
            path,
            "name" | "mmsi" | "uuid" | "communication.callsignVhf" | "sensors.gps.fromBow" | "sensors.gps.fromCenter"
        ),
        _ => false,
    }
}

/// Returns the object of path `""` without the members that are identity.
fn without_identity(object: &str) -> Cow<'_, str> {
    let named = |name: &str| matches!(name, "name" | "mmsi" | "uuid" | "design");
    let call_sign = json::member(object, "communication").and_then(|inside| json::member(inside, "callsignVhf"));
    let mut found = call_sign.is_some();
    let rest = json::rewritten(object, |out, key, value| {
        if named(key) {
            found = true;
            return;
        }
        let value = match key {
            "communication" => without_member(value, "callsignVhf"),
            _ => Cow::Borrowed(value),
        };
        if &*value != "{}" {
            out.json(key, &value);
        }
    });
    rest.ok().filter(|_| found).map_or(Cow::Borrowed(object), Cow::Owned)
}

fn without_member<'a>(object: &'a str, name: &str) -> Cow<'a, str> {
    let rest = json::rewritten(object, |out, key, value| {
        if key != name {
            out.json(key, value);
        }
    });
    rest.map_or(Cow::Borrowed(object), Cow::Owned)
}

/// Values of lesser sources stand in the model: chips keep their room for those that are preferred.
const KEEPS_LESSER: bool = cfg!(any(test, feature = "std"));

/// Bytes that `id` and `status` add to a notification, and the entry around it, at most: what is reserved for each.
const NOTICE_BYTES: usize = 224;
/// Bytes that `id` and `status` add to a notification that a bus told as a value, at most.
const TOLD_NOTICE_BYTES: usize = 176;
/// Bytes of an update around its entries, without source and texts.
const UPDATE_BYTES: usize = 64;

/// What a part of a delta will take about.
#[derive(Clone, Copy, Default)]
struct Size {
    bytes: usize,
    entries: usize,
}

impl Size {
    fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.entries = self.entries.saturating_add(1);
    }

    fn begin(self, context: &str) -> DeltaWriter {
        DeltaWriter::with_room(context, self.bytes.saturating_add(UPDATE_BYTES), self.entries)
    }
}

/// Returns the sizes of the notifications and of the rest of a delta.
fn sizes_of_parts(delta: &Delta) -> (Size, Size) {
    let (mut notices, mut rest) = (Size::default(), Size::default());
    for update in delta.updates() {
        let source = update.source().map_or(0, str::len);
        let around = [source, update.source_ref().len(), update.timestamp().len(), UPDATE_BYTES];
        let around = around.into_iter().fold(0_usize, usize::saturating_add);
        let before = (notices.entries, rest.entries);
        for (path, value) in update.values() {
            let (part, beside) =
                if is_notification(path) { (&mut notices, NOTICE_BYTES) } else { (&mut rest, UPDATE_BYTES) };
            part.add(path.len().saturating_add(value.len()).saturating_add(beside));
        }
        for (path, value) in update.meta() {
            rest.add(path.len().saturating_add(value.len()).saturating_add(UPDATE_BYTES));
        }
        for (part, before) in [(&mut notices, before.0), (&mut rest, before.1)] {
            if part.entries > before {
                part.bytes = part.bytes.saturating_add(around);
            }
        }
    }
    (notices, rest)
}

impl Model {
    /// Takes the delta of a package's plugin in, inside its share.
    pub fn take_in_of(&mut self, package: &Arc<str>, delta: Arc<Delta>) -> TakenIn {
        let owner = self.room.owner(package);
        (self.room.writer, self.notifications.writer) = (owner, owner);
        let taken = self.take_in(delta);
        (self.room.writer, self.notifications.writer) = (Owner::BOAT, Owner::BOAT);
        taken
    }

    /// Takes a delta in: takes identity out of it, gives notifications `id` and `status`, and applies what is left.
    pub fn take_in(&mut self, delta: Arc<Delta>) -> TakenIn {
        let (delta, lesser) = self.preferred(delta);
        let Some(delta) = delta else { return TakenIn { lesser, ..TakenIn::default() } };
        let own = delta.is_own(&self.self_context);
        let mut taken = if is_special(&delta, own) {
            self.part(&delta, own)
        } else {
            TakenIn { rest: Some(delta), ..TakenIn::default() }
        };
        taken.lesser = lesser;
        for delta in taken.notifications.iter().chain(&taken.rest) {
            self.apply(delta);
        }
        if let Some(rest) = taken.rest.as_ref().filter(|_| own) {
            taken.raised = self.zones_of(rest);
        }
        taken
    }

    /// Keeps the values of lesser sources in [`TakenIn::lesser`] from now on, or no more.
    pub fn tell_lesser(&mut self, tells: bool) {
        self.tells_lesser = tells;
    }

    /// Parts the values of sources that others are preferred to from the rest; the second is `None` where nobody asks.
    fn preferred(&mut self, delta: Arc<Delta>) -> (Option<Arc<Delta>>, Option<Arc<Delta>>) {
        if self.priorities.is_empty() || !delta.is_own(&self.self_context) {
            return (Some(delta), None);
        }
        let now = self.now;
        // A plugin has the rank of its package, whatever it calls its source.
        let package = self.room.package();
        let takes = |priorities: &Priorities, path: &str, source: &str| priorities.takes(path, source, now);
        let refused = delta.updates().map(|update| {
            update.entries().filter(|(path, _)| !takes(&self.priorities, path, ranked(package, &update))).count()
        });
        let refused: usize = refused.sum();
        let size = if refused > 0 {
            let entries = delta.updates().map(|update| update.paths().count()).sum();
            Size { bytes: delta.text().len(), entries }
        } else {
            Size::default()
        };
        let lesser = (refused > 0 && self.tells_lesser).then(|| {
            let mut lesser = size.begin(&self.self_context);
            for update in delta.updates() {
                lesser.copy_update(&update, false, &mut |path, value| {
                    (!takes(&self.priorities, path, ranked(package, &update))).then_some(Cow::Borrowed(value))
                });
            }
            lesser
        });
        let lesser = lesser.and_then(|lesser| finished(lesser, &delta));
        if refused > 0 && KEEPS_LESSER {
            self.store_lesser(&delta);
        }
        let package = self.room.package();
        let mut rest = size.begin(&self.self_context);
        for update in delta.updates() {
            let source = ranked(package, &update);
            let mut is_kept = |path: &str| {
                let is_taken = takes(&self.priorities, path, source);
                if is_taken {
                    self.priorities.taken(path, source, now);
                }
                is_taken
            };
            if refused > 0 {
                rest.copy_update(&update, true, &mut |path, value| is_kept(path).then_some(Cow::Borrowed(value)));
            } else {
                update.entries().for_each(|(path, _)| _ = is_kept(path));
            }
        }
        if refused == 0 {
            return (Some(delta), None);
        }
        let refused = u64::try_from(refused).unwrap_or(u64::MAX);
        self.counts.not_preferred = self.counts.not_preferred.saturating_add(refused);
        (finished(rest, &delta), lesser)
    }

    /// Stores the values of a delta that others are preferred to, so that `values` has those of every source.
    #[cold]
    fn store_lesser(&mut self, delta: &Delta) {
        if delta.version() == DeltaVersion::V2 {
            return;
        }
        for update in delta.updates() {
            let time = update.time();
            let mut source = None;
            for (path, value) in update.entries() {
                let is_lesser = !self.priorities.takes(path, ranked(self.room.package(), &update), self.now);
                if !is_lesser || path.is_empty() || is_notification(path) || is_identity(path) {
                    continue;
                }
                if source.is_none() {
                    source = self.source(None, &update);
                }
                match source {
                    Some((source, pgn)) => {
                        self.store(None, path, &NodeUpdate::Lesser(Told { value: &value, time, source, pgn }));
                    }
                    None => self.refuse(),
                }
            }
        }
    }

    /// Parts what a bus told, as values; it has no root value.
    fn part_told(&mut self, update: &UpdateRef<'_>, own: bool) -> Option<TakenIn> {
        let (mut notices, mut others) = (0_usize, 0_usize);
        for path in update.told_paths()? {
            let part = if is_notification(path) { &mut notices } else { &mut others };
            *part = part.saturating_add(1);
        }
        let mut rest = ToldWriter::part_of(update, others, 0)?;
        let mut notices = ToldWriter::part_of(update, notices, notices.saturating_mul(TOLD_NOTICE_BYTES))?;
        for (path, value) in update.entries() {
            if is_notification(path) {
                let enriched = self.enriched(update, own, path, &value.shown());
                notices.copy(path, &Value::Json(&enriched));
            } else if own && is_identity(path) {
                self.refuse();
            } else {
                rest.copy(path, &value);
            }
        }
        Some(TakenIn { notifications: notices.delta().ok(), rest: rest.delta().ok(), ..TakenIn::default() })
    }

    /// Returns the value of a notification with `id` and `status`.
    fn enriched(&mut self, update: &UpdateRef<'_>, own: bool, path: &str, value: &str) -> Cow<'_, str> {
        let (source, package) = (update.source_ref(), self.room.package());
        let context = if own { &*self.self_context } else { update.context() };
        let tree = if own { Some(&self.own) } else { self.foreign.get(context) };
        let told = tree.filter(|_| package.is_none()).and_then(|tree| self.sources.told(tree, path, source));
        let told = if let Some(Value::Json(told)) = told { Some(told) } else { None };
        self.notifications.enrich(context, path, (source, package), update.time(), value, told)
    }

    fn part(&mut self, delta: &Delta, own: bool) -> TakenIn {
        if let Some(taken) = delta.updates().next().and_then(|update| self.part_told(&update, own)) {
            return taken;
        }
        let context =
            if delta.context().is_empty() { String::from(&*self.self_context) } else { delta.context().into() };
        let (size_of_notices, size_of_rest) = sizes_of_parts(delta);
        let mut notices = size_of_notices.begin(&context);
        for update in delta.updates() {
            notices.copy_update(&update, false, &mut |path, value| {
                is_notification(path).then(|| self.enriched(&update, own, path, value).into_owned().into())
            });
        }
        // One text after the other, so that only one of them is held beside its delta.
        let notifications = finished(notices, delta);
        let mut rest = size_of_rest.begin(&context);
        for update in delta.updates() {
            rest.copy_update(&update, true, &mut |path, value| {
                if is_notification(path) {
                    return None;
                }
                if own && is_identity(path) {
                    self.refuse();
                    return None;
                }
                if !own || !path.is_empty() {
                    return Some(Cow::Borrowed(value));
                }
                let left = without_identity(value);
                if matches!(left, Cow::Owned(_)) {
                    self.refuse();
                }
                (&*left != "{}").then_some(left)
            });
        }
        TakenIn { notifications, rest: finished(rest, delta), ..TakenIn::default() }
    }
}

/// Tells whether a delta has notifications, or identity of the own vessel.
fn is_special(delta: &Delta, own: bool) -> bool {
    for update in delta.updates() {
        // What a bus told has no root value.
        if let Some(mut paths) = update.told_paths() {
            return paths.any(|path| is_notification(path) || own && is_identity(path));
        }
        for (path, value) in update.entries() {
            let has_identity = || path.is_empty() && matches!(without_identity(&value.shown()), Cow::Owned(_));
            if is_notification(path) || own && (is_identity(path) || has_identity()) {
                return true;
            }
        }
    }
    false
}

/// Returns the source that an update is judged by.
fn ranked<'a>(package: Option<&'a str>, update: &UpdateRef<'a>) -> &'a str {
    package.unwrap_or_else(|| update.source_ref())
}

/// Returns a part of a delta; `None` when nothing is in it, or too much.
fn finished(part: DeltaWriter, of: &Delta) -> Option<Arc<Delta>> {
    part.finish().ok().map(|delta| Arc::new(delta.with_version(of.version())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits};
    use crate::delta::Stamp;
    use crate::time::UnixMillis;
    use std::string::ToString;

    const SELF: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";

    fn model() -> Model {
        Model::new(&Limits::of(Board::Linux), SELF)
    }

    fn delta(text: &str) -> Arc<Delta> {
        Arc::new(Delta::parse(text, &Stamp { source_ref: "@acme/p", self_context: SELF, now: UnixMillis(0) }).unwrap())
    }

    fn texts(taken: TakenIn) -> Vec<String> {
        taken.into_deltas().map(|delta| delta.text().to_string()).collect()
    }

    #[test]
    fn other_deltas_pass_as_they_are() {
        let delta =
            delta(r#"{"updates":[{"values":[{"path":"notificationsX.a","value":1},{"path":"","value":{"a":1}}]}]}"#);
        let taken = model().take_in(delta.clone());
        assert_eq!(taken, TakenIn { rest: Some(delta), ..TakenIn::default() });
    }

    #[test]
    fn notifications_leave_first_with_id_and_status() {
        let text = r#"{"updates":[{"timestamp":"2026-01-01T00:00:00.000Z","values":[{"path":"a.b","value":1},{"path":"notifications.a","value":{"state":"alarm","method":["visual","sound"],"message":"m"}}],"meta":[{"path":"a.b","value":{"units":"m"}}]}]}"#;
        let mut model = model();
        let deltas = texts(model.take_in(delta(text)));
        assert_eq!(deltas.len(), 2);
        let start = format!(
            r#"{{"context":"{SELF}","updates":[{{"values":[{{"path":"notifications.a","value":{{"state":"alarm","method":["visual","sound"],"message":"m","id":""#
        );
        assert!(deltas[0].starts_with(&start), "{}", deltas[0]);
        assert!(
            deltas[0].ends_with(r#""status":{"silenced":false,"acknowledged":false,"canSilence":true,"canAcknowledge":true,"canClear":true}}}],"$source":"@acme/p","timestamp":"2026-01-01T00:00:00.000Z"}]}"#),
            "{}",
            deltas[0]
        );
        assert_eq!(
            deltas[1],
            format!(
                r#"{{"context":"{SELF}","updates":[{{"values":[{{"path":"a.b","value":1}}],"meta":[{{"path":"a.b","value":{{"units":"m"}}}}],"$source":"@acme/p","timestamp":"2026-01-01T00:00:00.000Z"}}]}}"#
            )
        );
        assert!(model.json_at(&["vessels", "self", "notifications", "a", "value", "id"]).is_some());
        let again = texts(model.take_in(delta(text)));
        assert_eq!(again[0], deltas[0], "one id for each context, path and source");
    }

    #[test]
    fn the_own_identity_is_not_taken_from_deltas() {
        let mut model = model();
        let text = r#"{"updates":[{"$source":"defaults","values":[{"path":"","value":{"name":"Other","mmsi":"1","communication":{"callsignVhf":"X","a":1},"x":2}},{"path":"design.beam","value":9}]}]}"#;
        let deltas = texts(model.take_in(delta(text)));
        assert!(deltas[0].contains(r#"[{"path":"","value":{"communication":{"a":1},"x":2}}]"#), "{deltas:?}");
        assert_eq!(
            texts(model.take_in(delta(r#"{"updates":[{"values":[{"path":"name","value":"Other"}]}]}"#))).len(),
            0
        );
        let foreign = r#"{"context":"vessels.urn:mrn:imo:mmsi:211000000","updates":[{"values":[{"path":"design.beam","value":9}]}]}"#;
        assert_eq!(texts(model.take_in(delta(foreign))).len(), 1, "others may tell who they are");
        assert_eq!(model.json_at(&["vessels", "self", "name"]), None);
    }

    #[test]
    fn values_of_lesser_sources_are_taken_out() {
        let mut model = model();
        model.prefer(
            Priorities::parse(r#"{"a.b":[{"sourceRef":"best"},{"sourceRef":"second","timeout":1000}]}"#).unwrap(),
        );
        let from = |source: &str| {
            let text = format!(
                r#"{{"updates":[{{"$source":"{source}","timestamp":"2026-01-01T00:00:00.000Z","values":[{{"path":"a.b","value":1}},{{"path":"c","value":2}}]}}]}}"#
            );
            delta(&text)
        };
        let best = from("best");
        assert_eq!(model.take_in(best.clone()).rest, Some(best), "untouched");
        model.tick(crate::time::Instant::from_millis(1000));
        let left = texts(model.take_in(from("second")));
        assert_eq!(
            left,
            [format!(
                r#"{{"context":"{SELF}","updates":[{{"values":[{{"path":"c","value":2}}],"$source":"second","timestamp":"2026-01-01T00:00:00.000Z"}}]}}"#
            )]
        );
        assert_eq!(model.counts().not_preferred, 1);
        let only = r#"{"updates":[{"$source":"second","values":[{"path":"a.b","value":1}]}]}"#;
        assert_eq!(model.take_in(delta(only)), TakenIn::default());
        model.tick(crate::time::Instant::from_millis(1001));
        assert_eq!(texts(model.take_in(delta(only))).len(), 1, "the better one is silent");
        let foreign = format!(r#"{{"context":"vessels.urn:mrn:imo:mmsi:211000000",{}"#, &only[1..]);
        assert_eq!(texts(model.take_in(delta(&foreign))).len(), 1, "only the own vessel");
    }

    #[test]
    fn values_of_lesser_sources_are_told_to_those_who_ask() {
        let mut model = model();
        model.prefer(Priorities::parse(r#"{"a.b":[{"sourceRef":"best"}]}"#).unwrap());
        let from = |source: &str| {
            delta(&format!(
                r#"{{"updates":[{{"$source":"{source}","values":[{{"path":"a.b","value":1}},{{"path":"c","value":2}}]}}]}}"#
            ))
        };
        model.take_in(from("best"));
        assert_eq!(model.take_in(from("other")).lesser, None, "nobody asks");
        model.tell_lesser(true);
        let taken = model.take_in(from("other"));
        let lesser = taken.lesser.clone().unwrap();
        assert!(
            lesser.text().contains(r#""path":"a.b""#) && !lesser.text().contains(r#""path":"c""#),
            "{}",
            lesser.text()
        );
        assert!(!texts(taken)[0].contains(r#""path":"a.b""#));
        assert_eq!(model.take_in(from("best")).lesser, None, "all of it is preferred");
    }

    #[test]
    fn null_clears_a_notification() {
        let mut model = model();
        model.take_in(delta(r#"{"updates":[{"values":[{"path":"notifications.a","value":{"state":"warn"}}]}]}"#));
        assert_eq!(model.notifications().count(), 1);
        let deltas =
            texts(model.take_in(delta(r#"{"updates":[{"values":[{"path":"notifications.a","value":null}]}]}"#)));
        assert!(deltas[0].contains(r#""value":null"#));
        assert_eq!(model.notifications().count(), 0);
    }
}
