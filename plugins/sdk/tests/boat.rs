//! A plugin on a boat that has requests, sockets and files.

use skiff_plugin::bench::Boat;
use skiff_plugin::{Handle, Host, Json, Object, Plugin, Refused, Text};

/// Asks the web for tides, and passes on by TCP what it hears by UDP.
struct Relay(Option<(Handle, Handle)>);

impl Plugin for Relay {
    const ID: &'static str = "relay";
    const NAME: &'static str = "Relay";

    fn start<H: Host>(&mut self, _: Json<'_>, host: &mut H) -> Result<(), Refused> {
        self.0 = host.open_udp(2000).zip(host.open_tcp("192.0.2.1", 2947));
        Ok(())
    }

    fn stop<H: Host>(&mut self, host: &mut H) {
        if let Some((from, to)) = self.0.take() {
            host.close(from);
            host.close(to);
        }
    }

    fn poll<H: Host>(&mut self, host: &mut H) {
        let Some((from, to)) = self.0 else { return };
        let mut buffer = [0; 8];
        while let Some(data) = host.receive(from, &mut buffer) {
            host.send(to, data);
        }
    }

    fn http<H: Host>(&mut self, _: &str, request: Json<'_>, answer: &mut Text<'_>, host: &mut H) {
        let (mut buffer, mut kept) = ([0; 8], [0; 8]);
        let url = request.member("url").and_then(Json::string).unwrap_or_default();
        let tide = host.fetch(url, None, &mut buffer).and_then(|text| std::str::from_utf8(text).ok());
        host.write_file("tide", tide.unwrap_or("none").as_bytes());
        let kept = host.read_file("tide", &mut kept).and_then(|text| std::str::from_utf8(text).ok());
        let mut object = Object::open(answer);
        object.member("tide").push_json(kept.unwrap_or_default());
        object.close();
    }
}

#[test]
fn what_is_opened_hears_sends_and_is_closed() {
    let mut boat = Boat::new(Relay(None));
    boat.start("{}").unwrap();
    let from = boat.host.open[0].0;
    boat.host.incoming.extend([(from, b"one".to_vec()), (from, b"longer than eight".to_vec())]);
    boat.poll();
    let sent: Vec<&[u8]> = boat.host.sent.iter().map(|(_, data)| &data[..]).collect();
    assert_eq!(sent, [b"one".as_slice(), b"longer t"]);
    assert!(boat.host.sent.iter().all(|(address, _)| address == "192.0.2.1:2947"));
    boat.plugin.stop(&mut boat.host);
    assert_eq!(boat.host.open, []);
    assert!(!boat.host.send(from, b"late") && !boat.host.send_to(from, "192.0.2.1", 1, b"late"));
    assert_eq!(boat.host.is_connected(from), None);
}

#[test]
fn a_request_is_answered_by_its_url_or_not_at_all() {
    let mut boat = Boat::new(Relay(None));
    boat.host.web.insert("http://sea.example/tide".to_string(), b"1.25".to_vec());
    boat.host.web.insert("http://sea.example/long".to_string(), b"more than fits".to_vec());
    for (url, kept) in [("tide", "1.25"), ("long", "none"), ("gone", "none")] {
        let answer = boat.http("any", &format!(r#"{{"url":"http://sea.example/{url}"}}"#));
        assert_eq!(answer, format!(r#"{{"tide":"{kept}"}}"#), "{url}");
    }
    assert_eq!(boat.host.requests.len(), 3);
    assert_eq!(boat.host.requests[0], ("http://sea.example/tide".to_string(), None));
    assert_eq!(boat.host.files["tide"], b"none");
}
