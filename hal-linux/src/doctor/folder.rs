//! The configuration folder: there, writable, in order, with room, and what its plugins are.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::{Identity, Settings};
use skiff_runtime::hal::Storage;
use skiff_runtime::hal::sim::{SimRng, SimStorage};
use skiff_runtime::host::{Fit, ModuleFacts};
use skiff_runtime::plugin::Unusable;
use skiff_runtime::server::Access;

use super::Finding;
use crate::hal::Folder;
use crate::home::TOKEN_FILE;
use crate::limits;
use crate::packages;

/// Free space below which a warning is due, bytes: a few plugin packages and their data.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// Permission bits of group and others.
const OTHERS: u32 = 0o077;

pub(super) fn examine(config: &Path) -> Vec<Finding> {
    let shown = config.display();
    match fs::metadata(config) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![Finding::good("folder", format!("{shown} is not there yet; `skiff run` makes it"))];
        }
        Err(error) => {
            let fix = format!("check who owns it: ls -ld {shown}");
            return vec![Finding::bad("folder", format!("{shown}: {error}"), fix)];
        }
        Ok(metadata) if !metadata.is_dir() => {
            return vec![Finding::bad("folder", format!("{shown} is no folder"), "name another one: --config DIR")];
        }
        Ok(_) => {}
    }
    let mut findings = vec![access(config), space(config)];
    findings.extend(files(config));
    findings.extend(token(config));
    findings.extend(plugins(config));
    findings
}

fn access(config: &Path) -> Finding {
    use rustix::fs::Access;
    let shown = config.display();
    match rustix::fs::access(config, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::good("folder", format!("{shown} can be read and written")),
        Err(error) => {
            let fix = format!("give it to the user that runs Skiff: sudo chown -R \"$USER\" {shown}");
            Finding::bad("folder", format!("{shown}: {error}"), fix)
        }
    }
}

fn space(config: &Path) -> Finding {
    match rustix::fs::statvfs(config) {
        Ok(system) => {
            let free = system.f_bavail.saturating_mul(system.f_frsize);
            let seen = format!("{} MiB free", free / 1024 / 1024);
            if free >= FREE_BYTES_MIN {
                return Finding::good("storage", seen);
            }
            Finding::warning("storage", seen, format!("make room: du -sh {}/*", config.display()))
        }
        Err(error) => Finding::warning("storage", error.to_string(), format!("df {}", config.display())),
    }
}

/// Reads the files that the gateway reads at its start, the way it does, into a copy that is thrown away.
fn files(config: &Path) -> Vec<Finding> {
    let mut folder = Folder::new(config);
    let mut findings = Vec::new();
    match Settings::load(&mut folder) {
        Ok(settings) => {
            let name = settings.vessel.name.as_deref().unwrap_or("without a name");
            let plugins = if settings.wasm { "" } else { ", plugins are switched off (interfaces.wasm)" };
            findings.push(Finding::good("settings", format!("vessel {name}{plugins}")));
            findings.extend(identity(&folder, &settings));
        }
        Err(error) => findings.push(damaged("settings", config, &error)),
    }
    findings
}

fn identity(folder: &Folder, settings: &Settings) -> Vec<Finding> {
    // What the first start would make is made in memory.
    let mut memory = SimStorage::new();
    let mut copied = Vec::new();
    for file in ["skiff/identity.json", "skiff/auth.json"] {
        let Ok(key) = skiff_runtime::hal::Key::parse(file) else { continue };
        if let Ok(data) = fs::read(folder.root().join(file))
            && memory.replace(&key, &data).is_ok()
        {
            copied.push(file);
        }
    }
    let mut rng = SimRng::new(1);
    let mut findings = Vec::new();
    let root = folder.root().to_owned();
    if let Err(error) = Identity::open_or_create(&mut memory, &mut rng, settings.vessel.uuid.as_deref()) {
        findings.push(damaged("identity", &root, &error));
    }
    match Access::open_or_create(&mut memory, &mut rng) {
        Ok(_) if copied.contains(&"skiff/auth.json") => {}
        Ok(_) => findings.push(Finding::good("token", "none yet; the first start makes one and shows it")),
        Err(error) => findings.push(damaged("token", &root, &error)),
    }
    findings
}

fn damaged(what: &str, config: &Path, error: &skiff_runtime::config::ConfigError) -> Finding {
    let file = config.join(&*error.file);
    let fix = format!("correct it, or move it away: mv {0} {0}.bad", file.display());
    Finding::bad(what, error.to_string(), fix)
}

fn token(config: &Path) -> Option<Finding> {
    let path = config.join(TOKEN_FILE);
    let mode = fs::metadata(&path).ok()?.permissions().mode();
    Some(if mode & OTHERS == 0 {
        Finding::good("token", "kept for this user only")
    } else {
        let fix = format!("chmod 600 {}", path.display());
        Finding::bad("token", format!("{} can be read by others (mode {:o})", path.display(), mode & 0o777), fix)
    })
}

fn plugins(config: &Path) -> Vec<Finding> {
    let (limits, mut findings) = match limits::of(Board::Linux, config) {
        Ok(limits) => (limits, Vec::new()),
        Err(error) => {
            let fix = format!("correct it: {}", config.join("settings.json").display());
            (Limits::of(Board::Linux), vec![Finding::bad("limits", error, fix)])
        }
    };
    let found = packages::folder::installed(config, packages::module_bytes_max());
    let fix = "skiff check PACKAGE says more";
    let unusable = |row: &Unusable| Finding::bad("plugin", format!("{}: {}", row.package, row.reason), fix);
    findings.extend(found.unusable.iter().map(unusable));
    for package in found.packages {
        let title = format!("{} {}", package.name, package.version);
        let facts = match ModuleFacts::survey(&package.wasm) {
            Ok(facts) => facts,
            Err(refusal) => {
                findings.push(Finding::bad("plugin", format!("{title}: {refusal}"), fix));
                continue;
            }
        };
        let fit = Fit::of(&facts, &package.capabilities, &limits);
        findings.push(match fit.refusals.first() {
            Some(refusal) => Finding::bad("plugin", format!("{title}: {refusal}"), fix),
            None if facts.unknown_imports.is_empty() => match packages::hints(&package, &facts).first() {
                None => Finding::good("plugin", title),
                Some(hint) => Finding::warning("plugin", format!("{title}: {hint}"), fix),
            },
            None => {
                let seen = format!("{title} imports what Skiff does not have: {}", facts.unknown_imports.join(", "));
                let fix = "it runs until it calls one of them; ask its author for a newer version";
                Finding::warning("plugin", seen, fix)
            }
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn verdicts(config: &Path) -> Vec<(String, Verdict)> {
        examine(config).into_iter().map(|finding| (finding.what, finding.verdict)).collect()
    }

    fn write(config: &Path, file: &str, text: &str, mode: u32) {
        let path = config.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn has(config: &Path, what: &str, verdict: Verdict) -> bool {
        verdicts(config).contains(&(what.to_owned(), verdict))
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_fine_and_a_file_is_not() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(verdicts(&home.path().join("new")), [("folder".to_owned(), Verdict::Good)]);
        fs::write(home.path().join("file"), "").unwrap();
        assert_eq!(verdicts(&home.path().join("file")), [("folder".to_owned(), Verdict::Bad)]);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "looking makes nothing");
    }

    #[test]
    fn damaged_files_and_a_token_for_everybody_are_named_with_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        assert!(has(home.path(), "token", Verdict::Good) && has(home.path(), "settings", Verdict::Good));
        write(home.path(), "settings.json", "{", 0o600);
        assert!(has(home.path(), "settings", Verdict::Bad));
        write(home.path(), "settings.json", "{}", 0o600);
        write(home.path(), "skiff/auth.json", "{}", 0o600);
        write(home.path(), TOKEN_FILE, "x", 0o644);
        let findings = examine(home.path());
        let fixes: Vec<String> = findings.iter().filter_map(|finding| finding.fix.clone()).collect();
        assert!(fixes.iter().any(|fix| fix.starts_with("chmod 600 ")), "{findings:?}");
        assert!(fixes.iter().any(|fix| fix.contains("auth.json.bad")), "{findings:?}");
    }

    #[test]
    fn plugins_are_listed_with_what_is_wrong_with_them() {
        let home = tempfile::tempdir().unwrap();
        let package =
            r#"{"name":"broken","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm"}"#;
        write(home.path(), "node_modules/broken/package.json", package, 0o644);
        assert!(has(home.path(), "plugin", Verdict::Bad));
        write(home.path(), "node_modules/broken/p.wasm", "\0asm\u{1}\0\0\0", 0o644);
        assert!(has(home.path(), "plugin", Verdict::Bad));
    }
}
