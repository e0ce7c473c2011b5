//! Why a plugin is not installed, configured or replaced.

use alloc::string::String;
use core::fmt;

use crate::budget::Shortage;
use crate::config::{ConfigError, PostError};
use crate::host::Refusal;
use crate::package::{Asks, Clash};

fn not_granted(asks: Asks, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "it asks for {asks}, which nobody has granted")
}

/// Why a package was not installed. Its name is known to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstallError {
    /// A package of this name is there already.
    Duplicate,
    /// A package of another name has the same id.
    Clash(Clash),
    /// The board takes no more plugins.
    TooMany {
        /// How many it takes.
        limit: u16,
    },
    /// Its configuration file cannot be used.
    Config(ConfigError),
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate => f.write_str("a package of this name is installed already"),
            Self::Clash(clash) => clash.fmt(f),
            Self::TooMany { limit } => write!(f, "this board takes {limit} plugins"),
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for InstallError {}

impl From<ConfigError> for InstallError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// Why a configuration was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigureError {
    /// No plugin has this id.
    NotFound,
    /// The request body is no configuration.
    Body(PostError),
    /// The file could not be read or written; it is as it was.
    File(ConfigError),
    /// It does not fit the schema that the plugin tells, with what does not.
    Misfit(String),
    /// It is not enabled before this is granted.
    Asks(Asks),
}

impl fmt::Display for ConfigureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such plugin"),
            Self::Body(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::Misfit(clause) => write!(f, "not saved, it does not fit the plugin's schema: {clause}"),
            Self::Asks(asks) => not_granted(*asks, f),
        }
    }
}

impl core::error::Error for ConfigureError {}

impl From<ConfigError> for ConfigureError {
    fn from(error: ConfigError) -> Self {
        Self::File(error)
    }
}

impl From<PostError> for ConfigureError {
    fn from(error: PostError) -> Self {
        Self::Body(error)
    }
}

/// Why a new version is not even tried; the old one goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplaceError {
    /// No package of this name is installed.
    NotFound,
    /// The package of another name has its id.
    Clash(Clash),
    /// Another version is on its way in.
    Busy,
    /// The module is refused.
    Refused(Refusal),
    /// It does not fit, not even without the old one.
    Shortage(Shortage),
    /// It asks for more than was granted, which the version before does not.
    Asks(Asks),
}

impl fmt::Display for ReplaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such plugin"),
            Self::Clash(clash) => clash.fmt(f),
            Self::Busy => f.write_str("another version of this plugin is being started"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Shortage(shortage) => shortage.fmt(f),
            Self::Asks(asks) => not_granted(*asks, f),
        }
    }
}

impl core::error::Error for ReplaceError {}
