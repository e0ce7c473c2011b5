//! Guest exports the host calls, and the sizes of the buffers it hands out.

/// Presence marks the buffer dialect together with [`ALLOCATE`]; never called.
pub const PLUGIN_ID: &str = "plugin_id";
/// Display name.
pub const PLUGIN_NAME: &str = "plugin_name";
/// JSON Schema of the configuration.
pub const PLUGIN_SCHEMA: &str = "plugin_schema";
/// Starts the plugin; exactly 0 means success.
pub const PLUGIN_START: &str = "plugin_start";
/// Stops the plugin.
pub const PLUGIN_STOP: &str = "plugin_stop";
/// Called once a second while running.
pub const POLL: &str = "poll";
/// Called with each delta while running.
pub const DELTA_HANDLER: &str = "delta_handler";
/// Lists the HTTP endpoints as JSON.
pub const HTTP_ENDPOINTS: &str = "http_endpoints";
/// The guest's linear memory.
pub const MEMORY: &str = "memory";
/// Buffer dialect: allocates a block the host writes into.
pub const ALLOCATE: &str = "allocate";
/// Buffer dialect: gives a block back; optional.
pub const DEALLOCATE: &str = "deallocate";
/// WASI reactor entry.
pub const INITIALIZE: &str = "_initialize";
/// WASI command entry.
pub const START: &str = "_start";
/// Takes the answer of an asynchronous fetch (`as-fetch`).
pub const RESPONSE_HANDLER: &str = "responseHandler";
/// AssemblyScript: allocates a managed object.
pub const AS_NEW: &str = "__new";
/// AssemblyScript: protects an object from collection; optional.
pub const AS_PIN: &str = "__pin";
/// AssemblyScript: undoes [`AS_PIN`]; optional.
pub const AS_UNPIN: &str = "__unpin";
/// AssemblyScript: collects garbage; optional.
pub const AS_COLLECT: &str = "__collect";

/// Bytes offered to string getters and `http_endpoints`.
pub const GETTER_BUFFER_BYTES: u32 = 8192;
/// Bytes offered to HTTP, resource, weather and radar handlers.
pub const RESPONSE_BUFFER_BYTES: u32 = 65_536;

/// AssemblyScript class id of a managed `ArrayBuffer`.
pub const AS_CLASS_ARRAY_BUFFER: u32 = 1;
/// AssemblyScript class id of a managed `String`.
pub const AS_CLASS_STRING: u32 = 2;
