//! Signal K plugin `@skiff/anchor-watch-zig`: rings when the boat leaves the circle around its anchor.
const std = @import("std");
const skiff = @import("skiff");

const degree = std.math.pi / 180.0;
/// Mean radius of the earth, m (IUGG).
const earth = 6371008.8;

var latitude: *skiff.Input = undefined;
var longitude: *skiff.Input = undefined;
var latitude_out: *skiff.Output = undefined;
var longitude_out: *skiff.Output = undefined;
var radius_out: *skiff.Output = undefined;
var distance_out: *skiff.Output = undefined;
var note: *skiff.Output = undefined;
var radius: f64 = undefined;
var anchor: ?Position = null;
/// Null until it was published.
var is_dragging: ?bool = null;

comptime {
    skiff.plugin(.{
        .id = "@skiff/anchor-watch-zig",
        .name = "Anchor watch",
        .schema =
        \\{"$schema":"http://json-schema.org/draft-07/schema#","title":"Anchor watch","type":"object","properties":{"radius":{"type":"number","title":"Radius in m","description":"The alarm rings when the boat is farther from its anchor","minimum":5,"maximum":10000,"default":30},"latitude":{"type":"number","title":"Latitude of the anchor in degrees","description":"Without it the first position after the start is the anchor's","minimum":-90,"maximum":90},"longitude":{"type":"number","title":"Longitude of the anchor in degrees","minimum":-180,"maximum":180}}}
        ,
        .start = start,
        .update = update,
    });
}

const Position = struct {
    latitude: f64,
    longitude: f64,

    /// A position, when it is one on earth.
    fn of(north: f64, east: f64) ?Position {
        if (!(@abs(north) <= 90) or !(@abs(east) <= 180)) return null;
        return .{ .latitude = north, .longitude = east };
    }

    /// Metres to another position: on a plane, which is right to a millimetre within a few kilometres.
    fn distance(self: Position, boat: Position) f64 {
        var turn = boat.longitude - self.longitude;
        if (turn > 180) turn -= 360;
        if (turn < -180) turn += 360;
        const half = sine((boat.latitude + self.latitude) / 4 * degree);
        const ahead = (boat.latitude - self.latitude) * degree;
        const aside = turn * degree * (1 - 2 * half * half);
        return earth * @sqrt(ahead * ahead + aside * aside);
    }
};

/// Sine of an angle of at most a quarter turn either way, by its series.
fn sine(angle: f64) f64 {
    const square = angle * angle;
    var sum: f64 = 0;
    var even: f64 = 18;
    while (even >= 2) : (even -= 2) sum = (1 + sum) * -square / (even * (even + 1));
    return angle * (1 + sum);
}

fn start(config: skiff.Json) ?[*:0]const u8 {
    radius = if (config.member("radius")) |value| value.number() else 30;
    if (!(radius >= 5 and radius <= 10000)) return "radius must be a number of m, 5 to 10000";
    const north = config.member("latitude");
    const east = config.member("longitude");
    anchor = null;
    if (north != null or east != null) {
        const refusal = "latitude and longitude must be degrees, both or none";
        anchor = Position.of((north orelse return refusal).number(), (east orelse return refusal).number());
        if (anchor == null) return refusal;
    }
    is_dragging = null;
    latitude = skiff.Input.number("navigation.position#latitude");
    longitude = skiff.Input.number("navigation.position#longitude").quiet();
    latitude_out = skiff.Output.number("navigation.anchor.position#latitude", 7);
    longitude_out = skiff.Output.number("navigation.anchor.position#longitude", 7);
    radius_out = skiff.Output.number("navigation.anchor.maxRadius", 1);
    distance_out = skiff.Output.number("navigation.anchor.currentRadius", 1);
    note = skiff.Output.notification("notifications.navigation.anchor", 80);
    skiff.setStatus("waiting for navigation.position");
    return null;
}

fn update() void {
    const boat = Position.of(latitude.get() orelse return, longitude.get() orelse return) orelse return;
    const from = anchor orelse boat;
    anchor = from;
    if (is_dragging == null) {
        latitude_out.set(from.latitude);
        longitude_out.set(from.longitude);
        radius_out.set(radius);
    }
    const now = from.distance(boat);
    distance_out.set(now);
    // Back to normal a tenth inside of the circle, so that swinging on its edge does not ring again and again.
    const drags = now > if (is_dragging orelse false) radius * 0.9 else radius;
    if (is_dragging == drags) return;
    is_dragging = drags;
    _ = note.write().add(if (drags) "Anchor drags: " else "At anchor: ").addFixed(now, 1);
    _ = note.add(" m from the anchor, limit ").addFixed(radius, 1).add(" m");
    note.notify(if (drags) .emergency else .normal, if (drags) .both else .none);
    note.setStatus();
}
