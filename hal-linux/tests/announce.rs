//! The gateway on a network of its own: two network namespaces with a cable between them, and a client that knows nothing of
//! it but multicast DNS. Skipped, loudly, where namespaces may not be made.

mod netns;
mod support;

use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use mdns_sd::{Receiver, ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent};
use netns::{BOAT, Network};
use skiff_gateway::announce::reach;
use support::{Gateway, PATIENCE};
use tempfile::tempdir;

fn browser(network: &Network) -> ServiceDaemon {
    Network::within(&network.phone, || ServiceDaemon::new().unwrap())
}

fn found(events: &Receiver<ServiceEvent>) -> ResolvedService {
    loop {
        if let ServiceEvent::ServiceResolved(service) = events.recv_timeout(PATIENCE).unwrap() {
            return *service;
        }
    }
}

fn gone(events: &Receiver<ServiceEvent>) -> String {
    loop {
        if let ServiceEvent::ServiceRemoved(_, name) = events.recv_timeout(PATIENCE).unwrap() {
            return name;
        }
    }
}

#[test]
fn clients_find_the_gateway_when_the_network_comes_and_lose_it_when_it_ends() {
    let Some(network) = Network::make("find") else { return };
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    std::fs::create_dir(&config).unwrap();
    std::fs::write(config.join("settings.json"), r#"{"vessel":{"name":"Möwe","mmsi":"211234560"}}"#).unwrap();
    let config = config.to_str().unwrap();
    let gateway = Network::within(&network.boat, || {
        Gateway::start_on(home.path(), &["--config", config, "--listen", "0.0.0.0:3000"])
    });
    gateway.said(&format!("from other machines: http://{}:3000", reach::own_name()));
    gateway.said("announced on the network as Möwe");
    // Only now: at the start there was loopback alone.
    network.join();

    let browser = browser(&network);
    let mut watched = Vec::new();
    for kind in ["_http._tcp.local.", "_signalk-http._tcp.local.", "_signalk-ws._tcp.local."] {
        let events = browser.browse(kind).unwrap();
        let service = found(&events);
        assert_eq!(service.get_fullname(), format!("Möwe.{kind}"));
        assert_eq!(service.get_port(), 3000);
        let addresses: Vec<IpAddr> = service.get_addresses().iter().map(ScopedIp::to_ip_addr).collect();
        assert_eq!(addresses, [IpAddr::V4(BOAT)], "{kind}: what it does not listen on is not told");
        let text = |key: &str| service.txt_properties.get_property_val_str(key);
        assert_eq!((text("txtvers"), text("swname")), (Some("1"), Some("signalk-server")));
        assert_eq!(
            (text("roles"), text("vname"), text("vmmsi")),
            (Some("master,main"), Some("Möwe"), Some("211234560"))
        );
        assert!(text("self").unwrap().starts_with("urn:mrn:signalk:uuid:") && text("self") == text("vuuid"));
        watched.push((kind, events));
    }
    assert_eq!(gateway.terminate(), Some(0));
    for (kind, events) in watched {
        assert_eq!(gone(&events), format!("Möwe.{kind}"), "a farewell");
    }
    browser.shutdown().unwrap().recv_timeout(PATIENCE).unwrap();
}

#[test]
fn a_second_boat_of_the_same_name_gets_another() {
    let Some(network) = Network::make("name") else { return };
    network.join();
    let homes = [tempdir().unwrap(), tempdir().unwrap()];
    let start = |namespace: &str, home: &Path| {
        std::fs::write(home.join("settings.json"), r#"{"vessel":{"name":"Möwe"}}"#).unwrap();
        let config = home.to_str().unwrap();
        Network::within(namespace, || Gateway::start_on(home, &["--config", config, "--listen", "0.0.0.0:3000"]))
    };
    let first = start(&network.phone, homes[0].path());
    let browser = browser(&network);
    let events = browser.browse("_signalk-ws._tcp.local.").unwrap();
    assert_eq!(found(&events).get_fullname(), "Möwe._signalk-ws._tcp.local.");
    let second = start(&network.boat, homes[1].path());
    second.said("announced as Möwe (2)._");
    loop {
        let service = found(&events);
        if service.get_fullname() == "Möwe (2)._signalk-ws._tcp.local." {
            break;
        }
    }
    assert_eq!((first.terminate(), second.terminate()), (Some(0), Some(0)));
    browser.shutdown().unwrap().recv_timeout(PATIENCE).unwrap();
}

/// Runs a gateway to its start and ends it; returns what it said.
fn said(home: &Path, arguments: &[&str]) -> String {
    let mut child = support::skiff(home, arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = String::new();
    while !said.contains("Skiff listens") {
        said += &lines.next().unwrap();
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    said.extend(lines);
    assert!(child.wait().unwrap().success(), "{said}");
    said
}

#[test]
fn nothing_is_announced_on_loopback_or_when_it_is_not_wanted() {
    let home = tempdir().unwrap();
    let config = home.path().to_str().unwrap();
    for (settings, arguments) in [
        ("{}", &["--listen", "127.0.0.1:0"][..]),
        ("{}", &["--listen", "0.0.0.0:0", "--no-mdns"]),
        (r#"{"skiff":{"mdns":false}}"#, &["--listen", "0.0.0.0:0"]),
    ] {
        std::fs::write(home.path().join("settings.json"), settings).unwrap();
        let said = said(home.path(), &[&["run", "--config", config], arguments].concat());
        assert!(!said.contains("announced") && !said.contains(".local"), "{settings} {arguments:?}: {said}");
    }
    let wrong = home.path().join("settings.json");
    std::fs::write(wrong, r#"{"skiff":{"mdns":"off"}}"#).unwrap();
    let refused = support::run(home.path(), &["run", "--config", config, "--listen", "127.0.0.1:0"]);
    support::assert_refused(&refused, 4, &["settings.json: skiff.mdns is true or false"]);
}
