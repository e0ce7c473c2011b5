//! Where the documents of apps lie, and how many bytes they may take.
//!
//! A Signal K folder has them as `applicationData/global/<app>/<version>.json` and
//! `applicationData/users/<user>/<app>/<version>.json` (Signal K Server 2.32). They are read there; what is written goes
//! to the same name below `skiff/`, and that file is read instead from then on.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;

use super::{Tree, is_forbidden};
use crate::hal::{Key, Storage, StorageError};

/// Bytes of one document.
pub const FILE_BYTES_MAX: u32 = 1024 * 1024;
/// Bytes of all documents of a user, or of all that are global.
pub const USER_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes of all documents.
pub const ALL_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Documents.
pub const FILES_MAX: usize = 1024;
/// Letters of the name of an app, as the server has it.
const APP_ID_BYTES_MAX: usize = 29;
/// Letters of the name of a user.
const USER_BYTES_OF_NAME_MAX: usize = 64;
/// Digits of a part of a version, as the server's `semver` has it.
const VERSION_DIGITS_MAX: usize = 16;
/// A part of a version is an exact JavaScript number.
const VERSION_PART_MAX: u64 = (1 << 53) - 1;

/// Where what is written goes.
const OWN: &str = "skiff/";
const FOLDER: &str = "applicationData";

/// Why a document was not read or kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// It is longer than [`FILE_BYTES_MAX`].
    TooLong,
    /// The limits of a user, or of all, are reached: which.
    NoRoom(&'static str),
    /// What is stored is no JSON.
    Damaged,
    /// The medium refused.
    Storage(StorageError),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the document of an app may have {FILE_BYTES_MAX} bytes"),
            Self::NoRoom(clause) => f.write_str(clause),
            Self::Damaged => f.write_str("the stored document is damaged; it is no JSON"),
            Self::Storage(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for StoreError {}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        if matches!(error, StorageError::TooLong { .. }) { Self::TooLong } else { Self::Storage(error) }
    }
}

/// Letters, digits, `-`, `_` and `.`, not hidden, and nothing JavaScript could stumble over.
fn is_name(text: &str, bytes_max: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty()
        && text.len() <= bytes_max
        && !text.starts_with('.')
        && text.bytes().all(plain)
        && !is_forbidden(text)
}

/// The checked name of an app.
#[derive(Clone, Copy, Debug)]
pub struct AppId<'a>(&'a str);

impl<'a> AppId<'a> {
    /// Takes up to 29 letters, digits, `-`, `_` and `.`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        is_name(text, APP_ID_BYTES_MAX).then_some(Self(text))
    }
}

/// The version of a document, three numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// Takes the first one to three numbers of `text`: `v1.2-beta` is 1.2.0, as `semver.coerce` of the server has it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.get(text.find(|c: char| c.is_ascii_digit())?..)?;
        let mut parts = [0_u64; 3];
        for (at, part) in parts.iter_mut().enumerate() {
            let after = if at == 0 { Some(rest) } else { rest.strip_prefix('.') };
            let Some(after) = after.filter(|after| after.starts_with(|c: char| c.is_ascii_digit())) else { break };
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let (digits, behind) = after.split_at_checked(end)?;
            let is_plain = digits.len() <= VERSION_DIGITS_MAX && (digits == "0" || !digits.starts_with('0'));
            *part = digits.parse().ok().filter(|part| is_plain && *part <= VERSION_PART_MAX)?;
            rest = behind;
        }
        let [major, minor, patch] = parts;
        Some(Self(format!("{major}.{minor}.{patch}")))
    }
}

/// Whose documents: everybody's, or a user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// Everybody's.
    Global,
    /// Those of the user of this name.
    User(&'a str),
}

impl Owner<'_> {
    /// Returns the folder below [`FOLDER`]; `None` for a user whose name is no file name.
    fn folder(self) -> Option<String> {
        match self {
            Self::Global => Some(format!("{FOLDER}/global/")),
            Self::User(name) => is_name(name, USER_BYTES_OF_NAME_MAX).then(|| format!("{FOLDER}/users/{name}/")),
        }
    }
}

/// Where a document lies.
#[derive(Clone, Debug)]
pub struct Place {
    owner: String,
    read: Key,
    own: Key,
}

impl Place {
    /// Finds the place of a document; `None` where the user's name is no file name.
    #[must_use]
    pub fn of(owner: Owner<'_>, app: AppId<'_>, version: &Version) -> Option<Self> {
        let owner = owner.folder()?;
        let name = format!("{owner}{}/{}.json", app.0, version.0);
        Some(Self { read: Key::parse(&name).ok()?, own: Key::parse(&format!("{OWN}{name}")).ok()?, owner })
    }
}

/// Returns the versions that an app has documents of, sorted; none when it has nothing.
///
/// # Errors
/// [`StoreError::Storage`].
pub fn versions(storage: &mut dyn Storage, owner: Owner<'_>, app: AppId<'_>) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let Some(folder) = owner.folder() else { return Ok(found) };
    for below in ["", OWN] {
        let prefix = format!("{below}{folder}{}/", app.0);
        storage.list(&prefix, &mut |key, _| {
            let name = key.as_str().strip_prefix(&*prefix).and_then(|name| name.strip_suffix(".json"));
            if let Some(name) = name.filter(|name| !name.contains('/')) {
                found.push(name.to_string());
            }
            if found.len() < FILES_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Reads a document; where there is none it is `{}`.
///
/// # Errors
/// [`StoreError`] for one that is too long, damaged or unreadable: no part of it is changed unseen.
pub fn load(storage: &mut dyn Storage, place: &Place) -> Result<Tree, StoreError> {
    for key in [&place.own, &place.read] {
        match storage.read_all(key, FILE_BYTES_MAX) {
            Ok(bytes) => {
                let text = core::str::from_utf8(&bytes).map_err(|_| StoreError::Damaged)?;
                return Tree::parse(text).map_err(|_| StoreError::Damaged);
            }
            Err(StorageError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Tree::Object(Vec::new()))
}

/// Keeps a document, durably.
///
/// # Errors
/// [`StoreError`] beyond a limit, or when the medium refuses; what was kept before stays.
pub fn save(storage: &mut dyn Storage, place: &Place, tree: &Tree) -> Result<(), StoreError> {
    let text = tree.text();
    let bytes = u32::try_from(text.len()).ok().filter(|bytes| *bytes <= FILE_BYTES_MAX).ok_or(StoreError::TooLong)?;
    let (mut all, mut of_owner, mut files) = (u64::from(bytes), u64::from(bytes), 1_usize);
    let owner = format!("{OWN}{}", place.owner);
    storage.list(&format!("{OWN}{FOLDER}/"), &mut |key, bytes| {
        if *key != place.own {
            files = files.saturating_add(1);
            all = all.saturating_add(bytes.into());
            if key.as_str().starts_with(&*owner) {
                of_owner = of_owner.saturating_add(bytes.into());
            }
        }
        ControlFlow::Continue(())
    })?;
    if of_owner > USER_BYTES_MAX {
        return Err(StoreError::NoRoom("the documents of apps of one user may have 4 MiB together"));
    }
    if all > ALL_BYTES_MAX {
        return Err(StoreError::NoRoom("the documents of apps may have 16 MiB together"));
    }
    if files > FILES_MAX {
        return Err(StoreError::NoRoom("there may be 1024 documents of apps"));
    }
    Ok(storage.replace(&place.own, text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::SimStorage;

    fn place(owner: Owner<'_>, app: &str) -> Place {
        Place::of(owner, AppId::parse(app).unwrap(), &Version::parse("1").unwrap()).unwrap()
    }

    #[test]
    fn names_are_checked_and_versions_have_three_numbers() {
        for bad in ["", "..", ".x", "a/b", "a\\b", "__proto__", "constructor", "ä", &"x".repeat(30)] {
            assert!(AppId::parse(bad).is_none(), "{bad}");
        }
        assert!(AppId::parse("sk-freeboard_2.x").is_some());
        for (text, wanted) in
            [("1", "1.0.0"), ("v1.2", "1.2.0"), ("1.2.3-beta", "1.2.3"), ("1.2.3.4", "1.2.3"), ("1.x", "1.0.0")]
        {
            assert_eq!(Version::parse(text), Some(Version(wanted.into())));
        }
        for bad in ["", "beta", "01", "1.02", "99999999999999999", "9007199254740992"] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
        let app = AppId::parse("kip").unwrap();
        assert!(Place::of(Owner::User("../x"), app, &Version("1.0.0".into())).is_none());
    }

    #[test]
    fn limits_hold_for_a_file_a_user_and_all() {
        let mut storage = SimStorage::with_capacity(64 * 1024 * 1024);
        let of_bytes = |bytes: usize| Tree::Leaf(format!("\"{}\"", "x".repeat(bytes - 2)));
        let file = usize::try_from(FILE_BYTES_MAX).unwrap();
        assert_eq!(save(&mut storage, &place(Owner::Global, "a"), &of_bytes(file + 1)), Err(StoreError::TooLong));
        for app in ["a", "b", "c", "d"] {
            save(&mut storage, &place(Owner::Global, app), &of_bytes(file)).unwrap();
        }
        let refused = save(&mut storage, &place(Owner::Global, "e"), &of_bytes(2));
        assert!(matches!(refused, Err(StoreError::NoRoom(clause)) if clause.contains("one user")));
        save(&mut storage, &place(Owner::Global, "a"), &of_bytes(file)).unwrap();
        for user in ["u", "v", "w"] {
            for app in ["a", "b", "c", "d"] {
                save(&mut storage, &place(Owner::User(user), app), &of_bytes(file)).unwrap();
            }
        }
        let refused = save(&mut storage, &place(Owner::User("x"), "a"), &of_bytes(2));
        assert!(matches!(refused, Err(StoreError::NoRoom(clause)) if clause.contains("16 MiB")));
    }

    #[test]
    fn a_damaged_document_is_told_not_overwritten() {
        let mut storage = SimStorage::new();
        let place = place(Owner::Global, "a");
        storage.replace(&place.read, b"{\"a\":").unwrap();
        assert_eq!(load(&mut storage, &place), Err(StoreError::Damaged));
    }
}
