//! A board with a radio is set up by a phone, on the simulated HAL: the network it makes leads to its page, a network is
//! joined, and who brings the code is the owner.

use std::net::Ipv4Addr;
use std::time::Duration;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::{N2kConfig, Vessel};
use skiff_runtime::device::wifi::{JoinFailure, Seen, Station, WifiMode};
use skiff_runtime::gateway::{BoardParts, Gateway, Restart, SetUpParts, Setup};
use skiff_runtime::hal::Hal;
use skiff_runtime::hal::sim::{SimClock, SimNetwork, SimRng, SimStorage};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::replay::SELF_CONTEXT;
use skiff_runtime::server::{Access, Response};

const OWN: Ipv4Addr = Ipv4Addr::new(192, 168, 4, 1);

/// A board at one of its starts.
struct World {
    gateway: Gateway,
    clock: SimClock,
    storage: SimStorage,
}

impl World {
    fn start(mode: WifiMode, is_opened: bool, storage: SimStorage) -> (Self, Option<String>) {
        let (clock, mut stored) = (SimClock::without_wall(), storage.clone());
        let air = SimNetwork::new();
        air.give_address(Some((OWN, 24)));
        let (access, token) = Access::open_or_create(&mut stored, &mut SimRng::new(2)).expect("readable");
        let hal = Hal {
            clock: Box::new(clock.clone()),
            rng: Box::new(SimRng::new(1)),
            storage: Box::new(storage.clone()),
            network: Some(Box::new(air)),
            fetch: None,
            serial: None,
            can: Vec::new(),
        };
        let setup = Setup {
            limits: Limits::of(Board::QemuRiscv32),
            vessel: Vessel::default(),
            self_context: SELF_CONTEXT.into(),
            access,
            strict: false,
            version: "1.0.0",
            events: false,
            poll_on_whole_seconds: false,
        };
        let mut gateway = Gateway::new(setup, hal);
        gateway.attach(BoardParts { wifi: Some(mode), ..BoardParts::default() });
        let boat = Seen { ssid: "Boat & crew".into(), dbm: -55, is_open: false };
        gateway.set_up_by(SetUpParts { name: "skiff-ab12".into(), seen: vec![boat], is_opened });
        (Self { gateway, clock, storage }, token.map(|token| token.as_str().into()))
    }

    fn ask(&mut self, method: Method, host: &str, target: &str, body: &str, token: Option<&str>) -> Response {
        let mut request = Request { body: body.into(), ..Request::new(method, target) };
        request.local = false;
        request.peer = Some([192, 168, 4, 2].into());
        request.headers = vec![("host".into(), host.into())];
        if !body.is_empty() {
            request.headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
        }
        if let Some(token) = token {
            request.headers.push(("authorization".into(), format!("Bearer {token}")));
        }
        let exchange = self.gateway.request(&request);
        self.gateway.poll();
        let (answered, response) = self.gateway.next_response().expect("an answer");
        assert_eq!(answered, exchange);
        response
    }

    fn get(&mut self, host: &str, target: &str) -> (u16, String) {
        text(self.ask(Method::Get, host, target, "", None))
    }

    fn post(&mut self, form: &str) -> (u16, String) {
        text(self.ask(Method::Post, "192.168.4.1", "/setup", form, None))
    }
}

fn text(response: Response) -> (u16, String) {
    (response.status, String::from_utf8(response.body.into_owned()).expect("text"))
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).unwrap_or_else(|| panic!("{from}: {text}")).0
}

#[test]
fn devices_that_look_for_the_internet_are_led_to_the_page() {
    let (mut world, _) = World::start(WifiMode::SetUp, false, SimStorage::new());
    for (host, target) in [
        ("connectivitycheck.gstatic.com", "/generate_204"),
        ("captive.apple.com", "/hotspot-detect.html"),
        ("www.msftconnecttest.com", "/connecttest.txt"),
        ("www.msftncsi.com", "/ncsi.txt"),
        ("detectportal.firefox.com", "/canonical.html"),
        ("nmcheck.gnome.org", "/check_network_status.txt"),
        ("evil.example", "/signalk/v1/api/"),
        ("192.168.4.1", "/"),
    ] {
        for method in [Method::Get, Method::Head] {
            let response = world.ask(method, host, target, "", None);
            assert_eq!(
                (response.status, response.header("location")),
                (302, Some("http://192.168.4.1/setup")),
                "{host}"
            );
            assert!(response.body.is_empty());
        }
    }
    // Only what is read is led there, and only on this network.
    assert_eq!(world.ask(Method::Post, "evil.example", "/setup", "ssid=x", None).status, 403);
    assert_eq!(world.ask(Method::Put, "captive.apple.com", "/skiff/v1/wifi", "{}", None).status, 403);
    assert_eq!(world.get("192.168.4.1", "/signalk/v1/api/vessels/self").0, 401);
    let (mut world, _) = World::start(WifiMode::Join, false, SimStorage::new());
    assert_eq!(world.get("captive.apple.com", "/hotspot-detect.html").0, 403);
    assert_eq!(world.get("10.0.0.5", "/").0, 401);
}

#[test]
fn a_phone_joins_the_board_to_a_network_and_becomes_its_owner() {
    let storage = SimStorage::new();
    let (mut world, first_token) = World::start(WifiMode::SetUp, false, storage.clone());
    let (status, page) = world.get("192.168.4.1", "/setup");
    assert!(status == 200 && page.contains("value=\"Boat &amp; crew\"") && !page.contains("name=\"token\""), "{page}");
    let (status, page) = world.post("ssid=Boat+%26+crew&other=&password=short");
    assert!(status == 400 && page.contains("8 to 63 bytes") && page.contains("Boat &amp; crew"), "{page}");
    assert_eq!(world.post("ssid=&other=&password=").0, 400);
    assert!(Station::load(&mut world.storage).is_none() && world.gateway.restart_due().is_none());

    let (status, page) = world.post("ssid=Boat+%26+crew&other=&password=12345678");
    assert_eq!(status, 200);
    let code = between(&page, "/setup?code=", "\"").to_owned();
    assert!(page.contains("http://skiff-ab12.local/setup"), "{page}");
    assert!(world.gateway.restart_due().is_none(), "the page is read first");
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.gateway.restart_due(), Some(Restart::Network));

    // It starts anew on the boat's network.
    let (mut world, again) = World::start(WifiMode::Join, false, storage.clone());
    assert!(again.is_none());
    let station = Station::load(&mut world.storage).expect("kept");
    assert_eq!((station.ssid.as_str(), station.password.as_deref()), ("Boat & crew", Some("12345678")));
    let host = "skiff-ab12.local";
    let (_, page) = world.get(host, &format!("/setup?code={code}"));
    assert!(page.contains(&format!("value=\"{code}\"")), "a look at the link does not use it up");
    let post = |world: &mut World, form: &str| world.ask(Method::Post, host, "/setup", form, None);
    assert_eq!(
        post(&mut world, "ssid=evil&other=&password=12345678").status,
        403,
        "networks are chosen on the other network"
    );
    assert_eq!(post(&mut world, "code=aaaaa-aaaaa").status, 403);
    let owned = post(&mut world, &format!("code={code}"));
    assert_eq!(owned.status, 200);
    let cookie = owned.header("set-cookie").expect("a cookie").to_owned();
    let page = text(owned).1;
    let token = between(&page, "<code>", "</code>").to_owned();
    assert_eq!(world.ask(Method::Get, host, "/skiff/v1/log", "", Some(&token)).status, 501);
    assert_eq!(world.ask(Method::Get, host, "/skiff/v1/log", "", first_token.as_deref()).status, 401);
    assert!(cookie.contains("HttpOnly; SameSite=Strict") && !cookie.contains(&token));
    // Once.
    assert_eq!(post(&mut world, &format!("code={code}")).status, 403);
    assert!(world.get(host, &format!("/setup?code={code}")).1.contains("is set up"));
}

#[test]
fn a_network_that_was_not_joined_is_told_with_its_reason() {
    let mut storage = SimStorage::new();
    let station = Station { ssid: "boat".into(), password: Some("12345678".into()) };
    station.save(&mut storage).expect("saved");
    JoinFailure::keep(Some(JoinFailure::Password), &mut storage).expect("kept");
    let (mut world, token) = World::start(WifiMode::SetUp, false, storage);
    assert!(world.get("192.168.4.1", "/setup").1.contains("<b>boat</b>; it did not take the password"));
    let token = token.expect("the first start");
    let told = text(world.ask(Method::Get, "192.168.4.1", "/skiff/v1/wifi", "", Some(&token))).1;
    assert_eq!(
        told,
        r#"{"ssid":"boat","mode":"set-up","up":true,"name":"skiff-ab12","set_up":"closed","failure":"password","networks":[{"ssid":"Boat & crew","dbm":-55,"open":false}]}"#
    );
    let joined = world.ask(Method::Post, "192.168.4.1", "/skiff/v1/wifi", r#"{"ssid":"other"}"#, Some(&token));
    assert_eq!(joined.status, 202);
    assert_eq!(JoinFailure::last(&mut world.storage), None, "that was another network");
}

#[test]
fn the_page_closes_after_the_first_owner_and_the_button_opens_it() {
    let storage = SimStorage::new();
    let (mut world, token) = World::start(WifiMode::SetUp, false, storage.clone());
    let token = token.expect("the first start");
    // Who has the token needs no code, and is the owner by using it.
    assert_eq!(world.ask(Method::Get, "192.168.4.1", "/skiff/v1/status", "", Some("guessed")).status, 401);
    assert!(!world.get("192.168.4.1", "/setup").1.contains("name=\"token\""));
    assert_eq!(world.ask(Method::Get, "192.168.4.1", "/skiff/v1/status", "", Some(&token)).status, 200);
    let (_, page) = world.get("192.168.4.1", "/setup");
    assert!(page.contains("name=\"token\""), "{page}");
    assert_eq!(world.get("192.168.4.1", "/").0, 401);
    assert_eq!(world.post("ssid=evil&other=&password=12345678").0, 403);
    assert_eq!(world.post("ssid=evil&other=&password=12345678&token=guessed").0, 403);
    assert_eq!(world.post("code=aaaaa-aaaaa").0, 403);
    assert!(Station::load(&mut world.storage).is_none());
    let (status, page) = world.post(&format!("ssid=boat&other=&password=12345678&token={token}"));
    assert!(status == 200 && !page.contains("code="), "the owner needs none: {page}");

    let (mut world, _) = World::start(WifiMode::SetUp, true, storage);
    assert!(!world.get("192.168.4.1", "/setup").1.contains("name=\"token\""));
    let (status, page) = world.post("ssid=x&other=another&password=12345678");
    assert!(status == 200 && !page.contains("code="), "{page}");
    assert_eq!(Station::load(&mut world.storage).map(|station| station.ssid).as_deref(), Some("another"));
}

#[test]
fn an_owner_starts_the_board_anew() {
    let (mut world, token) = World::start(WifiMode::SetUp, false, SimStorage::new());
    assert_eq!(world.ask(Method::Post, "192.168.4.1", "/skiff/v1/restart", "", None).status, 401);
    let done = world.ask(Method::Post, "192.168.4.1", "/skiff/v1/restart", "", token.as_deref());
    assert_eq!((done.status, world.gateway.restart_due()), (202, None));
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.gateway.restart_due(), Some(Restart::Asked));
}

#[test]
fn the_part_in_the_bus_is_the_owners_to_choose_and_holds_from_the_next_start() {
    let (mut world, token) = World::start(WifiMode::SetUp, false, SimStorage::new());
    let token = token.expect("made");
    let mut ask =
        |method, body: &str, token: Option<&str>| text(world.ask(method, "192.168.4.1", "/skiff/v1/n2k", body, token));
    assert_eq!(ask(Method::Get, "", Some(&token)), (200, "{}".into()), "it listens, as delivered");
    let node = r#"{"node": {"enabled": true, "address": 23}, "send": ["environment.wind.*"]}"#;
    assert_eq!(ask(Method::Put, node, None).0, 401);
    for (wrong, clause) in [
        ("", "a JSON object"),
        ("[]", "a JSON object"),
        (r#"{"node": 1}"#, "node must be true, false or an object"),
        (r#"{"send": ["a.b"]}"#, "send needs node.enabled"),
    ] {
        let (status, body) = ask(Method::Put, wrong, Some(&token));
        assert!(status == 400 && body.contains(clause), "{wrong}: {status} {body}");
    }
    assert_eq!(ask(Method::Get, "", Some(&token)).1, "{}", "what cannot be meant is not kept");
    assert_eq!(ask(Method::Delete, "", Some(&token)).0, 405);
    assert_eq!(ask(Method::Put, node, Some(&token)).0, 202);
    assert!(ask(Method::Get, "", Some(&token)).1.contains("environment.wind.*"));
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.gateway.restart_due(), Some(Restart::Asked));
    let kept = N2kConfig::load(&mut world.storage.clone(), false).expect("kept");
    assert_eq!(kept.node.and_then(|node| node.address).map(|address| address.0), Some(23));
}
