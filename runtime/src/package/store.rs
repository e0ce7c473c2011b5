//! Packages that were installed over the network, one record each below `skiff/packages/`.
//!
//! A record holds `package.json` and the module behind a header, uncompressed, so that it is replaced by one atomic
//! write and a chip can use the module where it lies in flash. There a new version is staged beside the old one, runs
//! from its place, and is adopted once it has started.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;

use super::{Manifest, PACKAGE_JSON_BYTES_MAX, Package, PackageError};
use crate::hal::{Key, Lease, Storage, StorageError};
use crate::sorted;

/// Prefix of the records' keys.
const FOLDER: &str = "skiff/packages/";
/// Ending of the records' keys.
const ENDING: &str = ".pkg";
/// Ending of the keys of versions that have not started yet.
const STAGED_ENDING: &str = ".new";
/// First bytes of a record: name and version of this layout, then the length of `package.json`, little-endian.
const MAGIC: &[u8; 8] = b"SKPKG\0\0\x01";
const HEADER_BYTES: usize = 12;
/// Records looked at.
const RECORDS_MAX: usize = 256;

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

fn key(id: &str) -> Result<Key, StoreError> {
    Key::parse(&format!("{FOLDER}{id}{ENDING}")).map_err(|_| StoreError::Name)
}

fn staged_key(id: &str) -> Result<Key, StoreError> {
    Key::parse(&format!("{FOLDER}{id}{STAGED_ENDING}")).map_err(|_| StoreError::Name)
}

/// Returns the bytes that the record of a plugin could have.
///
/// # Errors
/// [`StoreError::Name`].
pub fn room(storage: &mut dyn Storage, id: &str) -> Result<u64, StoreError> {
    Ok(storage.room_for(&key(id)?))
}

/// Returns the bytes of a record with parts of these sizes.
pub(super) fn record_bytes(package_json: usize, wasm: usize) -> u64 {
    HEADER_BYTES.saturating_add(package_json).saturating_add(wasm) as u64
}

/// Returns the record of a package.
#[must_use]
pub fn record(package_json: &[u8], wasm: &[u8]) -> Vec<u8> {
    // `package.json` is bounded by PACKAGE_JSON_BYTES_MAX.
    let length = u32::try_from(package_json.len()).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(HEADER_BYTES + package_json.len() + wasm.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(package_json);
    out.extend_from_slice(wasm);
    out
}

/// Splits a record into `package.json` and module.
fn parts(record: &[u8]) -> Result<(&[u8], &[u8]), PackageError> {
    let damaged = || PackageError::Archive { clause: "the stored record is damaged" };
    let rest = record.strip_prefix(MAGIC).ok_or_else(damaged)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| damaged())?;
    rest.split_at_checked(length).ok_or_else(damaged)
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

/// Returns a stored package, whose `package.json` was read already, with its module where it lies; `None` where that is
/// not possible.
pub(super) fn in_place(storage: &mut dyn Storage, id: &str, manifest: Manifest) -> Result<Option<Package>, StoreError> {
    placed(storage, &key(id)?, manifest)
}

fn placed(storage: &mut dyn Storage, key: &Key, manifest: Manifest) -> Result<Option<Package>, StoreError> {
    let Some((_, wasm, lease)) = mapped(storage, key)? else { return Ok(None) };
    Ok(Some(Package { lease: Some(lease), ..manifest.with_wasm(wasm)? }))
}

/// Stores a new version beside the one that is in force, and returns it as it lies there; `None` where that is not
/// possible.
pub(super) fn stage(
    storage: &mut dyn Storage,
    id: &str,
    record: &[u8],
    manifest: Manifest,
) -> Result<Option<Package>, StoreError> {
    let key = staged_key(id)?;
    storage.replace(&key, record)?;
    placed(storage, &key, manifest)
}

/// Puts the staged version in force.
///
/// # Errors
/// [`StoreError`]; the version before stays in force then.
pub fn adopt(storage: &mut dyn Storage, id: &str) -> Result<(), StoreError> {
    Ok(storage.rename(&staged_key(id)?, &key(id)?)?)
}

/// Gives up the staged version; none is no error.
///
/// # Errors
/// [`StoreError`] when the storage refuses.
pub fn discard(storage: &mut dyn Storage, id: &str) -> Result<(), StoreError> {
    Ok(storage.remove(&staged_key(id)?)?)
}

/// Stores a record for the plugin `id`, in place of the one before.
///
/// # Errors
/// [`StoreError`]; the record before is kept then.
pub fn save(storage: &mut dyn Storage, id: &str, record: &[u8]) -> Result<(), StoreError> {
    Ok(storage.replace(&key(id)?, record)?)
}

/// Loads one package of at most `bytes_max`; `None` when it is not stored.
///
/// # Errors
/// [`StoreError`] for a damaged record or storage.
pub fn load(storage: &mut dyn Storage, id: &str, bytes_max: u32) -> Result<Option<Package>, StoreError> {
    let key = key(id)?;
    if let Some((json, wasm, lease)) = mapped(storage, &key)? {
        return Ok(Some(Package { lease: Some(lease), ..Manifest::parse(json)?.with_wasm(wasm)? }));
    }
    match storage.read_all(&key, bytes_max) {
        Ok(record) => Ok(Some(read_record(&record)?)),
        Err(StorageError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the package name in a record; `None` where there is none that can be read.
pub fn name(storage: &mut dyn Storage, id: &str) -> Option<String> {
    let key = key(id).ok()?;
    let mut header = [0; HEADER_BYTES];
    if storage.read(&key, 0, &mut header).ok()? < HEADER_BYTES {
        return None;
    }
    let (magic, length) = header.split_first_chunk::<8>()?;
    let length = u32::from_le_bytes(length.try_into().ok()?);
    let length = usize::try_from(length).ok().filter(|length| magic == MAGIC && *length <= PACKAGE_JSON_BYTES_MAX)?;
    let (mut json, mut read) = (alloc::vec![0; length], 0);
    while let Some(rest) = json.get_mut(read..).filter(|rest| !rest.is_empty()) {
        let offset = u32::try_from(HEADER_BYTES + read).ok()?;
        match storage.read(&key, offset, rest).ok()? {
            0 => return None,
            more => read += more,
        }
    }
    Some(Manifest::parse(&json).ok()?.name().to_string())
}

/// Tells whether the package `package` is stored under its id; one of another name is not meant, a damaged one is.
pub fn holds(storage: &mut dyn Storage, id: &str, package: &str) -> bool {
    key(id).is_ok_and(|key| storage.len(&key).is_ok()) && name(storage, id).is_none_or(|stored| stored == package)
}

/// Removes a package; none is no error.
///
/// # Errors
/// [`StoreError`] when the storage refuses.
pub fn remove(storage: &mut dyn Storage, id: &str) -> Result<(), StoreError> {
    Ok(storage.remove(&key(id)?)?)
}

/// Loads every stored package by its id, and says of each that cannot be used why. Versions that were staged when the
/// power went are given up.
pub fn load_all(storage: &mut dyn Storage, bytes_max: u32) -> Vec<(String, Result<Package, StoreError>)> {
    let (mut ids, mut staged) = (Vec::new(), Vec::new());
    // A storage that cannot be listed has no packages to offer; the first write will tell.
    let _ = storage.list(FOLDER, &mut |key, _| {
        let id = |ending| key.as_str().strip_prefix(FOLDER).and_then(|name| name.strip_suffix(ending));
        ids.extend(id(ENDING).map(ToString::to_string));
        staged.extend(id(STAGED_ENDING).map(ToString::to_string));
        if ids.len().max(staged.len()) < RECORDS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    for id in staged {
        // One that stays takes room, and is given up at the next start.
        let _ = discard(storage, &id);
    }
    sorted::sort(&mut ids);
    ids.into_iter()
        .filter_map(|id| match load(storage, &id, bytes_max) {
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
        record(json.as_bytes(), b"\0asm\x01\0\0\0")
    }

    #[test]
    fn a_package_comes_back_as_it_was_stored() {
        let mut storage = SimStorage::new();
        save(&mut storage, "_acme_tide", &record_of("@acme/tide")).unwrap();
        let package = load(&mut storage, "_acme_tide", 10_000).unwrap().unwrap();
        assert_eq!((package.name.as_str(), package.version.as_str(), package.wasm.len()), ("@acme/tide", "1.2.3", 8));
        assert_eq!(name(&mut storage, "_acme_tide").as_deref(), Some("@acme/tide"));
        assert_eq!(load_all(&mut storage, 10_000).len(), 1);
        remove(&mut storage, "_acme_tide").unwrap();
        assert_eq!(load(&mut storage, "_acme_tide", 10_000), Ok(None));
    }

    #[test]
    fn a_damaged_record_is_told_and_harms_no_other() {
        let mut storage = SimStorage::new();
        let good = record_of("good");
        save(&mut storage, "good", &good).unwrap();
        for (id, bytes) in
            [("empty", &b""[..]), ("magic", b"SKPKG\0\0\x02"), ("cut", &good[..14]), ("short", &good[..good.len() - 9])]
        {
            save(&mut storage, id, bytes).unwrap();
            assert!(matches!(load(&mut storage, id, 10_000), Err(StoreError::Package(_))), "{id}");
            assert_eq!(name(&mut storage, id), None, "{id}");
        }
        let all = load_all(&mut storage, 10_000);
        assert_eq!((all.len(), all.iter().filter(|(_, package)| package.is_ok()).count()), (5, 1));
        let large = load(&mut storage, "good", 20);
        assert!(matches!(large, Err(StoreError::Storage(StorageError::TooLong { .. }))));
    }
}
