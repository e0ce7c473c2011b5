//! HTTPS and HTTP on one port: who is served by which, as this machine and as another one sees it.

mod netns;
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use netns::{BOAT, Network};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use support::{Gateway, PATIENCE, assert_refused, run};
use tempfile::tempdir;

type Secure = StreamOwned<ClientConnection, TcpStream>;

/// Connects by TLS to a server that shows this certificate or one it has signed.
fn connect(authority: &str, certificate: &Path, name: &str) -> Secure {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(authority).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket)
}

/// Sends a request and returns the whole answer.
fn ask(mut stream: impl Read + Write, path: &str, host: &str, accept: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n").unwrap();
    let mut reply = Vec::new();
    // An end without a farewell of TLS counts as one.
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

const BROWSER: &str = "text/html,*/*;q=0.8";

#[test]
fn one_port_serves_this_machine_by_both() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let start = || Gateway::start(home.path(), &["--config", config.to_str().unwrap(), "--tls", "self", "--tls-only"]);
    let gateway = start();
    let certificate = config.join("skiff/tls/cert.pem");
    let made = std::fs::read(&certificate).unwrap();
    let plain = TcpStream::connect(&gateway.authority).unwrap();
    assert!(ask(plain, "/", &gateway.authority, BROWSER).starts_with("HTTP/1.1 200"), "loopback stays HTTP");
    let answer = ask(connect(&gateway.authority, &certificate, "127.0.0.1"), "/signalk", &gateway.authority, "*/*");
    let addresses = format!("\"signalk-ws\":\"wss://{}/signalk/v1/stream\"", gateway.authority);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(&addresses), "{answer}");

    let stream = connect(&gateway.authority, &certificate, "localhost");
    let url = format!("wss://{}/signalk/v1/stream", gateway.authority);
    let (mut client, _) = tungstenite::client(url, stream).unwrap();
    assert!(client.read().unwrap().to_text().unwrap().contains("\"self\""), "the hello of a stream");
    drop(client);
    assert_eq!(gateway.terminate(), Some(0));
    drop(start());
    assert_eq!(std::fs::read(&certificate).unwrap(), made, "the next start shows the same");
}

#[test]
fn another_machine_is_sent_on_with_pages_and_refused_with_tls_only() {
    let Some(network) = Network::make("tls") else { return };
    network.join();
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let start = |only: &[&str]| {
        let listen = ["--config", config.to_str().unwrap(), "--listen", "0.0.0.0:3000", "--guests", "read"];
        let arguments = [&listen[..], &["--no-mdns", "--tls", "self"], only].concat();
        let gateway = Network::within(&network.boat, || Gateway::start_on(home.path(), &arguments));
        gateway.said(&format!("from other machines: https://{BOAT}:3000"));
        gateway
    };
    let host = format!("{BOAT}:3000");
    let plain = |path: &str, accept: &str| {
        Network::within(&network.phone, || ask(TcpStream::connect(&host).unwrap(), path, &host, accept))
    };
    let certificate = config.join("skiff/tls/cert.pem");
    let secure = |path: &str| {
        let stream = || ask(connect(&host, &certificate, &BOAT.to_string()), path, &host, BROWSER);
        Network::within(&network.phone, stream)
    };
    let gateway = start(&[]);
    let moved = plain("/kip/?a=b", BROWSER);
    assert!(moved.starts_with("HTTP/1.1 302"), "{moved}");
    assert!(moved.contains(&format!("location: https://{host}/kip/?a=b\r\n")), "{moved}");
    assert!(!moved.contains("strict-transport-security"), "{moved}");
    for (path, accept) in [("/signalk", "*/*"), ("/signalk/v1/api/vessels/self", BROWSER)] {
        assert!(plain(path, accept).starts_with("HTTP/1.1 200"), "{path}: devices go on");
    }
    let page = secure("/");
    assert!(!page.starts_with("HTTP/1.1 302") && !page.contains("strict-transport-security"), "{page}");
    assert!(secure("/signalk/v1/api/vessels/self").starts_with("HTTP/1.1 200"));
    assert_eq!(gateway.terminate(), Some(0));

    let gateway = start(&["--tls-only"]);
    let refused = plain("/signalk", "*/*");
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("https and wss only"), "{refused}");
    assert!(plain("/", BROWSER).starts_with("HTTP/1.1 302"));
    assert!(secure("/signalk/v1/api/vessels/self").starts_with("HTTP/1.1 200"));
    assert_eq!(gateway.terminate(), Some(0));
}

#[test]
fn a_certificate_of_the_owner_is_shown_and_one_that_cannot_be_used_is_named() {
    let home = tempdir().unwrap();
    let (certificate, key) = (home.path().join("boat.pem"), home.path().join("boat.key"));
    let signed = rcgen::generate_simple_self_signed(["boat.lan".to_owned()]).unwrap();
    std::fs::write(&certificate, signed.cert.pem()).unwrap();
    std::fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    let files = format!("{},{}", certificate.display(), key.display());
    let gateway = Gateway::start(home.path(), &["--sample", "--tls", &files]);
    let answer = ask(connect(&gateway.authority, &certificate, "boat.lan"), "/signalk", &gateway.authority, "*/*");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(gateway);
    let start = |tls: &str| run(home.path(), &["run", "--listen", "127.0.0.1:0", "--tls", tls]);
    assert_refused(&start(&format!("{},none.key", certificate.display())), 3, &["none.key: No such file"]);
    assert_refused(&start(&format!("{0},{0}", certificate.display())), 4, &["boat.pem: holds no key"]);
    assert_refused(&start("off"), 2, &["write self, or the files"]);
    assert_refused(&run(home.path(), &["run", "--tls-only"]), 2, &["--tls"]);
    assert!(!home.path().join(".skiff").exists(), "nothing is written before");
}
