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
}
