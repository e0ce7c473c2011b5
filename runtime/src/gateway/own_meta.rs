//! Meta of the own vessel that its owner set, zones among it: `PUT …/meta/zones`, kept in `skiff/baseDeltas.json`.
//!
//! The file has the form of Signal K Server's `baseDeltas.json`: a list of deltas. What its owner put there by hand stays as
//! it is; what is set here is one more delta, the last. Chips have no room for the code of it: there nothing handles such
//! a PUT.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Gateway;
use crate::accounts::Role;
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
pub(super) const SOURCE: &str = "defaults";
/// That of a Signal K folder, which is only read.
#[cfg(any(test, feature = "server-routes"))]
const FILE_OF_SIGNAL_K: &str = "baseDeltas.json";
/// Bytes of that file; it has the meta of everything its owner ever named.
#[cfg(any(test, feature = "server-routes"))]
const FOLDER_BYTES_MAX: u32 = 256 * 1024;
/// How the item begins that describes the vessel; it stands before that with meta.
#[cfg(any(test, feature = "server-routes"))]
pub(super) const VESSEL_START: &str =
    r#"{"context":"vessels.self","updates":[{"$source":"defaults","values":[{"path":"","value":{"#;

/// How an item that is made here begins, and ends.
const OWN_START: &str = r#"{"context":"vessels.self","updates":[{"meta":["#;
const OWN_END: &str = "]}]}";

/// It is compiled with `std` alone.
pub(super) const IS_KEPT: bool = cfg!(any(test, feature = "std"));

/// Returns the path that a change of meta is for, and the member that changes: `zones` of `a.b.meta.zones`.
fn changes(path: &str) -> Option<(&str, Option<&str>)> {
    if let Some(of) = path.strip_suffix(".meta") {
        return Some((of, None));
    }
    let (of, member) = path.rsplit_once('.')?;
    Some((of.strip_suffix(".meta")?, Some(member)))
}

/// Reads the file's items; without a file there are none.
fn read(storage: &mut dyn Storage) -> Result<Vec<String>, ConfigError> {
    read_file(storage, FILE, FILE_BYTES_MAX)
}

fn read_file(storage: &mut dyn Storage, file: &str, bytes_max: u32) -> Result<Vec<String>, ConfigError> {
    let refuse = |reason| ConfigError::new(file, reason);
    let key = Key::parse(file).map_err(|_| refuse(ConfigReason::Name))?;
    let bytes = match storage.read_all(&key, bytes_max) {
        Ok(bytes) => bytes,
        Err(StorageError::NotFound) => return Ok(Vec::new()),
        Err(error) => return Err(refuse(ConfigReason::Storage(error))),
    };
    let mut items = Vec::new();
    let text = core::str::from_utf8(&bytes).ok().and_then(|text| json::compact(text).ok());
    let read = json::items::<JsonError>(text.as_deref().unwrap_or_default(), |item| {
        items.push(item.to_string());
        Ok(())
    });
    if read.is_ok() { Ok(items) } else { Err(refuse(ConfigReason::Damaged)) }
}

/// Returns path and meta of each entry of an item that is made here: `{"context":"vessels.self","updates":[{"meta":[…]}]}`;
/// `None` of any other.
fn own_rows(item: &str) -> Option<Vec<(String, String)>> {
    let rest = item.strip_prefix(OWN_START)?.strip_suffix(OWN_END)?;
    let mut rows = Vec::new();
    let list = json::list(|out| {
        out.json(rest);
    });
    json::items::<JsonError>(&list, |entry| {
        let path = json::member(entry, "path").and_then(json::string).ok_or(JsonError::WrongKind)?;
        let meta = json::member(entry, "value").ok_or(JsonError::WrongKind)?;
        rows.push((path.into_owned(), meta.to_string()));
        Ok(())
    })
    .ok()?;
    Some(rows)
}

/// Brings what was set into the model.
pub(super) fn load(storage: &mut dyn Storage, model: &mut Model) {
    if !IS_KEPT {
        return;
    }
    #[cfg(any(test, feature = "server-routes"))]
    {
        take_in(read_file(storage, FILE_OF_SIGNAL_K, FOLDER_BYTES_MAX), FILE_OF_SIGNAL_K, model);
        // Who the vessel is stands in `skiff/identity.json`, for which the folder's uuid was taken at the first start.
        let urn = model.self_context().split_once('.').map(|(_, urn)| urn.to_string());
        if let Some(urn) = urn.filter(|urn| urn.starts_with("urn:mrn:signalk:uuid:")) {
            model.describe_self("uuid", &urn);
        }
    }
    take_in(read(storage), FILE, model);
}

fn take_in(items: Result<Vec<String>, ConfigError>, file: &str, model: &mut Model) {
    match items {
        Err(error) => log::warn!("{error}"),
        Ok(items) => {
            for item in items {
                let stamp = Stamp { source_ref: SOURCE, self_context: model.self_context(), now: UnixMillis::UNKNOWN };
                match Delta::parse(&item, &stamp) {
                    Ok(delta) => model.apply_set(&delta),
                    Err(error) => log::warn!("{file}: {error}"),
                }
            }
        }
    }
}

/// Returns the uuid that an item gives the own vessel.
#[cfg(any(test, feature = "server-routes"))]
fn uuid_of(item: &str) -> Option<String> {
    let mut found = None;
    let _ = json::items::<JsonError>(json::member(item, "updates")?, |update| {
        json::items::<JsonError>(json::member(update, "values").unwrap_or("[]"), |entry| {
            let root = json::member(entry, "path").filter(|path| *path == "\"\"").and(json::member(entry, "value"));
            found = root
                .and_then(|root| json::member(root, "uuid"))
                .and_then(json::string)
                .map(String::from)
                .or(found.take());
            Ok(())
        })
    });
    found
}

/// Returns the uuid that a Signal K folder gives the own vessel.
#[cfg(any(test, feature = "server-routes"))]
pub(super) fn uuid_of_folder(storage: &mut dyn Storage) -> Option<String> {
    // A file that cannot be read is told when the rest of it is.
    let items = read_file(storage, FILE_OF_SIGNAL_K, FOLDER_BYTES_MAX).ok()?;
    items.iter().find_map(|item| uuid_of(item))
}

/// Keeps the delta that describes the vessel, in place of the one before; it begins with [`VESSEL_START`].
#[cfg(any(test, feature = "server-routes"))]
pub(super) fn keep_vessel(storage: &mut dyn Storage, delta: &str) -> Result<(), ConfigError> {
    let mut items = read(storage)?;
    items.retain(|item| !item.starts_with(VESSEL_START));
    let has_meta = items.last().is_some_and(|last| own_rows(last).is_some());
    items.insert(items.len().saturating_sub(usize::from(has_meta)), delta.to_string());
    write(storage, &json::list(|file| items.iter().for_each(|item| _ = file.json(item))))
}

fn write(storage: &mut dyn Storage, text: &str) -> Result<(), ConfigError> {
    let refuse = |reason| ConfigError::new(FILE, reason);
    if text.len() > FILE_BYTES_MAX as usize {
        return Err(refuse(ConfigReason::Storage(StorageError::Full)));
    }
    let key = Key::parse(FILE).map_err(|_| refuse(ConfigReason::Name))?;
    storage.replace(&key, text.as_bytes()).map_err(|error| refuse(ConfigReason::Storage(error)))
}

/// What is kept, read: items that its owner put there, and the rows that are set here.
type Kept = (Vec<String>, Vec<(String, String)>);

fn kept(storage: &mut dyn Storage) -> Result<Kept, ConfigError> {
    let mut items = read(storage)?;
    let rows = items.pop_if(|last| own_rows(last).is_some()).and_then(|own| own_rows(&own)).unwrap_or_default();
    Ok((items, rows))
}

/// Keeps the members of `meta` for a path, beside what was set before.
fn keep(storage: &mut dyn Storage, path: &str, meta: &str) -> Result<(), ConfigError> {
    let (items, mut rows) = kept(storage)?;
    let at = rows.iter().position(|(known, _)| *known == path).unwrap_or(rows.len());
    if at == rows.len() {
        rows.push((path.into(), String::from("{}")));
    }
    if let Some((_, row)) = rows.get_mut(at) {
        // The caller has an object.
        let _ = json::members::<JsonError>(meta, |name, value| {
            *row = json::with_member(row, name, value);
            Ok(())
        });
    }
    store(storage, &items, &rows)
}

/// Forgets a member that was set for a path, or all of them; returns the names of those that were.
fn forget(storage: &mut dyn Storage, path: &str, member: Option<&str>) -> Result<Vec<String>, ConfigError> {
    let (items, mut rows) = kept(storage)?;
    let Some(at) = rows.iter().position(|(known, _)| *known == path) else { return Ok(Vec::new()) };
    let (_, row) = rows.remove(at);
    let mut gone = Vec::new();
    let rest = json::object(|rest| {
        // It was read before.
        let _ = json::members::<JsonError>(&row, |name, value| {
            if member.is_none_or(|member| member == name) {
                gone.push(name.to_string());
            } else {
                rest.json(name, value);
            }
            Ok(())
        });
    });
    if rest != "{}" {
        rows.insert(at, (path.into(), rest));
    }
    if !gone.is_empty() {
        store(storage, &items, &rows)?;
    }
    Ok(gone)
}

fn store(storage: &mut dyn Storage, items: &[String], rows: &[(String, String)]) -> Result<(), ConfigError> {
    let text = json::list(|file| {
        for item in items {
            file.json(item);
        }
        if rows.is_empty() {
            return;
        }
        file.object(|delta| {
            delta.text("context", "vessels.self").list("updates", |updates| {
                updates.object(|update| {
                    update.list("meta", |entries| {
                        for (path, meta) in rows {
                            entries.object(|entry| {
                                entry.text("path", path).json("value", meta);
                            });
                        }
                    });
                });
            });
        });
    });
    write(storage, &text)
}

impl Gateway {
    /// Sets meta of the own vessel, which is kept: `admin` only; `None` where something else is to be changed.
    pub(super) fn put_meta(&mut self, put: &Put, role: Option<Role>) -> Option<PutState> {
        let (path, member) = match self.change_of(put, role)? {
            Ok(change) => change,
            Err(refused) => return Some(refused),
        };
        let self_context = &*self.setup.self_context;
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
        if let Some(why) = crate::model::zones::refusal(zones).filter(|_| zones.starts_with('[')) {
            return Some(PutState::completed(400, &why));
        }
        let stamp = Stamp { source_ref: SOURCE, self_context, now: self.wall() };
        let delta = match Delta::of_meta("", path, &meta, &stamp) {
            Ok(delta) => delta,
            Err(error) => return Some(PutState::completed(400, &error.to_string())),
        };
        if let Err(error) = keep(&mut *self.hal.storage, path, &meta) {
            return Some(PutState::completed(507, &error.to_string()));
        }
        self.take_in(Arc::new(delta), 0);
        Some(PutState { message: None, ..PutState::completed(200, "") })
    }

    /// Takes away meta that was set, a member of it or all: `admin` only; `None` where something else is meant. What a source
    /// says of the path comes back when it says it again.
    pub(super) fn delete_meta(&mut self, put: &Put, role: Option<Role>) -> Option<PutState> {
        let (path, member) = match self.change_of(put, role)? {
            Ok(change) => change,
            Err(refused) => return Some(refused),
        };
        let gone = match forget(&mut *self.hal.storage, path, member) {
            Ok(gone) if gone.is_empty() => return Some(PutState::completed(404, "no such meta was set here")),
            Ok(gone) => gone,
            Err(error) => return Some(PutState::completed(507, &error.to_string())),
        };
        if gone.iter().any(|name| name == "zones") {
            // A value in no zone is calm: what the zones raised ends.
            let stamp = Stamp { source_ref: SOURCE, self_context: &self.setup.self_context, now: self.wall() };
            if let Ok(delta) = Delta::of_meta("", path, r#"{"zones":[]}"#, &stamp) {
                self.take_in(Arc::new(delta), 0);
            }
        }
        self.model.forget_meta(path, &gone);
        Some(PutState { message: None, ..PutState::completed(200, "") })
    }

    /// Returns the path and the member that are to be changed, or why this caller may not; `None` where it is no own meta.
    fn change_of<'p>(&self, put: &'p Put, role: Option<Role>) -> Option<Result<(&'p str, Option<&'p str>), PutState>> {
        let change = changes(&put.path).filter(|_| IS_KEPT)?;
        if !matches!(&*put.context, "" | "self" | "vessels.self") && put.context != *self.setup.self_context {
            return None;
        }
        if role != Some(Role::Admin) {
            return Some(Err(PutState::completed(403, "meta and zones are changed with a token of the role admin")));
        }
        Some(Ok(change))
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
        keep(&mut storage, "a.b", r#"{"zones":[{"lower":1,"state":"alarm"}]}"#).unwrap();
        keep(&mut storage, "a.c", r#"{"units":"m"}"#).unwrap();
        keep(&mut storage, "a.b", r#"{"displayName":"B","zones":[]}"#).unwrap();
        let mut model = Model::new(&Limits::of(Board::Linux), "vessels.x");
        load(&mut storage, &mut model);
        assert_eq!(model.meta_at("", "a.b").as_deref(), Some(r#"{"zones":[],"displayName":"B"}"#));
        assert_eq!(model.meta_at("", "a.c").as_deref(), Some(r#"{"units":"m"}"#));
    }

    #[test]
    fn what_was_set_is_forgotten_member_by_member_or_whole() {
        let mut storage = SimStorage::new();
        keep(&mut storage, "a.b", r#"{"units":"m","displayName":"B","zones":[]}"#).unwrap();
        keep(&mut storage, "a.c", r#"{"units":"s"}"#).unwrap();
        assert_eq!(forget(&mut storage, "a.b", Some("units")).unwrap(), ["units"]);
        assert_eq!(forget(&mut storage, "a.b", Some("units")).unwrap(), [""; 0]);
        assert_eq!(forget(&mut storage, "a.x", None).unwrap(), [""; 0]);
        assert_eq!(kept(&mut storage).unwrap().1.len(), 2);
        assert_eq!(forget(&mut storage, "a.b", None).unwrap(), ["displayName", "zones"]);
        assert_eq!(forget(&mut storage, "a.c", None).unwrap(), ["units"]);
        assert_eq!(storage.read_all(&Key::parse(FILE).unwrap(), 100).unwrap(), b"[]");
    }

    #[test]
    fn what_the_owner_put_there_by_hand_stays() {
        let mut storage = SimStorage::new();
        let key = Key::parse(FILE).unwrap();
        let by_hand = [
            r#"{"context":"vessels.self","updates":[{"values":[{"path":"design.draft","value":{"maximum":1.5}}]}]}"#,
            r#"{"context":"vessels.urn:mrn:imo:mmsi:211000000","updates":[{"meta":[{"path":"a.b","value":{"units":"K"}}]}]}"#,
            r#"{"context":"vessels.self","updates":[{"meta":[{"path":"a.b","value":{"units":"m","zones":[]}}],"$source":"me"}]}"#,
            r#"{"note":"no delta"}"#,
        ]
        .join(",");
        storage.replace(&key, std::format!("[ {by_hand} ]").as_bytes()).unwrap();
        for (path, meta) in
            [("a.b", r#"{"units":"ft"}"#), ("a.c", r#"{"units":"s"}"#), ("a.b", r#"{"displayName":"B"}"#)]
        {
            keep(&mut storage, path, meta).unwrap();
        }
        let own = r#"{"context":"vessels.self","updates":[{"meta":[{"path":"a.b","value":{"units":"ft","displayName":"B"}},{"path":"a.c","value":{"units":"s"}}]}]}"#;
        let written = String::from_utf8(storage.read_all(&key, 10_000).unwrap()).unwrap();
        assert_eq!(written, std::format!("[{by_hand},{own}]"));
        let mut model = Model::new(&Limits::of(Board::Linux), "vessels.x");
        load(&mut storage, &mut model);
        assert_eq!(model.meta_at("", "a.b").as_deref(), Some(r#"{"zones":[],"units":"ft","displayName":"B"}"#));
    }

    #[test]
    fn a_damaged_file_is_kept_and_a_full_one_refuses() {
        let mut storage = SimStorage::new();
        let key = Key::parse(FILE).unwrap();
        storage.replace(&key, b"{nonsense").unwrap();
        assert!(keep(&mut storage, "a.b", "{}").is_err());
        assert_eq!(storage.read_all(&key, 100).unwrap(), b"{nonsense");
        storage.replace(&key, b"[]").unwrap();
        let long = std::format!(r#"{{"description":"{}"}}"#, "x".repeat(FILE_BYTES_MAX as usize));
        assert!(keep(&mut storage, "a.b", &long).is_err());
        assert_eq!(storage.read_all(&key, 100).unwrap(), b"[]");
    }
}
