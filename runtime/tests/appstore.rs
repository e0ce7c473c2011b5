//! The app store and backups as the admin's page asks for them: what is told at once, what later, and to whom.

mod boat;
mod guests;
mod owned;
mod tarball;

use owned::{Owned, bearer, cookie, read};
use serde_json::{Value, json};
use skiff_runtime::gateway::BoardParts;
use skiff_runtime::hal::sim::{SimErrands, SimPasswords};
use skiff_runtime::hal::{ERRANDS_WAITING_MAX, Errand, ErrandDone, ErrandFailed, KeptApp, Key, Storage, StoreJobState};
use skiff_runtime::http::{Door, Method, Request};
use skiff_runtime::package::Asks;
use skiff_runtime::package::apps::{self, App};
use skiff_runtime::package::asks;
use skiff_runtime::server::Response;

/// A guest that starts and does nothing more.
const START: &str = r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
    (func (export "plugin_stop") (result i32) (i32.const 0))"#;

/// A gateway whose errands the test runs.
struct Stocked {
    gateway: Owned,
    errands: SimErrands,
}

impl Stocked {
    fn new() -> Self {
        let mut gateway = Owned::new();
        let errands = SimErrands::new();
        gateway.boat.gateway.attach(BoardParts {
            passwords: Some(Box::new(SimPasswords::new())),
            errands: Some(Box::new(errands.clone())),
            ..BoardParts::default()
        });
        Self { gateway, errands }
    }

    fn ask(&mut self, method: Method, target: &str, body: &str) -> (u16, Value) {
        let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
        self.gateway.as_owner(method, target, &body)
    }

    /// Begins a request whose answer comes later.
    fn begin(&mut self, method: Method, target: &str, body: &[u8]) -> skiff_runtime::plugin::ExchangeId {
        let headers = vec![
            ("host".to_owned(), "192.168.1.5:3000".to_owned()),
            ("authorization".to_owned(), format!("Bearer {}", self.gateway.owner)),
        ];
        let peer = Some("192.168.1.9".parse().unwrap());
        let request = Request { headers, peer, local: false, body: body.to_vec(), ..Request::new(method, target) };
        self.gateway.boat.gateway.request(&request)
    }

    /// Takes the next errand, runs it as the test says, and lets the gateway take what came of it.
    fn run(&mut self, run: impl FnOnce(&Errand) -> Result<ErrandDone, ErrandFailed>) -> Errand {
        self.gateway.boat.gateway.poll();
        let (ticket, errand) = self.errands.asked().expect("an errand");
        self.errands.answer(ticket, run(&errand));
        self.gateway.boat.settle();
        errand
    }

    fn answer(&mut self, exchange: skiff_runtime::plugin::ExchangeId) -> Response {
        self.gateway.boat.answer(exchange).expect("an answer")
    }

    fn log(&mut self, name: &str) -> Value {
        self.ask(Method::Get, &format!("/skServer/appstore/installLog/{name}"), "").1
    }
}

fn failed(status: u16, clause: &str) -> Result<ErrandDone, ErrandFailed> {
    Err(ErrandFailed { status, clause: clause.into() })
}

fn archive(name: &str, version: &str) -> Vec<u8> {
    let json = format!(
        r#"{{"name":"{name}","version":"{version}","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm"}}"#
    );
    tarball::npm_pack(&json, &wat::parse_str(guests::buffer_guest("", START)).unwrap())
}

#[test]
fn packages_come_one_after_the_other_and_the_page_is_told_at_once() {
    let mut store = Stocked::new();
    for name in ["@acme/tide", "wind"] {
        let (status, answer) = store.ask(Method::Post, &format!("/skServer/appstore/install/{name}/1.0.0"), "");
        assert_eq!((status, answer), (200, json!(format!("Installing {name}..."))));
    }
    let first = store.run(|_| Ok(ErrandDone::Bytes(archive("@acme/tide", "1.0.0"))));
    assert_eq!(first, Errand::Load { name: "@acme/tide".into(), version: "1.0.0".into() });
    let log = store.log("@acme/tide");
    assert_eq!((&log["code"], &log["version"], &log["isRemove"]), (&json!(0), &json!("1.0.0"), &json!(false)));
    assert!(log["log"].as_str().unwrap().starts_with("version 1.0.0 is running"), "{log}");
    let second = store.run(|_| failed(502, "the registry is asleep"));
    assert_eq!(second, Errand::Load { name: "wind".into(), version: "1.0.0".into() });
    let log = store.log("wind");
    assert_eq!((&log["code"], &log["log"]), (&json!(1), &json!("the registry is asleep")));
    let rows = store.ask(Method::Get, "/skServer/plugins", "").1;
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["packageName"]), (1, &json!("@acme/tide")));

    let list = store.begin(Method::Get, "/skServer/appstore/available", b"");
    let offers = store.run(|_| Ok(ErrandDone::Json(r#"{"available":[]}"#.into())));
    let Errand::Offers { installed, jobs, fresh } = offers else { panic!("{offers:?}") };
    assert_eq!((installed[0].plugin.as_deref(), fresh), (Some("_acme_tide"), false));
    let states: Vec<_> = jobs.iter().map(|job| (job.name.as_str(), job.state)).collect();
    assert_eq!(states, [("@acme/tide", StoreJobState::Done), ("wind", StoreJobState::Failed)]);
    assert_eq!(read(&store.answer(list)), json!({ "available": [] }));

    assert_eq!(store.ask(Method::Post, "/skServer/appstore/remove/@acme/tide", "{}").1, "Removing @acme/tide...");
    store.gateway.boat.settle();
    assert_eq!(store.log("@acme/tide")["isRemove"], true);
    assert_eq!(store.ask(Method::Get, "/skServer/plugins", "").1, json!([]));
}

#[test]
fn the_page_of_one_package_installs_it_and_nothing_along() {
    let mut store = Stocked::new();
    let body = r#"{"name":"tide","version":"1.0.0"}"#;
    let queued = store.ask(Method::Post, "/skServer/appstore/install-with-deps", body);
    assert_eq!(queued, (200, json!({ "queued": ["tide"] })));
    store.run(|_| Ok(ErrandDone::Bytes(archive("tide", "1.0.0"))));
    assert_eq!(store.log("tide")["log"], "version 1.0.0 is running");
    for body in [r#"{"name":"tide"}"#, r#"{"name":"../x","version":"1.0.0"}"#, r#"{"name":"tide","version":"x"}"#] {
        assert_eq!(store.ask(Method::Post, "/skServer/appstore/install-with-deps", body).0, 400, "{body}");
    }
}

#[test]
fn only_admins_hear_what_comes_and_goes() {
    let mut store = Stocked::new();
    store.gateway.add("skipper", "admin");
    store.gateway.door = Door::Admin;
    let admin = cookie(&store.gateway.log_in("skipper", "skipper-secret"));
    let query = "?subscribe=none&serverevents=all";
    let at_admin = store.gateway.stream(query, &[("cookie", &admin)]).unwrap();
    store.gateway.door = Door::Boat;
    let boat = cookie(&store.gateway.log_in("skipper", "skipper-secret"));
    let at_boat = store.gateway.stream(query, &[("cookie", &boat)]).unwrap();
    store.ask(Method::Post, "/skServer/appstore/install/tide/1.0.0", "");
    store.gateway.boat.settle();
    let mut heard = 0;
    while let Some((ticket, errand)) = store.errands.asked() {
        let done = match errand {
            Errand::Offers { jobs, .. } => Ok(ErrandDone::Json(json!({ "jobs": jobs.len() }).to_string())),
            _ => failed(502, "no"),
        };
        store.errands.answer(ticket, done);
        store.gateway.boat.settle();
    }
    for event in store.gateway.heard(at_admin) {
        if event["type"] == "APP_STORE_CHANGED" {
            heard += 1;
            assert_eq!(event["data"], json!({ "jobs": 1 }));
        }
    }
    assert!((1..=4).contains(&heard), "{heard}");
    assert!(store.gateway.heard(at_boat).iter().all(|event| event["type"] != "APP_STORE_CHANGED"));
}

#[test]
fn a_web_app_that_is_sent_is_kept_asked_about_granted_and_removed() {
    let mut store = Stocked::new();
    let app = tarball::npm_pack(r#"{"name":"kip","version":"1.0.0","keywords":["signalk-webapp"]}"#, b"");
    let kept = |is_granted| {
        let (name, version) = ("kip".to_owned(), "1.0.0".to_owned());
        Ok(ErrandDone::Kept(KeptApp { name, version, has_node_plugin: true, is_granted }))
    };
    let record = App { name: "kip".into(), version: "1.0.0".into(), folder: "kip@1".into() };
    let sent = store.begin(Method::Post, "/skiff/v1/plugins", &app);
    let errand = store.run(|_| kept(false));
    apps::save(&mut store.gateway.storage, &record).unwrap();
    assert!(matches!(errand, Errand::Keep { archive } if archive == app));
    let response = store.answer(sent);
    let body = read(&response);
    assert_eq!((response.status, &body["state"], &body["asks"]), (201, &json!("disabled"), &json!(["webapp"])));
    assert_eq!(store.ask(Method::Post, "/skiff/v1/webapps/kip", r#"{"enabled":true}"#).0, 409);
    assert_eq!(store.ask(Method::Post, "/skiff/v1/webapps/kip?grant=webapp", r#"{"enabled":true}"#).0, 200);
    assert_eq!(store.ask(Method::Get, "/skiff/v1/webapps", "").1[0]["state"], "enabled");
    assert_eq!(store.ask(Method::Post, "/skiff/v1/webapps/kip", r#"{"enabled":false}"#).0, 200);
    assert_eq!(store.ask(Method::Get, "/skiff/v1/webapps", "").1[0]["asks"], json!(["webapp"]));
    let granted = store.begin(Method::Post, "/skiff/v1/plugins?grant=all", &app);
    store.run(|_| kept(false));
    assert_eq!(read(&store.answer(granted))["state"], "enabled");
    let removed = store.begin(Method::Delete, "/skiff/v1/plugins/kip", b"");
    let errand = store.run(|_| Ok(ErrandDone::Done("removed".into())));
    assert_eq!(errand, Errand::Drop { id: "kip".into() });
    assert_eq!(store.answer(removed).status, 200);
    assert_eq!(asks::granted(&mut store.gateway.storage, "kip").unwrap(), Asks::NONE);
    // What is damaged is refused as before, and nobody runs for it.
    assert_eq!(store.ask(Method::Post, "/skiff/v1/plugins", "\"no archive\"").0, 400);
    assert!(store.errands.asked().is_none());
}

#[test]
fn a_backup_is_made_looked_at_and_put_in_place() {
    let mut store = Stocked::new();
    let wanted = store.begin(Method::Get, "/skServer/backup?includePlugins=true", b"");
    let errand = store.run(|_| Ok(ErrandDone::Bytes(b"PK".to_vec())));
    assert_eq!(errand, Errand::Backup { packages: true });
    let response = store.answer(wanted);
    let name = response.header("content-disposition").unwrap().to_owned();
    assert!(name.starts_with("attachment; filename=\"signalk-") && name.ends_with(".backup\""), "{name}");
    let sent = store.begin(Method::Post, "/skServer/validateBackup", b"PK");
    let names = vec!["settings.json".to_owned(), "skiff/".to_owned()];
    assert_eq!(store.run(|_| Ok(ErrandDone::Names(names))), Errand::Examine { archive: b"PK".to_vec() });
    assert_eq!(read(&store.answer(sent)), json!(["settings.json", "skiff/"]));
    let query = "?subscribe=none&serverevents=all";
    let owner = format!("Bearer {}", store.gateway.owner);
    let stream = store.gateway.stream(query, &[("authorization", &owner)]).unwrap();
    let restored = store.begin(Method::Post, "/skServer/restore", br#"{"settings.json":false,"skiff/":true}"#);
    let errand = store.run(|_| Ok(ErrandDone::Done("restart".into())));
    assert_eq!(errand, Errand::Restore { names: vec!["skiff/".into()] });
    assert_eq!(store.answer(restored).status, 202);
    let told = store.gateway.heard(stream);
    let told = told.iter().find(|event| event["type"] == "RESTORESTATUS").expect("the page is told");
    assert_eq!(told["data"]["state"], "Complete");
    let again = store.begin(Method::Post, "/skServer/restore", b"{}");
    store.run(|_| failed(409, "nothing was sent"));
    assert_eq!((store.answer(again).status, store.ask(Method::Post, "/skServer/restore", "[]").0), (409, 400));
}

#[test]
fn what_is_no_package_is_refused_and_so_is_one_too_many() {
    let mut store = Stocked::new();
    for target in ["tide/latest", "tide/1.0.0%2f..%2fx", "..%2fx/1.0.0", "Tide/1.0.0", "1.0.0", "a/b/c/1.0.0"] {
        assert_eq!(store.ask(Method::Post, &format!("/skServer/appstore/install/{target}"), "").0, 400, "{target}");
    }
    assert_eq!(store.ask(Method::Get, "/skServer/appstore/nothing", "").0, 404);
    assert_eq!(store.ask(Method::Get, "/skServer/appstore/install/tide/1.0.0", "").0, 405);
    assert_eq!(store.log("tide")["error"], "nothing was installed or removed under this name since the start");
    let statuses: Vec<u16> =
        (0..40).map(|_| store.ask(Method::Post, "/skServer/appstore/install/tide/1.0.0", "").0).collect();
    assert_eq!((statuses.first(), statuses.last()), (Some(&200), Some(&429)));
    // One is at work and its errand waits with these.
    let waiting: Vec<_> = (0..ERRANDS_WAITING_MAX).map(|_| store.begin(Method::Get, "/skServer/backup", b"")).collect();
    let last = store.answer(*waiting.last().unwrap());
    assert_eq!(last.status, 429, "{:?}", read(&last));
    let mut bare = Owned::new();
    let owner = bearer(&json!(bare.owner));
    let none = bare.ask(Method::Get, "/skServer/appstore/available", &[("authorization", &owner)], "");
    assert_eq!(none.status, 501);
}

#[test]
fn data_of_a_plugin_goes_where_that_is_asked_for() {
    let mut store = Stocked::new();
    let key = |text: &str| Key::parse(text).unwrap();
    for name in ["tide.json", "tide/vfs/a", "tidelike.json"] {
        store.gateway.storage.replace(&key(&format!("plugin-config-data/{name}")), b"12345").unwrap();
    }
    let size = store.ask(Method::Get, "/skServer/appstore/datasize/tide", "").1;
    assert_eq!(size, json!({ "totalBytes": 10, "fileCount": 2, "hasData": true }));
    store.ask(Method::Post, "/skServer/appstore/install/tide/1.0.0", "");
    store.run(|_| Ok(ErrandDone::Bytes(archive("tide", "1.0.0"))));
    store.ask(Method::Post, "/skServer/appstore/remove/tide", r#"{"deleteData":true}"#);
    store.gateway.boat.settle();
    assert_eq!(store.log("tide")["log"], "removed");
    assert_eq!(store.ask(Method::Get, "/skServer/appstore/datasize/tide", "").1["fileCount"], 0);
    assert!(store.gateway.storage.len(&key("plugin-config-data/tidelike.json")).is_ok());
}
