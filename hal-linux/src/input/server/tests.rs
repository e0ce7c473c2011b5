use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use tungstenite::handshake::server::{Request, Response};

use super::*;
use crate::input::{Address, Input};

fn server(text: &str) -> Server {
    match Input::parse(text).unwrap().address {
        Address::Server(server) => *server,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_kind_of_server_has_its_place() {
    for (text, shown, label) in [
        ("ws://bow.local:3000", "ws://bow.local:3000", "bow-local"),
        ("ws://bow", "ws://bow:80", "bow"),
        ("wss://bow", "wss://bow:443", "bow"),
        ("ws://[::1]:3000", "ws://[::1]:3000", "::1"),
        ("http://bow:3000/", "http://bow:3000", "bow"),
        ("https://bow", "https://bow:443", "bow"),
        ("signalk://bow:3000", "http://bow:3000", "bow"),
        ("mdns://Bow", "mdns://Bow", "Bow"),
        ("mdns://", "mdns://", "mdns"),
    ] {
        let input = Input::parse(text).unwrap();
        assert_eq!((input.to_string(), input.label()), (shown.to_owned(), label.to_owned()), "{text}");
    }
    let Place::Stream(site) = server("ws://bow:3000/other/stream?subscribe=self&label=b").place else { panic!() };
    assert_eq!(site.path, "/other/stream");
}

#[test]
fn a_token_is_shown_to_nobody() {
    let input = Input::parse("ws://bow:3000?token=very-secret").unwrap();
    let shown = format!("{input} {input:?} {}", input.label());
    assert!(!shown.contains("very"), "{shown}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let of_file = server(&format!("ws://bow:3000?token-file={}", path.display()));
    assert!(of_file.token().unwrap_err().contains("No such file"));
    std::fs::write(&path, " \n").unwrap();
    assert!(of_file.token().unwrap_err().contains("holds no token"));
    std::fs::write(&path, "abc.def\n").unwrap();
    assert_eq!(of_file.token().unwrap().as_deref(), Some("abc.def"));
}

/// Answers one client with what `work` does.
fn once(work: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || work(listener.accept().unwrap().0));
    address
}

#[test]
#[expect(clippy::result_large_err, reason = "the form of a callback of the library")]
fn the_stream_is_asked_for_all_with_the_token_and_its_texts_come() {
    let address = once(|stream| {
        let check = |request: &Request, response: Response| {
            assert_eq!(request.uri().to_string(), "/signalk/v1/stream?subscribe=all&sendMeta=all");
            assert_eq!(request.headers()["authorization"], "Bearer abc");
            Ok(response)
        };
        let mut socket = tungstenite::accept_hdr(stream, check).unwrap();
        socket.send(Message::Text("{\"self\":\"vessels.x\"}".into())).unwrap();
        socket.send(Message::Text("x".repeat(DELTA_BYTES_MAX + 1).into())).unwrap();
        socket.close(None).unwrap();
        while socket.read().is_ok() {}
    });
    let mut connection = server(&format!("ws://{address}?token=abc")).connect("urn").unwrap();
    assert!(matches!(connection.hear(), Ok(Heard::Text(text)) if text == "{\"self\":\"vessels.x\"}"));
    assert!(matches!(connection.hear(), Ok(Heard::TooLong)));
    assert_eq!(connection.hear().err().unwrap(), "the server ended the connection");
}

#[test]
fn a_refusal_says_what_is_missing() {
    for (options, status, wanted) in [
        ("", "401 Unauthorized", "asks for a token"),
        ("?token=old", "401 Unauthorized", "does not take the token"),
        ("", "404 Not Found", "no stream there (404)"),
    ] {
        let address = once(move |mut stream| {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let error = server(&format!("ws://{address}{options}")).connect("urn").err().unwrap();
        assert!(error.contains(wanted), "{error}");
    }
}

/// A server with a certificate of its own; returns its address, the certificate as PEM and its SHA-256.
fn secure(times: usize) -> (String, String, String) {
    use sha2::Digest;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (der, key) = (made.cert.der().clone(), made.signing_key.serialize_der());
    let shown: Vec<_> = sha2::Sha256::digest(&der).iter().map(|byte| format!("{byte:02x}")).collect();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![der], key.try_into().unwrap()).unwrap();
    let config = std::sync::Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for _ in 0..times {
            let stream = listener.accept().unwrap().0;
            let server = rustls::ServerConnection::new(std::sync::Arc::clone(&config)).unwrap();
            if let Ok(mut socket) = tungstenite::accept(rustls::StreamOwned::new(server, stream)) {
                socket.send(Message::Text("{}".into())).unwrap();
            }
        }
    });
    (format!("localhost:{port}"), made.cert.pem(), shown.join(":"))
}

#[test]
fn a_certificate_is_taken_by_its_authority_or_its_fingerprint_and_else_refused_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (address, pem, fingerprint) = secure(4);
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &pem).unwrap();
    let other = folder.path().join("other.pem");
    std::fs::write(&other, rcgen::generate_simple_self_signed(vec!["x".into()]).unwrap().cert.pem()).unwrap();
    let refused = server(&format!("wss://{address}?ca={}", other.display())).connect("urn").err().unwrap();
    assert!(refused.contains(&format!("fingerprint={}", fingerprint.to_uppercase())), "{refused}");
    let wrong = "ab".repeat(32);
    let refused = server(&format!("wss://{address}?fingerprint={wrong}")).connect("urn").err().unwrap();
    assert!(refused.contains("another certificate"), "{refused}");
    for trust in [format!("fingerprint={fingerprint}"), format!("ca={}", ca.display())] {
        let mut connection = server(&format!("wss://{address}?{trust}")).connect("urn").unwrap();
        assert!(matches!(connection.hear(), Ok(Heard::Text(text)) if text == "{}"));
    }
    let none = folder.path().join("none.pem");
    std::fs::write(&none, "nothing").unwrap();
    let refused = Trust::Authority(none).config(None).err().unwrap();
    assert!(refused.contains("holds no certificate"), "{refused}");
}
