//! Packages by name, from a registry on this machine that does as it is told.

mod support;
#[path = "../../runtime/tests/tarball/mod.rs"]
mod tarball;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use skiff_gateway::appstore::Integrity;
use support::{Gateway, assert_refused, data, skiff, talk};
use tempfile::tempdir;

const ALARM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/assemblyscript/shallow-water-alarm/plugin.wasm");

/// What lies at an address, as the bytes of an answer.
type Places = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A registry.
struct FakeRegistry {
    url: String,
    places: Places,
}

impl FakeRegistry {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let places = Places::default();
        let served = Arc::clone(&places);
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(stream, &served)));
        Self { url, places }
    }

    /// Has these bytes sent for an address, head and all.
    fn put_raw(&self, path: &str, answer: Vec<u8>) {
        self.places.lock().unwrap().insert(path.to_owned(), answer);
    }

    fn put(&self, path: &str, body: &[u8]) {
        self.put_raw(
            path,
            [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat(),
        );
    }

    /// Publishes versions of a package, the last one as `latest`; each with its archive and the hash that is told of it.
    fn publish(&self, name: &str, versions: &[(&str, &[u8], Integrity)]) {
        let mut rows = serde_json::Map::new();
        for (version, archive, integrity) in versions {
            let path = format!("{name}/-/{version}.tgz");
            self.put(&format!("/{path}"), archive);
            let dist = json!({ "tarball": format!("{}{path}", self.url), "integrity": integrity.to_string() });
            rows.insert((*version).to_owned(), json!({ "name": name, "version": version, "dist": dist }));
        }
        let latest = versions.last().unwrap().0;
        let document = json!({ "name": name, "dist-tags": { "latest": latest }, "versions": rows });
        self.put(&format!("/{}", name.replace('/', "%2f")), document.to_string().as_bytes());
    }
}

fn serve(mut stream: TcpStream, places: &Places) {
    let mut asked = Vec::new();
    let mut buffer = [0; 1024];
    while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => asked.extend_from_slice(&buffer[..count]),
        }
    }
    let asked = String::from_utf8_lossy(&asked).into_owned();
    let target = asked.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let places = places.lock().unwrap();
    let known = places.get(target).or_else(|| places.get(path));
    let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}".to_vec();
    // Who was refused has gone.
    let _ = stream.write_all(known.unwrap_or(&missing));
}

fn plugin_archive(name: &str, version: &str) -> Vec<u8> {
    let json =
        json!({ "name": name, "version": version, "keywords": ["signalk-wasm-plugin"], "wasmManifest": "plugin.wasm" });
    tarball::npm_pack(&json.to_string(), &fs::read(ALARM).unwrap())
}

fn app_archive(name: &str, version: &str, keywords: &[&str]) -> Vec<u8> {
    let json = json!({ "name": name, "version": version, "keywords": keywords });
    let page = format!("<h1>{version}</h1>");
    tarball::npm_pack_with(&json.to_string(), b"", &[("public/index.html", page.as_bytes())])
}

/// A user of that registry.
struct User<'r> {
    home: tempfile::TempDir,
    registry: &'r FakeRegistry,
}

impl<'r> User<'r> {
    fn of(registry: &'r FakeRegistry) -> Self {
        Self { home: tempdir().unwrap(), registry }
    }

    fn config(&self) -> std::path::PathBuf {
        self.home.path().join(".skiff")
    }

    fn plugin(&self, arguments: &[&str]) -> Output {
        let mut command = skiff(self.home.path(), &[&["plugin"], arguments].concat());
        command.env("npm_config_registry", &self.registry.url).env_remove("npm_config_cafile").output().unwrap()
    }

    fn succeeds(&self, arguments: &[&str]) -> Output {
        let output = self.plugin(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", talk(&output));
        output
    }
}

fn is_empty(config: &Path) -> bool {
    ["skiff/packages", "skiff/apps", "skiff/app-files"].iter().all(|folder| {
        fs::read_dir(config.join(folder)).is_ok_and(|mut found| found.next().is_none()) || !config.join(folder).exists()
    })
}

#[test]
fn a_plugin_is_installed_by_its_name_and_updated() {
    let registry = FakeRegistry::start();
    let user = User::of(&registry);
    let (first, second) = (plugin_archive("@acme/tide", "1.9.0"), plugin_archive("@acme/tide", "1.10.0"));
    registry.publish("@acme/tide", &[("1.9.0", &first, Integrity::of(&first))]);
    user.succeeds(&["install", "@acme/tide"]);
    let pin = fs::read_to_string(user.config().join("skiff/pins/_acme_tide.json")).unwrap();
    assert!(pin.contains(&Integrity::of(&first).to_string()), "{pin}");
    assert!(talk(&user.succeeds(&["update"])).contains("@acme/tide 1.9.0 is the newest"));
    registry.publish(
        "@acme/tide",
        &[("1.9.0", &first, Integrity::of(&first)), ("1.10.0", &second, Integrity::of(&second))],
    );
    let outdated = data(&user.succeeds(&["list", "--outdated"]));
    assert!(outdated[1].starts_with("@acme/tide  1.9.0    1.10.0"), "{outdated:?}");
    let rows: Value = serde_json::from_slice(&user.succeeds(&["list", "--outdated", "--json"]).stdout).unwrap();
    assert_eq!(rows[0]["newest"], "1.10.0");
    user.succeeds(&["update"]);
    assert!(data(&user.succeeds(&["list"]))[1].starts_with("@acme/tide  1.10.0"));
    user.succeeds(&["install", "@acme/tide@1.9.0"]);
    assert!(data(&user.succeeds(&["list"]))[1].starts_with("@acme/tide  1.9.0"));
}

#[test]
fn what_does_not_come_as_it_should_is_refused_and_leaves_nothing() {
    let registry = FakeRegistry::start();
    let user = User::of(&registry);
    let (good, other) = (plugin_archive("tide", "1.0.0"), plugin_archive("tide", "1.0.1"));
    registry.publish("tide", &[("1.0.0", &good, Integrity::of(&other))]);
    assert_refused(&user.plugin(&["install", "tide"]), 4, &["tide 1.0.0", "not the one whose hash"]);

    registry.publish("tide", &[("1.0.0", &good, Integrity::of(&good))]);
    assert_refused(&user.plugin(&["install", "tide@2.0.0"]), 3, &["no version and no tag 2.0.0", "there are 1.0.0"]);
    assert_refused(&user.plugin(&["install", "wind"]), 3, &["wind: there is no such package"]);

    registry.put_raw("/tide/-/1.0.0.tgz", b"HTTP/1.1 200 OK\r\nContent-Length: 99000000\r\n\r\n".to_vec());
    assert_refused(&user.plugin(&["install", "tide"]), 4, &["longer than the 10485760 bytes"]);
    // The same, unannounced.
    let endless = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".as_slice(), &vec![b'x'; 11 * 1024 * 1024]].concat();
    registry.put_raw("/tide/-/1.0.0.tgz", endless);
    assert_refused(&user.plugin(&["install", "tide"]), 4, &["longer than the 10485760 bytes"]);

    let around =
        format!("HTTP/1.1 302 Found\r\nLocation: {}tide/-/1.0.0.tgz\r\nContent-Length: 0\r\n\r\n", registry.url);
    registry.put_raw("/tide/-/1.0.0.tgz", around.into_bytes());
    assert_refused(&user.plugin(&["install", "tide"]), 3, &["leads on from address to address"]);

    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", good.len());
    registry.put_raw("/tide/-/1.0.0.tgz", [head.as_bytes(), &good[..good.len() / 2]].concat());
    assert_refused(&user.plugin(&["install", "tide"]), 3, &["the download broke off"]);

    registry.put_raw("/tide", b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec());
    assert_refused(&user.plugin(&["install", "tide"]), 3, &["answered with status 500"]);
    registry.put("/tide", b"<html>the harbour's sign-in page</html>");
    assert_refused(&user.plugin(&["install", "tide"]), 4, &["not npm's protocol"]);
    assert!(is_empty(&user.config()));

    // One redirect is how registries lead to where archives lie.
    let moved = format!("HTTP/1.1 302 Found\r\nLocation: {}there.tgz\r\nContent-Length: 0\r\n\r\n", registry.url);
    registry.publish("tide", &[("1.0.0", &good, Integrity::of(&good))]);
    registry.put_raw("/tide/-/1.0.0.tgz", moved.into_bytes());
    registry.put("/there.tgz", &good);
    user.succeeds(&["install", "tide"]);
}

#[test]
fn a_version_that_was_exchanged_is_refused() {
    let registry = FakeRegistry::start();
    let user = User::of(&registry);
    let (first, second) = (plugin_archive("tide", "1.0.0"), app_archive("tide", "1.0.0", &["signalk-webapp"]));
    registry.publish("tide", &[("1.0.0", &first, Integrity::of(&first))]);
    user.succeeds(&["install", "tide"]);
    user.succeeds(&["remove", "tide"]);
    registry.publish("tide", &[("1.0.0", &second, Integrity::of(&second))]);
    assert_refused(&user.plugin(&["install", "tide"]), 1, &["tide 1.0.0", "a version never changes"]);
    assert!(is_empty(&user.config()));
}

#[test]
fn web_apps_come_by_name_ask_and_go_and_javascript_is_refused() {
    let registry = FakeRegistry::start();
    let user = User::of(&registry);
    for (name, keywords) in [
        ("@acme/kip", &["signalk-webapp", "signalk-node-server-plugin"][..]),
        ("embed", &["signalk-embeddable-webapp"]),
        ("addon", &["signalk-node-server-addon"]),
        ("javascript", &["signalk-node-server-plugin"]),
        ("form", &["signalk-plugin-configurator", "signalk-node-server-plugin"]),
        ("library", &["other"]),
    ] {
        let archive = app_archive(name, "1.0.0", keywords);
        registry.publish(name, &[("1.0.0", &archive, Integrity::of(&archive))]);
    }
    let asks = user.plugin(&["install", "@acme/kip"]);
    assert_refused(&asks, 1, &["it asks for webapp: skiff plugin enable @acme/kip --grant webapp", "is JavaScript"]);
    user.succeeds(&["install", "embed", "--grant", "webapp"]);
    user.succeeds(&["install", "addon", "--grant", "all"]);
    assert_refused(&user.plugin(&["install", "javascript"]), 4, &["a plugin in JavaScript"]);
    assert_refused(&user.plugin(&["install", "form"]), 4, &["a plugin in JavaScript"]);
    assert_refused(&user.plugin(&["install", "library"]), 4, &["neither a WebAssembly plugin nor a web app"]);

    let config = user.config();
    let gateway = Gateway::start(user.home.path(), &["--config", config.to_str().unwrap()]);
    let served = |path: &str| gateway.ask("GET", path, &[], "").0;
    assert_eq!((served("/embed/"), served("/addon/"), served("/@acme/kip/")), (200, 200, 404));
    assert_refused(&user.plugin(&["enable", "@acme/kip"]), 1, &["--grant webapp"]);
    user.succeeds(&["enable", "@acme/kip", "--grant", "webapp"]);
    assert_eq!(served("/@acme/kip/"), 200);
    let (_, _, list) = gateway.ask("GET", "/skServer/webapps", &[], "");
    assert!(list.contains("\"@acme/kip\"") && list.contains("\"embed\""), "{list}");
    user.succeeds(&["disable", "embed"]);
    assert_eq!(served("/embed/"), 404);
    user.succeeds(&["remove", "addon"]);
    assert_eq!(served("/addon/"), 404);
    let rows = data(&user.succeeds(&["list"]));
    assert!(rows[1].starts_with("@acme/kip  1.0.0    enabled   web app"), "{rows:?}");
    assert!(rows[2].starts_with("embed      1.0.0    disabled  web app; asks"), "{rows:?}");
    // A gateway that runs is brought the next version, which needs no other consent.
    let next = app_archive("@acme/kip", "1.1.0", &["signalk-webapp"]);
    registry.publish("@acme/kip", &[("1.1.0", &next, Integrity::of(&next))]);
    user.succeeds(&["update", "@acme/kip"]);
    assert!(gateway.ask("GET", "/@acme/kip/", &[], "").2.contains("1.1.0"));
    assert_eq!(fs::read_dir(config.join("skiff/app-files")).unwrap().count(), 2, "the version before is gone");
}

#[test]
fn an_address_and_a_search_work_too() {
    let registry = FakeRegistry::start();
    let user = User::of(&registry);
    let archive = plugin_archive("tide", "1.0.0");
    registry.put("/somewhere/tide.tgz", &archive);
    user.succeeds(&["install", &format!("{}somewhere/tide.tgz", registry.url)]);
    assert!(data(&user.succeeds(&["list"]))[1].starts_with("tide"));
    assert_refused(&user.plugin(&["install", &format!("{}gone.tgz", registry.url)]), 3, &["gone.tgz"]);
    assert_refused(&user.plugin(&["install", "ftp://x/tide.tgz"]), 2, &["no http:// or https:// address"]);
    let found = |name: &str, keyword: &str| {
        json!({ "package": { "name": name, "version": "1.0.0", "keywords": [keyword], "description": "\u{1b}[2Ja \
            thing" } })
    };
    let page = json!({ "objects": [found("tide", "signalk-wasm-plugin"), found("kip", "signalk-webapp"),
        found("../evil", "signalk-webapp")], "total": 3 });
    registry.put("/-/v1/search", page.to_string().as_bytes());
    let rows = data(&user.succeeds(&["search", "anything"]));
    assert_eq!(
        rows[1..],
        ["kip      1.0.0    web app  \u{fffd}[2Ja thing", "tide     1.0.0    plugin   \u{fffd}[2Ja thing"]
    );
    let rows: Value = serde_json::from_slice(&user.succeeds(&["search", "--json"]).stdout).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 2);
}

#[test]
fn the_admins_page_installs_updates_and_removes() {
    let registry = FakeRegistry::start();
    let user = User::of(&registry);
    let (plugin, app) = (plugin_archive("@acme/tide", "1.0.0"), app_archive("kip", "2.0.0", &["signalk-webapp"]));
    registry.publish("@acme/tide", &[("1.0.0", &plugin, Integrity::of(&plugin))]);
    registry.publish("kip", &[("2.0.0", &app, Integrity::of(&app))]);
    let asks = json!({ "name": "asks", "version": "1.0.0", "keywords": ["signalk-wasm-plugin"],
        "wasmManifest": "plugin.wasm", "wasmCapabilities": { "network": true } });
    let asks = tarball::npm_pack(&asks.to_string(), &fs::read(ALARM).unwrap());
    registry.publish("asks", &[("1.0.0", &asks, Integrity::of(&asks))]);
    let offer = |name: &str, version: &str, keyword: &str| json!({ "package": { "name": name, "version": version, "keywords": [keyword] } });
    let page = json!({ "objects": [offer("@acme/tide", "1.0.0", "signalk-wasm-plugin"),
        offer("kip", "2.0.0", "signalk-webapp")], "total": 2 });
    registry.put("/-/v1/search", page.to_string().as_bytes());
    let npmrc = format!("registry={}\n", registry.url);
    fs::write(user.home.path().join(".npmrc"), npmrc).unwrap();
    let config = user.config();
    let gateway = Gateway::start(user.home.path(), &["--config", config.to_str().unwrap()]);
    let token = gateway.token();
    let bearer = format!("Bearer {token}");
    let ask = |method: &str, path: &str, body: &str| {
        let (status, _, text) =
            gateway.ask(method, path, &[("Authorization", &bearer), ("Content-Type", "application/json")], body);
        (status, serde_json::from_str::<Value>(&text).unwrap_or_default())
    };
    let list = |until: &dyn Fn(&Value) -> bool| {
        let text = gateway.owner_gets_until(&token, "/skServer/appstore/available", |text| {
            until(&serde_json::from_str(text).unwrap())
        });
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let names = |list: &Value| {
        let rows = list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned());
        rows.collect::<Vec<_>>().join(" ")
    };
    let first = list(&|_| true);
    assert_eq!((names(&first["available"]), names(&first["installed"])), ("@acme/tide kip".into(), String::new()));
    assert_eq!(ask("POST", "/skServer/appstore/install/kip/latest", "").0, 400);
    assert_eq!(ask("POST", "/skServer/appstore/install/@acme/tide/1.0.0", "").1, "Installing @acme/tide...");
    assert_eq!(ask("POST", "/skServer/appstore/install/kip/2.0.0", "").0, 200);
    assert_eq!(ask("POST", "/skServer/appstore/install/kip/9.9.9", "").0, 200);
    assert_eq!(ask("POST", "/skServer/appstore/install/asks/1.0.0", "").0, 200);
    let ended = |list: &Value, name: &str| {
        let all = ["installed", "installing"].map(|part| list[part].as_array().unwrap().clone()).concat();
        let row = all.into_iter().find(|row| row["name"] == name);
        row.is_some_and(|row| ["isWaiting", "isInstalling"].iter().all(|state| row.get(state).is_none()))
    };
    let after = list(&|list| ["@acme/tide", "kip", "asks"].iter().all(|name| ended(list, name)));
    let log = ask("GET", "/skServer/appstore/installLog/asks", "").1["log"].clone();
    assert_eq!(log, "version 1.0.0 is disabled; it asks for network: skiff plugin enable asks --grant network");
    let row = |part: &str, name: &str| {
        after[part].as_array().unwrap().iter().find(|row| row["name"] == name).cloned().unwrap_or_default()
    };
    assert_eq!(row("installed", "@acme/tide")["installedVersion"], "1.0.0");
    let asks = row("installed", "asks")["description"].as_str().unwrap_or_default().to_owned();
    assert!(asks.starts_with("Not in use: asks for network."), "{asks}");
    let kip = row("installing", "kip");
    assert_eq!((&kip["installFailed"], &kip["installedVersion"]), (&json!(true), &json!("2.0.0")));
    let log = ask("GET", "/skServer/appstore/installLog/kip", "").1;
    assert!(log["log"].as_str().unwrap().contains("no version and no tag 9.9.9"), "{log}");
    assert_eq!(ask("GET", "/skServer/appstore/installLog/@acme/tide", "").1["code"], 0);
    let apps = ask("GET", "/skiff/v1/webapps", "").1;
    assert_eq!(
        (&apps[0]["name"], &apps[0]["state"], &apps[0]["asks"]),
        (&json!("kip"), &json!("disabled"), &json!(["webapp"]))
    );
    assert_eq!(gateway.ask("GET", "/kip/", &[], "").0, 404, "nobody has granted that");
    assert_eq!(ask("POST", "/skiff/v1/webapps/kip", r#"{"enabled":true}"#).0, 409);
    assert_eq!(ask("POST", "/skiff/v1/webapps/kip?grant=webapp", r#"{"enabled":true}"#).0, 200);
    assert_eq!(gateway.ask("GET", "/kip/", &[], "").0, 200);
    assert_eq!(ask("GET", "/skServer/appstore/plugin/%40acme%2Ftide", "").1["version"], "1.0.0");
    assert_eq!(ask("GET", "/skServer/appstore/plugin/nothing", "").0, 404);
    let size = ask("GET", "/skServer/appstore/datasize/@acme/tide", "").1;
    assert_eq!(size["hasData"], true, "its configuration says that it is enabled: {size}");
    assert_eq!(
        ask("POST", "/skServer/appstore/remove/@acme/tide", r#"{"deleteData":true}"#).1,
        "Removing @acme/tide..."
    );
    assert_eq!(ask("POST", "/skServer/appstore/remove/kip", "{}").0, 200);
    let gone = |list: &Value, name: &str| {
        ["installed", "installing"].iter().all(|part| !names(&list[part]).split(' ').any(|one| one == name))
    };
    let last = list(&|list| gone(list, "@acme/tide") && gone(list, "kip"));
    assert_eq!(names(&last["installed"]), "asks");
    assert_eq!(gateway.ask("GET", "/kip/", &[], "").0, 404);
    assert!(!config.join("plugin-config-data/_acme_tide.json").exists());
    for path in ["/skServer/appstore/available", "/skServer/appstore/installLog/kip"] {
        assert_eq!(gateway.ask("GET", path, &[], "").0, 401, "for the admin alone, on loopback too");
    }
}
