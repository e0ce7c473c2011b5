//! Many boats at one broker, each a client of its own: `boats HOST:PORT BOATS VALUES`.
//!
//! A boat logs in with its last will, says that it is online, and publishes its values at QoS 1, as the output of a gateway does. What
//! was acknowledged, and in what time, is printed as one line of JSON. `cargo xtask mqtt --boats 1000` runs it.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use skiff_gateway::mqtt::packet::Message;
use skiff_gateway::mqtt::{Broker, Heard, Session};
use skiff_gateway::wake::Waker;

/// Room for what a boat's thread calls.
const STACK_BYTES: usize = 128 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (place, boats, values) = match arguments.as_slice() {
        [place, boats, values] => (place, boats.parse(), values.parse()),
        _ => {
            eprintln!("usage: boats HOST:PORT BOATS VALUES");
            return ExitCode::from(2);
        }
    };
    match (Broker::parse(false, place), boats, values) {
        (Ok(broker), Ok(boats), Ok(values)) => sail(&broker, boats, values),
        _ => {
            eprintln!("write a host with its port, and two numbers");
            ExitCode::from(2)
        }
    }
}

fn sail(broker: &Broker, boats: u32, values: u32) -> ExitCode {
    let (taken, began) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut sailing = Vec::new();
    for boat in 0..boats {
        let (broker, taken) = (broker.clone(), Arc::clone(&taken));
        let run = move || one(&broker, boat, values, &taken);
        match thread::Builder::new().stack_size(STACK_BYTES).spawn(run) {
            Ok(thread) => sailing.push(thread),
            Err(error) => {
                eprintln!("boat {boat}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    let mut is_well = true;
    for (boat, thread) in sailing.into_iter().enumerate() {
        match thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => {
                eprintln!("boat {boat}: {reason}");
                is_well = false;
            }
            Err(_) => is_well = false,
        }
    }
    let (taken, seconds) = (taken.load(Ordering::Relaxed), began.elapsed().as_secs_f64());
    println!("{{\"boats\":{boats},\"acknowledged\":{taken},\"seconds\":{seconds:.2}}}");
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(broker: &Broker, boat: u32, values: u32, taken: &AtomicU64) -> Result<(), String> {
    let base = format!("signalk/vessels/urn:mrn:imo:mmsi:{:09}", 211_000_000 + boat);
    let status = format!("{base}/status");
    let will = Message { topic: &status, payload: b"offline", is_retained: true };
    let waker = Waker::new().map_err(|error| error.to_string())?;
    let mut session = Session::open(broker, &format!("boat-{boat}"), Some(will))?;
    session.publish(&Message { payload: b"online", ..will })?;
    let topic = format!("{base}/navigation/speedOverGround");
    let (mut sent, mut left) = (0, u64::from(values) + 1);
    while left > 0 {
        while sent < values && session.has_room() {
            let payload = format!("{{\"value\":{sent},\"$source\":\"boats\"}}");
            session.publish(&Message { topic: &topic, payload: payload.as_bytes(), is_retained: false })?;
            sent += 1;
        }
        session.wait(&waker, Some(Duration::from_secs(1)))?;
        while let Some(heard) = session.hear()? {
            match heard {
                Heard::Taken(None) => left -= 1,
                Heard::Taken(Some(reason)) => return Err(reason.into()),
                Heard::Message { .. } => {}
            }
        }
    }
    // That it is online counts for nothing.
    taken.fetch_add(values.into(), Ordering::Relaxed);
    session.leave();
    Ok(())
}
