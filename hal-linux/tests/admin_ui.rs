//! The admin UI of Signal K Server at the admin's door, over real HTTP; a stand-in has the package's form.

mod support;

use std::fs;
use std::path::Path;

use support::{Gateway, exchange};
use tempfile::tempdir;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A folder with the UI, and a web app that has a script for the UI's page.
fn folder(config: &Path) {
    let package = |name: &str, keywords: &str| {
        let json = format!(r#"{{"name":"{name}","version":"2.32.0","keywords":[{keywords}],"author":{{"name":"A"}}}}"#);
        let folder = config.join("node_modules").join(name);
        write(&folder.join("package.json"), &json);
        folder.join("public")
    };
    let ui = package("@signalk/server-admin-ui", r#""signalk-webapp""#);
    write(&ui.join("index.html"), "<head>%ADDONSCRIPTS%</head><script src=\"./assets/a.js\"></script>");
    write(&ui.join("assets/a.js"), "let a;");
    write(&ui.join("img/logo.svg"), "<svg/>");
    let chart = package("chart", r#""signalk-webapp","signalk-embeddable-webapp""#);
    write(&chart.join("index.html"), "chart");
    write(&chart.join("remoteEntry.js"), "evil()");
    write(&chart.join("icon.svg"), "<svg/>");
}

/// Asks one of the doors; returns status, head and body.
fn ask(authority: &str, method: &str, target: &str, fields: &str) -> (u16, String, String) {
    let text = format!("{method} {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{fields}\r\n");
    let answer = exchange(authority, text.as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

#[test]
fn it_is_at_the_admins_door_alone_and_web_apps_at_the_boats() {
    let home = tempdir().unwrap();
    folder(&home.path().join("config"));
    let config = home.path().join("config");
    let gateway = Gateway::start(home.path(), &["--config", config.to_str().unwrap(), "--admin-listen", "127.0.0.1:0"]);
    let boat = gateway.authority.clone();
    let admin = gateway.said("to administrate: http://").rsplit("http://").next().unwrap().to_owned();
    let page = "Accept: text/html\r\n";
    let (status, head, body) = ask(&admin, "GET", "/admin/", page);
    assert_eq!((status, body.contains("<head></head>")), (200, true), "{head} {body}");
    assert!(head.contains("x-frame-options: deny") && head.contains("script-src 'self'"), "{head}");
    assert!(ask(&admin, "GET", "/admin", page).1.contains("location: /admin/"));
    let (status, head, body) = ask(&admin, "GET", "/admin/assets/a.js", "");
    assert!((status, &*body) == (200, "let a;") && head.contains("x-frame-options: deny"), "{head}");
    assert_eq!(ask(&admin, "GET", "/admin/assets/public_src/img/logo.svg", "").2, "<svg/>");
    assert!(ask(&admin, "GET", "/@signalk/server-admin-ui/", page).1.contains("location: /admin/"));
    for target in ["/admin/../package.json", "/admin/%2e%2e/package.json", "/admin/..%2fpackage.json"] {
        assert_eq!(ask(&admin, "GET", target, "").0, 404, "{target}");
    }
    // The boat's door has the form to log in by, and nothing of the UI.
    assert!(ask(&boat, "GET", "/admin/", page).2.contains("Sign in"));
    for target in ["/admin/assets/a.js", "/@signalk/server-admin-ui/", "/@signalk/server-admin-ui/assets/a.js"] {
        let (status, _, body) = ask(&boat, "GET", target, "");
        assert!(status == 404 && body.contains("--admin-listen"), "{target} {body}");
    }
    // Pages of web apps are shown the way, scripts are not: they would act for the admin. Images are shown, and only that.
    let (status, head, _) = ask(&admin, "GET", "/chart/?a=1", page);
    assert!(status == 302 && head.contains(&format!("location: http://{boat}/chart/?a=1")), "{head}");
    assert_eq!(ask(&admin, "GET", "/chart/remoteEntry.js", "Accept: */*\r\n").0, 404);
    assert_eq!(ask(&admin, "GET", "/chart/", "Accept: text/html\r\nSec-Fetch-Dest: iframe\r\n").0, 404);
    let image = "Accept: image/avif,*/*\r\n";
    let (status, head, body) = ask(&admin, "GET", "/chart/icon.svg", image);
    assert!((status, &*body) == (200, "<svg/>") && head.contains("sandbox"), "{head}");
    assert_eq!(ask(&admin, "GET", "/chart/remoteEntry.js", image).0, 404);
    assert_eq!(ask(&admin, "GET", "/nothing/", page).0, 404);
    for door in [&boat, &admin] {
        for list in ["/skServer/webapps", "/signalk/v1/apps/list"] {
            let listed = ask(door, "GET", list, "").2;
            assert!(listed.contains("\"chart\"") && !listed.contains("admin-ui"), "{listed}");
        }
    }
}

#[test]
fn a_restart_is_the_same_process_with_everything_read_anew() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let gateway = Gateway::start(home.path(), &["--config", config.to_str().unwrap()]);
    let boat = gateway.authority.clone();
    let token = gateway.token();
    write(&config.join("settings.json"), r#"{"vessel":{"name":"Nina"}}"#);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    assert!(!ask(&boat, "GET", "/skServer/vessel", &bearer).2.contains("Nina"));
    let (status, _, body) = ask(&boat, "PUT", "/skServer/restart", &bearer);
    assert_eq!((status, &*body), (200, "\"Restarting...\""));
    let again = gateway.said("Skiff listens on http://").rsplit("http://").next().unwrap().to_owned();
    assert!(ask(&again, "GET", "/skServer/vessel", &bearer).2.contains("Nina"));
}
