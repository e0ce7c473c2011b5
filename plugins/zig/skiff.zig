//! Signal K WebAssembly plugins in Zig: inputs and outputs as numbers, JSON only where the host wants it.
//!
//! A typed face of `skiff.h`, which zig compiles beside it; what that header says of hosts and own vessels holds here. A
//! plugin calls `skiff.plugin` once, with its names and two functions:
//!
//!     const skiff = @import("skiff");
//!
//!     var depth: *skiff.Input = undefined;
//!     var feet: *skiff.Output = undefined;
//!
//!     comptime {
//!         skiff.plugin(.{ .id = "@example/feet", .name = "Depth in feet", .start = start, .update = update });
//!     }
//!
//!     fn start(_: skiff.Json) ?[*:0]const u8 {
//!         depth = skiff.Input.number("environment.depth.belowKeel");
//!         feet = skiff.Output.number("example.depthInFeet", 1);
//!         return null;
//!     }
//!
//!     fn update() void {
//!         if (depth.get()) |value| feet.set(value / 0.3048);
//!     }
//!
//! Build: zig build-exe -target wasm32-freestanding -OReleaseSmall -fno-entry --stack 4096 --initial-memory=65536
//!   -femit-bin=plugin.wasm --dep skiff -Mroot=plugin.zig -I. skiff.c -Mskiff=skiff.zig

/// What a plugin is.
pub const Plugin = struct {
    /// Package name, as in `package.json`.
    id: [:0]const u8,
    /// Display name.
    name: [:0]const u8,
    /// JSON Schema of the configuration.
    schema: [:0]const u8 = "{}",
    /// Declares inputs and outputs; null when it started, else why not.
    start: fn (config: Json) ?[*:0]const u8,
    /// Computes outputs from inputs, one of which has arrived.
    update: fn () void,
};

/// Gives the header what it asks a plugin to define.
pub fn plugin(comptime of: Plugin) void {
    const functions = struct {
        fn start(config: Slice) callconv(.c) c_int {
            const reason = of.start(.{ .of = config }) orelse return 0;
            skiff_set_error(reason);
            return 1;
        }
        fn update() callconv(.c) void {
            of.update();
        }
    };
    @export(&functions.start, .{ .name = "skiff_plugin_start", .visibility = .hidden });
    @export(&functions.update, .{ .name = "skiff_plugin_update", .visibility = .hidden });
    @export(&of.id[0..of.id.len :0].*, .{ .name = "skiff_plugin_id", .visibility = .hidden });
    @export(&of.name[0..of.name.len :0].*, .{ .name = "skiff_plugin_name", .visibility = .hidden });
    @export(&of.schema[0..of.schema.len :0].*, .{ .name = "skiff_plugin_schema", .visibility = .hidden });
}

/// A value of the own vessel that the plugin reads.
pub const Input = opaque {
    const Row = extern struct {
        path: u32,
        path_bytes: u16,
        kind: u8,
        state: u8,
        number: f64,
        buffer: u32,
        buffer_bytes: u32,
        full_bytes: u32,
        age: u32,
    };

    /// A number; `path#member` is one member of an object value, `#name` a value of the vessel itself.
    pub fn number(path: [*:0]const u8) *Input {
        return skiff_number_input(path);
    }
    /// A boolean.
    pub fn boolean(path: [*:0]const u8) *Input {
        return skiff_boolean_input(path);
    }
    /// A text of at most `bytes`; longer ones are cut.
    pub fn text(path: [*:0]const u8, bytes: u32) *Input {
        return skiff_text_input(path, bytes);
    }
    /// An arrival of this input alone is no reason for an update.
    pub fn quiet(self: *Input) *Input {
        return skiff_quiet(self);
    }
    /// The number; null while there is none, when it was withdrawn, and when it is of another type.
    pub fn get(self: *const Input) ?f64 {
        return if (skiff_is_valid(self)) self.row().number else null;
    }
    /// The boolean, likewise.
    pub fn getBoolean(self: *const Input) ?bool {
        return if (self.get()) |value| value == 1 else null;
    }
    /// The text; empty while there is none.
    pub fn getText(self: *const Input) []const u8 {
        return skiff_input_text(self).slice();
    }
    /// A value arrived since the last update, also an equal one or null.
    pub fn isNew(self: *const Input) bool {
        return skiff_is_new(self);
    }
    /// How long ago the value arrived, ms; the largest number when that is unknown.
    pub fn age(self: *const Input) u32 {
        return self.row().age;
    }

    // The host writes rows between two calls.
    fn row(self: *const Input) *const volatile Row {
        return @ptrCast(@alignCast(self));
    }
};

pub const State = enum(c_uint) { normal, nominal, alert, warn, alarm, emergency };
pub const Method = enum(c_uint) { none = 0, visual = 0x40, sound = 0x80, both = 0xc0 };

/// A value that the plugin gives. What is set in a call is published after it.
pub const Output = opaque {
    /// A number, rounded to at most `decimals`, 0 to 15.
    pub fn number(path: [*:0]const u8, decimals: c_uint) *Output {
        return skiff_number_output(path, decimals);
    }
    /// A number in the shortest text that means it.
    pub fn shortest(path: [*:0]const u8) *Output {
        return skiff_shortest_output(path);
    }
    /// A boolean.
    pub fn boolean(path: [*:0]const u8) *Output {
        return skiff_boolean_output(path);
    }
    /// A text of at most `bytes`.
    pub fn text(path: [*:0]const u8, bytes: u32) *Output {
        return skiff_text_output(path, bytes);
    }
    /// A value as JSON of at most `bytes`.
    pub fn json(path: [*:0]const u8, bytes: u32) *Output {
        return skiff_json_output(path, bytes);
    }
    /// A notification whose message has at most `bytes`; the path is the full one, `notifications.…`.
    pub fn notification(path: [*:0]const u8, bytes: u32) *Output {
        return skiff_notification_output(path, bytes);
    }
    /// Publishes a number.
    pub fn set(self: *Output, value: f64) void {
        skiff_set_number(self, value);
    }
    /// Publishes a boolean.
    pub fn setBoolean(self: *Output, value: bool) void {
        skiff_set_boolean(self, value);
    }
    /// Publishes null: there is no value any more.
    pub fn withdraw(self: *Output) void {
        skiff_withdraw(self);
    }
    /// Begins the text, JSON or message; what does not fit is left out.
    pub fn write(self: *Output) *Output {
        skiff_write(self);
        return self;
    }
    pub fn add(self: *Output, said: []const u8) *Output {
        skiff_add_text(Slice.of(said));
        return self;
    }
    pub fn addFixed(self: *Output, value: f64, decimals: c_uint) *Output {
        skiff_add_fixed(value, decimals);
        return self;
    }
    /// Publishes what was written as a text.
    pub fn publishText(self: *Output) void {
        skiff_publish_text(self);
    }
    /// Publishes what was written as JSON.
    pub fn publishJson(self: *Output) void {
        skiff_publish_json(self);
    }
    /// Publishes what was written as the message of a notification.
    pub fn notify(self: *Output, state: State, method: Method) void {
        skiff_notify(self, @intFromEnum(state), @intFromEnum(method));
    }
    /// Shows as status what was written last.
    pub fn setStatus(self: *const Output) void {
        skiff_set_status_of(self);
    }
};

/// A JSON value, read where it lies.
pub const Json = struct {
    of: Slice,

    /// A member of an object; null when it is absent or null.
    pub fn member(self: Json, name: [*:0]const u8) ?Json {
        const found = skiff_member(self.of, name);
        return if (found.bytes == 0 or skiff_equal(found, "null")) null else .{ .of = found };
    }
    /// The number; NaN when it is none.
    pub fn number(self: Json) f64 {
        return skiff_number(self.of);
    }
    /// The content of a string without escapes; empty when it is none.
    pub fn string(self: Json) []const u8 {
        return skiff_string(self.of).slice();
    }
    /// The text of the value.
    pub fn text(self: Json) []const u8 {
        return self.of.slice();
    }
};

/// Keeps two texts as one until the next start, for paths from the configuration; null where there is no room.
pub fn keep(first: [*:0]const u8, second: []const u8) ?[*:0]const u8 {
    return skiff_keep(first, Slice.of(second));
}
/// Shows a status text; an empty one removes it.
pub fn setStatus(said: [*:0]const u8) void {
    skiff_set_status(said);
}
/// Shows an error text; the plugin runs on.
pub fn setError(said: [*:0]const u8) void {
    skiff_set_error(said);
}
/// Writes a line to the debug log.
pub fn debug(said: [*:0]const u8) void {
    skiff_debug(said);
}
/// Asks for at most one update in `ms`, at most 60,000; in the start.
pub fn setInterval(ms: u32) void {
    skiff_set_interval(ms);
}
/// The newest time stamp among the inputs that arrived, Unix ms; 0 while unknown.
pub fn time() i64 {
    return skiff_time();
}

const Slice = extern struct {
    at: ?[*]const u8,
    bytes: u32,

    fn of(bytes: []const u8) Slice {
        return .{ .at = bytes.ptr, .bytes = @intCast(bytes.len) };
    }
    fn slice(self: Slice) []const u8 {
        return if (self.at) |at| at[0..self.bytes] else "";
    }
};

extern fn skiff_number_input(path: [*:0]const u8) *Input;
extern fn skiff_boolean_input(path: [*:0]const u8) *Input;
extern fn skiff_text_input(path: [*:0]const u8, bytes: u32) *Input;
extern fn skiff_quiet(input: *Input) *Input;
extern fn skiff_is_valid(input: *const Input) bool;
extern fn skiff_is_new(input: *const Input) bool;
extern fn skiff_input_text(input: *const Input) Slice;
extern fn skiff_number_output(path: [*:0]const u8, decimals: c_uint) *Output;
extern fn skiff_shortest_output(path: [*:0]const u8) *Output;
extern fn skiff_boolean_output(path: [*:0]const u8) *Output;
extern fn skiff_text_output(path: [*:0]const u8, bytes: u32) *Output;
extern fn skiff_json_output(path: [*:0]const u8, bytes: u32) *Output;
extern fn skiff_notification_output(path: [*:0]const u8, bytes: u32) *Output;
extern fn skiff_set_number(output: *Output, value: f64) void;
extern fn skiff_set_boolean(output: *Output, value: bool) void;
extern fn skiff_withdraw(output: *Output) void;
extern fn skiff_write(output: *Output) void;
extern fn skiff_publish_text(output: *Output) void;
extern fn skiff_publish_json(output: *Output) void;
extern fn skiff_notify(output: *Output, state: c_uint, method: c_uint) void;
extern fn skiff_add_text(text: Slice) void;
extern fn skiff_add_fixed(value: f64, decimals: c_uint) void;
extern fn skiff_member(object: Slice, name: [*:0]const u8) Slice;
extern fn skiff_string(value: Slice) Slice;
extern fn skiff_number(value: Slice) f64;
extern fn skiff_equal(left: Slice, right: [*:0]const u8) bool;
extern fn skiff_keep(first: [*:0]const u8, second: Slice) ?[*:0]const u8;
extern fn skiff_set_status(text: [*:0]const u8) void;
extern fn skiff_set_status_of(output: *const Output) void;
extern fn skiff_set_error(text: [*:0]const u8) void;
extern fn skiff_debug(text: [*:0]const u8) void;
extern fn skiff_set_interval(ms: u32) void;
extern fn skiff_time() i64;
