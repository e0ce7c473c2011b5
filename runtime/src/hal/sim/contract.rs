//! Checks that every HAL must pass, simulated or real.
//!
//! They return what was broken instead of asserting, so that a chip without a test harness can run them too.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::ops::ControlFlow;

use crate::hal::{Key, NetError, Network, Received, Socket, Storage, StorageError};

fn hold(held: bool, clause: &str) -> Result<(), String> {
    if held { Ok(()) } else { Err(String::from(clause)) }
}

fn failed<E: core::fmt::Display>(what: &str) -> impl FnOnce(E) -> String + '_ {
    move |error| format!("{what}: {error}")
}

/// Checks an empty, writable storage; leaves it empty.
///
/// # Errors
/// The clause of the contract that was broken.
pub fn storage(storage: &mut dyn Storage) -> Result<(), String> {
    let key = |text: &str| Key::parse(text).map_err(failed(text));
    let (flat, nested, secret) = (key("a.json")?, key("contract/sub folder/b.bin")?, key("skiff/token")?);

    hold(storage.len(&flat) == Err(StorageError::NotFound), "a missing record is not found")?;
    hold(storage.read(&flat, 0, &mut [0; 4]) == Err(StorageError::NotFound), "a missing record cannot be read")?;
    storage.remove(&flat).map_err(failed("removing nothing is no error"))?;

    for data in [b"first".as_slice(), b"the second is longer", b"", b"last"] {
        for key in [&flat, &nested, &secret] {
            storage.replace(key, data).map_err(failed("replace"))?;
            hold(storage.read_all(key, 64) == Ok(data.to_vec()), "a replaced record reads back")?;
            hold(
                usize::try_from(storage.len(key).map_err(failed("len"))?) == Ok(data.len()),
                "len counts the record's bytes",
            )?;
        }
    }
    hold(storage.read_all(&flat, 3) == Err(StorageError::TooLong { bytes: 4 }), "a limit refuses a longer record")?;

    let mut two = [0; 2];
    hold(storage.read(&flat, 1, &mut two) == Ok(2) && two == *b"as", "reading starts at the offset")?;
    hold(
        storage.read(&flat, 4, &mut two) == Ok(0) && storage.read(&flat, 99, &mut two) == Ok(0),
        "0 bytes are read at and past the end",
    )?;

    let appended = key("contract/log")?;
    storage.append(&appended, b"one,").map_err(failed("append creates"))?;
    storage.append(&appended, b"two").map_err(failed("append"))?;
    hold(storage.read_all(&appended, 64).as_deref() == Ok(b"one,two"), "appended data follows what stood before")?;

    let mut found = Vec::new();
    storage
        .list("contract/", &mut |key, bytes| {
            found.push((String::from(key.as_str()), bytes));
            ControlFlow::Continue(())
        })
        .map_err(failed("list"))?;
    found.sort();
    hold(
        found == vec![(String::from("contract/log"), 7), (String::from("contract/sub folder/b.bin"), 4)],
        "list gives key and length of what begins with the prefix, and nothing else",
    )?;
    let mut visits = 0;
    let mut stop = |_: &Key, _: u32| {
        visits += 1;
        ControlFlow::Break(())
    };
    storage.list("", &mut stop).map_err(failed("list"))?;
    hold(visits == 1, "list stops when the visitor says so")?;
    let mut visits = 0;
    let mut count = |_: &Key, _: u32| {
        visits += 1;
        ControlFlow::Continue(())
    };
    storage.list("contract/sub", &mut count).map_err(failed("list"))?;
    hold(visits == 1, "a prefix can end inside a segment")?;

    hold(storage.capacity().free_bytes <= storage.capacity().total_bytes, "no more is free than there is")?;
    let other = key("contract/renamed")?;
    hold(storage.rename(&other, &appended) == Err(StorageError::NotFound), "what is missing cannot be renamed")?;
    storage.replace(&other, b"before").map_err(failed("replace"))?;
    storage.rename(&appended, &other).map_err(failed("rename"))?;
    hold(storage.len(&appended) == Err(StorageError::NotFound), "the old name is gone")?;
    hold(storage.read_all(&other, 64).as_deref() == Ok(b"one,two"), "a renamed record replaces what had the name")?;
    storage.rename(&other, &appended).map_err(failed("rename"))?;

    for key in [&flat, &nested, &secret, &appended] {
        storage.remove(key).map_err(failed("remove"))?;
        hold(storage.len(key) == Err(StorageError::NotFound), "a removed record is gone")?;
    }
    Ok(())
}

/// Tries of an operation that needs packets to move; `wait` runs between them.
const TRIES: u32 = 2000;
/// Connections to where nobody listens.
const REFUSALS_TRIED: u32 = 20;

/// Checks a network over its loopback address. `wait` lets time pass: advances a clock, or sleeps a millisecond.
///
/// # Errors
/// The clause of the contract that was broken.
pub fn network(network: &mut dyn Network, wait: &mut dyn FnMut(&mut dyn Network)) -> Result<(), String> {
    stream(network, wait)?;
    datagrams(network, wait)?;
    let unknown = Socket(u32::MAX);
    network.close(unknown);
    hold(network.is_connected(unknown) == Err(NetError::Closed), "an unknown socket is not connected")?;
    hold(network.receive(unknown, &mut [0; 4]) == Err(NetError::Closed), "an unknown socket is closed")?;
    hold(network.send(unknown, b"x") == Err(NetError::Closed), "an unknown socket takes nothing")
}

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn stream(network: &mut dyn Network, wait: &mut dyn FnMut(&mut dyn Network)) -> Result<(), String> {
    let listener = network.listen(ANY_PORT).map_err(failed("listen"))?;
    let address = network.local_address(listener).map_err(failed("local address"))?;
    hold(address.port() != 0, "port 0 takes a free port")?;
    hold(network.listen(address) == Err(NetError::InUse), "a taken port is in use")?;
    hold(network.accept(listener).is_none(), "nobody waits yet")?;

    let client = network.connect(address).map_err(failed("connect"))?;
    let (served, _) = until(network, wait, "accept", |network| network.accept(listener))?;
    let stands = |network: &mut dyn Network| match network.is_connected(client) {
        Ok(false) => None,
        other => Some(other),
    };
    hold(until(network, wait, "connection", stands)? == Ok(true), "a connection that was accepted stands")?;
    hold(network.receive(served, &mut [0; 4]) == Ok(Received::Pending), "nothing was sent yet")?;
    send_all(network, wait, client, b"question")?;
    hold(receive_exactly(network, wait, served, 8)? == b"question", "the server reads what the client sent")?;
    send_all(network, wait, served, b"answer")?;
    network.close(served);
    hold(receive_exactly(network, wait, client, 6)? == b"answer", "what was sent before closing arrives")?;
    let closed = |network: &mut dyn Network| match network.receive(client, &mut [0; 4]) {
        Ok(Received::Pending) => None,
        other => Some(other),
    };
    hold(until(network, wait, "close", closed)? == Ok(Received::Closed), "the peer's closing is seen after its data")?;
    network.close(client);
    hold(network.receive(client, &mut [0; 4]) == Err(NetError::Closed), "a closed socket is closed")?;
    network.close(listener);

    // A process that is being started beside this one can hold the listener a moment longer.
    let mut outcome = None;
    for _ in 0..REFUSALS_TRIED {
        let refused = network.connect(address).map_err(failed("connect is started"))?;
        let told = |network: &mut dyn Network| match network.receive(refused, &mut [0; 4]) {
            Ok(Received::Pending) => None,
            other => Some(other),
        };
        outcome = Some((refused, until(network, wait, "refusal", told)?));
        if matches!(outcome, Some((_, Err(NetError::Unreachable)))) {
            break;
        }
        network.close(refused);
        wait(network);
    }
    let Some((refused, Err(NetError::Unreachable))) = outcome else {
        return Err("no listener: unreachable, once".into());
    };
    hold(network.receive(refused, &mut [0; 4]) == Err(NetError::Closed), "afterwards the socket is closed")?;
    network.close(refused);
    Ok(())
}

fn datagrams(network: &mut dyn Network, wait: &mut dyn FnMut(&mut dyn Network)) -> Result<(), String> {
    let left = network.bind_udp(ANY_PORT).map_err(failed("bind"))?;
    let right = network.bind_udp(ANY_PORT).map_err(failed("bind"))?;
    let (from, to) = (
        network.local_address(left).map_err(failed("address"))?,
        network.local_address(right).map_err(failed("address"))?,
    );
    hold(network.bind_udp(to) == Err(NetError::InUse), "a taken port is in use")?;
    hold(network.receive_from(right, &mut [0; 4]) == Ok(None), "no datagram yet")?;
    for data in [b"one".as_slice(), b"another"] {
        network.send_to(left, to, data).map_err(failed("send"))?;
    }
    let mut buffer = [0; 4];
    let mut next = |network: &mut dyn Network| network.receive_from(right, &mut buffer).transpose();
    hold(until(network, wait, "datagram", &mut next)? == Ok((3, from)), "a datagram arrives with its sender")?;
    hold(until(network, wait, "datagram", &mut next)? == Ok((4, from)), "a long datagram is cut to the buffer")?;
    hold(buffer == *b"anot", "its beginning is kept")?;
    hold(network.receive_from(right, &mut buffer) == Ok(None), "what was cut is not given later")?;
    hold(network.send_to(left, to, &vec![0; 70_000]) == Err(NetError::TooLong), "no datagram has 70,000 bytes")?;
    hold(
        network.join(left, IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))) == Err(NetError::Unsupported),
        "only multicast groups are joined",
    )?;
    let group = IpAddr::V4(Ipv4Addr::new(239, 2, 1, 1));
    hold(network.leave(left, group).is_err(), "a group that was not joined cannot be left")?;
    network.close(left);
    network.close(right);
    hold(network.receive_from(right, &mut buffer) == Err(NetError::Closed), "a closed socket is closed")
}

fn until<T>(
    network: &mut dyn Network,
    wait: &mut dyn FnMut(&mut dyn Network),
    what: &str,
    mut attempt: impl FnMut(&mut dyn Network) -> Option<T>,
) -> Result<T, String> {
    for _ in 0..TRIES {
        if let Some(done) = attempt(network) {
            return Ok(done);
        }
        wait(network);
    }
    Err(format!("{what} did not happen"))
}

fn send_all(
    network: &mut dyn Network,
    wait: &mut dyn FnMut(&mut dyn Network),
    socket: Socket,
    data: &[u8],
) -> Result<(), String> {
    let mut rest = data;
    until(network, wait, "send", |network| match network.send(socket, rest) {
        Ok(count) => {
            rest = rest.get(count..).unwrap_or_default();
            rest.is_empty().then_some(Ok(()))
        }
        Err(error) => Some(Err(format!("send: {error}"))),
    })?
}

fn receive_exactly(
    network: &mut dyn Network,
    wait: &mut dyn FnMut(&mut dyn Network),
    socket: Socket,
    bytes: usize,
) -> Result<Vec<u8>, String> {
    let mut data = Vec::new();
    until(network, wait, "receive", |network| {
        let mut buffer = [0; 3];
        match network.receive(socket, &mut buffer) {
            Ok(Received::Bytes(count)) => {
                data.extend_from_slice(buffer.get(..count).unwrap_or_default());
                (data.len() >= bytes).then_some(Ok(()))
            }
            Ok(Received::Pending) => None,
            Ok(Received::Closed) => Some(Err(String::from("receive: closed too early"))),
            Err(error) => Some(Err(format!("receive: {error}"))),
        }
    })??;
    Ok(data)
}
