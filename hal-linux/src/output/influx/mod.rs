//! Values to a server of time series, by InfluxDB's line protocol over HTTP.
//!
//! One thread takes the lines and keeps them in a [`Store`], another sends them batch by batch: a server that is slow or gone holds up
//! nobody. A batch that was sent and whose answer was lost is sent again; the server knows its lines by series and time.

mod line;
mod server;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use self::line::Lines;
pub use self::server::Server;

use self::server::Sent;
use super::hub::{Hub, State, Taker, count};
use super::store::{Batch, Store};
use crate::input::live::BackOff;
use crate::input::stop::Stop;

/// Time after which a batch is sent that is not full.
const BATCH_TIME: Duration = Duration::from_secs(1);

/// Begins to send what the hub gets; `folder` is where lines wait. The thread that is returned ends once they lie there.
///
/// # Errors
/// What the system said: the folder, or no more threads.
pub fn start(
    server: &Server,
    name: &str,
    hub: &Arc<Hub>,
    stop: &Stop,
    folder: Option<PathBuf>,
) -> io::Result<JoinHandle<()>> {
    if server.is_open_to_all() {
        log::warn!("{name}: the token or password goes over the network in the clear; influxs:// hides it");
    }
    let store = Arc::new(Store::open(folder, server.keep_bytes, BATCH_TIME)?);
    // The only one of its hub.
    let taker = Taker::new(None);
    hub.join(&taker, 1);
    let (kept, counted) = (Arc::clone(&store), Arc::clone(hub));
    let keeps = spawn("output store", move || {
        while let Some(lines) = taker.take() {
            let lost = kept.push(&lines);
            count(&counted.counters.failed, usize::try_from(lost).unwrap_or(usize::MAX));
        }
        kept.push(&taker.rest());
        kept.close();
    })?;
    let (server, name, hub, stop) = (server.clone(), name.to_owned(), Arc::clone(hub), stop.clone());
    spawn("output", move || send_all(&server, &name, &store, &hub, &stop, BackOff::SERVERS))?;
    Ok(keeps)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(run)
}

/// Sends batch after batch, until it is over.
fn send_all(server: &Server, name: &str, store: &Store, hub: &Hub, stop: &Stop, back_off: BackOff) {
    let (mut pause, mut is_told) = (back_off.first, false);
    let mut client = server.client();
    hub.set_state(State::Connecting);
    while let Some(batch) = store.first() {
        let sent = match &client {
            Ok(client) => client.send(&batch.text),
            Err(reason) => Sent::Later(reason.clone()),
        };
        match sent {
            Sent::Later(reason) => {
                // Not each attempt of a day without a network.
                if !std::mem::replace(&mut is_told, true) {
                    log::warn!("{name}: {reason}; lines are kept, and sent when it takes them");
                }
                let trouble = store.trouble().map(|trouble| format!("; kept in memory alone: {trouble}"));
                hub.set_state(State::Waiting(reason + &trouble.unwrap_or_default()));
                if !stop.sleep(pause) {
                    return;
                }
                pause = pause.saturating_mul(2).min(back_off.max);
                if client.is_err() {
                    client = server.client();
                }
            }
            Sent::Taken => {
                is_open(name, hub, is_told);
                (pause, is_told) = (back_off.first, false);
                count(&hub.counters.bytes, batch.text.len());
                store.done(&batch);
            }
            Sent::Refused(lines, reason) => {
                is_open(name, hub, is_told);
                (pause, is_told) = (back_off.first, false);
                refused(name, hub, &batch, lines, &reason);
                store.done(&batch);
            }
        }
    }
}

fn is_open(name: &str, hub: &Hub, was_gone: bool) {
    if was_gone {
        log::info!("{name}: takes lines again");
    }
    hub.set_state(State::Open);
}

fn refused(name: &str, hub: &Hub, batch: &Batch, lines: Option<u64>, reason: &str) {
    let all = batch.text.lines().count();
    let lines = lines.and_then(|lines| usize::try_from(lines).ok()).unwrap_or(all);
    count(&hub.counters.failed, lines);
    log::warn!("{name}: {lines} of {all} lines refused for good: {reason}");
}

#[cfg(test)]
mod tests;
