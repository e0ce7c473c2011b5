//! Packages that were installed over the network, a record for each version below `skiff/packages/`.
//!
//! A record holds `package.json` and the module behind a header, uncompressed, so that it is replaced by one atomic
//! write and a chip can use the module where it lies in flash. The header also names the folder of the files that
//! belong to this version and no other ([`files_folder`]). A new version is staged beside the one in force, and is
//! adopted once it has started: what an interrupted installation leaves is given up at the next start.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;

use super::{Manifest, PACKAGE_JSON_BYTES_MAX, Package, PackageError};
use crate::crc32::crc32;
use crate::hal::{Key, Lease, Storage, StorageError};
use crate::sorted;

/// Prefix of the records' keys.
const FOLDER: &str = "skiff/packages/";
/// First bytes of a record: name and version of this layout. Then come the length of `package.json` (4 bytes), the tag
/// of the files (8 bytes), both little-endian, `package.json`, and the module.
const MAGIC: &[u8; 8] = b"SKPKG\0\0\x02";
const HEADER_BYTES: usize = 20;
/// Of the layout before, which has no tag.
const MAGIC_1: &[u8; 8] = b"SKPKG\0\0\x01";
const HEADER_1_BYTES: usize = 12;
/// Records looked at.
const RECORDS_MAX: usize = 256;

/// Versions beside the one in force are kept: not on chips, which have no room for them.
const HAS_ROOM: bool = cfg!(any(test, feature = "std"));

/// Tells whether versions beside the one in force are kept.
pub fn keeps_versions(storage: &mut dyn Storage) -> bool {
    HAS_ROOM && !storage.reads_in_place()
}

/// Which version of a package a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The one in force.
    InForce,
    /// One that is being installed.
    Staged,
    /// The one that was in force before, for a way back.
    Before,
    /// One that asks for more than was granted, and waits for it.
    Waiting,
}

impl Slot {
    /// The one in force is the last.
    const ALL: &[Self] = if HAS_ROOM {
        &[Self::Staged, Self::Before, Self::Waiting, Self::InForce]
    } else {
        &[Self::Staged, Self::InForce]
    };

    const fn ending(self) -> &'static str {
        match self {
            Self::InForce => ".pkg",
            Self::Staged => ".new",
            Self::Before => ".old",
            Self::Waiting => ".next",
        }
    }
}

/// Returns the name of the folder with the files of a version, below `skiff/web/`.
#[must_use]
pub fn files_folder(id: &str, tag: u64) -> String {
    format!("{id}@{tag:016x}")
}

/// Why a stored package cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The storage refuses.
    Storage(StorageError),
    /// The record is damaged, or holds no plugin.
    Package(PackageError),
    /// The package name makes no key.
    Name,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(error) => error.fmt(f),
            Self::Package(error) => error.fmt(f),
            Self::Name => f.write_str("its name cannot stand in a file name"),
        }
    }
}

impl core::error::Error for StoreError {}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<PackageError> for StoreError {
    fn from(error: PackageError) -> Self {
        Self::Package(error)
    }
}

fn key(id: &str, slot: Slot) -> Result<Key, StoreError> {
    Key::parse(&format!("{FOLDER}{id}{}", slot.ending())).map_err(|_| StoreError::Name)
}

/// Returns the bytes that the record of a plugin could have.
///
/// # Errors
/// [`StoreError::Name`].
pub fn room(storage: &mut dyn Storage, id: &str) -> Result<u64, StoreError> {
    Ok(storage.room_for(&key(id, Slot::InForce)?))
}

/// Returns the bytes of a record with parts of these sizes.
pub(super) fn record_bytes(package_json: usize, wasm: usize) -> u64 {
    HEADER_BYTES.saturating_add(package_json).saturating_add(wasm) as u64
}

/// Returns the record of a package whose files have this tag.
#[must_use]
pub fn record(package_json: &[u8], wasm: &[u8], tag: u64) -> Vec<u8> {
    // `package.json` is bounded by PACKAGE_JSON_BYTES_MAX.
    let length = u32::try_from(package_json.len()).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(HEADER_BYTES + package_json.len() + wasm.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(package_json);
    out.extend_from_slice(wasm);
    out
}

/// What the header of a record says.
struct Header {
    bytes: usize,
    json_bytes: usize,
    /// `None` in the layout before.
    tag: Option<u64>,
}

fn header(record: &[u8]) -> Option<Header> {
    let (magic, rest) = record.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let json_bytes = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    match magic {
        MAGIC => {
            let tag = u64::from_le_bytes(*rest.first_chunk::<8>()?);
            Some(Header { bytes: HEADER_BYTES, json_bytes, tag: Some(tag) })
        }
        MAGIC_1 => Some(Header { bytes: HEADER_1_BYTES, json_bytes, tag: None }),
        _ => None,
    }
}

/// Splits a record into `package.json` and module.
fn parts(record: &[u8]) -> Result<(&[u8], &[u8]), PackageError> {
    let split = header(record).and_then(|header| record.get(header.bytes..)?.split_at_checked(header.json_bytes));
    split.ok_or(PackageError::Archive { clause: "the stored record is damaged" })
}

fn read_record(record: &[u8]) -> Result<Package, PackageError> {
    let (json, wasm) = parts(record)?;
    Manifest::parse(json)?.with_wasm(wasm.to_vec())
}

/// `package.json` and module where they lie, and what keeps them there.
type Mapped = (&'static [u8], &'static [u8], Lease);

/// Returns the parts of a record where it lies; `None` where that is not possible.
fn mapped(storage: &mut dyn Storage, key: &Key) -> Result<Option<Mapped>, StoreError> {
    let Some(mapped) = storage.mapped(key) else { return Ok(None) };
    let (record, lease) = mapped.into_parts();
    let (json, wasm) = parts(record)?;
    Ok(Some((json, wasm, lease)))
}

/// Stores a version beside the one that is in force, and returns it as it lies there; `None` where records are not read
/// in place.
pub(super) fn stage(
    storage: &mut dyn Storage,
    id: &str,
    record: &[u8],
    manifest: &Manifest,
) -> Result<Option<Package>, StoreError> {
    let key = key(id, Slot::Staged)?;
    storage.replace(&key, record)?;
    let Some((_, wasm, lease)) = mapped(storage, &key)? else { return Ok(None) };
    Ok(Some(Package { lease: Some(lease), ..manifest.clone().with_wasm(wasm)? }))
}

/// Puts the staged version in force. Where room is no matter, the version before is kept for a way back, and what waited
/// waits no more.
///
/// # Errors
/// [`StoreError`]; the version before stays in force then.
pub fn adopt(storage: &mut dyn Storage, id: &str) -> Result<(), StoreError> {
    let in_force = key(id, Slot::InForce)?;
    if keeps_versions(storage) {
        match storage.copy(&in_force, &key(id, Slot::Before)?) {
            Ok(()) | Err(StorageError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        storage.remove(&key(id, Slot::Waiting)?)?;
    }
    Ok(storage.rename(&key(id, Slot::Staged)?, &in_force)?)
}

/// Gives a version another part: the staged one waits, or the one that waited or was in force before is staged again, the
/// latter as a copy.
///
/// # Errors
/// [`StoreError`]; nothing changes then.
pub fn shift(storage: &mut dyn Storage, id: &str, from: Slot, to: Slot) -> Result<(), StoreError> {
    let (from_key, to_key) = (key(id, from)?, key(id, to)?);
    if from == Slot::Before {
        storage.copy(&from_key, &to_key)?;
    } else {
        storage.rename(&from_key, &to_key)?;
    }
    Ok(())
}

/// Gives up the staged version; none is no error.
///
/// # Errors
/// [`StoreError`] when the storage refuses.
pub fn discard(storage: &mut dyn Storage, id: &str) -> Result<(), StoreError> {
    Ok(storage.remove(&key(id, Slot::Staged)?)?)
}

/// Stores a record in force for the plugin `id`, in place of the one before.
///
/// # Errors
/// [`StoreError`]; the record before is kept then.
pub fn save(storage: &mut dyn Storage, id: &str, record: &[u8]) -> Result<(), StoreError> {
    Ok(storage.replace(&key(id, Slot::InForce)?, record)?)
}

/// Loads one version of a package, of at most `bytes_max`; `None` when it is not stored.
///
/// # Errors
/// [`StoreError`] for a damaged record or storage.
pub fn load(storage: &mut dyn Storage, id: &str, slot: Slot, bytes_max: u32) -> Result<Option<Package>, StoreError> {
    let key = key(id, slot)?;
    if let Some((json, wasm, lease)) = mapped(storage, &key)? {
        return Ok(Some(Package { lease: Some(lease), ..Manifest::parse(json)?.with_wasm(wasm)? }));
    }
    match storage.read_all(&key, bytes_max) {
        Ok(record) => Ok(Some(read_record(&record)?)),
        Err(StorageError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a record says of itself, without its module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its `package.json`.
    pub manifest: Manifest,
    /// The folder of its files, below `skiff/web/`.
    pub folder: String,
}

/// Reads what a record says of itself; `None` where there is none that can be read.
pub fn describe(storage: &mut dyn Storage, id: &str, slot: Slot) -> Option<Described> {
    let key = key(id, slot).ok()?;
    let mut first = [0; HEADER_BYTES];
    let count = storage.read(&key, 0, &mut first).ok()?;
    let header = header(first.get(..count)?).filter(|header| header.json_bytes <= PACKAGE_JSON_BYTES_MAX)?;
    let (mut json, mut read) = (alloc::vec![0; header.json_bytes], 0);
    while let Some(rest) = json.get_mut(read..).filter(|rest| !rest.is_empty()) {
        let offset = u32::try_from(header.bytes + read).ok()?;
        match storage.read(&key, offset, rest).ok()? {
            0 => return None,
            more => read += more,
        }
    }
    let folder = header.tag.map_or_else(|| id.to_string(), |tag| files_folder(id, tag));
    Some(Described { manifest: Manifest::parse(&json).ok()?, folder })
}

/// Returns the package name in a record in force; `None` where there is none that can be read.
pub fn name(storage: &mut dyn Storage, id: &str) -> Option<String> {
    Some(describe(storage, id, Slot::InForce)?.manifest.name().to_string())
}

/// Returns a record of the layout before as one of this layout, which names a folder: that name and the record. `None`
/// for a record of this layout and where there is none.
///
/// # Errors
/// [`StoreError`] for a damaged record or storage.
pub fn with_tag(storage: &mut dyn Storage, id: &str, bytes_max: u32) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let before = match storage.read_all(&key(id, Slot::InForce)?, bytes_max) {
        Ok(before) => before,
        Err(StorageError::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (json, wasm) = parts(&before)?;
    if before.starts_with(MAGIC) {
        return Ok(None);
    }
    // The same each time, in case the power goes between the two names.
    let tag = u64::from(crc32(&before)) << 32 | before.len() as u64;
    Ok(Some((files_folder(id, tag), record(json, wasm, tag))))
}

/// Tells whether the package `package` is stored under its id; one of another name is not meant, a damaged one is.
pub fn holds(storage: &mut dyn Storage, id: &str, package: &str) -> bool {
    key(id, Slot::InForce).is_ok_and(|key| storage.len(&key).is_ok())
        && name(storage, id).is_none_or(|stored| stored == package)
}

/// Removes a package with every version of it; none is no error.
///
/// # Errors
/// [`StoreError`] when the storage refuses.
pub fn remove(storage: &mut dyn Storage, id: &str) -> Result<(), StoreError> {
    // The one in force goes last: without it the others are nobody's.
    for slot in Slot::ALL {
        storage.remove(&key(id, *slot)?)?;
    }
    Ok(())
}

/// Visits the ids of the records of one kind.
fn ids(storage: &mut dyn Storage, slot: Slot) -> Vec<String> {
    let mut ids = Vec::new();
    // A storage that cannot be listed has no packages to offer; the first write will tell.
    let _ = storage.list(FOLDER, &mut |key, _| {
        ids.extend(
            key.as_str()
                .strip_prefix(FOLDER)
                .and_then(|name| name.strip_suffix(slot.ending()))
                .map(ToString::to_string),
        );
        if ids.len() < RECORDS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    sorted::sort(&mut ids);
    ids
}

/// Returns the ids of the packages that are stored, sorted.
pub fn stored_ids(storage: &mut dyn Storage) -> Vec<String> {
    ids(storage, Slot::InForce)
}

/// Returns the folders with files of a package: each version that is stored names one. `None` where a record is there and
/// cannot be read now: nobody knows then which folders it takes.
pub fn folders(storage: &mut dyn Storage, id: &str) -> Option<Vec<String>> {
    let mut named = Vec::new();
    for slot in Slot::ALL {
        match describe(storage, id, *slot) {
            Some(described) => named.push(described.folder),
            None if storage.len(&key(id, *slot).ok()?) == Err(StorageError::NotFound) => {}
            None => return None,
        }
    }
    Some(named)
}

/// Loads every stored package by its id, and says of each that cannot be used why. Versions that were staged when the
/// power went are given up.
pub fn load_all(storage: &mut dyn Storage, bytes_max: u32) -> Vec<(String, Result<Package, StoreError>)> {
    for id in ids(storage, Slot::Staged) {
        // One that stays takes room, and is given up at the next start.
        let _ = discard(storage, &id);
    }
    stored_ids(storage)
        .into_iter()
        .filter_map(|id| match load(storage, &id, Slot::InForce, bytes_max) {
            Ok(package) => Some((id, Ok(package?))),
            Err(error) => Some((id, Err(error))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::SimStorage;

    fn record_of(name: &str) -> Vec<u8> {
        let json = format!(
            r#"{{"name":"{name}","version":"1.2.3","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm"}}"#
        );
        record(json.as_bytes(), b"\0asm\x01\0\0\0", 0x1234)
    }

    #[test]
    fn a_package_comes_back_as_it_was_stored() {
        let mut storage = SimStorage::new();
        save(&mut storage, "_acme_tide", &record_of("@acme/tide")).unwrap();
        let package = load(&mut storage, "_acme_tide", Slot::InForce, 10_000).unwrap().unwrap();
        assert_eq!((package.name.as_str(), package.version.as_str(), package.wasm.len()), ("@acme/tide", "1.2.3", 8));
        assert_eq!(name(&mut storage, "_acme_tide").as_deref(), Some("@acme/tide"));
        assert_eq!(load_all(&mut storage, 10_000).len(), 1);
        remove(&mut storage, "_acme_tide").unwrap();
        assert_eq!(load(&mut storage, "_acme_tide", Slot::InForce, 10_000), Ok(None));
    }

    #[test]
    fn a_damaged_record_is_told_and_harms_no_other() {
        let mut storage = SimStorage::new();
        let good = record_of("good");
        save(&mut storage, "good", &good).unwrap();
        for (id, bytes) in
            [("empty", &b""[..]), ("magic", b"SKPKG\0\0\x03"), ("cut", &good[..22]), ("short", &good[..good.len() - 9])]
        {
            save(&mut storage, id, bytes).unwrap();
            assert!(matches!(load(&mut storage, id, Slot::InForce, 10_000), Err(StoreError::Package(_))), "{id}");
            assert_eq!(name(&mut storage, id), None, "{id}");
        }
        let all = load_all(&mut storage, 10_000);
        assert_eq!((all.len(), all.iter().filter(|(_, package)| package.is_ok()).count()), (5, 1));
        let large = load(&mut storage, "good", Slot::InForce, 20);
        assert!(matches!(large, Err(StoreError::Storage(StorageError::TooLong { .. }))));
    }

    #[test]
    fn a_record_of_the_layout_before_is_read_and_names_the_folder_of_that_layout() {
        let mut storage = SimStorage::new();
        let (mut old, new) = (MAGIC_1.to_vec(), record_of("tide"));
        old.extend(&new[8..12]);
        old.extend(&new[HEADER_BYTES..]);
        save(&mut storage, "tide", &old).unwrap();
        assert_eq!(load(&mut storage, "tide", Slot::InForce, 10_000).unwrap().unwrap().name, "tide");
        assert_eq!(describe(&mut storage, "tide", Slot::InForce).unwrap().folder, "tide");
        save(&mut storage, "tide", &new).unwrap();
        assert_eq!(describe(&mut storage, "tide", Slot::InForce).unwrap().folder, "tide@0000000000001234");
    }

    #[test]
    fn the_version_before_is_kept_and_comes_back() {
        let mut storage = SimStorage::new();
        let (first, second) = (record_of("tide"), other_version(record_of("tide")));
        let version =
            |storage: &mut SimStorage, slot| Some(describe(storage, "tide", slot)?.manifest.version().to_string());
        for record in [&first, &second] {
            storage.replace(&key("tide", Slot::Staged).unwrap(), record).unwrap();
            adopt(&mut storage, "tide").unwrap();
        }
        assert_eq!(version(&mut storage, Slot::InForce).as_deref(), Some("9.9.9"));
        assert_eq!(version(&mut storage, Slot::Before).as_deref(), Some("1.2.3"));
        shift(&mut storage, "tide", Slot::Before, Slot::Staged).unwrap();
        adopt(&mut storage, "tide").unwrap();
        assert_eq!(version(&mut storage, Slot::InForce).as_deref(), Some("1.2.3"));
        assert_eq!(version(&mut storage, Slot::Before).as_deref(), Some("9.9.9"));
        assert_eq!(version(&mut storage, Slot::Staged), None);
        remove(&mut storage, "tide").unwrap();
        assert_eq!((load_all(&mut storage, 10_000).len(), folders(&mut storage, "tide")), (0, Some(Vec::new())));
        save(&mut storage, "tide", b"damaged").unwrap();
        assert_eq!(folders(&mut storage, "tide"), None, "its files may not be removed");
    }

    fn other_version(mut record: Vec<u8>) -> Vec<u8> {
        let at = record.windows(5).position(|bytes| bytes == b"1.2.3").unwrap();
        record[at..at + 5].copy_from_slice(b"9.9.9");
        record
    }
}
