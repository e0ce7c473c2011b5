//! Parameters of addresses and of their queries.

/// A parameter of an address or of its query.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Whether it stands in the query.
    pub of_query: bool,
    /// Its kind, see [`super::kind`].
    pub kind: &'static str,
    /// What it means.
    pub says: &'static str,
    /// One that can be given.
    pub example: &'static str,
}

const fn path(name: &'static str, says: &'static str, example: &'static str) -> Parameter {
    Parameter { name, of_query: false, kind: "text", says, example }
}

const fn query(name: &'static str, kind: &'static str, says: &'static str, example: &'static str) -> Parameter {
    Parameter { name, of_query: true, kind, says, example }
}

/// Parameters by name.
pub const PARAMETERS: &[Parameter] = &[
    path("vessel", "`self`, or the id of a vessel", "self"),
    path("group", "First name of a path", "navigation"),
    path("name", "Second name of a path", "speedOverGround"),
    path("part", "Third name of a path", "inner"),
    path("member", "A member", "displayName"),
    path("path", "A path with dots", "navigation.speedOverGround"),
    path("notification", "Id of a notification", "ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a"),
    path("resource", "Id of a resource, a UUID of version 4", "ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a"),
    path("chart", "Id of a chart, eight or more letters, digits, `_`, `-`", "sea-chart"),
    path("type", "Type of resources", "routes"),
    path("provider", "Id of a provider, a package's name", "resources-provider"),
    path("pilot", "Id of an autopilot", "pilot"),
    path("radar", "Id of a radar", "radar"),
    path("control", "Id of a control", "gain"),
    path("target", "Id of a target", "1"),
    path("request", "Id of a request", "ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a"),
    path("user", "Name of a user", "skipper"),
    path("device", "Id that a device gave itself", "wind-sensor"),
    path("token", "Name of a token", "dashboard"),
    path("plugin", "Id of a plugin", "_skiff_true-wind"),
    path("webapp", "Name of a web app's package", "@mxtommy/kip"),
    path("package", "Name of a package", "@skiff/true-wind"),
    path("version", "Version of a package", "1.0.0"),
    path("app", "Name of an app", "kip"),
    path("appVersion", "Version of its documents", "1.0"),
    path("preset", "Name of a preset", "metric"),
    path("document", "Name of a document", "course"),
    path("stream", "Name of a document", "deltas"),
    query("enabled", "0|1", "Only plugins that are enabled, or are not", "1"),
    query("radius", "number", "Metres around the own vessel", "50000"),
    query("bbox", "text", "West, south, east, north in degrees", "9.9,53.9,10.3,54.3"),
    query("position", "text", "Longitude and latitude in degrees, in brackets", "[10,54.1]"),
    query("distance", "number", "Metres around that position", "5000"),
    query("limit", "whole", "How many at most", "10"),
    query("timespan", "text", "How far back: hours, or with a unit", "1h"),
    query("resolution", "text", "Time between two rows: seconds, or with a unit", "1m"),
    query(
        "paths",
        "text",
        "Paths, each with a method: average, min, max, first, last",
        "navigation.speedOverGround:average",
    ),
    query("context", "text", "A vessel; the own one where it is left out", "vessels.self"),
    query("from", "time", "Begin", "2026-01-01T00:00:00Z"),
    query("to", "time", "End", "2026-01-01T01:00:00Z"),
    query("duration", "text", "Time between begin and end", "PT1H"),
    query("time", "time", "When", "2026-01-01T00:00:00Z"),
    query("lat", "number", "Latitude in degrees", "54.1"),
    query("lon", "number", "Longitude in degrees", "10"),
    query("date", "text", "First day", "2026-01-01"),
    query("count", "whole", "How many", "3"),
    query("grant", "text", "What is granted: names with commas between them, or `all`", "network"),
    query("keys", "flag", "The names of the members alone", "true"),
    query("lines", "whole", "How many lines", "20"),
    query("includePlugins", "flag", "Packages, too", "true"),
];
