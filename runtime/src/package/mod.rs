//! Plugin packages: npm folders, `.tgz` archives and bare modules (plugin ABI §1).

#[cfg(any(test, feature = "appstore"))]
pub mod apps;
mod archive;
pub mod asks;
pub mod install;
pub mod store;

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

pub use archive::{ARCHIVE_FILES_MAX, Archive, UNPACKED_BYTES_MAX};
pub use asks::Asks;
pub use install::{Clash, Incoming, IncomingError, WebFiles};

use crate::hal::{DESTINATIONS_MAX, Lease};
use crate::host::Capabilities;
use crate::json;

/// Bytes of a `package.json`.
pub const PACKAGE_JSON_BYTES_MAX: usize = 64 * 1024;
/// Whatever a package holds can be for somebody: not on chips, which keep its two files and no others.
const HAS_FILES: bool = cfg!(any(test, feature = "std"));
/// Bytes of a package name; npm allows 214.
pub const NAME_BYTES_MAX: usize = 214;
/// Keywords that are kept.
const KEYWORDS_MAX: usize = 64;
/// Keyword of WebAssembly plugins; the older one of JavaScript plugins counts too where `wasmManifest` is there.
const KEYWORDS: [&str; 2] = ["signalk-wasm-plugin", "signalk-node-server-plugin"];

/// A plugin package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// npm name, scope included.
    pub name: String,
    /// Version, as written.
    pub version: String,
    /// `description` of `package.json`, else empty.
    pub description: String,
    /// `keywords` of `package.json`, the first 64.
    pub keywords: Vec<String>,
    /// Its capabilities, from `wasmCapabilities`.
    pub capabilities: Capabilities,
    /// Keys of `wasmCapabilities` that are no capability; none on chips.
    pub unknown_capabilities: Vec<String>,
    /// Paths it wants to be told of, as `skiff.subscribe` in `package.json` lists them; `None` means all.
    pub subscribe: Option<Vec<String>>,
    /// The module; borrowed where it lies in flash.
    pub wasm: Cow<'static, [u8]>,
    /// Keeps the module's place in flash from being written, where it was installed there.
    pub lease: Option<Lease>,
    /// Where its requests may go, when it narrows that itself: `skiff.fetch` in `package.json`.
    pub fetch: Option<Vec<String>>,
}

/// Why something is no plugin package.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackageError {
    /// `package.json` is damaged, too long, or a member has the wrong type.
    Manifest {
        /// What is wrong with it.
        clause: &'static str,
    },
    /// It has no keyword of a plugin, or no `wasmManifest`: it is something else.
    NotAPlugin,
    /// `wasmManifest` leads out of the package.
    OutsidePath,
    /// The name is none of npm's.
    Name,
    /// The archive is damaged.
    Archive {
        /// What is wrong with it.
        clause: &'static str,
    },
    /// The archive lacks a file.
    MissingFile {
        /// Its path in the package.
        path: String,
    },
    /// The archive unpacks to more than is allowed.
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The module does not begin like WebAssembly.
    NotWasm,
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest { clause } => write!(f, "package.json: {clause}"),
            Self::NotAPlugin => f.write_str(
                "no WebAssembly plugin: package.json needs the keyword signalk-wasm-plugin and wasmManifest",
            ),
            Self::OutsidePath => f.write_str("package.json: wasmManifest leads out of the package"),
            Self::Name => {
                f.write_str("the package name is none of npm's: lower case, no . or _ in front, / only behind a scope")
            }
            Self::Archive { clause } => write!(f, "corrupt archive: {clause}"),
            Self::MissingFile { path } => write!(f, "the package has no file {path}"),
            Self::TooLarge { limit } => write!(f, "the package unpacks to more than {limit} bytes"),
            Self::NotWasm => f.write_str("the module is no WebAssembly"),
        }
    }
}

impl core::error::Error for PackageError {}

/// What `package.json` says, before the module is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    package: Package,
    /// Path of the module in the package, checked to stay inside.
    pub wasm_path: String,
}

impl Manifest {
    /// Reads a `package.json`.
    ///
    /// # Errors
    /// [`PackageError`] that names the member.
    pub fn parse(bytes: &[u8]) -> Result<Self, PackageError> {
        let bad = |clause| PackageError::Manifest { clause };
        if bytes.len() > PACKAGE_JSON_BYTES_MAX {
            return Err(bad("longer than 65536 bytes"));
        }
        let text = core::str::from_utf8(bytes).map_err(|_| bad("not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = json::compact(text).map_err(|_| bad("not JSON"))?;
        let member = |name: &str| json::member(&text, name);
        let string = |name: &str| member(name).and_then(json::string).map(|text| text.to_string());
        if !text.starts_with('{') {
            return Err(bad("not an object"));
        }
        let mut keywords = Vec::new();
        if let Some(list) = member("keywords") {
            json::items::<json::JsonError>(list, |item| {
                if let Some(keyword) = json::string(item).filter(|_| keywords.len() < KEYWORDS_MAX) {
                    keywords.push(keyword.to_string());
                }
                Ok(())
            })
            .map_err(|_| bad("keywords is no array"))?;
        }
        let wasm_path = string("wasmManifest").filter(|path| !path.is_empty());
        let known = keywords.iter().any(|keyword| KEYWORDS.contains(&keyword.as_str()));
        let Some(wasm_path) = wasm_path.filter(|_| known) else { return Err(PackageError::NotAPlugin) };
        // Not before: a library of another name than npm allows today is no damaged plugin.
        let name = string("name").ok_or(bad("name is missing or no string"))?;
        check_name(&name)?;
        // A build for Skiff alone, for instance with pages of one byte, which other hosts do not take.
        let own = member("skiff").and_then(|own| json::member(own, "wasmManifest")).and_then(json::string);
        let wasm_path = own.filter(|path| !path.is_empty()).map_or(wasm_path, |path| path.to_string());
        let declared = member("wasmCapabilities").unwrap_or("{}");
        let package = Package {
            name,
            version: string("version").unwrap_or_default(),
            description: string("description").unwrap_or_default(),
            keywords,
            capabilities: Capabilities::parse(declared),
            unknown_capabilities: if HAS_FILES { Capabilities::unknown(declared) } else { Vec::new() },
            subscribe: member("skiff").and_then(subscribe),
            wasm: Cow::Borrowed(&[]),
            lease: None,
            fetch: member("skiff").and_then(|own| json::member(own, "fetch")).map(destinations).transpose()?,
        };
        Ok(Self { package, wasm_path: inside(&wasm_path)? })
    }

    /// Returns the package name, scope included.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.package.name
    }

    /// Returns the version, as written.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.package.version
    }

    /// Returns what the package asks for.
    #[must_use]
    pub fn asks(&self) -> Asks {
        self.package.asks()
    }

    /// Returns the package as it is without its module.
    #[must_use]
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// Completes the package with its module.
    ///
    /// # Errors
    /// [`PackageError::NotWasm`].
    pub fn with_wasm(self, wasm: impl Into<Cow<'static, [u8]>>) -> Result<Package, PackageError> {
        let wasm = wasm.into();
        check_wasm(&wasm)?;
        Ok(Package { wasm, ..self.package })
    }
}

impl Package {
    /// Builds a package from its `package.json` and its module.
    ///
    /// # Errors
    /// [`PackageError`] that names what is wrong.
    pub fn from_parts(package_json: &[u8], wasm: impl Into<Cow<'static, [u8]>>) -> Result<Self, PackageError> {
        Manifest::parse(package_json)?.with_wasm(wasm)
    }

    /// Unpacks what `npm pack` makes. At most [`UNPACKED_BYTES_MAX`] bytes are unpacked.
    ///
    /// # Errors
    /// [`PackageError`] that names what is wrong.
    pub fn from_tgz(bytes: &[u8]) -> Result<Self, PackageError> {
        let (archive, manifest, places) = install::read(bytes, UNPACKED_BYTES_MAX)?;
        manifest.with_wasm(archive.bytes(&places.wasm).to_vec())
    }

    /// Makes a package of a bare module, named after the stem of its file. It declares no capability.
    ///
    /// # Errors
    /// [`PackageError::NotWasm`].
    pub fn from_wasm(stem: &str, wasm: impl Into<Cow<'static, [u8]>>) -> Result<Self, PackageError> {
        let wasm = wasm.into();
        check_wasm(&wasm)?;
        Ok(Self {
            name: name_of_file(stem),
            version: String::from("0.0.0"),
            description: String::new(),
            keywords: Vec::new(),
            capabilities: Capabilities::default(),
            unknown_capabilities: Vec::new(),
            subscribe: None,
            fetch: None,
            wasm,
            lease: None,
        })
    }

    /// Returns the plugin id.
    #[must_use]
    pub fn id(&self) -> String {
        plugin_id(&self.name)
    }
}

/// Paths kept of a list of subscriptions; a board takes fewer (`PluginLimits::path_filter_max`).
const SUBSCRIBE_MAX: usize = 256;

/// Reads the member `subscribe` of a `skiff` section, of a package or of its operator; `None` where there is none.
#[must_use]
pub fn subscribe(section: &str) -> Option<Vec<String>> {
    let list = json::member(section, "subscribe").filter(|list| list.starts_with('['))?;
    let mut paths = Vec::new();
    json::items::<json::JsonError>(list, |item| {
        if let Some(path) = json::string(item).filter(|_| paths.len() < SUBSCRIBE_MAX) {
            paths.push(path.into_owned());
        }
        Ok(())
    })
    .ok()?;
    Some(paths)
}

/// Derives the plugin id from a package name: `@` and `/` become `_` (plugin ABI §1.4).
#[must_use]
pub fn plugin_id(name: &str) -> String {
    name.chars().map(|character| if matches!(character, '@' | '/') { '_' } else { character }).collect()
}

/// Reads `skiff.fetch`, a list of texts.
fn destinations(list: &str) -> Result<Vec<String>, PackageError> {
    let wrong = PackageError::Manifest { clause: "skiff.fetch is no list of at most 64 texts" };
    let mut out = Vec::new();
    let read = json::items::<json::JsonError>(list, |item| {
        match json::string(item) {
            Some(text) if out.len() < DESTINATIONS_MAX => out.push(text.to_string()),
            _ => return Err(json::JsonError::WrongKind),
        }
        Ok(())
    });
    read.map_err(|_| wrong).map(|()| out)
}

fn check_wasm(wasm: &[u8]) -> Result<(), PackageError> {
    if wasm.len() >= 8 && wasm.starts_with(b"\0asm") { Ok(()) } else { Err(PackageError::NotWasm) }
}

/// Keeps to npm's rules for names: lower case, no `.` or `_` in front, `/` only behind a scope (npm, `package.json`,
/// "name"). A name stands in file names, URLs and `$source`.
///
/// # Errors
/// [`PackageError::Name`].
pub fn check_name(name: &str) -> Result<(), PackageError> {
    let plain = |part: &str| !part.is_empty() && !part.starts_with(['.', '_']) && part.chars().all(is_plain);
    let sound = match name.strip_prefix('@').map(|rest| rest.split_once('/')) {
        Some(Some((scope, inner))) => plain(scope) && plain(inner),
        Some(None) => false,
        None => plain(name),
    };
    if sound && name.len() <= NAME_BYTES_MAX { Ok(()) } else { Err(PackageError::Name) }
}

fn is_plain(character: char) -> bool {
    matches!(character, 'a'..='z' | '0'..='9' | '-' | '_' | '.' | '~')
}

/// Makes a package name of a file's stem; chips have no files, and modules that are named as they should be.
fn name_of_file(stem: &str) -> String {
    if !HAS_FILES {
        return stem.to_string();
    }
    let lower = stem.chars().map(|character| character.to_ascii_lowercase());
    let name: String = lower.map(|character| if is_plain(character) { character } else { '-' }).collect();
    let name = name.trim_start_matches(['.', '_', '-']);
    if name.is_empty() { String::from("plugin") } else { name.chars().take(NAME_BYTES_MAX).collect() }
}

/// Returns the path without `./`, when it stays in the package.
fn inside(path: &str) -> Result<String, PackageError> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let sound = |segment: &str| !matches!(segment, "" | "." | "..") && !segment.contains(['\\', '\0', ':']);
    if path.split('/').all(sound) { Ok(path.to_string()) } else { Err(PackageError::OutsidePath) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_abi::Capability;

    const WASM: &[u8] = b"\0asm\x01\0\0\0";

    fn manifest(extra: &str) -> Result<Package, PackageError> {
        let text = std::format!(
            r#"{{"name":"@acme/tide","version":"1.2.3","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm"{extra}}}"#
        );
        Package::from_parts(text.as_bytes(), WASM.to_vec())
    }

    #[test]
    fn a_package_says_who_it_is_and_what_it_needs() {
        let package = manifest(r#","description":"Tides","wasmCapabilities":{"network":true}"#).unwrap();
        assert_eq!((package.name.as_str(), package.id().as_str()), ("@acme/tide", "_acme_tide"));
        assert_eq!((package.version.as_str(), package.description.as_str()), ("1.2.3", "Tides"));
        assert!(package.capabilities.allows(Capability::Network, false));
    }

    #[test]
    fn the_module_path_cannot_leave_the_package() {
        for path in ["../x.wasm", "/etc/x.wasm", "a/../../x.wasm", "a\\\\x", "a//b", ".."] {
            let text = std::format!(r#"{{"name":"a","keywords":["signalk-wasm-plugin"],"wasmManifest":"{path}"}}"#);
            assert_eq!(Manifest::parse(text.as_bytes()), Err(PackageError::OutsidePath), "{path}");
        }
        let text = r#"{"name":"a","keywords":["signalk-wasm-plugin"],"wasmManifest":"./build/x.wasm"}"#;
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap().wasm_path, "build/x.wasm");
    }

    #[test]
    fn a_build_for_skiff_alone_comes_before_the_one_for_every_host() {
        let path = |extra: &str| {
            let text =
                std::format!(r#"{{"name":"a","keywords":["signalk-wasm-plugin"],"wasmManifest":"all.wasm"{extra}}}"#);
            Manifest::parse(text.as_bytes()).map(|manifest| manifest.wasm_path)
        };
        assert_eq!(path(r#","skiff":{"wasmManifest":"small.wasm"}"#).unwrap(), "small.wasm");
        for extra in [
            "",
            r#","skiff":{}"#,
            r#","skiff":[]"#,
            r#","skiff":{"wasmManifest":""}"#,
            r#","skiff":{"wasmManifest":1}"#,
        ] {
            assert_eq!(path(extra).unwrap(), "all.wasm", "{extra}");
        }
        assert_eq!(path(r#","skiff":{"wasmManifest":"../x"}"#), Err(PackageError::OutsidePath));
        let alone = r#"{"name":"a","keywords":["signalk-wasm-plugin"],"skiff":{"wasmManifest":"small.wasm"}}"#;
        assert_eq!(Manifest::parse(alone.as_bytes()), Err(PackageError::NotAPlugin), "other hosts need theirs");
    }

    #[test]
    fn what_is_no_plugin_is_told_apart_from_what_is_damaged() {
        assert_eq!(Manifest::parse(br#"{"name":"a","keywords":[]}"#), Err(PackageError::NotAPlugin));
        assert_eq!(
            Manifest::parse(br#"{"name":"a","keywords":["signalk-wasm-plugin"]}"#),
            Err(PackageError::NotAPlugin)
        );
        // A library may have any name, or none.
        for text in ["{}", r#"{"name":3}"#, r#"{"name":"JSONStream"}"#] {
            assert_eq!(Manifest::parse(text.as_bytes()), Err(PackageError::NotAPlugin), "{text}");
        }
        let nameless = r#"{"name":3,"keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm"}"#;
        for text in ["", "[]", nameless, r#"{"name":"a","keywords":5}"#] {
            assert!(matches!(Manifest::parse(text.as_bytes()), Err(PackageError::Manifest { .. })), "{text}");
        }
        for name in [
            "",
            "../x",
            "a/b",
            "a/b/c",
            "@a",
            "@a/",
            "@/a",
            "@a/.b",
            "@a/_b",
            "@_a/b",
            "@a/b/c",
            "/evil.com",
            "_a",
            ".a",
            "A",
            "a b",
            "a\\u0007",
            "a@b",
            "å",
            "a+b",
        ] {
            let text = std::format!(r#"{{"name":"{name}","keywords":["signalk-wasm-plugin"],"wasmManifest":"x"}}"#);
            assert_eq!(Manifest::parse(text.as_bytes()), Err(PackageError::Name), "{name:?}");
        }
        assert_eq!(Package::from_wasm("a", b"{}".to_vec()), Err(PackageError::NotWasm));
    }

    #[test]
    fn a_bare_module_is_named_after_its_file() {
        for (stem, name) in [("tide-1.0", "tide-1.0"), ("_Tide Table", "tide-table"), ("..", "plugin"), ("Ä", "plugin")]
        {
            assert_eq!(Package::from_wasm(stem, WASM).unwrap().name, name, "{stem}");
        }
    }
}
