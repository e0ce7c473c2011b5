//! A registry: finds a version of a package, and loads its archive.

use std::collections::BTreeMap;
use std::fmt;

use super::integrity::Integrity;
use super::release::{self, Release, Wanted};
use super::search::{self, Offer};
use super::settings::{Settings, SettingsError};
use super::transport::{Transport, Watch};

/// Bytes of the document of a package; the largest of Signal K's has 1.3 MB.
const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of an archive, as over HTTP; Freeboard-SK 3.1, the largest web app that is known, has 6.4 MB.
const ARCHIVE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Keywords of what Skiff runs or serves; that of plugins is the first.
pub const KEYWORDS: [&str; 3] = ["signalk-wasm-plugin", "signalk-webapp", "signalk-embeddable-webapp"];
/// The short form of a package's document; who does not have it answers with the long one (npm registry, "package
/// metadata").
const SHORT_DOCUMENT: &str = "application/vnd.npm.install-v1+json, application/json;q=0.8";

/// Why a registry has not given what was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryError {
    /// A setting of npm's cannot be used.
    Settings(String),
    /// No `http://` or `https://`.
    Address(String),
    /// Nobody answers.
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why not.
        reason: String,
    },
    /// There is no such package, or no such address.
    NotFound(String),
    /// The answer is neither the thing nor that it is not there.
    Status {
        /// Status code.
        status: u16,
        /// What was asked for.
        url: String,
    },
    /// An address leads on and on.
    Redirects(String),
    /// An address of HTTPS leads on to one without TLS.
    Downgrade(String),
    /// It is longer than that many bytes.
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The connection broke off in the middle.
    Cut(String),
    /// What came is not what the protocol says.
    Malformed(&'static str),
    /// The package has no such version.
    NoVersion {
        /// Package name.
        name: String,
        /// Version or tag that was wanted.
        wanted: String,
        /// Some of those that it has.
        known: Vec<String>,
    },
    /// The registry names no hash that can be trusted.
    NoHash(String),
    /// The archive has another hash than the registry names.
    OtherHash(String),
    /// The version had another hash when it was loaded before.
    Changed(String),
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(text) => f.write_str(text),
            Self::Address(text) => write!(f, "{text}: no http:// or https:// address"),
            Self::Unreachable { url, reason } => write!(f, "{url}: {reason}"),
            Self::NotFound(what) => write!(f, "{what}: there is no such package"),
            Self::Status { status, url } => write!(f, "{url}: answered with status {status}"),
            Self::Redirects(url) => write!(f, "{url}: leads on from address to address"),
            Self::Downgrade(url) => write!(f, "{url}: leads on to an address without TLS"),
            Self::TooLarge { limit } => write!(f, "it is longer than the {limit} bytes that are allowed"),
            Self::Cut(reason) => write!(f, "the download broke off: {reason}"),
            Self::Malformed(clause) => write!(f, "the registry's answer is not npm's protocol: {clause}"),
            Self::NoVersion { name, wanted, known } => {
                let known =
                    if known.is_empty() { "there is none".into() } else { format!("there are {}", known.join(", ")) };
                write!(f, "{name} has no version and no tag {wanted}; {known}")
            }
            Self::NoHash(what) => write!(f, "{what}: the registry names no SHA-512 hash of it, so it is not loaded"),
            Self::OtherHash(what) => write!(f, "{what}: the archive is not the one whose hash the registry names"),
            Self::Changed(what) => {
                write!(f, "{what}: its archive was another one when it was loaded before; a version never changes")
            }
        }
    }
}

impl std::error::Error for RegistryError {}

impl From<SettingsError> for RegistryError {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error.to_string())
    }
}

/// A client of the registries that the settings name.
pub struct Registry {
    settings: Settings,
    transport: Transport,
}

impl Registry {
    /// Takes settings.
    ///
    /// # Errors
    /// [`RegistryError::Settings`].
    pub fn new(settings: Settings) -> Result<Self, RegistryError> {
        let transport = Transport::new(settings.certificates.as_deref())?;
        Ok(Self { settings, transport })
    }

    /// Takes the settings of this user.
    ///
    /// # Errors
    /// [`RegistryError::Settings`].
    pub fn of_user() -> Result<Self, RegistryError> {
        Self::new(Settings::of_user()?)
    }

    /// Finds a version of a package; waits.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn find(&self, wanted: &Wanted) -> Result<Release, RegistryError> {
        // As npm writes it: the slash of a scope is coded, the at sign is not.
        let url = format!("{}{}", self.settings.registry_of(&wanted.name), wanted.name.replace('/', "%2f"));
        let document = self.transport.get(&url, Some(SHORT_DOCUMENT), DOCUMENT_BYTES_MAX);
        let document = document.map_err(|error| match error {
            RegistryError::NotFound(_) => RegistryError::NotFound(wanted.name.clone()),
            error => error,
        })?;
        release::find(&document, wanted)
    }

    /// Loads the archive of a version and holds it against its hash; waits, and tells `watch` how much has come.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn load(&self, release: &Release, watch: Watch) -> Result<Vec<u8>, RegistryError> {
        let archive = self.load_url(&release.tarball, watch)?;
        if Integrity::of(&archive) != release.integrity {
            return Err(RegistryError::OtherHash(format!("{} {}", release.name, release.version)));
        }
        Ok(archive)
    }

    /// Loads an archive from an address, whatever it is; waits, and tells `watch` how much has come.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn load_url(&self, url: &str, watch: Watch) -> Result<Vec<u8>, RegistryError> {
        self.transport.get_watched(url, None, ARCHIVE_BYTES_MAX, watch)
    }

    /// Searches the registry for what Skiff runs or serves, by these words; none finds all. Waits.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn offers(&self, words: &str) -> Result<BTreeMap<String, Offer>, RegistryError> {
        let mut found = BTreeMap::new();
        for keyword in KEYWORDS {
            let query = format!("keywords:{keyword} {words}");
            let offers = search::search(&self.transport, &self.settings.registry, query.trim_end())?;
            let offers = offers.into_iter().filter(|offer| offer.has(keyword));
            found.extend(offers.map(|offer| (offer.name.clone(), offer)));
        }
        Ok(found)
    }
}
