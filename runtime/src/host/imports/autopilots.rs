//! Autopilots (extensions of the plugin ABI, `abi-extensions.md`).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Caller;
use crate::delta::{DELTA_BYTES_MAX, DeltaVersion, is_plain};
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::host::registration::{REGISTRATION_TEXT_BYTES_MAX, Registration};
use crate::json::{self, JsonError};
use skiff_abi::Capability;

/// What of an autopilot is told as it is, below `steering.autopilot`.
const ATTRIBUTES: [&str; 4] = ["mode", "state", "target", "engaged"];
/// Alarms of the Autopilot API.
const ALARMS: [&str; 6] = ["waypointAdvance", "waypointArrival", "routeComplete", "xte", "heading", "wind"];

/// Tells whether a text is short and needs no escape in JSON.
fn is_name(text: &str) -> bool {
    text.len() <= REGISTRATION_TEXT_BYTES_MAX && is_plain(text)
}

pub(super) fn sk_register_autopilot_provider(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    devices: GuestSlice,
) -> i32 {
    let Some(text) = caller.text_to_parse(devices, u32::MAX).and_then(|text| json::compact(&text).ok()) else {
        return 0;
    };
    let mut named = Vec::new();
    let read = json::items::<JsonError>(&text, |item| {
        let name = json::string(item).filter(|name| is_name(name)).ok_or(JsonError::WrongKind)?;
        named.push(name.into_owned());
        Ok(())
    });
    let is_list = read.is_ok() && !named.is_empty();
    (is_list && services.register(Registration::Autopilots { devices: named })).into()
}

pub(super) fn sk_autopilot_update(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    device: GuestSlice,
    changes: GuestSlice,
) -> i32 {
    let limit = u32::try_from(DELTA_BYTES_MAX).unwrap_or(u32::MAX);
    let changes = caller.text_to_parse(changes, limit).and_then(|text| json::compact(&text).ok());
    let device = caller.text(device).filter(|device| is_name(device)).map(alloc::borrow::Cow::into_owned);
    let (Some(device), Some(changes)) = (device, changes) else { return -1 };
    if !caller.state().capabilities.allows(Capability::DataWrite, false) {
        return -1;
    }
    let Some(delta) = delta(&changes) else { return -1 };
    // One that is told of is there, as upstream has it.
    if !services.register(Registration::Autopilots { devices: alloc::vec![device] }) {
        return -1;
    }
    services.emit(&delta, DeltaVersion::V1);
    0
}

/// Makes a delta of what changed; `None` where nothing of it can be told.
fn delta(changes: &str) -> Option<String> {
    let mut values: Vec<(String, String)> = Vec::new();
    let mut actions = Ok(());
    let read = json::members::<JsonError>(changes, |name, value| {
        match name {
            name if ATTRIBUTES.contains(&name) => values.push((format!("steering.autopilot.{name}"), value.into())),
            "actions" => {
                let available = json::list(|ids| {
                    actions = json::items::<JsonError>(value, |action| {
                        let is_available = json::member(action, "available").and_then(json::boolean) == Some(true);
                        if let Some(id) = json::member(action, "id").and_then(json::string).filter(|_| is_available) {
                            ids.text(&id);
                        }
                        Ok(())
                    });
                });
                values.push(("steering.autopilot.availableActions".into(), available));
            }
            "alarm" => {
                let path = json::member(value, "path").and_then(json::string);
                if let (Some(path), Some(value)) = (path, json::member(value, "value"))
                    && ALARMS.contains(&&*path)
                {
                    values.push((format!("notifications.steering.autopilot.{path}"), value.into()));
                }
            }
            _ => {}
        }
        Ok(())
    });
    if read.is_err() || actions.is_err() || values.is_empty() {
        return None;
    }
    Some(json::object(|delta| {
        delta.list("updates", |updates| {
            updates.object(|update| {
                update.list("values", |list| {
                    for (path, value) in &values {
                        list.object(|entry| {
                            entry.text("path", path).json("value", value);
                        });
                    }
                });
            });
        });
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_becomes_values_of_the_autopilot() {
        let changes = r#"{"mode":"wind","target":0.5,"engaged":true,"options":{},"other":1,
            "actions":[{"id":"tack","available":true},{"id":"gybe","available":false}],
            "alarm":{"path":"wind","value":{"state":"alarm"}}}"#;
        let expected = concat!(
            r#"{"updates":[{"values":[{"path":"steering.autopilot.mode","value":"wind"},"#,
            r#"{"path":"steering.autopilot.target","value":0.5},{"path":"steering.autopilot.engaged","value":true},"#,
            r#"{"path":"steering.autopilot.availableActions","value":["tack"]},"#,
            r#"{"path":"notifications.steering.autopilot.wind","value":{"state":"alarm"}}]}]}"#
        );
        assert_eq!(delta(&json::compact(changes).unwrap()).as_deref(), Some(expected));
        for nothing in ["{}", "[]", r#"{"options":{}}"#, r#"{"alarm":{"path":"fire","value":1}}"#, r#"{"actions":7}"#] {
            assert_eq!(delta(nothing), None, "{nothing}");
        }
    }
}
