//! Web apps without a plugin, in the listing and by name.

use axum::http::Method;
use serde_json::{Value, json};
use skiff_runtime::package::Asks;
use skiff_runtime::package::apps as records;

use super::super::admin::{AdminTarget, ask, begin_change, parse};
use super::super::client::{Body, GatewayClient};
use super::super::exit::{self, Failure};
use super::Change;
use super::table::PluginRow;
use super::target::query;
use crate::hal::Folder;
use crate::packages::apps;

/// Status of an older gateway, which has no such list.
const NOT_FOUND: u16 = 404;

/// Returns the web apps of a running gateway.
pub(super) fn web_apps(client: &GatewayClient) -> Result<Vec<Value>, Failure> {
    let is_old = client.send(Method::GET, "/skiff/v1/webapps", None).is_ok_and(|answer| answer.status == NOT_FOUND);
    if is_old {
        return Ok(Vec::new());
    }
    match parse(&ask(client, Method::GET, "/skiff/v1/webapps", None)?)? {
        Value::Array(rows) => Ok(rows),
        _ => Ok(Vec::new()),
    }
}

/// Returns the web apps that Skiff has installed in a folder, as a gateway tells them.
pub(super) fn offline_apps(folder: &mut Folder) -> Vec<Value> {
    let found = records::list(folder);
    found.iter().map(|app| row(folder, &app.id(), &app.name, &app.version)).collect()
}

fn row(folder: &mut Folder, id: &str, name: &str, version: &str) -> Value {
    let missing = apps::missing(folder, name);
    let state = if missing.is_empty() { "enabled" } else { "disabled" };
    let asks: Vec<&str> = missing.names().collect();
    json!({ "id": id, "name": name, "packageName": name, "version": version, "state": state, "webapp": true, "asks": asks })
}

/// Appends the web apps to the list of plugins.
pub(super) fn with(mut rows: Value, apps: Vec<Value>) -> Value {
    if let Some(rows) = rows.as_array_mut() {
        rows.extend(apps);
    }
    rows
}

/// Returns a web app as the table has it.
pub(super) fn app_row(app: &Value) -> PluginRow {
    let text = |name: &str| app.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_off = text("state") == "disabled";
    let reason = if is_off { "web app; asks for webapp, which nobody has granted" } else { "web app" };
    PluginRow {
        id: text("id"),
        package: text("name"),
        version: text("version"),
        state: text("state"),
        reason: reason.into(),
        unusable: false,
        is_app: true,
    }
}

impl AdminTarget {
    /// Has a web app served from now on, or no longer.
    pub(super) fn change_app(&mut self, name: &str, id: &str, change: &Change) -> Result<(), Failure> {
        let Change::Enabled(enabled, grant) = change else {
            return Err(Failure::new(exit::VERDICT, format_args!("{name} is a web app: it keeps its settings itself")));
        };
        match self {
            Self::Gateway(client) => {
                let body = skiff_runtime::json::object(|body| _ = body.boolean("enabled", *enabled));
                let address = format!("/skiff/v1/webapps/{id}{}", query(*grant));
                ask(client, Method::POST, &address, Some(Body::Json(body)))?;
            }
            Self::Folder(folder) => {
                let _lock = begin_change(folder)?;
                let has_it = apps::missing(folder, name).is_empty();
                if *enabled && !has_it && grant.within(Asks::WEB_APP).is_empty() {
                    let clause = format_args!("{name} asks for webapp: skiff plugin enable {name} --grant webapp");
                    return Err(Failure::new(exit::VERDICT, clause));
                }
                let changed = apps::grant(folder, name, *enabled);
                changed.map_err(|error| {
                    Failure::new(exit::INPUT_CORRUPT, format_args!("{}/{error}", folder.root().display()))
                })?;
            }
        }
        log::info!("{name}: {}", change.done());
        Ok(())
    }
}
