//! People who log in, as web apps and programs do it, and what their logins are good for.

mod boat;
mod guests;
mod owned;

use std::time::Duration;

use boat::Boat;
use owned::{LOG_IN, Owned, bearer, cookie, read};
use serde_json::{Value, json};
use skiff_runtime::gateway::StreamId;
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::http::{Method, Request};

#[test]
fn a_web_app_logs_in_reads_and_writes_and_does_not_administrate() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "admin");
    assert_eq!(gateway.ask(Method::Get, "/signalk/v1/api/self", &[], "").status, 401);
    let response = gateway.log_in("skipper", "skipper-secret");
    assert_eq!(response.status, 200, "{:?}", read(&response));
    let answer = read(&response);
    assert_eq!(answer["timeToLive"], 86_400);
    assert_eq!(answer["token"].as_str().unwrap().split('.').count(), 3, "apps decode its middle part");
    let (cookie, bearer) = (cookie(&response), bearer(&answer["token"]));
    for let_in in [("cookie", &*cookie), ("authorization", &*bearer)] {
        assert_eq!(gateway.ask(Method::Get, "/signalk/v1/api/self", &[let_in], "").status, 200);
        let put = gateway.ask(Method::Put, "/signalk/v1/api/vessels/self/a/b", &[let_in], r#"{"value":1}"#);
        assert_eq!(put.status, 405, "nothing handles it, but the skipper may");
        let status = read(&gateway.ask(Method::Get, "/skServer/loginStatus", &[let_in], ""));
        assert_eq!((&status["status"], &status["username"]), (&"loggedIn".into(), &"skipper".into()));
        assert_eq!(status["userLevel"], "readwrite", "no more at this door, whoever it is");
        for (method, target) in [
            (Method::Post, "/skiff/v1/plugins"),
            (Method::Get, "/plugins/x/config"),
            (Method::Get, "/skServer/security/users"),
            (Method::Put, "/skServer/security/user/skipper/password"),
        ] {
            assert_eq!(gateway.ask(method, target, &[let_in], "{}").status, 403, "{target}");
        }
        assert_eq!(gateway.ask(Method::Post, "/signalk/v1/auth/validate", &[let_in], "").status, 200);
    }
    // Another page in the visitor's browser uses none of it.
    let elsewhere = [("cookie", &*cookie), ("origin", "https://evil.example")];
    assert_eq!(gateway.ask(Method::Put, "/signalk/v1/api/vessels/self/a/b", &elsewhere, "{}").status, 403);
    assert_eq!(gateway.ask(Method::Get, "/signalk/v1/api/self", &elsewhere, "").status, 403);
    let logout = gateway.ask(Method::Put, "/signalk/v1/auth/logout", &[("cookie", &cookie)], "");
    assert!(logout.header("set-cookie").unwrap().contains("Max-Age=0"));
    for let_in in [("cookie", &*cookie), ("authorization", &*bearer)] {
        assert_eq!(gateway.ask(Method::Get, "/signalk/v1/api/self", &[let_in], "").status, 401);
    }
}

#[test]
fn a_form_goes_where_it_came_from() {
    let mut gateway = Owned::new();
    gateway.add("crew", "readonly");
    let page = gateway.ask(Method::Get, "/", &[("accept", "text/html,*/*")], "");
    assert_eq!(page.status, 401);
    assert!(String::from_utf8_lossy(&page.body).contains("action=\"/signalk/v1/auth/login\""), "a way in");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let wrong = gateway.ask(Method::Post, LOG_IN, &[form], "username=crew&password=x&destination=/kip/");
    assert!(wrong.status == 401 && String::from_utf8_lossy(&wrong.body).contains("value=\"/kip/\""));
    let body = "username=crew&password=crew-secret&rememberMe=true&destination=/kip/%23/a";
    let right = gateway.ask(Method::Post, LOG_IN, &[form], body);
    assert_eq!((right.status, right.header("location")), (303, Some("/kip/#/a")));
    assert!(right.header("set-cookie").unwrap().contains("Max-Age=2592000"));
    let cookie = cookie(&right);
    assert_eq!(gateway.ask(Method::Get, "/", &[("cookie", &cookie)], "").status, 200);
    let put = gateway.ask(Method::Put, "/signalk/v1/api/vessels/self/a", &[("cookie", &cookie)], "{}");
    assert_eq!(read(&put)["error"], "this login is readonly, and this needs readwrite");
}

#[test]
fn a_wrong_password_and_an_unknown_name_look_alike_and_soon_cost_time() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "admin");
    let wrong = gateway.log_in("skipper", "guess");
    let unknown = gateway.log_in("nobody", "guess");
    assert_eq!((wrong.status, &wrong.body, wrong.header("set-cookie")), (401, &unknown.body, None));
    assert_eq!(read(&wrong)["message"], "Invalid username/password");
    for _ in 0..2 {
        assert_eq!(gateway.log_in("skipper", "guess").status, 401);
    }
    assert_eq!(gateway.log_in("skipper", "skipper-secret").status, 429, "the right one, too: it was not looked at");
    gateway.boat.clock.advance(Duration::from_secs(1));
    assert_eq!(gateway.log_in("skipper", "skipper-secret").status, 200);
    for bad in ["", "[]", r#"{"username":"a"}"#, r#"{"username":1,"password":2}"#] {
        assert_eq!(gateway.ask(Method::Post, LOG_IN, &[], bad).status, 400, "{bad}");
    }
    assert_eq!(gateway.ask(Method::Get, LOG_IN, &[], "").status, 405);
}

#[test]
fn passwords_beyond_the_queue_are_told_to_come_again() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "admin");
    gateway.passwords.hold(true);
    let mut exchanges = Vec::new();
    for last in 1..=7 {
        let login = json!({ "username": "skipper", "password": "skipper-secret" }).to_string();
        let headers = vec![("host".to_owned(), "192.168.1.5:3000".to_owned())];
        let peer = Some(format!("192.168.1.{last}").parse().unwrap());
        let body = login.into_bytes();
        let request = Request { headers, peer, local: false, body, ..Request::new(Method::Post, LOG_IN) };
        exchanges.push(gateway.boat.gateway.request(&request));
    }
    gateway.boat.settle();
    let mut statuses = Vec::new();
    while let Some((exchange, response)) = gateway.boat.gateway.next_response() {
        assert!(exchanges[5..].contains(&exchange), "one is worked at, four wait");
        statuses.push(response.status);
    }
    assert_eq!(statuses, [429, 429]);
    gateway.passwords.hold(false);
    gateway.boat.settle();
    let done: Vec<u16> = std::iter::from_fn(|| gateway.boat.gateway.next_response()).map(|(_, it)| it.status).collect();
    assert_eq!(done, [200; 5]);
}

#[test]
fn a_login_is_known_after_a_restart_until_its_user_changes() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "readwrite");
    let login = bearer(&read(&gateway.log_in("skipper", "skipper-secret"))["token"]);
    let mut gateway = gateway.restarted();
    let let_in = [("authorization", &*login)];
    assert_eq!(gateway.ask(Method::Get, "/signalk/v1/api/self", &let_in, "").status, 200);
    let lesser = json!({ "type": "readonly" });
    assert_eq!(gateway.as_owner(Method::Put, "/skServer/security/users/skipper", &lesser).0, 200);
    assert_eq!(gateway.ask(Method::Put, "/signalk/v1/api/vessels/self/a", &let_in, "{}").status, 403);
    let password = "/skServer/security/user/skipper/password";
    assert_eq!(gateway.as_owner(Method::Put, password, &json!("short")).0, 400);
    assert_eq!(gateway.as_owner(Method::Put, password, &json!("another-secret")).0, 200);
    assert_eq!(
        gateway.ask(Method::Get, "/signalk/v1/api/self", &let_in, "").status,
        401,
        "who knew the old one is out"
    );
    assert_eq!(gateway.log_in("skipper", "skipper-secret").status, 401);
    let again = bearer(&read(&gateway.log_in("skipper", "another-secret"))["token"]);
    assert_eq!(gateway.as_owner(Method::Delete, "/skServer/security/users/skipper", &Value::Null).0, 200);
    assert_eq!(gateway.ask(Method::Get, "/signalk/v1/api/self", &[("authorization", &again)], "").status, 401);
    assert_eq!(gateway.as_owner(Method::Get, "/skServer/security/users", &Value::Null), (200, json!([])));
}

#[test]
fn a_password_that_was_replaced_while_it_was_checked_lets_nobody_in() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "admin");
    gateway.passwords.hold(true);
    let password = "/skServer/security/user/skipper/password";
    let changed = gateway.send_as_owner(Method::Put, password, &json!("another-secret"));
    let login = json!({ "username": "skipper", "password": "skipper-secret" }).to_string();
    let entered = gateway.send(Method::Post, LOG_IN, &[], &login);
    gateway.passwords.hold(false);
    assert_eq!(gateway.boat.answer(changed).unwrap().status, 200);
    assert_eq!(gateway.boat.answer(entered).unwrap().status, 401, "the hash that was checked is no longer the user's");
    gateway.passwords.hold(true);
    let login = json!({ "username": "skipper", "password": "another-secret" }).to_string();
    let entered = gateway.send(Method::Post, LOG_IN, &[], &login);
    assert_eq!(gateway.as_owner(Method::Delete, "/skServer/security/users/skipper", &Value::Null).0, 200);
    gateway.passwords.hold(false);
    assert_eq!(gateway.boat.answer(entered).unwrap().status, 401, "there is no such user any more");
}

#[test]
fn what_happens_to_a_user_while_a_password_is_hashed_holds() {
    let mut gateway = Owned::new();
    gateway.add("mate", "readwrite");
    gateway.add("cook", "readwrite");
    gateway.passwords.hold(true);
    let user = json!({ "password": "long enough", "type": "readonly" });
    let [first, second] =
        [(); 2].map(|()| gateway.send_as_owner(Method::Post, "/skServer/security/users/guest", &user));
    let secret = json!({ "password": "long enough" });
    let of_mate = gateway.send_as_owner(Method::Put, "/skServer/security/users/mate", &secret);
    let of_cook = gateway.send_as_owner(Method::Put, "/skServer/security/users/cook", &secret);
    let lesser = json!({ "type": "readonly" });
    assert_eq!(gateway.as_owner(Method::Put, "/skServer/security/users/mate", &lesser).0, 200);
    assert_eq!(gateway.as_owner(Method::Delete, "/skServer/security/users/cook", &Value::Null).0, 200);
    gateway.passwords.hold(false);
    let statuses = [first, second, of_mate, of_cook].map(|exchange| gateway.boat.answer(exchange).unwrap().status);
    assert_eq!(statuses, [200, 409, 200, 404]);
    let users = gateway.as_owner(Method::Get, "/skServer/security/users", &Value::Null).1;
    assert_eq!(users, json!([{ "userId": "mate", "type": "readonly" }, { "userId": "guest", "type": "readonly" }]));
}

#[test]
fn a_login_ends_when_its_time_is_over() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "admin");
    let login = bearer(&read(&gateway.log_in("skipper", "skipper-secret"))["token"]);
    let stream = gateway.stream("", &[("authorization", &login)]).unwrap();
    assert!(!gateway.is_over(stream));
    gateway.boat.clock.advance(Duration::from_secs(86_399));
    gateway.boat.settle();
    assert!(!gateway.is_over(stream));
    gateway.boat.clock.advance(Duration::from_secs(1));
    gateway.boat.settle();
    assert!(gateway.is_over(stream));
    assert_eq!(gateway.ask(Method::Get, "/signalk/v1/api/self", &[("authorization", &login)], "").status, 401);
}

#[test]
fn users_are_checked_before_they_are_made() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "admin");
    let post = |gateway: &mut Owned, name: &str, user: Value| {
        gateway.as_owner(Method::Post, &format!("/skServer/security/users/{name}"), &user).0
    };
    assert_eq!(post(&mut gateway, "skipper", json!({ "password": "long enough", "type": "admin" })), 409);
    assert_eq!(post(&mut gateway, "a", json!({ "password": "short", "type": "admin" })), 400);
    assert_eq!(post(&mut gateway, "a", json!({ "password": "long enough", "type": "captain" })), 400);
    assert_eq!(post(&mut gateway, "a", json!({ "type": "admin" })), 400);
    assert_eq!(post(&mut gateway, "a%0a", json!({ "password": "long enough", "type": "admin" })), 400);
    assert_eq!(post(&mut gateway, "admin", json!({ "password": "long enough", "type": "readonly" })), 400);
    assert_eq!(gateway.as_owner(Method::Put, "/skServer/security/users/b", &json!({ "type": "admin" })).0, 404);
    let rows = gateway.as_owner(Method::Get, "/skServer/security/users", &Value::Null).1;
    assert_eq!(rows, json!([{ "userId": "skipper", "type": "admin" }]), "no hash is told");
    for index in 1..32 {
        gateway.add(&format!("u{index}"), "readonly");
    }
    assert_eq!(post(&mut gateway, "more", json!({ "password": "long enough", "type": "admin" })), 507);
}

#[test]
fn the_owners_link_lets_in_once() {
    let mut gateway = Owned::new();
    let (status, made) = gateway.as_owner(Method::Post, "/skServer/security/signInCode", &Value::Null);
    assert_eq!(status, 200);
    let code = made["code"].as_str().unwrap().to_owned();
    let page = gateway.ask(Method::Get, &format!("/login?code={code}"), &[], "");
    assert!(page.status == 200 && String::from_utf8_lossy(&page.body).contains(&code), "looking uses nothing up");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let entered = gateway.ask(Method::Post, LOG_IN, &[form], &format!("code={code}"));
    assert_eq!((entered.status, entered.header("location")), (303, Some("/")));
    let cookie = cookie(&entered);
    let status = read(&gateway.ask(Method::Get, "/skServer/loginStatus", &[("cookie", &cookie)], ""));
    assert_eq!((&status["username"], &status["userLevel"]), (&"admin".into(), &"readwrite".into()));
    assert_eq!(gateway.ask(Method::Post, LOG_IN, &[form], &format!("code={code}")).status, 401);
    let code = gateway.as_owner(Method::Post, "/skServer/security/signInCode", &Value::Null).1["code"].clone();
    gateway.boat.clock.advance(Duration::from_secs(600));
    let late = gateway.ask(Method::Post, LOG_IN, &[], &json!({ "code": code }).to_string());
    assert_eq!(late.status, 401);
}

#[test]
fn a_page_of_another_origin_gets_in_with_a_token_and_by_no_cookie() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "readwrite");
    let origin = ("origin", "capacitor://localhost");
    let asked = [origin, ("access-control-request-method", "PUT"), ("access-control-request-headers", "authorization")];
    let preflight = gateway.ask(Method::Options, "/signalk/v1/api/vessels/self/a", &asked, "");
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("*")));
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(preflight.header("access-control-allow-credentials"), None);
    for open in ["/signalk", "/skServer/loginStatus"] {
        let response = gateway.ask(Method::Get, open, &[origin], "");
        assert_eq!((response.status, response.header("access-control-allow-origin")), (200, Some("*")), "{open}");
    }
    let login = json!({ "username": "skipper", "password": "skipper-secret" }).to_string();
    let response = gateway.ask(Method::Post, LOG_IN, &[origin, ("content-type", "application/json")], &login);
    assert_eq!((response.status, response.header("set-cookie")), (200, None), "nobody is logged in behind their back");
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    let bearer = bearer(&read(&response)["token"]);
    let with_token = gateway.ask(Method::Get, "/signalk/v1/api/self", &[origin, ("authorization", &bearer)], "");
    assert_eq!((with_token.status, with_token.header("access-control-allow-origin")), (200, Some("*")));
    for headers in [vec![origin], vec![origin, ("cookie", "skiff-session=x")]] {
        let response = gateway.ask(Method::Get, "/signalk/v1/api/self", &headers, "");
        assert_eq!(response.status, 403);
    }
    let other_name = [("host", "evil.example"), origin, ("access-control-request-method", "PUT")];
    assert_eq!(gateway.ask(Method::Options, "/", &other_name, "").status, 400, "two names");
}

#[test]
fn nobody_is_anyone_who_comes_from_another_page() {
    // Where nobody needs a token any text would be one.
    let mut boat = Boat::new();
    let headers = [("host", "localhost"), ("origin", "https://evil.example"), ("authorization", "Bearer x")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let exchange = boat.gateway.request(&Request { headers, ..Request::new(Method::Get, "/signalk/v1/api/self") });
    assert_eq!(boat.answer(exchange).unwrap().status, 403);
}

#[test]
fn a_stream_without_rights_hears_nothing_until_it_logs_in() {
    let mut gateway = Owned::new();
    gateway.add("skipper", "readwrite");
    let stream = gateway.stream("", &[]).unwrap();
    assert_eq!(gateway.heard(stream), Vec::<Value>::new(), "not even who the boat is");
    let put = json!({ "requestId": "p", "put": { "path": "a.b", "value": 1 } });
    assert_eq!(gateway.say(stream, &put)[0]["statusCode"], 403);
    let wrong = json!({ "requestId": "1", "login": { "username": "skipper", "password": "x" } });
    let answer = &gateway.say(stream, &wrong)[0];
    assert_eq!((&answer["requestId"], &answer["statusCode"]), (&"1".into(), &401.into()));
    let right = json!({ "requestId": "2", "login": { "username": "skipper", "password": "skipper-secret" } });
    let heard = gateway.say(stream, &right);
    assert_eq!((&heard[0]["state"], &heard[0]["statusCode"]), (&"COMPLETED".into(), &200.into()));
    assert!(heard[0]["login"]["token"].is_string() && heard[0]["login"]["timeToLive"] == 86_400);
    assert_eq!(heard[1]["name"], "skiff", "now it is greeted");
    let delta = json!({ "updates": [{ "values": [{ "path": "environment.wind.speedTrue", "value": 6.25 }] }] });
    gateway.say(stream, &delta);
    assert!(gateway.boat.gateway.model().json_at(&["vessels", "self", "environment", "wind", "speedTrue"]).is_some());
    gateway.boat.pass(20);
    assert!(!gateway.is_over(stream), "it is in");
}

#[test]
fn a_stream_that_never_logs_in_is_closed_and_few_may_wait() {
    let mut gateway = Owned::new();
    let streams: Vec<StreamId> = (0..8).map(|_| gateway.stream("", &[]).unwrap()).collect();
    assert_eq!(gateway.stream("", &[]).unwrap_err().status, 401);
    gateway.boat.pass(9);
    assert!(streams.iter().all(|stream| !gateway.is_over(*stream)));
    gateway.boat.pass(1);
    assert!(streams.iter().all(|stream| gateway.is_over(*stream)));
    assert!(gateway.stream("", &[]).is_ok());
    assert_eq!(gateway.stream("?token=wrong", &[]).unwrap_err().status, 401, "a wrong token is told at once");
}

#[test]
fn a_token_in_a_message_gives_its_rights_and_takes_them_when_it_is_revoked() {
    let mut gateway = Owned::new();
    let made = gateway.as_owner(Method::Post, "/skServer/security/tokens/server", &json!({ "role": "readonly" }));
    assert_eq!(made.0, 201);
    let (stream, origin) = (gateway.stream("", &[]).unwrap(), [("origin", "https://elsewhere.example")]);
    let elsewhere = gateway.stream("", &origin).unwrap();
    assert_eq!(gateway.say(stream, &json!({ "token": "x" }))[0]["statusCode"], 401);
    for stream in [stream, elsewhere] {
        let heard = gateway.say(stream, &json!({ "requestId": "t", "token": made.1["token"] }));
        assert_eq!((&heard[0]["statusCode"], &heard[1]["name"]), (&200.into(), &"skiff".into()));
    }
    let listed = gateway.as_owner(Method::Get, "/skServer/security/tokens", &Value::Null).1;
    assert_eq!(listed, json!([{ "name": "server", "role": "readonly", "description": "" }]));
    assert_eq!(gateway.as_owner(Method::Delete, "/skServer/security/tokens/server", &Value::Null).0, 200);
    assert!(gateway.is_over(stream) && gateway.is_over(elsewhere));
    assert_eq!(gateway.as_owner(Method::Delete, "/skServer/security/tokens/server", &Value::Null).0, 404);
}

#[test]
fn a_device_asks_on_its_stream_and_is_answered_there() {
    let mut gateway = Owned::new();
    let stream = gateway.stream("", &[]).unwrap();
    let asking = json!({ "requestId": "r7", "accessRequest": { "clientId": "mast", "description": "wind" } });
    let heard = gateway.say(stream, &asking);
    assert_eq!((&heard[0]["state"], &heard[0]["requestId"]), (&"PENDING".into(), &"r7".into()));
    assert_eq!(gateway.say(stream, &asking)[0]["statusCode"], 400, "it has asked");
    let approve = "/skServer/security/access/requests/mast/approved";
    assert_eq!(gateway.as_owner(Method::Put, approve, &json!({})).0, 200);
    let heard = gateway.heard(stream);
    assert_eq!((&heard[0]["requestId"], &heard[0]["accessRequest"]["permission"]), (&"r7".into(), &"APPROVED".into()));
    let heard = gateway.say(stream, &json!({ "token": heard[0]["accessRequest"]["token"] }));
    assert_eq!(heard[0]["statusCode"], 200);
    // A lesser role holds at once, on streams that are open.
    let lesser = json!({ "permissions": "readonly" });
    assert_eq!(gateway.as_owner(Method::Put, "/skServer/security/devices/mast", &lesser).0, 200);
    let put = json!({ "requestId": "p", "put": { "path": "a.b", "value": 1 } });
    let refused = gateway.say(stream, &put);
    assert!(refused.iter().any(|message| message["requestId"] == "p" && message["statusCode"] == 403), "{refused:?}");
    assert_eq!(gateway.as_owner(Method::Delete, "/skServer/security/devices/mast", &Value::Null).0, 200);
    assert!(gateway.is_over(stream));
}

#[test]
fn without_a_hasher_nobody_logs_in_by_password() {
    let (mut boat, _) = Boat::guarded(SimStorage::new());
    let request = Request { body: br#"{"username":"a","password":"b"}"#.into(), ..Request::new(Method::Post, LOG_IN) };
    let exchange = boat.gateway.request(&request);
    assert_eq!(boat.answer(exchange).unwrap().status, 501);
}
