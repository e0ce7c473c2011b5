//! Interfaces that a component and this host have in common, by name.
//!
//! `signalk:plugin` is the world of upstream's examples; `skiff:plugin` is ours, each interface optional
//! (`plugins/wit`). An interface is known in every version that begins as its row says.

use skiff_abi::export;
use skiff_abi::import::ENV;

use super::imports::{model, wasi};
use super::layout::Gives;
use crate::host::imports::{self, Linked};

/// Name under which the function is kept that answers HTTP requests, whatever handler they name.
pub(in crate::host) const HTTP_HANDLE: &str = "skiff:plugin/http#handle";
/// The same for PUT requests.
pub(in crate::host) const PUT_HANDLE: &str = "skiff:plugin/put#handle";

const SIGNALK_PLUGIN: &str = "signalk:plugin/plugin@1.";
const SIGNALK_API: &str = "signalk:plugin/signalk-api@1.";

/// An export that the host calls.
struct ExportRow {
    /// Interface, and how its version begins.
    interface: &'static str,
    name: &'static str,
    /// Its name in the other dialects.
    export: &'static str,
    texts: usize,
    gives: Gives,
}

const fn row(
    interface: &'static str,
    name: &'static str,
    export: &'static str,
    texts: usize,
    gives: Gives,
) -> ExportRow {
    ExportRow { interface, name, export, texts, gives }
}

const EXPORTS: &[ExportRow] = &[
    row(SIGNALK_PLUGIN, "plugin-id", export::PLUGIN_ID, 0, Gives::Text),
    row(SIGNALK_PLUGIN, "plugin-name", export::PLUGIN_NAME, 0, Gives::Text),
    row(SIGNALK_PLUGIN, "plugin-schema", export::PLUGIN_SCHEMA, 0, Gives::Text),
    row(SIGNALK_PLUGIN, "plugin-start", export::PLUGIN_START, 1, Gives::Number),
    row(SIGNALK_PLUGIN, "plugin-stop", export::PLUGIN_STOP, 0, Gives::Number),
    row("skiff:plugin/deltas@0.1.", "on-delta", export::DELTA_HANDLER, 1, Gives::Nothing),
    row("skiff:plugin/poll@0.1.", "poll", export::POLL, 0, Gives::Number),
    row("skiff:plugin/http@0.1.", "endpoints", export::HTTP_ENDPOINTS, 0, Gives::Text),
    row("skiff:plugin/http@0.1.", "handle", HTTP_HANDLE, 2, Gives::Text),
    row("skiff:plugin/put@0.1.", "handle", PUT_HANDLE, 2, Gives::Text),
];

/// What the host has for an export of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Exported {
    /// The host calls it under this name.
    Called(&'static str),
    /// It has the name of one, and takes or gives something else.
    OfAnotherType,
    /// The host does not know it.
    Unknown,
}

/// Finds what an exported function is for.
pub(in crate::host) fn of_export(interface: &str, name: &str, texts: Option<usize>, gives: Option<Gives>) -> Exported {
    match EXPORTS.iter().find(|row| row.name == name && interface.starts_with(row.interface)) {
        Some(row) if texts == Some(row.texts) && gives == Some(row.gives) => Exported::Called(row.export),
        Some(_) => Exported::OfAnotherType,
        None => Exported::Unknown,
    }
}

/// Parameters and result of an import as a core function: a letter for each, `i` for 32 bits and `l` for 64, the result
/// behind `>`.
pub(in crate::host) type Flat = &'static str;

/// Imports that are functions of the other dialects.
const SAME: &[(&str, &str, &str, Flat)] = &[
    (SIGNALK_API, "sk-debug", "sk_debug", "ii>"),
    (SIGNALK_API, "sk-set-status", "sk_set_status", "ii>"),
    (SIGNALK_API, "sk-set-error", "sk_set_error", "ii>"),
    (SIGNALK_API, "sk-handle-message", "sk_handle_message", "ii>"),
    (SIGNALK_API, "sk-register-put-handler", "sk_register_put_handler", "iiii>i"),
];

/// Finds the function for an import, and the type it has as a core function; `None` where this host has none.
pub(in crate::host) fn linked(interface: &str, name: &str) -> Option<(Linked, Flat)> {
    if let Some((_, _, same, flat)) = SAME.iter().find(|(of, other, _, _)| *other == name && interface.starts_with(of))
    {
        return Some((imports::linked(ENV, same)?, flat));
    }
    let mut rows = model::ROWS.iter().chain(wasi::ROWS.into_iter().flatten());
    let (row, flat) = rows.find(|(row, _)| row.is(interface, name))?;
    Some((imports::linked_row(row), flat))
}
