//! What goes out of the gateway to servers of time series, tried with Debian's own: InfluxDB, which accepts and takes nothing, is
//! killed and comes back, beside one that is always there; VictoriaMetrics; Prometheus, which reads `/metrics`.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{built, debian, process, sample};

const PACKAGES: [&str; 3] = ["influxdb", "prometheus", "victoria-metrics"];
/// Time in which a server answers, or a number is reached.
const PATIENCE: Duration = Duration::from_secs(90);
/// Lines that must have gone through, so that the comparison says something.
const LINES_MIN: u64 = 5000;

/// Runs `xtask series`.
///
/// # Errors
/// What cannot be built or started, or what is not as it should be.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("there are no arguments".into());
    }
    let tools = process::target().join("series-tools");
    let programs = tools.join("usr/bin");
    if let Err(reason) = debian::packages(&["curl"]).and_then(|()| debian::unpacked(&tools, &PACKAGES)) {
        println!("SKIPPED, no server of time series was written to: {reason}");
        return Ok(());
    }
    let folder = process::target().join("series");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let log = folder.join("boat.candump");
    sample::write(&log)?;
    outage(&folder, &log, &programs)?;
    victoria(&folder, &log, &programs)?;
    prometheus(&folder, &log, &programs)
}

/// A program that is stopped with this.
pub struct Server(Child);

impl Server {
    /// Starts it; what it says goes to `log`.
    ///
    /// # Errors
    /// What the system said.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self, String> {
        let file = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
        let other = file.try_clone().map_err(|error| error.to_string())?;
        let child = command.stdin(Stdio::null()).stdout(file).stderr(other).spawn();
        child.map(Self).map_err(|error| format!("{:?}: {error}", command.get_program()))
    }

    /// Returns the number of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// What `kill` said.
    pub fn signal(&self, name: &str) -> Result<(), String> {
        process::output(&mut process::command("kill", [name, &self.0.id().to_string()])).map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of one that has ended already there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns a port that is free now.
///
/// # Errors
/// What the system said.
pub fn port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

fn asked(url: &str, arguments: &[&str]) -> Result<String, String> {
    process::output(process::command("curl", ["-sS", "--max-time", "10"]).args(arguments).arg(url))
}

/// Asks again and again until an answer is right.
///
/// # Errors
/// That it never was.
pub fn until<T>(what: &str, mut question: impl FnMut() -> Option<T>) -> Result<T, String> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = question() {
            return Ok(answer);
        }
        if Instant::now() > end {
            return Err(format!("{what}: not within {} s", PATIENCE.as_secs()));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// An InfluxDB of the run's own.
struct Influx {
    folder: PathBuf,
    program: PathBuf,
    port: u16,
}

impl Influx {
    fn new(folder: PathBuf, programs: &Path) -> Result<Self, String> {
        let (port, own) = (port()?, port()?);
        let place = folder.display();
        let settings = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{own}\"\n[meta]\ndir = \"{place}/meta\"\n[data]\ndir = \
             \"{place}/data\"\nwal-dir = \"{place}/wal\"\n[http]\nbind-address = \"127.0.0.1:{port}\"\nlog-enabled = \
             false\n[monitor]\nstore-enabled = false\n"
        );
        process::write(&folder.join("influxdb.conf"), &settings)?;
        Ok(Self { folder, program: programs.join("influxd"), port })
    }

    fn start(&self) -> Result<Server, String> {
        let mut command = Command::new(&self.program);
        command.arg("-config").arg(self.folder.join("influxdb.conf"));
        let server = Server::start(&mut command, &self.folder.join("log"))?;
        until("InfluxDB answers", || self.query("CREATE DATABASE boat").ok())?;
        Ok(server)
    }

    fn query(&self, text: &str) -> Result<Value, String> {
        let url = format!("http://127.0.0.1:{}/query?db=boat", self.port);
        let said = asked(&url, &["--data-urlencode", &format!("q={text}")])?;
        serde_json::from_str(&said).map_err(|error| format!("{said}: {error}"))
    }

    /// Returns how many values there are of each field of each measurement.
    fn counts(&self) -> Result<Value, String> {
        Ok(self.query("SELECT count(*) FROM /.*/")?["results"][0]["series"].clone())
    }

    fn output(&self) -> String {
        format!("influx://127.0.0.1:{}?db=boat&every=0", self.port)
    }
}

/// A gateway that plays the sample.
pub struct Gateway {
    /// Its process.
    pub server: Server,
    /// Where it answers.
    pub url: String,
    /// The owner's.
    pub token: String,
}

impl Gateway {
    /// Starts one in a folder, with these outputs.
    ///
    /// # Errors
    /// It does not answer.
    pub fn start(folder: &Path, log: Option<&Path>, speed: &str, outputs: &[String]) -> Result<Self, String> {
        let log = log.map(|log| log.display().to_string());
        let inputs = log.iter().flat_map(|log| ["--input", log]);
        let all: Vec<&str> = inputs.chain(outputs.iter().flat_map(|output| ["--output", output])).collect();
        Self::with(folder, speed, &all)
    }

    /// Starts one with these arguments.
    ///
    /// # Errors
    /// It does not answer.
    pub fn with(folder: &Path, speed: &str, arguments: &[&str]) -> Result<Self, String> {
        let url = format!("127.0.0.1:{}", port()?);
        let mut command = Command::new(built::tested()?);
        command.args(["run", "--listen", &url, "--speed", speed, "--config"]).arg(folder).args(arguments);
        let server = Server::start(&mut command, &folder.with_extension("log"))?;
        let token = folder.join("skiff/token");
        let token = until("the gateway has a token", || fs::read_to_string(&token).ok())?.trim().to_owned();
        let gateway = Self { server, url: format!("http://{url}"), token };
        until("the gateway answers", || gateway.status().ok())?;
        Ok(gateway)
    }

    /// Returns its status.
    ///
    /// # Errors
    /// It does not answer.
    pub fn status(&self) -> Result<Value, String> {
        self.get("/skiff/v1/status")
    }

    /// Returns what it answers there.
    ///
    /// # Errors
    /// Nothing, or no JSON.
    pub fn get(&self, path: &str) -> Result<Value, String> {
        let header = format!("authorization: Bearer {}", self.token);
        let said = asked(&format!("{}{path}", self.url), &["-H", &header])?;
        serde_json::from_str(&said).map_err(|error| format!("{said}: {error}"))
    }

    /// Returns a number of an output.
    pub fn number(&self, output: usize, name: &str) -> u64 {
        self.status().ok().and_then(|status| status["outputs"][output][name].as_u64()).unwrap_or_default()
    }
}

/// One InfluxDB takes nothing, is killed and comes back; the other is always there. The gateway ends in between, too.
fn outage(folder: &Path, log: &Path, programs: &Path) -> Result<(), String> {
    let (broken, whole) = (Influx::new(folder.join("broken"), programs)?, Influx::new(folder.join("whole"), programs)?);
    let _always = whole.start()?;
    let first = broken.start()?;
    let config = folder.join("boat");
    let outputs = [broken.output(), whole.output()];
    let gateway = Gateway::start(&config, Some(log), "8", &outputs)?;
    until("both take lines", || (gateway.number(0, "bytes") > 0 && gateway.number(1, "bytes") > 0).then_some(()))?;
    first.signal("-STOP")?;
    let before = gateway.number(1, "bytes");
    until("the bus goes on", || (gateway.number(1, "bytes") > before + (1 << 20)).then_some(()))?;
    drop(first);
    until("the gateway says so", || (gateway.status().ok()?["outputs"][0]["state"] == "waiting").then_some(()))?;
    until("the log is over", || (gateway.status().ok()?["inputs"][0]["state"] == "ended").then_some(()))?;
    let lines = gateway.number(1, "lines");
    until("the other has all", || (gateway.number(1, "bytes") > 0 && settled(&whole, lines)).then_some(()))?;
    gateway.server.signal("-TERM")?;
    let mut ended = gateway;
    ended.server.0.wait().map_err(|error| error.to_string())?;
    drop(ended);
    let _again = broken.start()?;
    let gateway = Gateway::start(&config, None, "8", &outputs)?;
    until("everything is there", || {
        let is_same = broken.counts().ok()? == whole.counts().ok()?;
        (is_same && settled(&broken, lines) && !waits(&config)).then_some(())
    })?;
    let dropped = gateway.status()?["outputs"][0]["dropped"].clone();
    if lines < LINES_MIN || dropped["not_sent"] != 0 || dropped["no_room"] != 0 {
        return Err(format!("{lines} lines, dropped {dropped}"));
    }
    println!(
        "InfluxDB stopped, killed, started again, the gateway ended in between: all of {lines} lines are there, once"
    );
    Ok(())
}

/// Tells whether lines of an output wait in files.
fn waits(config: &Path) -> bool {
    let folders = fs::read_dir(config.join("skiff/outputs")).into_iter().flatten().flatten();
    folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten()).next().is_some()
}

/// Tells whether a server has as many values as there were lines, or more: a position has two.
fn settled(server: &Influx, lines: u64) -> bool {
    let Ok(counts) = server.counts() else { return false };
    let rows = counts.as_array().into_iter().flatten().filter_map(|row| row["values"][0].as_array());
    let values: u64 = rows.flat_map(|row| row.iter().skip(1)).filter_map(Value::as_u64).sum();
    values >= lines
}

fn victoria(folder: &Path, log: &Path, programs: &Path) -> Result<(), String> {
    let port = port()?;
    let mut command = Command::new(programs.join("victoria-metrics"));
    command.arg(format!("-storageDataPath={}", folder.join("victoria").display()));
    // The sample is of a day that is gone.
    command.args([&format!("-httpListenAddr=127.0.0.1:{port}"), "-retentionPeriod=100y"]);
    let _server = Server::start(&mut command, &folder.join("victoria.log"))?;
    let outputs = [format!("influx://127.0.0.1:{port}?db=boat")];
    let _gateway = Gateway::start(&folder.join("with-victoria"), Some(log), "8", &outputs)?;
    let url = format!("http://127.0.0.1:{port}/api/v1/export");
    let wanted = ["--data-urlencode", "match[]={__name__=\"environment.depth.belowTransducer_value\"}"];
    let line = until("VictoriaMetrics has a depth", || asked(&url, &wanted).ok().filter(|text| !text.is_empty()))?;
    println!("VictoriaMetrics: {}", line.lines().next().unwrap_or_default().chars().take(200).collect::<String>());
    Ok(())
}

fn prometheus(folder: &Path, log: &Path, programs: &Path) -> Result<(), String> {
    let config = folder.join("with-prometheus");
    let (from, to) = (process::top().join("plugins/rust/true-wind"), config.join("node_modules/@skiff/true-wind"));
    for file in ["package.json", "plugin.wasm", "plugin-small.wasm"] {
        process::copy(&from.join(file), &to.join(file))?;
    }
    process::write(&config.join("plugin-config-data/_skiff_true-wind.json"), "{\"enabled\":true}")?;
    let gateway = Gateway::start(&config, Some(log), "1", &[])?;
    let header = format!("authorization: Bearer {}", gateway.token);
    let text = asked(&format!("{}/metrics", gateway.url), &["-H", &header])?;
    process::write(&folder.join("metrics"), &text)?;
    let metrics = File::open(folder.join("metrics")).map_err(|error| error.to_string())?;
    process::output(Command::new(programs.join("promtool")).args(["check", "metrics"]).stdin(metrics))?;
    let (port, host) = (port()?, gateway.url.trim_start_matches("http://"));
    let settings = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs:\n  - job_name: skiff\n    authorization: {{ credentials: {} \
         }}\n    static_configs: [{{ targets: [\"{host}\"] }}]\n",
        gateway.token
    );
    process::write(&folder.join("prometheus.yml"), &settings)?;
    let mut command = Command::new(programs.join("prometheus"));
    command.arg("--config.file").arg(folder.join("prometheus.yml"));
    command.arg("--storage.tsdb.path").arg(folder.join("prometheus"));
    command.args([format!("--web.listen-address=127.0.0.1:{port}")]);
    let _server = Server::start(&mut command, &folder.join("prometheus.log"))?;
    let url = format!("http://127.0.0.1:{port}/api/v1/query");
    let query = |text: &str| -> Option<Value> {
        let said = asked(&url, &["-G", "--data-urlencode", &format!("query={text}")]).ok()?;
        let answer: Value = serde_json::from_str(&said).ok()?;
        (answer["status"] == "success").then(|| answer["data"]["result"].clone())
    };
    let rate = until("Prometheus knows the rate of frames", || {
        query("rate(skiff_frames_total[10s]) > 0")?.get(0).map(|row| row["value"][1].clone())
    })?;
    let dashboard = fs::read_to_string(process::top().join("hal-linux/dist/grafana-skiff.json"));
    let dashboard: Value = serde_json::from_str(&dashboard.map_err(|error| error.to_string())?)
        .map_err(|error| format!("the dashboard: {error}"))?;
    let mut asked_for = 0;
    for panel in dashboard["panels"].as_array().into_iter().flatten() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = target["expr"].as_str().unwrap_or_default();
            let text = text.replace("$gateway", ".*").replace("$__rate_interval", "10s");
            // Only what is lost has a line there; the others have one as soon as they were read twice.
            let needs_line = !text.contains("drops");
            until(&format!("{}: {text}", panel["title"]), || {
                query(&text).filter(|rows| !needs_line || rows.as_array().is_some_and(|rows| !rows.is_empty()))
            })?;
            asked_for += 1;
        }
    }
    println!("Prometheus: {rate} frames/s; {asked_for} questions of the dashboard answered");
    Ok(())
}
