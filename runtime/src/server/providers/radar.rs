//! Radar (plugin ABI §10.3). Base `/signalk/v2/api/vessels/self/radars`.
//!
//! Each request first asks every provider for the ids of its radars; the first that claims the id
//! answers. Every answer says `Cache-Control: no-cache`.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Api, Done, Providers, Question, Step, failed, json_body, one, state};
use crate::http::{Method, Request};
use crate::json;
use crate::plugin::Reply;
use crate::server::Response;
use skiff_abi::export;

/// Version of the radar API that the answers follow.
const API_VERSION: &str = "3.4.0";
/// Radars of all providers together.
const RADARS_MAX: usize = 64;

/// The operation on one radar, once its provider is known.
enum Action {
    /// Ask and give the answer out as it is.
    Read { export: &'static str, request: String, member: Option<&'static str> },
    /// Ask; exactly `true`, or `{success,error?}`, means done.
    Write { export: &'static str, request: String, typed: Option<(&'static str, String)> },
    /// `true` means done, anything else that there is no such target.
    Cancel { request: String },
    /// Follow a target.
    Acquire { request: String },
}

/// Answers a request below `/signalk/v2/api/vessels/self/radars`; `segments` are decoded.
#[must_use]
pub fn answer(request: &Request, segments: &[Cow<'_, str>], providers: &Providers<'_>) -> Step {
    let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
    if let Some(step) = providers.administration(Api::Radar, request, &segments) {
        return uncached(step);
    }
    let packages: Vec<String> = providers.of(&Api::Radar).into_iter().map(|provider| provider.id).collect();
    let step = match segments.as_slice() {
        [] if request.method.is_read() => find(packages, list),
        [] => Response::method_not_allowed("GET, HEAD").into(),
        [id, rest @ ..] => match action(request, id, rest) {
            Ok(action) => {
                let id = String::from(*id);
                find(packages, move |claims| match claims.into_iter().find(|(_, known)| *known == id) {
                    Some((package, _)) => act(package, action),
                    None => failed(404, &format!("there is no radar {id}")).into(),
                })
            }
            Err(refused) => refused.into(),
        },
    };
    uncached(step)
}

/// Adds the header field to whatever is answered in the end.
fn uncached(step: Step) -> Step {
    match step {
        Step::Ask(questions, then) => Step::Ask(questions, Box::new(move |replies| uncached(then(replies)))),
        Step::Done(done) => {
            let mut response = done.response;
            response.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("cache-control"));
            Step::Done(Done { response: response.with("cache-control", "no-cache"), effect: done.effect })
        }
    }
}

/// Asks all providers for their radars: pairs of package and radar id.
fn find(packages: Vec<String>, then: impl FnOnce(Vec<(String, String)>) -> Step + Send + 'static) -> Step {
    if packages.is_empty() {
        return then(Vec::new());
    }
    let questions =
        packages.iter().map(|package| Question::provider(package, export::RADAR_GET_RADARS, "{}".into())).collect();
    Step::Ask(
        questions,
        Box::new(move |replies| {
            let mut claims: Vec<(String, String)> = Vec::new();
            for (package, reply) in packages.iter().zip(&replies) {
                let text = reply.text().and_then(|text| json::compact(text).ok()).unwrap_or_default();
                // What is no array names no radar.
                let _ = json::items::<json::JsonError>(&text, |item| {
                    if let Some(id) = json::string(item)
                        && claims.len() < RADARS_MAX
                        && !claims.iter().any(|(_, known)| *known == id)
                    {
                        claims.push((package.clone(), id.into_owned()));
                    }
                    Ok(())
                });
            }
            then(claims)
        }),
    )
}

fn list(claims: Vec<(String, String)>) -> Step {
    if claims.is_empty() {
        return Step::json(200, rows(&[], &[]));
    }
    let questions = claims
        .iter()
        .map(|(package, id)| Question::provider(package, export::RADAR_GET_INFO, one("radarId", id)))
        .collect();
    Step::Ask(questions, Box::new(move |replies| Step::json(200, rows(&claims, &replies))))
}

/// Returns `{"version","radars":{id: info}}`; a radar whose provider gave no object is left out.
fn rows(claims: &[(String, String)], replies: &[Reply]) -> String {
    json::object(|body| {
        body.text("version", API_VERSION).object("radars", |radars| {
            for ((_, id), reply) in claims.iter().zip(replies) {
                if let Some(info) = object(reply) {
                    radars.json(id, &info);
                }
            }
        });
    })
}

/// Returns the object of a reply, compact.
fn object(reply: &Reply) -> Option<String> {
    reply.text().and_then(|text| json::compact(text).ok()).filter(|text| text.starts_with('{'))
}

fn action(request: &Request, id: &str, rest: &[&str]) -> Result<Action, Response> {
    let with = |fill: &dyn Fn(&mut json::Object<'_>)| of_radar(id, fill);
    let read = |export| Ok(Action::Read { export, request: with(&|_| ()), member: None });
    let control = |name: &str, value: &str, typed: Option<(&'static str, &str)>| {
        Ok(Action::Write {
            export: export::RADAR_SET_CONTROL,
            request: with(&|request| {
                request.text("controlId", name).json("value", value);
            }),
            typed: typed.map(|(export, member)| {
                let request = with(&|request| {
                    request.json(member, value);
                });
                (export, request)
            }),
        })
    };
    match (request.method, rest) {
        (Method::Get | Method::Head, []) => read(export::RADAR_GET_INFO),
        (Method::Get | Method::Head, ["capabilities"]) => read(export::RADAR_GET_CAPABILITIES),
        (Method::Get | Method::Head, ["state"]) => read(export::RADAR_GET_STATE),
        (Method::Get | Method::Head, ["targets"]) => read(export::RADAR_GET_TARGETS),
        (Method::Get | Method::Head, ["arpa", "settings"]) => read(export::RADAR_GET_ARPA),
        (Method::Get | Method::Head, ["controls"]) => {
            Ok(Action::Read { export: export::RADAR_GET_STATE, request: with(&|_| ()), member: Some("controls") })
        }
        (Method::Get | Method::Head, ["controls", name]) => Ok(Action::Read {
            export: export::RADAR_GET_CONTROL,
            request: with(&|request| {
                request.text("controlId", name);
            }),
            member: None,
        }),
        (Method::Put, []) => {
            let body = json_body(request)?;
            let controls = json::member(&body, "value").unwrap_or(&body);
            Ok(Action::Write {
                export: export::RADAR_SET_CONTROLS,
                request: with(&|request| {
                    request.json("controls", controls);
                }),
                typed: None,
            })
        }
        (Method::Put, ["power"]) => {
            let body = json_body(request)?;
            let value = json::member(&body, "value").unwrap_or(&body);
            let known = matches!(value, "\"off\"" | "\"standby\"" | "\"transmit\"" | "\"warming\"");
            if !known {
                return Err(failed(400, "value must be off, standby, transmit or warming"));
            }
            control("power", value, Some((export::RADAR_SET_POWER, "state")))
        }
        (Method::Put, ["range"]) => {
            let body = json_body(request)?;
            let value = json::member(&body, "value").unwrap_or(&body);
            if !json::number(value).is_some_and(|range| range > 0.0 && range.is_finite()) {
                return Err(failed(400, "value must be a number of metres above 0"));
            }
            control("range", value, Some((export::RADAR_SET_RANGE, "range")))
        }
        (Method::Put, [name @ ("gain" | "sea" | "rain")]) => {
            let body = json_body(request)?;
            let has_auto = |value: &str| json::member(value, "auto").and_then(json::boolean).is_some();
            let value = json::member(&body, "value").filter(|value| has_auto(value)).unwrap_or(&body);
            if !has_auto(value) {
                return Err(failed(400, "value must be an object with a boolean auto, and a number value"));
            }
            let typed = match *name {
                "gain" => (export::RADAR_SET_GAIN, "gain"),
                "sea" => (export::RADAR_SET_SEA, "sea"),
                _ => (export::RADAR_SET_RAIN, "rain"),
            };
            control(name, value, Some(typed))
        }
        (Method::Put, ["controls", name]) => {
            let body = json_body(request)?;
            control(name, only_value(&body).unwrap_or(&body), None)
        }
        (Method::Post, ["targets"]) => acquire(request, id),
        (Method::Delete, ["targets", target]) => {
            // Targets are numbered; another id is handed over as a text.
            let request = with(&|request| {
                match target.parse::<u32>() {
                    Ok(number) => request.number("targetId", number),
                    Err(_) => request.text("targetId", target),
                };
            });
            Ok(Action::Cancel { request })
        }
        (Method::Put, ["arpa", "settings"]) => {
            let body = json_body(request)?;
            Ok(Action::Write {
                export: export::RADAR_SET_ARPA,
                request: with(&|request| {
                    request.json("settings", &body);
                }),
                typed: None,
            })
        }
        (_, ["spokes"]) => Err(Response::error(426, "this address speaks WebSocket only")),
        _ => Err(failed(404, "no such part of the radar API")),
    }
}

/// Returns the member `value` of an object that has no other.
fn only_value(body: &str) -> Option<&str> {
    let mut count = 0_usize;
    json::members::<json::JsonError>(body, |_, _| {
        count = count.saturating_add(1);
        Ok(())
    })
    .ok()?;
    json::member(body, "value").filter(|_| count == 1)
}

/// Returns the request for one radar: `{"radarId", …}`.
fn of_radar(id: &str, fill: &dyn Fn(&mut json::Object<'_>)) -> String {
    json::object(|request| fill(request.text("radarId", id)))
}

fn acquire(request: &Request, id: &str) -> Result<Action, Response> {
    let body = json_body(request)?;
    let number = |name: &str, sound: fn(f64) -> bool| {
        json::member(&body, name).filter(|value| json::number(value).is_some_and(sound))
    };
    let bearing = number("bearing", |bearing| (0.0..core::f64::consts::TAU).contains(&bearing))
        .ok_or_else(|| failed(400, "bearing must be a number of radians from 0 up to 2π"))?;
    let distance = number("distance", |distance| distance > 0.0 && distance.is_finite())
        .ok_or_else(|| failed(400, "distance must be a number of metres above 0"))?;
    let request = of_radar(id, &|request| {
        request.json("bearing", bearing).json("distance", distance);
    });
    Ok(Action::Acquire { request })
}

fn act(package: String, action: Action) -> Step {
    match action {
        Action::Read { export, request, member } => {
            Step::ask(Question::provider(&package, export, request), move |reply| read(export, member, &reply))
        }
        Action::Write { export, request, typed } => {
            Step::ask(Question::provider(&package, export, request), move |reply| match (reply, typed) {
                // Older plugins export one setter for each control (plugin ABI §10.3 BETTER).
                (Reply::Missing, Some((export, request))) => {
                    Step::ask(Question::provider(&package, export, request), |reply| written(&reply).into())
                }
                (reply, _) => written(&reply).into(),
            })
        }
        Action::Cancel { request } => {
            Step::ask(Question::provider(&package, export::RADAR_CANCEL_TARGET, request), |reply| {
                if reply.text().map(str::trim) == Some("true") {
                    state(200, "COMPLETED", "OK").into()
                } else {
                    failed(404, "there is no such target").into()
                }
            })
        }
        Action::Acquire { request } => {
            Step::ask(Question::provider(&package, export::RADAR_ACQUIRE_TARGET, request), |reply| {
                match object(&reply).filter(|text| json::member(text, "success") == Some("true")) {
                    Some(text) => Step::json(201, text),
                    None => written(&reply).into(),
                }
            })
        }
    }
}

fn read(export: &str, member: Option<&str>, reply: &Reply) -> Step {
    let Some(text) = reply.text().and_then(|text| json::compact(text).ok()) else {
        return failed(400, reply.trouble()).into();
    };
    if let Some(member) = member {
        return Step::json(200, json::member(&text, member).unwrap_or("{}").into());
    }
    if export != export::RADAR_GET_CONTROL && !text.starts_with('{') {
        return failed(400, reply.trouble()).into();
    }
    let error = json::member(&text, "error").filter(|error| !matches!(*error, "null" | "false" | "\"\"" | "0"));
    if let Some(error) = error.filter(|_| export == export::RADAR_GET_CAPABILITIES) {
        return failed(404, &json::string(error).unwrap_or(Cow::Borrowed(error))).into();
    }
    Step::json(200, text)
}

/// `true` or `{"success":true}` means done.
fn written(reply: &Reply) -> Response {
    let text = reply.text().and_then(|text| json::compact(text).ok()).unwrap_or_default();
    if text == "true" || json::member(&text, "success") == Some("true") {
        return state(200, "COMPLETED", "OK");
    }
    let error = json::member(&text, "error").and_then(json::string);
    failed(
        400,
        error.as_deref().unwrap_or_else(|| match reply {
            Reply::Text(_) => "the radar did not accept it",
            other => other.trouble(),
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &[&str], body: &str) -> Result<String, u16> {
        let request = Request { body: body.into(), ..Request::new(Method::Put, "/") };
        match action(&request, "r1", path) {
            Ok(Action::Write { export, request, typed }) => Ok(format!(
                "{export} {request} {}",
                typed.map_or(String::new(), |(export, request)| format!("{export} {request}"))
            )),
            Ok(_) => Ok(String::new()),
            Err(refused) => Err(refused.status),
        }
    }

    #[test]
    fn setters_have_their_requests_and_checks() {
        assert_eq!(
            put(&["power"], r#"{"value":"standby"}"#).unwrap(),
            r#"radar_set_control {"radarId":"r1","controlId":"power","value":"standby"} radar_set_power {"radarId":"r1","state":"standby"}"#
        );
        assert_eq!(
            put(&["gain"], r#"{"auto":false,"value":40}"#).unwrap(),
            r#"radar_set_control {"radarId":"r1","controlId":"gain","value":{"auto":false,"value":40}} radar_set_gain {"radarId":"r1","gain":{"auto":false,"value":40}}"#
        );
        assert!(put(&["gain"], r#"{"value":{"auto":true}}"#).unwrap().contains(r#""value":{"auto":true}}"#));
        assert!(put(&["controls", "x"], r#"{"value":7}"#).unwrap().contains(r#""value":7}"#));
        assert!(
            put(&["controls", "x"], r#"{"value":7,"auto":true}"#)
                .unwrap()
                .contains(r#""value":{"value":7,"auto":true}}"#)
        );
        assert!(
            put(&[], r#"{"value":{"gain":1}}"#)
                .unwrap()
                .starts_with(r#"radar_set_controls {"radarId":"r1","controls":{"gain":1}}"#)
        );
        for (path, body) in [
            (&["power"][..], r#"{"value":"full"}"#),
            (&["range"], r#"{"value":-1}"#),
            (&["range"], r#"{"value":"far"}"#),
            (&["sea"], r#"{"value":3}"#),
            (&["power"], "nonsense"),
        ] {
            assert_eq!(put(path, body), Err(400), "{body}");
        }
        assert_eq!(put(&["nothing"], "{}"), Err(404));
    }

    #[test]
    fn targets_are_acquired_in_radians() {
        let post = |body: &str| {
            let request = Request { body: body.into(), ..Request::new(Method::Post, "/") };
            action(&request, "r1", &["targets"]).map_err(|refused| refused.status).is_ok()
        };
        assert!(post(r#"{"bearing":1.5,"distance":300}"#) && post(r#"{"bearing":0,"distance":0.5}"#));
        assert!(!post(r#"{"bearing":6.3,"distance":300}"#) && !post(r#"{"bearing":-0.1,"distance":300}"#));
        assert!(!post(r#"{"bearing":1,"distance":0}"#) && !post("{}"));
    }

    #[test]
    fn only_a_clear_yes_is_a_success() {
        let of = |text: &str| written(&Reply::Text(Some(text.into()))).status;
        assert_eq!((of("true"), of(r#"{"success":true}"#)), (200, 200));
        for no in ["false", "1", "{}", r#"{"success":false,"error":"busy"}"#, "", "nonsense"] {
            assert_eq!(of(no), 400, "{no}");
        }
        assert_eq!(written(&Reply::Missing).status, 400);
    }
}
