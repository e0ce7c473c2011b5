//! The files that a start of the gateway reads, read the way it does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use skiff_runtime::config::{
    ConfigError, FILE_BYTES_MAX, Identity, N2K_FILE, N2kConfig, OPERATOR_FILE, Settings, read_object,
};
use skiff_runtime::hal::sim::{SimRng, SimStorage};
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::model::Priorities;
use skiff_runtime::package::asks::GRANTS_FILE;
use skiff_runtime::server::Access;
use skiff_runtime::server::providers::Defaults;

use super::Finding;
use crate::connections::{self, Direction};
use crate::hal::Folder;
use crate::home::TOKEN_FILE;

/// Permission bits of group and others.
const OTHERS: u32 = 0o077;

pub(super) fn examine(config: &Path) -> Vec<Finding> {
    let folder = &mut Folder::new(config);
    let mut findings = Vec::new();
    match Settings::load(folder) {
        Ok(settings) => {
            let name = settings.vessel.name.as_deref().unwrap_or("without a name");
            let plugins = if settings.wasm { "" } else { ", plugins are switched off (interfaces.wasm)" };
            findings.push(Finding::good("settings", format!("vessel {name}{plugins}")));
            findings.extend(priorities(config, &settings));
            findings.extend(made_at_first(config, &settings));
        }
        Err(error) => findings.push(damaged("settings", config, &error)),
    }
    findings.extend(of_settings(config));
    findings.extend(bus(config));
    findings.extend(lesser(config));
    findings.extend(token(config));
    findings
}

fn priorities(config: &Path, settings: &Settings) -> Option<Finding> {
    let text = settings.source_priorities.as_deref()?;
    Some(match Priorities::parse(text) {
        Ok(_) => Finding::good("priorities", "sourcePriorities of settings.json"),
        Err(error) => {
            let fix = format!("`skiff run` does not start; correct it: {}", config.join("settings.json").display());
            Finding::bad("priorities", format!("settings.json: {error}"), fix)
        }
    })
}

/// Looks at the inputs and outputs of the settings; nothing is connected to.
fn of_settings(config: &Path) -> Vec<Finding> {
    let connections = match connections::load(config) {
        Ok(connections) => connections,
        Err(clause) => {
            let fix = format!("`skiff run` does not start; correct it: {}", config.join("settings.json").display());
            return vec![Finding::bad("inputs", clause, fix)];
        }
    };
    let not_taken = connections::not_taken(&connections)
        .into_iter()
        .map(|line| Finding::warning("inputs", line, "name one that Skiff has in skiff.inputs; the manual lists them"));
    let mut findings: Vec<Finding> = not_taken.collect();
    let count = |direction: Direction| {
        let wanted = connections.iter().filter(|one| one.direction == direction && one.is_enabled && !one.is_hidden);
        wanted.filter(|one| one.way.is_ok()).count()
    };
    let (inputs, outputs) = (count(Direction::Input), count(Direction::Output));
    if inputs + outputs > 0 {
        findings.push(Finding::good("inputs", format!("{inputs} inputs and {outputs} outputs in the settings")));
    }
    findings
}

fn bus(config: &Path) -> Option<Finding> {
    match N2kConfig::load(&mut Folder::new(config), false) {
        Ok(_) if !config.join(N2K_FILE).exists() => None,
        Ok(n2k) => {
            let part = if n2k.node.is_some() { "takes part in the bus" } else { "only listens to the bus" };
            Some(Finding::good("bus", format!("{N2K_FILE}: {part}, sends {} kinds of paths", n2k.send.len())))
        }
        Err(error) => Some(damaged("bus", config, &error)),
    }
}

/// Looks at the files without which the gateway starts all the same.
fn lesser(config: &Path) -> Vec<Finding> {
    let folder = &mut Folder::new(config);
    let lesser = [
        ("grants", read_object(folder, GRANTS_FILE, FILE_BYTES_MAX).map(drop), "nothing is granted"),
        ("operator", read_object(folder, OPERATOR_FILE, FILE_BYTES_MAX).map(drop), "no plugin gets what it opens"),
        ("providers", Defaults::load(folder).map(drop), "the first provider of each kind answers"),
    ];
    let broken = lesser.into_iter().filter_map(|(what, read, then)| Some((what, read.err()?, then)));
    broken.map(|(what, error, then)| Finding::warning(what, format!("{error}; {then}"), cure(config, &error))).collect()
}

/// Looks at the files that the first start makes; what it would make is made in memory.
fn made_at_first(config: &Path, settings: &Settings) -> Vec<Finding> {
    let mut memory = SimStorage::new();
    let mut copied = Vec::new();
    for file in ["skiff/identity.json", "skiff/auth.json"] {
        let Ok(key) = Key::parse(file) else { continue };
        if let Ok(data) = fs::read(config.join(file))
            && memory.replace(&key, &data).is_ok()
        {
            copied.push(file);
        }
    }
    let mut rng = SimRng::new(1);
    let mut findings = Vec::new();
    if let Err(error) = Identity::open_or_create(&mut memory, &mut rng, settings.vessel.uuid.as_deref()) {
        findings.push(damaged("identity", config, &error));
    }
    match Access::open_or_create(&mut memory, &mut rng) {
        Ok(_) if copied.contains(&"skiff/auth.json") => {}
        Ok(_) => findings.push(Finding::good("token", "none yet; the first start makes one and shows it")),
        Err(error) => findings.push(damaged("token", config, &error)),
    }
    findings
}

fn cure(config: &Path, error: &ConfigError) -> String {
    format!("correct it, or move it away: mv {0} {0}.bad", config.join(&*error.file).display())
}

/// A file without which the gateway does not start.
fn damaged(what: &str, config: &Path, error: &ConfigError) -> Finding {
    Finding::bad(what, format!("{error}; `skiff run` does not start"), cure(config, error))
}

fn token(config: &Path) -> Option<Finding> {
    let path = config.join(TOKEN_FILE);
    let mode = fs::metadata(&path).ok()?.permissions().mode();
    // The folder of a service is closed to others, and its unit lets its group read the token.
    let for_group = fs::metadata(config).is_ok_and(|folder| folder.permissions().mode() & 0o007 == 0);
    Some(if mode & OTHERS == 0 {
        Finding::good("token", "kept for this user only")
    } else if for_group && mode & 0o037 == 0 {
        Finding::good("token", "kept for this user and the group of the folder")
    } else {
        let fix = format!("chmod 600 {}", path.display());
        Finding::bad("token", format!("{} can be read by others (mode {:o})", path.display(), mode & 0o777), fix)
    })
}
