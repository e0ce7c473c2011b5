//! One verdict for a board, whichever command is asked: `run`, `replay` and `test` refuse what `check` refuses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process;

/// A plugin that is started and stopped, whatever it is.
const SCENARIO: &str = r#"{"package":"p","steps":[{"op":"start","config":{}},{"op":"stop"}]}"#;
/// How a refusal begins in every command; behind it stand the board and the reason.
const REFUSED: &str = "does not fit ";
/// Time for a gateway to try a plugin.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds the commands against `check`, and tells whether the package fits the board.
///
/// # Errors
/// The command that says something else, and what.
pub fn same(skiff: &Path, package: &Path, name: &str, board: &str, home: &Path) -> Result<bool, String> {
    let scenario = home.join("start-and-stop.json");
    process::write(&scenario, SCENARIO)?;
    let skiff = || Command::new(skiff);
    let checked = ended(skiff().arg("check").arg(package).args(["--board", board]))?;
    let fits = checked.status.success();
    let reason = reason(&checked);
    if !fits && (checked.status.code() != Some(1) || reason.is_none()) {
        return Err(format!("check {name} --board {board}: {}, {}", checked.status, talk(&checked)));
    }
    let replayed = ended(skiff().args(["replay", "--sample", "--plugin"]).arg(package).args(["--board", board]))?;
    let tested = ended(skiff().arg("test").arg(&scenario).arg(package).args(["--board", board]))?;
    for (command, output) in [("replay", replayed), ("test", tested)] {
        if output.status.code() != checked.status.code() || self::reason(&output) != reason {
            let (status, talk) = (output.status, talk(&output));
            return Err(format!("{command} {name} --board {board}: {status}, {talk}; check: {reason:?}"));
        }
    }
    let row = row(skiff, package, name, board, home)?;
    let why = row["skiff"]["reason"].as_str().unwrap_or_default();
    let right =
        if fits { row["state"] == "running" } else { row["state"] == "error" && why.contains(REFUSED.trim_end()) };
    if right { Ok(fits) } else { Err(format!("run {name} --board {board}: {row}; check: {reason:?}")) }
}

/// Runs a gateway with the package, and returns its row when the gateway has tried it.
fn row(skiff: impl Fn() -> Command, package: &Path, name: &str, board: &str, home: &Path) -> Result<Value, String> {
    let config = home.join("config");
    if config.exists() {
        fs::remove_dir_all(&config).map_err(|error| format!("{}: {error}", config.display()))?;
    }
    let installed = config.join("node_modules").join(name);
    for file in files(package)? {
        process::copy(&file, &installed.join(file.file_name().unwrap_or_default()))?;
    }
    let id = name.replace(['@', '/'], "_");
    let enabled = r#"{"enabled":true,"configuration":{}}"#;
    process::write(&config.join("plugin-config-data").join(format!("{id}.json")), enabled)?;
    let mut run = skiff();
    run.args(["run", "--listen", "127.0.0.1:0", "--board", board, "--config"]).arg(&config);
    let quiet = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut gateway = quiet.map_err(|error| format!("cannot start skiff run: {error}"))?;
    let began = Instant::now();
    let row = loop {
        let listed = ended(skiff().args(["plugin", "list", "--json", "--config"]).arg(&config))?;
        let rows: Value = serde_json::from_slice(&listed.stdout).unwrap_or_default();
        let row = rows.as_array().into_iter().flatten().find(|row| row["packageName"] == name).cloned();
        // Without a gateway that answers, the list is that of the folder: it has no states.
        let tried = row.filter(|row| row["state"] == "running" || row["state"] == "error");
        match tried {
            Some(row) => break Ok(row),
            None if began.elapsed() > PATIENCE => break Err(format!("skiff run does not try {name}: {rows}")),
            None => thread::sleep(Duration::from_millis(100)),
        }
    };
    let goes_on = matches!(gateway.try_wait(), Ok(None));
    process::stop(&mut gateway);
    match row {
        Ok(_) if !goes_on => Err(format!("skiff run --board {board} ended over {name}")),
        row => row,
    }
}

/// Lists `package.json` and the modules beside it.
fn files(package: &Path) -> Result<Vec<PathBuf>, String> {
    let listed = fs::read_dir(package).map_err(|error| format!("{}: {error}", package.display()))?;
    let files = listed.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(files
        .filter(|path| path.ends_with("package.json") || path.extension().is_some_and(|end| end == "wasm"))
        .collect())
}

fn ended(command: &mut Command) -> Result<Output, String> {
    command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start skiff: {error}"))
}

/// Returns board and reason of a refusal.
fn reason(output: &Output) -> Option<String> {
    talk(output).rsplit_once(REFUSED).map(|(_, reason)| reason.trim().to_owned())
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
