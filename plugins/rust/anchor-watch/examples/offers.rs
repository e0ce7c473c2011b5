//! A plugin that uses what a host has beside deltas, for the tests of the toolkit: PUT, resources, HTTP, requests, files, UDP,
//! TCP.
#![cfg_attr(target_arch = "wasm32", no_std)]

use skiff_plugin::{Handle, Host, Json, Object, Offer, Plugin, Refused, Text};

struct Offers {
    socket: Option<Handle>,
}

impl Plugin for Offers {
    const ID: &'static str = "offers";
    const NAME: &'static str = "Offers";
    const ENDPOINTS: &'static str = concat!(
        r#"[{"method":"GET","path":"/api/kept","handler":"handle_kept"},"#,
        r#"{"method":"GET","path":"/api/tides","handler":"handle_tides"}]"#
    );

    fn start<H: Host>(&mut self, _: Json<'_>, host: &mut H) -> Result<(), Refused> {
        let put = host.offer(Offer::Put("vessels.self", "steering.rudderAngle"));
        let resources = host.offer(Offer::Resources("notes"));
        let weather = host.offer(Offer::Weather("sky"));
        self.socket = host.open_udp(2000);
        host.set_status(match (put, resources, weather, self.socket) {
            (true, true, false, Some(_)) => "offered, and weather was not allowed",
            _ => "otherwise than it should be",
        });
        // Nobody answers there, and nobody allowed a serial port.
        let tcp = host.open_tcp("192.0.2.2", 3000).ok_or(Refused)?;
        let connected = host.is_connected(tcp) == Some(true);
        let mut buffer = [0; 16];
        let heard = host.receive(tcp, &mut buffer).is_some();
        let sent = host.send(tcp, b"line\n");
        host.close(tcp);
        let serial = host.open_serial("/dev/ttyUSB0", 4800);
        host.set_error(match (connected, heard, sent, serial) {
            (false, false, true, None) => "no answer by TCP, no serial port",
            _ => "otherwise than it should be",
        });
        if host.write_file("kept.txt", b"nothing yet") { Ok(()) } else { Err(Refused) }
    }

    fn stop<H: Host>(&mut self, host: &mut H) {
        if let Some(socket) = self.socket.take() {
            host.close(socket);
        }
    }

    fn poll<H: Host>(&mut self, host: &mut H) {
        let Some(socket) = self.socket else { return };
        let mut buffer = [0; 64];
        while let Some(data) = host.receive(socket, &mut buffer) {
            let text = core::str::from_utf8(data).unwrap_or_default();
            host.set_status(text);
            let sent = host.send_to(socket, "192.0.2.1", 2001, b"seen");
            host.write_file("kept.txt", if sent { b"answered" } else { b"no answer" });
        }
    }

    fn http<H: Host>(&mut self, handler: &str, _: Json<'_>, answer: &mut Text<'_>, host: &mut H) {
        if handler == "handle_tides" {
            return tides(answer, host);
        }
        let (mut buffer, mut small) = ([0; 32], [0; 4]);
        let kept = host.read_file("kept.txt", &mut buffer).and_then(|text| core::str::from_utf8(text).ok());
        let mut object = Object::open(answer);
        object.member("statusCode").push_fixed(200.0, 0);
        let mut body = Object::open(object.member("body"));
        body.member("kept").push_json(kept.unwrap_or("no such file"));
        let fits = host.read_file("kept.txt", &mut small).is_some();
        body.member("fitsFourBytes").push_str(if fits { "true" } else { "false" });
        body.close();
        object.close();
    }

    fn answer<H: Host>(&mut self, export: &str, request: Json<'_>, answer: &mut Text<'_>, _: &mut H) {
        let mut object = Object::open(answer);
        if export == "handle_put_vessels_self_steering_rudderAngle" {
            let is_angle = request.number().is_some();
            object.member("state").push_json("COMPLETED");
            object.member("statusCode").push_fixed(if is_angle { 200.0 } else { 400.0 }, 0);
        } else {
            object.member("asked").push_json(export);
        }
        object.close();
    }
}

/// Several requests in one call: got, posted, without an answer, and with one that is too long.
fn tides<H: Host>(answer: &mut Text<'_>, host: &mut H) {
    const REQUESTS: [(&str, &str, Option<&[u8]>); 4] = [
        ("got", "http://sea.example/tide?at=\u{d6}land", None),
        ("posted", "http://sea.example/log", Some(b"\x00 high")),
        ("missing", "http://gone.example/", None),
        ("long", "http://sea.example/long", None),
    ];
    let mut object = Object::open(answer);
    object.member("statusCode").push_fixed(200.0, 0);
    let mut body = Object::open(object.member("body"));
    for (name, url, posted) in REQUESTS {
        let mut buffer = [0; 16];
        let said = host.fetch(url, posted, &mut buffer).and_then(|text| core::str::from_utf8(text).ok());
        body.member(name).push_json(said.unwrap_or("nothing"));
    }
    body.close();
    object.close();
}

skiff_plugin::plugin!(
    Offers,
    Offers { socket: None },
    poll,
    http(handle_kept, handle_tides),
    fetch,
    answers(handle_put_vessels_self_steering_rudderAngle, resources_list_resources),
);
