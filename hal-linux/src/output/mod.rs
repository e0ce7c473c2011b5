//! Outputs beside the web server: what `--output` names, and how it is written.
//!
//! The gateway thread makes the lines and never waits: every client, port and connection has a queue and a thread.

mod address;
mod hub;
mod links;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use skiff_runtime::gateway::{Gateway, Wake};
use skiff_runtime::json;
use skiff_runtime::nmea0183::out::Sentences;
use skiff_runtime::time::{Instant, UnixMillis};

use hub::Hub;

pub use address::{Address, Format, Output};
pub use hub::LOST_MAX;
pub use links::{CLIENTS_MAX, Opened};

/// What makes the lines of an output.
enum Maker {
    Sentences(Box<Sentences>),
    Deltas,
}

/// An output that runs.
struct Running {
    name: String,
    maker: Maker,
    hub: Arc<Hub>,
}

/// All outputs of a gateway.
#[derive(Default)]
pub struct Outputs(Vec<Running>);

impl Outputs {
    /// Begins to write; what was opened says where.
    ///
    /// # Errors
    /// What the system said: no more threads.
    pub fn start(opened: Vec<Opened>, gateway: &mut Gateway) -> io::Result<Self> {
        let mut all = Self::default();
        for opened in opened {
            gateway.listen();
            let (name, format) = (opened.name(), opened.format());
            warn_of(&name, opened.local_address(), format);
            let (maker, greeting) = match format {
                Format::Nmea0183(config) => {
                    (Maker::Sentences(Box::new(Sentences::new(config, gateway.self_context()))), None)
                }
                Format::Deltas => (Maker::Deltas, Some(greeting(gateway.self_context()))),
            };
            let hub = Arc::new(Hub::default());
            opened.start(&hub, greeting)?;
            all.0.push(Running { name, maker, hub });
        }
        Ok(all)
    }

    /// Gives out what the gateway has handed out; returns when to call it again although nothing new came.
    pub fn drive(&mut self, gateway: &mut Gateway, now: Instant) -> Wake {
        if self.0.is_empty() {
            return Wake::default();
        }
        while let Some(delta) = gateway.next_output() {
            for output in &mut self.0 {
                match &mut output.maker {
                    Maker::Sentences(sentences) => sentences.hear(&delta, now),
                    Maker::Deltas if output.hub.is_empty() => {}
                    Maker::Deltas => output.put(&format!("{}\n", delta.text())),
                }
            }
        }
        let mut wake = Wake::default();
        for output in &mut self.0 {
            let Maker::Sentences(sentences) = &mut output.maker else { continue };
            let due = sentences.poll(now);
            let lines: Vec<_> = std::iter::from_fn(|| sentences.next_line()).collect();
            lines.iter().for_each(|line| output.put(line));
            wake.busy |= due.is_some_and(|due| due <= now);
            wake.at = [wake.at, due].into_iter().flatten().min();
        }
        wake
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.0.iter().for_each(|output| output.hub.close());
    }
}

impl Running {
    fn put(&self, line: &str) {
        let closed = self.hub.put(&line.into());
        if closed > 0 {
            log::warn!("{}: {closed} closed: took too little, and lost more than {LOST_MAX} lines", self.name);
        }
    }
}

/// Says that who listens off loopback gives to everyone: neither form has a login, and the flag is the owner's choice.
fn warn_of(name: &str, listens: Option<SocketAddr>, format: Format) {
    let what = match format {
        Format::Nmea0183(_) => "NMEA 0183",
        Format::Deltas => "deltas",
    };
    match listens {
        Some(address) if !address.ip().is_loopback() => {
            log::warn!("{name}: {what} for everyone who reaches this port; there is no login");
        }
        _ => log::info!("{name}: gives {what}"),
    }
}

/// Returns the first line of a stream of deltas, as the server of Signal K greets on its port 8375.
fn greeting(self_context: &str) -> String {
    let hello = json::object(|hello| {
        hello.text("name", "skiff").text("version", env!("CARGO_PKG_VERSION")).text("self", self_context);
        hello.list("roles", |roles| {
            roles.text("main").text("master");
        });
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        hello.text("timestamp", &UnixMillis(i64::try_from(wall.as_millis()).unwrap_or(0)).text());
    });
    format!("{hello}\n")
}
