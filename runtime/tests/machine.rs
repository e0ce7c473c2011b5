//! `GET /skiff/v1/machine`: what the page shows depends on it.

mod boat;
mod guests;
mod owned;

use owned::Owned;
use serde_json::{Value, json};
use skiff_runtime::gateway::{BoardParts, Doors};
use skiff_runtime::http::{Door, Method};

fn told(owned: &mut Owned, door: Door) -> Value {
    owned.door = door;
    let bearer = format!("Bearer {}", owned.owner);
    let response = owned.ask(Method::Get, "/skiff/v1/machine", &[("authorization", &bearer)], "");
    assert_eq!(response.status, 200);
    serde_json::from_slice(&response.body).unwrap()
}

/// A machine with two doors.
fn two_doors(admin_is_local: bool) -> Owned {
    let mut owned = Owned::new();
    let doors = Some(Doors { boat: 3000, admin: 3001, admin_is_local });
    owned.boat.gateway.attach(BoardParts { doors, ..BoardParts::default() });
    owned
}

#[test]
fn a_machine_with_one_door_says_so() {
    let mut owned = Owned::new();
    let told = told(&mut owned, Door::Boat);
    assert_eq!((&told["door"], &told["otherPort"], &told["board"]), (&json!("both"), &Value::Null, &json!("linux")));
}

#[test]
fn who_asks_is_told_who_he_is() {
    let mut owned = Owned::new();
    assert_eq!(told(&mut owned, Door::Boat)["login"]["userLevel"], "admin");
    let known = owned.ask(Method::Get, "/skServer/loginStatus", &[], "");
    let known: Value = serde_json::from_slice(&known.body).unwrap();
    assert_eq!(known["status"], "notLoggedIn");
}

#[test]
fn each_door_leads_to_the_other() {
    let mut owned = two_doors(false);
    let boat = told(&mut owned, Door::Boat);
    assert_eq!((&boat["door"], &boat["otherPort"]), (&json!("boat"), &json!(3001)));
    let admin = told(&mut owned, Door::Admin);
    assert_eq!((&admin["door"], &admin["otherPort"]), (&json!("admin"), &json!(3000)));
}

#[test]
fn nobody_is_sent_to_a_door_that_is_closed_to_him() {
    // Who asks is another machine of the network.
    let boat = told(&mut two_doors(true), Door::Boat);
    assert_eq!((&boat["door"], &boat["otherPort"]), (&json!("boat"), &Value::Null));
}

#[test]
fn what_is_not_here_is_not_listed() {
    let mut owned = Owned::new();
    let has = told(&mut owned, Door::Boat)["has"].as_array().unwrap().clone();
    assert!(has.contains(&json!("accounts")));
    for absent in ["wifi", "firmware", "factory-reset", "webapps", "appstore"] {
        assert!(!has.contains(&json!(absent)), "{absent}");
    }
    owned.boat.gateway.attach(BoardParts { web_files: true, ..BoardParts::default() });
    assert!(told(&mut owned, Door::Boat)["has"].as_array().unwrap().contains(&json!("webapps")));
}
