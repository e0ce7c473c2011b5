//! The document of a package: which versions there are, and the address and the hash of one.

use std::collections::BTreeMap;

use semver::Version;
use serde::Deserialize;
use skiff_runtime::package::check_name;

use super::integrity::Integrity;
use super::registry::RegistryError;

/// Versions that a refusal names, the newest first.
const NAMED: usize = 5;

/// What somebody asks a registry for: `NAME`, `NAME@VERSION` or `NAME@TAG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// npm name, scope included.
    pub name: String,
    /// Version or tag; `None` is the newest release, npm's tag `latest`.
    pub version: Option<String>,
}

impl Wanted {
    /// Reads what stands on a command line; `None` for what is no name of npm's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The first character may be that of a scope.
        let at = text.char_indices().skip(1).find(|(_, character)| *character == '@').map(|(at, _)| at);
        let (name, version) = match at {
            Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?.to_owned())),
            None => (text, None),
        };
        // npm allows such a name, and nobody means it.
        let is_file = [".tgz", ".wasm", ".gz"].iter().any(|ending| name.ends_with(ending));
        (check_name(name).is_ok() && !is_file).then(|| Self { name: name.to_owned(), version })
    }
}

/// A version of a package in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// npm name, scope included.
    pub name: String,
    /// The version.
    pub version: Version,
    /// Address of its archive.
    pub tarball: String,
    /// Hash of its archive.
    pub integrity: Integrity,
    /// Why its author warns of it.
    pub deprecated: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "dist-tags")]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    versions: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    dist: Dist,
    /// A text; some registries say `false` where there is none.
    #[serde(default)]
    deprecated: serde_json::Value,
}

#[derive(Default, Deserialize)]
struct Dist {
    #[serde(default)]
    tarball: String,
    #[serde(default)]
    integrity: String,
}

/// Finds what is wanted in the document of its package.
///
/// # Errors
/// [`RegistryError`] that says why it cannot be loaded.
pub(super) fn find(document: &[u8], wanted: &Wanted) -> Result<Release, RegistryError> {
    let document: Document = serde_json::from_slice(document).map_err(|_| RegistryError::Malformed("no document"))?;
    if document.name != wanted.name {
        return Err(RegistryError::Malformed("the document of another package"));
    }
    let asked = wanted.version.as_deref().unwrap_or("latest");
    let version = document.tags.get(asked).map_or(asked, String::as_str);
    let found = document.versions.get(version).zip(Version::parse(version).ok());
    let Some((row, version)) = found else {
        let mut known: Vec<Version> = document.versions.keys().filter_map(|text| Version::parse(text).ok()).collect();
        known.sort_by(|one, other| other.cmp(one));
        let known = known.iter().take(NAMED).map(Version::to_string).collect();
        return Err(RegistryError::NoVersion { name: wanted.name.clone(), wanted: asked.to_owned(), known });
    };
    let integrity = Integrity::parse(&row.dist.integrity);
    let what = || format!("{} {version}", wanted.name);
    Ok(Release {
        integrity: integrity.ok_or_else(|| RegistryError::NoHash(what()))?,
        name: document.name,
        tarball: row.dist.tarball.clone(),
        deprecated: row.deprecated.as_str().filter(|text| !text.is_empty()).map(str::to_owned),
        version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Wanted {
        Wanted::parse(text).unwrap()
    }

    #[test]
    fn a_name_may_have_a_scope_and_a_version() {
        let parts = |text: &str| Wanted::parse(text).map(|wanted| (wanted.name, wanted.version));
        assert_eq!(parts("tide"), Some(("tide".into(), None)));
        assert_eq!(parts("@acme/tide"), Some(("@acme/tide".into(), None)));
        assert_eq!(parts("@acme/tide@1.2.3-rc.1"), Some(("@acme/tide".into(), Some("1.2.3-rc.1".into()))));
        assert_eq!(parts("tide@next"), Some(("tide".into(), Some("next".into()))));
        for text in ["", "@acme", "./tide", "tide-1.0.0.tgz", "plugin.wasm", "Tide", "a/b", "../x", "http://x/y"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn a_version_is_named_by_itself_or_by_a_tag() {
        let hash = Integrity::of(b"x");
        let row = |version: &str| {
            serde_json::json!({ "dist": { "tarball": format!("http://r/{version}.tgz"), "integrity": hash.to_string() },
                "deprecated": if version == "1.0.0" { "too old".into() } else { serde_json::Value::Bool(false) } })
        };
        let document = serde_json::json!({ "name": "tide", "dist-tags": { "latest": "1.10.0", "next": "2.0.0-rc.1" },
            "versions": { "1.0.0": row("1.0.0"), "1.10.0": row("1.10.0"), "1.9.0": row("1.9.0"), "2.0.0-rc.1": row("2") } });
        let document = document.to_string().into_bytes();
        let version = |text: &str| find(&document, &wanted(text)).map(|release| release.version.to_string());
        assert_eq!(version("tide").unwrap(), "1.10.0");
        assert_eq!(version("tide@1.9.0").unwrap(), "1.9.0");
        assert_eq!(version("tide@next").unwrap(), "2.0.0-rc.1");
        assert_eq!(find(&document, &wanted("tide@1.0.0")).unwrap().deprecated.as_deref(), Some("too old"));
        let refused = version("tide@3.0.0").unwrap_err().to_string();
        assert!(refused.contains("there are 2.0.0-rc.1, 1.10.0, 1.9.0, 1.0.0"), "{refused}");
        assert!(matches!(version("tide@^1.0.0"), Err(RegistryError::NoVersion { .. })));
        assert!(matches!(find(&document, &wanted("wind")), Err(RegistryError::Malformed(_))));
        let without = String::from_utf8(document).unwrap().replace("sha512-", "sha1-");
        assert!(matches!(find(without.as_bytes(), &wanted("tide")), Err(RegistryError::NoHash(_))));
    }
}
