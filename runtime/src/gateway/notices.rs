//! `/signalk/v2/api/notifications`: list, raise, update, clear, silence, acknowledge (plugin ABI §12.5).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Gateway;
use crate::delta::{Delta, Stamp, is_plain};
use crate::http::{Method, Request};
use crate::json::{self, Object};
use crate::model::Notification;
use crate::server::Response;
use crate::server::providers::{failed, json_body, state};

/// `$source` of notifications that clients raise.
const SOURCE: &str = "notificationsApi";
/// States of a notification (plugin ABI §11.5).
const STATES: [&str; 6] = ["nominal", "normal", "alert", "warn", "alarm", "emergency"];
/// The mark that an endpoint sets: silenced, acknowledged.
const MARKS: [(&str, &str, (bool, bool)); 2] =
    [("silence", "silenceAll", (true, false)), ("acknowledge", "acknowledgeAll", (false, true))];

/// Boards have no room for what a notification has by itself, and for the other's owner.
const IS_WHOLE: bool = cfg!(any(test, feature = "std"));

impl Gateway {
    /// Answers a request below `/signalk/v2/api/notifications`; `segments` are decoded.
    pub(super) fn notifications(&mut self, request: &Request, segments: &[Cow<'_, str>]) -> Response {
        let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
        match (request.method, segments.as_slice()) {
            (Method::Get | Method::Head, []) => {
                let rows = json::object(|rows| {
                    for row in self.model.notifications() {
                        rows.object(&row.id, |out| write_row(out, row));
                    }
                });
                Response::json(200, rows)
            }
            (Method::Get | Method::Head, [id]) => match self.model.notification(id) {
                Some(row) => Response::json(200, json::object(|out| write_row(out, row))),
                None => unknown(id),
            },
            (Method::Post, []) => json_body(request).map_or_else(|refused| refused, |body| self.raise(&body)),
            (Method::Post, ["mob"]) => self.man_overboard(request),
            (Method::Post, [word]) => match MARKS.iter().find(|(_, all, _)| all == word) {
                Some((_, _, mark)) => {
                    let ids: Vec<String> = self.model.notifications().map(|row| row.id.clone()).collect();
                    ids.iter().for_each(|id| self.mark(id, *mark));
                    state(200, "COMPLETED", "OK")
                }
                None => failed(404, "no such part of the notifications API"),
            },
            (Method::Post, [id, word]) => match MARKS.iter().find(|(one, _, _)| one == word) {
                Some(_) if self.model.notification(id).is_none() => unknown(id),
                Some((_, _, (true, _))) if self.model.notification(id).is_some_and(|row| !row.can_be_silenced()) => {
                    failed(400, "an emergency cannot be silenced")
                }
                Some((_, _, mark)) => {
                    self.mark(id, *mark);
                    state(200, "COMPLETED", "OK")
                }
                None => failed(404, "no such part of the notifications API"),
            },
            (Method::Put, [id]) => json_body(request).map_or_else(|refused| refused, |body| self.update(id, &body)),
            (Method::Delete, [id]) => self.clear(id),
            (_, []) => Response::method_not_allowed("GET, HEAD, POST"),
            (_, [_]) => Response::method_not_allowed("GET, HEAD, PUT, DELETE"),
            _ => failed(404, "no such part of the notifications API"),
        }
    }

    /// Raises a notification: `{state, message, method?, path?, idInPath?, includePosition?, includeCreatedAt?, data?}`.
    fn raise(&mut self, body: &str) -> Response {
        let id = crate::config::random_uuid(&mut *self.hal.rng);
        let value = match value_of("{}", body) {
            Ok(value) if json::member(&value, "state").is_some() => value,
            Ok(_) => return failed(400, "state is missing"),
            Err(clause) => return failed(400, clause),
        };
        if IS_WHOLE && json::member(&value, "message").is_none() {
            return failed(400, "message is missing");
        }
        let below = match json::member(body, "path").map(json::string) {
            None => id.clone(),
            Some(Some(path)) if is_path(&path) => {
                let path = path.strip_prefix("notifications.").unwrap_or(&path);
                if IS_WHOLE && says(body, "idInPath") { format!("{path}.{id}") } else { path.into() }
            }
            Some(_) => return failed(400, "path must be a path below notifications"),
        };
        let value = if IS_WHOLE { self.whole(&value, body) } else { value };
        self.create(&id, &format!("notifications.{below}"), &value)
    }

    /// Adds what a notification has unless its body says otherwise: a method, and in an emergency where and when it began.
    fn whole(&self, value: &str, body: &str) -> String {
        let mut value = String::from(value);
        if json::member(&value, "method").is_none() {
            value = json::with_member(&value, "method", r#"["visual","sound"]"#);
        }
        let is_emergency = json::member(&value, "state") == Some("\"emergency\"");
        if is_emergency || says(body, "includePosition") {
            let position = self.model.node_at_self("navigation.position.value");
            let position = position.filter(|position| position.starts_with('{'));
            value = json::with_member(&value, "position", position.as_deref().unwrap_or("null"));
        }
        if is_emergency || says(body, "includeCreatedAt") {
            value = json::with_member(&value, "createdAt", &json::quoted(&self.wall().text()));
        }
        value
    }

    /// Raises an emergency with the position the vessel has now.
    fn man_overboard(&mut self, request: &Request) -> Response {
        let body = if request.body.is_empty() { Ok(String::from("{}")) } else { json_body(request) };
        let body = match body {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let id = crate::config::random_uuid(&mut *self.hal.rng);
        let message = json::member(&body, "message").filter(|message| message.starts_with('"'));
        let value = json::object(|value| {
            value.text("state", "emergency").list("method", |method| {
                method.text("visual").text("sound");
            });
            value.json("message", message.unwrap_or("\"Person overboard!\""));
            let position = self.model.node_at_self("navigation.position.value").filter(|_| !IS_WHOLE);
            if let Some(position) = position.filter(|position| position.starts_with('{')) {
                value.json("position", &position);
            }
        });
        let value = if IS_WHOLE { self.whole(&value, "{}") } else { value };
        self.create(&id, &format!("notifications.mob.{id}"), &value)
    }

    fn create(&mut self, id: &str, path: &str, value: &str) -> Response {
        let known = self.model.notifications().find(|row| row.path == path && row.source == SOURCE);
        let id = known.map_or_else(|| String::from(id), |row| row.id.clone());
        let context = String::from(&*self.setup.self_context);
        if self.model.notification(&id).is_none() {
            self.model.announce_notification(&id, path, SOURCE);
        }
        if !self.publish_notice(&context, path, SOURCE, value) {
            self.model.forget_notification(&id);
            return failed(400, "the notification is too long");
        }
        let body = json::object(|body| {
            body.text("state", "COMPLETED").number("statusCode", 200_u16).text("message", "OK").text("id", &id);
        });
        Response::json(200, body)
    }

    /// Changes state, message or method of a notification.
    fn update(&mut self, id: &str, body: &str) -> Response {
        let Some(row) = self.model.notification(id).cloned() else { return unknown(id) };
        match value_of(&row.value, body) {
            Ok(value) if self.tell_anew(&row, &value) => state(200, "COMPLETED", "OK"),
            Ok(_) => failed(400, "the notification is too long"),
            Err(clause) => failed(400, clause),
        }
    }

    /// Sets a notification back to normal; one that a client raised is forgotten.
    fn clear(&mut self, id: &str) -> Response {
        let Some(row) = self.model.notification(id).cloned() else { return unknown(id) };
        let value = json::with_member(&json::with_member(&row.value, "state", "\"normal\""), "method", "[]");
        self.tell_anew(&row, &value);
        if row.source == SOURCE {
            self.model.forget_notification(id);
        }
        state(200, "COMPLETED", "OK")
    }

    fn mark(&mut self, id: &str, (silenced, acknowledged): (bool, bool)) {
        let now = self.wall();
        if self.model.mark_notification(id, silenced, acknowledged, now)
            && let Some(row) = self.model.notification(id).cloned()
        {
            self.tell_anew(&row, &row.value);
        }
    }

    /// Publishes another value of a notification, which stays its owner's; false when it is no delta.
    fn tell_anew(&mut self, row: &Notification, value: &str) -> bool {
        if IS_WHOLE {
            self.model.speak_for(Some(row));
        }
        let told = self.publish_notice(&row.context, &row.path, &row.source, value);
        if IS_WHOLE {
            self.model.speak_for(None);
        }
        told
    }

    /// Publishes a value; false when it is no delta.
    fn publish_notice(&mut self, context: &str, path: &str, source: &str, value: &str) -> bool {
        let stamp = Stamp { source_ref: source, self_context: &self.setup.self_context, now: self.wall() };
        match Delta::of_value(context, path, value, &stamp) {
            Ok(delta) => {
                self.take_in(Arc::new(delta), 0);
                true
            }
            Err(_) => false,
        }
    }
}

fn unknown(id: &str) -> Response {
    failed(404, &format!("there is no notification {id}"))
}

fn write_row(out: &mut Object<'_>, row: &Notification) {
    out.text("context", &row.context).text("path", &row.path).json("value", &row.json());
    out.text("$source", &row.source).text("timestamp", &row.timestamp());
}

fn is_path(path: &str) -> bool {
    !path.is_empty() && path.len() <= 200 && is_plain(path) && path.split('.').all(|segment| !segment.is_empty())
}

/// Tells whether a member of the body is `true`.
fn says(body: &str, member: &str) -> bool {
    json::member(body, member) == Some("true")
}

/// Returns `value` with the members that `body` sets.
fn value_of(value: &str, body: &str) -> Result<String, &'static str> {
    if !body.starts_with('{') {
        return Err("the body must be an object");
    }
    let mut value = String::from(value);
    if let Some(state) = json::member(body, "state") {
        let known = json::string(state).is_some_and(|state| STATES.contains(&&*state));
        if !known {
            return Err("state must be nominal, normal, alert, warn, alarm or emergency");
        }
        value = json::with_member(&value, "state", state);
    }
    if let Some(method) = json::member(body, "method") {
        let mut known = method.starts_with('[');
        let read = json::items::<json::JsonError>(method, |item| {
            known &= matches!(item, "\"visual\"" | "\"sound\"");
            Ok(())
        });
        if read.is_err() || !known {
            return Err("method must be an array of visual and sound");
        }
        value = json::with_member(&value, "method", method);
    }
    if let Some(message) = json::member(body, "message") {
        if !message.starts_with('"') {
            return Err("message must be a text");
        }
        value = json::with_member(&value, "message", message);
    }
    if IS_WHOLE && let Some(data) = json::member(body, "data") {
        if !data.starts_with('{') {
            return Err("data must be an object");
        }
        value = json::with_member(&value, "data", data);
    }
    Ok(value)
}
