//! A plugin on a simulated boat, built again whenever its sources change.
//!
//! A gateway of its own runs on a folder of its own: `.skiff-dev` in the package, with a link to the package in
//! `node_modules`. The gateway sees the new module by itself and puts it in place while it runs.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use skiff_runtime::crc32::crc32;
use skiff_runtime::json;
use skiff_runtime::n2k::sample::{SEED, START, Sample, write_candump_line};
use skiff_runtime::package::plugin_id;

use super::build::{self, SOURCES};
use super::children::Children;
use crate::packages;

/// Folder of the gateway in the package.
const FOLDER: &str = ".skiff-dev";
/// Time between two looks at the sources.
const PERIOD: Duration = Duration::from_millis(500);
/// Length of the simulated trip; then the values stand still.
const TRIP: Duration = Duration::from_secs(30 * 60);
/// Files looked at in one package.
const FILES_MAX: usize = 10_000;
/// Bytes of one; a longer one is told by its name alone.
const SOURCE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Time that the gateway gets to end.
const GATEWAY_END: Duration = Duration::from_secs(15);

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

/// Starts the gateway of the package: it prints what the plugin emits, and ends when its standard input does, which is
/// when this process ends, however it does.
///
/// # Errors
/// What the system said.
pub fn start_gateway(folder: &Path, input: &str, listen: &str) -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["run", "--dev", "--config"]).arg(folder).args(["--listen", listen, "--input", input]);
    // A signal of the terminal ends this process, and that ends the gateway.
    command.stdin(Stdio::piped()).process_group(0).spawn()
}

/// Builds again at each change of the sources until the gateway ends or the end is asked for; returns the exit code of
/// the gateway.
///
/// # Errors
/// What the system said.
pub fn rebuild_until_end(
    package: &Path,
    sources: &mut Sources,
    gateway: &mut Child,
    children: &Children,
) -> io::Result<Option<i32>> {
    loop {
        if children.is_over() {
            return end(gateway);
        }
        if let Some(status) = gateway.try_wait()? {
            return Ok(status.code());
        }
        thread::sleep(PERIOD);
        // What changes from here on, while the tool reads, is another change.
        if !sources.have_changed() {
            continue;
        }
        log::info!("the sources have changed, building");
        match build::build(package, children) {
            Ok(_) => log::info!("built; the gateway puts it in place"),
            Err(_) if children.is_over() => {}
            Err(error) => log::warn!("{error}; the version before goes on"),
        }
    }
}

/// Lets the gateway end, and ends it when it does not.
fn end(gateway: &mut Child) -> io::Result<Option<i32>> {
    drop(gateway.stdin.take());
    let asked = Instant::now();
    while asked.elapsed() < GATEWAY_END {
        if let Some(status) = gateway.try_wait()? {
            return Ok(status.code());
        }
        thread::sleep(Duration::from_millis(20));
    }
    gateway.kill()?;
    Ok(gateway.wait()?.code())
}

/// The sources of a package, as they were at the last look.
pub struct Sources {
    package: PathBuf,
    stamps: Vec<(PathBuf, Option<SystemTime>, u64)>,
    /// What a build has written once more with the same text is no change.
    digest: u32,
}

impl Sources {
    /// Looks at the sources of a package; do so before they are built.
    #[must_use]
    pub fn look(package: &Path) -> Self {
        let stamps = stamps(package);
        let digest = digest(&stamps);
        Self { package: package.to_owned(), stamps, digest }
    }

    /// Looks again; tells whether anything is other than at the last look.
    pub fn have_changed(&mut self) -> bool {
        let stamps = stamps(&self.package);
        if stamps == self.stamps {
            return false;
        }
        let before = self.digest;
        (self.digest, self.stamps) = (digest(&stamps), stamps);
        self.digest != before
    }
}

/// Returns path, time and length of each source file, sorted.
fn stamps(package: &Path) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    let mut open: Vec<PathBuf> = SOURCES.iter().map(|name| package.join(name)).collect();
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if found.len() >= FILES_MAX {
            break;
        }
        if metadata.is_dir() {
            let built = path.file_name().is_some_and(|name| name == "target" || name == "node_modules");
            let entries = if built { None } else { fs::read_dir(&path).ok() };
            open.extend(entries.into_iter().flatten().flatten().map(|entry| entry.path()));
        } else {
            found.push((path, metadata.modified().ok(), metadata.len()));
        }
    }
    found.sort();
    found
}

/// Returns a number that tells paths and contents from others.
fn digest(stamps: &[(PathBuf, Option<SystemTime>, u64)]) -> u32 {
    stamps.iter().fold(0, |digest, (path, ..)| {
        let text = packages::read(path, SOURCE_BYTES_MAX).unwrap_or_default();
        let sums = [digest, crc32(path.as_os_str().as_bytes()), crc32(&text)];
        crc32(&sums.map(u32::to_le_bytes).concat())
    })
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
    fn a_change_of_the_sources_is_seen_once_also_while_they_are_built() {
        let home = tempfile::tempdir().unwrap();
        let package = home.path();
        fs::create_dir_all(package.join("src/deep")).unwrap();
        let write = |name: &str, text: &str, seconds: u64| {
            fs::write(package.join(name), text).unwrap();
            let file = fs::File::options().append(true).open(package.join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        write("src/lib.rs", "one", 100);
        let mut sources = Sources::look(package);
        write("plugin.wasm", "built", 300);
        assert!(!sources.have_changed(), "no source");
        write("src/lib.rs", "two", 100);
        write("src/lib.rs", "two", 101);
        assert!(sources.have_changed());
        // A build begins here; meanwhile the author writes on, and the build writes a source of its own again.
        write("src/deep/more.rs", "three", 90);
        assert!(sources.have_changed());
        write("src/deep/more.rs", "three", 200);
        assert!(!sources.have_changed(), "the same text");
        fs::remove_file(package.join("src/deep/more.rs")).unwrap();
        assert!(sources.have_changed() && !sources.have_changed());
    }
}
