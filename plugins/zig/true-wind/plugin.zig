//! Signal K plugin `@skiff/true-wind-zig`: true wind from apparent wind, boat speed and heading.
const std = @import("std");
const skiff = @import("skiff");

const pi = std.math.pi;
/// No boat and no wind is faster, m/s; guards the arithmetic against nonsense.
const speed_max = 1000;

var wind_speed: *skiff.Input = undefined;
var wind_angle: *skiff.Input = undefined;
var boat_speed: *skiff.Input = undefined;
var heading_true: *skiff.Input = undefined;
var heading_magnetic: *skiff.Input = undefined;
var variation: *skiff.Input = undefined;
var speed_true: *skiff.Output = undefined;
var angle_true: *skiff.Output = undefined;
var direction_true: *skiff.Output = undefined;
var waiting: [*:0]const u8 = undefined;
var shown: ?[*:0]const u8 = null;
var age_max: u32 = undefined;
/// Which halves of an apparent wind wait for the other.
var has_speed = false;
var has_angle = false;

comptime {
    skiff.plugin(.{
        .id = "@skiff/true-wind-zig",
        .name = "True wind",
        .schema =
        \\{"$schema":"http://json-schema.org/draft-07/schema#","title":"True wind","type":"object","properties":{"speed":{"type":"string","title":"Boat speed","description":"water: speed through water; ground: speed over ground, for a boat without a log","enum":["water","ground"],"default":"water"},"maxAgeSeconds":{"type":"number","title":"Maximum age of a value in seconds","description":"Older values are not used","minimum":0.1,"maximum":3600,"default":5}}}
        ,
        .start = start,
        .update = update,
    });
}

/// Shows a status text when it differs from the last one.
fn show(status: [*:0]const u8) void {
    if (shown != status) skiff.setStatus(status);
    shown = status;
}

fn start(config: skiff.Json) ?[*:0]const u8 {
    if (config.text().len > 0 and config.text()[0] != '{') return "the configuration is not an object";
    var ground = false;
    if (config.member("speed")) |speed| {
        ground = std.mem.eql(u8, speed.string(), "ground");
        if (!ground and !std.mem.eql(u8, speed.string(), "water")) return "speed must be \"water\" or \"ground\"";
    }
    const seconds = if (config.member("maxAgeSeconds")) |age| age.number() else 5;
    if (!(seconds >= 0.1 and seconds <= 3600)) return "maxAgeSeconds must be a number from 0.1 to 3600";
    age_max = @intFromFloat(seconds * 1000);
    has_speed = false;
    has_angle = false;
    waiting = if (ground) "waiting for navigation.speedOverGround" else "waiting for navigation.speedThroughWater";
    wind_speed = skiff.Input.number("environment.wind.speedApparent");
    wind_angle = skiff.Input.number("environment.wind.angleApparent");
    boat_speed = skiff.Input.number(if (ground) "navigation.speedOverGround" else "navigation.speedThroughWater").quiet();
    heading_true = skiff.Input.number("navigation.headingTrue").quiet();
    heading_magnetic = skiff.Input.number("navigation.headingMagnetic").quiet();
    variation = skiff.Input.number("navigation.magneticVariation").quiet();
    speed_true = skiff.Output.number("environment.wind.speedTrue", 4);
    angle_true = skiff.Output.number("environment.wind.angleTrueWater", 4);
    direction_true = skiff.Output.number("environment.wind.directionTrue", 4);
    shown = null;
    show("waiting for environment.wind.speedApparent and angleApparent");
    return null;
}

/// The value of an input that is an angle at all: sensors send at most one turn either way.
fn angleOf(input: *const skiff.Input) ?f64 {
    const value = input.get() orelse return null;
    return if (@abs(value) <= 3 * pi) value else null;
}

fn isFresh(input: *const skiff.Input) bool {
    return input.age() <= age_max;
}

const Wind = struct { speed: f64, angle: f64 };

/// An apparent wind has come once both its halves are new, at most the maximum age apart.
fn takeWind() ?Wind {
    const speed = wind_speed.get() orelse -1;
    const angle = angleOf(wind_angle);
    has_speed = speed >= 0 and speed < speed_max and (has_speed or wind_speed.isNew());
    has_angle = angle != null and (has_angle or wind_angle.isNew());
    if (!has_speed or !has_angle) return null;
    const ages = [2]u32{ wind_speed.age(), wind_angle.age() };
    if (@max(ages[0], ages[1]) - @min(ages[0], ages[1]) > age_max) {
        // The older half of a pair that does not match waits no longer.
        has_speed = ages[0] < ages[1];
        has_angle = !has_speed;
        return null;
    }
    has_speed = false;
    has_angle = false;
    return .{ .speed = speed, .angle = angle.? };
}

fn heading() ?f64 {
    if (isFresh(heading_true)) {
        if (angleOf(heading_true)) |value| return value;
    }
    if (!isFresh(heading_magnetic)) return null;
    return (angleOf(heading_magnetic) orelse return null) + (angleOf(variation) orelse return null);
}

/// Where a wind comes from, rad from true north in 0..2 pi.
fn direction(north: f64, angle: f64) f64 {
    var sum = north + angle;
    while (sum < 0) sum += 2 * pi;
    while (sum >= 2 * pi) sum -= 2 * pi;
    // Four decimals can reach 2 pi, which is north again.
    return if (sum >= 2 * pi - 0.00005) 0 else sum;
}

const Rotation = struct { sin: f64, cos: f64 };

/// Sine and cosine of at most one turn and a half, to 1e-15: the library's bring in the reduction of huge angles.
fn sinCos(angle: f64) Rotation {
    // The nearest quarter turn; at most 6, so the rest is exact to the last bits of the angle.
    const half: f64 = if (angle < 0) -0.5 else 0.5;
    const quarters: i32 = @intFromFloat(angle / (pi / 2.0) + half);
    const rest = angle - @as(f64, @floatFromInt(quarters)) * (pi / 2.0);
    const square = rest * rest;
    var sin: f64 = 0;
    var cos: f64 = 0;
    var even: f64 = 18;
    while (even >= 2) : (even -= 2) {
        sin = (1 + sin) * -square / (even * (even + 1));
        cos = (1 + cos) * -square / (even * (even - 1));
    }
    sin = rest * (1 + sin);
    cos = 1 + cos;
    return switch (quarters & 3) {
        0 => .{ .sin = sin, .cos = cos },
        1 => .{ .sin = cos, .cos = -sin },
        2 => .{ .sin = -sin, .cos = -cos },
        else => .{ .sin = -cos, .cos = sin },
    };
}

fn update() void {
    const apparent = takeWind() orelse return;
    const boat = boat_speed.get() orelse return show(waiting);
    if (!isFresh(boat_speed) or !(boat >= -speed_max and boat < speed_max)) return show(waiting);
    var turned = sinCos(apparent.angle);
    const ahead = apparent.speed * turned.cos - boat;
    const starboard = apparent.speed * turned.sin;
    const angle = std.math.atan2(starboard, ahead);
    turned = sinCos(angle);
    speed_true.set(ahead * turned.cos + starboard * turned.sin);
    angle_true.set(angle);
    if (heading()) |north| {
        direction_true.set(direction(north, angle));
        show("true wind from apparent wind, speed and heading");
    } else {
        show("true wind without direction: no navigation.headingTrue, nor headingMagnetic with magneticVariation");
    }
}
