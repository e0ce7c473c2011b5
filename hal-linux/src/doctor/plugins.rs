//! The plugins and web apps of the folder: what each would do at the next start.

use std::path::Path;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::{Operator, PluginConfig};
use skiff_runtime::host::{Fit, ModuleFacts};
use skiff_runtime::package::asks::{self, GRANTS_FILE};
use skiff_runtime::package::{Asks, Package};

use super::Finding;
use crate::carrier::WebApps;
use crate::hal::Folder;
use crate::limits;
use crate::packages;

/// What says more.
const CHECK: &str = "skiff check PACKAGE says more";

pub(super) fn examine(config: &Path) -> Vec<Finding> {
    let (limits, mut findings) = match limits::of(Board::Linux, config) {
        Ok(limits) => (limits, Vec::new()),
        Err(error) => {
            let fix = format!("`skiff run` does not start; correct it: {}", config.join("settings.json").display());
            (Limits::of(Board::Linux), vec![Finding::bad("limits", error, fix)])
        }
    };
    let found = packages::folder::installed(config, packages::module_bytes_max());
    let list = "check who owns it: ls -l";
    findings.extend(found.warnings.iter().map(|warning| Finding::warning("plugins", warning.as_str(), list)));
    findings.extend(found.unusable.iter().map(|row| {
        let name = &row.package;
        let fix = format!("install it anew, or remove it: skiff plugin remove {name}, or npm uninstall {name}");
        Finding::bad("plugin", format!("{} cannot be used: {}", row.package, row.reason), fix)
    }));
    findings.extend(found.packages.iter().flat_map(|package| plugin(config, package, &limits)));
    for (name, is_served) in WebApps::new(config.to_owned(), true).apps() {
        let seen = if is_served {
            format!("{name} is served at /{name}/")
        } else {
            format!("{name} is not served: its plugin is disabled, or lacks what it asks for")
        };
        findings.push(Finding::good("web app", seen));
    }
    findings
}

/// Looks at one plugin: its module first, then its files.
fn plugin(config: &Path, package: &Package, limits: &Limits) -> Vec<Finding> {
    let title = format!("{} {}", package.name, package.version);
    let facts = match ModuleFacts::survey(&package.wasm) {
        Ok(facts) => facts,
        Err(refusal) => return vec![Finding::bad("plugin", format!("{title}: {refusal}"), CHECK)],
    };
    if let Some(refusal) = Fit::of(&facts, &package.capabilities, limits).refusals.first() {
        return vec![Finding::bad("plugin", format!("{title}: {refusal}"), CHECK)];
    }
    let mut findings = vec![at_start(config, package, limits, &title)];
    if !facts.unknown_imports.is_empty() {
        let seen = format!("{title} imports what Skiff does not have: {}", facts.unknown_imports.join(", "));
        let fix = "it runs until it calls one of them; ask its author for a newer version";
        findings.push(Finding::warning("plugin", seen, fix));
    }
    let hints = packages::hints(package, &facts);
    findings.extend(hints.iter().map(|hint| Finding::warning("plugin", format!("{title}: {hint}"), CHECK)));
    if let Err(error) = Operator::load(&mut Folder::new(config), &package.name)
        && error.reason != skiff_runtime::config::ConfigReason::Damaged
    {
        let fix = format!("correct it: {}", config.join(&*error.file).display());
        findings.push(Finding::warning("operator", format!("{title}: {error}"), fix));
    }
    findings
}

/// Says what a plugin that can run does at the next start.
fn at_start(config: &Path, package: &Package, limits: &Limits, title: &str) -> Finding {
    let folder = &mut Folder::new(config);
    let name = &package.name;
    // Without the file what is enabled counts as granted at the next start.
    let asks_consent = config.join(GRANTS_FILE).exists();
    let granted = asks::granted(folder, name).unwrap_or_default();
    let missing = if asks_consent { package.asks().without(granted) } else { Asks::NONE };
    match PluginConfig::load(folder, &package.id(), limits.plugin.config_bytes_max) {
        Err(error) => {
            let fix = format!("configure it anew: skiff plugin config {name} --set FILE; a damaged file is kept aside");
            Finding::bad("plugin", format!("{title} stays disabled: {error}"), fix)
        }
        Ok(_) if !missing.is_empty() => {
            let fix = format!("skiff plugin enable {name} --grant {missing}");
            Finding::warning("plugin", format!("{title} does not run: it asks for {missing}"), fix)
        }
        Ok(Some(stored)) if stored.enabled == Some(true) => {
            Finding::good("plugin", format!("{title} starts with the gateway"))
        }
        Ok(_) => Finding::good("plugin", format!("{title} is disabled")),
    }
}
