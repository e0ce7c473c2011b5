//! Where plugins are administered: a running gateway, or the configuration folder when none runs.

use std::path::{Path, PathBuf};

use axum::http::Method;
use serde_json::{Map, Value, json};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::PluginConfig;
use skiff_runtime::hal::{Key, Storage, StorageError};
use skiff_runtime::package::{IncomingError, plugin_id};

use super::super::client::{Body, ClientError, GatewayClient, GatewayResponse};
use super::super::exit::{self, Failure};
use super::super::talk::sanitised;
use super::Change;
use super::table::PluginRow;
use crate::hal::Folder;
use crate::home::{self, TOKEN_FILE};
use crate::packages;
use crate::packages::folder::{self, FolderError};

/// Where plugins are administered.
pub(super) enum AdminTarget {
    Gateway(GatewayClient),
    Folder(Folder),
}

impl AdminTarget {
    /// Finds the gateway that is meant, or takes the folder when none runs.
    pub fn find(folder: PathBuf, url: Option<&str>) -> Result<Self, Failure> {
        let kept = home::address(&folder);
        let mut storage = Folder::new(folder);
        let token = std::env::var("SKIFF_TOKEN").ok().filter(|token| !token.is_empty());
        let token = token.or_else(|| read_text(&mut storage, TOKEN_FILE).map(|token| token.trim().to_owned()));
        if let Some(url) = url {
            let client = GatewayClient::new(url, token)
                .map_err(|error| Failure::new(exit::USAGE, format_args!("{url}: {error}")))?;
            return Ok(Self::Gateway(client));
        }
        let Some(client) = kept.and_then(|url| GatewayClient::new(&url, token).ok()) else {
            return Ok(Self::Folder(storage));
        };
        match client.send(Method::GET, "/signalk", None) {
            Ok(_) => Ok(Self::Gateway(client)),
            Err(error) => {
                log::debug!("{error}; the configuration folder is used");
                Ok(Self::Folder(storage))
            }
        }
    }

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
                    }
                });
                let table = table.collect();
                Ok((rows, table))
            }
            Self::Folder(folder) => offline_rows(folder),
        }
    }

    /// Returns the id of a plugin by its package name or id.
    pub fn id(&mut self, name: &str) -> Result<String, Failure> {
        self.row(name).map(|row| row.id)
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
        let id = self.id(name)?;
        match self {
            Self::Gateway(client) => {
                let body = skiff_runtime::json::object(|body| {
                    match change {
                        Change::Enabled(enabled) => body.boolean("enabled", *enabled),
                        Change::Configuration(configuration) => body.json("configuration", configuration),
                    };
                });
                ask(client, Method::POST, &format!("/skServer/plugins/{id}/config"), Some(Body::Json(body)))?;
                log::info!("{name}: {}", change.done());
            }
            Self::Folder(folder) => {
                let mut config = load(folder, &id)?;
                match change {
                    Change::Enabled(enabled) => config.enabled = Some(*enabled),
                    Change::Configuration(configuration) => config.configuration = Some(configuration.clone()),
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
pub(super) struct Running<'t>(&'t GatewayClient);

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

    pub fn install(&mut self, path: &Path) -> Result<(), Failure> {
        let limits = Limits::of(Board::Linux);
        let bytes = packages::read(path, limits.package_bytes_max.into()).map_err(super::super::not_loaded)?;
        match self {
            Self::Gateway(client) => {
                let answer: Value =
                    parse(&ask(client, Method::POST, "/skiff/v1/plugins", Some(Body::Package(bytes)))?)?;
                let text = |name: &str| sanitised(answer.get(name).and_then(Value::as_str).unwrap_or_default());
                let reason = if text("reason").is_empty() { String::new() } else { format!(": {}", text("reason")) };
                log::info!("{} {} is {}{reason}", text("name"), text("version"), text("state"));
            }
            Self::Folder(folder) => {
                let installed = folder::install(folder, &bytes, &limits);
                let (name, version) = installed.map_err(|error| not_changed(folder, path, &error))?;
                log::info!("{name} {version} is installed; it starts with the gateway");
            }
        }
        Ok(())
    }

    pub fn remove(&mut self, name: &str) -> Result<(), Failure> {
        let PluginRow { id, package, .. } = self.row(name)?;
        match self {
            Self::Gateway(client) => {
                ask(client, Method::DELETE, &format!("/skiff/v1/plugins/{id}"), None)?;
            }
            Self::Folder(folder) => {
                folder::remove(folder, &package).map_err(|error| not_changed(folder, Path::new(name), &error))?;
            }
        }
        log::info!("{name}: removed; its configuration is kept");
        Ok(())
    }
}

/// Tells why the folder is as it was; `what` is the archive or the plugin that was named.
fn not_changed(folder: &Folder, what: &Path, error: &FolderError) -> Failure {
    let (what, root) = (what.display(), folder.root().display());
    match error {
        FolderError::Incoming(IncomingError::Refused(_)) | FolderError::Clash(_) => {
            Failure::new(exit::VERDICT, format_args!("{what}: {error}"))
        }
        FolderError::Incoming(_) => Failure::new(exit::INPUT_CORRUPT, format_args!("{what}: {error}")),
        FolderError::Foreign => Failure::new(exit::VERDICT, format_args!("{what} {error}")),
        FolderError::Config(_) => Failure::new(exit::INPUT_CORRUPT, format_args!("{root}/{error}")),
        FolderError::Disk(_) => Failure::new(exit::VERDICT, format_args!("{root}: {error}")),
    }
}

fn read_text(storage: &mut Folder, file: &str) -> Option<String> {
    const BYTES_MAX: u32 = 4096;
    let key = Key::parse(file).ok()?;
    match storage.read_all(&key, BYTES_MAX) {
        Ok(data) => String::from_utf8(data).ok(),
        Err(StorageError::NotFound) => None,
        Err(error) => {
            log::warn!("{}: {error}", storage.root().join(file).display());
            None
        }
    }
}

fn load(folder: &mut Folder, id: &str) -> Result<PluginConfig, Failure> {
    let limit = Limits::of(Board::Linux).plugin.config_bytes_max;
    let loaded = PluginConfig::load(folder, id, limit);
    let loaded =
        loaded.map_err(|error| Failure::new(exit::INPUT_CORRUPT, format_args!("{}/{error}", folder.root().display())));
    Ok(loaded?.unwrap_or_default())
}

fn offline_rows(folder: &mut Folder) -> Result<(Value, Vec<PluginRow>), Failure> {
    let discovery = folder::installed(folder.root(), Limits::of(Board::Linux).plugin.module_bytes_max);
    for warning in &discovery.warnings {
        log::warn!("{warning}");
    }
    let (mut rows, mut table) = (Vec::new(), Vec::new());
    for package in &discovery.packages {
        let id = plugin_id(&package.name);
        let enabled = load(folder, &id)?.enabled.unwrap_or(false);
        rows.push(json!({
            "id": id,
            "name": package.name,
            "packageName": package.name,
            "version": package.version,
            "enabled": enabled,
        }));
        table.push(PluginRow {
            id,
            package: package.name.clone(),
            version: package.version.clone(),
            state: if enabled { "enabled" } else { "disabled" }.into(),
            reason: "gateway not running".into(),
        });
    }
    Ok((Value::Array(rows), table))
}

/// Sends a request and turns a refusal into a failure.
fn ask(client: &GatewayClient, method: Method, path: &str, body: Option<Body>) -> Result<Vec<u8>, Failure> {
    let GatewayResponse { status, body } = client.send(method, path, body).map_err(|error| match &error {
        ClientError::Url => Failure::new(exit::USAGE, error),
        ClientError::Unreachable(_) | ClientError::Broken(_) => Failure::new(exit::UNAVAILABLE, error),
    })?;
    if (200..300).contains(&status) {
        return Ok(body);
    }
    let reason = serde_json::from_slice::<Map<String, Value>>(&body).ok();
    let reason = reason.and_then(|object| object.get("error")?.as_str().map(str::to_owned));
    let reason = reason.unwrap_or_else(|| format!("status {status}"));
    Err(match status {
        401 | 403 => {
            let help =
                "the token is read from skiff/token in the configuration folder (--config DIR) or from SKIFF_TOKEN";
            Failure::new(exit::UNAUTHORISED, format_args!("the gateway refuses: {reason}; {help}"))
        }
        _ => Failure::new(exit::VERDICT, format_args!("the gateway refuses: {reason}")),
    })
}

fn parse(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::new(exit::VERDICT, format_args!("the gateway's answer is no JSON: {error}")))
}
