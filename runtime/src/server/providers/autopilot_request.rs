//! What a request asks of an autopilot: the handler of its plugin, and the value that it is given.

use core::f64::consts::PI;

use super::{failed, json_body};
use crate::http::{Method, Request};
use crate::json;
use crate::server::Response;
use alloc::string::String;
use skiff_abi::export;

/// Farthest that one evades to a side at a time, radians: Signal K Server has 20 degrees.
const DODGE_MAX: f64 = 20.0 * PI / 180.0;

/// What is asked of a plugin.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// All there is to say, or this member of it.
    Data(Option<&'static str>),
    /// One value, `{"value":…}`; where the handler is missing, this member of all there is to say.
    Value(&'static str, &'static str),
    /// Something is to be done, with this member of the request.
    Do(&'static str, Option<(&'static str, String)>),
}

/// Finds what is asked.
///
/// # Errors
/// The answer to what cannot be asked.
pub fn action(request: &Request, rest: &[&str]) -> Result<Action, Response> {
    use Action::{Data, Do, Value};
    let side = |side: &str| Some(("direction", json::quoted(side)));
    Ok(match (request.method, rest) {
        (Method::Get | Method::Head, []) => Data(None),
        (Method::Get | Method::Head, ["options"]) => Data(Some("options")),
        (Method::Get | Method::Head, ["state"]) => Value(export::AUTOPILOT_GET_STATE, "state"),
        (Method::Get | Method::Head, ["mode"]) => Value(export::AUTOPILOT_GET_MODE, "mode"),
        (Method::Get | Method::Head, ["target"]) => Value(export::AUTOPILOT_GET_TARGET, "target"),
        (Method::Put, ["state"]) => Do(export::AUTOPILOT_SET_STATE, text(request)?),
        (Method::Put, ["mode"]) => Do(export::AUTOPILOT_SET_MODE, text(request)?),
        (Method::Put, ["target"]) => Do(export::AUTOPILOT_SET_TARGET, angle(request, -PI, 2.0 * PI)?),
        (Method::Put, ["target", "adjust"]) => Do(export::AUTOPILOT_ADJUST_TARGET, angle(request, -PI, 2.0 * PI)?),
        (Method::Put, ["dodge"]) => Do(export::AUTOPILOT_DODGE, angle(request, -DODGE_MAX, DODGE_MAX)?),
        (Method::Post, ["dodge"]) => Do(export::AUTOPILOT_DODGE, Some(("value", "0".into()))),
        (Method::Delete, ["dodge"]) => Do(export::AUTOPILOT_DODGE, Some(("value", "null".into()))),
        (Method::Post, ["engage"]) => Do(export::AUTOPILOT_ENGAGE, None),
        (Method::Post, ["disengage"]) => Do(export::AUTOPILOT_DISENGAGE, None),
        (Method::Post, ["courseCurrentPoint"]) => Do(export::AUTOPILOT_COURSE_CURRENT_POINT, None),
        (Method::Post, ["courseNextPoint"]) => Do(export::AUTOPILOT_COURSE_NEXT_POINT, None),
        (Method::Post, ["tack", to @ ("port" | "starboard")]) => Do(export::AUTOPILOT_TACK, side(to)),
        (Method::Post, ["gybe", to @ ("port" | "starboard")]) => Do(export::AUTOPILOT_GYBE, side(to)),
        (_, [] | ["options"]) => return Err(Response::method_not_allowed("GET, HEAD")),
        (_, ["state" | "mode" | "target"]) => return Err(Response::method_not_allowed("GET, HEAD, PUT")),
        (_, ["target", "adjust"]) => return Err(Response::method_not_allowed("PUT")),
        (_, ["dodge"]) => return Err(Response::method_not_allowed("DELETE, POST, PUT")),
        (_, ["engage" | "disengage" | "courseCurrentPoint" | "courseNextPoint"])
        | (_, ["tack" | "gybe", "port" | "starboard"]) => return Err(Response::method_not_allowed("POST")),
        _ => return Err(failed(404, "the Autopilot API has no such part")),
    })
}

/// Reads a text out of a body `{"value":…}`.
fn text(request: &Request) -> Result<Option<(&'static str, String)>, Response> {
    let body = json_body(request)?;
    match json::member(&body, "value").filter(|value| json::string(value).is_some()) {
        Some(value) => Ok(Some(("value", value.into()))),
        None => Err(failed(400, "value must be a text")),
    }
}

/// Reads an angle out of a body `{"value":…,"units"?:"deg"}`, in radians, and brings it between two.
fn angle(request: &Request, least: f64, most: f64) -> Result<Option<(&'static str, String)>, Response> {
    let body = json_body(request)?;
    let Some(number) = json::member(&body, "value").and_then(json::number) else {
        return Err(failed(400, "value must be a number"));
    };
    let radians = match json::member(&body, "units").and_then(json::string) {
        None => number,
        Some(units) if units.eq_ignore_ascii_case("rad") => number,
        Some(units) if units.eq_ignore_ascii_case("deg") => number * PI / 180.0,
        Some(_) => return Err(failed(400, "units must be deg or rad")),
    };
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = json::write_f64(&mut text, radians.clamp(least, most));
    Ok(Some(("value", text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn of(method: Method, path: &str, body: &str) -> Result<Action, u16> {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let request = Request { body: body.as_bytes().into(), ..Request::new(method, "/") };
        action(&request, &segments).map_err(|refused| refused.status)
    }

    #[test]
    fn angles_are_radians_and_stay_in_their_range() {
        for (path, body, value) in [
            ("target", r#"{"value":1.5}"#, "1.5"),
            ("target", r#"{"value":180,"units":"deg"}"#, "3.141592653589793"),
            ("target", r#"{"value":7}"#, "6.283185307179586"),
            ("target", r#"{"value":-4}"#, "-3.141592653589793"),
            ("target/adjust", r#"{"value":-10,"units":"DEG"}"#, "-0.17453292519943295"),
            ("dodge", r#"{"value":45,"units":"deg"}"#, "0.3490658503988659"),
        ] {
            let Ok(Action::Do(_, Some((_, found)))) = of(Method::Put, path, body) else { panic!("{path} {body}") };
            assert_eq!(found, value, "{path} {body}");
        }
        for body in ["", "{}", r#"{"value":"1"}"#, r#"{"value":1,"units":"gon"}"#, "1"] {
            assert_eq!(of(Method::Put, "target", body), Err(400), "{body}");
        }
    }

    #[test]
    fn each_address_has_its_methods() {
        assert_eq!(
            of(Method::Delete, "dodge", ""),
            Ok(Action::Do(export::AUTOPILOT_DODGE, Some(("value", "null".into()))))
        );
        assert_eq!(
            of(Method::Post, "tack/port", ""),
            Ok(Action::Do(export::AUTOPILOT_TACK, Some(("direction", "\"port\"".into()))))
        );
        for (method, path, status) in [
            (Method::Post, "", 405),
            (Method::Put, "engage", 405),
            (Method::Get, "tack/port", 405),
            (Method::Post, "tack/ahead", 404),
            (Method::Get, "other", 404),
            (Method::Post, "state", 405),
        ] {
            assert_eq!(of(method, path, ""), Err(status), "{method} {path}");
        }
        assert_eq!(of(Method::Put, "state", r#"{"value":1}"#), Err(400));
    }
}
