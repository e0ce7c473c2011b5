//! Plugins of a running gateway, or of the configuration folder when none runs.

use std::path::Path;

use axum::http::Method;
use serde_json::{Value, json};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::{PluginConfig, misfit};
use skiff_runtime::host::ModuleFacts;
use skiff_runtime::package::asks::{self, GRANTS_FILE};
use skiff_runtime::package::{Asks, IncomingError, Package, plugin_id};

use super::super::admin::{AdminTarget, ask, begin_change, parse};
use super::super::client::{Body, GatewayClient};
use super::super::exit::{self, Failure};
use super::super::talk::sanitised;
use super::Change;
use super::apps::{app_row, offline_apps, web_apps, with};
use super::table::PluginRow;
use crate::hal::Folder;
use crate::limits;
use crate::packages::folder::{self, FolderError};
use crate::packages::{self, apps};

impl AdminTarget {
    /// Returns the rows as JSON and as a table has them.
    pub fn rows(&mut self) -> Result<(Value, Vec<PluginRow>), Failure> {
        match self {
            Self::Gateway(client) => {
                let rows: Value = parse(&ask(client, Method::GET, "/skServer/plugins", None)?)?;
                let table = rows.as_array().into_iter().flatten().map(|row| {
                    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
                    let reason =
                        row.get("skiff").and_then(|skiff| skiff.get("reason")).filter(|reason| reason.is_string());
                    PluginRow {
                        id: text(row.get("id")),
                        package: text(row.get("packageName")),
                        version: text(row.get("version")),
                        state: text(row.get("state")),
                        reason: text(reason.or_else(|| row.get("statusMessage"))),
                        unusable: row.pointer("/skiff/unusable").and_then(Value::as_bool).unwrap_or(false),
                        is_app: false,
                    }
                });
                let mut table: Vec<PluginRow> = table.collect();
                let apps = web_apps(client)?;
                table.extend(apps.iter().map(app_row));
                Ok((with(rows, apps), table))
            }
            Self::Folder(folder) => {
                let (rows, mut table) = offline_rows(folder)?;
                let apps = offline_apps(folder);
                table.extend(apps.iter().map(app_row));
                Ok((with(rows, apps), table))
            }
        }
    }

    /// Returns the id of a plugin by its package name or id.
    pub fn id(&mut self, name: &str) -> Result<String, Failure> {
        self.plugin(name).map(|row| row.id)
    }

    /// Finds a plugin as [`row`](Self::row) does; a web app has no code of its own here.
    fn plugin(&mut self, name: &str) -> Result<PluginRow, Failure> {
        let row = self.usable(name)?;
        if row.is_app {
            let clause = format_args!("{name} is a web app: it has no plugin that this could be done with");
            return Err(Failure::new(exit::VERDICT, clause));
        }
        Ok(row)
    }

    /// Returns everything that is known of a package.
    pub fn inspect(&mut self, name: &str) -> Result<Value, Failure> {
        let id = self.row(name)?.id;
        let (mut rows, _) = self.rows()?;
        let rows = rows.as_array_mut().map(std::mem::take).unwrap_or_default();
        Ok(rows.into_iter().find(|row| row.get("id").and_then(Value::as_str) == Some(&*id)).unwrap_or(Value::Null))
    }

    /// Finds a plugin as [`row`](Self::row) does; a package that cannot be used is none.
    fn usable(&mut self, name: &str) -> Result<PluginRow, Failure> {
        let row = self.row(name)?;
        if row.unusable {
            return Err(Failure::new(exit::VERDICT, format_args!("{name} cannot be used: {}", row.reason)));
        }
        Ok(row)
    }

    /// Finds a plugin by its package name, else by its id.
    fn row(&mut self, name: &str) -> Result<PluginRow, Failure> {
        let (_, mut rows) = self.rows()?;
        let found = rows.iter().position(|row| row.package == name);
        if let Some(index) = found.or_else(|| rows.iter().position(|row| row.id == name)) {
            return Ok(rows.swap_remove(index));
        }
        let known = rows.iter().map(|row| &*row.package).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "there is none".to_owned() } else { format!("there are {known}") };
        Err(Failure::new(exit::INPUT_MISSING, format_args!("no plugin is named {name}; {known}")))
    }

    pub fn configuration(&mut self, name: &str) -> Result<Value, Failure> {
        let id = self.id(name)?;
        let text = match self {
            Self::Gateway(client) => {
                let mut stored: Value =
                    parse(&ask(client, Method::GET, &format!("/skServer/plugins/{id}/config"), None)?)?;
                return Ok(stored.get_mut("configuration").map_or_else(|| json!({}), Value::take));
            }
            Self::Folder(folder) => load(folder, &id)?.configuration.unwrap_or_else(|| "{}".into()),
        };
        parse(text.as_bytes())
    }

    pub fn change(&mut self, name: &str, change: &Change) -> Result<(), Failure> {
        let PluginRow { id, package, is_app, .. } = self.usable(name)?;
        if is_app {
            return self.change_app(&package, &id, change);
        }
        match self {
            Self::Gateway(client) => {
                let mut address = format!("/skServer/plugins/{id}/config");
                let body = skiff_runtime::json::object(|body| {
                    match change {
                        Change::Enabled(enabled, grant) => {
                            address.push_str(&query(*grant));
                            body.boolean("enabled", *enabled)
                        }
                        Change::Configuration(configuration) => body.json("configuration", configuration),
                        Change::OwnSection(section) => body.json("skiff", section),
                    };
                });
                ask(client, Method::POST, &address, Some(Body::Json(body)))?;
                log::info!("{name}: {}", change.done());
            }
            Self::Folder(folder) => {
                let _lock = begin_change(folder)?;
                let mut config = load(folder, &id)?;
                match change {
                    Change::Enabled(enabled, grant) => {
                        if *enabled {
                            grant_in_folder(folder, &package, *grant)?;
                        }
                        config.enabled = Some(*enabled);
                    }
                    Change::Configuration(configuration) => {
                        if let Some(clause) = misfit_in_folder(folder, &package, configuration) {
                            let clause = format_args!("not saved, it does not fit the plugin's schema: {clause}");
                            return Err(Failure::new(exit::VERDICT, clause));
                        }
                        config.configuration = Some(configuration.clone());
                    }
                    Change::OwnSection(section) => config.set_own_section(section.clone()),
                }
                config.save(folder, &id).map_err(|error| {
                    Failure::new(exit::VERDICT, format_args!("{}/{error}", folder.root().display()))
                })?;
                log::info!("{name}: {}; takes effect at the next start of the gateway", change.done());
            }
        }
        Ok(())
    }
}

/// What only a running gateway does.
pub(in crate::cli) struct Running<'t>(&'t GatewayClient);

impl Running<'_> {
    pub fn get(&self, path: &str) -> Result<Vec<u8>, Failure> {
        ask(self.0, Method::GET, path, None)
    }

    pub fn post(&self, path: &str, body: Option<Body>) -> Result<Vec<u8>, Failure> {
        ask(self.0, Method::POST, path, body)
    }
}

impl AdminTarget {
    pub fn running(&self, verb: &str) -> Result<Running<'_>, Failure> {
        match self {
            Self::Gateway(client) => Ok(Running(client)),
            Self::Folder(folder) => Err(Failure::new(
                exit::UNAVAILABLE,
                format_args!("`{verb}` needs a running gateway, and none runs on {}", folder.root().display()),
            )),
        }
    }

    pub fn roll_back(&mut self, name: &str) -> Result<(), Failure> {
        let PluginRow { id, package, .. } = self.plugin(name)?;
        match self {
            Self::Gateway(client) => {
                let answer: Value =
                    parse(&ask(client, Method::POST, &format!("/skiff/v1/plugins/{id}/rollback"), None)?)?;
                let text = |name: &str| sanitised(answer.get(name).and_then(Value::as_str).unwrap_or_default());
                log::info!("{} {} is {}", text("name"), text("version"), text("state"));
            }
            Self::Folder(folder) => {
                let _lock = begin_change(folder)?;
                let version = folder::roll_back(folder, &package);
                let version = version.map_err(|error| not_changed(folder, Path::new(name), &error))?;
                log::info!("{package} {version} is in place; it starts with the gateway");
            }
        }
        Ok(())
    }

    pub fn remove(&mut self, name: &str) -> Result<(), Failure> {
        let PluginRow { id, package, is_app, .. } = self.row(name)?;
        match self {
            Self::Gateway(client) => {
                ask(client, Method::DELETE, &format!("/skiff/v1/plugins/{id}"), None)?;
            }
            Self::Folder(folder) => {
                let _lock = begin_change(folder)?;
                if let Some(app) = apps::named(folder, &package).filter(|_| is_app) {
                    apps::remove(folder, &app).map_err(|error| Failure::new(exit::VERDICT, error))?;
                    log::info!("{name}: removed");
                    return Ok(());
                }
                folder::remove(folder, &package).map_err(|error| not_changed(folder, Path::new(name), &error))?;
            }
        }
        log::info!("{name}: removed; its configuration is kept");
        Ok(())
    }
}

/// Returns what is granted as the query of an address.
pub(super) fn query(grant: Asks) -> String {
    if grant == Asks::ALL {
        return "?grant=all".into();
    }
    if grant.is_empty() { String::new() } else { format!("?grant={grant}") }
}

/// Grants in the folder; a failure names what is still missing.
fn grant_in_folder(folder: &mut Folder, package: &str, grant: Asks) -> Result<(), Failure> {
    let found = folder::installed(folder.root(), packages::module_bytes_max());
    let Some(found) = found.packages.iter().find(|found| found.name == package) else { return Ok(()) };
    let missing = folder::grant(folder, found, grant);
    let missing = missing.map_err(|error| not_changed(folder, Path::new(package), &error))?;
    if missing.is_empty() {
        return Ok(());
    }
    let clause = format_args!("{package} asks for {missing}: skiff plugin enable {package} --grant {missing}");
    Err(Failure::new(exit::VERDICT, clause))
}

/// Holds a configuration against the schema that a plugin in the folder tells; one that lacks a grant is not asked, since
/// none of its code runs before.
fn misfit_in_folder(folder: &mut Folder, package: &str, configuration: &str) -> Option<String> {
    let found = folder::installed(folder.root(), packages::module_bytes_max());
    let found = found.packages.into_iter().find(|found| found.name == package)?;
    let granted = asks::granted(folder, package).unwrap_or_default();
    if !found.asks().without(granted).is_empty() {
        return None;
    }
    let limits = limits::of(Board::Linux, folder.root()).ok()?;
    misfit(&packages::schema(found, limits)?, configuration)
}

/// Tells why the folder is as it was; `what` is the archive or the plugin that was named.
pub(super) fn not_changed(folder: &Folder, what: &Path, error: &FolderError) -> Failure {
    let (what, root) = (what.display(), folder.root().display());
    match error {
        FolderError::Incoming(IncomingError::Refused(_)) | FolderError::Clash(_) => {
            Failure::new(exit::VERDICT, format_args!("{what}: {error}"))
        }
        FolderError::Incoming(_) => Failure::new(exit::INPUT_CORRUPT, format_args!("{what}: {error}")),
        FolderError::Foreign | FolderError::NoneBefore => Failure::new(exit::VERDICT, format_args!("{what} {error}")),
        FolderError::Config(_) => Failure::new(exit::INPUT_CORRUPT, format_args!("{root}/{error}")),
        FolderError::Disk(_) => Failure::new(exit::VERDICT, format_args!("{root}: {error}")),
    }
}

/// Reads the configuration file of a plugin; where there is none it is empty.
pub(super) fn load(folder: &mut Folder, id: &str) -> Result<PluginConfig, Failure> {
    let limit = Limits::of(Board::Linux).plugin.config_bytes_max;
    let loaded = PluginConfig::load(folder, id, limit);
    let loaded =
        loaded.map_err(|error| Failure::new(exit::INPUT_CORRUPT, format_args!("{}/{error}", folder.root().display())));
    Ok(loaded?.unwrap_or_default())
}

fn offline_rows(folder: &mut Folder) -> Result<(Value, Vec<PluginRow>), Failure> {
    let discovery = folder::installed(folder.root(), packages::module_bytes_max());
    for warning in &discovery.warnings {
        log::warn!("{warning}");
    }
    // Without the file what is enabled counts as granted at the next start.
    let asks_consent = folder.root().join(GRANTS_FILE).exists();
    let limits = limits::of(Board::Linux, folder.root()).unwrap_or_else(|_| Limits::of(Board::Linux));
    let mut table: Vec<PluginRow> =
        discovery.packages.iter().map(|package| offline_row(folder, package, &limits, asks_consent)).collect();
    table.sort_by(|one, other| one.package.cmp(&other.package));
    table.extend(discovery.unusable.into_iter().map(|row| PluginRow {
        id: row.id,
        package: row.package,
        version: row.version,
        state: "error".into(),
        reason: row.reason,
        unusable: true,
        is_app: false,
    }));
    Ok((Value::Array(table.iter().map(offline_json).collect()), table))
}

fn offline_row(folder: &mut Folder, package: &Package, limits: &Limits, asks_consent: bool) -> PluginRow {
    let id = plugin_id(&package.name);
    let granted = asks::granted(folder, &package.name).unwrap_or_default();
    let missing = if asks_consent { package.asks().without(granted) } else { Asks::NONE };
    // One damaged file hides no other plugin.
    let admitted = ModuleFacts::admit(&package.wasm, &limits.plugin, &package.capabilities);
    let (state, reason) = match load(folder, &id) {
        _ if admitted.is_err() => ("error", admitted.err().map_or_else(String::new, |refusal| refusal.to_string())),
        Err(damaged) => ("error", damaged.to_string()),
        Ok(_) if !missing.is_empty() => ("disabled", format!("asks for {missing}, which nobody has granted")),
        Ok(config) if config.enabled == Some(true) => ("enabled", "gateway not running".into()),
        Ok(_) => ("disabled", "gateway not running".into()),
    };
    PluginRow {
        id,
        package: package.name.clone(),
        version: package.version.clone(),
        state: state.into(),
        reason,
        unusable: false,
        is_app: false,
    }
}

/// Returns a row with those members of a gateway's that can be told without one.
fn offline_json(row: &PluginRow) -> Value {
    json!({
        "id": row.id,
        "name": row.package,
        "packageName": row.package,
        "version": row.version,
        "enabled": row.state == "enabled",
        "state": row.state,
        "statusMessage": row.reason,
        "skiff": { "reason": row.reason, "unusable": row.unusable },
    })
}
