//! Signal K plugin `@skiff/shallow-water-alarm-zig`: rings when the depth falls below a limit.
const skiff = @import("skiff");

/// No sea is deeper, m.
const depth_max = 12000;

var depth: *skiff.Input = undefined;
var note: *skiff.Output = undefined;
var limit: f64 = undefined;
var hysteresis: f64 = undefined;
/// On since the depth fell below the limit; null until it was published.
var is_on: ?bool = null;

comptime {
    skiff.plugin(.{
        .id = "@skiff/shallow-water-alarm-zig",
        .name = "Shallow water alarm",
        .schema =
        \\{"$schema":"http://json-schema.org/draft-07/schema#","title":"Shallow water alarm","type":"object","properties":{"limit":{"type":"number","title":"Limit in m","description":"The alarm rings below this depth","minimum":0,"maximum":12000,"default":3},"hysteresis":{"type":"number","title":"Hysteresis in m","description":"The alarm ends when the depth exceeds the limit by this","minimum":0,"maximum":1000,"default":0.5},"path":{"type":"string","title":"Path of the depth","default":"environment.depth.belowTransducer"}}}
        ,
        .start = start,
        .update = update,
    });
}

fn start(config: skiff.Json) ?[*:0]const u8 {
    is_on = null;
    limit = if (config.member("limit")) |value| value.number() else 3;
    hysteresis = if (config.member("hysteresis")) |value| value.number() else 0.5;
    const path = if (config.member("path")) |value| value.string() else "environment.depth.belowTransducer";
    if (!(limit >= 0 and limit <= depth_max)) return "limit must be a depth in m, 0 to 12000";
    if (!(hysteresis >= 0 and hysteresis <= 1000)) return "hysteresis must be a number of m, 0 to 1000";
    if (!isPath(path)) return "path must be a Signal K path";
    depth = skiff.Input.number(skiff.keep("", path) orelse return "no room");
    note = skiff.Output.notification(skiff.keep("notifications.", path) orelse return "no room", 100);
    skiff.setStatus(skiff.keep("waiting for ", path) orelse return "no room");
    return null;
}

fn isPath(path: []const u8) bool {
    for (path) |byte| {
        if (byte <= '#' or byte >= 0x7f or byte == '\\') return false;
    }
    return path.len > 0 and path.len < 240;
}

fn update() void {
    const now = depth.get() orelse return;
    if (!(now >= 0 and now <= depth_max)) return;
    const was_on = is_on orelse false;
    const on = if (was_on) now < limit + hysteresis else now < limit;
    if (is_on == on) return;
    is_on = on;
    _ = note.write().add(if (on) "Shallow water: depth " else "Depth ").addFixed(now, 2);
    _ = note.add(" m, limit ").addFixed(limit, 2).add(" m");
    note.notify(if (on) .alarm else .normal, if (on) .both else .none);
    note.setStatus();
}
