//! A package on its way in: unpacked, its `package.json` parsed and its module surveyed once, whichever way it comes.
//!
//! Over HTTP, from the command line or into the flash of a chip, the steps are the same: [`Incoming::read`], no
//! [`Clash`] with a package that is there, a staged record, the files where a host has a disk for them ([`WebFiles`]),
//! then the record in force ([`store::adopt`]).

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::store::{self, StoreError};
use super::{Archive, Manifest, Package, PackageError, plugin_id};
use crate::budget::Limits;
use crate::hal::Storage;
use crate::host::{ModuleFacts, Refusal};

/// Why a package does not come in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IncomingError {
    /// The archive is longer than the board takes.
    TooLong {
        /// Length of the archive.
        bytes: usize,
        /// Bytes allowed.
        limit: u32,
    },
    /// It is damaged, or no package.
    Package(PackageError),
    /// The board does not run its module.
    Refused(Refusal),
}

impl fmt::Display for IncomingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, limit } => write!(f, "the package has {bytes} bytes, {limit} are allowed"),
            Self::Package(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl core::error::Error for IncomingError {}

impl From<PackageError> for IncomingError {
    fn from(error: PackageError) -> Self {
        Self::Package(error)
    }
}

/// Two packages whose names make one plugin id: they would share configuration, files and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The plugin id that both names make.
    pub id: String,
    /// Name of the package that comes.
    pub incoming: String,
    /// Name of the one that is there.
    pub installed: String,
}

impl Clash {
    /// Tells whether a package that comes would take the place of another one.
    #[must_use]
    pub fn between(incoming: &str, installed: &str) -> Option<Self> {
        let id = plugin_id(incoming);
        let clashes = incoming != installed && id == plugin_id(installed);
        clashes.then(|| Self { id, incoming: incoming.to_string(), installed: installed.to_string() })
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, incoming, installed } = self;
        write!(f, "{incoming} would have the id {id}, which {installed} has: remove {installed} first, or rename one")
    }
}

impl core::error::Error for Clash {}

/// Where the two files that a gateway needs lie in the archive.
pub(super) struct Places {
    package_json: Range<usize>,
    pub wasm: Range<usize>,
}

/// Unpacks an archive to at most `limit` bytes and reads its `package.json`.
pub(super) fn read(tgz: &[u8], limit: usize) -> Result<(Archive, Manifest, Places), PackageError> {
    let archive = Archive::unpack(tgz, limit)?;
    let package_json = archive.find("package.json")?;
    let manifest = Manifest::parse(archive.bytes(&package_json))?;
    let wasm = archive.find(&manifest.wasm_path)?;
    Ok((archive, manifest, Places { package_json, wasm }))
}

/// A package that was read, and is not stored yet.
pub struct Incoming {
    id: String,
    archive: Arc<Archive>,
    manifest: Manifest,
    places: Places,
    facts: ModuleFacts,
}

impl Incoming {
    /// Reads what `npm pack` makes, within the limits of a board.
    ///
    /// # Errors
    /// [`IncomingError`] that names what is wrong.
    pub fn read(tgz: &[u8], limits: &Limits) -> Result<Self, IncomingError> {
        if tgz.len() > limits.package_bytes_max as usize {
            return Err(IncomingError::TooLong { bytes: tgz.len(), limit: limits.package_bytes_max });
        }
        let (archive, manifest, places) = read(tgz, limits.unpacked_bytes_max)?;
        let wasm = archive.bytes(&places.wasm);
        super::check_wasm(wasm)?;
        let facts =
            ModuleFacts::admit(wasm, &limits.plugin, &manifest.package.capabilities).map_err(IncomingError::Refused)?;
        Ok(Self { id: plugin_id(manifest.name()), archive: Arc::new(archive), manifest, places, facts })
    }

    /// Returns the plugin id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns what `package.json` says.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns what the module needs.
    #[must_use]
    pub fn facts(&self) -> &ModuleFacts {
        &self.facts
    }

    /// Returns the bytes that the store needs for it.
    #[must_use]
    pub fn record_bytes(&self) -> u64 {
        store::record_bytes(self.places.package_json.len(), self.places.wasm.len())
    }

    fn record(&self) -> Vec<u8> {
        let bytes = |place| self.archive.bytes(place);
        store::record(bytes(&self.places.package_json), bytes(&self.places.wasm), self.archive.tag())
    }

    /// Returns the package, its module in memory.
    ///
    /// # Errors
    /// [`PackageError`]; none for what [`read`](Self::read) gave.
    pub fn package(&self) -> Result<Package, PackageError> {
        self.manifest.clone().with_wasm(self.archive.bytes(&self.places.wasm).to_vec())
    }

    /// Stores it in force, in place of the version before.
    ///
    /// # Errors
    /// [`StoreError`]; the version before is kept then.
    pub fn save(&self, storage: &mut dyn Storage) -> Result<(), StoreError> {
        store::save(storage, &self.id, &self.record())
    }

    /// Stores it beside the version that is in force, and returns it: its module where it lies, else in memory.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is staged then.
    pub fn stage(&self, storage: &mut dyn Storage) -> Result<Package, StoreError> {
        match store::stage(storage, &self.id, &self.record(), &self.manifest)? {
            Some(package) => Ok(package),
            None => Ok(self.package()?),
        }
    }

    /// Returns what a host with a disk keeps of it.
    #[must_use]
    pub fn web_files(&self) -> WebFiles {
        let folder = store::files_folder(&self.id, self.archive.tag());
        WebFiles { id: self.id.clone(), folder, archive: Arc::clone(&self.archive) }
    }
}

/// All files of a version of a package: pages and what else a web app needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebFiles {
    /// Plugin id.
    pub id: String,
    /// Name of their folder, which the record of this version names too and no other does.
    pub folder: String,
    /// The files.
    pub archive: Arc<Archive>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_id_clash_and_versions_of_one_package_do_not() {
        let clash = Clash::between("_aa_wind", "@aa/wind").unwrap();
        assert_eq!(
            clash.to_string(),
            "_aa_wind would have the id _aa_wind, which @aa/wind has: remove @aa/wind first, or rename one"
        );
        assert_eq!(Clash::between("@aa/wind", "@aa/wind"), None);
        assert_eq!(Clash::between("@aa/wind", "@bb/wind"), None);
    }
}
