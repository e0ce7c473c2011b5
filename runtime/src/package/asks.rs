//! What a package asks of its operator before it runs, and what was granted.
//!
//! Asked are the capabilities that a package declares and that are off by default, and `webapp` of a package with pages:
//! they act with the rights of whoever looks at them. What was granted stands in `skiff/grants.json` by package name, in
//! front of every version: `{"@acme/tide":["network"]}`.

use core::fmt;

use skiff_abi::Capability;

use super::Package;
use crate::config::{ConfigError, ConfigReason, FILE_BYTES_MAX, PluginConfig, read_object, write_object};
use crate::hal::Storage;
use crate::host::Grant;
use crate::json;

/// Key of the file with what was granted.
pub const GRANTS_FILE: &str = "skiff/grants.json";
/// Keywords of a package whose pages are served.
pub const WEB_APP_KEYWORDS: [&str; 2] = ["signalk-webapp", "signalk-embeddable-webapp"];
/// The name of the right to have them served.
const WEB_APP: &str = "webapp";
/// Its bit, above those of the capabilities.
const WEB_APP_BIT: u16 = 1 << 15;

/// Rights that somebody has to grant, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks(u16);

fn bit(capability: Capability) -> u16 {
    1 << (capability as u16)
}

impl Asks {
    /// No right.
    pub const NONE: Self = Self(0);
    /// The right of pages, which act with that of whoever looks at them.
    pub const WEB_APP: Self = Self(WEB_APP_BIT);
    /// Every right.
    pub const ALL: Self = Self(u16::MAX);

    /// Reads what somebody grants: `all`, or names joined by commas; `None` for a name that is none.
    #[must_use]
    pub fn parse(list: &str) -> Option<Self> {
        if list == "all" {
            return Some(Self::ALL);
        }
        list.split(',').try_fold(Self::NONE, |set, name| Some(set.and(Self::named(name.trim())?)))
    }

    fn named(name: &str) -> Option<Self> {
        if name == WEB_APP {
            return Some(Self(WEB_APP_BIT));
        }
        Capability::from_name(name).map(|capability| Self(bit(capability)))
    }

    /// Tells whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns these and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Returns these but not those.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Returns those that are in both.
    #[must_use]
    pub const fn within(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Visits the names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let capabilities = Capability::ALL.into_iter().filter(move |capability| self.0 & bit(*capability) != 0);
        capabilities.map(Capability::name).chain((self.0 & WEB_APP_BIT != 0).then_some(WEB_APP))
    }

    /// Writes the names into a JSON list.
    pub fn list(self, names: &mut json::List<'_>) {
        self.names().for_each(|name| {
            names.text(name);
        });
    }
}

/// The names, joined by commas as [`Asks::parse`] takes them.
impl fmt::Display for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.names().enumerate().try_for_each(|(index, name)| {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)
        })
    }
}

impl Package {
    /// Returns what it asks for.
    #[must_use]
    pub fn asks(&self) -> Asks {
        let is_off_by_default = |capability: &Capability| {
            use Capability::{DataRead, DataWrite, HttpEndpoints, Storage};
            !matches!(capability, DataRead | DataWrite | HttpEndpoints | Storage)
        };
        let declared = |capability: &Capability| self.capabilities.grant(*capability) == Grant::Granted;
        let asked = Capability::ALL.into_iter().filter(is_off_by_default).filter(declared);
        let asked = asked.fold(0, |set, capability| set | bit(capability));
        let has_pages = self.keywords.iter().any(|keyword| WEB_APP_KEYWORDS.contains(&keyword.as_str()));
        Asks(if has_pages { asked | WEB_APP_BIT } else { asked })
    }
}

/// Reads what was granted to a package; without file or entry nothing.
///
/// # Errors
/// [`ConfigError`] when the file is damaged.
pub fn granted(storage: &mut dyn Storage, package: &str) -> Result<Asks, ConfigError> {
    let Some(text) = read_object(storage, GRANTS_FILE, FILE_BYTES_MAX)? else { return Ok(Asks::NONE) };
    let Some(list) = json::member(&text, package) else { return Ok(Asks::NONE) };
    let mut set = Asks::NONE;
    let read = json::items::<json::JsonError>(list, |item| {
        // A name of a later version is none that this one could use.
        let named = json::string(item).ok_or(json::JsonError::WrongKind)?;
        set = set.and(Asks::named(&named).unwrap_or_default());
        Ok(())
    });
    read.map(|()| set).map_err(|_| ConfigError::new(GRANTS_FILE, ConfigReason::Member("a grant is no list of texts")))
}

/// Stores what is granted to a package, in place of what was.
///
/// # Errors
/// [`ConfigError`]; the file is as it was then.
pub fn grant(storage: &mut dyn Storage, package: &str, granted: Asks) -> Result<(), ConfigError> {
    let text = read_object(storage, GRANTS_FILE, FILE_BYTES_MAX)?;
    let text = text.as_deref().unwrap_or("{}");
    if granted.is_empty() && json::member(text, package).is_none() {
        return Ok(());
    }
    write_object(storage, GRANTS_FILE, &json::with_member(text, package, &json::list(|names| granted.list(names))))
}

/// Makes the file where there is none yet: what runs in a folder of the time before counts as granted, this once.
///
/// # Errors
/// [`ConfigError`]; there is still no file then.
pub fn grant_what_runs(
    storage: &mut dyn Storage,
    packages: &mut dyn Iterator<Item = &Package>,
    config_bytes_max: u32,
) -> Result<(), ConfigError> {
    if read_object(storage, GRANTS_FILE, FILE_BYTES_MAX)?.is_some() {
        return Ok(());
    }
    let text = json::object(|out| {
        for package in packages {
            let asks = package.asks();
            let config = PluginConfig::load(storage, &package.id(), config_bytes_max);
            let runs = config.is_ok_and(|config| config.is_some_and(|config| config.enabled == Some(true)));
            if runs && !asks.is_empty() {
                out.list(&package.name, |names| asks.list(names));
            }
        }
    });
    write_object(storage, GRANTS_FILE, &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Files;
    use std::string::ToString;

    fn package(name: &str, extra: &str) -> Package {
        let text =
            std::format!(r#"{{"name":"{name}","keywords":["signalk-wasm-plugin"{extra},"wasmManifest":"p.wasm"}}"#);
        Package::from_parts(text.as_bytes(), b"\0asm\x01\0\0\0".to_vec()).unwrap()
    }

    #[test]
    fn asked_is_what_is_declared_and_off_by_default() {
        let asks = |extra: &str| package("a", extra).asks().to_string();
        assert_eq!(asks("]"), "");
        let all = r#"],"wasmCapabilities":{"network":1,"rawSockets":true,"serialPorts":false,"putHandlers":"","storage":"vfs-only","dataRead":true,"dataWrite":true,"httpEndpoints":true,"radarProvider":true}"#;
        assert_eq!(asks(all), "network,radarProvider,rawSockets");
        assert_eq!(asks(r#","signalk-webapp"],"wasmCapabilities":{"network":true}"#), "network,webapp");
        assert_eq!(asks(r#","signalk-embeddable-webapp"]"#), "webapp");
    }

    #[test]
    fn grants_are_read_as_they_are_written() {
        for (text, names) in [("network", "network"), ("webapp, network", "network,webapp")] {
            assert_eq!(Asks::parse(text).unwrap().to_string(), names);
        }
        assert_eq!(Asks::parse("all"), Some(Asks::ALL));
        for text in ["", "network,", "everything", "Network"] {
            assert_eq!(Asks::parse(text), None, "{text:?}");
        }
        let (network, both) = (Asks::parse("network").unwrap(), Asks::parse("network,webapp").unwrap());
        assert_eq!((both.without(network).to_string(), both.within(Asks::ALL)), ("webapp".to_string(), both));
    }

    #[test]
    fn each_package_has_its_grants_and_those_of_others_stay() {
        let mut files = Files::with(GRANTS_FILE, r#"{"b":["network","later"],"c":[]}"#);
        assert_eq!(granted(&mut files, "b").unwrap().to_string(), "network");
        assert_eq!(granted(&mut files, "@acme/tide"), Ok(Asks::NONE));
        grant(&mut files, "@acme/tide", Asks::parse("webapp,network").unwrap()).unwrap();
        grant(&mut files, "c", Asks::parse("rawSockets").unwrap()).unwrap();
        assert_eq!(granted(&mut files, "@acme/tide").unwrap().to_string(), "network,webapp");
        assert_eq!(granted(&mut files, "c").unwrap().to_string(), "rawSockets");
        grant(&mut files, "@acme/tide", Asks::NONE).unwrap();
        let kept = json::compact(&files.text(GRANTS_FILE)).unwrap();
        assert_eq!(kept, r#"{"b":["network","later"],"c":["rawSockets"],"@acme/tide":[]}"#);
    }

    #[test]
    fn a_damaged_file_grants_nothing_and_is_kept() {
        for text in ["{", "[]", r#"{"a":"network"}"#, r#"{"a":[1]}"#] {
            let mut files = Files::with(GRANTS_FILE, text);
            assert!(granted(&mut files, "a").is_err(), "{text}");
        }
        let mut files = Files::with(GRANTS_FILE, "{");
        assert!(grant(&mut files, "a", Asks::ALL).is_err());
        assert_eq!(files.text(GRANTS_FILE), "{");
    }

    #[test]
    fn what_runs_already_counts_as_granted_once() {
        let mut files = Files::with("plugin-config-data/on.json", r#"{"enabled":true}"#);
        let packages =
            [package("on", r#"],"wasmCapabilities":{"network":true}"#), package("off", r#","signalk-webapp"]"#)];
        grant_what_runs(&mut files, &mut packages.iter(), 1000).unwrap();
        assert_eq!(json::compact(&files.text(GRANTS_FILE)).unwrap(), r#"{"on":["network"]}"#);
        let wider = [package("on", r#"],"wasmCapabilities":{"rawSockets":true}"#)];
        grant_what_runs(&mut files, &mut wider.iter(), 1000).unwrap();
        assert_eq!(granted(&mut files, "on").unwrap().to_string(), "network");
    }
}
