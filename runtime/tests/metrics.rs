//! `GET /metrics`: what Prometheus is told.

mod boat;
mod guests;
mod owned;

use std::collections::{BTreeMap, BTreeSet};

use owned::Owned;
use skiff_runtime::gateway::InputState;
use skiff_runtime::http::{Door, Method};

/// A plugin whose poll does this.
fn polling(poll: &str) -> String {
    let exports = r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
        (func (export "plugin_stop") (result i32) (i32.const 0))"#;
    guests::buffer_guest("", &format!(r#"{exports} (func (export "poll") (result i32) {poll} (i32.const 0))"#))
}

/// Samples by name and labels; panics where the text is not what the format says.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
    let mut family = "";
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap();
            assert!(families.insert(family), "{family} is told in two places");
            continue;
        }
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!((name, kind == "counter"), (family, name.ends_with("_total")), "{line}");
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert_eq!(name.split('{').next().unwrap(), family, "{line}");
        assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{line} is told twice");
    }
    samples
}

fn told(owned: &mut Owned) -> BTreeMap<String, f64> {
    let bearer = format!("Bearer {}", owned.owner);
    let response = owned.ask(Method::Get, "/metrics", &[("authorization", &bearer)], "");
    assert_eq!(response.status, 200);
    let kind = ("content-type".to_owned(), "text/plain; version=0.0.4; charset=utf-8".to_owned());
    assert!(response.headers.contains(&kind));
    samples(core::str::from_utf8(&response.body).unwrap())
}

#[test]
fn counters_and_budgets_are_told_by_name() {
    let mut owned = Owned::new();
    owned.boat.install("@acme/tide", &polling(""));
    owned.boat.install("@acme/traps", &polling("(unreachable)"));
    owned.boat.settle();
    let input = owned.boat.gateway.input("gp\"s");
    owned.boat.gateway.receive_sentence(input, "$HEHDT,180.0,T*26", None);
    let now = told(&mut owned);
    assert_eq!(now["skiff_info{version=\"test\",board=\"linux\"}"], 1.0);
    assert_eq!(now["skiff_input_open{input=\"gp\\\"s\"}"], 1.0);
    assert_eq!(now["skiff_input_sentences_total{input=\"gp\\\"s\"}"], 1.0);
    assert_eq!(now["skiff_plugin_state{plugin=\"@acme/tide\",state=\"running\"}"], 1.0);
    assert_eq!(now["skiff_plugin_state{plugin=\"@acme/tide\",state=\"crashed\"}"], 0.0);
    let linear = "{plugin=\"@acme/tide\",row=\"linear memory\",unit=\"bytes\"}";
    assert!(now[&format!("skiff_plugin_budget_used{linear}")] >= 65_536.0);
    assert!(now[&format!("skiff_plugin_budget_used{linear}")] <= now[&format!("skiff_plugin_budget_limit{linear}")]);
    assert!(now["skiff_memory_reserved_bytes{row=\"@acme/tide\"}"] > 65_536.0);
    owned.boat.gateway.set_input_state(input, InputState::Waiting("gone".into()));
    owned.boat.pass(20);
    let later = told(&mut owned);
    assert_eq!(later["skiff_input_open{input=\"gp\\\"s\"}"], 0.0);
    assert!(later["skiff_uptime_seconds"] > now["skiff_uptime_seconds"] + 15.0);
    assert!(later["skiff_plugin_restarts_total{plugin=\"@acme/traps\"}"] >= 1.0, "{later:#?}");
    assert_eq!(later["skiff_plugin_restarts_total{plugin=\"@acme/tide\"}"], 0.0);
}

#[test]
fn who_may_not_read_is_told_nothing_and_counted() {
    let mut owned = Owned::new();
    owned.door = Door::Boat;
    assert_eq!(owned.ask(Method::Get, "/metrics", &[], "").status, 401);
    assert_eq!(told(&mut owned)["skiff_unauthorised_total"], 1.0);
    let bearer = format!("Bearer {}", owned.owner);
    assert_eq!(owned.ask(Method::Post, "/metrics", &[("authorization", &bearer)], "").status, 405);
}
