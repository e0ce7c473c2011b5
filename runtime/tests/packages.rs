//! Packages that come in over the network, with their files and with what they ask for: one at a time, as a whole or not
//! at all, and never more than was granted.

mod guests;
mod tarball;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use guests::buffer_guest;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::gateway::{BoardParts, Boot, FilesWork, Gateway};
use skiff_runtime::hal::sim::{PowerCut, SimClock, SimRng, SimStorage, Survivor};
use skiff_runtime::hal::{Hal, Key, Storage};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::package::asks::{self, GRANTS_FILE};
use skiff_runtime::package::store::{self, Slot};
use skiff_runtime::package::{Asks, Package};
use skiff_runtime::plugin::{Enabled, ExchangeId, Plugin};
use skiff_runtime::server::{Access, Response};
use skiff_runtime::time::UnixMillis;

/// The folders of a host's disk, by name: the page in each.
type Disk = Rc<RefCell<BTreeMap<String, Vec<u8>>>>;

/// A gateway as a host with a disk drives it.
struct Host {
    gateway: Gateway,
    storage: SimStorage,
    disk: Disk,
    /// Why the disk takes no files, when it does not.
    full: Option<&'static str>,
    responses: BTreeMap<ExchangeId, Response>,
}

fn boot(storage: &SimStorage) -> Gateway {
    let hal = Hal {
        clock: Box::new(SimClock::new(UnixMillis(1_764_000_000_000))),
        rng: Box::new(SimRng::new(7)),
        storage: Box::new(storage.clone()),
        network: None,
        fetch: None,
        serial: None,
        can: Vec::new(),
    };
    let access = Some(Access::with_new_token(&mut SimRng::new(7)).0.allow_anyone());
    let boot = Boot { stored: Enabled::FromConfig, access, ..Boot::new(Limits::of(Board::Linux), "test") };
    let mut gateway = Gateway::boot(hal, boot).unwrap_or_else(|error| panic!("{error}")).gateway;
    gateway.attach(BoardParts { web_files: true, ..BoardParts::default() });
    gateway
}

impl Host {
    fn new() -> Self {
        Self::on(SimStorage::with_capacity(8 * 1024 * 1024), Disk::default())
    }

    fn on(storage: SimStorage, disk: Disk) -> Self {
        let mut host = Self { gateway: boot(&storage), storage, disk, full: None, responses: BTreeMap::new() };
        host.settle();
        host
    }

    /// Does what the host of Linux does with files, and polls until nothing is left to do now.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let busy = self.gateway.poll().busy;
            let work = self.gateway.next_files();
            let is_over = !busy && work.is_none();
            match work {
                Some(FilesWork::Keep(exchange, files)) => {
                    let kept = match self.full {
                        Some(reason) => Err(reason.to_owned()),
                        None if self.storage.is_without_power() => Err("the power is off".into()),
                        None => {
                            let page = files.archive.files().find(|(path, _)| path == "public/index.html");
                            let page = page.map(|(_, data)| data.to_vec()).unwrap_or_default();
                            self.disk.borrow_mut().insert(files.folder, page);
                            Ok(())
                        }
                    };
                    self.gateway.files_kept(exchange, kept);
                }
                Some(FilesWork::Sweep(id)) if !self.storage.is_without_power() => {
                    let named = store::folders(&mut self.storage, &id).unwrap_or_default();
                    self.disk.borrow_mut().retain(|folder, _| !folder.starts_with(&id) || named.contains(folder));
                }
                _ => {}
            }
            while let Some((exchange, response)) = self.gateway.next_response() {
                self.responses.insert(exchange, response);
            }
            if is_over {
                return;
            }
        }
        panic!("the gateway does not come to rest");
    }

    fn ask(&mut self, method: Method, target: &str, body: &[u8]) -> (u16, String) {
        let exchange = self.begin(method, target, body);
        self.settle();
        self.answer(exchange)
    }

    fn begin(&mut self, method: Method, target: &str, body: &[u8]) -> ExchangeId {
        let mut request = Request::new(method, target);
        request.headers.push(("content-type".into(), "application/json".into()));
        (request.body, request.local) = (body.to_vec(), true);
        self.gateway.request(&request)
    }

    fn answer(&mut self, exchange: ExchangeId) -> (u16, String) {
        let response = self.responses.remove(&exchange).expect("every request is answered");
        (response.status, String::from_utf8(response.body.into_owned()).unwrap())
    }

    fn install(&mut self, package: &[u8], query: &str) -> (u16, String) {
        self.ask(Method::Post, &format!("/skiff/v1/plugins{query}"), package)
    }

    fn enable(&mut self, query: &str) -> (u16, String) {
        self.ask(Method::Post, &format!("/plugins/tide/config{query}"), br#"{"enabled":true}"#)
    }

    fn plugin(&self) -> &Plugin {
        self.gateway.plugins().find("tide").unwrap()
    }

    /// Version in force in the running gateway, its state, and its version and page in the store.
    fn seen(&mut self) -> (String, &'static str, String, String) {
        let plugin = self.gateway.plugins().find("tide");
        let (version, state) =
            plugin.map_or((String::new(), "none"), |plugin| (plugin.package().version.clone(), plugin.state().name()));
        let stored = store::describe(&mut self.storage, "tide", Slot::InForce);
        let page = stored.as_ref().and_then(|stored| self.disk.borrow().get(&stored.folder).cloned());
        let page = page.map_or_else(|| "gone".into(), |page| String::from_utf8(page).unwrap());
        (version, state, stored.map_or_else(String::new, |stored| stored.manifest.version().into()), page)
    }
}

/// A package `tide` with a page that names its version; it starts with `code`.
fn package(version: &str, asks: &str, code: i32) -> Vec<u8> {
    named("tide", version, asks, code)
}

fn named(name: &str, version: &str, asks: &str, code: i32) -> Vec<u8> {
    let guest = buffer_guest(
        "",
        &format!(
            r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const {code}))
               (func (export "plugin_stop") (result i32) (i32.const 0))"#
        ),
    );
    let json = format!(
        r#"{{"name":"{name}","version":"{version}","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm",
            "wasmCapabilities":{{{asks}}}}}"#
    );
    let wasm = wat::parse_str(guest).unwrap();
    tarball::npm_pack_with(&json, &wasm, &[("public/index.html", version.as_bytes())])
}

const NETWORK: &str = r#""network":true"#;
const BOTH: &str = r#""network":true,"rawSockets":true"#;

fn in_force(version: &str) -> (String, &'static str, String, String) {
    (version.into(), "running", version.into(), version.into())
}

#[test]
fn one_package_comes_in_at_a_time_and_each_has_its_own_files() {
    let mut host = Host::new();
    let packages: Vec<(String, Vec<u8>)> = (0..50)
        .map(|number| (format!("p{number}"), named(&format!("p{number}"), &number.to_string(), "", 0)))
        .collect();
    let begun: Vec<ExchangeId> =
        packages.iter().map(|(_, package)| host.begin(Method::Post, "/skiff/v1/plugins", package)).collect();
    host.settle();
    let mut taken = 0;
    for (exchange, (name, _)) in begun.into_iter().zip(&packages) {
        let (status, body) = host.answer(exchange);
        match store::describe(&mut host.storage, name, Slot::InForce) {
            Some(stored) => {
                taken += 1;
                assert_eq!(
                    (status, name.as_bytes()),
                    (201, &[b"p", &*host.disk.borrow()[&stored.folder]].concat()[..])
                );
            }
            None => assert!(status == 503 && body.contains("try again"), "{status} {body}"),
        }
    }
    assert!(taken >= 1 && host.disk.borrow().len() == taken, "{taken} {:?}", host.disk.borrow().keys());
    assert_eq!(host.install(&packages[49].1, "").0, 201, "the next one comes in");
}

#[test]
fn the_answer_depends_on_the_files() {
    let mut host = Host::new();
    host.full = Some("no space left");
    let (status, body) = host.install(&package("1", "", 0), "");
    assert!(status == 507 && body.contains("no space left"), "{body}");
    assert_eq!(host.seen(), (String::new(), "none", String::new(), "gone".into()));
    host.full = None;
    assert_eq!(host.install(&package("1", "", 0), "").0, 201);
    host.full = Some("no space left");
    assert_eq!(host.install(&package("2", "", 0), "").0, 507);
    assert_eq!(host.seen(), in_force("1"));
}

#[test]
fn a_storage_that_takes_nothing_is_found_before_the_change() {
    let mut host = Host::new();
    assert_eq!(host.install(&package("1", "", 0), "").0, 201);
    host.storage.set_read_only(true);
    let (status, body) = host.install(&package("2", "", 0), "");
    assert!(status == 507 && body.contains("read-only"), "{body}");
    assert_eq!(host.install(&named("other", "1", "", 0), "").0, 507);
    host.storage.set_read_only(false);
    assert_eq!(host.seen(), in_force("1"));
    assert!(host.gateway.plugins().find("other").is_none());
    assert_eq!(host.install(&package("2", "", 0), "").0, 201);
    assert_eq!(host.seen(), in_force("2"));
}

#[test]
fn an_archive_is_taken_as_a_whole_or_not_at_all() {
    let mut host = Host::new();
    let json = r#"{"name":"tide","version":"1","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm"}"#;
    let wasm = wat::parse_str(buffer_guest("", "")).unwrap();
    let second = json.replace("tide", "other");
    for (path, data) in
        [("../../../../tmp/pwn", "x"), ("a\\b", "x"), ("plugin.wasm/x", "x"), ("package.json", &second), ("a//b", "x")]
    {
        let (status, body) = host.install(&tarball::npm_pack_with(json, &wasm, &[(path, data.as_bytes())]), "");
        assert!(status == 400 && body.contains("corrupt archive"), "{path}: {body}");
    }
    let many: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    assert_eq!(host.install(&tarball::npm_pack_with(json, &wasm, &many), "").0, 400);
    for name in ["Tide", "_tide", ".tide", "/evil.com", "a/b", "@a/b/c"] {
        let (status, body) = host.install(&named(name, "1", "", 0), "");
        assert!(status == 400 && body.contains("npm"), "{name}: {body}");
    }
    assert_eq!((host.gateway.plugins().plugins().count(), host.disk.borrow().len()), (0, 0));
}

#[test]
fn a_package_that_asks_is_installed_and_none_of_its_code_runs_before_somebody_grants_that() {
    let mut host = Host::new();
    let (status, body) = host.install(&package("1", BOTH, 0), "");
    assert_eq!(status, 201);
    assert!(body.contains(r#""state":"disabled""#) && body.contains(r#""asks":["network","rawSockets"]"#), "{body}");
    assert_eq!((host.plugin().fuel_spent(), host.plugin().instance().is_some()), (0, false));
    let refused = host.enable("");
    assert!(refused.0 == 409 && refused.1.contains(r#""asks":["network","rawSockets"]"#), "{refused:?}");
    let refused = host.enable("?grant=network");
    assert!(refused.0 == 409 && refused.1.contains(r#""asks":["rawSockets"]"#), "{refused:?}");
    let rows = host.ask(Method::Get, "/skServer/plugins", b"").1;
    assert!(rows.contains(r#""reason":"asks for rawSockets, which nobody has granted""#), "{rows}");
    assert!(rows.contains(r#""asks":["rawSockets"]"#), "{rows}");
    assert_eq!(host.enable("?grant=everything").0, 400);
    assert_eq!(host.enable("?grant=rawSockets%2Cnetwork").0, 200);
    assert_eq!(host.seen(), in_force("1"));
    // It starts with the next gateway too.
    let mut next = Host::on(host.storage, host.disk);
    assert_eq!(next.seen(), in_force("1"));
}

#[test]
fn consent_can_come_with_the_package_and_goes_with_it() {
    let mut host = Host::new();
    let (status, body) = host.install(&package("1", BOTH, 0), "?grant=all");
    assert!(status == 201 && body.contains("running") && !body.contains("asks"), "{body}");
    assert_eq!(
        asks::granted(&mut host.storage, "tide"),
        Ok(Asks::parse("network,rawSockets").unwrap()),
        "no more than asked"
    );
    assert_eq!(host.ask(Method::Delete, "/skiff/v1/plugins/tide", b"").0, 200);
    assert_eq!(asks::granted(&mut host.storage, "tide"), Ok(Asks::NONE));
    assert!(host.install(&package("1", BOTH, 0), "").1.contains("disabled"));
    assert!(host.install(&named("quiet", "1", "", 0), "").1.contains("running"), "it asks for nothing");
    assert_eq!(host.install(&package("1", BOTH, 0), "?grant=no").0, 400);
}

#[test]
fn an_update_that_asks_for_more_waits_while_the_version_before_runs() {
    let mut host = Host::new();
    host.install(&package("1", NETWORK, 0), "?grant=all");
    let (status, body) = host.install(&package("2", BOTH, 0), "");
    assert_eq!(
        (status, body.contains(r#""version":"2","state":"waiting","asks":["rawSockets"]"#)),
        (201, true),
        "{body}"
    );
    assert_eq!(host.seen(), in_force("1"));
    let mut host = Host::on(host.storage, host.disk);
    let rows = host.ask(Method::Get, "/skServer/plugins", b"").1;
    assert!(rows.contains(r#""waiting":{"version":"2","asks":["network","rawSockets"]}"#), "{rows}");
    assert_eq!(host.enable("?grant=rawSockets").0, 201);
    assert_eq!(host.seen(), in_force("2"));
    assert_eq!(host.plugin().waiting(), None);
    assert_eq!(host.disk.borrow().len(), 2, "the version before is kept");
    // One that asks for no more than that comes in at once.
    assert!(host.install(&package("3", BOTH, 0), "").1.contains("running"));
    assert_eq!((host.seen(), host.disk.borrow().len()), (in_force("3"), 2));
}

#[test]
fn the_version_before_comes_back_with_its_files() {
    let mut host = Host::new();
    let back = |host: &mut Host| host.ask(Method::Post, "/skiff/v1/plugins/tide/rollback", b"");
    assert_eq!(back(&mut host).0, 404);
    host.install(&package("1", "", 0), "");
    assert_eq!(back(&mut host).0, 409);
    host.install(&package("2", "", 0), "");
    assert_eq!(back(&mut host).0, 201);
    assert_eq!(host.seen(), in_force("1"));
    assert_eq!(back(&mut host).0, 201);
    assert_eq!(host.seen(), in_force("2"));
    // A version that does not start is none to go back to.
    assert_eq!(host.install(&package("3", "", 5), "").0, 500);
    assert_eq!(host.seen(), in_force("2"));
    assert_eq!(host.disk.borrow().len(), 2);
    let mut host = Host::on(host.storage, host.disk);
    assert_eq!(back(&mut host).0, 201);
    assert_eq!(host.seen(), in_force("1"));
}

#[test]
fn what_runs_in_a_store_of_the_time_before_is_granted_once() {
    let mut host = Host::new();
    host.install(&package("1", BOTH, 0), "?grant=all");
    let mut storage = host.storage.clone();
    storage.remove(&Key::parse(GRANTS_FILE).unwrap()).unwrap();
    drop(host);
    let mut host = Host::on(storage.clone(), Disk::default());
    assert_eq!(host.seen().1, "running");
    asks::grant(&mut storage, "tide", Asks::NONE).unwrap();
    let mut host = Host::on(storage, Disk::default());
    assert_eq!(host.seen().1, "stopped");
    // Nor does a package in a folder get more than was granted, whatever its configuration says.
    let guest = Package::from_tgz(&named("other", "1", NETWORK, 0)).unwrap();
    let config = Key::parse("plugin-config-data/other.json").unwrap();
    host.storage.replace(&config, br#"{"enabled":true}"#).unwrap();
    host.gateway.install(guest, Enabled::FromConfig).unwrap();
    host.settle();
    let plugin = host.gateway.plugins().find("other").unwrap();
    assert_eq!((plugin.state().name(), plugin.missing().to_string().as_str()), ("stopped", "network"));
}

#[test]
fn a_folder_that_widens_waits_for_consent_too() {
    let mut host = Host::new();
    let read = |package: Vec<u8>| Package::from_tgz(&package).unwrap();
    host.gateway.install(read(package("1", "", 0)), Enabled::Always { config: None }).unwrap();
    host.settle();
    assert!(host.gateway.replace(read(package("2", NETWORK, 0))).is_err());
    host.settle();
    assert_eq!((host.plugin().package().version.as_str(), host.plugin().state().name()), ("1", "running"));
    let exchange = host.begin(Method::Post, "/plugins/tide/config?grant=all", br#"{"enabled":true}"#);
    host.settle();
    let (reload, id) = host.gateway.next_reload().expect("the folder is read again");
    assert_eq!((reload, id.as_str()), (exchange, "tide"));
    host.gateway.reload(reload, Ok(read(package("2", NETWORK, 0))));
    host.settle();
    assert_eq!(host.answer(exchange).0, 201);
    assert_eq!((host.plugin().package().version.as_str(), host.plugin().state().name()), ("2", "running"));
}

/// Cuts the power in every write of an act, in every way, and looks at what the next start finds.
fn after_every_cut(before: impl Fn(&mut Host), act: impl Fn(&mut Host), look: impl Fn(&mut Host)) -> usize {
    let mut cuts = 0;
    for leaves in [Survivor::Old, Survivor::New] {
        for after_writes in 0.. {
            let mut host = Host::new();
            before(&mut host);
            host.storage.cut_power(PowerCut { after_writes, leaves });
            act(&mut host);
            let was_cut = host.storage.is_without_power();
            let Host { gateway, storage, disk, .. } = host;
            drop(gateway);
            storage.power_on();
            look(&mut Host::on(storage, disk));
            if !was_cut {
                break;
            }
            cuts += 1;
        }
    }
    cuts
}

#[test]
fn module_files_and_configuration_belong_together_after_a_cut_anywhere() {
    let begin = |host: &mut Host| assert_eq!(host.install(&package("1", NETWORK, 0), "?grant=all").0, 201);
    let whole = |versions: &'static [&'static str]| {
        move |host: &mut Host| {
            let seen = host.seen();
            let is_one = versions.iter().any(|version| match *version {
                "" => seen == (String::new(), "none", String::new(), "gone".into()),
                version => seen == in_force(version),
            });
            assert!(is_one, "{seen:?}");
        }
    };
    let mut cuts = 0;
    cuts += after_every_cut(|_| {}, begin_any, whole(&["", "1"]));
    cuts += after_every_cut(begin, |host| drop(host.install(&package("2", BOTH, 0), "?grant=all")), whole(&["1", "2"]));
    cuts += after_every_cut(begin, |host| drop(host.install(&package("2", BOTH, 0), "")), whole(&["1"]));
    let two = |host: &mut Host| {
        begin(host);
        assert_eq!(host.install(&package("2", NETWORK, 0), "").0, 201);
    };
    let back = |host: &mut Host| drop(host.ask(Method::Post, "/skiff/v1/plugins/tide/rollback", b""));
    cuts += after_every_cut(two, back, whole(&["1", "2"]));
    let waits = |host: &mut Host| {
        begin(host);
        assert_eq!(host.install(&package("2", BOTH, 0), "").0, 201);
    };
    cuts += after_every_cut(waits, |host| drop(host.enable("?grant=all")), whole(&["1", "2"]));
    cuts +=
        after_every_cut(two, |host| drop(host.ask(Method::Delete, "/skiff/v1/plugins/tide", b"")), whole(&["", "2"]));
    println!("{cuts} cuts");
    assert!(cuts > 40, "{cuts}");
}

fn begin_any(host: &mut Host) {
    let _ = host.install(&package("1", NETWORK, 0), "?grant=all");
}
