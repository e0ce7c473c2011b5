//! What goes to and comes from an MQTT broker, tried with Debian's Mosquitto and its own clients: a round trip from gateway to gateway,
//! PUT by topic, last will, an outage beside a broker that is always there, two brokers in a bridge, many boats at one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::series::{Gateway, Server, port, until};
use crate::{built, debian, process, sample};

/// Installed: nothing of it is started. The broker is unpacked alone.
const INSTALLED: [&str; 5] = ["curl", "openssl", "libwrap0", "libdlt2", "mosquitto-clients"];
/// Values that must have gone through an outage, so that the comparison says something.
const VALUES_MIN: usize = 2000;
/// Values of a boat.
const BOAT_VALUES: u32 = 20;
/// Frames of the sample that last for an outage of a minute.
const FRAMES_PER_MINUTE: usize = 60_000;

/// Runs `xtask mqtt`.
///
/// # Errors
/// What cannot be built or started, or what is not as it should be.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (mut boats, mut minutes) = (1000_u32, 0_u32);
    for pair in arguments.chunks(2) {
        match pair {
            [name, count] if name == "--boats" => boats = count.parse().map_err(|_| "--boats is a number")?,
            [name, count] if name == "--minutes" => minutes = count.parse().map_err(|_| "--minutes is a number")?,
            _ => return Err("there are --boats N and --minutes N".into()),
        }
    }
    let tools = process::target().join("mqtt-tools");
    if let Err(reason) = debian::packages(&INSTALLED).and_then(|()| debian::unpacked(&tools, &["mosquitto"])) {
        println!("SKIPPED, no broker was written to: {reason}");
        return Ok(());
    }
    let folder = process::target().join("mqtt");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let log = folder.join("boat.candump");
    sample::write(&log)?;
    let program = tools.join("usr/sbin/mosquitto");
    round_trip(&folder.join("trip"), &log, &program)?;
    outage(&folder.join("outage"), &log, &program, minutes)?;
    bridge(&folder.join("bridge"), &log, &program)?;
    fleet(&folder.join("fleet"), &program, boats)
}

/// A Mosquitto of the run's own.
struct Broker {
    folder: PathBuf,
    program: PathBuf,
    port: u16,
}

impl Broker {
    /// Makes its folder and settings; `more` are lines of them.
    fn new(folder: &Path, program: &Path, more: &str) -> Result<Self, String> {
        let port = port()?;
        let settings = format!(
            "listener {port} 127.0.0.1\nuser root\npersistence true\npersistence_location {}/\nmax_queued_messages 0\n\
             max_connections -1\n{more}\n",
            folder.display()
        );
        process::write(&folder.join("settings"), &settings)?;
        Ok(Self { folder: folder.to_owned(), program: program.to_owned(), port })
    }

    fn start(&self) -> Result<Server, String> {
        let mut command = Command::new(&self.program);
        let server = Server::start(command.arg("-c").arg(self.folder.join("settings")), &self.folder.join("log"))?;
        until("Mosquitto listens", || std::net::TcpStream::connect(("127.0.0.1", self.port)).ok())?;
        Ok(server)
    }

    fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Begins to read topics into a file: a line each, topic and payload. It comes back when the broker does, and misses nothing.
    fn read(&self, topic: &str, name: &str, more: &[&str]) -> Result<Reader, String> {
        let path = self.folder.join(name);
        let file = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut command =
            process::command("mosquitto_sub", ["-h", "127.0.0.1", "-F", "%t\t%p", "-q", "1", "-c", "-i", name]);
        command.args(["-p", &self.port.to_string(), "-t", topic]).args(more);
        let child = command.stdin(Stdio::null()).stdout(file).stderr(Stdio::null()).spawn();
        let child = child.map_err(|error| format!("mosquitto_sub: {error}"))?;
        Ok(Reader { child, path })
    }

    fn publish(&self, topic: &str, payload: &str) -> Result<(), String> {
        let port = self.port.to_string();
        let words = ["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic, "-m", payload];
        process::output(&mut process::command("mosquitto_pub", words)).map(drop)
    }
}

/// A `mosquitto_sub`.
struct Reader {
    child: Child,
    path: PathBuf,
}

impl Reader {
    /// Returns topic and payload of what came.
    fn lines(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let pairs = whole.lines().filter_map(|line| line.split_once('\t'));
        pairs.map(|(topic, payload)| (topic.to_owned(), payload.to_owned())).collect()
    }

    /// Waits until a topic that ends so has a payload with `part` in it; returns both.
    fn until(&self, topic: &str, part: &str) -> Result<(String, String), String> {
        until(&format!("{topic} tells {part}"), || {
            self.lines().into_iter().find(|(known, payload)| known.ends_with(topic) && payload.contains(part))
        })
    }

    /// Returns the values of each topic in their order, and how many came twice. A value is known by topic, time and itself.
    fn values(&self) -> (BTreeMap<String, Vec<String>>, usize) {
        let (mut values, mut seen, mut twice) = (BTreeMap::<String, Vec<String>>::new(), BTreeSet::new(), 0);
        for (topic, payload) in self.lines().into_iter().filter(|(_, payload)| payload.starts_with('{')) {
            if seen.insert((topic.clone(), payload.clone())) {
                values.entry(topic).or_default().push(payload);
            } else {
                twice += 1;
            }
        }
        (values, twice)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Of one that has ended already there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Over TLS with a certificate of its own, user and password: values from a gateway to another; PUT; sensors; the last will.
fn round_trip(folder: &Path, log: &Path, program: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let place = |name: &str| folder.join(name).display().to_string();
    let openssl =
        |words: &str| process::output(process::command("openssl", words.split(' ')).current_dir(folder)).map(drop);
    process::write(&folder.join("client.ext"), "subjectAltName=DNS:boat\nbasicConstraints=CA:FALSE\n")?;
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 -addext \
         subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem",
    )?;
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=boats -keyout ca.key -out ca.pem")?;
    openssl("req -newkey rsa:2048 -nodes -subj /CN=boat -keyout client.key -out client.csr")?;
    openssl(
        "x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile client.ext -out client.pem",
    )?;
    let [key, cert, ca, client_key, client] = ["key.pem", "cert.pem", "ca.pem", "client.key", "client.pem"].map(place);
    process::write(&folder.join("password"), "geheim\n")?;
    let tools = program.parent().and_then(Path::parent).ok_or("no tools")?;
    let users = place("users");
    process::output(Command::new(tools.join("bin/mosquitto_passwd")).args(["-b", "-c", &users, "boat", "geheim"]))?;
    let tls = port()?;
    let settings = format!(
        "per_listener_settings true\nallow_anonymous true\nlistener {tls} 127.0.0.1\nallow_anonymous false\npassword_file {users}\n\
         certfile {cert}\nkeyfile {key}\ncafile {ca}\nrequire_certificate true\nuse_identity_as_username false"
    );
    let broker = Broker::new(folder, program, &settings)?;
    // The first listener's own settings must stand before any other.
    let text = fs::read_to_string(folder.join("settings")).map_err(|error| error.to_string())?;
    let text = text.replace("per_listener_settings true\n", "");
    process::write(&folder.join("settings"), &format!("per_listener_settings true\n{text}"))?;
    let _server = broker.start()?;
    let reader = broker.read("#", "all", &[])?;
    let login = format!(
        "password_file={}&ca_file={cert}&cert_file={client}&key_file={client_key}&version=5",
        place("password")
    );
    let token = folder.join("sender/skiff/token");
    let output = format!(
        "mqtts://boat@127.0.0.1:{tls}?{login}&base=trip&discovery=homeassistant&put_token_file={}",
        token.display()
    );
    let skiff = built::tested()?;
    let words = ["token", "add", "reader", "--role", "readonly", "--config", &place("sender")];
    process::write(&folder.join("reader.token"), &process::output(Command::new(skiff).args(words))?)?;
    let reads = format!("{}?base=reads&every=60000&put_token_file={}", broker.url(), place("reader.token"));
    let sender = Gateway::start(&folder.join("sender"), Some(log), "1", &[output, reads])?;
    reader.until("trip/status", "online")?;
    let (_, depth) = reader.until("trip/environment/depth/belowTransducer", "\"value\":")?;
    let (_, sensor) = reader.until("environment_depth_belowTransducer/config", "\"device_class\":\"distance\"")?;
    let sensor: Value = serde_json::from_str(&sensor).map_err(|error| format!("{sensor}: {error}"))?;
    if sensor["state_topic"] != "trip/environment/depth/belowTransducer" || sensor["unit_of_measurement"] != "m" {
        return Err(format!("the sensor is {sensor}"));
    }
    let input = format!("{}?below=trip&map=shed/sensor,environment.inside.temperature,t,C", broker.url());
    let other = Gateway::with(&folder.join("receiver"), "1", &["--input", &input])?;
    let value = |path: &str| other.get(&format!("/signalk/v1/api/vessels/self/{path}")).ok();
    let from = until("the other gateway has the depth", || {
        value("environment/depth/belowTransducer")?["$source"].as_str().map(str::to_owned)
    })?;
    broker.publish("shed/sensor", r#"{"t":20,"battery":88}"#)?;
    let warm =
        until("the other gateway has the temperature", || value("environment/inside/temperature")?["value"].as_f64())?;
    if from != "mqtt-127-0-0-1.mqtt" || (warm - 293.15).abs() > 1e-9 {
        return Err(format!("source {from}, {warm} K"));
    }
    put(&broker, &reader, &sender)?;
    sender.server.signal("-KILL")?;
    reader.until("trip/status", "offline")?;
    println!(
        "over TLS with user and certificate: {depth} came through; sensor, PUT and last will are as they should be"
    );
    Ok(())
}

/// The owner's token sets meta; one that reads is refused; what is no JSON is told.
fn put(broker: &Broker, reader: &Reader, sender: &Gateway) -> Result<(), String> {
    let path = "environment/depth/belowTransducer/meta/displayName";
    broker.publish(&format!("trip/put/{path}"), r#"{"value":"Depth","requestId":"one"}"#)?;
    let (_, answer) = reader.until("trip/answers", "\"requestId\":\"one\"")?;
    let meta = sender.get("/signalk/v1/api/vessels/self/environment/depth/belowTransducer/meta")?;
    if !answer.contains("\"statusCode\":200") || meta["displayName"] != "Depth" {
        return Err(format!("PUT is answered {answer}, and meta is {meta}"));
    }
    broker.publish(&format!("trip/put/{path}"), "no JSON")?;
    reader.until("trip/answers", "\"statusCode\":400")?;
    reader.until("reads/status", "online")?;
    broker.publish(&format!("reads/put/{path}"), r#"{"value":"Other","requestId":"two"}"#)?;
    let (_, answer) = reader.until("reads/answers", "\"requestId\":\"two\"")?;
    if !answer.contains("\"statusCode\":403") {
        return Err(format!("PUT with a token that reads is answered {answer}"));
    }
    Ok(())
}

/// One broker is killed and comes back; the other is always there. Every value of the one is there once, in its order.
fn outage(folder: &Path, log: &Path, program: &Path, minutes: u32) -> Result<(), String> {
    let anonymous = "allow_anonymous true";
    let broken = Broker::new(&folder.join("broken"), program, anonymous)?;
    let whole = Broker::new(&folder.join("whole"), program, anonymous)?;
    let (_always, first) = (whole.start()?, broken.start()?);
    let (reader, reference) = (broken.read("boat/#", "reader", &[])?, whole.read("boat/#", "reference", &[])?);
    let mut played = log.to_owned();
    if minutes > 0 {
        played = folder.join("long.candump");
        let frames = usize::try_from(minutes).unwrap_or(1).saturating_mul(FRAMES_PER_MINUTE);
        sample::write_frames(&played, frames)?;
    }
    let outputs = [&broken, &whole].map(|broker| format!("{}?base=boat&every=0", broker.url()));
    let gateway =
        Gateway::start(&folder.join("gateway"), Some(&played), if minutes > 0 { "1" } else { "8" }, &outputs)?;
    until("both take values", || (gateway.number(0, "bytes") > 0 && gateway.number(1, "bytes") > 0).then_some(()))?;
    // Takes what is sent and says nothing, then is gone.
    first.signal("-STOP")?;
    let before = gateway.number(1, "bytes");
    until("the bus goes on", || (gateway.number(1, "bytes") > before + (1 << 16)).then_some(()))?;
    first.signal("-CONT")?;
    first.signal("-TERM")?;
    until("the gateway says so", || (gateway.status().ok()?["outputs"][0]["state"] == "waiting").then_some(()))?;
    drop(first);
    let (down, mut rss) = (Instant::now(), (u64::MAX, 0));
    while down.elapsed() < Duration::from_secs(60 * u64::from(minutes)) {
        let now = resident(&gateway)?;
        rss = (rss.0.min(now), rss.1.max(now));
        thread::sleep(Duration::from_secs(1));
    }
    let over = Instant::now() + Duration::from_secs(120 + 60 * u64::from(minutes));
    while gateway.status()?["inputs"][0]["state"] != "ended" {
        if minutes > 0 || Instant::now() > over {
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    let waiting = gateway.number(0, "lines");
    let _again = broken.start()?;
    until("everything is there", || {
        let ended = minutes > 0 || gateway.status().ok()?["inputs"][0]["state"] == "ended";
        let (here, there) = (reader.values().0, reference.values().0);
        let count = |values: &BTreeMap<String, Vec<String>>| values.values().map(Vec::len).sum::<usize>();
        (ended && count(&here) >= VALUES_MIN && (minutes > 0 || count(&here) == count(&there))).then_some(())
    })?;
    let (here, twice) = reader.values();
    let (there, _) = reference.values();
    let dropped = gateway.status()?["outputs"][0]["dropped"].clone();
    let mut compared = 0;
    for (topic, wanted) in &there {
        let got = here.get(topic).map_or(&[][..], Vec::as_slice);
        let both = got.len().min(wanted.len());
        if (minutes == 0 && got.len() != wanted.len()) || got[..both] != wanted[..both] {
            return Err(format!("{topic}: {} values of {}, or in another order", got.len(), wanted.len()));
        }
        compared += both;
    }
    if dropped["not_sent"] != 0 || dropped["no_room"] != 0 || compared < VALUES_MIN {
        return Err(format!("{compared} values, dropped {dropped}"));
    }
    println!(
        "Mosquitto stopped, ended, started again: {compared} values ({waiting} lines made by then) are there in their order, {twice} came twice"
    );
    if minutes > 0 {
        println!("down for {minutes} min: resident memory from {} to {} KiB", rss.0, rss.1);
    }
    Ok(())
}

/// Returns KiB of memory that a gateway has.
fn resident(gateway: &Gateway) -> Result<u64, String> {
    let text =
        fs::read_to_string(format!("/proc/{}/status", gateway.server.id())).map_err(|error| error.to_string())?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    line.trim().trim_end_matches(" kB").parse().map_err(|_| format!("VmRSS: {line}"))
}

/// What is published at one broker is read at the other.
fn bridge(folder: &Path, log: &Path, program: &Path) -> Result<(), String> {
    let near = Broker::new(&folder.join("near"), program, "allow_anonymous true")?;
    let over = format!(
        "allow_anonymous true\nconnection ashore\naddress 127.0.0.1:{}\ntopic signalk/# in 1\ncleansession false\nrestart_timeout 1",
        near.port
    );
    let far = Broker::new(&folder.join("far"), program, &over)?;
    let (_near, _far) = (near.start()?, far.start()?);
    let reader = far.read("signalk/#", "reader", &[])?;
    let output = format!("{}?payload=delta&version=5", near.url());
    let gateway = Gateway::start(&folder.join("gateway"), Some(log), "4", &[output])?;
    let (topic, delta) = reader.until("/delta", "navigation.speedOverGround")?;
    let ashore = Gateway::with(
        &folder.join("ashore"),
        "1",
        &["--input", &format!("{}?deltas=signalk/vessels/%2B/delta", far.url()).replace("%2B", "+")],
    )?;
    let vessels = until("the gateway ashore knows the boat", || {
        let all = ashore.get("/signalk/v1/api/vessels").ok()?;
        let found = all.as_object()?.iter().find(|(name, _)| topic.contains(name.as_str()))?;
        found.1["navigation"]["speedOverGround"]["$source"].as_str().map(str::to_owned)
    })?;
    drop(gateway);
    println!("two brokers in a bridge: a delta of {} bytes in {topic}; ashore its source is {vessels}", delta.len());
    Ok(())
}

/// So many boats at one broker.
fn fleet(folder: &Path, program: &Path, boats: u32) -> Result<(), String> {
    let broker = Broker::new(folder, program, "allow_anonymous true")?;
    let _server = broker.start()?;
    let reader = broker.read("signalk/vessels/+/navigation/speedOverGround", "reader", &[])?;
    let place = format!("127.0.0.1:{}", broker.port);
    let example = built::example("boats")?;
    let words = [place, boats.to_string(), BOAT_VALUES.to_string()];
    let said = process::output(Command::new(example).args(&words))?;
    let all = usize::try_from(boats).unwrap_or(0) * usize::try_from(BOAT_VALUES).unwrap_or(0);
    until("every value of every boat was read", || (reader.lines().len() >= all).then_some(()))?;
    let (values, twice) = reader.values();
    if values.len() != usize::try_from(boats).unwrap_or(0) || twice > 0 {
        return Err(format!("{} boats, {twice} values twice", values.len()));
    }
    println!("{said}");
    Ok(())
}
