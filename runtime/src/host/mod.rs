//! The plugin host: loads a module inside its limits and calls it in fuel slices.
//!
//! This floor alone has an engine, and knows neither a HAL nor HTTP. [`ModuleFacts`] reads a
//! module without translating it, so that admission is decided before memory is spent;
//! [`Instance`] is one running plugin with an engine of its own (an engine keeps translated code
//! until it is dropped); [`Services`] is what its imports ask of the core while it runs.

mod call;
mod capabilities;
#[cfg(feature = "components")]
mod component;
mod engine;
mod exports;
mod facts;
mod failure;
pub mod fetch;
mod fit;
mod heap_model;
mod imports;
mod instance;
mod kind;
mod nobody;
mod operators;
mod registration;
pub mod sockets;
#[cfg(any(test, feature = "engine-wasmi", feature = "trace"))]
mod start_section;
mod state;
mod text;
#[cfg(any(test, feature = "trace"))]
mod trace;
#[cfg(not(any(test, feature = "trace")))]
#[path = "untraced.rs"]
mod trace;
mod values;
#[cfg(any(test, feature = "trace"))]
mod watch;
#[cfg(not(any(test, feature = "trace")))]
#[path = "unwatched.rs"]
mod watch;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::task::Poll;

pub use capabilities::{Capabilities, Grant};
#[cfg(feature = "engine-chip")]
pub use engine::Image;
pub use facts::{Dialect, Import, MemoryFacts, ModuleFacts, Refusal};
pub use failure::{Failure, LoadError};
pub use fit::Fit;
pub use heap_model::PREDICTED_ROW_BYTES;
#[cfg(feature = "engine-chip")]
pub use instance::HOST_BYTES;
pub use instance::{Instance, InstanceSpec, Usage};
pub use kind::CallKind;
pub use nobody::{Heard, Nobody};
pub use registration::{REGISTRATION_TEXT_BYTES_MAX, Registration, put_export};
#[cfg(any(test, feature = "trace"))]
pub use trace::{HostCall, short_sha256, shown_text};
pub use values::{Arrival, Values};
#[cfg(any(test, feature = "trace"))]
pub use watch::Acted;

use crate::delta::{Delta, DeltaVersion, ValueSink};
use crate::time::{Instant, UnixMillis};
use crate::vfs::Medium;

/// A call of a guest export.
#[derive(Clone, Debug)]
pub enum Call {
    /// `plugin_id`; answers [`Answer::Text`]. A gateway derives the id from the package name and does not ask.
    Id,
    /// `plugin_name`; answers [`Answer::Text`].
    Name,
    /// `plugin_schema`; answers [`Answer::Text`].
    Schema,
    /// `http_endpoints`; answers [`Answer::Text`].
    Endpoints,
    /// `plugin_start` with the configuration, JSON; answers [`Answer::Code`].
    Start {
        /// JSON object.
        config: String,
    },
    /// `plugin_stop`; answers [`Answer::Code`].
    Stop,
    /// `poll`; answers [`Answer::Code`].
    Poll,
    /// AssemblyScript's `__collect`, which frees what nobody holds any more; answers [`Answer::Unit`].
    Collect,
    /// `delta_handler`; answers [`Answer::Unit`].
    Delta(Arc<Delta>),
    /// `delta_handler` with a text that no delta was made of; answers [`Answer::Unit`].
    DeltaText(Arc<str>),
    /// `skiff_update`, when inputs in rows of the guest's memory arrived; answers [`Answer::Code`].
    Update,
    /// An HTTP handler with its request object, JSON; answers [`Answer::Text`].
    Http {
        /// Export to call.
        handler: String,
        /// Request object, plugin ABI §9.2.
        request: String,
    },
    /// A PUT handler with the value, JSON; answers [`Answer::Text`].
    Put {
        /// Export to call, see [`put_export`].
        handler: String,
        /// Value, JSON.
        value: String,
    },
    /// A provider's handler (plugin ABI §4.3) with its request, JSON; answers [`Answer::Text`].
    Provider {
        /// Export to call, such as `resources_list_resources`.
        export: &'static str,
        /// Request object; `radar_get_radars` of the buffer dialect takes none.
        request: String,
    },
    /// `responseHandler`, the answer to an asynchronous fetch; answers [`Answer::Unit`].
    Fetched {
        /// How the request ended.
        fetched: fetch::Fetched,
        /// Number the guest gave it.
        callback: i32,
    },
}

impl Call {
    /// Returns the export that answers a request of somebody outside; `None` for the calls of a plugin's own life.
    #[must_use]
    pub fn handler(&self) -> Option<&str> {
        match self {
            Self::Http { handler, .. } | Self::Put { handler, .. } => Some(handler),
            Self::Provider { export, .. } => Some(export),
            _ => None,
        }
    }
}

/// How far a slice got.
#[derive(Clone, Debug)]
pub enum Progress {
    /// The slice is spent; run again.
    Running,
    /// The guest waits for an answer from outside ([`Services::fetch_poll`]); it costs nothing meanwhile. Run again when
    /// there may be one.
    Waiting,
    /// The call returned.
    Done(Answer),
    /// The call did not return.
    Failed(Failure),
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The guest has no such export.
    Absent,
    /// A text, `None` where the guest gave a null pointer.
    Text(Option<String>),
    /// A result code, `None` where the export has no result.
    Code(Option<i32>),
    /// Nothing.
    Unit,
}

/// Services of the core for imports, while a slice runs.
///
/// A guest mistake never traps an import: the host answers with that import's failure value.
pub trait Services {
    /// Returns the wall clock.
    fn wall(&self) -> UnixMillis;
    /// Returns the monotonic clock.
    fn monotonic(&self) -> Instant;
    /// Fills `buffer` with randomness.
    fn random(&mut self, buffer: &mut [u8]);
    /// Draws 32 random bits (`env.seed`, `Math.random`).
    fn random_word(&mut self) -> u32 {
        let mut bytes = [0_u8; 4];
        self.random(&mut bytes);
        u32::from_le_bytes(bytes)
    }
    /// Sees a host call that ended, when the instance was told to show them ([`Instance::observe`]).
    #[cfg(any(test, feature = "trace"))]
    fn observe(&mut self, _call: HostCall) {}
    /// Hears how many host calls of one call were not shown: there are too many.
    #[cfg(any(test, feature = "trace"))]
    fn overlook(&mut self, _calls: u64) {}
    /// Hears what a call of `delta_handler` did, when the instance is watched ([`Instance::load_watched`]).
    #[cfg(any(test, feature = "trace"))]
    fn acted(&mut self, _acted: Acted) {}
    /// Takes a log line of the plugin.
    fn log(&mut self, level: log::Level, text: &str);
    /// Sets the status text; empty removes it.
    fn set_status(&mut self, text: &str);
    /// Sets the error text; empty removes it.
    fn set_error(&mut self, text: &str);
    /// Returns the saved configuration object, JSON.
    fn read_config(&mut self) -> Option<String>;
    /// Saves a configuration object, JSON; false when it was not saved.
    fn save_config(&mut self, text: &str) -> bool;
    /// Takes the text of a delta. The implementor bounds how many.
    fn emit(&mut self, delta: &str, version: DeltaVersion);
    /// Takes the values that a call published in rows, `bytes` long as the guest had them to say: `rows` gives them to a
    /// sink. The implementor bounds how many.
    fn publish(&mut self, _bytes: usize, _rows: &mut dyn FnMut(&mut dyn ValueSink)) {}
    /// Hears of `count` things in rows of the guest's memory that cannot be used; the clause is about the last one.
    fn refuse(&mut self, _count: u64, clause: &str) {
        self.log(log::Level::Warn, clause);
    }
    /// Returns the JSON of the node at a dotted path below the own vessel.
    fn self_path(&mut self, path: &str) -> Option<String>;
    /// Returns the JSON of the node at a dotted path from the root of the model.
    fn path(&mut self, path: &str) -> Option<String>;
    /// Takes an offer of the plugin: a PUT handler, a provider. False when it was refused.
    fn register(&mut self, _registration: Registration) -> bool {
        false
    }
    /// Sends a frame to the clients of a binary stream; `of_radar` when it came as spokes. False when it was refused.
    fn emit_binary(&mut self, _stream: &str, _data: &[u8], _of_radar: bool) -> bool {
        false
    }
    /// Publishes a notification; `value` is its JSON object. False when it was refused.
    fn publish_notification(&mut self, path: &str, value: &str) -> bool;

    /// Returns the plugin's sockets; `None` where there is no network.
    fn sockets(&mut self) -> Option<Box<dyn sockets::Sockets + '_>> {
        None
    }
    /// Returns the plugin's serial ports; `None` where there are none.
    fn serial(&mut self) -> Option<Box<dyn sockets::Serial + '_>> {
        None
    }
    /// Lends the medium of the plugin's files; where there is none, `act` is not called.
    fn with_files(&mut self, _act: &mut dyn FnMut(&mut dyn Medium)) {}

    /// Begins an HTTP request; its answer comes from [`fetch_poll`](Self::fetch_poll), also when it is refused.
    fn fetch(&mut self, request: fetch::FetchRequest) -> fetch::Ticket {
        self.log(log::Level::Warn, &alloc::format!("no HTTP client here: {} not fetched", request.url));
        fetch::Ticket(0)
    }
    /// Takes the answer of a request, once.
    fn fetch_poll(&mut self, _ticket: fetch::Ticket) -> Poll<fetch::Fetched> {
        Poll::Ready(fetch::Fetched::default())
    }
    /// Begins an HTTP request whose answer comes as [`Call::Fetched`].
    fn fetch_later(&mut self, request: fetch::FetchRequest, _callback: i32) {
        self.log(log::Level::Warn, &alloc::format!("no HTTP client here: {} not fetched", request.url));
    }
    /// Plans a [`Call::Fetched`] with status 0 for a request that could not be read.
    fn fetch_refused(&mut self, _callback: i32) {}
}
