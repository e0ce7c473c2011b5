//! Runs other programs: shown on stderr, never with an input, failures in one clause.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// Returns the top folder of the repository.
pub fn top() -> PathBuf {
    // Invariant: this crate lies in benches/xtask.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_path_buf).unwrap_or_default()
}

/// Returns cargo's target folder: `CARGO_TARGET_DIR`, what cargo's configuration says, or `target` at the top.
pub fn target() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| {
        // Not in the top folder: a relative name counts from where the user typed it.
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(top().join("Cargo.toml"));
        let said: Option<serde_json::Value> = output(&mut cargo).ok().and_then(|text| serde_json::from_str(&text).ok());
        let folder = said.as_ref().and_then(|said| said["target_directory"].as_str());
        folder.map_or_else(|| top().join("target"), PathBuf::from)
    })
}

/// Runs a program whose output is for the user.
///
/// # Errors
/// The command line, and that it cannot be started or how it ended.
pub fn run(command: &mut Command) -> Result<(), String> {
    let line = line(command);
    eprintln!("+ {line}");
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})")) }
}

/// Runs a program for its standard output.
///
/// # Errors
/// As [`run`], with the last lines of its standard error.
pub fn output(command: &mut Command) -> Result<String, String> {
    let line = line(command);
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_string());
    }
    let talk = String::from_utf8_lossy(&output.stderr);
    let tail: Vec<&str> = talk.lines().rev().take(5).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    Err(format!("`{line}` failed ({}): {}", output.status, tail.join(" / ")))
}

/// Stops a program: it is asked to, so that it ends in order, then made to.
pub fn stop(child: &mut Child) {
    let _ = output(&mut command("kill", ["-TERM", &child.id().to_string()]));
    for _ in 0..50 {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Waits until no other command of this project installs anything; none does while the answer is kept.
///
/// # Errors
/// The file that cannot be locked.
pub fn installing() -> Result<fs::File, String> {
    let path = target().join("installing.lock");
    let locked = fs::create_dir_all(target()).and_then(|()| fs::File::create(&path));
    let locked = locked.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| format!("cannot lock {}: {error}", path.display()))
}

/// Tells whether a program can be started.
pub fn found(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Returns the SHA-256 of a file in hexadecimal.
///
/// # Errors
/// The file and why it cannot be read.
pub fn sha256(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Writes a file, and its folder when that is missing.
///
/// # Errors
/// The file and why it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Copies a file, and makes the folder of the copy when that is missing.
///
/// # Errors
/// Both files and why it cannot be done.
pub fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(from, to))
        .map(|_| ())
        .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))
}

/// Returns a command with arguments, in the top folder.
pub fn command<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(top());
    keep_target(&mut command);
    command
}

/// Lets a program in whatever folder see the target folder that was asked for; where none was, it has its own.
pub fn keep_target(command: &mut Command) {
    if std::env::var_os("CARGO_TARGET_DIR").is_some_and(|folder| !folder.is_empty()) {
        command.env("CARGO_TARGET_DIR", target());
    }
}

fn line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
