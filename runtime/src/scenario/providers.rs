//! Steps that a provider of the plugin answers: the export it takes, and the request object.

use alloc::string::String;

use skiff_abi::export;

use super::lines::{Object, quoted};

/// An export with its request, JSON.
pub(super) struct Asked {
    pub export: &'static str,
    pub request: String,
    /// What the step gives where the plugin answers nothing; `None` where its answer does not count.
    pub nothing: Option<&'static str>,
}

fn member(object: Object, name: &str, value: Option<&String>) -> Object {
    // What JavaScript leaves undefined is not there.
    match value {
        Some(value) => object.raw(name, value),
        None => object,
    }
}

/// Returns what a `resource` step asks; `None` for a function that providers do not have.
pub(super) fn resource(kind: &str, function: &str, args: &[String]) -> Option<Asked> {
    let typed = |object: Object| object.raw("resourceType", &quoted(kind)).end();
    let id = || member(Object::new(), "id", args.first());
    Some(match function {
        "listResources" => {
            let query = args.first().map_or("{}", String::as_str);
            let request = crate::json::with_member(query, "resourceType", &quoted(kind));
            Asked { export: export::RESOURCES_LIST, request, nothing: Some("{}") }
        }
        "getResource" => {
            let request = typed(member(id(), "property", args.get(1)));
            Asked { export: export::RESOURCES_GET, request, nothing: Some("{}") }
        }
        "setResource" => {
            let request = typed(member(id(), "value", args.get(1)));
            Asked { export: export::RESOURCES_SET, request, nothing: None }
        }
        "deleteResource" => Asked { export: export::RESOURCES_DELETE, request: typed(id()), nothing: None },
        _ => return None,
    })
}

/// Returns what a `weather` step asks.
pub(super) fn weather(function: &str, args: &[String]) -> Option<Asked> {
    let position = || member(Object::new(), "position", args.first());
    let (export, request) = match function {
        "getObservations" => (export::WEATHER_OBSERVATIONS, member(position(), "options", args.get(1))),
        "getForecasts" => {
            let typed = member(position(), "type", args.get(1));
            (export::WEATHER_FORECASTS, member(typed, "options", args.get(2)))
        }
        "getWarnings" => (export::WEATHER_WARNINGS, position()),
        _ => return None,
    };
    Some(Asked { export, request: request.end(), nothing: Some("[]") })
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
pub(super) fn radar(function: &str, request: &str) -> Option<Asked> {
    let export = RADAR.iter().find(|name| **name == function)?;
    Some(Asked { export, request: request.into(), nothing: None })
}
