//! The API documents beside the gateway that they describe: every operation is there, for whom they say, with the status they say.

mod boat;
mod described;
mod guests;
mod owned;

use std::collections::BTreeSet;

use described::{Described, documents, operations};
use guests::managed_guest;
use owned::{Owned, bearer, read};
use serde_json::{Value, json};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::server::Response;

const ROUTE: &str = "ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a";

/// Bodies that an operation takes, by its schema.
fn body(operation: &Value) -> Value {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let line = json!([[10, 54.1], [10.1, 54.2], [10.2, 54.1]]);
    let area = json!([[[10, 54], [10.1, 54], [10.1, 54.1], [10, 54]]]);
    let shape = |kind: &str, coordinates: Value| json!({ "type": "Feature", "properties": {}, "geometry": { "type": kind, "coordinates": coordinates } });
    match schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_default() {
        "Route" => json!({ "name": "Across", "feature": shape("LineString", line) }),
        "Waypoint" => json!({ "name": "Buoy", "feature": shape("Point", json!([10, 54.1])) }),
        "Region" => json!({ "name": "Shoal", "feature": shape("Polygon", area) }),
        "Note" => json!({ "title": "Pier", "position": { "latitude": 54.1, "longitude": 10 } }),
        "Chart" => {
            json!({ "identifier": "sea-chart", "name": "Sea", "type": "tilelayer", "url": "/t/{z}/{x}/{y}", "minzoom": 1, "maxzoom": 9, "scale": 250_000, "format": "png" })
        }
        "Destination" => json!({ "position": { "latitude": 54.2, "longitude": 10.1 } }),
        "ActiveRoute" => json!({ "href": format!("/resources/routes/{ROUTE}") }),
        "Steps" => json!({ "value": 1 }),
        "Metres" => json!({ "value": 200 }),
        "Moment" => json!({ "value": "2030-01-01T00:00:00Z" }),
        "NewNotice" => json!({ "state": "warn", "message": "Bilge" }),
        "ChangedNotice" | "Message" => json!({ "message": "Less" }),
        "MetaValue" => json!({ "value": { "displayName": "Speed" } }),
        "Value" | "Text" => json!({ "value": "x" }),
        "Login" => json!({ "username": "skipper", "password": "skipper-secret" }),
        "AccessRequest" => json!({ "clientId": "c-1", "description": "A sensor" }),
        "SecurityConfig" => json!({ "allow_readonly": false }),
        "NewUser" => json!({ "password": "half past two", "type": "readonly" }),
        "ChangedUser" => json!({ "type": "readwrite" }),
        "Approval" => json!({ "permissions": "readwrite", "expiration": "1y" }),
        "NewToken" => json!({ "role": "readonly" }),
        "ChangedDevice" => json!({ "description": "Mast" }),
        "PluginConfig" => json!({ "enabled": true, "configuration": {} }),
        "Vessel" => json!({ "name": "Nina" }),
        "UnitConfig" => json!({ "activePreset": "metric" }),
        _ if schema["type"] == "string" => json!("quarter to nine"),
        _ => json!({}),
    }
}

/// A gateway with something of all that is described.
struct Full {
    gateway: Owned,
    notification: String,
    request: String,
}

impl Full {
    fn new() -> Self {
        let mut gateway = Owned::new();
        gateway.boat.install("@skiff/true-wind", &managed_guest("", ""));
        gateway.boat.settle();
        gateway.boat.gateway.keep_resources(Box::new(Vec::new));
        gateway.add("skipper", "readwrite");
        let told = json!({ "updates": [{ "$source": "trial", "values": [
            { "path": "navigation.speedOverGround", "value": 3.5 }, { "path": "navigation.position", "value": { "latitude": 54.1, "longitude": 10 } },
        ] }] });
        let owner = format!("Bearer {}", gateway.owner);
        let stream = gateway.stream("?subscribe=none", &[("authorization", &owner)]).unwrap();
        gateway.say(stream, &told);
        let mut full = Self { gateway, notification: String::new(), request: String::new() };
        full.fill();
        full
    }

    /// Puts back what an operation before may have taken away.
    fn fill(&mut self) {
        let gateway = &mut self.gateway;
        for (kind, id, schema) in [
            ("routes", ROUTE, "Route"),
            ("waypoints", ROUTE, "Waypoint"),
            ("regions", ROUTE, "Region"),
            ("notes", ROUTE, "Note"),
            ("charts", "sea-chart", "Chart"),
        ] {
            let schema = json!({ "requestBody": { "content": { "application/json": { "schema": { "$ref": format!("/{schema}") } } } } });
            let target = format!("/signalk/v2/api/resources/{kind}/{id}");
            assert_eq!(gateway.as_owner(Method::Put, &target, &body(&schema)).0, 200, "{kind}");
        }
        let raised = gateway.as_owner(
            Method::Post,
            "/signalk/v2/api/notifications",
            &json!({ "state": "warn", "message": "Bilge" }),
        );
        self.notification = raised.1["id"].as_str().expect("an id").to_owned();
        let course = "/signalk/v2/api/vessels/self/navigation/course";
        let along = json!({ "href": format!("/resources/routes/{ROUTE}") });
        assert_eq!(gateway.as_owner(Method::Put, &format!("{course}/activeRoute"), &along).0, 200);
        for scope in ["global", "user"] {
            let target = format!("/signalk/v1/applicationData/{scope}/kip/1.0");
            assert_eq!(gateway.as_owner(Method::Post, &target, &json!({ "displayName": 1 })).0, 200);
        }
        let meta = "/signalk/v1/api/vessels/self/navigation/speedOverGround/meta/displayName";
        assert_eq!(gateway.as_owner(Method::Put, meta, &json!({ "value": "Speed" })).0, 200);
        gateway.as_owner(Method::Post, "/skServer/security/tokens/dashboard", &json!({ "role": "readonly" }));
        // One device that is let in, one that waits.
        for (id, answer) in [("wind-sensor", Some("approved")), ("gauge", None)] {
            let asked = json!({ "clientId": id, "description": "A sensor" });
            let (_, state) = gateway.as_owner(Method::Post, "/signalk/v1/access/requests", &asked);
            self.request = state["requestId"].as_str().map_or_else(|| self.request.clone(), str::to_owned);
            if let Some(answer) = answer {
                let target = format!("/skServer/security/access/requests/{id}/{answer}");
                gateway.as_owner(Method::Put, &target, &json!({ "permissions": "readwrite", "expiration": "1y" }));
            }
        }
    }

    /// Returns an address of an operation, of what is there.
    fn target(&self, described: &Described) -> String {
        let own = |name: &str| match name {
            "notification" => self.notification.clone(),
            "request" => self.request.clone(),
            // Who waits is answered, who is let in is changed.
            "device" if described.path.contains("/access/requests/") => "gauge".into(),
            // Somebody who is to be added is nobody yet.
            "user" if described.method == Method::Post => "mate".into(),
            name => described.parameters[name]["schema"]["examples"][0].as_str().expect(name).to_owned(),
        };
        let segment = |one: &str| {
            let name = one.strip_prefix('{').and_then(|one| one.strip_suffix('}'));
            name.map_or_else(|| one.to_owned(), |name| own(name).replace('@', "%40").replace('/', "%2F"))
        };
        described.path.split('/').map(segment).collect::<Vec<_>>().join("/")
    }

    /// Asks for it as the owner; `None` where a machine has to look first, as it has for what a registry says.
    fn ask(&mut self, described: &Described) -> Option<Response> {
        let target = self.target(described);
        let query: Vec<String> = described.operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| {
                let name = one["$ref"].as_str()?.rsplit('/').next()?;
                // Who else could answer, and what else could be asked: not needed here.
                let is_left_out =
                    matches!(name, "provider" | "grant" | "duration" | "resolution" | "date" | "timespan");
                let example = described.parameters[name]["schema"]["examples"][0].as_str().filter(|_| !is_left_out)?;
                Some(format!("{name}={}", example.replace('+', "%2B")))
            })
            .collect();
        let target = if query.is_empty() { target } else { format!("{target}?{}", query.join("&")) };
        let exchange = self.gateway.send_as_owner(described.method, &target, &body(&described.operation));
        (0..5).find_map(|_| {
            let answer = self.gateway.boat.answer(exchange);
            self.gateway.boat.pass(1);
            answer
        })
    }
}

/// Where 404 is the truth: of such a thing there is none on this gateway, and its address is answered by a sentence.
const NONE_IS_HERE: [&str; 8] = [
    "/signalk/v2/api/vessels/self/radars/{radar}",
    "/signalk/v2/api/vessels/self/autopilots/{pilot}",
    "/skServer/appstore/installLog/",
    "/skiff/v1/webapps/{webapp}",
    "/skServer/security/user/{user}/password",
    // No board.
    "/skiff/v1/wifi",
    "/skiff/v1/firmware",
    "/skiff/v1/factory-reset",
];

#[test]
fn each_operation_that_is_described_is_there() {
    let mut full = Full::new();
    let all = operations(&mut full.gateway);
    assert!(all.len() > 200, "{} operations", all.len());
    let mut wrong = Vec::new();
    // What is read comes first, what is taken away last.
    let order = |one: &&Described| match one.method {
        Method::Get => 0,
        Method::Put => 1,
        Method::Post => 2,
        _ => 3,
    };
    let mut sorted: Vec<&Described> = all.iter().collect();
    sorted.sort_by_key(order);
    for described in sorted {
        // The gateway that starts anew answers nobody.
        if described.path.ends_with("/restart") && described.path.starts_with("/sk") {
            continue;
        }
        full.fill();
        let Some(response) = full.ask(described) else { continue };
        let name = format!("{} {}", described.method, described.path);
        let is_none = NONE_IS_HERE.iter().any(|start| described.path.starts_with(start));
        let said = String::from_utf8_lossy(&response.body).into_owned();
        // Of a path that no plugin handles, the request is told to be refused.
        let is_request = described.path.starts_with("/signalk/v1/api/") && read(&response)["requestId"].is_string();
        if (response.status == 405 && !is_request)
            || (response.status == 404 && (!is_none || said.contains("not supported")))
        {
            wrong.push(format!("{name}: {} {said}", response.status));
        }
        let answer = &described.operation["responses"][response.status.to_string()];
        let is_described = answer.is_object();
        let media = response.header("content-type").map_or("", |text| text.split(';').next().unwrap_or(text));
        let told = answer["content"].as_object().and_then(|content| content.keys().next()).map_or("", |name| name);
        if response.status < 400 && is_described && told != media {
            wrong.push(format!("{name}: {media:?} is not {told:?}"));
        }
        if response.status < 400 && !is_described {
            wrong.push(format!("{name}: {} is not described", response.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_operation_lets_in_whom_its_document_says() {
    let mut full = Full::new();
    let mut tokens = vec![("nobody", None)];
    for role in ["readonly", "readwrite", "admin"] {
        let made =
            full.gateway.as_owner(Method::Post, &format!("/skServer/security/tokens/{role}"), &json!({ "role": role }));
        tokens.push((role, Some(bearer(&made.1["token"]))));
    }
    let mut wrong = Vec::new();
    for described in operations(&mut full.gateway) {
        let target = full.target(&described);
        let security = described.operation["security"].as_array().unwrap();
        let roles: BTreeSet<&str> = security.iter().filter_map(|one| one["bearer"][0].as_str()).collect();
        // Nobody from the boat's network is a guest of this gateway.
        let at_least = roles.iter().next().map_or(0, |role| tokens.iter().position(|(name, _)| name == role).unwrap());
        for (rank, (who, token)) in tokens.iter().enumerate() {
            let mut headers = vec![("host".to_owned(), "192.168.1.5:3000".to_owned())];
            headers.extend(token.iter().map(|token| ("authorization".to_owned(), token.clone())));
            let peer = "192.168.1.9".parse().ok();
            let request = Request { headers, peer, local: false, ..Request::new(described.method, &target) };
            let is_in = full.gateway.boat.gateway.judge(&request).is_ok();
            if is_in != (rank >= at_least) {
                wrong.push(format!("{} {target}, {who}: {is_in}", described.method));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_for_programs_are_unique_and_references_lead_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                for (name, below) in members {
                    if name == "$ref" { found.extend(below.as_str()) } else { references(below, found) }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut gateway = Owned::new();
    for form in ["openapi", "asyncapi"] {
        for (name, document) in documents(&mut gateway, form) {
            let mut found = Vec::new();
            references(&document, &mut found);
            for reference in found {
                let pointer = reference.strip_prefix('#').expect("of this document");
                assert!(document.pointer(pointer).is_some(), "{name}: {reference}");
            }
        }
    }
    let mut ids = BTreeSet::new();
    for described in operations(&mut gateway) {
        let id = described.operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert((described.document, id.clone())), "{id}");
    }
}

#[test]
fn readers_have_the_documents_and_strangers_do_not() {
    let mut gateway = Owned::new();
    let made = gateway.as_owner(Method::Post, "/skServer/security/tokens/reader", &json!({ "role": "readonly" }));
    let reader = bearer(&made.1["token"]);
    for target in
        ["/skServer/openapi", "/skServer/openapi/course", "/skServer/asyncapi", "/doc/openapi", "/doc/openapi/course"]
    {
        assert_eq!(gateway.ask(Method::Get, target, &[("authorization", &reader)], "").status, 200, "{target}");
        assert_eq!(gateway.ask(Method::Get, target, &[], "").status, 401, "{target}");
        let changed = gateway.as_owner(Method::Put, target, &json!({}));
        assert_eq!(changed.0, 405, "{target}");
    }
    let sent_on = gateway.ask(Method::Get, "/documentation/", &[("authorization", &reader)], "");
    assert_eq!((sent_on.status, sent_on.header("location")), (302, Some("/doc/openapi")));
    let page =
        gateway.ask(Method::Get, "/doc/openapi/nothing", &[("authorization", &reader), ("accept", "text/html")], "");
    assert_eq!((page.status, read(&page)["error"].is_string()), (404, true));
}
