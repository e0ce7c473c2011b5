//! Autopilots (an extension of the plugin ABI). Base `/signalk/v2/api/vessels/self/autopilots`.
//!
//! Plugins register the ids of their autopilots; a request goes to the plugin that has the one it names. `_default` is the one
//! that was chosen, else the one that was registered first.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::autopilot_request::{Action, action};
use super::{Api, Defaults, Done, Effect, Providers, Question, Step, failed, one, state};
use crate::http::{Method, Request};
use crate::json;
use crate::plugin::{Registry, Reply};
use crate::server::Response;
use crate::time::Instant;
use skiff_abi::export;

/// An autopilot, and the package of its plugin.
struct Pilot<'r> {
    since: Instant,
    device: &'r str,
    package: &'r str,
}

/// Returns the autopilots by time of registration; of two with one id the first.
fn pilots(registry: &Registry) -> Vec<Pilot<'_>> {
    let mut all: Vec<Pilot<'_>> = Vec::new();
    for plugin in registry.plugins() {
        let package = plugin.package_name();
        let of_plugin = plugin.offers().into_iter().flat_map(crate::plugin::Offers::autopilots);
        all.extend(of_plugin.map(|(device, since)| Pilot { since, device, package }));
    }
    all.sort_by_key(|pilot| pilot.since);
    let mut found: Vec<Pilot<'_>> = Vec::new();
    for pilot in all {
        if !found.iter().any(|known| known.device == pilot.device) {
            found.push(pilot);
        }
    }
    found
}

/// Returns the id of the default autopilot; `None` where there is no autopilot.
#[must_use]
pub fn default_pilot(registry: &Registry, defaults: &Defaults) -> Option<String> {
    let all = pilots(registry);
    // Asked with every poll: most boats have none.
    let first = all.first()?;
    let chosen = defaults.chosen(&Api::Autopilot);
    let default = all.iter().find(|pilot| Some(pilot.device) == chosen).unwrap_or(first);
    Some(String::from(default.device))
}

/// Answers a request below `/signalk/v2/api/vessels/self/autopilots`; `segments` are decoded.
#[must_use]
pub fn answer(request: &Request, segments: &[Cow<'_, str>], providers: &Providers<'_>) -> Step {
    let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
    let all = pilots(providers.registry);
    let default = default_pilot(providers.registry, providers.defaults);
    match segments.as_slice() {
        [] | ["_providers", "_default"] if !request.method.is_read() => {
            Response::method_not_allowed("GET, HEAD").into()
        }
        [] => Step::json(
            200,
            json::object(|rows| {
                for pilot in &all {
                    rows.object(pilot.device, |row| {
                        row.text("provider", pilot.package);
                        row.boolean("isDefault", Some(pilot.device) == default.as_deref());
                    });
                }
            }),
        ),
        ["_providers", "_default"] => Step::json(200, default.map_or("{}".into(), |device| one("id", &device))),
        ["_providers", "_default", device] if request.method == Method::Post => {
            if !all.iter().any(|pilot| pilot.device == *device) {
                return failed(400, &format!("there is no autopilot {device}")).into();
            }
            let effect = Effect::Default { api: Api::Autopilot, package: String::from(*device) };
            Step::Done(Done { response: done(), effect })
        }
        ["_providers", ..] => Response::method_not_allowed("POST").into(),
        _ if all.is_empty() => failed(501, "no plugin with an autopilot runs").into(),
        [id, rest @ ..] => {
            let id = if *id == "_default" { default.as_deref().unwrap_or(id) } else { id };
            let Some(pilot) = all.iter().find(|pilot| pilot.device == id) else {
                return failed(400, &format!("there is no autopilot {id}")).into();
            };
            match action(request, rest) {
                Ok(action) => act(pilot, action),
                Err(refused) => refused.into(),
            }
        }
    }
}

fn done() -> Response {
    state(200, "COMPLETED", "OK")
}

/// Asks the plugin of an autopilot.
fn act(pilot: &Pilot<'_>, action: Action) -> Step {
    let request = |member: Option<(&'static str, String)>| {
        json::object(|request| {
            request.text("deviceId", pilot.device);
            if let Some((name, value)) = member {
                request.json(name, &value);
            }
        })
    };
    let package = String::from(pilot.package);
    let asked = request(None);
    match action {
        Action::Data(member) => data(&package, asked, move |data| match member {
            Some(member) => json::member(data, member).map_or("null".into(), String::from),
            None => String::from(data),
        }),
        Action::Value(handler, member) => {
            Step::ask(Question::provider(&package, handler, asked.clone()), move |reply| match reply {
                Reply::Missing => data(&package, asked, move |data| value(json::member(data, member))),
                reply => match said(&reply) {
                    Ok(text) => Step::json(200, value(text.as_deref())),
                    Err(refused) => refused.into(),
                },
            })
        }
        Action::Do(handler, member) => {
            Step::ask(Question::provider(&package, handler, request(member)), |reply| match said(&reply) {
                Ok(text) if text.as_deref() == Some("false") => failed(500, "the autopilot did not do it").into(),
                Ok(_) => done().into(),
                Err(refused) => refused.into(),
            })
        }
    }
}

/// Asks for all there is to say, and answers with what `pick` makes of it.
fn data(package: &str, request: String, pick: impl FnOnce(&str) -> String + Send + 'static) -> Step {
    Step::ask(Question::provider(package, export::AUTOPILOT_GET_DATA, request), move |reply| match said(&reply) {
        Ok(Some(text)) if text.starts_with('{') => Step::json(200, pick(&text)),
        Ok(_) => failed(500, "the plugin of the autopilot gave no usable answer").into(),
        Err(refused) => refused.into(),
    })
}

fn value(text: Option<&str>) -> String {
    json::object(|out| {
        out.json("value", text.unwrap_or("null"));
    })
}

/// Reads what a handler said, compact JSON; nothing is `None`.
///
/// # Errors
/// The answer where the handler failed, is missing, or said `{"error":…,"statusCode"?:…}`.
fn said(reply: &Reply) -> Result<Option<String>, Response> {
    let text = match reply {
        Reply::Text(text) => text.as_deref().unwrap_or_default().trim(),
        Reply::Missing => return Err(failed(501, "the autopilot cannot do that")),
        other => return Err(failed(500, other.trouble())),
    };
    if text.is_empty() {
        return Ok(None);
    }
    // A text that is no JSON is one: handlers may answer with a bare word.
    let text = json::compact(text).unwrap_or_else(|_| json::quoted(text));
    let Some(error) = json::member(&text, "error") else { return Ok(Some(text)) };
    let status = json::member(&text, "statusCode").and_then(|status| status.parse().ok());
    let status = status.filter(|status| (400..600_u16).contains(status)).unwrap_or(500);
    Err(failed(status, &json::string(error).unwrap_or(Cow::Borrowed(error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_handler_says_is_read() {
        let of = |text: &str| said(&Reply::Text(Some(text.into()))).map_err(|refused| refused.status);
        for (text, expected) in [
            ("", Ok(None)),
            (" null ", Ok(Some("null".into()))),
            ("\"auto\"", Ok(Some("\"auto\"".into()))),
            ("auto", Ok(Some("\"auto\"".into()))),
            (r#"{"error":"no"}"#, Err(500)),
            (r#"{"error":"no","statusCode":400}"#, Err(400)),
            (r#"{"error":"no","statusCode":200}"#, Err(500)),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
        assert_eq!(said(&Reply::Missing).unwrap_err().status, 501);
        assert_eq!(said(&Reply::Late).unwrap_err().status, 500);
    }
}
