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
/// Resource provider: lists.
pub const RESOURCES_LIST: &str = "resources_list_resources";
/// Resource provider: gets one.
pub const RESOURCES_GET: &str = "resources_get_resource";
/// Resource provider: stores one.
pub const RESOURCES_SET: &str = "resources_set_resource";
/// Resource provider: deletes one.
pub const RESOURCES_DELETE: &str = "resources_delete_resource";
/// Weather provider: what is measured now.
pub const WEATHER_OBSERVATIONS: &str = "weather_get_observations";
/// Weather provider: forecasts.
pub const WEATHER_FORECASTS: &str = "weather_get_forecasts";
/// Weather provider: warnings.
pub const WEATHER_WARNINGS: &str = "weather_get_warnings";
/// Radar provider: the ids of its radars; a plain getter in the buffer dialect.
pub const RADAR_GET_RADARS: &str = "radar_get_radars";
/// Radar provider: one radar.
pub const RADAR_GET_INFO: &str = "radar_get_radar_info";
/// Radar provider: what a radar can do.
pub const RADAR_GET_CAPABILITIES: &str = "radar_get_capabilities";
/// Radar provider: what a radar does.
pub const RADAR_GET_STATE: &str = "radar_get_state";
/// Radar provider: one control.
pub const RADAR_GET_CONTROL: &str = "radar_get_control";
/// Radar provider: sets one control.
pub const RADAR_SET_CONTROL: &str = "radar_set_control";
/// Radar provider: sets several controls.
pub const RADAR_SET_CONTROLS: &str = "radar_set_controls";
/// Radar provider: the targets it follows.
pub const RADAR_GET_TARGETS: &str = "radar_get_targets";
/// Radar provider: follows a target.
pub const RADAR_ACQUIRE_TARGET: &str = "radar_acquire_target";
/// Radar provider: gives a target up.
pub const RADAR_CANCEL_TARGET: &str = "radar_cancel_target";
/// Radar provider: settings of target tracking.
pub const RADAR_GET_ARPA: &str = "radar_get_arpa_settings";
/// Radar provider: sets them.
pub const RADAR_SET_ARPA: &str = "radar_set_arpa_settings";
/// Radar provider: typed setter, used where [`RADAR_SET_CONTROL`] is missing.
pub const RADAR_SET_POWER: &str = "radar_set_power";
/// Radar provider: typed setter.
pub const RADAR_SET_RANGE: &str = "radar_set_range";
/// Radar provider: typed setter.
pub const RADAR_SET_GAIN: &str = "radar_set_gain";
/// Radar provider: typed setter.
pub const RADAR_SET_SEA: &str = "radar_set_sea";
/// Radar provider: typed setter.
pub const RADAR_SET_RAIN: &str = "radar_set_rain";
/// Autopilot provider: all there is to say of one.
pub const AUTOPILOT_GET_DATA: &str = "autopilot_get_data";
/// Autopilot provider: its state; where it is missing, that of [`AUTOPILOT_GET_DATA`].
pub const AUTOPILOT_GET_STATE: &str = "autopilot_get_state";
/// Autopilot provider: sets the state.
pub const AUTOPILOT_SET_STATE: &str = "autopilot_set_state";
/// Autopilot provider: its mode; where it is missing, that of [`AUTOPILOT_GET_DATA`].
pub const AUTOPILOT_GET_MODE: &str = "autopilot_get_mode";
/// Autopilot provider: sets the mode.
pub const AUTOPILOT_SET_MODE: &str = "autopilot_set_mode";
/// Autopilot provider: its target; where it is missing, that of [`AUTOPILOT_GET_DATA`].
pub const AUTOPILOT_GET_TARGET: &str = "autopilot_get_target";
/// Autopilot provider: sets the target.
pub const AUTOPILOT_SET_TARGET: &str = "autopilot_set_target";
/// Autopilot provider: adds to the target.
pub const AUTOPILOT_ADJUST_TARGET: &str = "autopilot_adjust_target";
/// Autopilot provider: steers from now on.
pub const AUTOPILOT_ENGAGE: &str = "autopilot_engage";
/// Autopilot provider: steers no longer.
pub const AUTOPILOT_DISENGAGE: &str = "autopilot_disengage";
/// Autopilot provider: steers to the destination that is set.
pub const AUTOPILOT_COURSE_CURRENT_POINT: &str = "autopilot_course_current_point";
/// Autopilot provider: goes on to the next point of the route.
pub const AUTOPILOT_COURSE_NEXT_POINT: &str = "autopilot_course_next_point";
/// Autopilot provider: tacks.
pub const AUTOPILOT_TACK: &str = "autopilot_tack";
/// Autopilot provider: gybes.
pub const AUTOPILOT_GYBE: &str = "autopilot_gybe";
/// Autopilot provider: evades something, or ends that.
pub const AUTOPILOT_DODGE: &str = "autopilot_dodge";
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
/// Bytes offered to PUT handlers.
pub const PUT_RESPONSE_BUFFER_BYTES: u32 = 8192;
/// Bytes offered to HTTP, resource, weather and radar handlers.
pub const RESPONSE_BUFFER_BYTES: u32 = 65_536;

/// AssemblyScript class id of a managed `ArrayBuffer`.
pub const AS_CLASS_ARRAY_BUFFER: u32 = 1;
/// AssemblyScript class id of a managed `String`.
pub const AS_CLASS_STRING: u32 = 2;
