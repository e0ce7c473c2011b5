//! The mock world: everything a plugin can reach, written down.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;
use core::task::Poll;

use super::lines::Lines;
use super::network::{MockSockets, Sent};
use super::script::{CannedAnswer, Scenario};
use crate::budget::PluginLimits;
use crate::config::SAMPLE_SELF_CONTEXT;
use crate::delta::{Delta, DeltaVersion, Stamp, Value, ValueSink};
use crate::host::fetch::{FetchRequest, Fetched, Ticket};
use crate::host::sockets::Sockets;
use crate::host::{Arrival, HostCall, Registration, Services, Values, short_sha256};
use crate::json;
use crate::time::{Instant, UnixMillis};
use crate::vfs::{Medium, MemoryMedium};
use skiff_abi::import;

/// Time a poll adds to both clocks, milliseconds.
const POLL_STEP_MS: u64 = 1000;

/// The world of one scenario.
pub(super) struct World<'s> {
    pub(super) lines: Lines<'s>,
    package: String,
    wall: UnixMillis,
    monotonic_ms: u64,
    random: u32,
    self_paths: BTreeMap<String, String>,
    /// The configuration that was saved.
    saved: Option<String>,
    config_bytes_max: usize,
    files: MemoryMedium,
    pub(super) sockets: MockSockets,
    canned: Vec<CannedAnswer>,
    fetched: BTreeMap<u32, Fetched>,
    last_ticket: u32,
    /// Answers to asynchronous fetches that the plugin has not got yet, each with the guest's number.
    pub(super) callbacks: VecDeque<(Fetched, i32)>,
    pub(super) offers: Offers,
}

/// The plugin's offers since it was started.
#[derive(Default)]
pub(super) struct Offers {
    /// Context and path of PUT handlers.
    pub puts: BTreeSet<(String, String)>,
    /// Resource types.
    pub resources: BTreeSet<String>,
    pub weather: bool,
    pub radar: bool,
}

impl<'s> World<'s> {
    pub(super) fn new(scenario: &Scenario, limits: &PluginLimits, lines: Lines<'s>) -> Self {
        Self {
            lines,
            package: scenario.package.clone(),
            wall: UnixMillis(scenario.wall_ms),
            monotonic_ms: 0,
            // xorshift never leaves zero; the reference host shows zeros then, and so do we.
            random: scenario.seed,
            self_paths: scenario.self_paths.clone(),
            saved: None,
            config_bytes_max: limits.config_bytes_max as usize,
            files: MemoryMedium::default(),
            sockets: MockSockets::new(scenario),
            canned: scenario.fetch.clone(),
            fetched: BTreeMap::new(),
            last_ticket: 0,
            callbacks: VecDeque::new(),
            offers: Offers::default(),
        }
    }

    /// Forgets what an instance had: sockets, offers, requests on their way.
    pub(super) fn withdraw(&mut self) {
        self.sockets.close_all();
        self.offers = Offers::default();
        self.callbacks.clear();
        self.fetched.clear();
    }

    /// Shows what the sockets have sent; it stands before the host call that sent it.
    fn show_sent(&mut self) {
        for sent in self.sockets.take_sent() {
            match sent {
                Sent::Datagram { id, host, port, data } => {
                    let hex = data.iter().fold(String::new(), |mut hex, byte| {
                        // Writing into a String cannot fail.
                        let _ = write!(hex, "{byte:02x}");
                        hex
                    });
                    let to = format!("{host}:{port}");
                    self.lines.app("udp-send", |line| line.number("id", id).text("to", &to).text("hex", &hex));
                }
                Sent::Connect { id, host, port } => {
                    let to = format!("{host}:{port}");
                    self.lines.app("tcp-connect", |line| line.number("id", id).text("to", &to));
                }
            }
        }
    }

    /// Answers a request as the scenario has it: the first prefix that fits, else nobody is there.
    fn answer(&mut self, request: &FetchRequest) -> Fetched {
        let hit = self.canned.iter().find(|canned| request.url.starts_with(&canned.prefix));
        let status = hit.map_or_else(|| "\"refused\"".to_string(), |hit| hit.status.to_string());
        let fetched = hit.map_or_else(Fetched::default, |hit| Fetched {
            status: hit.status,
            redirected: false,
            body: hit.body.clone().into_bytes(),
        });
        self.lines.app("fetch", |line| {
            line.text("method", request.method.name()).text("url", &request.url).json("status", &status)
        });
        fetched
    }

    /// Tells a guest the values of a delta; true where it has something that is no input.
    pub(super) fn tell(&self, delta: &str, values: &mut Values) -> bool {
        let stamp = Stamp { source_ref: "", self_context: SAMPLE_SELF_CONTEXT, now: self.wall };
        let Ok(delta) = Delta::parse(delta, &stamp) else { return true };
        let arrival = Arrival {
            self_context: SAMPLE_SELF_CONTEXT,
            own_source: &self.package,
            now: self.monotonic(),
            wall: UnixMillis::UNKNOWN,
            hops: 0,
        };
        values.take_in(&delta, &arrival)
    }

    /// Lets a second pass, as a poll step does before its call.
    pub(super) fn pass_second(&mut self) {
        self.wall.0 = self.wall.0.saturating_add(i64::try_from(POLL_STEP_MS).unwrap_or(0));
        self.monotonic_ms = self.monotonic_ms.saturating_add(POLL_STEP_MS);
    }
}

impl Services for World<'_> {
    fn wall(&self) -> UnixMillis {
        self.wall
    }

    fn monotonic(&self) -> Instant {
        Instant::from_millis(self.monotonic_ms)
    }

    fn random(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.random_word().to_le_bytes()[0];
        }
    }

    /// xorshift32 with the shifts 13, 17, 5.
    fn random_word(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }

    fn observe(&mut self, call: HostCall) {
        self.show_sent();
        if call.module == import::WASI {
            self.lines.of_call("wasi", |line| {
                line.text("fn", call.name).json("ret", &call.ret);
                if let Some(text) = &call.written {
                    line.text("text", text);
                }
            });
        } else {
            let name =
                if call.module == import::ENV { call.name.to_string() } else { [call.module, call.name].join(".") };
            self.lines.of_call("host", |line| {
                line.text("fn", &name).json("args", &call.args).json("ret", &call.ret).json("raw", &call.raw);
            });
        }
    }

    fn overlook(&mut self, calls: u64) {
        self.lines.leave_out(calls);
    }

    fn log(&mut self, _: log::Level, _: &str) {
        // Each line a plugin logs is a host or WASI line already.
    }

    fn set_status(&mut self, text: &str) {
        self.lines.app("status", |line| line.text("msg", text));
    }

    fn set_error(&mut self, text: &str) {
        self.lines.app("error", |line| line.text("msg", text));
    }

    fn read_config(&mut self) -> Option<String> {
        self.saved.clone()
    }

    fn save_config(&mut self, text: &str) -> bool {
        if text.len() > self.config_bytes_max {
            return false;
        }
        let Ok(config) = json::compact(text) else { return false };
        self.lines.app("save-config", |line| line.json("config", &config));
        self.saved = Some(config);
        true
    }

    fn emit(&mut self, delta: &str, version: DeltaVersion) {
        // What is no JSON is dropped, as in a gateway.
        let Ok(delta) = json::compact(delta) else { return };
        let number = if version == DeltaVersion::V2 { 2 } else { 1 };
        let package = self.package.clone();
        self.lines.app("delta", |line| line.text("from", &package).number("v", number).json("delta", &delta));
    }

    fn publish(&mut self, _: usize, rows: &mut dyn FnMut(&mut dyn ValueSink)) {
        let mut entries = Entries(Vec::new());
        rows(&mut entries);
        if !entries.0.is_empty() {
            self.emit(&one_update("values", &entries.0), DeltaVersion::V1);
        }
    }

    fn refuse(&mut self, count: u64, clause: &str) {
        self.lines.app("refused", |line| line.number("count", count).text("msg", clause));
    }

    fn self_path(&mut self, path: &str) -> Option<String> {
        self.self_paths.get(path).and_then(|value| json::compact(value).ok())
    }

    fn path(&mut self, path: &str) -> Option<String> {
        let below_self = path.strip_prefix("vessels.self.").or_else(|| path.strip_prefix("self."))?;
        self.self_path(below_self)
    }

    fn publish_notification(&mut self, path: &str, value: &str) -> bool {
        let delta = one_entry("values", path, value);
        self.emit(&delta, DeltaVersion::V1);
        true
    }

    fn register(&mut self, registration: Registration) -> bool {
        match registration {
            Registration::Put { context, path } => {
                let meta = json::object(|meta| {
                    meta.boolean("supportsPut", true);
                });
                self.emit(&one_entry("meta", &path, &meta), DeltaVersion::V1);
                self.lines.app("put-handler", |line| line.text("context", &context).text("path", &path));
                self.offers.puts.insert((context, path));
            }
            Registration::Resources { kind } => {
                self.lines.app("resource-provider", |line| line.text("type", &kind));
                self.offers.resources.insert(kind);
            }
            Registration::Weather { name } => {
                self.lines.app("weather-provider", |line| line.text("name", &name));
                self.offers.weather = true;
            }
            Registration::Radar { name } => {
                self.lines.app("radar-provider", |line| line.text("name", &name));
                self.offers.radar = true;
            }
            Registration::Autopilots { devices } => {
                self.lines.app("autopilot-provider", |line| line.text("devices", &devices.join(",")));
            }
        }
        true
    }

    fn emit_binary(&mut self, stream: &str, data: &[u8], of_radar: bool) -> bool {
        if of_radar && !self.offers.radar {
            return false;
        }
        let hash = short_sha256(data);
        self.lines.app("stream", |line| line.text("id", stream).number("len", data.len()).text("sha256", &hash));
        true
    }

    fn sockets(&mut self) -> Option<Box<dyn Sockets + '_>> {
        Some(Box::new(&mut self.sockets))
    }

    fn with_files(&mut self, act: &mut dyn FnMut(&mut dyn Medium)) {
        act(&mut self.files);
    }

    fn fetch(&mut self, request: FetchRequest) -> Ticket {
        let fetched = self.answer(&request);
        self.last_ticket = self.last_ticket.wrapping_add(1);
        self.fetched.insert(self.last_ticket, fetched);
        Ticket(self.last_ticket)
    }

    fn fetch_poll(&mut self, ticket: Ticket) -> Poll<Fetched> {
        Poll::Ready(self.fetched.remove(&ticket.0).unwrap_or_default())
    }

    fn fetch_later(&mut self, request: FetchRequest, callback: i32) {
        let fetched = self.answer(&request);
        self.callbacks.push_back((fetched, callback));
    }

    fn fetch_refused(&mut self, callback: i32) {
        self.callbacks.push_back((Fetched::default(), callback));
    }
}

/// Entries of an update, each as JSON.
struct Entries(Vec<String>);

impl ValueSink for Entries {
    fn value_below(&mut self, base: &str, leaf: &str, value: Value<'_>) {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = value.write(&mut text);
        self.0.push(entry(&[base, leaf].concat(), &text));
    }
}

/// Returns a delta of one update with one entry; what a gateway would build with more care.
fn one_entry(list: &str, path: &str, value: &str) -> String {
    one_update(list, &[entry(path, value)])
}

fn entry(path: &str, value: &str) -> String {
    json::object(|entry| {
        entry.text("path", path).json("value", value);
    })
}

fn one_update(list: &str, entries: &[String]) -> String {
    json::object(|delta| {
        delta.list("updates", |updates| {
            updates.object(|update| {
                update.list(list, |items| {
                    for entry in entries {
                        items.json(entry);
                    }
                });
            });
        });
    })
}
