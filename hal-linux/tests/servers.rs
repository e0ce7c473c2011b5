//! Other Signal K servers as inputs: gateways that hear each other, settings that name them, and one that is found on a network.

mod netns;
mod support;

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use netns::{BOAT, Network};
use serde_json::Value;
use support::{Gateway, PATIENCE, assert_refused, run, skiff};
use tempfile::{TempDir, tempdir};

/// A home with a configuration folder in it that has these settings.
fn home(settings: &str) -> (TempDir, PathBuf) {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    std::fs::create_dir(&config).unwrap();
    if !settings.is_empty() {
        std::fs::write(config.join("settings.json"), settings).unwrap();
    }
    (home, config)
}

fn start(home: &Path, config: &Path, inputs: &[&str]) -> Gateway {
    let mut arguments = vec!["--config", config.to_str().unwrap(), "--admin-listen", "none"];
    inputs.iter().for_each(|input| arguments.extend(["--input", input]));
    Gateway::start(home, &arguments)
}

/// Starts one again on its port.
fn start_on(home: &Path, config: &Path, authority: &str, input: &str) -> Gateway {
    let config = config.to_str().unwrap();
    let arguments = ["--listen", authority, "--config", config, "--admin-listen", "none", "--input", input];
    Gateway::start_on(home, &arguments)
}

fn inputs(body: &str) -> Vec<Value> {
    let status: Value = serde_json::from_str(body).unwrap();
    status["inputs"].as_array().unwrap().clone()
}

/// Waits until an input of a gateway is as wanted, and returns it.
fn input_until(gateway: &Gateway, label: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let find = |body: &str| inputs(body).into_iter().find(|input| input["label"] == label && is_so(input));
    find(&gateway.get_until("/skiff/v1/status", |body| find(body).is_some())).unwrap()
}

const SPEED: &str = "/signalk/v1/api/vessels/self/navigation/speedThroughWater";

/// A bus of a gateway: the port of its `tcp-listen` input.
fn bus(gateway: &Gateway, port: u16) -> TcpStream {
    gateway.get_until("/skiff/v1/status", |body| body.contains("no client is connected"));
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()
}

/// A port that is free for the moment.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn two_gateways_hear_each_other_without_a_loop_and_find_each_other_again() {
    let (first, first_config) = home("");
    let (second, second_config) = home("");
    let (first_port, second_port) = (free_port(), free_port());
    let listen = format!("tcp-listen://127.0.0.1:{first_port}?label=bus");
    let one_address = format!("127.0.0.1:{}", free_port());
    let of_one = format!("http://{one_address}?label=one");
    let two =
        start(second.path(), &second_config, &[&of_one, &format!("tcp-listen://127.0.0.1:{second_port}?label=bus")]);
    // It is there before the one it hears.
    input_until(&two, "one", |input| input["state"] == "waiting");
    let of_two = format!("ws://{}?label=two", two.authority);
    let config = first_config.to_str().unwrap();
    let one = Gateway::start_on(
        first.path(),
        &[
            "--listen",
            &one_address,
            "--config",
            config,
            "--admin-listen",
            "none",
            "--input",
            &listen,
            "--input",
            &of_two,
        ],
    );
    input_until(&two, "one", |input| input["state"] == "open");
    input_until(&one, "two", |input| input["state"] == "open");
    // 2.5 m/s through the water, by device 7 of the bus of the first.
    let mut wire = bus(&one, first_port);
    wire.write_all(b"can0 09F50307#00FA00FFFF00FFFF\n").unwrap();
    let told: Value = serde_json::from_str(&two.get_until(SPEED, |body| body.contains("2.5"))).unwrap();
    let source = told["$source"].as_str().unwrap();
    assert!(source.starts_with("one.@") && source.ends_with(".bus.7"), "{told}");
    input_until(&one, "two", |input| input["server"]["refused"]["loop"].as_u64() > Some(0));
    let own: Value = serde_json::from_str(&one.get_until(SPEED, |_| true)).unwrap();
    assert_eq!((&own["$source"], own.get("values")), (&"bus.7".into(), None), "it has come back");
    // What the second has of its own comes to the first, too.
    let mut other = bus(&two, second_port);
    other.write_all(b"can0 0DF50B09#00E803000000000A\n").unwrap();
    let depth = "/signalk/v1/api/vessels/self/environment/depth/belowTransducer";
    let told: Value = serde_json::from_str(&one.get_until(depth, |body| body.contains("10"))).unwrap();
    assert!(told["$source"].as_str().unwrap().starts_with("two.@"), "{told}");
    // The first is killed and comes back.
    one.signal("-KILL");
    input_until(&two, "one", |input| input["state"] == "waiting" && input["drops"].as_u64() > Some(0));
    let one = start_on(first.path(), &first_config, &one_address, &listen);
    input_until(&two, "one", |input| input["state"] == "open");
    let mut wire = bus(&one, first_port);
    wire.write_all(b"can0 09F50307#002C01FFFF00FFFF\n").unwrap();
    two.get_until(SPEED, |body| body.contains("\"value\":3,") || body.contains("\"value\":3}"));
}

#[test]
fn a_server_that_asks_for_a_token_gets_it_and_nobody_else_sees_it() {
    let (first, first_config) = home("");
    let (second, second_config) = home("");
    let config = first_config.to_str().unwrap();
    let one = Gateway::start(first.path(), &["--config", config, "--admin-listen", "none"]);
    let token = one.token();
    let two = start(second.path(), &second_config, &[&format!("ws://{}?label=one&token={token}", one.authority)]);
    let input = input_until(&two, "one", |input| input["state"] == "open");
    assert_eq!(input["address"], format!("ws://{}", one.authority));
    let (_, _, status) = two.ask("GET", "/skiff/v1/status", &[], "");
    assert!(!status.contains(&token));
    let heard: Vec<String> = two.stderr.try_iter().collect();
    assert!(heard.iter().all(|line| !line.contains(&token)), "{heard:?}");
}

#[test]
fn settings_name_inputs_and_outputs_and_providers_that_are_not_taken_are_told() {
    let port = free_port();
    let settings = format!(
        r#"{{"skiff":{{"inputs":[{{"url":"tcp-listen://127.0.0.1:{port}","name":"gps"}},{{"url":"can://nocan9","name":"engine"}},
        {{"url":"udp://127.0.0.1:1","enabled":false}}],"outputs":[{{"url":"tcp-listen://127.0.0.1:0","name":"plotter"}}]}},
        "pipedProviders":[{{"id":"st","pipeElements":[{{"type":"providers/simple","options":{{"type":"Seatalk","subOptions":{{}}}}}}]}}]}}"#
    );
    let (folder, config) = home(&settings);
    let gateway = start(folder.path(), &config, &[]);
    let wait = |body: &str| inputs(body).iter().all(|input| input["state"] == "waiting");
    let body = gateway.get_until("/skiff/v1/status", |body| body.contains("\"name\":\"plotter\"") && wait(body));
    let rows: Vec<(String, String)> = inputs(&body)
        .iter()
        .map(|input| (input["label"].as_str().unwrap().into(), input["state"].as_str().unwrap().into()))
        .collect();
    // In the order in which they are named.
    assert_eq!(rows, [("gps".into(), "waiting".into()), ("engine".into(), "waiting".into())]);
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    client.write_all(b"$GPHDT,57.2,T*05\r\n").unwrap();
    gateway.get_until("/signalk/v1/api/vessels/self/navigation/headingTrue", |body| body.contains("gps.GP"));
    let said: Vec<String> = gateway.stderr.try_iter().collect();
    let has = |part: &str| said.iter().any(|line| line.contains(part));
    assert!(has("plotter: gives NMEA 0183"), "{said:?}");
}

#[test]
fn settings_that_cannot_be_meant_end_the_start() {
    let (folder, config) = home(r#"{"skiff":{"inputs":[{"url":"can://can0","bitrate":250000}]}}"#);
    let config = config.to_str().unwrap();
    let refused = run(folder.path(), &["run", "--config", config, "--listen", "127.0.0.1:0"]);
    assert_refused(&refused, 4, &["settings.json: skiff.inputs[0]", "\"bitrate\" is no member", "url, name, enabled"]);
    let refused = run(folder.path(), &["run", "--sample", "--node", "--listen", "127.0.0.1:0"]);
    assert_refused(&refused, 2, &["--can IFACE"]);
}

#[test]
fn a_server_is_found_on_the_network_by_its_name() {
    let Some(network) = Network::make("server") else { return };
    network.join();
    let (boat, boat_config) = home(r#"{"vessel":{"name":"Bow"},"skiff":{"guests":"read"}}"#);
    let (phone, phone_config) = home(r#"{"vessel":{"name":"Shore"}}"#);
    let there = Network::within(&network.boat, || {
        let config = boat_config.to_str().unwrap();
        Gateway::start_on(boat.path(), &["--config", config, "--listen", "0.0.0.0:3000", "--admin-listen", "none"])
    });
    there.said("announced on the network as Bow");
    let look = || {
        let output = skiff(phone.path(), &["discover", "--json", "--seconds", "3"]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let started = std::time::Instant::now();
    let found = loop {
        let found = Network::within(&network.phone, look);
        // It has to make sure first that nobody else is called so.
        if found.as_array().is_some_and(|found| !found.is_empty()) || started.elapsed() > PATIENCE {
            break found;
        }
    };
    assert_eq!((&found[0]["url"], &found[0]["name"]), (&format!("ws://{BOAT}:3000").into(), &"Bow".into()), "{found}");
    let here = Network::within(&network.phone, || {
        let config = phone_config.to_str().unwrap();
        Gateway::start_on(
            phone.path(),
            &["--config", config, "--listen", "0.0.0.0:3000", "--admin-listen", "none", "--input", "mdns://bow"],
        )
    });
    here.said("mdns://bow: open");
    drop((here, there));
}

/// The interface is made while the gateway waits for it; where the kernel has no virtual CAN this is not tried.
#[test]
fn an_interface_that_comes_late_is_read() {
    let Some(network) = Network::make("late") else { return };
    let ip = |arguments: &str| {
        let arguments = format!("-n {} {arguments}", network.boat);
        Command::new("ip").args(arguments.split(' ')).output().is_ok_and(|output| output.status.success())
    };
    if !ip("link add vcan8 type vcan") {
        eprintln!("SKIPPED: this kernel has no virtual CAN");
        return;
    }
    assert!(ip("link del vcan8"));
    let (folder, config) = home("");
    let config = config.to_str().unwrap().to_owned();
    let gateway = Network::within(&network.boat, || {
        Gateway::start(folder.path(), &["--config", &config, "--admin-listen", "none", "--can", "vcan8"])
    });
    assert!(ip("link add vcan8 type vcan") && ip("link set vcan8 up"));
    gateway.said("vcan8: the interface is there again");
}
