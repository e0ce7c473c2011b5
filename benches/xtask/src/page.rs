//! The gateway's own page: built from `runtime/page`, and used in a real browser as its visitors do.
//!
//! Screenshots lie in `target/page`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::webapps::{self, Gateway};
use crate::{debian, npm, process, sample};

/// What the browser is driven and judged with.
const PACKAGES: [(&str, &str); 2] = [("axe-core", "4.14.1"), ("playwright-core", "1.65.1")];

/// Frames of the boat that is looked at: an hour, since a boat that has fallen silent is another one to look at, and the walk
/// takes on a slow machine what it takes.
const FRAMES: usize = 394_000;

/// Runs `xtask page [--check|--walk [PART…]]`.
///
/// # Errors
/// What cannot be built, what is checked in and is not what the source gives, or what the page does not do.
pub fn run(arguments: &[String]) -> Result<(), String> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            prepare()?;
            node(&["build.mjs"])
        }
        ["--check"] => {
            if let Err(reason) = prepare() {
                println!("SKIPPED, the page was neither built nor opened: {reason}");
                return Ok(());
            }
            node(&["node_modules/typescript/bin/tsc", "--noEmit"])?;
            node(&["build.mjs", "--check"])?;
            node(&["build.mjs", "--tests"])?;
            node(&["--test", "build/tests/"])?;
            walk(&[])
        }
        ["--walk", parts @ ..] => walk(parts),
        _ => Err("the arguments are --check, --walk [PART…], or none, which builds".into()),
    }
}

fn folder() -> PathBuf {
    process::top().join("runtime/page")
}

fn node(arguments: &[&str]) -> Result<(), String> {
    process::run(Command::new("node").args(arguments).current_dir(folder()))
}

/// Installs what the lock file names, unless it is there.
fn prepare() -> Result<(), String> {
    let lock = folder().join("package-lock.json");
    let done = folder().join("node_modules/.package-lock.json");
    let newer = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    if newer(&done).zip(newer(&lock)).is_some_and(|(done, lock)| done >= lock) {
        return Ok(());
    }
    process::run(process::command("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder()))
}

/// Uses the page as its visitors do: all parts, or those named.
fn walk(parts: &[&str]) -> Result<(), String> {
    let folder = process::target().join("page");
    let config = folder.join("config");
    let tools = folder.join("tools");
    let installed = debian::packages(&["chromium"]).and_then(|()| npm::install(&tools, "page", &PACKAGES));
    if let Err(reason) = installed {
        println!("SKIPPED, the page was not opened: {reason}");
        return Ok(());
    }
    // Of the run before; a browser's first visit is what is tried.
    let _ = std::fs::remove_dir_all(&config);
    std::fs::create_dir_all(&config).map_err(|error| format!("{}: {error}", config.display()))?;
    let log = folder.join("boat.candump");
    sample::write_frames(&log, FRAMES)?;
    webapps::add_user(&config)?;
    let gateway = Gateway::start(&config, &log, None)?;
    let mut script = Command::new("node");
    script.arg(process::top().join("benches/xtask/page/walk.mjs"));
    script.args([&gateway.boat, &gateway.admin, "/usr/bin/chromium"]).arg(&folder).args(parts);
    script.env("SKIPPERS_PASSWORD", webapps::PASSWORD).env("SKIFF_TOP", process::top());
    let said = process::output(script.current_dir(&tools));
    drop(gateway);
    let said = said?;
    println!("{said}");
    let mut wrong = Vec::new();
    for line in said.lines() {
        let row: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        if row["ok"] != true {
            wrong.push(line.to_owned());
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    println!("{} things done in the page; screenshots: {}", said.lines().count(), folder.display());
    Ok(())
}
