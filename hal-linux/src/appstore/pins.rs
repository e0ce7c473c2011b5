//! The hashes of the versions that were loaded, by package: `skiff/pins/<id>.json`, `{"name","versions":{"1.0.0":"sha512-…"}}`.
//!
//! A version is never published twice. One that comes with another hash than before was exchanged by somebody, and is
//! refused, be it that the registry says the new hash itself.

use serde_json::{Map, Value, json};
use skiff_runtime::hal::{Key, Storage, StorageError};
use skiff_runtime::package::plugin_id;

use super::integrity::Integrity;
use super::registry::RegistryError;
use super::release::Release;

/// Versions that are remembered of a package; the one that was first remembered is forgotten first.
const VERSIONS_MAX: usize = 32;
/// Bytes of a file.
const BYTES_MAX: u32 = 16 * 1024;

fn key(name: &str) -> Result<Key, StorageError> {
    Key::parse(&format!("skiff/pins/{}.json", plugin_id(name))).map_err(|_| StorageError::Failed)
}

fn load(storage: &mut dyn Storage, name: &str) -> Map<String, Value> {
    let text = key(name).and_then(|key| storage.read_all(&key, BYTES_MAX)).unwrap_or_default();
    let Ok(Value::Object(mut file)) = serde_json::from_slice(&text) else { return Map::new() };
    // Two names can make one id; the pins of another package say nothing of this one.
    if file.get("name").and_then(Value::as_str) != Some(name) {
        return Map::new();
    }
    match file.get_mut("versions").map(Value::take) {
        Some(Value::Object(versions)) => versions,
        _ => Map::new(),
    }
}

/// Returns the hash that a version had when it was loaded before.
pub fn pinned(storage: &mut dyn Storage, name: &str, version: &str) -> Option<Integrity> {
    load(storage, name).get(version).and_then(Value::as_str).and_then(Integrity::parse)
}

/// Refuses a version that has another hash than when it was loaded before.
///
/// # Errors
/// [`RegistryError::Changed`].
pub fn check_pin(storage: &mut dyn Storage, release: &Release) -> Result<(), RegistryError> {
    let version = release.version.to_string();
    match pinned(storage, &release.name, &version) {
        Some(before) if before != release.integrity => {
            Err(RegistryError::Changed(format!("{} {version}", release.name)))
        }
        _ => Ok(()),
    }
}

/// Remembers the hash of a version.
///
/// # Errors
/// [`StorageError`]; what was remembered before still is then.
pub fn pin(storage: &mut dyn Storage, release: &Release) -> Result<(), StorageError> {
    let mut versions = load(storage, &release.name);
    let version = release.version.to_string();
    if versions.contains_key(&version) {
        return Ok(());
    }
    while versions.len() >= VERSIONS_MAX {
        // By their order in the file, which is that of their texts.
        let Some(first) = versions.keys().next().cloned() else { break };
        versions.remove(&first);
    }
    versions.insert(version, json!(release.integrity.to_string()));
    let file = json!({ "name": release.name, "versions": versions });
    storage.replace(&key(&release.name)?, file.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_runtime::hal::sim::SimStorage;

    fn release(name: &str, version: &str, archive: &[u8]) -> Release {
        Release {
            name: name.into(),
            version: version.parse().unwrap(),
            tarball: String::new(),
            integrity: Integrity::of(archive),
            deprecated: None,
        }
    }

    #[test]
    fn a_version_keeps_its_hash() {
        let mut storage = SimStorage::new();
        let first = release("@acme/tide", "1.0.0", b"one");
        check_pin(&mut storage, &first).unwrap();
        pin(&mut storage, &first).unwrap();
        check_pin(&mut storage, &first).unwrap();
        assert_eq!(pinned(&mut storage, "@acme/tide", "1.0.0"), Some(first.integrity));
        let exchanged = release("@acme/tide", "1.0.0", b"two");
        assert_eq!(check_pin(&mut storage, &exchanged), Err(RegistryError::Changed("@acme/tide 1.0.0".into())));
        pin(&mut storage, &exchanged).unwrap();
        assert_eq!(pinned(&mut storage, "@acme/tide", "1.0.0"), Some(first.integrity), "the first one holds");
        check_pin(&mut storage, &release("@acme/tide", "1.0.1", b"two")).unwrap();
        check_pin(&mut storage, &release("_acme_tide", "1.0.0", b"two")).unwrap();
    }

    #[test]
    fn so_many_versions_are_remembered_and_no_more() {
        let mut storage = SimStorage::new();
        for minor in 0..2 * VERSIONS_MAX {
            pin(&mut storage, &release("tide", &format!("1.{minor}.0"), b"x")).unwrap();
        }
        assert_eq!(load(&mut storage, "tide").len(), VERSIONS_MAX);
        assert!(pinned(&mut storage, "tide", &format!("1.{}.0", 2 * VERSIONS_MAX - 1)).is_some());
    }
}
