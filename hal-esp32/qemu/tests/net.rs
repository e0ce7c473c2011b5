//! The emulated board with a network, used as clients do.

use std::io::Write;
use std::time::{Duration, Instant};

use board::{BoardClient, FROM_BUS, Live, PATIENCE, Partition, boot_live, config_of, file_of, free_port};

/// Requests between the two looks at the heap.
const REQUESTS: usize = 10_000;
/// Deltas a stream client waits for.
const DELTAS: usize = 100;
/// Bytes that the heap may differ by: what happens to be on its way at the moment of the look.
const DRIFT_BYTES_MAX: u64 = 1024;
/// A closed connection keeps its buffers for ten seconds (RFC 9293 §3.6.1, TIME-WAIT; smoltcp's length of it).
const CLOSING: Duration = Duration::from_secs(11);
/// The package that has an endpoint, with its module of standard pages: beside network and clients there is no room for a
/// second one of that size.
const PACKAGE: &str = "plugins/assemblyscript/shallow-water-alarm";
/// Its endpoint.
const ENDPOINT: &str = "/plugins/_skiff_shallow-water-alarm/api/status";
/// Bytes of heap that a visit of the page may take while it is on its way; its 60 KB of text lie in flash.
const PAGE_HEAP_MAX: u64 = 8 * 1024;
/// A value that it gives out.
const FROM_PLUGIN: &str = "/signalk/v1/api/vessels/self/notifications/environment/depth/belowTransducer";

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --net"]
fn values_of_bus_and_plugin_and_its_endpoint_are_read() -> Result<(), String> {
    with_board(|_, client| read_all(client))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --net"]
fn only_names_of_the_board_and_its_token_are_answered() -> Result<(), String> {
    with_board(|_, client| names(client))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --net"]
fn the_page_is_that_of_linux_and_comes_from_flash() -> Result<(), String> {
    with_board(page)
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --net"]
fn a_stream_client_gets_deltas() -> Result<(), String> {
    with_board(|_, client| client.follows(DELTAS))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --net"]
fn hostile_clients_leave_a_board_that_answers() -> Result<(), String> {
    with_board(|_, client| hostile(client))
}

/// The board has met every kind of client before, so that stack and heap are measured at their most.
#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --net"]
fn ten_thousand_requests_leave_the_heap_where_it_was() -> Result<(), String> {
    with_board(|live, client| {
        read_all(client)?;
        names(client)?;
        client.follows(DELTAS)?;
        hostile(client)?;
        client.requests(REQUESTS / 10)?;
        let before = heap_at_rest(live)?;
        let began = Instant::now();
        client.requests(REQUESTS)?;
        let took = began.elapsed();
        let after = heap_at_rest(live)?;
        let rate = REQUESTS as f64 / took.as_secs_f64();
        println!("{REQUESTS} requests in {:.1} s ({rate:.0}/s in the emulator)", took.as_secs_f64());
        println!("heap in use before them {before}, after them {after} bytes");
        if before.abs_diff(after) > DRIFT_BYTES_MAX {
            return Err(format!("the heap is not where it was: {before} bytes before, {after} after"));
        }
        println!("status {}", client.get("/skiff/v1/status")?.1);
        let ended = live.finish(&["stack used", "heap peak", "heap arena", "allocations refused"], PATIENCE)?;
        match ended.measure("allocations refused") {
            Some(0) => Ok(()),
            count => Err(format!("{count:?} allocations found no room")),
        }
    })
}

/// Boots the board with a network and has it used.
fn with_board(used: impl FnOnce(&mut Live, &BoardClient) -> Result<(), String>) -> Result<(), String> {
    let port = free_port()?;
    let [manifest, module] = [file_of(PACKAGE, "package.json")?, file_of(PACKAGE, "plugin.wasm")?];
    let partition = Partition::sample().words("net").package(&manifest, &module, Some(&config_of(PACKAGE)?));
    let mut live = boot_live(&partition, port)?;
    let outcome = live.wait_for("token for this run: ", PATIENCE).and_then(|token| {
        let address = live.wait_for("network address ", PATIENCE)?;
        println!("\nthe board has the address {address} and is reached at http://127.0.0.1:{port}");
        used(&mut live, &BoardClient { port, token })
    });
    live.explain(outcome)
}

fn read_all(client: &BoardClient) -> Result<(), String> {
    client.value(FROM_BUS)?;
    client.curl(FROM_BUS)?;
    client.value(FROM_PLUGIN)?;
    client.curl(ENDPOINT)
}

/// The page as a browser gets it, and what it asks first.
fn page(live: &mut Live, client: &BoardClient) -> Result<(), String> {
    client.answered()?;
    let before = heap_at_rest(live)?;
    let page = client.unpacked("/")?;
    // The file that was built, whole, as Linux serves it.
    let built = file_of("runtime/src/server/index/built", "page.js")?;
    let script = String::from_utf8_lossy(&built).into_owned();
    if !page.contains(&script) {
        return Err(format!("of {} bytes of page none is the script that was built", page.len()));
    }
    let at_once = heap_used(live)?;
    println!("the page: {} bytes, heap {before} bytes before it and {at_once} right after", page.len());
    if at_once > before.saturating_add(PAGE_HEAP_MAX) {
        return Err(format!("the page took {} bytes of heap", at_once.saturating_sub(before)));
    }
    // There is no room to unpack it.
    let plain = client.get("/")?;
    let (status, machine) = client.get("/skiff/v1/machine")?;
    println!("machine: {machine}");
    let is_told = machine.contains(r#""board":"qemu-riscv32","door":"both","otherPort":null"#);
    let lists = machine.split("\"has\":").nth(1).unwrap_or_default().to_owned();
    if plain.0 != 406 || status != 200 || !is_told || lists.contains("accounts") {
        return Err(format!("{plain:?}; {status} {machine}"));
    }
    Ok(())
}

/// Own address, `*.local` and `localhost` are names of the board, others are not; without a token nothing is told.
fn names(client: &BoardClient) -> Result<(), String> {
    client.answered()?;
    for (host, expected) in
        [("10.0.2.15", 200), ("skiff.local", 200), ("localhost", 200), ("127.0.0.1", 200), ("evil.example", 403)]
    {
        let (status, body) = client.exchange(client.request("/signalk/v1/api/self", host, "").as_bytes())?;
        if status != expected {
            return Err(format!("with Host {host} the board answers {status}: {body}"));
        }
    }
    match client.stranger().get("/signalk/v1/api/self")?.0 {
        401 => Ok(()),
        status => Err(format!("with a wrong token the board answers {status}")),
    }
}

/// Clients that do not behave, and one that does afterwards.
fn hostile(client: &BoardClient) -> Result<(), String> {
    client.answered()?;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = client.connect()?;
        // A board that has no connection left may have closed it.
        let _ = stream.write_all(b"GET /signalk HT");
        slow.push(stream);
    }
    let giant = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000));
    match client.exchange(giant.as_bytes()) {
        Ok((431 | 503, _)) => {}
        Ok((status, _)) => return Err(format!("a giant request was answered with {status}")),
        // No socket was left to say so with: the connection was refused.
        Err(why) => println!("a giant request beside eight unfinished ones: {why}"),
    }
    drop(slow);
    let began = Instant::now();
    loop {
        match client.exchange(giant.as_bytes()) {
            Ok((431, _)) => break,
            Ok((503, _)) | Err(_) if began.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(50)),
            other => return Err(format!("a giant request alone is not refused with 431: {other:?}")),
        }
    }
    client.answered().map_err(|reason| format!("after hostile clients: {reason}"))?;
    println!("eight unfinished and one giant request later the board still answers");
    Ok(())
}

/// Waits until the heap has not changed for as long as closed connections last, and returns its bytes.
fn heap_at_rest(live: &mut Live) -> Result<u64, String> {
    let began = Instant::now();
    let (mut rest, mut since) = (heap_used(live)?, Instant::now());
    while since.elapsed() < CLOSING {
        if began.elapsed() > PATIENCE {
            return Err(format!("the heap does not come to rest: now {rest} bytes"));
        }
        std::thread::sleep(Duration::from_millis(500));
        let now = heap_used(live)?;
        if now.abs_diff(rest) > DRIFT_BYTES_MAX {
            (rest, since) = (now, Instant::now());
        }
    }
    Ok(rest)
}

fn heap_used(live: &mut Live) -> Result<u64, String> {
    live.send(b'r')?;
    let line = live.wait_for("heap: asked: used ", PATIENCE)?;
    let number = line.split(',').next().unwrap_or_default();
    number.parse().map_err(|_| format!("no number of bytes: {line}"))
}
