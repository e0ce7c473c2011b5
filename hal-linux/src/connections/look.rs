//! What there is to connect to: what tells of itself on the network.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use skiff_runtime::json::{self, JsonError};

use super::piped;
use crate::input::server::nearby;

/// Time that is looked (signalk-server 2.32 `discovery.js`).
const LOOK_TIME: Duration = Duration::from_secs(5);
/// Ports to which gateways send by themselves, and what their connection is: NMEA 0183 of Digital Yacht, RAW of Yacht Devices.
const SENT_TO: [(u16, &str, &str); 2] = [(2000, "NMEA0183", "udp"), (2002, "NMEA2000", "ydwg02-udp-canboatjs")];
/// Where Navico's GoFree tells of its services.
const GO_FREE: (Ipv4Addr, u16) = (Ipv4Addr::new(239, 2, 1, 1), 2052);
/// Datagrams of one port that are looked at.
const LOOKED_AT_MAX: usize = 64;
/// Connections that are found.
const FOUND_MAX: usize = 64;

/// A connection that could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it would come from, as of one that is there.
    pub address: String,
    /// Its form.
    pub form: String,
}

/// The ports at which is listened meanwhile; clones are the same ones.
#[derive(Clone)]
pub(super) struct Ears(Arc<Mutex<Vec<(u16, UdpSocket)>>>);

impl Ears {
    /// Listens where nobody else does.
    pub fn open() -> Self {
        let ports = SENT_TO.iter().map(|(port, ..)| *port).chain([GO_FREE.1]);
        let mut sockets: Vec<_> = ports.filter_map(|port| Some((port, bound(port).ok()?))).collect();
        sockets.retain(|(port, socket)| {
            *port != GO_FREE.1 || socket.join_multicast_v4(&GO_FREE.0, &Ipv4Addr::UNSPECIFIED).is_ok()
        });
        Self(Arc::new(Mutex::new(sockets)))
    }

    /// Gives the ports back: somebody wants one.
    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Takes what came to a port.
    fn received(&self, port: u16) -> Vec<Vec<u8>> {
        let sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.iter().find(|(of, _)| *of == port).map(|(_, socket)| received(socket)).unwrap_or_default()
    }
}

/// Looks around on the network; the vessel `own` is this gateway's.
pub(super) fn around(own: &str, ears: &Ears) -> Vec<Found> {
    let began = std::time::Instant::now();
    let mut found = Vec::new();
    match nearby::look(LOOK_TIME, &|_| false) {
        Ok(servers) => {
            for server in servers.iter().filter(|server| server.vessel.as_deref() != Some(own)) {
                found.extend(of_server(server));
            }
        }
        Err(error) => log::warn!("Signal K servers are not looked for: {error}"),
    }
    // What came meanwhile waits in the kernel.
    std::thread::sleep(LOOK_TIME.saturating_sub(began.elapsed()));
    for (port, kind, way) in &SENT_TO {
        let is_told = |text: &[u8]| if *kind == "NMEA0183" { matches!(text, [b'$' | b'!', ..]) } else { is_raw(text) };
        if ears.received(*port).iter().any(|text| is_told(text)) {
            let options = json::object(|out| _ = out.text("type", way).text("port", &port.to_string()));
            found.extend(form(&format!("{kind}-{port}"), kind, &options, true));
        }
    }
    for text in ears.received(GO_FREE.1) {
        found.extend(of_go_free(&String::from_utf8_lossy(&text)));
    }
    ears.close();
    let mut known: Vec<Found> = Vec::new();
    for one in found.into_iter().take(FOUND_MAX) {
        if known.iter().all(|other| other.address != one.address) {
            known.push(one);
        }
    }
    known
}

/// Writes what was found and is not in `known`.
pub(super) fn list(found: &[Found], known: &[String]) -> String {
    let new = found.iter().filter(|one| !known.contains(&one.address));
    json::list(|out| new.for_each(|one| _ = out.json(&one.form)))
}

fn bound(port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn received(socket: &UdpSocket) -> Vec<Vec<u8>> {
    let mut buffer = [0; 2048];
    let next = || socket.recv(&mut buffer).ok().and_then(|count| buffer.get(..count).map(<[u8]>::to_vec));
    std::iter::from_fn(next).take(LOOKED_AT_MAX).collect()
}

/// Tells whether a text is a line of Yacht Devices' RAW: `00:17:55.475 R 0DF50B23 FF …`.
fn is_raw(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let mut words = text.split_ascii_whitespace();
    let time = words.next().unwrap_or_default();
    let is_time = time.len() == 12 && time.bytes().filter(|byte| *byte == b':').count() == 2;
    is_time && matches!(words.next(), Some("R" | "T")) && words.next().is_some_and(|id| id.len() == 8)
}

/// Makes the form that the admin UI fills itself with.
fn form(id: &str, kind: &str, options: &str, is_enabled: bool) -> Option<Found> {
    let sound = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let id: String = id.chars().map(sound).take(64).collect();
    let row = json::object(|row| {
        row.text("id", &id).list("pipeElements", |list| {
            list.object(|element| {
                element.text("type", "providers/simple").object("options", |out| {
                    out.text("type", kind).json("subOptions", options);
                });
            });
        });
    });
    let one = piped::one(&row, &id, std::path::Path::new(""));
    one.way.is_ok().then(|| Found {
        address: one.address(),
        form: json::object(|out| {
            out.text("type", kind).boolean("logging", false).json("options", options).text("id", &id);
            out.boolean("enabled", is_enabled).boolean("editable", true);
            out.boolean("isNew", true).boolean("wasDiscovered", true);
        }),
    })
}

fn of_server(server: &nearby::Found) -> Option<Found> {
    let url = server.url();
    let (way, site) = url.split_once("://")?;
    let (host, port) = site.rsplit_once(':')?;
    let options = json::object(|out| {
        out.text("type", way).text("host", host).text("port", port).text("selfHandling", "noSelf");
    });
    // Whose values it tells is for its owner to say.
    form(&format!("{way}-{}", server.name), "SignalK", &options, false)
}

/// Reads `{"Name":…,"IP":…,"Services":[{"Service":"nmea-0183","Port":…}]}`.
fn of_go_free(text: &str) -> Option<Found> {
    let text = json::compact(text).ok()?;
    let member = |name: &str| json::member(&text, name).and_then(json::string);
    let (name, host) = (member("Name")?, member("IP")?);
    let mut port = None;
    json::items::<JsonError>(json::member(&text, "Services")?, |service| {
        let is_it = json::member(service, "Service").and_then(json::string).is_some_and(|it| it == "nmea-0183");
        port = port.or(json::member(service, "Port").filter(|_| is_it).and_then(|port| port.parse::<u16>().ok()));
        Ok(())
    })
    .ok()?;
    let options = json::object(|out| {
        out.text("type", "tcp").text("host", &host).text("port", &port.unwrap_or(0).to_string());
    });
    port.and_then(|_| form(&name, "NMEA0183", &options, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_of_itself_becomes_a_form_that_makes_a_connection() {
        let text = r#"{"Name":"Zeus 3","IP":"192.168.0.7","SerialNumber":"1","Services":[{"Service":"navico-nav-ws","Port":2053},{"Service":"nmea-0183","Port":10110}]}"#;
        let found = of_go_free(text).unwrap();
        assert_eq!(found.address, "tcp://192.168.0.7:10110");
        let form: serde_json::Value = serde_json::from_str(&found.form).unwrap();
        assert_eq!((&form["id"], &form["options"]["port"]), (&"Zeus-3".into(), &"10110".into()));
        assert_eq!((&form["wasDiscovered"], &form["editable"]), (&true.into(), &true.into()));
        assert_eq!(list(std::slice::from_ref(&found), &[]), format!("[{}]", found.form));
        assert_eq!(list(std::slice::from_ref(&found), std::slice::from_ref(&found.address)), "[]");
        for text in ["", "{}", r#"{"Name":"x","IP":"1.2.3.4","Services":[]}"#, r#"{"Name":"x","IP":"?","Services":{}}"#]
        {
            assert_eq!(of_go_free(text), None, "{text}");
        }
        let server = nearby::Found {
            name: "Möwe".into(),
            host: "nav.local".into(),
            addresses: vec!["10.9.0.1".parse().unwrap()],
            port: 3000,
            is_secure: false,
            vessel: None,
            vessel_name: None,
            software: String::new(),
        };
        let found = of_server(&server).unwrap();
        assert!(found.address == "ws://10.9.0.1:3000" && found.form.contains(r#""enabled":false"#), "{found:?}");
        assert!(
            is_raw(b"00:17:55.475 R 0DF50B23 FF 00\r\n") && !is_raw(b"$GPRMC,1") && !is_raw(b"") && !is_raw(b"a b")
        );
    }
}
