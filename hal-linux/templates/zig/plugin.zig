//! Signal K plugin `{{name}}`: tells the smallest depth since it was started.
const std = @import("std");
const skiff = @import("skiff");

var depth: *skiff.Input = undefined;
var smallest: *skiff.Output = undefined;
/// m; what the operator adds to each depth.
var offset: f64 = 0;
var least: f64 = std.math.inf(f64);

comptime {
    skiff.plugin(.{
        .id = "{{name}}",
        .name = "{{title}}",
        .schema =
        \\{"type":"object","properties":{"offset":{"type":"number","title":"Offset in m that is added to each depth","minimum":-20,"maximum":20,"default":0}}}
        ,
        .start = start,
        .update = update,
    });
}

/// Declares inputs and outputs; null when it started, else why not.
fn start(config: skiff.Json) ?[*:0]const u8 {
    offset = if (config.member("offset")) |value| value.number() else 0;
    if (!(offset >= -20 and offset <= 20)) return "offset must be a number from -20 to 20";
    least = std.math.inf(f64);
    depth = skiff.Input.number("environment.depth.belowTransducer");
    smallest = skiff.Output.number("environment.depth.smallest", 2);
    skiff.setStatus("waiting for environment.depth.belowTransducer");
    return null;
}

/// A value has arrived; what is set here is published afterwards.
fn update() void {
    const now = (depth.get() orelse return) + offset;
    if (now >= least) return;
    least = now;
    smallest.set(now);
    skiff.setStatus("runs");
}
