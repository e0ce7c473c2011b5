//! Unpacks a backup beside what is there, within limits.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ReaderAt, ZipArchive, ZipArchiveEntryWayfinder};

use super::{BackupError, DEPTH_MAX, ENTRIES_MAX, FOLDER, NAME_BYTES_MAX, NEW, PATH_BYTES_MAX, belongs};
use crate::hal::{Disk, Folder};
use crate::layout::{self, LayoutError};
use crate::packages::web::{make_folders, remove_if_there};

/// Bytes that a backup may unpack to: with charts there can be much.
const UNPACKED_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// The same of one that came over HTTP.
const SENT_UNPACKED_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Bytes that are written at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// What a folder of Signal K or Skiff has one of.
const MARKS: [&str; 9] = [
    "settings.json",
    "security.json",
    "baseDeltas.json",
    "priorities.json",
    "plugin-config-data",
    "applicationData",
    "resources",
    "package.json",
    "skiff",
];

/// What was unpacked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Names at the top, folders with `/` at the end.
    pub names: Vec<String>,
    /// Files.
    pub files: usize,
    /// Links, which are never made, and what is of the moment.
    pub left_out: usize,
    /// Packages that the backup names and does not bring.
    pub missing: Vec<String>,
}

/// Unpacks a backup in a file.
///
/// # Errors
/// [`BackupError`]; nothing of it is left then.
pub fn unpack_file<D: Disk>(config: &mut Folder<D>, path: &Path) -> Result<Found, BackupError> {
    let file = File::open(path)?;
    let archive = ZipArchive::from_file(file, &mut vec![0; RECOMMENDED_BUFFER_SIZE]).map_err(corrupt)?;
    unpack(config, &archive, UNPACKED_BYTES_MAX)
}

/// Unpacks a backup in memory.
///
/// # Errors
/// As [`unpack_file`].
pub fn unpack_slice<D: Disk>(config: &mut Folder<D>, bytes: &[u8]) -> Result<Found, BackupError> {
    let archive = ZipArchive::from_seekable(Cursor::new(bytes), &mut vec![0; RECOMMENDED_BUFFER_SIZE]);
    unpack(config, &archive.map_err(corrupt)?, SENT_UNPACKED_BYTES_MAX)
}

fn unpack<D: Disk, R: ReaderAt>(
    config: &mut Folder<D>,
    archive: &ZipArchive<R>,
    bytes_max: u64,
) -> Result<Found, BackupError> {
    let root = config.root().join(FOLDER);
    remove_if_there(&root)?;
    let unpacked = unpack_to(config, archive, bytes_max, &root.join(NEW)).and_then(|mut found| {
        check_layout(&root.join(NEW))?;
        found.missing = missing(&root.join(NEW));
        config.disk().sync_all(&root)?;
        Ok(found)
    });
    if unpacked.is_err() {
        // What stays is removed at the next start.
        let _ = remove_if_there(&root);
    }
    unpacked
}

/// A file of the archive, and where its data lies.
struct Entry {
    path: String,
    method: CompressionMethod,
    place: ZipArchiveEntryWayfinder,
}

fn unpack_to<D: Disk, R: ReaderAt>(
    config: &Folder<D>,
    archive: &ZipArchive<R>,
    bytes_max: u64,
    new: &Path,
) -> Result<Found, BackupError> {
    let disk = config.disk();
    make_folders(disk, new)?;
    let (mut found, mut names, mut left) = (Found::default(), BTreeSet::new(), bytes_max);
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let mut entries = archive.entries(&mut buffer);
    let mut count = 0_usize;
    while let Some(entry) = entries.next_entry().map_err(corrupt)? {
        count += 1;
        if count > ENTRIES_MAX {
            return Err(BackupError::TooMany);
        }
        let path = checked(entry.file_path().as_bytes())?;
        let is_link = entry.mode().is_symlink();
        if is_link || !belongs(&path, true) {
            found.left_out += usize::from(!entry.is_dir());
            continue;
        }
        let top = path.split('/').next().unwrap_or_default().to_owned();
        let is_folder = entry.is_dir() || path.contains('/');
        if entry.is_dir() {
            make_folders(disk, &new.join(&path))?;
        } else {
            let entry = Entry { path, method: entry.compression_method(), place: entry.wayfinder() };
            unpack_entry(disk, archive, &entry, new, bytes_max, &mut left)?;
            found.files += 1;
        }
        names.insert(if is_folder { format!("{top}/") } else { top });
    }
    if !MARKS.iter().any(|mark| names.iter().any(|name| name.trim_end_matches('/') == *mark)) {
        return Err(BackupError::Corrupt("it has none of the files of one".into()));
    }
    found.names = names.into_iter().collect();
    Ok(found)
}

fn unpack_entry<D: Disk, R: ReaderAt>(
    disk: &D,
    archive: &ZipArchive<R>,
    entry: &Entry,
    new: &Path,
    bytes_max: u64,
    left: &mut u64,
) -> Result<(), BackupError> {
    let found = archive.get_entry(entry.place).map_err(corrupt)?;
    let data = std::io::BufReader::new(found.reader());
    let data: Box<dyn Read + '_> = match entry.method {
        CompressionMethod::STORE => Box::new(data),
        CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(data)),
        _ => return Err(BackupError::Corrupt(format!("{}: compressed in another way than deflate", entry.path))),
    };
    let path = new.join(&entry.path);
    if let Some(folder) = path.parent() {
        make_folders(disk, folder).map_err(|error| twice(error, &entry.path))?;
    }
    let is_secret = entry.path.starts_with("skiff/") || entry.path == "security.json";
    let mode = if is_secret { 0o600 } else { 0o644 };
    let mut file = disk.create_file(&path, mode).map_err(|error| twice(error, &entry.path))?;
    let mut data = found.verifying_reader(data);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = match data.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(BackupError::Corrupt(format!("{}: {error}", entry.path))),
        };
        let bytes = u64::try_from(count).unwrap_or(u64::MAX);
        *left = left.checked_sub(bytes).ok_or(BackupError::TooLarge { limit: bytes_max })?;
        disk.write(&mut file, chunk.get(..count).unwrap_or_default())?;
    }
}

/// A path that is there already stands twice in the backup.
fn twice(error: std::io::Error, path: &str) -> BackupError {
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            BackupError::Corrupt(format!("{path}: it is there twice"))
        }
        _ => BackupError::Disk(error),
    }
}

/// Returns a path without the slash of a folder, when it stays in the folder.
fn checked(path: &[u8]) -> Result<String, BackupError> {
    let refused = || BackupError::Path(String::from_utf8_lossy(path).chars().take(NAME_BYTES_MAX).collect());
    let text = std::str::from_utf8(path).map_err(|_| refused())?;
    let text = text.strip_suffix('/').unwrap_or(text);
    let text = text.strip_prefix("./").unwrap_or(text);
    let is_sound =
        |name: &str| !matches!(name, "" | "." | "..") && name.len() <= NAME_BYTES_MAX && !name.contains(['\\', '\0']);
    let names = text.split('/');
    if text.len() > PATH_BYTES_MAX || names.clone().count() > DEPTH_MAX || !names.clone().all(is_sound) {
        return Err(refused());
    }
    Ok(text.to_owned())
}

/// Refuses the files of a later Skiff.
fn check_layout(new: &Path) -> Result<(), BackupError> {
    match layout::is_current(&mut Folder::new(new)) {
        Err(error @ LayoutError::Newer(_)) => Err(BackupError::Newer(error.to_string())),
        Err(error @ LayoutError::Damaged) => Err(BackupError::Corrupt(error.to_string())),
        _ => Ok(()),
    }
}

/// Returns the packages that a Signal K folder's `package.json` names and that are not among the files.
fn missing(new: &Path) -> Vec<String> {
    let named = crate::packages::package_json(new);
    let named = named.as_ref().and_then(|file| file.get("dependencies")).and_then(serde_json::Value::as_object);
    let names = named.into_iter().flatten().map(|(name, _)| name.clone());
    let is_there = |name: &String| {
        skiff_runtime::package::check_name(name).is_ok() && new.join("node_modules").join(name).is_dir()
    };
    names.filter(|name| !is_there(name)).take(ENTRIES_MAX).collect()
}

fn corrupt(error: rawzip::Error) -> BackupError {
    match error.into_kind() {
        rawzip::ErrorKind::IO(error) => BackupError::Disk(error),
        kind => BackupError::Corrupt(kind.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        assert_eq!(checked(b"a/b c/d.json").unwrap(), "a/b c/d.json");
        assert_eq!(checked(b"./a/").unwrap(), "a");
        for path in [
            &b""[..],
            b"/",
            b"/etc/passwd",
            b"..",
            b"../a",
            b"a/../../b",
            b"a//b",
            b"a/./b",
            b"a\\..\\b",
            b"a\0b",
            b"\xff",
            &[b'a'; 256],
            &[b'/'; 2000],
        ] {
            assert!(matches!(checked(path), Err(BackupError::Path(_))), "{path:?}");
        }
    }
}
