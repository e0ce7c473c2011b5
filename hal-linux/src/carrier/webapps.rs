//! Files of packages: web apps at `/<package name>/`, a plugin's `public/` below `/plugins/<id>/`; tiles of charts.
//!
//! The core answers first and has checked who may; what it does not claim comes here (plugin ABI §1.6). Nothing is kept
//! in memory: a package that is installed or removed while the gateway runs is there or gone with the next request.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use serde_json::{Map, Value, json};
use skiff_runtime::config::{FILE_BYTES_MAX, PluginConfig};
use skiff_runtime::http::Door;
use skiff_runtime::package::{Manifest, asks, plugin_id};
use tower_http::services::ServeDir;

use crate::charts;
use crate::hal::Folder;
use crate::packages::{self, apps, folder, web};

use super::beneath::Beneath;
use super::{admin_ui, serial_ports};

/// How compressed files begin (RFC 1952 §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Keyword of one that other web apps may embed.
const EMBEDDABLE: &str = "signalk-embeddable-webapp";
/// Keywords of packages that are listed as web apps.
const WEB_APPS: &[&str] = &["signalk-webapp", EMBEDDABLE];
/// Keywords of packages that the pages of Signal K's own admin load.
const ADDONS: &[&str] = &["signalk-node-server-addon", "signalk-plugin-configurator"];
/// Folder of a package that holds its files; without it a web app's files lie in the package itself.
const PUBLIC: &str = "public";

/// The package folders of a configuration folder.
#[derive(Clone, Debug)]
pub struct WebApps {
    config: PathBuf,
    /// Where the boat's door is, for who stands at the other one.
    boat: Option<SocketAddr>,
    /// Pages of a plugin need a grant.
    asks_consent: bool,
}

/// A request that a file of a web app may answer.
pub(super) struct FileRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    door: Door,
    /// It came through TLS.
    secure: bool,
}

impl FileRequest {
    /// Keeps method, address and header fields of a read; the core needs them no more.
    pub(super) fn of(parts: Parts, door: Door, secure: bool) -> Option<Self> {
        let reads = parts.method == Method::GET || parts.method == Method::HEAD;
        reads.then_some(Self { method: parts.method, uri: parts.uri, headers: parts.headers, door, secure })
    }
}

impl WebApps {
    /// Serves the packages of a configuration folder; `asks_consent` is false where a plugin has what it declares.
    #[must_use]
    pub fn new(config: PathBuf, asks_consent: bool) -> Self {
        Self { config, boat: None, asks_consent }
    }

    /// Sends who asks for a web app at the admin's door on to the boat's, which is there.
    pub(super) fn beside(self, boat: SocketAddr) -> Self {
        Self { boat: Some(boat), ..self }
    }

    /// Answers with a file or the list of web apps; `None` when no package has what is asked for.
    pub(super) async fn answer(&self, asked: FileRequest) -> Option<axum::response::Response> {
        let apps = self.clone();
        let (path, door) = (asked.uri.path().to_owned(), asked.door);
        // Package folders are looked up on the disk.
        let found = tokio::task::spawn_blocking(move || apps.find(&path, door)).await.ok()??;
        match found {
            Found::List(list) => Some(super::http::respond(skiff_runtime::server::Response::json(200, list))),
            Found::Moved(to) => {
                let mut moved = axum::response::Response::new(Body::empty());
                *moved.status_mut() = StatusCode::PERMANENT_REDIRECT;
                moved.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&to).ok()?);
                Some(moved)
            }
            Found::File { root, mount, below } => {
                let mut answer = send(root, &mount, &below, asked).await?;
                if door == Door::Admin {
                    admin_ui::guard(answer.headers_mut());
                }
                Some(answer)
            }
            Found::Page(page) => Some(admin_ui::show(page)),
            Found::AtBoat if admin_ui::wants_image(&asked.headers) => self.image(asked).await,
            Found::AtBoat => self.send_to_boat(&asked),
            Found::Tile { root, below, format } => tile(root, &below, format, asked).await,
            Found::Read { bytes, changed, format } => Some(read_tile(bytes, changed, format, &asked)),
        }
    }

    fn find(&self, path: &str, door: Door) -> Option<Found> {
        match path.trim_end_matches('/') {
            "/skServer/webapps" => return Some(Found::List(self.list(WEB_APPS))),
            "/skServer/addons" => return Some(Found::List(self.list(ADDONS))),
            "/skServer/serialports" => return Some(Found::List(serial_ports::list())),
            "/signalk/v1/apps/list" => return Some(Found::List(self.catalogue())),
            _ => {}
        }
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
        let segments: Vec<&str> = decoded.strip_prefix('/')?.split('/').collect();
        // What is opened is held below the package's folder again; the name of a package cannot hold these either.
        if segments.iter().any(|segment| *segment == ".." || segment.contains(['\\', '\0'])) {
            return None;
        }
        if door == Door::Admin {
            return self.find_for_admin(path, &segments);
        }
        if let Some(charts::Tile { format, place }) = charts::tile(&self.config, &segments) {
            return Some(match place {
                charts::Place::File { folder, below } => {
                    Found::Tile { root: Beneath::open(&folder).ok()?, below, format }
                }
                charts::Place::Read { bytes, changed } => Found::Read { bytes, changed, format },
            });
        }
        let (root, mounted) = match *segments.as_slice() {
            ["plugins", id, _, ..] => (self.folder_of_plugin(id)?.join(PUBLIC), 2),
            ["skServer", "plugins", id, _, ..] => (self.folder_of_plugin(id)?.join(PUBLIC), 3),
            [scope, name, ..] if scope.starts_with('@') => (self.web_app(&format!("{scope}/{name}"))?, 2),
            [name, ..] => (self.web_app(name)?, 1),
            [] => return None,
        };
        // The raw path has the same slashes, since no decoded segment may hold one more.
        let raw: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        if raw.len() != segments.len() {
            return None;
        }
        let mount = format!("/{}", raw.get(..mounted)?.join("/"));
        if raw.len() == mounted {
            return Some(Found::Moved(format!("{mount}/")));
        }
        let below = format!("/{}", raw.get(mounted..)?.join("/"));
        Some(Found::File { root: Beneath::open(&root).ok()?, mount, below })
    }

    /// Finds what is at the admin's door: the admin UI, and of web apps the way to them.
    fn find_for_admin(&self, path: &str, segments: &[&str]) -> Option<Found> {
        match segments {
            ["admin"] => Some(Found::Moved("/admin/".into())),
            ["admin", ..] => {
                let files = files_of(&folder::folder_of(&self.config, admin_ui::PACKAGE)?);
                match admin_ui::file_of(path.strip_prefix("/admin")?) {
                    None => Some(Found::Page(admin_ui::page(&files)?)),
                    Some(below) => {
                        Some(Found::File { root: Beneath::open(&files).ok()?, mount: "/admin".into(), below })
                    }
                }
            }
            [scope, name, ..] if scope.starts_with('@') => {
                self.web_app(&format!("{scope}/{name}")).map(|_| Found::AtBoat)
            }
            [name, ..] => self.web_app(name).map(|_| Found::AtBoat),
            [] => None,
        }
    }

    /// Answers with the image of a web app at the admin's door.
    async fn image(&self, asked: FileRequest) -> Option<axum::response::Response> {
        let (apps, path) = (self.clone(), asked.uri.path().to_owned());
        match tokio::task::spawn_blocking(move || apps.find(&path, Door::Boat)).await.ok()?? {
            Found::File { root, mount, below } => admin_ui::only_image(send(root, &mount, &below, asked).await?),
            _ => None,
        }
    }

    fn send_to_boat(&self, asked: &FileRequest) -> Option<axum::response::Response> {
        let target = asked.uri.path_and_query()?.as_str();
        let to = admin_ui::at_boat(self.boat?, target, &asked.headers, asked.secure)?;
        let mut moved = axum::response::Response::new(Body::empty());
        *moved.status_mut() = StatusCode::FOUND;
        moved.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&to).ok()?);
        admin_ui::guard(moved.headers_mut());
        Some(moved)
    }

    /// Returns the folder with the files of a web app that is to be served.
    fn web_app(&self, name: &str) -> Option<PathBuf> {
        if name == admin_ui::PACKAGE {
            return None;
        }
        let folder = folder::folder_of(&self.config, name)?;
        let manifest = packages::package_json(&folder)?;
        (is_served(&manifest) && self.is_on(&manifest)).then(|| files_of(&folder))
    }

    fn folder_of_plugin(&self, id: &str) -> Option<PathBuf> {
        let found = web::folder_of(&self.config, id)
            .or_else(|| folder::module_folders(&self.config).into_iter().find(|(name, _)| plugin_id(name) == id));
        found.map(|(_, folder)| folder)
    }

    /// Tells whether a package is served: a plugin's web app while the plugin is enabled and has what it asks for, one that
    /// Skiff has installed once somebody has granted that, any other always.
    fn is_on(&self, manifest: &Map<String, Value>) -> bool {
        let Some(name) = manifest.get("name").and_then(Value::as_str) else { return false };
        let mut folder = Folder::new(&self.config);
        if !manifest.contains_key("wasmManifest") {
            // One in `node_modules` was put there by whoever has the machine.
            let is_ours = apps::folder_of(&self.config, name).is_some();
            return !is_ours || apps::missing(&mut folder, name).is_empty();
        }
        let config = PluginConfig::load(&mut folder, &plugin_id(name), FILE_BYTES_MAX);
        let enabled = config.is_ok_and(|config| config.is_some_and(|config| config.enabled == Some(true)));
        let asks = serde_json::to_vec(manifest).ok().and_then(|text| Some(Manifest::parse(&text).ok()?.asks()));
        let granted = asks::granted(&mut folder, name).unwrap_or_default();
        enabled && (!self.asks_consent || asks.is_some_and(|asks| asks.without(granted).is_empty()))
    }

    /// Returns the name of each web app, and whether it is served.
    #[must_use]
    pub fn apps(&self) -> Vec<(String, bool)> {
        let manifests = folder::module_folders(&self.config).into_iter();
        let apps = manifests.filter_map(|(name, folder)| Some((name, packages::package_json(&folder)?)));
        let apps = apps.filter(|(_, manifest)| is_served(manifest));
        apps.map(|(name, manifest)| (name, self.is_on(&manifest))).collect()
    }

    /// Lists the web apps as `GET /signalk/v1/apps/list` does (Signal K 1.7, "Discovery of web apps").
    fn catalogue(&self) -> String {
        let folders = folder::module_folders(&self.config).into_iter();
        let manifests = folders.filter_map(|(name, folder)| Some((name, packages::package_json(&folder)?)));
        let served = manifests.filter(|(name, manifest)| {
            name != admin_ui::PACKAGE && has_any(manifest, WEB_APPS) && self.is_on(manifest)
        });
        let rows = served.map(|(name, manifest)| {
            let member = |key: &str| manifest.get(key).cloned().unwrap_or_else(|| json!(""));
            json!({
                "name": name, "version": member("version"), "description": member("description"),
                "location": format!("/{name}/"), "license": member("license"), "author": author_of(&manifest),
            })
        });
        Value::Array(rows.collect()).to_string()
    }

    /// Lists the packages with one of the keywords as `GET /skServer/webapps` does.
    fn list(&self, keywords: &[&str]) -> String {
        let mut apps = Vec::new();
        for (name, folder) in folder::module_folders(&self.config) {
            let Some(manifest) = packages::package_json(&folder) else { continue };
            if name == admin_ui::PACKAGE || !has_any(&manifest, keywords) || !self.is_on(&manifest) {
                continue;
            }
            let mut app = Map::new();
            for member in ["name", "version", "description", "keywords", "signalk"] {
                app.insert(member.into(), manifest.get(member).cloned().unwrap_or_else(|| json!("")));
            }
            if !manifest.contains_key("signalk") {
                app.insert("signalk".into(), json!({}));
            }
            app.insert("location".into(), json!(format!("/{name}/")));
            app.insert("embeddable".into(), json!(has_keyword(&manifest, EMBEDDABLE)));
            apps.push(Value::Object(app));
        }
        Value::Array(apps).to_string()
    }
}

/// Returns the name of who wrote a package: `author`, or the `name` in it.
fn author_of(manifest: &Map<String, Value>) -> Value {
    let author = manifest.get("author");
    let name = author.and_then(|author| author.get("name")).or(author);
    name.filter(|name| name.is_string()).cloned().unwrap_or_else(|| json!(""))
}

/// What lies at an address.
enum Found {
    /// The list of web apps.
    List(String),
    /// The same address with a slash, so that the page's relative links work.
    Moved(String),
    /// A file below `root`, or a folder with an `index.html`.
    File { root: Beneath, mount: String, below: String },
    /// The page of the admin UI.
    Page(String),
    /// A web app, which is at the other door.
    AtBoat,
    /// A tile of a chart, a file of its own.
    Tile { root: Beneath, below: String, format: &'static str },
    /// A tile out of a chart of one file.
    Read { bytes: Vec<u8>, changed: Option<SystemTime>, format: &'static str },
}

/// Ending of tiles that hold vectors.
const VECTORS: &str = "pbf";
/// Charts change seldom and are asked for with every move of a map: browsers keep their tiles for a day.
const TILES_KEPT: HeaderValue = HeaderValue::from_static("private, max-age=86400");

/// Sends a tile that is a file.
async fn tile(root: Beneath, below: &str, format: &str, asked: FileRequest) -> Option<axum::response::Response> {
    let is_zipped = format == VECTORS && root.begins_with(below, &GZIP).await;
    let mut answer = send(root, "", below, asked).await?;
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, TILES_KEPT);
    if format == VECTORS {
        headers.insert(header::CONTENT_TYPE, kind_of(format));
    }
    if is_zipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(answer)
}

/// Sends a tile that was read, or says that the client's is still the same.
fn read_tile(
    bytes: Vec<u8>,
    changed: Option<SystemTime>,
    format: &str,
    asked: &FileRequest,
) -> axum::response::Response {
    let is_zipped = format == VECTORS && bytes.starts_with(&GZIP);
    let changed = changed.and_then(|changed| changed.duration_since(SystemTime::UNIX_EPOCH).ok());
    let tag = changed.map(|changed| format!("\"{:x}-{:x}\"", changed.as_nanos(), bytes.len()));
    let tag = tag.and_then(|tag| HeaderValue::from_str(&tag).ok());
    let is_known = tag.is_some() && asked.headers.get(header::IF_NONE_MATCH) == tag.as_ref();
    let is_sent = !is_known && asked.method != Method::HEAD;
    let length = bytes.len();
    let mut answer = axum::response::Response::new(if is_sent { Body::from(bytes) } else { Body::empty() });
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, TILES_KEPT);
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
    if !is_known {
        headers.insert(header::CONTENT_TYPE, kind_of(format));
        headers.insert(header::CONTENT_LENGTH, length.into());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if is_zipped {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    answer
}

/// Returns the type of tiles with an ending.
fn kind_of(format: &str) -> HeaderValue {
    HeaderValue::from_static(match format {
        VECTORS => "application/x-protobuf",
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        _ => "image/png",
    })
}

/// Sends a file with its type, its pre-compressed sibling where the client takes one, and 304 where nothing changed.
async fn send(root: Beneath, mount: &str, below: &str, asked: FileRequest) -> Option<axum::response::Response> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = asked.method;
    *request.uri_mut() = below.parse().ok()?;
    *request.headers_mut() = asked.headers;
    let mut files = ServeDir::with_backend("", root).precompressed_br().precompressed_gzip();
    let answer = files.try_call(request).await.ok()?;
    if answer.status() == StatusCode::NOT_FOUND {
        return None;
    }
    let mut answer = answer.map(Body::new);
    let headers = answer.headers_mut();
    // A folder without its slash is sent on, from an address that knows nothing of the mount point.
    if let Some(to) = headers.get(header::LOCATION).and_then(|to| to.to_str().ok()) {
        let to = HeaderValue::from_str(&format!("{mount}{to}")).ok()?;
        headers.insert(header::LOCATION, to);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Some(answer)
}

fn files_of(package: &Path) -> PathBuf {
    let public = package.join(PUBLIC);
    if fs::metadata(&public).is_ok_and(|metadata| metadata.is_dir()) { public } else { package.to_owned() }
}

/// Tells whether the files of a package are served.
fn is_served(manifest: &Map<String, Value>) -> bool {
    has_any(manifest, WEB_APPS) || has_any(manifest, ADDONS)
}

fn has_any(manifest: &Map<String, Value>, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| has_keyword(manifest, keyword))
}

fn has_keyword(manifest: &Map<String, Value>, wanted: &str) -> bool {
    let keywords = manifest.get("keywords").and_then(Value::as_array);
    keywords.is_some_and(|keywords| keywords.iter().any(|keyword| keyword == wanted))
}
