//! Steps that a provider of the plugin answers: the export it takes, and the request object.

use alloc::string::String;

use skiff_abi::export;

use crate::json;

/// An export with its request, JSON.
pub(super) struct ProviderCall {
    pub export: &'static str,
    pub request: String,
    /// What the step gives where the plugin answers nothing; `None` where its answer does not count.
    pub nothing: Option<&'static str>,
}

/// Returns the object of those arguments that are there: what JavaScript leaves undefined is not.
fn request(args: &[(&str, Option<&String>)], kind: Option<&str>) -> String {
    json::object(|request| {
        for (name, value) in args {
            if let Some(value) = value {
                request.json(name, value);
            }
        }
        if let Some(kind) = kind {
            request.text("resourceType", kind);
        }
    })
}

/// Returns what a `resource` step asks; `None` for a function that providers do not have.
pub(super) fn resource(kind: &str, function: &str, args: &[String]) -> Option<ProviderCall> {
    let id = ("id", args.first());
    Some(match function {
        "listResources" => {
            let query = args.first().map_or("{}", String::as_str);
            let request = json::with_member(query, "resourceType", &json::quoted(kind));
            ProviderCall { export: export::RESOURCES_LIST, request, nothing: Some("{}") }
        }
        "getResource" => {
            let request = request(&[id, ("property", args.get(1))], Some(kind));
            ProviderCall { export: export::RESOURCES_GET, request, nothing: Some("{}") }
        }
        "setResource" => {
            let request = request(&[id, ("value", args.get(1))], Some(kind));
            ProviderCall { export: export::RESOURCES_SET, request, nothing: None }
        }
        "deleteResource" => {
            ProviderCall { export: export::RESOURCES_DELETE, request: request(&[id], Some(kind)), nothing: None }
        }
        _ => return None,
    })
}

/// Returns what a `weather` step asks.
pub(super) fn weather(function: &str, args: &[String]) -> Option<ProviderCall> {
    let position = ("position", args.first());
    let (export, request) = match function {
        "getObservations" => (export::WEATHER_OBSERVATIONS, request(&[position, ("options", args.get(1))], None)),
        "getForecasts" => {
            let args = [position, ("type", args.get(1)), ("options", args.get(2))];
            (export::WEATHER_FORECASTS, request(&args, None))
        }
        "getWarnings" => (export::WEATHER_WARNINGS, request(&[position], None)),
        _ => return None,
    };
    Some(ProviderCall { export, request, nothing: Some("[]") })
}

/// Exports a radar provider can have.
const RADAR: &[&str] = &[
    export::RADAR_GET_RADARS,
    export::RADAR_GET_INFO,
    export::RADAR_GET_CAPABILITIES,
    export::RADAR_GET_STATE,
    export::RADAR_GET_CONTROL,
    export::RADAR_SET_CONTROL,
    export::RADAR_SET_CONTROLS,
    export::RADAR_GET_TARGETS,
    export::RADAR_ACQUIRE_TARGET,
    export::RADAR_CANCEL_TARGET,
    export::RADAR_GET_ARPA,
    export::RADAR_SET_ARPA,
    export::RADAR_SET_POWER,
    export::RADAR_SET_RANGE,
    export::RADAR_SET_GAIN,
    export::RADAR_SET_SEA,
    export::RADAR_SET_RAIN,
];

/// Returns what a `radar` step asks: `function` is the export itself.
pub(super) fn radar(function: &str, request: &str) -> Option<ProviderCall> {
    let export = RADAR.iter().find(|name| **name == function)?;
    Some(ProviderCall { export, request: request.into(), nothing: None })
}
