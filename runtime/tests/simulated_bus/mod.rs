//! Gateways on one simulated bus with a virtual clock of 1 ms.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::fmt::Write;
use std::time::Duration;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::N2K_FILE;
use skiff_runtime::gateway::{Boot, Gateway};
use skiff_runtime::hal::sim::{SimCan, SimClock, SimRng, SimStorage};
use skiff_runtime::hal::{CanFrame, CanPort, Clock, Hal, Key, Storage};
use skiff_runtime::replay::SELF_CONTEXT;
use skiff_runtime::server::Access;
use skiff_runtime::time::UnixMillis;

/// A gateway, and what its interface and storage hold.
pub struct Station {
    pub gateway: Gateway,
    pub can: SimCan,
    pub storage: SimStorage,
}

pub struct Bus {
    pub gateways: Vec<Station>,
    pub clock: SimClock,
    /// What the gateways sent, as `ID#DATA`.
    pub frames: Vec<String>,
}

/// Writes a frame as candump does.
pub fn hex(frame: &CanFrame) -> String {
    let mut text = format!("{:08X}#", frame.id());
    frame.data().iter().for_each(|byte| write!(text, "{byte:02X}").expect("into a String"));
    text
}

fn station(clock: &SimClock, can: SimCan, storage: SimStorage, seed: u64, node: Option<&str>, send: &str) -> Station {
    let mut kept = storage.clone();
    if let Some(node) = node {
        let node = node.replacen('{', if node == "{}" { r#"{"enabled":true"# } else { r#"{"enabled":true,"# }, 1);
        let text = format!(r#"{{"node":{node},"send":{send}}}"#);
        kept.replace(&Key::parse(N2K_FILE).expect("a key"), text.as_bytes()).expect("written");
    }
    let hal = Hal {
        clock: Box::new(clock.clone()),
        rng: Box::new(SimRng::new(seed)),
        storage: Box::new(storage.clone()),
        network: None,
        fetch: None,
        serial: None,
        can: vec![CanPort { label: "can0".into(), can: Box::new(can.clone()) }],
    };
    let boot = Boot {
        self_context: Some(SELF_CONTEXT.into()),
        access: Some(Access::with_new_token(&mut SimRng::new(1)).0),
        allow_anyone: true,
        ..Boot::new(Limits::of(Board::Linux), "0.1.0")
    };
    let gateway = Gateway::boot(hal, boot).expect("the test's own configuration").gateway;
    Station { gateway, can, storage }
}

impl Bus {
    /// One gateway for each entry: the members of `node`, or `None` where it only listens.
    pub fn new(nodes: &[Option<&str>]) -> Self {
        let clock = SimClock::new(UnixMillis::from_civil(2026, 6, 1, 0));
        let build = |(seed, node): (u64, &Option<&str>)| {
            station(&clock, SimCan::with_queue(4096), SimStorage::new(), seed, *node, "[]")
        };
        let gateways = (1..).zip(nodes).map(build).collect();
        Self { gateways, clock, frames: Vec::new() }
    }

    /// One gateway that sends these paths, a JSON list.
    pub fn sending(send: &str) -> Self {
        let clock = SimClock::new(UnixMillis::from_civil(2026, 6, 1, 0));
        let gateways = vec![station(&clock, SimCan::with_queue(4096), SimStorage::new(), 1, Some("{}"), send)];
        Self { gateways, clock, frames: Vec::new() }
    }

    /// Builds a gateway anew on the storage it had.
    pub fn restart(&mut self, index: usize, node: Option<&str>) {
        let Station { can, storage, .. } = self.gateways.remove(index);
        self.gateways.insert(index, station(&self.clock, can, storage, 99, node, "[]"));
    }

    /// Another device sends.
    pub fn inject(&self, frame: &CanFrame) {
        self.gateways.iter().for_each(|station| station.can.inject(*frame, self.clock.now()));
    }

    /// Lets time pass, ms by ms; what one gateway sends the others receive.
    pub fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            for index in 0..self.gateways.len() {
                self.gateways[index].gateway.poll();
                for frame in self.gateways[index].can.take_sent() {
                    self.frames.push(hex(&frame));
                    for (other, station) in self.gateways.iter().enumerate() {
                        if other != index {
                            station.can.inject(frame, self.clock.now());
                        }
                    }
                }
            }
            self.clock.advance(Duration::from_millis(1));
        }
    }

    pub fn status(&self, index: usize) -> String {
        self.gateways[index].gateway.status_json()
    }

    fn node(&self, index: usize) -> String {
        let status = self.status(index);
        let (_, node) = status.split_once("\"node\":{").expect("a node");
        node.split_once('}').expect("an object").0.to_owned()
    }

    /// Returns the address that may be used.
    pub fn address(&self, index: usize) -> Option<u8> {
        let node = self.node(index);
        let (_, address) = node.split_once("\"address\":")?;
        let is_claimed = node.contains(r#""state":"claimed""#);
        address.split(',').next()?.parse().ok().filter(|_| is_claimed)
    }

    pub fn name(&self, index: usize) -> String {
        let node = self.node(index);
        let (_, name) = node.split_once("\"name\":\"").expect("a NAME");
        name[..16].to_owned()
    }

    /// The NAME as it stands in a claim.
    pub fn payload_of_name(&self, index: usize) -> String {
        let name = u64::from_str_radix(&self.name(index), 16).expect("hexadecimal");
        name.to_le_bytes().iter().map(|byte| format!("{byte:02X}")).collect()
    }
}
