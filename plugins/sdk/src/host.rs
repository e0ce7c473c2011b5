//! What a plugin implements, and what it can ask of its host.

use crate::{Capability, Json, Rows, Text};

/// A plugin: its names and what it does when the host calls.
///
/// Every call gets the host as a type parameter, so that a test can pass a recording one and that
/// a module imports only the functions it uses. The toolkit never runs two calls at once: Signal K
/// Server delivers the deltas that a plugin emits while the emitting call still runs, and such a
/// re-entered call is answered without reaching the plugin.
pub trait Plugin {
    /// Package name, as in `package.json`; hosts only look for the presence of the export.
    const ID: &'static str;
    /// Display name.
    const NAME: &'static str;
    /// JSON Schema (draft 07) of the configuration, at most 8192 bytes. No host applies its defaults.
    const SCHEMA: &'static str = "{}";
    /// JSON array of `{"method","path","handler"}`, at most 8192 bytes; each handler is also named in [`plugin!`](crate::plugin).
    const ENDPOINTS: &'static str = "[]";

    /// Starts with the saved configuration (an object, plus the member `enableDebug`).
    ///
    /// # Errors
    /// [`Refused`] when the configuration cannot be used; say why with [`Host::set_error`] first.
    fn start<H: Host>(&mut self, config: Json<'_>, host: &mut H) -> Result<(), Refused>;

    /// Stops; the host drops the instance or starts it again later.
    fn stop<H: Host>(&mut self, host: &mut H) {
        let _ = host;
    }

    /// Runs once a second; only with the part `poll` in [`plugin!`](crate::plugin).
    fn poll<H: Host>(&mut self, host: &mut H) {
        let _ = host;
    }

    /// Receives one delta, of any context and source, the plugin's own too; only with the part `delta`, or with
    /// `values` after [`Table::want_other_deltas`](crate::values::Table::want_other_deltas).
    fn delta<H: Host>(&mut self, delta: Json<'_>, host: &mut H) {
        let _ = (delta, host);
    }

    /// Returns the plugin's inputs and outputs; only with the part `values`.
    fn rows(&mut self) -> Option<Rows<'_>> {
        None
    }

    /// Computes outputs from inputs, one of which has arrived; only with the part `values`.
    fn update<H: Host>(&mut self, host: &mut H) {
        let _ = host;
    }

    /// Answers an HTTP request: `handler` is the name in [`Plugin::ENDPOINTS`], `request` the
    /// object `{"method","path","query","params","body","headers"}`; write `{"statusCode","headers","body"}`.
    fn http<H: Host>(&mut self, handler: &str, request: Json<'_>, answer: &mut Text<'_>, host: &mut H) {
        let _ = (handler, request, answer, host);
    }

    /// Answers what was asked of an [`Offer`]: `export` is the name of the call; only with the part `answers`. A text that
    /// is not written is no answer.
    fn answer<H: Host>(&mut self, export: &str, request: Json<'_>, answer: &mut Text<'_>, host: &mut H) {
        let _ = (export, request, answer, host);
    }
}

/// What [`Host::offer`] offers: who asks for it is answered by [`Plugin::answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer<'t> {
    /// To change a path: `context` and `path`, for example `vessels.self` and `steering.rudderAngle`. Asked for as
    /// `handle_put_<context>_<path>` with `_` for each `.`; the request is the value, the answer `{"state","statusCode"}`.
    Put(&'t str, &'t str),
    /// To keep resources of a type, for example `charts`; `resources_list_resources` and its like.
    Resources(&'t str),
    /// To tell the weather, under a name; `weather_get_observations` and its like.
    Weather(&'t str),
    /// To tell what a radar sees, under a name; `radar_get_radars` and its like.
    Radar(&'t str),
}

/// Something that was opened, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handle {
    /// A UDP socket.
    Udp(u32),
    /// A TCP socket, which gives lines.
    Tcp(u32),
    /// A serial port.
    Serial(u32),
}

/// The start was refused; the host shows the plugin's error text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// The functions of import module `env` that every plugin can use.
///
/// No call fails loudly: what cannot be done gives `false` or `None`.
pub trait Host {
    /// Writes a line to the debug log, which operators switch on per plugin.
    fn debug(&mut self, text: &str);

    /// Shows a status text; an empty text removes it.
    fn set_status(&mut self, text: &str);

    /// Shows an error text; the plugin runs on.
    fn set_error(&mut self, text: &str);

    /// Emits a delta `{"context"?,"updates":[{"values":[{"path","value"}]}]}`; the host adds source and time.
    fn emit(&mut self, delta: &str);

    /// Publishes a notification object with `state`, `method` and `message` under a full path; tells whether it was taken.
    fn publish_notification(&mut self, path: &str, value: &str) -> bool;

    /// Reads the saved configuration object into `buffer`; `None` when it does not fit.
    fn read_config<'b>(&mut self, buffer: &'b mut [u8]) -> Option<&'b str>;

    /// Replaces the saved configuration; tells whether it was stored.
    fn save_config(&mut self, json: &str) -> bool;

    /// Reads the node at a dotted path below the own vessel into `buffer`; `None` when there is
    /// none or it does not fit. Signal K Server 2.31 always answers `None`.
    fn self_path<'b>(&mut self, path: &str, buffer: &'b mut [u8]) -> Option<&'b str>;

    /// Tells whether the package was granted a capability. Signal K Server knows only `network` and `rawSockets`.
    fn has_capability(&mut self, capability: Capability) -> bool;

    /// Reads the node at a dotted path, of any context, into `buffer`; `None` when there is none or it does not fit.
    /// Signal K Server has no such call, and does not load a module that makes it.
    fn path<'b>(&mut self, path: &str, buffer: &'b mut [u8]) -> Option<&'b str> {
        let _ = (path, buffer);
        None
    }

    /// Offers something to clients; tells whether it was taken. The package declares the capability.
    fn offer(&mut self, offer: Offer<'_>) -> bool {
        let _ = offer;
        false
    }

    /// Sends bytes to the clients of a stream, `plugins/<package>/…` or `radars/<id>`; tells whether they were sent.
    fn send_stream(&mut self, stream: &str, data: &[u8]) -> bool {
        let _ = (stream, data);
        false
    }

    /// Gets a URL, or posts `body` to it, and waits for the answer; `None` when there is none, it is empty, or it does not
    /// fit into `buffer`. No host tells a status. Only with the part `fetch` in [`plugin!`](crate::plugin) and the
    /// capability `network`, and only in Skiff: Signal K Server needs a plugin that unwinds its own stack meanwhile.
    fn fetch<'b>(&mut self, url: &str, body: Option<&[u8]>, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let _ = (url, body, buffer);
        None
    }

    /// Opens a UDP socket on a port, 0 for any.
    fn open_udp(&mut self, port: u16) -> Option<Handle> {
        let _ = port;
        None
    }

    /// Sends a datagram to a host by name or address; tells whether it was taken. A [`Handle::Udp`] only.
    fn send_to(&mut self, socket: Handle, host: &str, port: u16, data: &[u8]) -> bool {
        let _ = (socket, host, port, data);
        false
    }

    /// Begins to connect to a host by name or address.
    fn open_tcp(&mut self, host: &str, port: u16) -> Option<Handle> {
        let _ = (host, port);
        None
    }

    /// Tells whether a TCP socket is connected; `None` when it is closed, for good.
    fn is_connected(&mut self, socket: Handle) -> Option<bool> {
        let _ = socket;
        None
    }

    /// Opens a serial port with 8 data bits, one stop bit and no parity. Signal K Server has no such call, and does not
    /// load a module that makes it.
    fn open_serial(&mut self, device: &str, baud: u32) -> Option<Handle> {
        let _ = (device, baud);
        None
    }

    /// Takes one datagram, one line, or the bytes that have come to a serial port; `None` when there is nothing.
    fn receive<'b>(&mut self, from: Handle, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let _ = (from, buffer);
        None
    }

    /// Sends bytes over TCP or a serial port; tells whether all of them were taken.
    fn send(&mut self, to: Handle, data: &[u8]) -> bool {
        let _ = (to, data);
        false
    }

    /// Closes a socket or port.
    fn close(&mut self, handle: Handle) {
        let _ = handle;
    }

    /// Reads a file of the plugin's own folder into `buffer`; `None` when there is none or it does not fit.
    fn read_file<'b>(&mut self, path: &str, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let _ = (path, buffer);
        None
    }

    /// Writes a file of the plugin's own folder anew; tells whether all of it is there.
    fn write_file(&mut self, path: &str, data: &[u8]) -> bool {
        let _ = (path, data);
        false
    }
}
