//! The emulated board is set up as by a phone: the network it makes leads to its page, a network is joined, and it is found
//! by its name. Its radio is a script; packets, names, pages and the restart are what a chip has.

use std::net::{Ipv4Addr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use board::{BoardClient, Live, PATIENCE, Partition, boot_live_with, free_port};
use skiff_runtime::discovery::wire::{CLASS_IN, Entry, Message, Section, Writer, kind};

/// The board's address, whichever network it is on: the emulator's.
const OWN: &str = "10.0.2.15";
/// Two networks, one of them open.
const WORDS: &str = "net storage no-packages radio=boat:12345678:-50 radio=marina::-80";

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --net"]
fn a_phone_sets_the_board_up_and_finds_it_by_name() -> Result<(), String> {
    let (port, dns) = (free_port()?, free_port()?);
    let partition = Partition::sample_seconds(10).words(WORDS);
    let mut live = boot_live_with(&partition, port, &[(dns, 53)])?;
    let outcome = set_up(&mut live, port, dns);
    live.explain(outcome)
}

fn set_up(live: &mut Live, port: u16, dns: u16) -> Result<(), String> {
    live.wait_for("radio: set-up", PATIENCE)?;
    let phone = BoardClient { port, token: "none".into() };
    phone.answered()?;
    for (host, path) in [("captive.apple.com", "/hotspot-detect.html"), ("clients3.google.com", "/generate_204")] {
        expect(&headers(port, host, path)?, &format!("302 http://{OWN}/setup"))?;
    }
    println!("probes of phones are led to http://{OWN}/setup");
    expect(&addresses(dns, &["captive", "apple", "com"])?, OWN)?;
    println!("every name is {OWN}");

    let page = page(&phone, OWN, "/setup")?;
    ["value=\"boat\"", "value=\"marina\"", "open"].iter().try_for_each(|part| expect(&page, part))?;
    post(&phone, OWN, "ssid=boat&other=&password=87654321")?;
    live.wait_for("radio: boat password", PATIENCE)?;
    live.wait_for("listening", PATIENCE)?;
    phone.answered()?;
    expect(&self::page(&phone, OWN, "/setup")?, "<b>boat</b>; it did not take the password")?;
    println!("a wrong password is told on the page");

    let page = post(&phone, OWN, "ssid=boat&other=&password=12345678")?;
    let (_, rest) = page.split_once("http://").ok_or("the page names no address")?;
    let (host, rest) = rest.split_once("/setup?code=").ok_or("the page has no code")?;
    let (code, _) = rest.split_once('"').ok_or("the code does not end")?;
    live.wait_for("radio: boat is joined", PATIENCE)?;
    // The emulator's user network carries no multicast: that the name is announced is all that is seen here.
    expect(&live.wait_for("found on the network as ", PATIENCE)?, host)?;
    phone.answered()?;
    println!("the board is found as {host}");

    let owned = post(&phone, host, &format!("code={code}"))?;
    let (_, rest) = owned.split_once("<code>").ok_or("the page has no token")?;
    let (token, _) = rest.split_once("</code>").ok_or("the token does not end")?;
    let owner = BoardClient { port, token: token.into() };
    let (status, wifi) = owner.get("/skiff/v1/wifi")?;
    println!("the owner reads: {status} {wifi}");
    expect(&wifi, "\"ssid\":\"boat\",\"mode\":\"join\"")?;
    expect(&wifi, "\"set_up\":\"closed\"")?;
    let (again, _) = exchange(&phone, host, &format!("code={code}"))?;
    if again != 403 {
        return Err(format!("a code that was used is answered with {again}"));
    }
    live.finish(&["stack used", "heap peak", "heap arena", "allocations refused"], PATIENCE).map(drop)
}

fn expect(text: &str, part: &str) -> Result<(), String> {
    if text.contains(part) { Ok(()) } else { Err(format!("`{part}` is not in: {text}")) }
}

fn page(client: &BoardClient, host: &str, path: &str) -> Result<String, String> {
    let request = client.request(path, host, "Accept: text/html\r\nConnection: close\r\n");
    match client.exchange(request.as_bytes())? {
        (200, page) => Ok(page),
        (status, body) => Err(format!("{path}: {status} {body}")),
    }
}

fn exchange(client: &BoardClient, host: &str, form: &str) -> Result<(u16, String), String> {
    let length = form.len();
    let request = format!(
        "POST /setup HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    client.exchange(request.as_bytes())
}

fn post(client: &BoardClient, host: &str, form: &str) -> Result<String, String> {
    match exchange(client, host, form)? {
        (200, page) => Ok(page),
        (status, body) => Err(format!("{form}: {status} {body}")),
    }
}

/// Status and where it leads, by the program everybody has.
fn headers(port: u16, host: &str, path: &str) -> Result<String, String> {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-m", "60", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "-H"]);
    curl.arg(format!("Host: {host}")).arg(format!("http://127.0.0.1:{port}{path}"));
    let output = curl.output().map_err(|error| format!("cannot start curl: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Asks for a name over UDP, again and again, and returns the addresses of the answer.
fn addresses(port: u16, name: &[&str]) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("asking for {name:?}: {error}");
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(failed)?;
    socket.set_read_timeout(Some(Duration::from_secs(1))).map_err(failed)?;
    let mut asked = Vec::new();
    Writer::begin(&mut asked, 512, 7, 0).entry(0, |writer| {
        writer.name(name.iter().copied());
        writer.words(&[kind::A, CLASS_IN]);
    });
    let (began, mut buffer) = (Instant::now(), [0; 1500]);
    while began.elapsed() < PATIENCE {
        socket.send_to(&asked, ("127.0.0.1", port)).map_err(failed)?;
        let Ok(bytes) = socket.recv(&mut buffer) else { continue };
        let message = Message::read(&buffer[..bytes]).ok_or("the answer is no message")?;
        let address = |entry| match entry {
            Entry::Record(Section::Answer, record) if record.kind == kind::A => {
                Some(Ipv4Addr::from(<[u8; 4]>::try_from(record.data).ok()?).to_string())
            }
            _ => None,
        };
        return Ok(message.entries().filter_map(address).collect());
    }
    Err(format!("nobody answers for {name:?}"))
}
