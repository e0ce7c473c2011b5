//! Runs `skiff bench` in a minimal Debian with nothing else installed: what ships needs no toolchain and no package.
//!
//! Run by hand, as root: it fetches some 30 MB of packages from Debian.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{built, debian, process};

/// Where the other root is, below the target folder.
const FOLDER: &str = "chroot";
/// What has to stand in the table: its first and its last kind of row.
const ROWS: [&str; 2] = ["call of an empty export", "50 unfiltered"];

/// Runs `xtask chroot`.
///
/// # Errors
/// That Debian cannot be unpacked here, or what `skiff bench` said in it.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    if process::output(&mut process::command("id", ["-u"]))? != "0" {
        return Err("only root may change the root: type sudo before it".into());
    }
    let skiff = built::shipped()?;
    let root = process::target().join(FOLDER);
    if !root.join("etc/debian_version").is_file() {
        make(&root)?;
    }
    process::copy(&skiff, &root.join("skiff"))?;
    let inside = |words: &[&str]| process::output(Command::new("chroot").arg(&root).args(words));
    let version = inside(&["cat", "/etc/debian_version"])?;
    let packages = inside(&["dpkg-query", "-W", "-f=${Package}\n"])?;
    let compilers: Vec<&str> = ["cc", "cargo", "node", "npm"]
        .into_iter()
        .filter(|program| inside(&["sh", "-c", &format!("command -v {program}")]).is_ok())
        .collect();
    if !compilers.is_empty() {
        return Err(format!("that is no minimal Debian: it has {}", compilers.join(", ")));
    }
    let table = inside(&["/skiff", "bench", "--quick", "--quiet"])?;
    println!("{table}");
    if let Some(row) = ROWS.iter().find(|row| !table.contains(**row)) {
        return Err(format!("skiff bench printed no row `{row}`"));
    }
    println!("\nskiff bench ran in Debian {version} with {} packages, without a compiler", packages.lines().count());
    Ok(())
}

/// Unpacks Debian's minimum, of the release that this machine has.
fn make(root: &Path) -> Result<(), String> {
    debian::packages(&["mmdebstrap"])?;
    let system = fs::read_to_string("/etc/os-release").map_err(|error| format!("/etc/os-release: {error}"))?;
    let suite = system.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap_or("stable");
    // What an earlier try has left.
    let _ = fs::remove_dir_all(root);
    let mut unpack = process::command("mmdebstrap", ["--variant=minbase", "--mode=root", suite]);
    process::run(unpack.arg(root))
}
