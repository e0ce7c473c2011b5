//! Packages from an npm registry: found by name, loaded within limits, held against their hash.
//!
//! Only npm's registry protocol is spoken: the document of a package names its versions, each with the address and the hash
//! of its archive. Nothing of npm is needed on the machine; where the registry is, is read where npm reads it ([`Settings`]).

mod errands;
mod integrity;
mod listing;
mod pins;
mod registry;
mod release;
mod search;
mod settings;
mod transport;

pub use errands::ErrandThreads;
pub use integrity::Integrity;
pub use pins::{check_pin, pin, pinned};
pub use registry::{KEYWORDS, Registry, RegistryError};
pub use release::{Release, Wanted};
pub use search::Offer;
pub use settings::{Settings, SettingsError};
