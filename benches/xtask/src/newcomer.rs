//! The end of a newcomer's path: a package that was built is packed, installed into a gateway that runs, and its value is
//! read over REST.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process;

/// What the template's plugin tells.
const PATH: &str = "/signalk/v1/api/vessels/self/environment/depth/smallest";
/// Line with which a gateway says that it listens, before its address.
const LISTENS: &str = "Skiff listens on http://";
/// Longest wait for the value; the boat tells its depth twice a second.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time between two questions.
const PAUSE: Duration = Duration::from_millis(50);

/// Packs the package in `folder` and installs it into a gateway of its own, which plays `log` at the boat's pace; returns
/// the value that it serves.
///
/// # Errors
/// The step that failed, or that no value came, and what was served instead.
pub fn on_board(
    skiff: &dyn Fn() -> Command,
    folder: &Path,
    name: &str,
    log: &Path,
    home: &Path,
) -> Result<f64, String> {
    let packed = process::output(Command::new("npm").args(["pack", "--silent"]).current_dir(folder))?;
    let archive = folder.join(packed.lines().last().unwrap_or_default());
    let config = home.join("boat");
    if config.exists() {
        fs::remove_dir_all(&config).map_err(|error| format!("{}: {error}", config.display()))?;
    }
    let mut run = skiff();
    run.args(["run", "--listen", "127.0.0.1:0", "--config"]).arg(&config).arg("--input").arg(log);
    run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut gateway = run.spawn().map_err(|error| format!("cannot start skiff run: {error}"))?;
    let served = served(skiff, &mut gateway, &archive, name, &config);
    process::stop(&mut gateway);
    served
}

fn served(
    skiff: &dyn Fn() -> Command,
    gateway: &mut Child,
    archive: &Path,
    name: &str,
    config: &Path,
) -> Result<f64, String> {
    let authority = authority(gateway)?;
    // Not into the folder: what lies there is looked at when a gateway starts, and this one runs.
    process::output(skiff().args(["plugin", "install", "--grant", "all", "--config"]).arg(config).arg(archive))?;
    let began = Instant::now();
    loop {
        let answer = get(&authority, PATH).unwrap_or_else(|error| error.to_string());
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let leaf: Value = serde_json::from_str(body).unwrap_or_default();
        match leaf["value"].as_f64() {
            Some(value) if leaf["$source"] == name => return Ok(value),
            _ if began.elapsed() < PATIENCE => thread::sleep(PAUSE),
            _ => {
                let list = process::output(skiff().args(["plugin", "list", "--config"]).arg(config));
                return Err(format!("{name}: GET {PATH} gives no value of it but {answer}; plugins: {list:?}"));
            }
        }
    }
}

/// Waits until a gateway listens, and returns where. What it says later is read to the end, so that it never waits for a
/// reader.
fn authority(gateway: &mut Child) -> Result<String, String> {
    let Some(stderr) = gateway.stderr.take() else { return Err("no standard error".into()) };
    let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
    let found = lines.by_ref().find_map(|line| line.split_once(LISTENS).map(|(_, authority)| authority.to_owned()));
    thread::spawn(move || lines.for_each(drop));
    found.ok_or_else(|| "skiff run ended before it listened".to_owned())
}

/// Reads an address; the answer with its head.
fn get(authority: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
