//! `skiff plugin install`: brings an archive into a running gateway or a folder, and asks for consent.

use std::path::Path;

use axum::http::Method;
use serde_json::Value;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::package::apps::IncomingApp;
use skiff_runtime::package::{Asks, Incoming, IncomingError, PackageError};

use super::super::admin::{AdminTarget, ask, begin_change, parse};
use super::super::client::Body;
use super::super::exit::{self, Failure};
use super::super::talk::{self, sanitised};
use super::Change;
use super::target::{not_changed, query};
use crate::carrier::ADMIN_UI;
use crate::limits;
use crate::packages::apps::{self, KeepError};
use crate::packages::folder::{self, Installed};
use crate::packages::{self};

/// How a version is there that asks for more than it has.
const DISABLED: &str = "disabled";
const WAITS: &str = "waits, the version before runs on";

/// A package that is there, and what it still asks for.
struct Arrived {
    name: String,
    version: String,
    asks: String,
    state: &'static str,
}

impl AdminTarget {
    /// Returns the limits of whoever takes the package; a running gateway may have others.
    pub(super) fn limits(&self) -> Result<Limits, Failure> {
        match self {
            Self::Folder(folder) => {
                limits::of(Board::Linux, folder.root()).map_err(|error| Failure::new(exit::INPUT_CORRUPT, error))
            }
            Self::Gateway(_) => Ok(Limits::of(Board::Linux)),
        }
    }

    /// Installs an archive that the user has called `what`.
    pub(super) fn install(&mut self, what: &str, bytes: Vec<u8>, grant: Asks) -> Result<(), Failure> {
        let limits = self.limits()?;
        let is_app = is_web_app(what, &bytes, &limits)?;
        let arrived = match self {
            Self::Gateway(client) => {
                let address = format!("/skiff/v1/plugins{}", query(grant));
                let answer: Value = parse(&ask(client, Method::POST, &address, Some(Body::Package(bytes)))?)?;
                told(&answer)
            }
            Self::Folder(folder) => {
                let _lock = begin_change(folder)?;
                if is_app { keep_app(folder, what, &bytes, grant)? } else { put(folder, what, &bytes, &limits, grant)? }
            }
        };
        let Some(Arrived { name, version, asks, state }) = arrived else { return Ok(()) };
        if says_yes(&name, &version, &asks) {
            return self.change(&name, &Change::Enabled(true, Asks::ALL));
        }
        let clause = format_args!("{name} {version} is installed and {state}; it asks for {asks}");
        Err(Failure::new(exit::VERDICT, format_args!("{clause}: skiff plugin enable {name} --grant {asks}")))
    }
}

/// Tells whether an archive is a web app without a plugin; what is neither is refused before anybody is asked.
fn is_web_app(what: &str, bytes: &[u8], limits: &Limits) -> Result<bool, Failure> {
    let corrupt = |error: &dyn std::fmt::Display| Failure::new(exit::INPUT_CORRUPT, format_args!("{what}: {error}"));
    match Incoming::read(bytes, limits) {
        Ok(incoming) => {
            let (package, facts) = (incoming.manifest().package(), incoming.facts());
            packages::hints(package, facts).iter().for_each(|hint| log::warn!("{}: {hint}", package.name));
            Ok(false)
        }
        Err(IncomingError::Refused(_)) => Ok(false),
        Err(error) if may_be_app(&error) => match IncomingApp::read(bytes) {
            Ok(incoming) => {
                if incoming.has_node_plugin {
                    let name = &incoming.app.name;
                    log::warn!("{name}: its pages are installed; its plugin is JavaScript, which Skiff does not run");
                }
                Ok(true)
            }
            Err(error) => Err(corrupt(&error)),
        },
        Err(error) => Err(corrupt(&error)),
    }
}

/// Tells whether what is no plugin could be a web app, which may be larger.
pub(crate) fn may_be_app(error: &IncomingError) -> bool {
    matches!(
        error,
        IncomingError::TooLong { .. }
            | IncomingError::Package(PackageError::NotAPlugin | PackageError::TooLarge { .. })
    )
}

/// Reads the answer of a gateway; `None` when nothing is left to ask.
fn told(answer: &Value) -> Option<Arrived> {
    let text = |name: &str| sanitised(answer.get(name).and_then(Value::as_str).unwrap_or_default());
    let names = answer.get("asks").and_then(Value::as_array).into_iter().flatten();
    let asks = names.filter_map(Value::as_str).collect::<Vec<_>>().join(",");
    if asks.is_empty() {
        let reason = if text("reason").is_empty() { String::new() } else { format!(": {}", text("reason")) };
        log::info!("{} {} is {}{reason}", text("name"), text("version"), text("state"));
        return None;
    }
    let state = if text("state") == "waiting" { WAITS } else { DISABLED };
    Some(Arrived { name: text("name"), version: text("version"), asks: sanitised(&asks), state })
}

/// Installs a plugin in a folder.
fn put(
    folder: &mut crate::hal::Folder,
    what: &str,
    bytes: &[u8],
    limits: &Limits,
    grant: Asks,
) -> Result<Option<Arrived>, Failure> {
    let installed = folder::install(folder, bytes, limits, grant);
    let Installed { name, version, missing, waits, enabled } =
        installed.map_err(|error| not_changed(folder, Path::new(what), &error))?;
    if missing.is_empty() {
        let then = if enabled { "it starts with the gateway" } else { "it stays disabled" };
        log::info!("{name} {version} is installed; {then}");
        return Ok(None);
    }
    Ok(Some(Arrived { name, version, asks: missing.to_string(), state: if waits { WAITS } else { DISABLED } }))
}

/// Installs a web app in a folder.
fn keep_app(
    folder: &mut crate::hal::Folder,
    what: &str,
    bytes: &[u8],
    grant: Asks,
) -> Result<Option<Arrived>, Failure> {
    let kept = apps::keep(folder, bytes).map_err(|error| match error {
        KeepError::App(_) => Failure::new(exit::VERDICT, format_args!("{what}: {error}")),
        KeepError::Disk(_) => Failure::new(exit::VERDICT, format_args!("{}: {error}", folder.root().display())),
    })?;
    let (name, version) = (kept.app.name, kept.app.version);
    if !kept.asks.within(grant).is_empty() {
        apps::grant(folder, &name, true).map_err(|error| Failure::new(exit::INPUT_CORRUPT, error))?;
    } else if !kept.asks.is_empty() {
        return Ok(Some(Arrived { name, version, asks: kept.asks.to_string(), state: DISABLED }));
    }
    let place = if name == ADMIN_UI { "/admin/ of the admin's port".to_owned() } else { format!("/{name}/") };
    log::info!("{name} {version} is installed; it is served at {place}");
    Ok(None)
}

/// Asks whoever sits at the terminal; nobody there is no yes.
fn says_yes(name: &str, version: &str, asks: &str) -> bool {
    use std::io::IsTerminal;
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    talk::say(&format!("{name} {version} asks for {asks}. Grant that and start it? [y/N]"));
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}
