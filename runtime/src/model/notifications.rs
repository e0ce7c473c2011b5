//! The notifications that stand: one id for each context, path and source (plugin ABI §11.5).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::Model;
use crate::json;

/// Bytes of a notification's value that is kept; larger ones have an id and cannot be silenced.
const VALUE_BYTES_MAX: usize = 2048;

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its id, a UUID.
    pub id: String,
    /// Context.
    pub context: String,
    /// Path, begins with `notifications`.
    pub path: String,
    /// `$source`.
    pub source: String,
    /// Time stamp of the latest value.
    pub timestamp: String,
    /// The value as its source gave it, a JSON object.
    pub value: String,
    silenced: bool,
    acknowledged: bool,
}

impl Notification {
    fn state(&self) -> String {
        json::member(&self.value, "state").and_then(json::string).unwrap_or_default().into_owned()
    }

    fn is_calm(&self) -> bool {
        matches!(self.state().as_str(), "normal" | "nominal" | "")
    }

    /// Returns the value with `id` and `status`. Silenced, it has no method `sound`; acknowledged, it has none at all.
    #[must_use]
    pub fn json(&self) -> String {
        let raises = !self.is_calm();
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
        methods.retain(|method| !self.acknowledged && (!self.silenced || *method != "\"sound\""));
        let mut value = self.value.clone();
        if method.is_some() && (self.silenced || self.acknowledged) {
            value = json::with_member(&value, "method", &format!("[{}]", methods.join(",")));
        }
        let status = format!(
            "{{\"silenced\":{},\"acknowledged\":{},\"canSilence\":{},\"canAcknowledge\":{raises},\"canClear\":{raises}}}",
            self.silenced,
            self.acknowledged,
            raises && sounds
        );
        json::with_member(&json::with_member(&value, "id", &format!("\"{}\"", self.id)), "status", &status)
    }
}

/// All that stand, oldest first; bounded.
#[derive(Debug, Default)]
pub(super) struct Notifications {
    rows: Vec<Notification>,
    limit: usize,
}

impl Notifications {
    pub(super) fn new(limit: u16) -> Self {
        Self { rows: Vec::new(), limit: usize::from(limit) }
    }

    /// Takes the latest value of a notification and returns it with `id` and `status`.
    ///
    /// A value that is no object ends the notification and stays as it is.
    pub(super) fn enrich(&mut self, context: &str, path: &str, source: &str, timestamp: &str, value: &str) -> String {
        let found = self.rows.iter().position(|row| row.path == path && row.source == source && row.context == context);
        if !value.starts_with('{') {
            if let Some(at) = found {
                self.rows.remove(at);
            }
            return value.to_string();
        }
        let mut row = match found {
            // The latest one is the last, so that the oldest makes room.
            Some(at) => self.rows.remove(at),
            None => Notification {
                id: derived_id(context, path, source),
                context: context.into(),
                path: path.into(),
                source: source.into(),
                timestamp: String::new(),
                value: String::from("{}"),
                silenced: false,
                acknowledged: false,
            },
        };
        let before = row.state();
        row.value = without_own(value);
        row.timestamp = timestamp.into();
        if row.state() != before {
            (row.silenced, row.acknowledged) = (false, false);
        }
        let json = row.json();
        if row.value.len() <= VALUE_BYTES_MAX {
            self.keep(row);
        }
        json
    }

    fn keep(&mut self, row: Notification) {
        if self.limit == 0 {
            return;
        }
        if self.rows.len() >= self.limit {
            let calm = self.rows.iter().position(Notification::is_calm);
            self.rows.remove(calm.unwrap_or(0));
        }
        self.rows.push(row);
    }
}

/// What a guest gives back of what it was given (`id`, `status`) is the host's.
fn without_own(value: &str) -> String {
    if json::member(value, "id").is_none() && json::member(value, "status").is_none() {
        return value.to_string();
    }
    let mut out = String::from("{}");
    // The caller saw an object.
    let _ = json::members::<json::JsonError>(value, |key, value| {
        if !matches!(key, "id" | "status") {
            out = json::with_member(&out, key, value);
        }
        Ok(())
    });
    out
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
        self.notifications.rows.iter()
    }

    /// Finds a notification by its id.
    #[must_use]
    pub fn notification(&self, id: &str) -> Option<&Notification> {
        self.notifications.rows.iter().find(|row| row.id == id)
    }

    /// Makes room for a notification that gets this id when its first value is taken in.
    pub fn announce_notification(&mut self, id: &str, path: &str, source: &str) {
        let row = Notification {
            id: id.into(),
            context: String::from(&*self.self_context),
            path: path.into(),
            source: source.into(),
            timestamp: String::new(),
            value: String::from("{}"),
            silenced: false,
            acknowledged: false,
        };
        self.notifications.keep(row);
    }

    /// Marks a notification as silenced or acknowledged; false when there is none of this id.
    ///
    /// Take its value in again to publish that; the mark goes when its state changes.
    pub fn mark_notification(&mut self, id: &str, silenced: bool, acknowledged: bool) -> bool {
        let Some(row) = self.notifications.rows.iter_mut().find(|row| row.id == id) else { return false };
        row.silenced |= silenced;
        row.acknowledged |= acknowledged;
        true
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
        notifications.enrich("vessels.x", path, "s", "t", value)
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
    fn those_back_to_normal_make_room_first() {
        let mut notifications = Notifications::new(2);
        enrich(&mut notifications, "notifications.a", r#"{"state":"alarm"}"#);
        enrich(&mut notifications, "notifications.b", r#"{"state":"normal"}"#);
        enrich(&mut notifications, "notifications.c", r#"{"state":"warn"}"#);
        let paths: Vec<&str> = notifications.rows.iter().map(|row| row.path.as_str()).collect();
        assert_eq!(paths, ["notifications.a", "notifications.c"]);
    }

    #[test]
    fn what_a_guest_claims_to_be_id_and_status_is_replaced() {
        let mut notifications = Notifications::new(2);
        let json = enrich(&mut notifications, "notifications.a", r#"{"id":"mine","state":"alarm","status":7}"#);
        assert!(!json.contains("mine") && json.matches("\"status\"").count() == 1, "{json}");
    }
}
