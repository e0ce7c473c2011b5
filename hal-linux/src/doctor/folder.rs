//! The configuration folder: there, writable, with room, of a layout that is known, and who runs on it.

use std::fs;
use std::path::Path;

use super::{Finding, files, plugins};
use crate::hal::Folder;
use crate::home::{self, Lock};
use crate::layout;

/// Free space below which a warning is due, bytes: a few plugin packages and their data.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;

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
    findings.extend(layout_of(config));
    findings.extend(gateway(config));
    findings.extend(files::examine(config));
    findings.extend(plugins::examine(config));
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

/// Tells whether this version knows the layout of Skiff's own files; nothing where there are none.
fn layout_of(config: &Path) -> Option<Finding> {
    if !config.join("skiff").is_dir() {
        return None;
    }
    let what = "layout";
    Some(match layout::is_current(&mut Folder::new(config)) {
        Ok(true) => Finding::good(what, "of this version"),
        Ok(false) => Finding::good(what, "of an older version; the next start of `skiff run` moves the files over"),
        Err(error) => {
            let fix =
                format!("`skiff run` leaves the folder alone; see {}", config.join(layout::LAYOUT_FILE).display());
            Finding::bad(what, error.to_string(), fix)
        }
    })
}

/// Tells who runs on the folder; nothing where nobody does.
fn gateway(config: &Path) -> Option<Finding> {
    let place = home::address(config).map_or_else(String::new, |url| format!(", at {url}"));
    Lock::is_taken(config)
        .then(|| Finding::good("gateway", format!("one runs on this folder{place}; a second would not start")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::Verdict;
    use super::*;
    use crate::home::TOKEN_FILE;

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
        // Where others do not even get into the folder, its group may.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o750)).unwrap();
        assert!(has(home.path(), "token", Verdict::Bad));
        write(home.path(), TOKEN_FILE, "x", 0o640);
        assert!(has(home.path(), "token", Verdict::Good));
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

    #[test]
    fn a_layout_of_a_later_version_and_a_gateway_that_runs_are_told() {
        let home = tempfile::tempdir().unwrap();
        let seen = |what: &str| {
            let found = examine(home.path()).into_iter().find(|finding| finding.what == what);
            found.map(|finding| (finding.verdict, finding.seen))
        };
        assert_eq!((seen("layout"), seen("gateway")), (None, None));
        let lock = Lock::take(home.path()).unwrap();
        assert!(seen("layout").unwrap().1.starts_with("of an older version"));
        assert!(seen("gateway").unwrap().1.starts_with("one runs on this folder"));
        drop(lock);
        assert_eq!(seen("gateway"), None);
        write(home.path(), layout::LAYOUT_FILE, "99", 0o600);
        assert_eq!(seen("layout").unwrap().0, Verdict::Bad);
    }

    #[test]
    fn every_file_that_a_start_reads_is_looked_at() {
        let home = tempfile::tempdir().unwrap();
        let bad = |what: &str| has(home.path(), what, Verdict::Bad) || has(home.path(), what, Verdict::Warning);
        for (file, text, what) in [
            ("settings.json", r#"{"sourcePriorities":[]}"#, "priorities"),
            ("settings.json", r#"{"skiff":{"limits":{"memory":1}}}"#, "limits"),
            ("skiff/n2k.json", "{", "bus"),
            ("skiff/identity.json", "{", "identity"),
            ("skiff/auth.json", "{", "token"),
            ("skiff/grants.json", "{", "grants"),
            ("skiff/plugins.json", "{", "operator"),
            ("skiff/providers.json", "{", "providers"),
        ] {
            assert!(!bad(what), "{what} before");
            write(home.path(), file, text, 0o600);
            assert!(bad(what), "{file}: {:?}", examine(home.path()));
            fs::remove_file(home.path().join(file)).unwrap();
        }
    }
}
