//! Web apps and `public/` folders of packages, over real HTTP (plugin ABI §1.6).

mod support;
#[path = "../../runtime/tests/tarball/mod.rs"]
mod tarball;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use support::Gateway;
use tempfile::tempdir;

const ALARM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/assemblyscript/shallow-water-alarm");

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A configuration folder with a chart app, a library, and the alarm as a plugin with a web app of its own.
fn folder(config: &Path) {
    let modules = config.join("node_modules");
    let chart = modules.join("@acme/chart");
    write(
        &chart.join("package.json"),
        r#"{"name":"@acme/chart","version":"1.2.3","description":"a chart","keywords":["signalk-webapp"],"signalk":{"displayName":"Chart"}}"#,
    );
    write(&chart.join("secret.txt"), "not in public");
    write(&chart.join("public/index.html"), "<h1>chart</h1>");
    write(&chart.join("public/js/app.js"), "let chart = 1;");
    write(&chart.join("public/js/app.js.gz"), "squeezed");
    write(&chart.join("public/help/index.html"), "<h1>help</h1>");
    symlink("/etc/hostname", chart.join("public/link")).unwrap();
    fs::create_dir_all(chart.join("public/out")).unwrap();
    symlink("/etc/hostname", chart.join("public/out/index.html")).unwrap();
    symlink("../../secret.txt", chart.join("public/help/page.html.br")).unwrap();
    symlink("/etc/hostname", chart.join("public/help/page.html.gz")).unwrap();
    write(&chart.join("public/help/page.html"), "plain");
    symlink("js/app.js", chart.join("public/inside.js")).unwrap();
    let fifo = chart.join("public/fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    write(&modules.join("plain/package.json"), r#"{"name":"plain","version":"1.0.0"}"#);
    write(&modules.join("plain/index.html"), "a library");
    let alarm = modules.join("@skiff/shallow-water-alarm");
    fs::create_dir_all(&alarm).unwrap();
    fs::copy(Path::new(ALARM).join("plugin.wasm"), alarm.join("plugin.wasm")).unwrap();
    let json = support::alarm_json();
    let json = json.replace("\"signalk-wasm-plugin\"", "\"signalk-wasm-plugin\", \"signalk-webapp\"");
    write(&alarm.join("package.json"), &json);
    write(&alarm.join("public/index.html"), "<h1>alarm</h1>");
    write(&alarm.join("public/api/status"), "a file in the plugin's way");
}

fn enable(config: &Path, enabled: bool) {
    let text = format!(r#"{{"configuration":{{"limitMetres":3}},"enabled":{enabled}}}"#);
    write(&config.join("plugin-config-data/_skiff_shallow-water-alarm.json"), &text);
}

fn start(home: &Path) -> Gateway {
    Gateway::start(home, &["--config", home.join("config").to_str().unwrap()])
}

#[test]
fn a_web_app_is_served_at_the_name_of_its_package() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    folder(&config);
    let gateway = start(home.path());
    let get = |path: &str| gateway.ask("GET", path, &[], "");
    let (status, head, body) = get("/@acme/chart/");
    assert_eq!((status, &*body), (200, "<h1>chart</h1>"), "{head}");
    assert!(head.contains("content-type: text/html") && head.contains("nosniff"), "{head}");
    let (status, head, _) = get("/@acme/chart");
    assert!(status == 308 && head.contains("location: /@acme/chart/"), "{head}");
    let (status, head, _) = get("/@acme/chart/help");
    assert!((301..309).contains(&status) && head.contains("location: /@acme/chart/help/"), "{head}");
    assert_eq!(get("/%40acme/chart/js/app.js").2, "let chart = 1;");
    let (_, head, body) = gateway.ask("GET", "/@acme/chart/js/app.js", &[("Accept-Encoding", "gzip")], "");
    assert!(body == "squeezed" && head.contains("content-encoding: gzip"), "{head}");
    let (status, head, body) = gateway.ask("HEAD", "/@acme/chart/", &[], "");
    assert!(status == 200 && body.is_empty() && head.contains("content-length: 14"), "{head}");
    let (list, apps) = (get("/skServer/webapps").2, get("/skServer/webapps").0);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!((apps, list[0]["name"].as_str(), list.as_array().map(Vec::len)), (200, Some("@acme/chart"), Some(1)));
    assert_eq!(list[0]["signalk"]["displayName"], "Chart");
}

#[test]
fn what_others_embed_is_served_and_listed_by_its_keyword() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    folder(&config);
    for (name, keyword) in [
        ("positions", "signalk-embeddable-webapp"),
        ("addon", "signalk-node-server-addon"),
        ("configurator", "signalk-plugin-configurator"),
    ] {
        let app = config.join("node_modules").join(name);
        write(&app.join("package.json"), &format!(r#"{{"name":"{name}","version":"1.0.0","keywords":["{keyword}"]}}"#));
        write(&app.join("public/index.html"), name);
    }
    let gateway = start(home.path());
    let get = |path: &str| gateway.ask("GET", path, &[], "").2;
    for name in ["positions", "addon", "configurator"] {
        assert_eq!(get(&format!("/{name}/")), name);
    }
    let names = |path: &str| {
        let rows: serde_json::Value = serde_json::from_str(&get(path)).unwrap();
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| (row["name"].as_str().unwrap().to_owned(), row["embeddable"] == true)).collect::<Vec<_>>()
    };
    assert_eq!(names("/skServer/webapps"), [("@acme/chart".into(), false), ("positions".into(), true)]);
    assert_eq!(names("/skServer/addons"), [("addon".into(), false), ("configurator".into(), false)]);
}

#[test]
fn nothing_else_of_the_disk_is_served() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    folder(&config);
    let gateway = start(home.path());
    for path in [
        "/@acme/chart/secret.txt",
        "/@acme/chart/../secret.txt",
        "/@acme/chart/%2e%2e/secret.txt",
        "/@acme/chart/..%2fsecret.txt",
        "/@acme/chart/js/..%2f..%2f..%2fpackage.json",
        "/@acme/chart/link",
        "/@acme/chart/out/",
        "/@acme/chart/fifo",
        "/@acme/..%2f..%2fskiff/auth.json",
        "/plain/index.html",
        "/@acme",
        "/@acme/",
        "/@/x",
        "/..",
        "/.hidden/",
        "/plugins/_acme_chart/../../package.json",
    ] {
        let (status, _, body) = gateway.ask("GET", path, &[], "");
        assert_eq!(status, 404, "{path}: {body}");
    }
    for coding in ["br", "gzip", "br, gzip"] {
        let (status, _, body) = gateway.ask("GET", "/@acme/chart/help/page.html", &[("Accept-Encoding", coding)], "");
        assert!(body == "plain" || status == 404, "{coding}: {status} {body}");
    }
    assert_eq!(gateway.ask("GET", "/@acme/chart/inside.js", &[], "").2, "let chart = 1;", "a link that stays inside");
    assert_eq!(gateway.ask("GET", "/@acme/chart/", &[("Host", "evil.example")], "").0, 403);
    assert_eq!(gateway.ask("POST", "/@acme/chart/", &[], "").0, 401, "a change needs the token even where nothing is");
}

#[test]
fn a_plugins_web_app_is_there_while_it_is_enabled_and_its_endpoints_come_first() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    folder(&config);
    enable(&config, true);
    let gateway = start(home.path());
    gateway.get_until("/skServer/plugins", |body| body.contains("\"running\""));
    let get = |path: &str| gateway.ask("GET", path, &[], "");
    assert_eq!(get("/@skiff/shallow-water-alarm/").2, "<h1>alarm</h1>");
    for prefix in ["/plugins", "/skServer/plugins"] {
        assert_eq!(get(&format!("{prefix}/_skiff_shallow-water-alarm/index.html")).2, "<h1>alarm</h1>");
        let (_, _, status) = get(&format!("{prefix}/_skiff_shallow-water-alarm/api/status"));
        assert!(status.contains("\"limit\""), "{status}");
        assert_eq!(get(&format!("{prefix}/_skiff_shallow-water-alarm/plugin.wasm")).0, 404);
    }
    assert!(get("/skServer/webapps").2.contains("@skiff/shallow-water-alarm"));
    drop(gateway);
    enable(&config, false);
    let gateway = start(home.path());
    assert_eq!(gateway.ask("GET", "/@skiff/shallow-water-alarm/", &[], "").0, 404);
    assert!(!gateway.ask("GET", "/skServer/webapps", &[], "").2.contains("@skiff"));
}

#[test]
fn a_browser_on_the_network_opens_pages_with_the_token_once() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    folder(&config);
    let gateway = Gateway::start_on(home.path(), &["--listen", "0.0.0.0:0", "--config", config.to_str().unwrap()]);
    let token = gateway.token();
    let ask = |method: &str, path: &str, headers: &[(&str, &str)]| {
        let (status, head, _) = gateway.ask(method, path, headers, "");
        (status, head)
    };
    // The files of a web app are no secret, and it is what asks to log in.
    assert_eq!((ask("GET", "/@acme/chart/", &[]).0, ask("GET", "/signalk/v1/api/self", &[]).0), (200, 401));
    let (status, head) = ask("GET", &format!("/?token={token}"), &[]);
    let cookie = head
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: ")?.strip_suffix("; Path=/; HttpOnly; SameSite=Strict"));
    let cookie = cookie.unwrap_or_else(|| panic!("{head}")).to_string();
    assert!(status == 200 && cookie.starts_with("skiff-session=") && !cookie.contains(&token), "{head}");
    assert!(!ask("GET", "/?token=wrong", &[]).1.contains("set-cookie"));
    let cookies = format!("a=b; {cookie}");
    assert_eq!(ask("GET", "/@acme/chart/", &[("Cookie", &cookies)]).0, 200);
    assert_eq!(ask("GET", "/signalk/v1/api/self", &[("Cookie", &cookies)]).0, 200);
    assert_eq!(ask("GET", "/signalk/v1/api/self", &[("Cookie", "skiff-session=wrong")]).0, 401);
    assert_eq!(ask("POST", "/plugins/x/config", &[("Cookie", &cookies)]).0, 401, "a cookie is for reading only");
}

#[test]
fn the_pages_of_a_package_come_and_go_with_it() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let config_text = config.to_str().unwrap();
    let json = support::alarm_json();
    let json = json.replace("\"signalk-wasm-plugin\"", "\"signalk-wasm-plugin\", \"signalk-webapp\"");
    let wasm = fs::read(Path::new(ALARM).join("plugin.wasm")).unwrap();
    let pack = |page: &str| {
        let path = home.path().join("alarm.tgz");
        let files: [(&str, &[u8]); 1] = [("public/index.html", page.as_bytes())];
        fs::write(&path, tarball::npm_pack_with(&json, &wasm, &files)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plugin = |arguments: &[&str]| {
        let mut all = vec!["plugin", "--config", config_text];
        all.extend(arguments);
        let ended = support::run(home.path(), &all);
        assert_eq!(ended.status.code(), Some(0), "{}", support::talk(&ended));
    };
    // Installed while no gateway runs, then while one does.
    plugin(&["install", &pack("<h1>first</h1>"), "--grant", "webapp"]);
    let gateway = start(home.path());
    let page = || gateway.ask("GET", "/@skiff/shallow-water-alarm/", &[], "");
    assert_eq!(page().2, "<h1>first</h1>");
    // The other address asks the plugin, which may still be on its way up.
    gateway.get_until("/skServer/plugins", |rows| rows.contains("\"state\":\"running\""));
    assert_eq!(gateway.ask("GET", "/plugins/_skiff_shallow-water-alarm/index.html", &[], "").2, "<h1>first</h1>");
    plugin(&["install", &pack("<h1>second</h1>")]);
    assert_eq!(page().2, "<h1>second</h1>");
    assert!(gateway.ask("GET", "/skServer/webapps", &[], "").2.contains("@skiff/shallow-water-alarm"));
    plugin(&["remove", "@skiff/shallow-water-alarm"]);
    assert_eq!(page().0, 404);
    assert_eq!(gateway.ask("GET", "/skServer/webapps", &[], "").2, "[]");
}

#[test]
fn tiles_of_charts_are_files_three_numbers_below_their_chart() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let chart = config.join("charts/Kiel Fjord");
    write(&chart.join("metadata.json"), r#"{"format":"pbf","minzoom":"1"}"#);
    write(&chart.join("3/4/2.pbf"), "\u{1a}plain");
    fs::write(chart.join("3/4/5.pbf"), [0x1f, 0x8b, 8]).unwrap();
    symlink("/etc", chart.join("3/9")).unwrap();
    symlink("/etc/hostname", chart.join("3/4/7.pbf")).unwrap();
    let gateway = start(home.path());
    let get = |path: &str| gateway.ask("GET", path, &[], "");
    let (status, _, list) = get("/signalk/v2/api/resources/charts");
    assert!(status == 200 && list.contains("/signalk/chart-tiles/Kiel%20Fjord/{z}/{x}/{y}"), "{list}");
    assert_eq!(get("/signalk/v1/api/resources/charts").2, list);
    let (status, head, body) = get("/signalk/chart-tiles/Kiel%20Fjord/3/4/2");
    assert_eq!((status, &*body), (200, "\u{1a}plain"), "{head}");
    assert!(head.contains("max-age=86400") && head.contains("application/x-protobuf"), "{head}");
    assert!(!head.contains("content-encoding"), "{head}");
    assert!(get("/signalk/chart-tiles/Kiel%20Fjord/3/4/5").1.contains("content-encoding: gzip"));
    let mut file = Vec::new();
    let packed = include_bytes!("../src/charts/samples/shared.mbtiles.gz");
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut file).unwrap();
    fs::write(config.join("charts/One file.mbtiles"), file).unwrap();
    let (status, head, body) = get("/signalk/chart-tiles/One%20file/2/1/3.png");
    assert!(status == 200 && body.starts_with("2/1/0;") && head.contains("content-type: image/png"), "{head}");
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again = gateway.ask("GET", "/signalk/chart-tiles/One%20file/2/1/3", &[("if-none-match", tag)], "");
    assert_eq!((again.0, &*again.2), (304, ""));
    assert_eq!(get("/signalk/chart-tiles/One%20file/2/1/1").0, 404, "it has no such tile");
    for bad in ["3/4/7", "3/4/1", "3/9/hostname", "../../skiff/token", "3/4/%2e%2e", "3/4/2.pbf/", "metadata.json"] {
        let (status, _, body) = get(&format!("/signalk/chart-tiles/Kiel%20Fjord/{bad}"));
        assert_eq!(status, 404, "{bad}: {body}");
    }
}
