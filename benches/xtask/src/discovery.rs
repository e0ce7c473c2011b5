//! Clients that find the gateway by mDNS: a boat and a phone in two network namespaces with a cable between them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::process;

/// The boat's address in its namespace.
const BOAT: &str = "10.9.0.1";
const PHONE: &str = "10.9.0.2";
/// What the boat is announced as.
const NAME: &str = "Finder";
const START_TIME: Duration = Duration::from_secs(60);
/// Time after which a gateway has told by itself what it offers. Of three services the first alone comes with the address then
/// (`mdns-sd` 0.21), and npm `bonjour` keeps none; answers to a question have it.
const ANNOUNCED_TIME: Duration = Duration::from_secs(3);
/// Rows that each script tells at least.
const ROWS: [usize; 2] = [6, 2];

/// Lets both clients look for a gateway; returns what each said and how many rows it owes.
///
/// # Errors
/// What cannot be started, or what a script said. `Ok(None)` where no namespace can be made.
pub fn run(skiff: &Path, folder: &Path, python: Option<&Path>) -> Result<Option<Vec<(String, usize)>>, String> {
    let Some(network) = Network::make() else { return Ok(None) };
    let config = folder.join("finder");
    let _ = fs::remove_dir_all(&config);
    process::write(&config.join("settings.json"), &format!("{{\"vessel\":{{\"name\":\"{NAME}\"}}}}"))?;
    let _gateway = Gateway::start(&network.boat, skiff, &config)?;
    let scripts = process::top().join("benches/xtask/clients");
    let mut node = network.on_phone("node");
    let mut said = vec![(
        process::output(node.arg(scripts.join("discovery.mjs")).arg(folder.join("node_modules")).args([BOAT, NAME]))?,
        ROWS[0],
    )];
    if let Some(packages) = python {
        let mut python = network.on_phone("python3");
        python.arg(scripts.join("discovery.py")).arg(BOAT).env("PYTHONPATH", packages);
        said.push((process::output(&mut python)?, ROWS[1]));
    }
    Ok(Some(said))
}

/// Two namespaces, removed when dropped.
struct Network {
    boat: String,
    phone: String,
}

impl Network {
    fn make() -> Option<Self> {
        let id = std::process::id();
        let network = Self { boat: format!("skiff-clients-b{id}"), phone: format!("skiff-clients-p{id}") };
        let Self { boat, phone } = &network;
        let mut steps = vec![
            format!("netns add {boat}"),
            format!("netns add {phone}"),
            format!("link add wlan netns {boat} type veth peer name wlan netns {phone}"),
        ];
        for (namespace, address) in [(boat, BOAT), (phone, PHONE)] {
            steps.push(format!("-n {namespace} link set lo up"));
            steps.push(format!("-n {namespace} address add {address}/24 dev wlan"));
            steps.push(format!("-n {namespace} link set wlan up"));
            // Without another route nobody knows where multicast goes.
            steps.push(format!("-n {namespace} route add 224.0.0.0/4 dev wlan"));
        }
        steps.iter().all(|step| ip(step)).then_some(network)
    }

    fn on_phone(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.phone, program]);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        ip(&format!("netns delete {}", self.boat));
        ip(&format!("netns delete {}", self.phone));
    }
}

fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split(' ')).output().is_ok_and(|output| output.status.success())
}

/// The gateway on the boat.
struct Gateway(Child);

impl Gateway {
    fn start(namespace: &str, skiff: &Path, config: &Path) -> Result<Self, String> {
        let log = config.join("said.log");
        let file = fs::File::create(&log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(skiff).args([
            "run",
            "--listen",
            "0.0.0.0:3000",
            "--guests",
            "read",
        ]);
        command.args(["--admin-listen", "none", "--config"]).arg(config).stdin(Stdio::null()).stderr(file);
        let started = Self(command.spawn().map_err(|error| format!("cannot start skiff: {error}"))?);
        let until = Instant::now() + START_TIME;
        while !fs::read_to_string(&log).is_ok_and(|said| said.contains("announced on the network")) {
            if Instant::now() > until {
                return Err(format!("the gateway was not announced: {}", fs::read_to_string(&log).unwrap_or_default()));
            }
            thread::sleep(Duration::from_millis(200));
        }
        thread::sleep(ANNOUNCED_TIME);
        Ok(started)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        process::stop(&mut self.0);
    }
}
