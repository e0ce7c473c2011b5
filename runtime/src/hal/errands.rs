//! Slow work beside the gateway: packages from a registry, files of web apps, backups.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Errands that may wait while one is run.
pub const ERRANDS_WAITING_MAX: usize = 8;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Tell what the registry has for Signal K, as the JSON of `/skServer/appstore/available`.
    Offers {
        /// The packages that are there.
        installed: Vec<InstalledPackage>,
        /// Those that come or go, or did since the start.
        jobs: Vec<StoreJob>,
        /// Ask the registry even where an answer is remembered.
        fresh: bool,
    },
    /// Tell more of one package, as the JSON of `/skServer/appstore/plugin/<name>`.
    Detail {
        /// Package name.
        name: String,
    },
    /// Load a version of a package from the registry, held against its hash.
    Load {
        /// Package name.
        name: String,
        /// Version.
        version: String,
    },
    /// Keep a web app that has no plugin, in place of the version before.
    Keep {
        /// What `npm pack` makes.
        archive: Vec<u8>,
    },
    /// Remove a web app that has no plugin.
    Drop {
        /// Its id.
        id: String,
    },
    /// Make a backup of the configuration folder, a zip.
    Backup {
        /// With the packages.
        packages: bool,
    },
    /// Unpack a backup beside what is there, and tell what is in it.
    Examine {
        /// The backup, a zip.
        archive: Vec<u8>,
    },
    /// Have the next start put what was examined in place.
    Restore {
        /// Of what [`Examine`](Self::Examine) told.
        names: Vec<String>,
    },
}

/// A package that is installed, for the list of offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Package name.
    pub name: String,
    /// Version, as written.
    pub version: String,
    /// Id of its plugin; `None` is a web app.
    pub plugin: Option<String>,
    /// What it asks for and nobody has granted, with commas between; empty where it is in use or stopped.
    pub asks: String,
}

/// How far a package has come or gone, for the list of offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreJob {
    /// Package name.
    pub name: String,
    /// The version that comes; `None` where it goes.
    pub version: Option<String>,
    /// How far it is.
    pub state: StoreJobState,
}

/// How far a package has come or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreJobState {
    /// Others are before it.
    Waiting,
    /// It is on its way.
    AtWork,
    /// It is there, or gone.
    Done,
    /// It is not.
    Failed,
}

/// A web app that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptApp {
    /// Package name.
    pub name: String,
    /// Version, as written.
    pub version: String,
    /// It also has a plugin in JavaScript, which is not run.
    pub has_node_plugin: bool,
    /// `webapp` was granted to it: it is served.
    pub is_granted: bool,
}

/// Why an errand failed: a status of HTTP, and one clause for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrandFailed {
    /// Status of HTTP.
    pub status: u16,
    /// What went wrong.
    pub clause: String,
}

/// What came of an errand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrandDone {
    /// JSON text, of [`Errand::Offers`] and [`Errand::Detail`].
    Json(String),
    /// An archive, of [`Errand::Load`], or a backup.
    Bytes(Vec<u8>),
    /// Of [`Errand::Keep`].
    Kept(KeptApp),
    /// Names of what is in a backup, folders with `/` at the end.
    Names(Vec<String>),
    /// Of the others; a clause for whoever asked.
    Done(String),
}

/// As many errands wait as there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrandsBusy;

impl fmt::Display for ErrandsBusy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too much is being installed or backed up, try again later")
    }
}

impl core::error::Error for ErrandsBusy {}

/// Runs errands, one after the other; nothing here waits.
pub trait Errands {
    /// Takes an errand under a number; what comes of it comes from [`next`](Self::next).
    ///
    /// # Errors
    /// [`ErrandsBusy`] when [`ERRANDS_WAITING_MAX`] wait.
    fn ask(&mut self, ticket: u64, errand: Errand) -> Result<(), ErrandsBusy>;

    /// Takes what came of an errand, with its number.
    fn next(&mut self) -> Option<(u64, Result<ErrandDone, ErrandFailed>)>;
}
