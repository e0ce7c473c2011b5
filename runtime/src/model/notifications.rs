//! The notifications that stand: one id for each context, path and source (plugin ABI §11.5).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::Model;
use super::room::{Owner, SHARE};
use crate::delta::Time;
use crate::json::{self, Shown};
use crate::sorted;
use crate::time::UnixMillis;

/// Bytes of a notification's value that is kept; larger ones have an id and cannot be silenced.
const VALUE_BYTES_MAX: usize = 2048;
/// Bytes that `id` and `status` add to a value, without the id, at most.
const OWN_BYTES: usize = 128;

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its id, a UUID.
    pub id: String,
    /// Full context that it is raised in, `vessels.urn:…`.
    pub context: String,
    /// Path, begins with `notifications`.
    pub path: String,
    /// `$source`.
    pub source: String,
    /// Time stamp of the latest value, where it came as one.
    time: UnixMillis,
    /// As it was written, else.
    timestamp: String,
    /// The value as its source gave it, a JSON object.
    pub value: String,
    /// Its state, empty where it says none.
    state: String,
    silenced: bool,
    acknowledged: bool,
    /// When it was acknowledged; unknown on boards, which have no room to tell it.
    acknowledged_at: UnixMillis,
    /// Who raised it.
    owner: Owner,
    /// Number of its latest value among those of all.
    told: u64,
}

/// The state that nobody may make quiet.
const EMERGENCY: &str = "emergency";

/// Tells whether a state is none that anyone has to look at.
fn is_calm(state: &str) -> bool {
    matches!(state, "normal" | "nominal" | "")
}

impl Notification {
    fn new(id: String, context: &str, path: &str, source: &str, owner: Owner) -> Self {
        Self {
            id,
            context: context.into(),
            path: path.into(),
            source: source.into(),
            time: UnixMillis::UNKNOWN,
            timestamp: String::new(),
            value: String::from("{}"),
            state: String::new(),
            silenced: false,
            acknowledged: false,
            acknowledged_at: UnixMillis::UNKNOWN,
            owner,
            told: 0,
        }
    }

    /// Takes note of who told it when.
    fn hear(&mut self, owner: Owner, time: Time<'_>, told: u64) {
        (self.owner, self.told) = (owner, told);
        self.timestamp.clear();
        self.time = UnixMillis::UNKNOWN;
        match time {
            Time::At(time) => self.time = time,
            Time::Text(text) => self.timestamp.push_str(text),
        }
    }

    /// Tells whether it is calm, nobody made it quiet, and it has this id and value already.
    fn is_told(&self, id: &str, value: &str) -> bool {
        self.is_calm() && !self.silenced && !self.acknowledged && self.id == id && self.value == value
    }

    /// Takes over the latest value.
    fn set(&mut self, owner: Owner, time: Time<'_>, value: &str, told: u64) {
        self.hear(owner, time, told);
        // What was told before was read before.
        if self.value == value && !self.state.is_empty() {
            return;
        }
        let (value, state) = read(value);
        self.value = value.into_owned();
        if self.state != state {
            self.state = state.into_owned();
            (self.silenced, self.acknowledged) = (false, false);
        }
    }

    /// Returns the time stamp of the latest value, ISO 8601; empty where it has none.
    #[must_use]
    pub fn timestamp(&self) -> Shown<'_> {
        if self.timestamp.is_empty() { Shown::of_time(self.time) } else { Shown::Borrowed(&self.timestamp) }
    }

    /// Tells whether it can be silenced: an emergency cannot.
    #[must_use]
    pub fn can_be_silenced(&self) -> bool {
        self.state != EMERGENCY
    }

    fn is_calm(&self) -> bool {
        is_calm(&self.state)
    }

    /// Returns the value with `id` and `status`. Silenced, it has no method `sound`; acknowledged, it has none at all, and
    /// an emergency none but `visual`: it stays in sight until it is over.
    #[must_use]
    pub fn json(&self) -> String {
        let quiet = self.silenced || self.acknowledged;
        // What a calm one would do is of no interest, as long as nobody has silenced it.
        if self.is_calm() && !quiet {
            return with_own(&self.value, &self.id, [false; 5]);
        }
        let method = json::member(&self.value, "method").filter(|method| method.starts_with('['));
        let mut methods: Vec<&str> = Vec::new();
        if let Some(method) = method {
            // A list that cannot be read names no method.
            let _ = json::items::<json::JsonError>(method, |item| {
                methods.push(item);
                Ok(())
            });
        }
        let sounds = methods.contains(&"\"sound\"");
        let raises = !self.is_calm();
        let own = [self.silenced, self.acknowledged, raises && sounds && self.can_be_silenced(), raises, raises];
        if method.is_none() || !quiet {
            return self.with_time(with_own(&self.value, &self.id, own));
        }
        let stays = |method: &str| match method {
            "\"visual\"" => !self.acknowledged || !self.can_be_silenced(),
            "\"sound\"" => false,
            _ => !self.acknowledged,
        };
        let methods = json::list(|out| {
            for method in methods.into_iter().filter(|method| stays(method)) {
                out.json(method);
            }
        });
        self.with_time(with_own(&json::with_member(&self.value, "method", &methods), &self.id, own))
    }

    /// Adds the time of the acknowledgement to the status of `json`.
    fn with_time(&self, json: String) -> String {
        if !TELLS_TIME || !self.acknowledged || self.acknowledged_at == UnixMillis::UNKNOWN {
            return json;
        }
        let status = json::member(&json, "status").unwrap_or("{}");
        let time = json::quoted(&self.acknowledged_at.text());
        json::with_member(&json, "status", &json::with_member(status, "acknowledgedAt", &time))
    }
}

/// Chips have no room for it.
const TELLS_TIME: bool = cfg!(any(test, feature = "std"));

/// Members of `status`, in order.
const STATUS: [&str; 5] = [
    "\",\"status\":{\"silenced\":",
    ",\"acknowledged\":",
    ",\"canSilence\":",
    ",\"canAcknowledge\":",
    ",\"canClear\":",
];
/// How the value of a calm one ends that nobody made quiet, behind its id.
const CALM_END: &str = "\",\"status\":{\"silenced\":false,\"acknowledged\":false,\"canSilence\":false,\
\"canAcknowledge\":false,\"canClear\":false}}";
/// How the id begins behind other members.
const ID_BEGIN: &str = ",\"id\":\"";
/// Bytes of an id.
const ID_BYTES: usize = 36;

/// Returns an object that has neither member yet, see `read`, with `id` and `status`.
fn with_own(object: &str, id: &str, status: [bool; 5]) -> String {
    let mut value = String::new();
    value.reserve_exact(object.len().saturating_add(OWN_BYTES).saturating_add(id.len()));
    value.push_str(object);
    value.truncate(value.len().saturating_sub(1));
    value.push_str(if value.len() > 1 { ID_BEGIN } else { "\"id\":\"" });
    value.push_str(id);
    if status == [false; 5] {
        value.push_str(CALM_END);
        return value;
    }
    for (name, yes) in STATUS.into_iter().zip(status) {
        value.push_str(name);
        value.push_str(if yes { "true" } else { "false" });
    }
    value.push_str("}}");
    value
}

/// Returns the id in `told` where that is what [`with_own`] makes of `value` when it is calm and nobody made it quiet.
///
/// `told` is an object that has been through [`with_own`]; `true` is a byte shorter than `false`, so its length tells that
/// all of its status is.
fn calm_id<'t>(told: &'t str, value: &str) -> Option<&'t str> {
    let open = value.len().checked_sub(1).filter(|open| *open > 1)?;
    let (before, rest) = told.split_at_checked(open)?;
    if rest.len() != ID_BEGIN.len() + ID_BYTES + CALM_END.len() || before.as_bytes() != value.as_bytes().get(..open)? {
        return None;
    }
    rest.strip_prefix(ID_BEGIN)?.get(..ID_BYTES)
}

/// Tells whether two paths are the same; those of one engine are as long as others, and differ at their ends.
fn is_same(one: &str, other: &str) -> bool {
    let end = |path: &str| path.as_bytes().last_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
    one.len() == other.len() && end(one) == end(other) && one == other
}

/// All that stand; bounded.
#[derive(Debug, Default)]
pub(super) struct Notifications {
    rows: Vec<Notification>,
    limit: usize,
    /// Values that were told so far.
    told: u64,
    /// Where the next value is looked for first.
    next: usize,
    /// Who raises what comes now.
    pub(super) writer: Owner,
}

impl Notifications {
    pub(super) fn new(limit: u16) -> Self {
        Self { rows: Vec::new(), limit: usize::from(limit), told: 0, next: 0, writer: Owner::BOAT }
    }

    /// Takes the latest value of a notification and returns it with `id` and `status`.
    ///
    /// A value that is no object ends the notification and stays as it is. `package` is the plugin's that writes; `told`
    /// is what the model has of the same source: an engine tells forty calm ones with each message, which are what they were.
    pub(super) fn enrich<'t>(
        &mut self,
        context: &str,
        path: &str,
        (source, package): (&str, Option<&str>),
        time: Time<'_>,
        value: &str,
        told: Option<&'t str>,
    ) -> Cow<'t, str> {
        let same = |row: &Notification| is_same(&row.path, path) && row.context == context;
        let of_other = |row: &Notification| row.owner != self.writer && self.writer != Owner::BOAT;
        // What a plugin calls as another source is called is its own, and neither ends nor changes the other's.
        let own_name;
        let source = if let Some(package) = package
            && self.rows.iter().any(|row| same(row) && row.source == source && of_other(row))
        {
            own_name = [package, "/", source].concat();
            &own_name
        } else {
            source
        };
        // An engine tells them in the same order each time.
        let is_it = |row: &Notification| same(row) && row.source == source;
        let found = match self.rows.get(self.next) {
            Some(row) if is_it(row) => Some(self.next),
            _ => self.rows.iter().position(is_it),
        };
        if !value.starts_with('{') {
            if let Some(at) = found {
                self.rows.swap_remove(at);
            }
            return Cow::Owned(value.to_string());
        }
        let same_told = told.and_then(|told| Some((told, calm_id(told, value)?)));
        if found.is_none()
            && self.rows.len() >= self.limit
            && let Some((told, _)) = same_told
        {
            return Cow::Borrowed(told);
        }
        self.told = self.told.saturating_add(1);
        if let Some((at, row)) = found.and_then(|at| Some((at, self.rows.get_mut(at)?))) {
            self.next = at.saturating_add(1);
            if let Some((told, id)) = same_told
                && row.is_told(id, value)
            {
                row.hear(self.writer, time, self.told);
                return Cow::Borrowed(told);
            }
            row.set(self.writer, time, value, self.told);
            let json = row.json();
            if row.value.len() > VALUE_BYTES_MAX {
                self.rows.swap_remove(at);
            }
            return json.into();
        }
        let mut row = Notification::new(derived_id(context, path, source), context, path, source, self.writer);
        row.set(self.writer, time, value, self.told);
        let json = row.json();
        // A calm one that nobody knows yet sends no other away: its id would be the same again.
        let has_place = !row.is_calm() || self.rows.len() < self.limit;
        if has_place && row.value.len() <= VALUE_BYTES_MAX {
            self.keep(row);
        }
        json.into()
    }

    /// Takes those of one source as those of another, but for those that the other has itself.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        let mut at = 0;
        while let Some(row) = self.rows.get(at) {
            if row.source == from {
                let is_same = |other: &&Notification| other.path == row.path && other.context == row.context;
                if self.rows.iter().filter(is_same).any(|other| other.source == to) {
                    self.rows.swap_remove(at);
                    continue;
                }
                if let Some(row) = self.rows.get_mut(at) {
                    row.source = to.into();
                }
            }
            at = at.saturating_add(1);
        }
    }

    fn keep(&mut self, row: Notification) {
        if self.limit == 0 {
            return;
        }
        // A plugin has a share, whose oldest makes room; what it raises sends no other's away.
        let share = self.limit / SHARE as usize;
        let is_over = |owner: Owner, rows: &[Notification]| {
            owner != Owner::BOAT && rows.iter().filter(|other| other.owner == owner).count() >= share.max(1)
        };
        if is_over(row.owner, &self.rows) {
            self.make_room(|other| other.owner == row.owner);
        } else if self.rows.len() >= self.limit && !self.make_room(|other| other.owner != Owner::BOAT) {
            self.make_room(|_| true);
        }
        self.rows.push(row);
    }

    /// Removes a calm one, else the oldest, of those that are `meant`; false when there is none.
    fn make_room(&mut self, meant: impl Fn(&Notification) -> bool) -> bool {
        // Those that are not calm count as later than all that are.
        let rows = self.rows.iter().enumerate().filter(|(_, row)| meant(row));
        let Some((at, _)) = rows.min_by_key(|(_, row)| (!row.is_calm(), row.told)) else { return false };
        self.rows.swap_remove(at);
        true
    }

    /// Forgets those of sources of the boat that are `meant`.
    #[cfg(any(test, feature = "server-routes"))]
    pub(super) fn forget_sources(&mut self, meant: impl Fn(&str) -> bool) {
        self.rows.retain(|row| row.owner != Owner::BOAT || !meant(&row.source));
    }

    /// Forgets those of an owner that is gone.
    pub(super) fn forget(&mut self, gone: Owner) {
        self.rows.retain(|row| row.owner != gone);
    }
}

/// Reads an object: without `id` and `status`, which are the host's, and its state, empty where it has none.
fn read(value: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let (mut state, mut is_whole) = (None, true);
    // The caller saw an object.
    let _ = json::members::<json::JsonError>(value, |key, value| {
        is_whole &= !matches!(key, "id" | "status");
        if key == "state" {
            state = Some(value);
        }
        Ok(())
    });
    let state = state.and_then(json::string).unwrap_or_default();
    if is_whole {
        return (Cow::Borrowed(value), state);
    }
    let mut rest = String::from("{}");
    let _ = json::members::<json::JsonError>(value, |key, value| {
        if !matches!(key, "id" | "status") {
            rest = json::with_member(&rest, key, value);
        }
        Ok(())
    });
    (Cow::Owned(rest), state)
}

/// Makes a UUID of version 8 (RFC 9562 §5.8) of what a notification is known by, so that it is the same after a restart.
fn derived_id(context: &str, path: &str, source: &str) -> String {
    let hash = Sha256::new()
        .chain_update(context)
        .chain_update([0])
        .chain_update(path)
        .chain_update([0])
        .chain_update(source)
        .finalize();
    let mut bits = hash.iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    bits = bits & !(0xf << 76) | 0x8 << 76;
    bits = bits & !(0x3 << 62) | 0x2 << 62;
    let digits = format!("{bits:032x}");
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

impl Model {
    /// Visits the notifications that stand, oldest first.
    pub fn notifications(&self) -> impl Iterator<Item = &Notification> {
        let mut rows: Vec<&Notification> = self.notifications.rows.iter().collect();
        sorted::sort_by(&mut rows, |a, b| a.told < b.told);
        rows.into_iter()
    }

    /// Finds a notification by its id.
    #[must_use]
    pub fn notification(&self, id: &str) -> Option<&Notification> {
        self.notifications.rows.iter().find(|row| row.id == id)
    }

    /// Makes room for a notification that gets this id when its first value is taken in.
    pub fn announce_notification(&mut self, id: &str, path: &str, source: &str) {
        let mut row = Notification::new(id.into(), &self.self_context, path, source, Owner::BOAT);
        self.notifications.told = self.notifications.told.saturating_add(1);
        row.told = self.notifications.told;
        self.notifications.keep(row);
    }

    /// Marks a notification as silenced or acknowledged; false when there is none of this id.
    ///
    /// Take its value in again to publish that; the mark goes when its state changes.
    pub fn mark_notification(&mut self, id: &str, silenced: bool, acknowledged: bool, now: UnixMillis) -> bool {
        let Some(row) = self.notifications.rows.iter_mut().find(|row| row.id == id) else { return false };
        row.silenced |= silenced && row.can_be_silenced();
        if TELLS_TIME && acknowledged && !row.acknowledged {
            row.acknowledged_at = now;
        }
        row.acknowledged |= acknowledged;
        true
    }

    /// Takes what comes from now on as the word of who raised `row`, or as the boat's again: who silences a plugin's
    /// notification does not make it another's.
    pub fn speak_for(&mut self, row: Option<&Notification>) {
        let owner = row.map_or(Owner::BOAT, |row| row.owner);
        (self.room.writer, self.notifications.writer) = (owner, owner);
    }

    /// Forgets a notification.
    pub fn forget_notification(&mut self, id: &str) {
        self.notifications.rows.retain(|row| row.id != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enrich(notifications: &mut Notifications, path: &str, value: &str) -> String {
        notifications.enrich("vessels.x", path, ("s", None), Time::Text("t"), value, None).into_owned()
    }

    /// Returns the paths of those that stand, oldest first.
    fn standing(notifications: &Notifications) -> Vec<&str> {
        let mut rows: Vec<&Notification> = notifications.rows.iter().collect();
        rows.sort_by_key(|row| row.told);
        rows.into_iter().map(|row| row.path.as_str()).collect()
    }

    #[test]
    fn ids_are_stable_uuids() {
        let id = derived_id("c", "p", "s");
        assert_eq!((id.len(), id.as_bytes()[14], derived_id("c", "p", "s") == id), (36, b'8', true));
        assert_ne!(derived_id("c", "p", "t"), id);
    }

    #[test]
    fn a_silenced_notification_makes_no_sound_until_its_state_changes() {
        let mut notifications = Notifications::new(4);
        let value = r#"{"state":"alarm","method":["visual","sound"],"message":"m"}"#;
        enrich(&mut notifications, "notifications.a", value);
        notifications.rows[0].silenced = true;
        let json = enrich(&mut notifications, "notifications.a", value);
        assert!(json.contains(r#""method":["visual"]"#) && json.contains(r#""silenced":true"#), "{json}");
        notifications.rows[0].acknowledged = true;
        assert!(enrich(&mut notifications, "notifications.a", value).contains(r#""method":[]"#));
        let json = enrich(&mut notifications, "notifications.a", r#"{"state":"emergency","method":["sound"]}"#);
        assert!(json.contains(r#""method":["sound"]"#) && json.contains(r#""silenced":false"#), "{json}");
    }

    #[test]
    fn an_emergency_stays_in_sight() {
        let mut notifications = Notifications::new(4);
        let value = r#"{"state":"emergency","method":["visual","sound"],"message":"m"}"#;
        let json = enrich(&mut notifications, "notifications.mob", value);
        assert!(json.contains(r#""canSilence":false,"canAcknowledge":true"#), "{json}");
        notifications.rows[0].acknowledged = true;
        let json = enrich(&mut notifications, "notifications.mob", value);
        assert!(json.contains(r#""method":["visual"]"#), "{json}");
    }

    #[test]
    fn a_plugin_has_a_share_and_sends_no_others_away() {
        let mut model = Model::new(&crate::budget::Limits::of(crate::budget::Board::Linux), "vessels.x");
        let owners = ["@acme/a", "@acme/b"].map(|name| model.room.owner(&name.into()));
        let mut notifications = Notifications::new(8);
        let mut raise = |writer: Owner, path: &str| {
            notifications.writer = writer;
            enrich(&mut notifications, path, r#"{"state":"alarm"}"#);
        };
        raise(Owner::BOAT, "mob");
        raise(owners[0], "other");
        (0..20).for_each(|number| raise(owners[1], &format!("flood{number}")));
        (0..6).for_each(|number| raise(Owner::BOAT, &format!("boat{number}")));
        let paths = standing(&notifications);
        assert_eq!(paths, ["mob", "flood19", "boat0", "boat1", "boat2", "boat3", "boat4", "boat5"]);
        notifications.forget(owners[1]);
        assert!(!notifications.rows.iter().any(|row| row.path == "flood19"));
    }

    #[test]
    fn who_acknowledges_it_does_not_take_it_over() {
        let mut model = Model::new(&crate::budget::Limits::of(crate::budget::Board::Linux), "vessels.x");
        let plugin = model.room.owner(&"@acme/a".into());
        let value = r#"{"state":"alarm","method":["sound"]}"#;
        let told = |model: &mut Model, writer: Owner, package: Option<&str>| {
            model.notifications.writer = writer;
            let told = model.notifications.enrich("vessels.x", "a", ("@acme/a", package), Time::Text("t"), value, None);
            told.into_owned()
        };
        told(&mut model, plugin, Some("@acme/a"));
        let row = model.notifications().next().unwrap().clone();
        assert!(model.mark_notification(&row.id, false, true, UnixMillis(1_767_225_600_000)));
        model.speak_for(Some(&row));
        let writer = model.notifications.writer;
        let json = told(&mut model, writer, None);
        assert!(json.contains(r#""acknowledged":true"#) && json.contains(r#""canSilence":true"#), "{json}");
        assert!(json.contains(r#""acknowledgedAt":"2026-01-01T00:00:00.000Z"}"#), "{json}");
        model.speak_for(None);
        assert_eq!(model.notifications.writer, Owner::BOAT);
        told(&mut model, plugin, Some("@acme/a"));
        let rows: Vec<_> = model.notifications().map(|row| &*row.source).collect();
        assert_eq!(rows, ["@acme/a"], "it is still the plugin's own");
    }

    #[test]
    fn a_calm_one_that_is_told_again_is_known_by_what_the_model_has() {
        let mut notifications = Notifications::new(0);
        for calm in [r#"{"state":"normal","method":["sound"],"message":"m"}"#, r#"{"message":"m"}"#] {
            let mut again = |told: &str, value: &str| {
                let told = notifications.enrich("vessels.x", "a", ("s", None), Time::Text("t"), value, Some(told));
                told.into_owned()
            };
            let told = again("", calm);
            assert_eq!(calm_id(&told, calm), json::member(&told, "id").map(|id| id.trim_matches('"')));
            assert_eq!(again(&told, calm), told);
            let other = told.replace("\"m\"", "\"n\"");
            assert_eq!(again(&other, calm), told);
        }
        let raised = enrich(&mut notifications, "a", r#"{"state":"alarm"}"#);
        assert_eq!(calm_id(&raised, r#"{"state":"alarm"}"#), None);
        assert_eq!([calm_id("", "{}"), calm_id("{\"id\":\"", "{}"), calm_id("", "")], [None; 3]);
    }

    #[test]
    fn a_calm_one_that_stands_is_only_heard_again_unless_it_was_made_quiet() {
        let mut notifications = Notifications::new(4);
        let calm = r#"{"state":"normal","method":["sound"],"message":"m"}"#;
        let mut told = [enrich(&mut notifications, "a", calm), enrich(&mut notifications, "b", calm)];
        let mut again = |notifications: &mut Notifications, at: usize, value: &str| {
            let time = Time::At(UnixMillis(7));
            let path = ["a", "b"][at];
            let now = notifications.enrich("vessels.x", path, ("s", None), time, value, Some(&told[at]));
            let is_same = matches!(now, Cow::Borrowed(_));
            told[at] = now.into_owned();
            (is_same, notifications.rows[at].time, told[at].clone())
        };
        let before = again(&mut notifications, 0, calm).2;
        assert_eq!(again(&mut notifications, 0, calm), (true, UnixMillis(7), before.clone()));
        assert!(again(&mut notifications, 1, calm).0 && again(&mut notifications, 0, calm).0, "whichever comes next");
        notifications.rows[0].silenced = true;
        let (is_same, _, silenced) = again(&mut notifications, 0, calm);
        assert!(!is_same && silenced.contains(r#""silenced":true"#), "{silenced}");
        notifications.rows[0].silenced = false;
        assert_eq!(again(&mut notifications, 0, calm), (false, UnixMillis(7), before), "what was told is another");
        let other = calm.replace("\"m\"", "\"n\"");
        assert!(!again(&mut notifications, 0, &other).0 && again(&mut notifications, 0, &other).0);
        notifications.rows[0].id = "another".into();
        assert!(again(&mut notifications, 0, &other).2.contains("\"id\":\"another\""), "an announced one");
    }

    #[test]
    fn those_back_to_normal_make_room_first() {
        let mut notifications = Notifications::new(2);
        enrich(&mut notifications, "notifications.a", r#"{"state":"alarm"}"#);
        enrich(&mut notifications, "notifications.b", r#"{"state":"normal"}"#);
        enrich(&mut notifications, "notifications.c", r#"{"state":"warn"}"#);
        let paths = standing(&notifications);
        assert_eq!(paths, ["notifications.a", "notifications.c"]);
    }

    #[test]
    fn a_calm_one_sends_no_other_away_and_is_the_same_later() {
        let mut notifications = Notifications::new(2);
        let calm = r#"{"state":"normal","method":["sound"]}"#;
        let json = ["a", "b", "c"].map(|path| enrich(&mut notifications, path, calm));
        let paths = standing(&notifications);
        assert_eq!(paths, ["a", "b"]);
        assert!(json[2].contains(r#""canSilence":false,"canAcknowledge":false,"canClear":false}}"#), "{}", json[2]);
        assert_eq!(enrich(&mut notifications, "c", calm), json[2]);
        let raised = enrich(&mut notifications, "c", r#"{"state":"alarm","method":["sound"]}"#);
        assert_eq!(json::member(&raised, "id"), json::member(&json[2], "id"));
        assert!(raised.contains(r#""canSilence":true,"canAcknowledge":true,"canClear":true}}"#), "{raised}");
        let paths = standing(&notifications);
        assert_eq!(paths, ["b", "c"]);
    }

    #[test]
    fn an_empty_value_gets_id_and_status_too() {
        let json = enrich(&mut Notifications::new(2), "a", "{}");
        assert!(json.starts_with(r#"{"id":""#) && json::compact(&json).as_ref() == Ok(&json), "{json}");
    }

    #[test]
    fn what_a_guest_claims_to_be_id_and_status_is_replaced() {
        let mut notifications = Notifications::new(2);
        let json = enrich(&mut notifications, "notifications.a", r#"{"id":"mine","state":"alarm","status":7}"#);
        assert!(!json.contains("mine") && json.matches("\"status\"").count() == 1, "{json}");
    }
}
