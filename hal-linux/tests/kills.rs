//! The process is killed while packages come in: module, pages and configuration belong together at each start.
//!
//! `SKIFF_KILLS=200` kills it that often.

mod support;
#[path = "../../runtime/tests/tarball/mod.rs"]
mod tarball;

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;
use support::Gateway;
use tempfile::tempdir;

const ALARM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/assemblyscript/shallow-water-alarm");
const PAGES: usize = 40;
const KILLS: u32 = 20;

fn pack(version: u32) -> Vec<u8> {
    let json = support::alarm_json();
    let json = json
        .replace("\"signalk-wasm-plugin\"", "\"signalk-wasm-plugin\", \"signalk-webapp\"")
        .replace("\"version\": \"0.1.0\"", &format!("\"version\": \"{version}.0.0\""));
    let wasm = fs::read(Path::new(ALARM).join("plugin.wasm")).unwrap();
    let text = version.to_string();
    let names: Vec<String> = (0..PAGES).map(|number| format!("public/{number}/index.html")).collect();
    let pages: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), text.as_bytes())).collect();
    tarball::npm_pack_with(&json, &wasm, &pages)
}

/// Sends a request and does not wait for its answer; the connection lives as long as what is returned.
fn send(gateway: &Gateway, token: &str, method: &str, path: &str, kind: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(&gateway.authority).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        gateway.authority,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream
}

/// The first row of the plugin list, once the plugin runs.
fn row(gateway: &Gateway) -> Value {
    let rows = gateway.get_until("/skServer/plugins", |rows| rows.contains("\"running\""));
    let rows: Value = serde_json::from_str(&rows).unwrap();
    rows[0].clone()
}

#[test]
fn module_pages_and_configuration_belong_together_after_each_kill() {
    let kills = std::env::var("SKIFF_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let start = || Gateway::start(home.path(), &["--config", config.to_str().unwrap()]);
    let first = home.path().join("first.tgz");
    fs::write(&first, pack(0)).unwrap();
    let arguments =
        ["plugin", "--config", config.to_str().unwrap(), "install", first.to_str().unwrap(), "--grant", "all"];
    let installed = support::run(home.path(), &arguments);
    assert_eq!(installed.status.code(), Some(0), "{}", support::talk(&installed));
    let token = {
        let gateway = start();
        gateway.token()
    };
    let (mut version, mut limit, mut changed) = (0, Value::Null, [0, 0]);
    for kill in 1..=kills {
        let gateway = start();
        row(&gateway);
        let package = send(&gateway, &token, "POST", "/skiff/v1/plugins", "application/gzip", &pack(kill));
        let body = format!(r#"{{"enabled":true,"configuration":{{"limitMetres":{kill}}}}}"#);
        let address = "/skServer/plugins/_skiff_shallow-water-alarm/";
        let json = "application/json";
        let configuration = send(&gateway, &token, "POST", &format!("{address}config"), json, body.as_bytes());
        let again = "/skiff/v1/plugins/_skiff_shallow-water-alarm/reload";
        let reload = send(&gateway, &token, "POST", again, json, b"");
        // Each time at another moment of it.
        for _ in 0..kill * 37 % 151 {
            gateway.ask("GET", "/signalk", &[], "");
        }
        assert_eq!(gateway.signal("-KILL"), None);
        drop((package, configuration, reload));

        let gateway = start();
        let row = row(&gateway);
        let seen = row["version"].as_str().unwrap().split('.').next().unwrap().parse::<u32>().unwrap();
        assert!(seen == version || seen == kill, "{seen} after {version} and {kill}");
        changed[0] += u32::from(seen != version);
        version = seen;
        for page in 0..PAGES {
            let (status, _, text) = gateway.ask("GET", &format!("/@skiff/shallow-water-alarm/{page}/"), &[], "");
            assert_eq!((status, text), (200, version.to_string()), "page {page} after {kill} kills");
        }
        let stored = row["data"]["configuration"]["limitMetres"].clone();
        assert!(stored == limit || stored == kill, "{stored} after {limit} and {kill}");
        changed[1] += u32::from(stored != limit);
        limit = stored;
    }
    println!("{kills} kills: {} new versions, {} new configurations", changed[0], changed[1]);
}
