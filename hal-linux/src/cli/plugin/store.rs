//! `skiff plugin install NAME`, `update`, `search`: what needs a registry.

use std::collections::BTreeMap;

use semver::Version;
use serde_json::{Value, json};
use skiff_runtime::package::Asks;

use super::super::admin::{AdminTarget, TargetArgs};
use super::super::exit::{self, Failure};
use super::super::talk::{aligned, print, sanitised};
use super::show;
use super::source::{Source, load, refused, registry};
use super::table::PluginRow;
use crate::appstore::{KEYWORDS, Offer, RegistryError, Wanted, pinned};
use crate::hal::Folder;

/// Characters of a description in the table.
const DESCRIPTION_CHARACTERS: usize = 60;

/// Returns the folder that remembers what came from a registry; a gateway elsewhere has its own.
fn pins(arguments: &TargetArgs) -> Result<Option<Folder>, Failure> {
    if arguments.url.is_some() { Ok(None) } else { Ok(Some(Folder::new(arguments.folder()?))) }
}

/// Installs what the user names.
pub(super) fn install(
    target: &mut AdminTarget,
    arguments: &TargetArgs,
    package: &str,
    grant: Asks,
) -> Result<(), Failure> {
    let mut pins = pins(arguments)?;
    let bytes = Source::of(package).load(target.limits()?.package_bytes_max, pins.as_mut())?;
    target.install(package, bytes, grant)
}

/// Installs newer releases.
pub(super) fn update(
    target: &mut AdminTarget,
    arguments: &TargetArgs,
    name: Option<&str>,
    grant: Asks,
) -> Result<(), Failure> {
    let (_, table) = target.rows()?;
    let mut pins = pins(arguments)?;
    let wanted: Vec<&PluginRow> = match name {
        Some(name) => {
            let found =
                table.iter().find(|row| row.package == name).or_else(|| table.iter().find(|row| row.id == name));
            vec![found.ok_or_else(|| Failure::new(exit::INPUT_MISSING, format_args!("nothing is named {name}")))?]
        }
        None if pins.is_none() => {
            return Err(Failure::new(exit::USAGE, "with --url say what to update: skiff plugin update NAME"));
        }
        None => table.iter().filter(|row| came_from_registry(row, pins.as_mut())).collect(),
    };
    if wanted.is_empty() {
        log::info!("no package came from the registry; `skiff plugin update NAME` looks for one all the same");
        return Ok(());
    }
    let registry = registry()?;
    // One that fails keeps no other from its update.
    let mut failure = None;
    for row in wanted {
        let updated = registry
            .find(&Wanted { name: row.package.clone(), version: None })
            .map_err(|error| refused(&error))
            .and_then(|release| {
                if !is_newer(&release.version, &row.version) {
                    log::info!("{} {} is the newest", row.package, row.version);
                    return Ok(());
                }
                let bytes = load(&registry, &release, pins.as_mut())?;
                target.install(&row.package, bytes, grant)
            });
        if let Err(error) = updated {
            if name.is_none() {
                log::error!("{error}");
            }
            failure.get_or_insert(error);
        }
    }
    failure.map_or(Ok(()), Err)
}

/// Tells whether a package was loaded from a registry: of another the registry may have one of the same name by somebody
/// else.
fn came_from_registry(row: &PluginRow, pins: Option<&mut Folder>) -> bool {
    pins.is_some_and(|pins| pinned(pins, &row.package, &row.version).is_some())
}

fn is_newer(version: &Version, than: &str) -> bool {
    Version::parse(than).map_or(true, |than| *version > than)
}

/// Returns the newest release of each package that came from the registry.
pub(super) fn newest(table: &[PluginRow], arguments: &TargetArgs) -> Result<BTreeMap<String, String>, Failure> {
    let Some(mut pins) = pins(arguments)? else {
        return Err(Failure::new(
            exit::USAGE,
            "--outdated looks into the configuration folder; it does not go with --url",
        ));
    };
    let registry = registry()?;
    let mut newest = BTreeMap::new();
    for row in table.iter().filter(|row| pinned(&mut pins, &row.package, &row.version).is_some()) {
        match registry.find(&Wanted { name: row.package.clone(), version: None }) {
            Ok(release) => _ = newest.insert(row.package.clone(), release.version.to_string()),
            Err(RegistryError::NotFound(_)) => log::warn!("{}: the registry has it no more", row.package),
            Err(error) => return Err(refused(&error)),
        }
    }
    Ok(newest)
}

/// Adds the newest releases to the rows of a listing.
pub(super) fn tell_newest(rows: &mut Value, newest: &BTreeMap<String, String>) {
    for row in rows.as_array_mut().into_iter().flatten() {
        let name = row.get("packageName").and_then(Value::as_str);
        let version = name.and_then(|name| newest.get(name)).cloned();
        if let Some(row) = row.as_object_mut() {
            row.insert("newest".into(), json!(version));
        }
    }
}

/// Prints what a registry has for Skiff.
pub(super) fn search(words: &str, json: bool) -> Result<(), Failure> {
    let found = registry()?.offers(words).map_err(|error| refused(&error))?;
    if json {
        let row = |offer: &Offer| {
            json!({ "name": offer.name, "version": offer.version, "kind": kind(offer), "description": offer.description,
                "author": offer.author(), "date": offer.date })
        };
        return show(&Value::Array(found.values().map(row).collect()));
    }
    if found.is_empty() {
        log::info!("nothing was found");
        return Ok(());
    }
    let mut rows = vec![["PACKAGE", "VERSION", "KIND", "DESCRIPTION"].map(str::to_owned).to_vec()];
    rows.extend(found.values().map(|offer| {
        let short: String = offer.description.chars().take(DESCRIPTION_CHARACTERS).collect();
        [&offer.name, &offer.version, kind(offer), &short].map(sanitised).to_vec()
    }));
    print(aligned(&rows))
}

fn kind(offer: &Offer) -> &'static str {
    if KEYWORDS.first().is_some_and(|plugin| offer.has(plugin)) { "plugin" } else { "web app" }
}
