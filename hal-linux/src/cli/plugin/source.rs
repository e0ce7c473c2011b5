//! What a user names as a package: a file or folder, a name of npm's, or a URL.

use std::path::{Path, PathBuf};

use super::super::exit::{self, Failure};
use super::super::not_loaded;
use super::super::progress::DownloadProgress;
use crate::appstore::{Registry, RegistryError, Release, Wanted, check_pin, pin};
use crate::hal::Folder;
use crate::packages::{self, LoadError};

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A folder, an archive or a module.
    File(PathBuf),
    /// A registry.
    Named(Wanted),
    /// An address.
    Url(String),
}

impl Source {
    /// Reads what stands on the command line. What is there as a file is meant; `./NAME` always is.
    pub fn of(text: &str) -> Self {
        let path = Path::new(text);
        if path.exists() {
            return Self::File(path.to_owned());
        }
        if text.contains("://") {
            return Self::Url(text.to_owned());
        }
        Wanted::parse(text).map_or_else(|| Self::File(path.to_owned()), Self::Named)
    }

    /// Returns the archive as `npm pack` makes it, of at most `bytes_max` where it is a file. `pins` is the folder that
    /// remembers what came from a registry.
    pub fn load(&self, bytes_max: u32, pins: Option<&mut Folder>) -> Result<Vec<u8>, Failure> {
        match self {
            Self::File(path) => packages::pack::archive(path, bytes_max).map_err(|error| not_packed(path, error)),
            Self::Url(url) => {
                let mut progress = DownloadProgress::begin();
                registry()?.load_url(url, &mut |read, of| progress.tell(read, of)).map_err(|error| refused(&error))
            }
            Self::Named(wanted) => {
                let registry = registry()?;
                let release = registry.find(wanted).map_err(|error| refused(&error))?;
                load(&registry, &release, pins)
            }
        }
    }
}

/// Loads a release, whose hash must be the one it had before.
pub(super) fn load(registry: &Registry, release: &Release, pins: Option<&mut Folder>) -> Result<Vec<u8>, Failure> {
    let (name, version) = (&release.name, &release.version);
    if let Some(reason) = &release.deprecated {
        log::warn!("{name} {version}: its author says it is deprecated: {reason}");
    }
    let load = || {
        let mut progress = DownloadProgress::begin();
        registry.load(release, &mut |read, of| progress.tell(read, of)).map_err(|error| refused(&error))
    };
    let Some(pins) = pins else { return load() };
    check_pin(pins, release).map_err(|error| refused(&error))?;
    log::info!("{name} {version}: loading it from the registry");
    let archive = load()?;
    pin(pins, release).map_err(|error| {
        let clause = format_args!("{}: the hash of {name} {version} was not kept: {error}", pins.root().display());
        Failure::new(exit::UNAVAILABLE, clause)
    })?;
    Ok(archive)
}

/// Returns a client of the registry that npm would use.
pub(super) fn registry() -> Result<Registry, Failure> {
    Registry::of_user().map_err(|error| refused(&error))
}

/// One cause, one code.
pub(super) fn refused(error: &RegistryError) -> Failure {
    let code = match error {
        RegistryError::Settings(_) | RegistryError::Address(_) => exit::USAGE,
        RegistryError::Changed(_) | RegistryError::NoHash(_) => exit::VERDICT,
        RegistryError::OtherHash(_) | RegistryError::Malformed(_) | RegistryError::TooLarge { .. } => {
            exit::INPUT_CORRUPT
        }
        _ => exit::INPUT_MISSING,
    };
    Failure::new(code, error)
}

/// Tells why a package was not read; what is missing could have been meant as a name.
fn not_packed(path: &Path, error: LoadError) -> Failure {
    match error {
        LoadError::Missing(text) if path.extension().is_none() => {
            let clause = format_args!("{text}; it is no name of npm's either: those are lower case");
            Failure::new(exit::INPUT_MISSING, clause)
        }
        error => not_loaded(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_names_and_addresses_are_told_apart() {
        let named = |text: &str| matches!(Source::of(text), Source::Named(_));
        assert!(named("@mxtommy/kip") && named("tide@1.0.0") && named("tide"));
        assert_eq!(Source::of("https://x/tide.tgz"), Source::Url("https://x/tide.tgz".into()));
        for path in ["/", "./tide", "tide-1.0.0.tgz", "gone/tide.wasm", "Tide"] {
            assert_eq!(Source::of(path), Source::File(path.into()), "{path}");
        }
    }
}
