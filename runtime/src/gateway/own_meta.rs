//! Meta of the own vessel that its owner set, zones among it: `PUT …/meta/zones`, kept in `skiff/baseDeltas.json`.
//!
//! The file has the form of Signal K Server's `baseDeltas.json`: a list of deltas. Chips have no room for the code of it:
//! there nothing handles such a PUT.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Gateway;
use crate::config::{ConfigError, ConfigReason};
use crate::delta::{Delta, Stamp};
use crate::hal::{Key, Storage, StorageError};
use crate::json::{self, JsonError};
use crate::model::Model;
use crate::server::put::{Put, PutState};
use crate::time::UnixMillis;

const FILE: &str = "skiff/baseDeltas.json";
/// Bytes of the file; zones of a path have about 200.
const FILE_BYTES_MAX: u32 = 32 * 1024;
/// `$source` of what the owner set.
const SOURCE: &str = "defaults";

/// It is compiled with `std` alone.
const IS_KEPT: bool = cfg!(any(test, feature = "std"));

/// Returns the path that a change of meta is for, and the member that changes: `zones` of `a.b.meta.zones`.
fn changes(path: &str) -> Option<(&str, Option<&str>)> {
    if let Some(of) = path.strip_suffix(".meta") {
        return Some((of, None));
    }
    let (of, member) = path.rsplit_once('.')?;
    Some((of.strip_suffix(".meta")?, Some(member)))
}

/// Reads what was set; without a file it is nothing.
fn read(storage: &mut dyn Storage, self_context: &str) -> Result<Vec<Delta>, ConfigError> {
    let refuse = |reason| ConfigError::new(FILE, reason);
    let key = Key::parse(FILE).map_err(|_| refuse(ConfigReason::Name))?;
    let bytes = match storage.read_all(&key, FILE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(StorageError::NotFound) => return Ok(Vec::new()),
        Err(error) => return Err(refuse(ConfigReason::Storage(error))),
    };
    let stamp = Stamp { source_ref: SOURCE, self_context, now: UnixMillis::UNKNOWN };
    let mut deltas = Vec::new();
    let text = core::str::from_utf8(&bytes).ok().and_then(|text| json::compact(text).ok());
    let read = json::items::<JsonError>(text.as_deref().unwrap_or_default(), |item| {
        deltas.extend(Delta::parse(item, &stamp).ok());
        Ok(())
    });
    if read.is_ok() { Ok(deltas) } else { Err(refuse(ConfigReason::Damaged)) }
}

/// Brings what was set into the model.
pub(super) fn load(storage: &mut dyn Storage, model: &mut Model) {
    if !IS_KEPT {
        return;
    }
    match read(storage, model.self_context()) {
        Ok(deltas) => deltas.into_iter().for_each(|delta| drop(model.take_in(Arc::new(delta)))),
        Err(error) => log::warn!("{error}"),
    }
}

/// Keeps the members of `meta` for a path, beside what was set before.
fn keep(storage: &mut dyn Storage, self_context: &str, path: &str, meta: &str) -> Result<(), ConfigError> {
    let deltas = read(storage, self_context)?;
    let metas = deltas.iter().flat_map(Delta::updates).flat_map(|update| update.meta());
    let mut rows: Vec<(&str, String)> = metas.map(|(path, meta)| (path, meta.into())).collect();
    let at = rows.iter().position(|(known, _)| *known == path).unwrap_or(rows.len());
    if at == rows.len() {
        rows.push((path, String::from("{}")));
    }
    if let Some((_, row)) = rows.get_mut(at) {
        // The caller has an object.
        let _ = json::members::<JsonError>(meta, |name, value| {
            *row = json::with_member(row, name, value);
            Ok(())
        });
    }
    let text = json::list(|file| {
        file.object(|delta| {
            delta.text("context", "vessels.self").list("updates", |updates| {
                updates.object(|update| {
                    update.list("meta", |entries| {
                        for (path, meta) in &rows {
                            entries.object(|entry| {
                                entry.text("path", path).json("value", meta);
                            });
                        }
                    });
                });
            });
        });
    });
    let refuse = |reason| ConfigError::new(FILE, reason);
    if text.len() > FILE_BYTES_MAX as usize {
        return Err(refuse(ConfigReason::Storage(StorageError::Full)));
    }
    let key = Key::parse(FILE).map_err(|_| refuse(ConfigReason::Name))?;
    storage.replace(&key, text.as_bytes()).map_err(|error| refuse(ConfigReason::Storage(error)))
}

impl Gateway {
    /// Sets meta of the own vessel; `None` where something else is to be changed.
    pub(super) fn put_meta(&mut self, put: &Put) -> Option<PutState> {
        let (path, member) = changes(&put.path).filter(|_| IS_KEPT)?;
        let self_context = &*self.setup.self_context;
        if !matches!(&*put.context, "" | "self" | "vessels.self") && put.context != self_context {
            return None;
        }
        let meta = match member {
            None => put.value.clone(),
            Some(member) => json::object(|meta| {
                meta.json(member, &put.value);
            }),
        };
        let zones = json::member(&meta, "zones").unwrap_or("[]");
        if !meta.starts_with('{') || !zones.starts_with(['[', 'n']) {
            return Some(PutState::completed(400, "meta is an object, and zones are a list"));
        }
        let stamp = Stamp { source_ref: SOURCE, self_context, now: self.wall() };
        let delta = match Delta::of_meta("", path, &meta, &stamp) {
            Ok(delta) => delta,
            Err(error) => return Some(PutState::completed(400, &error.to_string())),
        };
        if let Err(error) = keep(&mut *self.hal.storage, self_context, path, &meta) {
            return Some(PutState::completed(507, &error.to_string()));
        }
        self.take_in(delta, 0);
        Some(PutState { message: None, ..PutState::completed(200, "") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits};
    use crate::hal::sim::SimStorage;

    #[test]
    fn what_a_path_changes() {
        assert_eq!(changes("a.b.meta.zones"), Some(("a.b", Some("zones"))));
        assert_eq!(changes("a.b.meta"), Some(("a.b", None)));
        for other in ["a.b", "meta", "meta.zones", "a.meta.b.c", "a.metazones"] {
            assert_eq!(changes(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_set_is_there_after_a_restart_member_by_member() {
        let mut storage = SimStorage::new();
        keep(&mut storage, "vessels.x", "a.b", r#"{"zones":[{"lower":1,"state":"alarm"}]}"#).unwrap();
        keep(&mut storage, "vessels.x", "a.c", r#"{"units":"m"}"#).unwrap();
        keep(&mut storage, "vessels.x", "a.b", r#"{"displayName":"B","zones":[]}"#).unwrap();
        let mut model = Model::new(&Limits::of(Board::Linux), "vessels.x");
        load(&mut storage, &mut model);
        assert_eq!(model.meta_at("", "a.b").as_deref(), Some(r#"{"zones":[],"displayName":"B"}"#));
        assert_eq!(model.meta_at("", "a.c").as_deref(), Some(r#"{"units":"m"}"#));
    }

    #[test]
    fn a_damaged_file_is_kept_and_a_full_one_refuses() {
        let mut storage = SimStorage::new();
        let key = Key::parse(FILE).unwrap();
        storage.replace(&key, b"{nonsense").unwrap();
        assert!(keep(&mut storage, "vessels.x", "a.b", "{}").is_err());
        assert_eq!(storage.read_all(&key, 100).unwrap(), b"{nonsense");
        storage.replace(&key, b"[]").unwrap();
        let long = std::format!(r#"{{"description":"{}"}}"#, "x".repeat(FILE_BYTES_MAX as usize));
        assert!(keep(&mut storage, "vessels.x", "a.b", &long).is_err());
        assert_eq!(storage.read_all(&key, 100).unwrap(), b"[]");
    }
}
