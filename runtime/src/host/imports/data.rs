//! Deltas, the data model, notifications (plugin ABI §3.3).

use alloc::string::String;

use skiff_abi::import::DELTA_VERSION_DEFAULT;

use super::Caller;
use crate::budget::PluginLimits;
use crate::delta::{DELTA_BYTES_MAX, DeltaVersion};
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::json;

/// States of a notification that upstream accepts (`nominal` is refused there, plugin ABI §3.3).
const NOTIFICATION_STATES: [&str; 5] = ["normal", "alert", "warn", "alarm", "emergency"];

pub(super) fn sk_handle_message(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    delta: GuestSlice,
    version: Option<i32>,
) {
    let version = if version.unwrap_or(DELTA_VERSION_DEFAULT) == 2 { DeltaVersion::V2 } else { DeltaVersion::V1 };
    if let Some(delta) = caller.text_to_parse(delta, u32::try_from(DELTA_BYTES_MAX).unwrap_or(u32::MAX)) {
        services.emit(&delta, version);
    }
}

pub(super) fn sk_get_self_path(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    path: GuestSlice,
    into: GuestSlice,
) -> i32 {
    let node = caller.text(path).and_then(|path| services.self_path(&path));
    give_node(caller, into, node)
}

pub(super) fn sk_get_path(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    path: GuestSlice,
    into: GuestSlice,
) -> i32 {
    let node = caller.text(path).and_then(|path| services.path(&path));
    give_node(caller, into, node)
}

/// Writes a node of the model; where it does not fit, the node without `meta` and `values` (plugin ABI appendix E).
fn give_node(caller: &mut Caller<'_>, into: GuestSlice, node: Option<String>) -> i32 {
    let Some(node) = node.filter(|node| node != "null") else { return 0 };
    // The whole node is work, also where it does not fit: a short path can lead to all there is.
    caller.pay(u32::try_from(node.len()).unwrap_or(u32::MAX), PluginLimits::PARSE_WORK);
    match caller.write_text(into, &node) {
        0 => lean(&node).map_or(0, |lean| caller.write_text(into, &lean)),
        bytes => bytes,
    }
}

fn lean(node: &str) -> Option<String> {
    let lean = json::rewritten(node, |out, name, value| {
        if !matches!(name, "meta" | "values") {
            out.json(name, value);
        }
    });
    lean.ok()
}

pub(super) fn sk_publish_notification(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    path: GuestSlice,
    value: GuestSlice,
) -> i32 {
    let value = caller.text_to_parse(value, u32::MAX).and_then(|value| json::compact(&value).ok()).filter(|value| {
        let state = json::member(value, "state").and_then(json::string);
        state.is_some_and(|state| NOTIFICATION_STATES.contains(&&*state))
    });
    match (caller.text(path), value) {
        (Some(path), Some(value)) if services.publish_notification(&path, &value) => 0,
        _ => -1,
    }
}
