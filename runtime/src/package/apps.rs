//! Web apps without a plugin that were installed by Skiff: what is kept of each, a record of its own below `skiff/apps/`.
//!
//! The files lie in a folder below `skiff/app-files/`, which the record names: `skiff/apps/_mxtommy_kip.json` says
//! `{"name","version","folder"}`. A host with a disk writes the files first and the record last; a version is in force with
//! its record. Such an app is served when `webapp` was granted to it, since its pages act with the visitor's rights.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;

use super::asks::{self, Asks, WEB_APP_KEYWORDS};
use super::{Archive, PACKAGE_JSON_BYTES_MAX, PackageError, check_name, plugin_id};
use crate::hal::{Key, Storage, StorageError};
use crate::json;

/// Where the records lie, below the configuration folder.
const RECORDS_FOLDER: &str = "skiff/apps";
/// Where the folders of their files lie: not beside the records, whose listing would walk through all files.
pub const APP_FILES_FOLDER: &str = "skiff/app-files";
/// Web apps that may be installed; each is a folder, and all are looked at for each list of web apps.
pub const APPS_MAX: usize = 128;
/// Bytes that a web app may unpack to; Freeboard-SK 3.1 has 14 MB, KIP 4.8 has 9 MB.
pub const APP_UNPACKED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of a record.
const RECORD_BYTES_MAX: u32 = 4096;
/// Keywords of packages that pages of Signal K's own admin load; they are served as web apps are.
const ADDON_KEYWORDS: [&str; 2] = ["signalk-node-server-addon", "signalk-plugin-configurator"];
/// Keyword of plugins in JavaScript.
const NODE_PLUGIN: &str = "signalk-node-server-plugin";

/// A web app that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// npm name, scope included.
    pub name: String,
    /// Version, as written.
    pub version: String,
    /// The folder of its files, below [`APP_FILES_FOLDER`].
    pub folder: String,
}

impl App {
    /// Returns the id, as a plugin of that name would have it.
    #[must_use]
    pub fn id(&self) -> String {
        plugin_id(&self.name)
    }

    fn record(&self) -> String {
        json::object(|out| {
            out.text("name", &self.name).text("version", &self.version).text("folder", &self.folder);
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let string = |name: &str| json::member(text, name).and_then(json::string).map(|text| text.to_string());
        let app = Self { name: string("name")?, version: string("version")?, folder: string("folder")? };
        // The folder is one below APP_FILES_FOLDER, whoever wrote the record.
        let is_plain = |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
        (check_name(&app.name).is_ok() && is_plain(&app.folder)).then_some(app)
    }
}

/// Why a package is not taken as a web app.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AppError {
    /// It is damaged, too large, or its name is none.
    Package(PackageError),
    /// Its code is JavaScript for Node.js, and it has no pages.
    JavaScript,
    /// It has no keyword of Signal K.
    Neither,
    /// Another package has its id.
    Clash(super::Clash),
    /// There are [`APPS_MAX`] web apps.
    TooMany,
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package(error) => error.fmt(f),
            Self::JavaScript => {
                f.write_str("a plugin in JavaScript, which needs Signal K Server: Skiff runs WebAssembly")
            }
            Self::Neither => {
                f.write_str("neither a WebAssembly plugin nor a web app: package.json has no such keyword")
            }
            Self::Clash(clash) => clash.fmt(f),
            Self::TooMany => write!(f, "{APPS_MAX} web apps are installed, which is the most"),
        }
    }
}

impl core::error::Error for AppError {}

impl From<PackageError> for AppError {
    fn from(error: PackageError) -> Self {
        Self::Package(error)
    }
}

/// A web app on its way in, unpacked.
#[derive(Debug)]
pub struct IncomingApp {
    /// What becomes its record.
    pub app: App,
    /// It also has a plugin in JavaScript, which is not run.
    pub has_node_plugin: bool,
    /// Its files.
    pub archive: Archive,
}

impl IncomingApp {
    /// Reads what `npm pack` makes.
    ///
    /// # Errors
    /// [`AppError`] that says why it is none.
    pub fn read(tgz: &[u8]) -> Result<Self, AppError> {
        let archive = Archive::unpack(tgz, APP_UNPACKED_BYTES_MAX)?;
        let place = archive.find("package.json")?;
        let bad = |clause| AppError::Package(PackageError::Manifest { clause });
        let bytes = archive.bytes(&place);
        if bytes.len() > PACKAGE_JSON_BYTES_MAX {
            return Err(bad("longer than 65536 bytes"));
        }
        let text = core::str::from_utf8(bytes).map_err(|_| bad("not UTF-8"))?;
        let text = json::compact(text.trim_start_matches('\u{feff}')).map_err(|_| bad("not JSON"))?;
        let string = |name: &str| json::member(&text, name).and_then(json::string).map(|text| text.to_string());
        let (mut has_pages, mut is_addon, mut has_node_plugin) = (false, false, false);
        if let Some(list) = json::member(&text, "keywords") {
            json::items::<json::JsonError>(list, |item| {
                let keyword = json::string(item);
                let is = |wanted: &[&str]| keyword.as_ref().is_some_and(|keyword| wanted.contains(&&**keyword));
                has_pages |= is(&WEB_APP_KEYWORDS);
                is_addon |= is(&ADDON_KEYWORDS);
                has_node_plugin |= is(&[NODE_PLUGIN]);
                Ok(())
            })
            .map_err(|_| bad("keywords is no array"))?;
        }
        // The form for settings of a plugin that is not run is of no use.
        if !has_pages && (!is_addon || has_node_plugin) {
            return Err(if has_node_plugin { AppError::JavaScript } else { AppError::Neither });
        }
        let name = string("name").ok_or(bad("name is missing or no string"))?;
        check_name(&name)?;
        let folder = format!("{}@{:016x}", plugin_id(&name), archive.tag());
        let app = App { name, version: string("version").unwrap_or_default(), folder };
        Ok(Self { app, has_node_plugin, archive })
    }
}

fn key(id: &str) -> Option<Key> {
    Key::parse(&format!("{RECORDS_FOLDER}/{id}.json")).ok()
}

/// Reads the record of the web app with this id; `None` where there is none that can be read.
pub fn find(storage: &mut dyn Storage, id: &str) -> Option<App> {
    let text = storage.read_all(&key(id)?, RECORD_BYTES_MAX).ok()?;
    App::parse(core::str::from_utf8(&text).ok()?).filter(|app| app.id() == id)
}

/// Returns the web apps that are installed, by id.
pub fn list(storage: &mut dyn Storage) -> Vec<App> {
    let mut ids = Vec::new();
    let listed = storage.list(&format!("{RECORDS_FOLDER}/"), &mut |key, _| {
        let below = key.as_str().strip_prefix(RECORDS_FOLDER).and_then(|below| below.strip_prefix('/'));
        if let Some(id) = below.and_then(|name| name.strip_suffix(".json")).filter(|id| !id.contains('/')) {
            ids.push(id.to_string());
        }
        if ids.len() < APPS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    if let Err(error) = listed {
        log::warn!("{RECORDS_FOLDER}: {error}");
    }
    ids.sort();
    ids.iter().filter_map(|id| find(storage, id)).collect()
}

/// Stores a record: its version is in force then.
///
/// # Errors
/// [`StorageError`]; the record before holds then.
pub fn save(storage: &mut dyn Storage, app: &App) -> Result<(), StorageError> {
    let key = key(&app.id()).ok_or(StorageError::Failed)?;
    storage.replace(&key, app.record().as_bytes())
}

/// Removes a record; none is no error.
///
/// # Errors
/// [`StorageError`]; the record holds then.
pub fn remove(storage: &mut dyn Storage, id: &str) -> Result<(), StorageError> {
    key(id).map_or(Ok(()), |key| storage.remove(&key))
}

/// Tells whether a web app is served: `webapp` was granted to it.
pub fn is_granted(storage: &mut dyn Storage, name: &str) -> bool {
    asks::granted(storage, name).is_ok_and(|granted| !granted.within(Asks::WEB_APP).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::SimStorage;

    fn app(name: &str, folder: &str) -> App {
        App { name: name.into(), version: "1.0.0".into(), folder: folder.into() }
    }

    #[test]
    fn a_record_is_found_again_and_listed() {
        let mut storage = SimStorage::new();
        let (kip, chart) = (app("@mxtommy/kip", "_mxtommy_kip@1"), app("chart", "chart@2"));
        save(&mut storage, &kip).unwrap();
        save(&mut storage, &chart).unwrap();
        assert_eq!(find(&mut storage, "_mxtommy_kip"), Some(kip.clone()));
        assert_eq!(list(&mut storage), [kip, chart.clone()]);
        remove(&mut storage, "_mxtommy_kip").unwrap();
        remove(&mut storage, "_mxtommy_kip").unwrap();
        assert_eq!(list(&mut storage), [chart]);
    }

    #[test]
    fn a_record_leads_nowhere_else() {
        for record in [
            r#"{"name":"a","version":"1","folder":"../.."}"#,
            r#"{"name":"a","version":"1","folder":""}"#,
            r#"{"name":"a","version":"1","folder":".new"}"#,
            r#"{"name":"../a","version":"1","folder":"a"}"#,
            r#"{"name":"a","version":"1"}"#,
            "[]",
            "",
        ] {
            assert_eq!(App::parse(record), None, "{record}");
        }
        let mut storage = SimStorage::new();
        storage.replace(&key("b").unwrap(), app("a", "a@1").record().as_bytes()).unwrap();
        assert_eq!(find(&mut storage, "b"), None, "a record of another name is none of this id");
    }
}
