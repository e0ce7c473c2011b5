//! A plugin on a simulated boat, built again whenever its sources change.
//!
//! A gateway of its own runs on a folder of its own: `.skiff-dev` in the package, with a link to the package in
//! `node_modules`. The gateway sees the new module by itself and puts it in place while it runs.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use skiff_runtime::json;
use skiff_runtime::n2k::sample::{SEED, START, Sample, write_candump_line};
use skiff_runtime::package::plugin_id;

use super::build::{self, SOURCES};

/// Folder of the gateway in the package.
const FOLDER: &str = ".skiff-dev";
/// Time between two looks at the sources.
const PERIOD: Duration = Duration::from_millis(500);
/// Length of the simulated trip; then the values stand still.
const TRIP: Duration = Duration::from_secs(30 * 60);
/// Files looked at in one package.
const FILES_MAX: usize = 10_000;

/// Makes the folder of the gateway; returns it.
///
/// # Errors
/// What the system said.
pub fn prepare(package: &Path, name: &str, configuration: &str) -> io::Result<PathBuf> {
    let folder = package.join(FOLDER);
    let link = folder.join("node_modules").join(name);
    if let Some(parent) = link.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::remove_file(&link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => symlink(package.canonicalize()?, &link)?,
    }
    let config = folder.join("plugin-config-data").join(format!("{}.json", plugin_id(name)));
    if !config.exists() {
        if let Some(parent) = config.parent() {
            fs::create_dir_all(parent)?;
        }
        let record = json::object(|record| {
            record.json("configuration", configuration).boolean("enabled", true);
        });
        fs::write(config, record)?;
    }
    Ok(folder)
}

/// Writes the simulated trip as a candump log; returns its path.
///
/// # Errors
/// What the system said.
pub fn write_trip(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join("boat.candump");
    let mut log = String::new();
    let mut boat = Sample::new(SEED);
    let end = START.0.saturating_add(i64::try_from(TRIP.as_millis()).unwrap_or(i64::MAX));
    loop {
        let (time, frame) = boat.next_frame();
        if time.0 >= end {
            break;
        }
        // Writing into a String cannot fail.
        let _ = write_candump_line(&mut log, time, &frame);
        log.push('\n');
    }
    fs::write(&path, log)?;
    Ok(path)
}

/// Starts the gateway of the package.
///
/// # Errors
/// What the system said.
pub fn start_gateway(folder: &Path, input: &str, listen: &str) -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["-v", "run", "--config"]).arg(folder).args(["--listen", listen, "--input", input]);
    command.stdin(Stdio::null()).spawn()
}

/// Builds again at each change of the sources until the gateway ends; returns its exit code.
///
/// # Errors
/// What the system said.
pub fn rebuild_until_end(package: &Path, gateway: &mut Child) -> io::Result<Option<i32>> {
    let mut built = newest(package);
    loop {
        if let Some(status) = gateway.try_wait()? {
            return Ok(status.code());
        }
        thread::sleep(PERIOD);
        let now = newest(package);
        if now == built {
            continue;
        }
        built = now;
        log::info!("the sources have changed, building");
        match build::build(package) {
            Ok(_) => log::info!("built; the gateway puts it in place"),
            Err(error) => log::warn!("{error}; the version before goes on"),
        }
        // A build may touch files of its own, such as a lock file.
        built = newest(package).max(built);
    }
}

/// Returns the time of the newest source file.
fn newest(package: &Path) -> Option<SystemTime> {
    let mut open: Vec<PathBuf> = SOURCES.iter().map(|name| package.join(name)).collect();
    let mut newest = None;
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        seen += 1;
        if seen > FILES_MAX {
            break;
        }
        if metadata.is_dir() {
            let built = path.file_name().is_some_and(|name| name == "target" || name == "node_modules");
            let entries = if built { None } else { fs::read_dir(&path).ok() };
            open.extend(entries.into_iter().flatten().flatten().map(|entry| entry.path()));
        } else {
            newest = newest.max(metadata.modified().ok());
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_made_once_and_links_to_the_package() {
        let home = tempfile::tempdir().unwrap();
        let package = home.path().join("tide");
        fs::create_dir_all(&package).unwrap();
        for _ in 0..2 {
            let folder = prepare(&package, "@acme/tide", "{\"a\":1}").unwrap();
            assert_eq!(folder.join("node_modules/@acme/tide").canonicalize().unwrap(), package.canonicalize().unwrap());
            let config = fs::read_to_string(folder.join("plugin-config-data/_acme_tide.json")).unwrap();
            assert_eq!(config, r#"{"configuration":{"a":1},"enabled":true}"#);
        }
    }

    #[test]
    fn a_change_below_a_source_folder_is_seen_and_one_elsewhere_is_not() {
        let home = tempfile::tempdir().unwrap();
        let package = home.path();
        fs::create_dir_all(package.join("src/deep")).unwrap();
        let stamp = |name: &str, seconds: u64| {
            let file = fs::File::create(package.join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        stamp("src/lib.rs", 100);
        let before = newest(package);
        stamp("plugin.wasm", 300);
        assert_eq!(newest(package), before);
        stamp("src/deep/more.rs", 200);
        assert!(newest(package) > before);
    }
}
