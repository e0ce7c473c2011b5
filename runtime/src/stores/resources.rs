//! Resources that the gateway keeps itself: one file each, as Signal K Server's resources-provider lays them out.
//!
//! ```text
//! resources/<type>/<id>         read; of an existing Signal K folder, never written
//! skiff/resources/<type>/<id>   read first, and written; `null` where one of the existing folder was deleted
//! ```
//!
//! A file is the resource as a client sent it, with `timestamp` and `$source` added. One that cannot be read is passed over
//! and told to the caller; it is never removed.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;

use super::{Search, is_forbidden};
use crate::hal::{Key, Storage, StorageError};
use crate::json;
use crate::time::UnixMillis;

/// Bytes of one resource; a region of 10,000 positions has about 400 KiB.
pub const RESOURCE_BYTES_MAX: u32 = 512 * 1024;
/// Resources of one type, those of an existing folder among them.
pub const RESOURCES_MAX: usize = 4096;
/// Bytes of all resources that are written here.
pub const ALL_RESOURCES_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Bytes of one listing.
pub const LISTING_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Types of resources.
pub const KINDS_MAX: usize = 32;
/// Letters of the name of a type.
const KIND_BYTES_MAX: usize = 32;
/// Files that are looked at to find the types, or those of one type.
const VISITED_MAX: usize = 65_536;

/// `$source` of what is kept here, the name that Signal K Server's provider has.
pub const SOURCE: &str = "resources-provider";
/// Types that are always there.
pub const STANDARD_KINDS: [&str; 5] = ["charts", "notes", "regions", "routes", "waypoints"];

const READ: &str = "resources/";
const OWN: &str = "skiff/resources/";
/// Content of the file of a resource that was deleted from the existing folder; no object is as short.
const DELETED: &[u8] = b"null";

/// Why a resource was not listed, read or kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceError {
    /// It is longer than [`RESOURCE_BYTES_MAX`].
    TooLong {
        /// Bytes it has.
        bytes: usize,
    },
    /// Its type has [`RESOURCES_MAX`] already, or its folder has more.
    TooMany {
        /// Resources of the type.
        count: usize,
    },
    /// All of them would have more than [`ALL_RESOURCES_BYTES_MAX`].
    NoRoom {
        /// Bytes that all would have.
        bytes: u64,
    },
    /// The listing would have more than [`LISTING_BYTES_MAX`].
    LongListing,
    /// The name of the type or the id cannot be that of a file.
    Name,
    /// The medium refused.
    Storage(StorageError),
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "the resource has {bytes} bytes, it may have {RESOURCE_BYTES_MAX}")
            }
            Self::TooMany { count } => {
                write!(f, "there would be {count} resources of this type, there may be {RESOURCES_MAX}")
            }
            Self::NoRoom { bytes } => {
                write!(f, "all resources would have {bytes} bytes, they may have {ALL_RESOURCES_BYTES_MAX}")
            }
            Self::LongListing => write!(
                f,
                "the listing would have more than {LISTING_BYTES_MAX} bytes; ask for less with limit, bbox or distance"
            ),
            Self::Name => f.write_str("this type and id are too long, or cannot be the name of a file"),
            Self::Storage(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for ResourceError {}

impl From<StorageError> for ResourceError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Tells whether `name` can be a type of resources: up to 32 letters, digits, `_` and `-`, none of JavaScript's own names.
#[must_use]
pub fn is_kind(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !name.is_empty()
        && name.len() <= KIND_BYTES_MAX
        && !name.starts_with('_')
        && name.bytes().all(plain)
        && !is_forbidden(name)
}

/// Where one resource lies.
#[derive(Clone, Debug)]
struct Place {
    read: Key,
    own: Key,
}

impl Place {
    fn of(kind: &str, id: &str) -> Result<Self, ResourceError> {
        let name = format!("{kind}/{id}");
        if !is_kind(kind) || id.contains('/') || id.starts_with('.') || is_forbidden(id) {
            return Err(ResourceError::Name);
        }
        let key = |folder: &str| Key::parse(&format!("{folder}{name}")).map_err(|_| ResourceError::Name);
        Ok(Self { read: key(READ)?, own: key(OWN)? })
    }
}

/// What a file of a resource holds.
enum Content {
    /// The resource, compact JSON with `timestamp`, where it is known, and `$source`.
    Resource(String),
    /// It was deleted.
    Deleted,
    /// No JSON object, or longer than a resource may be.
    Damaged,
}

fn content(storage: &mut dyn Storage, key: &Key) -> Result<Content, StorageError> {
    let bytes = match storage.read_all(key, RESOURCE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(StorageError::TooLong { .. }) => return Ok(Content::Damaged),
        Err(error) => return Err(error),
    };
    if bytes == DELETED && key.as_str().starts_with(OWN) {
        return Ok(Content::Deleted);
    }
    let text = core::str::from_utf8(&bytes).ok().and_then(|text| json::compact(text).ok());
    let Some(text) = text.filter(|text| text.starts_with('{')) else { return Ok(Content::Damaged) };
    if key.as_str().starts_with(OWN) {
        return Ok(Content::Resource(text));
    }
    Ok(Content::Resource(stamped(&text, storage.modified(key).unwrap_or(UnixMillis::UNKNOWN))))
}

/// Returns the resource with the time of its last change and its source.
fn stamped(resource: &str, changed: UnixMillis) -> String {
    let resource = json::with_member(resource, "$source", &json::quoted(SOURCE));
    if changed.is_known() {
        json::with_member(&resource, "timestamp", &json::quoted(&changed.text()))
    } else {
        resource
    }
}

/// Finds the types that have files, and the standard ones; sorted.
///
/// # Errors
/// [`StorageError`] when the folders cannot be listed.
pub fn kinds(storage: &mut dyn Storage) -> Result<Vec<String>, StorageError> {
    let mut found: BTreeSet<String> = STANDARD_KINDS.iter().map(ToString::to_string).collect();
    for folder in [READ, OWN] {
        let mut left = VISITED_MAX;
        storage.list(folder, &mut |key, _| {
            let kind = key.as_str().strip_prefix(folder).and_then(|name| name.split_once('/')).map(|(kind, _)| kind);
            if let Some(kind) = kind.filter(|kind| found.len() < KINDS_MAX && is_kind(kind))
                && !found.contains(kind)
            {
                found.insert(kind.into());
            }
            left = left.saturating_sub(1);
            if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
    }
    Ok(found.into_iter().collect())
}

/// A file of a type.
struct Row {
    id: String,
    is_own: bool,
    is_deleted: bool,
}

/// Returns the files of a type by id, the own one first where there are two.
fn rows(storage: &mut dyn Storage, kind: &str) -> Result<Vec<Row>, ResourceError> {
    let mut rows = Vec::new();
    for (folder, is_own) in [(OWN, true), (READ, false)] {
        let (prefix, mut count) = (format!("{folder}{kind}/"), 0_usize);
        storage.list(&prefix, &mut |key, bytes| {
            let id = key.as_str().strip_prefix(&*prefix).filter(|id| !id.contains('/') && !id.starts_with('.'));
            if let Some(id) = id {
                let is_deleted = is_own && usize::try_from(bytes) == Ok(DELETED.len());
                // Those that were deleted take nobody's place.
                count = count.saturating_add(usize::from(!is_deleted));
                rows.push(Row { id: id.into(), is_own, is_deleted });
            }
            let goes_on = count <= RESOURCES_MAX && rows.len() < VISITED_MAX;
            if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if count > RESOURCES_MAX {
            return Err(ResourceError::TooMany { count });
        }
    }
    rows.sort_unstable_by(|one, two| (&one.id, !one.is_own).cmp(&(&two.id, !two.is_own)));
    rows.dedup_by(|two, one| two.id == one.id);
    Ok(rows)
}

/// Lists the resources of a type that a search finds, by id, as one JSON object; calls `damaged` with the name of each
/// file that cannot be read. `also` are resources that lie elsewhere; a file of the same id counts more.
///
/// # Errors
/// [`ResourceError`] where there are too many, or the medium fails.
pub fn list(
    storage: &mut dyn Storage,
    kind: &str,
    search: &Search,
    also: &[(String, String)],
    damaged: &mut dyn FnMut(&str),
) -> Result<String, ResourceError> {
    let rows = rows(storage, kind)?;
    let mut room = Room { left: search.limit(), bytes_left: LISTING_BYTES_MAX };
    let mut read = Ok(());
    let text = json::object(|out| {
        read = (|| {
            for row in rows.iter().filter(|row| !row.is_deleted) {
                if room.left == 0 {
                    return Ok(());
                }
                let Ok(place) = Place::of(kind, &row.id) else {
                    damaged(&format!("{kind}/{}", row.id));
                    continue;
                };
                let key = if row.is_own { &place.own } else { &place.read };
                match content(storage, key) {
                    Ok(Content::Resource(resource)) if search.finds(kind, &resource) => {
                        room.take(&row.id, &resource)?;
                        out.json(&row.id, &resource);
                    }
                    Ok(Content::Damaged) => damaged(key.as_str()),
                    // One that was removed meanwhile is no error.
                    Ok(Content::Resource(_) | Content::Deleted) | Err(StorageError::NotFound) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            for (id, resource) in also {
                if room.left > 0 && rows.iter().all(|row| row.id != *id || row.is_deleted) {
                    room.take(id, resource)?;
                    out.json(id, resource);
                }
            }
            Ok(())
        })();
    });
    read.map(|()| text)
}

/// What a listing may still have.
struct Room {
    left: usize,
    bytes_left: usize,
}

impl Room {
    fn take(&mut self, id: &str, resource: &str) -> Result<(), ResourceError> {
        let bytes = id.len().saturating_add(resource.len());
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(ResourceError::LongListing)?;
        self.left = self.left.saturating_sub(1);
        Ok(())
    }
}

/// Reads a resource; `None` where there is none, and where its file is damaged: that is told to `damaged`.
///
/// # Errors
/// [`ResourceError::Storage`], [`ResourceError::Name`].
pub fn read(
    storage: &mut dyn Storage,
    kind: &str,
    id: &str,
    damaged: &mut dyn FnMut(&str),
) -> Result<Option<String>, ResourceError> {
    let place = Place::of(kind, id)?;
    for key in [&place.own, &place.read] {
        match content(storage, key) {
            Ok(Content::Resource(resource)) => return Ok(Some(resource)),
            Ok(Content::Deleted) => return Ok(None),
            Ok(Content::Damaged) => {
                damaged(key.as_str());
                return Ok(None);
            }
            Err(StorageError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Keeps a resource, a compact JSON object, durably.
///
/// # Errors
/// [`ResourceError`] beyond a limit, or when the medium refuses; what was kept before stays.
pub fn save(
    storage: &mut dyn Storage,
    kind: &str,
    id: &str,
    resource: &str,
    now: UnixMillis,
) -> Result<(), ResourceError> {
    let place = Place::of(kind, id)?;
    let text = stamped(resource, now);
    let too_long = ResourceError::TooLong { bytes: text.len() };
    let bytes = u32::try_from(text.len()).ok().filter(|bytes| *bytes <= RESOURCE_BYTES_MAX).ok_or(too_long)?;
    let others = rows(storage, kind)?.iter().filter(|row| row.id != id && !row.is_deleted).count();
    if others >= RESOURCES_MAX {
        return Err(ResourceError::TooMany { count: others.saturating_add(1) });
    }
    let mut all = u64::from(bytes);
    storage.list(OWN, &mut |key, bytes| {
        if *key != place.own {
            all = all.saturating_add(bytes.into());
        }
        ControlFlow::Continue(())
    })?;
    if all > ALL_RESOURCES_BYTES_MAX {
        return Err(ResourceError::NoRoom { bytes: all });
    }
    Ok(storage.replace(&place.own, text.as_bytes())?)
}

/// Deletes a resource, durably; none is no error.
///
/// # Errors
/// [`ResourceError::Storage`], [`ResourceError::Name`].
pub fn delete(storage: &mut dyn Storage, kind: &str, id: &str) -> Result<(), ResourceError> {
    let place = Place::of(kind, id)?;
    match storage.len(&place.read) {
        Err(StorageError::NotFound) => Ok(storage.remove(&place.own)?),
        // The file of the existing folder stays, and says nothing any more.
        _ => Ok(storage.replace(&place.own, DELETED)?),
    }
}

#[cfg(test)]
mod tests;
