//! A boat for the tests of a plugin: no WebAssembly, no host, everything that was said is kept.
//!
//! [`Boat::set`] and [`Boat::update`] are a host that writes rows, [`Boat::delta`] is one that sends JSON.

use std::borrow::ToOwned;
use std::collections::{BTreeMap, VecDeque};
use std::format;
use std::string::String;
use std::vec::Vec;

use crate::{Capability, Handle, Host, Json, Offer, Plugin, Refused, Text, fallback};

/// What a plugin has told its host, in the order of its calls.
#[derive(Default)]
pub struct Recorder {
    /// Deltas, those of changed outputs too.
    pub deltas: Vec<String>,
    /// Notifications by their own call: path and value.
    pub notifications: Vec<(String, String)>,
    /// Status texts.
    pub status: Vec<String>,
    /// Error texts.
    pub errors: Vec<String>,
    /// Lines of the debug log.
    pub debug: Vec<String>,
    /// What was offered to clients, as `Debug` writes it.
    pub offers: Vec<String>,
    /// The saved configuration.
    pub config: Option<String>,
    /// What is granted.
    pub capabilities: Vec<Capability>,
    /// Answers to requests by URL; there is none to any other URL.
    pub web: BTreeMap<String, Vec<u8>>,
    /// URL and body of the requests.
    pub requests: Vec<(String, Option<Vec<u8>>)>,
    /// Files of the plugin's own folder.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Sockets and ports that were opened and not closed, by the address or device.
    pub open: Vec<(Handle, String)>,
    /// What they hear, and what comes next first.
    pub incoming: VecDeque<(Handle, Vec<u8>)>,
    /// What was sent: to which address or device, and the bytes.
    pub sent: Vec<(String, Vec<u8>)>,
}

impl Recorder {
    /// Opens something under a number that nothing else has.
    fn opened(&mut self, handle: impl FnOnce(u32) -> Handle, address: String) -> Option<Handle> {
        let last =
            self.open.iter().map(|(Handle::Udp(number) | Handle::Tcp(number) | Handle::Serial(number), _)| *number);
        let handle = handle(last.max().unwrap_or(0) + 1);
        self.open.push((handle, address));
        Some(handle)
    }

    fn address(&self, handle: Handle) -> Option<&str> {
        self.open.iter().find(|(open, _)| *open == handle).map(|(_, address)| address.as_str())
    }
}

/// Copies what fits as a whole.
fn whole<'b>(data: &[u8], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let buffer = buffer.get_mut(..data.len())?;
    buffer.copy_from_slice(data);
    Some(buffer)
}

impl Host for Recorder {
    fn debug(&mut self, text: &str) {
        self.debug.push(text.to_owned());
    }

    fn set_status(&mut self, text: &str) {
        self.status.push(text.to_owned());
    }

    fn set_error(&mut self, text: &str) {
        self.errors.push(text.to_owned());
    }

    fn emit(&mut self, delta: &str) {
        self.deltas.push(delta.to_owned());
    }

    fn publish_notification(&mut self, path: &str, value: &str) -> bool {
        self.notifications.push((path.to_owned(), value.to_owned()));
        true
    }

    fn read_config<'b>(&mut self, buffer: &'b mut [u8]) -> Option<&'b str> {
        let config = self.config.as_deref().unwrap_or("{}");
        buffer.get_mut(..config.len())?.copy_from_slice(config.as_bytes());
        core::str::from_utf8(&buffer[..config.len()]).ok()
    }

    fn save_config(&mut self, json: &str) -> bool {
        self.config = Some(json.to_owned());
        true
    }

    fn self_path<'b>(&mut self, _: &str, _: &'b mut [u8]) -> Option<&'b str> {
        None
    }

    fn has_capability(&mut self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    fn offer(&mut self, offer: Offer<'_>) -> bool {
        self.offers.push(format!("{offer:?}"));
        true
    }

    fn fetch<'b>(&mut self, url: &str, body: Option<&[u8]>, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        self.requests.push((url.to_owned(), body.map(<[u8]>::to_vec)));
        whole(self.web.get(url).filter(|answer| !answer.is_empty())?, buffer)
    }

    fn open_udp(&mut self, port: u16) -> Option<Handle> {
        self.opened(Handle::Udp, format!("udp:{port}"))
    }

    fn send_to(&mut self, socket: Handle, host: &str, port: u16, data: &[u8]) -> bool {
        let is_open = matches!(socket, Handle::Udp(_)) && self.address(socket).is_some();
        if is_open {
            self.sent.push((format!("{host}:{port}"), data.to_vec()));
        }
        is_open
    }

    fn open_tcp(&mut self, host: &str, port: u16) -> Option<Handle> {
        self.opened(Handle::Tcp, format!("{host}:{port}"))
    }

    fn is_connected(&mut self, socket: Handle) -> Option<bool> {
        self.address(socket).map(|_| true)
    }

    fn open_serial(&mut self, device: &str, _: u32) -> Option<Handle> {
        self.opened(Handle::Serial, device.to_owned())
    }

    fn receive<'b>(&mut self, from: Handle, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let at = self.incoming.iter().position(|(handle, _)| *handle == from)?;
        let (_, data) = self.incoming.remove(at)?;
        whole(data.get(..buffer.len()).unwrap_or(&data), buffer)
    }

    fn send(&mut self, to: Handle, data: &[u8]) -> bool {
        let address = self.address(to).filter(|_| !matches!(to, Handle::Udp(_))).map(str::to_owned);
        let sent = address.map(|address| self.sent.push((address, data.to_vec())));
        sent.is_some()
    }

    fn close(&mut self, handle: Handle) {
        self.open.retain(|(open, _)| *open != handle);
    }

    fn read_file<'b>(&mut self, path: &str, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        whole(self.files.get(path)?, buffer)
    }

    fn write_file(&mut self, path: &str, data: &[u8]) -> bool {
        self.files.insert(path.to_owned(), data.to_vec());
        true
    }
}

/// A plugin on a simulated boat.
pub struct Boat<P> {
    /// The plugin.
    pub plugin: P,
    /// What it said.
    pub host: Recorder,
    now: i64,
}

impl<P: Plugin> Boat<P> {
    /// Puts a plugin on board; the clock stands at 2026-01-01 00:00 UTC.
    pub fn new(plugin: P) -> Self {
        Self { plugin, host: Recorder::default(), now: 1_767_225_600_000 }
    }

    /// Starts the plugin with this configuration.
    ///
    /// # Errors
    /// The plugin's refusal; its reason is in the host's `errors`.
    pub fn start(&mut self, config: &str) -> Result<(), Refused> {
        fallback::start(&mut self.plugin, Json::new(config), &mut self.host)
    }

    /// Lets the value of an input arrive, as JSON: `5.2`, `"text"`, `true` or `null`; a member as `path#member`.
    ///
    /// # Panics
    /// When no input has this path: the test would show nothing.
    pub fn set(&mut self, path: &str, value: &str) {
        let Some(mut rows) = self.plugin.rows() else { panic!("the plugin has no inputs") };
        let is_it = |at: &usize| rows.input_places.get(*at).is_some_and(|place| place.path(rows.texts) == path);
        let named: Vec<usize> = (0..rows.inputs.len()).filter(is_it).collect();
        assert!(!named.is_empty(), "{path} is no input");
        named.into_iter().for_each(|at| rows.hear_row(at, Json::new(value), Some(self.now)));
    }

    /// Lets time pass, ms.
    pub fn wait(&mut self, ms: i64) {
        self.now += ms;
    }

    /// Computes an update, as a host that writes rows does when inputs have arrived.
    pub fn update(&mut self) {
        if let Some(mut rows) = self.plugin.rows() {
            rows.write_ages(self.now);
        }
        self.plugin.update(&mut self.host);
        if let Some(rows) = self.plugin.rows() {
            rows.rest();
        }
        fallback::publish(&mut self.plugin, &mut self.host);
    }

    /// Sends a delta, as a host that knows no rows does.
    pub fn delta(&mut self, json: &str) {
        fallback::delta(&mut self.plugin, Json::new(json), &mut self.host);
    }

    /// Runs the second's call.
    pub fn poll(&mut self) {
        self.plugin.poll(&mut self.host);
        fallback::publish(&mut self.plugin, &mut self.host);
    }

    /// Asks an HTTP handler of the plugin; returns its answer.
    pub fn http(&mut self, handler: &str, request: &str) -> String {
        let mut buffer = [0; 8192];
        let mut answer = Text::new(&mut buffer);
        self.plugin.http(handler, Json::new(request), &mut answer, &mut self.host);
        fallback::publish(&mut self.plugin, &mut self.host);
        answer.as_str().to_owned()
    }

    /// Asks something of an offer of the plugin; returns its answer.
    pub fn ask(&mut self, export: &str, request: &str) -> String {
        let mut buffer = [0; 8192];
        let mut answer = Text::new(&mut buffer);
        self.plugin.answer(export, Json::new(request), &mut answer, &mut self.host);
        fallback::publish(&mut self.plugin, &mut self.host);
        answer.as_str().to_owned()
    }

    /// Returns the deltas since the last time this was asked.
    pub fn told(&mut self) -> Vec<String> {
        core::mem::take(&mut self.host.deltas)
    }
}
