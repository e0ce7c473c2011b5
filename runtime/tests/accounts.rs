//! Devices that ask to be let in, as SensESP and pypilot do it, and what their tokens are good for.

mod boat;
mod guests;

use boat::Boat;
use serde_json::Value;
use skiff_runtime::accounts;
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::http::{Method, Request};
use skiff_runtime::server::Access;

const ASK: &str = "/signalk/v1/access/requests";
const SENSOR: &str = r#"{"clientId":"1234-45653","description":"wind at the mast","permissions":"readwrite"}"#;

/// A gateway with its owner.
struct Owned {
    boat: Boat,
    owner: String,
    storage: SimStorage,
}

impl Owned {
    fn new() -> Self {
        let storage = SimStorage::new();
        let (boat, owner) = Boat::guarded(storage.clone());
        Self { boat, owner, storage }
    }

    /// Sends a request from the boat's network; returns status and body.
    fn send(&mut self, method: Method, target: &str, token: Option<&str>, body: &str) -> (u16, Value) {
        let headers = vec![("content-type".into(), "application/json".into())];
        self.send_with(headers, method, target, token, body)
    }

    fn send_with(
        &mut self,
        mut headers: Vec<(String, String)>,
        method: Method,
        target: &str,
        token: Option<&str>,
        body: &str,
    ) -> (u16, Value) {
        headers.push(("host".into(), "192.168.1.5:3000".into()));
        headers.extend(token.map(|token| ("authorization".into(), format!("Bearer {token}"))));
        let peer = Some("192.168.1.9".parse().unwrap());
        let request =
            Request { headers, peer, local: false, body: body.as_bytes().into(), ..Request::new(method, target) };
        let exchange = self.boat.gateway.request(&request);
        let response = self.boat.answer(exchange).expect("an answer at once");
        (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }

    fn as_owner(&mut self, method: Method, target: &str, body: &str) -> (u16, Value) {
        let owner = self.owner.clone();
        self.send(method, target, Some(&owner), body)
    }

    /// Has a device ask and the owner let it in; returns its token.
    fn let_in(&mut self, answer: &str) -> String {
        let (status, asked) = self.send(Method::Post, ASK, None, SENSOR);
        assert_eq!((status, &asked["state"], &asked["statusCode"]), (202, &"PENDING".into(), &202.into()));
        let href = asked["href"].as_str().unwrap().to_owned();
        assert_eq!(self.send(Method::Get, &href, None, "").1["state"], "PENDING");
        let approve = "/skServer/security/access/requests/1234-45653/approved";
        assert_eq!(self.as_owner(Method::Put, approve, answer).0, 200);
        let (status, state) = self.send(Method::Get, &href, None, "");
        assert_eq!((status, &state["accessRequest"]["permission"]), (200, &"APPROVED".into()));
        state["accessRequest"]["token"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_sensor_asks_is_let_in_and_may_write_but_not_administrate() {
    let mut gateway = Owned::new();
    let token = gateway.let_in("{}");
    let token = Some(token.as_str());
    assert_eq!(gateway.send(Method::Get, "/signalk/v1/api/self", token, "").0, 200);
    // The handshake that SensESP tries its token with.
    assert_eq!(gateway.send(Method::Get, "/signalk/v1/stream", token, "").0, 426);
    let put = gateway.send(Method::Put, "/signalk/v1/api/vessels/self/a/b", token, r#"{"value":1}"#);
    assert_eq!(put.0, 405, "nothing handles it, but it may");
    for (method, target) in [
        (Method::Post, "/plugins/x/config"),
        (Method::Get, "/plugins/x/config"),
        (Method::Post, "/skiff/v1/plugins"),
        (Method::Get, "/skiff/v1/log"),
        (Method::Get, "/skServer/security/devices"),
        (Method::Put, "/skServer/security/access/requests/x/approved"),
        (Method::Delete, "/skServer/security/devices/1234-45653"),
    ] {
        let (status, body) = gateway.send(method, target, token, "{}");
        assert_eq!(
            (status, &body["error"]),
            (403, &"this token is readwrite, and this needs admin".into()),
            "{target}"
        );
        assert_eq!(gateway.send(method, target, None, "{}").0, 401, "{target}");
    }
    let zones = "/signalk/v1/api/vessels/self/environment/depth/belowKeel/meta/zones";
    assert_eq!(gateway.send(Method::Put, zones, token, r#"{"value":[]}"#).0, 403, "what is kept is the owner's");
    assert_eq!(gateway.as_owner(Method::Put, zones, r#"{"value":[]}"#).0, 200);
    let status = gateway.send(Method::Get, "/skServer/loginStatus", token, "").1;
    assert_eq!((&status["status"], &status["userLevel"]), (&"loggedIn".into(), &"readwrite".into()));
    assert_eq!(status["allowDeviceAccessRequests"], true);
}

#[test]
fn a_device_that_may_read_writes_nothing() {
    let mut gateway = Owned::new();
    let token = gateway.let_in(r#"{"permissions":"readonly"}"#);
    let token = Some(token.as_str());
    assert_eq!(gateway.send(Method::Get, "/signalk/v1/api/self", token, "").0, 200);
    let (status, body) = gateway.send(Method::Put, "/signalk/v1/api/vessels/self/a", token, "{}");
    assert_eq!((status, &body["error"]), (403, &"this token is readonly, and this needs readwrite".into()));
}

#[test]
fn a_device_is_known_after_a_restart_until_it_is_revoked() {
    let mut gateway = Owned::new();
    let token = gateway.let_in("{}");
    let (_, devices) = gateway.as_owner(Method::Get, "/skServer/security/devices", "");
    let expected = r#"[{"clientId":"1234-45653","permissions":"readwrite","description":"wind at the mast"}]"#;
    assert_eq!(devices, serde_json::from_str::<Value>(expected).unwrap());

    let known = accounts::Accounts::load(&mut gateway.storage.clone()).unwrap();
    let (boat, owner) = Boat::guarded_with(gateway.storage.clone(), known);
    let mut gateway = Owned { boat, owner, ..gateway };
    assert_eq!(gateway.send(Method::Get, "/signalk/v1/api/self", Some(&token), "").0, 200);
    let device = "/skServer/security/devices/1234-45653";
    assert_eq!(gateway.as_owner(Method::Put, device, r#"{"permissions":"captain"}"#).0, 400);
    assert_eq!(gateway.as_owner(Method::Put, device, r#"{"permissions":"readonly"}"#).0, 200);
    assert_eq!(gateway.send(Method::Put, "/signalk/v1/api/vessels/self/a", Some(&token), "{}").0, 403);
    assert_eq!(gateway.as_owner(Method::Delete, device, "").0, 200);
    assert_eq!(gateway.as_owner(Method::Delete, device, "").0, 404);
    assert_eq!(gateway.send(Method::Get, "/signalk/v1/api/self", Some(&token), "").0, 401);
    assert!(accounts::Tokens::load(&mut gateway.storage).unwrap() == accounts::Tokens::default());
}

#[test]
fn a_device_that_is_denied_hears_it() {
    let mut gateway = Owned::new();
    let (_, asked) = gateway.send(Method::Post, ASK, None, SENSOR);
    let deny = "/skServer/security/access/requests/1234-45653/denied";
    assert_eq!(gateway.send(Method::Put, deny, None, "").0, 401);
    let (_, waiting) = gateway.as_owner(Method::Get, "/skServer/security/access/requests", "");
    assert_eq!((&waiting[0]["accessIdentifier"], &waiting[0]["ip"]), (&"1234-45653".into(), &"192.168.1.9".into()));
    assert_eq!(gateway.as_owner(Method::Put, deny, "").0, 200);
    assert_eq!(gateway.as_owner(Method::Put, deny, "").0, 404, "it does not wait any more");
    let (status, state) = gateway.send(Method::Get, asked["href"].as_str().unwrap(), None, "");
    let expected = r#"{"permission":"DENIED"}"#;
    assert_eq!((status, &state["accessRequest"]), (200, &serde_json::from_str(expected).unwrap()));
}

#[test]
fn a_form_is_a_request_too() {
    // As pypilot sends it.
    let mut gateway = Owned::new();
    let headers = || vec![("content-type".into(), "application/x-www-form-urlencoded".into())];
    let form = "clientId=1234-45653&description=pypilot+at+the+helm";
    let (status, asked) = gateway.send_with(headers(), Method::Post, ASK, None, form);
    assert_eq!((status, &asked["statusCode"]), (202, &202.into()));
    // Asked again, it is told where the answer will be.
    let (status, again) = gateway.send_with(headers(), Method::Post, ASK, None, form);
    assert_eq!((status, &again["href"]), (400, &asked["href"]));
}

#[test]
fn what_is_no_request_is_refused() {
    let mut gateway = Owned::new();
    let long = format!(r#"{{"clientId":"{}","description":"x"}}"#, "x".repeat(129));
    for body in [
        "",
        "[]",
        r#"{"clientId":"x"}"#,
        r#"{"clientId":7,"description":"x"}"#,
        r#"{"clientId":"admin","description":"x"}"#,
        r#"{"clientId":"a\nb","description":"x"}"#,
        r#"{"clientId":"x","description":"x","permissions":"captain"}"#,
        &long,
    ] {
        let (status, state) = gateway.send(Method::Post, ASK, None, body);
        assert_eq!((status, &state["statusCode"]), (400, &400.into()), "{body}");
    }
    assert_eq!(gateway.send(Method::Post, ASK, None, &"x".repeat(9000)).0, 413);
    assert_eq!(gateway.send(Method::Get, ASK, None, "").0, 405);
    assert_eq!(gateway.send(Method::Get, "/signalk/v1/requests/nobody", None, "").0, 404);
    for index in 0..accounts::PER_PEER_MAX {
        let body = format!(r#"{{"clientId":"d{index}","description":"x"}}"#);
        assert_eq!(gateway.send(Method::Post, ASK, None, &body).0, 202);
    }
    assert_eq!(gateway.send(Method::Post, ASK, None, SENSOR).0, 429);
}

#[test]
fn the_owner_gives_what_the_owner_wants() {
    let mut gateway = Owned::new();
    let admin = r#"{"clientId":"c","description":"x","permissions":"admin"}"#;
    let approve = "/skServer/security/access/requests/c/approved";
    gateway.send(Method::Post, ASK, None, admin);
    for wrong in [r#"{"permissions":"captain"}"#, r#"{"expiration":"soon"}"#, "[]"] {
        assert_eq!(gateway.as_owner(Method::Put, approve, wrong).0, 400, "{wrong}");
    }
    assert_eq!(gateway.as_owner(Method::Put, approve, r#"{"expiration":"1h"}"#).0, 200);
    let (_, devices) = gateway.as_owner(Method::Get, "/skServer/security/devices", "");
    assert_eq!(devices[0]["permissions"], "readwrite", "what it asked for is more than is given by itself");
    assert_eq!(devices[0]["expires"], "2025-11-24T17:00:00.000Z");
}

#[test]
fn a_token_ends() {
    let mut gateway = Owned::new();
    let token = gateway.let_in(r#"{"expiration":"2s"}"#);
    assert_eq!(gateway.send(Method::Get, "/signalk/v1/api/self", Some(&token), "").0, 200);
    gateway.boat.pass(2);
    let (status, body) = gateway.send(Method::Get, "/signalk/v1/api/self", Some(&token), "");
    assert_eq!((status, &body["error"]), (401, &"the token is not valid".into()));
    assert_eq!(gateway.send(Method::Post, ASK, Some(&token), SENSOR).0, 202, "with it, it can ask again");
}

#[test]
fn nothing_is_given_that_was_not_stored() {
    let mut gateway = Owned::new();
    gateway.send(Method::Post, ASK, None, SENSOR);
    gateway.storage.set_read_only(true);
    let approve = "/skServer/security/access/requests/1234-45653/approved";
    assert_eq!(gateway.as_owner(Method::Put, approve, "{}").0, 500);
    gateway.storage.set_read_only(false);
    assert_eq!(gateway.as_owner(Method::Get, "/skServer/security/devices", "").1, Value::Array(Vec::new()));
    assert_eq!(gateway.as_owner(Method::Put, approve, "{}").0, 200, "it still waits");
}

#[test]
fn guests_read_where_the_owner_lets_them() {
    for (guests, expected) in [(false, 401), (true, 200)] {
        let (access, _) = Access::with_new_token(&mut skiff_runtime::hal::sim::SimRng::new(7));
        let boat = Boat::with_access(SimStorage::new(), access.guests_read(guests));
        let mut gateway = Owned { boat, owner: String::new(), storage: SimStorage::new() };
        assert_eq!(gateway.send(Method::Get, "/signalk/v1/api/self", None, "").0, expected);
        assert_eq!(gateway.send(Method::Get, "/signalk", None, "").0, 200, "where everybody starts from");
        assert_eq!(gateway.send(Method::Get, "/skServer/loginStatus", None, "").0, 200);
        assert_eq!(gateway.send(Method::Put, "/signalk/v1/api/vessels/self/a", None, "{}").0, 401);
        assert_eq!(gateway.send(Method::Get, "/plugins/x/config", None, "").0, 401);
    }
}
