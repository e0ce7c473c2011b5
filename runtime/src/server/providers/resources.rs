//! Resources: routes, waypoints, notes, regions, charts, and types of the plugins' own (plugin ABI §10.1).
//!
//! Base `/signalk/v2/api/resources`. A provider that fails or lacks a handler counts as one that
//! knows nothing; `{}` and an object with only a text `error` mean "not found".

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::resource_body::{self, is_standard};
use super::{Api, Done, Effect, Provider, Providers, Question, Step, failed, json_body};
use crate::delta::is_plain;
use crate::http::{Method, Request};
use crate::json;
use crate::plugin::Reply;
use crate::server::Response;
use crate::server::endpoint::query_json;
use crate::sorted;
use skiff_abi::export;

/// Bytes of a resource's id.
const ID_BYTES_MAX: usize = 128;
/// Bytes of a refusal of the gateway's own provider; what is longer is a resource.
const REFUSAL_BYTES_MAX: usize = 512;

/// Answers a request below `/signalk/v2/api/resources`; `segments` are decoded.
#[must_use]
pub fn answer(request: &Request, segments: &[Cow<'_, str>], providers: &Providers<'_>) -> Step {
    let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
    match segments.as_slice() {
        [] if request.method.is_read() => kinds(providers),
        [] => Response::method_not_allowed("GET, HEAD").into(),
        [kind, rest @ ..] => {
            let api = Api::Resources(String::from(*kind));
            providers.administration(api.clone(), request, rest).unwrap_or_else(|| {
                match providers.wanted(&api, request, 404) {
                    Ok(all) => of_kind(request, kind, rest, all, providers),
                    Err(refused) => refused.into(),
                }
            })
        }
    }
}

/// Looks for one resource, for the gateway itself; `then` gets its text where somebody has it.
#[cfg(any(test, feature = "course"))]
pub fn find(
    kind: &str,
    id: &str,
    providers: &Providers<'_>,
    then: impl FnOnce(Option<String>) -> Step + Send + 'static,
) -> Step {
    let all = providers.of(&Api::Resources(kind.into()));
    ask_all(&all, providers.own.id, kind, id, None, |found| then(found.map(|(_, text)| text)))
}

/// Lists the types that are stored, each with its default provider.
fn kinds(providers: &Providers<'_>) -> Step {
    let plugins = providers.registry.plugins();
    let mut kinds: Vec<&str> =
        plugins.filter_map(crate::plugin::Plugin::offers).flat_map(crate::plugin::Offers::resource_kinds).collect();
    kinds.extend(providers.own.kinds.iter().map(String::as_str));
    sorted::sort(&mut kinds);
    kinds.dedup();
    let body = json::object(|rows| {
        for kind in kinds {
            if let Some(first) = providers.of(&Api::Resources(kind.into())).first() {
                rows.object(kind, |row| {
                    let one = kind.strip_suffix('s').unwrap_or(kind);
                    row.text("description", &format!("Path containing {one} resources")).text("$source", &first.id);
                });
            }
        }
    });
    Step::json(200, body)
}

fn of_kind(request: &Request, kind: &str, rest: &[&str], all: Vec<Provider>, providers: &Providers<'_>) -> Step {
    let own = providers.own.id;
    let bad_id = |id: &str| failed(400, &format!("{} is no id of type {kind}", json::quoted(id)));
    match (request.method, rest) {
        (Method::Get | Method::Head, []) => match resource_body::check_query(kind, request.query()) {
            Ok(()) => list(request, kind, &all, own),
            Err(clause) => failed(400, &clause).into(),
        },
        (Method::Post, []) => create(request, kind, all, providers),
        (Method::Get | Method::Head, [id, property @ ..]) => {
            // Charts of other providers have ids that a client could not give them.
            let can_be_there = is_id(kind, id) || kind == "charts" && is_name(id);
            if !can_be_there {
                return bad_id(id).into();
            }
            let property = (!property.is_empty()).then(|| property.join("."));
            ask_all(&all, own, kind, id, property.as_deref(), {
                let id = String::from(*id);
                move |found| match found {
                    Some((_, value)) => Step::json(200, value),
                    None => not_found(&id).into(),
                }
            })
        }
        (Method::Put, [id]) if is_id(kind, id) => {
            let body = match checked_body(request, kind) {
                Ok(body) => body,
                Err(refused) => return refused.into(),
            };
            let Some(first) = all.first().map(|provider| provider.id.clone()) else {
                return not_found(id).into();
            };
            let (kind, owned) = (String::from(kind), String::from(*id));
            ask_all(&all, own, &kind.clone(), id, None, move |found| {
                let owner = found.map_or(first, |(owner, _)| owner);
                set(owner, own, kind, owned, body, false)
            })
        }
        (Method::Delete, [id]) if is_id(kind, id) => {
            let (kind, owned) = (String::from(kind), String::from(*id));
            ask_all(&all, own, &kind.clone(), id, None, move |found| match found {
                Some((owner, _)) => delete(owner, own, kind, owned),
                None => not_found(&owned).into(),
            })
        }
        (Method::Put | Method::Delete, [id]) => bad_id(id).into(),
        (_, []) => Response::method_not_allowed("GET, HEAD, POST").into(),
        _ => Response::method_not_allowed("GET, HEAD, PUT, DELETE").into(),
    }
}

fn not_found(id: &str) -> Response {
    failed(404, &format!("no provider has a resource {id}"))
}

/// Tells whether an id can be part of an address.
fn is_name(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_BYTES_MAX && is_plain(id) && !id.contains('/')
}

/// Standard types have UUIDs of version 4 (charts: eight or more letters, digits, `_`, `-`); others anything plain.
fn is_id(kind: &str, id: &str) -> bool {
    let plain = is_name(id) && !id.contains('.');
    let word = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    plain
        && match kind {
            "charts" => id.len() >= 8 && word(id),
            _ if is_standard(kind) => resource_body::is_uuid(id),
            _ => true,
        }
}

fn list(request: &Request, kind: &str, all: &[Provider], own: &str) -> Step {
    let query = query_json(request.query(), &["token", "provider"]);
    let mut object = String::from("{}");
    // The text was just written as an object.
    let _ = json::members::<json::JsonError>(&query, |key, value| {
        // A value that is itself JSON is handed over parsed: bbox=[1,2,3,4].
        let parsed = json::string(value).and_then(|text| json::compact(&text).ok());
        object = json::with_member(&object, key, parsed.as_deref().unwrap_or(value));
        Ok(())
    });
    let object = json::with_member(&object, "resourceType", &json::quoted(kind));
    let questions =
        all.iter().map(|provider| Question::provider(&provider.id, export::RESOURCES_LIST, object.clone())).collect();
    let own_at = all.iter().position(|provider| provider.id == own);
    let then = move |replies: Vec<Reply>| {
        let refused = own_at.and_then(|at| replies.get(at)).and_then(own_refusal);
        refused.map_or_else(|| Step::json(200, merged(&replies)), Step::from)
    };
    Step::Ask(questions, Box::new(then))
}

/// Puts the objects of all replies together; of two resources with one id the first provider's counts.
fn merged(replies: &[Reply]) -> String {
    let mut seen = BTreeSet::new();
    json::object(|out| {
        for text in replies.iter().filter_map(found) {
            // What is found is an object.
            let _ = json::members::<json::JsonError>(&text, |key, value| {
                if seen.insert(String::from(key)) {
                    out.json(key, value);
                }
                Ok(())
            });
        }
    })
}

/// Returns the answer to what the gateway's own provider refuses, `{"error","statusCode"}`; its limits are told, where a
/// plugin that fails counts as one that knows nothing.
fn own_refusal(reply: &Reply) -> Option<Response> {
    let text = reply.text().filter(|text| text.len() < REFUSAL_BYTES_MAX)?;
    let status = json::member(text, "statusCode").and_then(|status| status.parse().ok())?;
    let clause = json::member(text, "error").and_then(json::string)?;
    Some(failed(status, &clause))
}

/// Returns the object of a reply that found something.
fn found(reply: &Reply) -> Option<String> {
    let text = json::compact(reply.text()?).ok()?;
    let only_error = only_error(&text).is_some();
    (text.starts_with('{') && text != "{}" && !only_error).then_some(text)
}

/// Returns the text of an object whose only member is `error`.
fn only_error(text: &str) -> Option<String> {
    let (mut count, mut error) = (0_usize, None);
    json::members::<json::JsonError>(text, |key, value| {
        count = count.saturating_add(1);
        if key == "error" {
            error = json::string(value).map(Cow::into_owned);
        }
        Ok(())
    })
    .ok()?;
    error.filter(|_| count == 1)
}

/// A property can be anything but an object that says there is none.
fn found_property(reply: &Reply) -> Option<String> {
    let text = json::compact(reply.text()?).ok()?;
    (text != "{}" && text != "null" && only_error(&text).is_none()).then_some(text)
}

/// Asks every provider for one resource; `then` gets the first that has it.
fn ask_all(
    all: &[Provider],
    own: &str,
    kind: &str,
    id: &str,
    property: Option<&str>,
    then: impl FnOnce(Option<(String, String)>) -> Step + Send + 'static,
) -> Step {
    let object = json::object(|object| {
        object.text("id", id);
        if let Some(property) = property {
            object.text("property", property);
        }
        object.text("resourceType", kind);
    });
    let questions: Vec<Question> =
        all.iter().map(|provider| Question::provider(&provider.id, export::RESOURCES_GET, object.clone())).collect();
    let packages: Vec<String> = all.iter().map(|provider| provider.id.clone()).collect();
    let is_property = property.is_some();
    let own_at = all.iter().position(|provider| provider.id == own);
    let then = move |replies: Vec<Reply>| {
        if let Some(refused) = own_at.and_then(|at| replies.get(at)).and_then(own_refusal) {
            return refused.into();
        }
        let read = if is_property { found_property } else { found };
        then(packages.into_iter().zip(&replies).find_map(|(package, reply)| Some((package, read(reply)?))))
    };
    Step::Ask(questions, Box::new(then))
}

fn checked_body(request: &Request, kind: &str) -> Result<String, Response> {
    let body = json_body(request)?;
    if !body.starts_with('{') {
        return Err(failed(400, "the body must be an object"));
    }
    resource_body::check(kind, &body).map_err(|clause| failed(400, &clause))?;
    Ok(body)
}

fn create(request: &Request, kind: &str, all: Vec<Provider>, providers: &Providers<'_>) -> Step {
    let body = match checked_body(request, kind) {
        Ok(body) => body,
        Err(refused) => return refused.into(),
    };
    let id = match kind {
        "charts" => json::member(&body, "identifier").and_then(json::string),
        _ => None,
    }
    .map_or_else(|| String::from(providers.new_id), Cow::into_owned);
    if !is_id(kind, &id) {
        return failed(400, "identifier must have eight or more letters, digits, _ or -").into();
    }
    match all.into_iter().next() {
        Some(provider) => set(provider.id, providers.own.id, kind.into(), id, body, true),
        None => not_found(&id).into(),
    }
}

fn set(package: String, own: &str, kind: String, id: String, body: String, is_new: bool) -> Step {
    let request = json::object(|request| {
        request.text("id", &id).json("value", &body).text("resourceType", &kind);
    });
    let is_own = package == own;
    Step::ask(Question::provider(&package, export::RESOURCES_SET, request), move |reply| {
        if let Err(refused) = accepted(&reply, is_own) {
            return refused.into();
        }
        let (status, member) = if is_new { (201_u16, "id") } else { (200, "message") };
        let text = json::object(|done| {
            done.text("state", "COMPLETED").number("statusCode", status).text(member, &id);
        });
        let effect = Effect::Resource { package, path: format!("resources.{kind}.{id}"), value: body };
        Step::Done(Done { response: Response::json(status, text), effect })
    })
}

fn delete(package: String, own: &str, kind: String, id: String) -> Step {
    let request = json::object(|request| {
        request.text("id", &id).text("resourceType", &kind);
    });
    let is_own = package == own;
    Step::ask(Question::provider(&package, export::RESOURCES_DELETE, request), move |reply| {
        if let Err(refused) = accepted(&reply, is_own) {
            return refused.into();
        }
        let effect = Effect::Resource { package, path: format!("resources.{kind}.{id}"), value: "null".into() };
        Step::Done(Done { response: super::state(200, "COMPLETED", &id), effect })
    })
}

/// Set and delete answer nothing, `""`, `{}` or `null`; anything else says why it was not done (plugin ABI L-26).
fn accepted(reply: &Reply, is_own: bool) -> Result<(), Response> {
    if let Some(refused) = own_refusal(reply).filter(|_| is_own) {
        return Err(refused);
    }
    let text = match reply {
        Reply::Text(None) => return Ok(()),
        Reply::Text(Some(text)) => text.trim(),
        Reply::Missing => return Err(failed(501, "the provider cannot change resources")),
        other => return Err(failed(400, other.trouble())),
    };
    let compact = json::compact(text);
    if text.is_empty() || matches!(compact.as_deref(), Ok("{}" | "\"\"" | "null")) {
        return Ok(());
    }
    let said = compact.as_deref().ok().and_then(|text| {
        let message = json::member(text, "error").or_else(|| json::member(text, "message"));
        message.and_then(json::string).or_else(|| json::string(text)).map(Cow::into_owned)
    });
    Err(failed(400, said.as_deref().unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Reply {
        Reply::Text(Some(text.into()))
    }

    #[test]
    fn lists_of_several_providers_become_one() {
        let replies =
            [text(r#"{"a":1,"b":{"c":2}}"#), Reply::Missing, text("no"), text(r#"{"b":9,"d":4}"#), text("{}")];
        assert_eq!(merged(&replies), r#"{"a":1,"b":{"c":2},"d":4}"#);
        assert_eq!(merged(&[]), "{}");
    }

    #[test]
    fn empty_objects_and_errors_are_not_found() {
        for nothing in ["{}", r#"{"error":"no such thing"}"#, "", "null", "[1]", "nonsense"] {
            assert_eq!(found(&text(nothing)), None, "{nothing}");
        }
        assert!(found(&text(r#"{"error":"in a field","name":"x"}"#)).is_some());
        assert_eq!(found_property(&text("1.5")).as_deref(), Some("1.5"));
    }

    #[test]
    fn set_and_delete_answer_nothing_or_a_reason() {
        for good in ["", " ", "{}", "\"\"", "null"] {
            assert_eq!(accepted(&text(good), false), Ok(()), "{good}");
        }
        assert_eq!(accepted(&Reply::Text(None), false), Ok(()));
        let message = |reply: &Reply| String::from_utf8(accepted(reply, false).unwrap_err().body.into_owned()).unwrap();
        assert!(message(&text(r#"{"error":"disk full"}"#)).contains(r#""message":"disk full""#));
        assert!(message(&text("disk full")).contains(r#""message":"disk full""#));
        assert!(message(&text("\"disk full\"")).contains(r#""message":"disk full""#));
        assert_eq!(accepted(&Reply::Missing, false).unwrap_err().status, 501);
    }

    #[test]
    fn ids_of_standard_types_are_uuids() {
        assert!(is_id("routes", "ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a"));
        assert!(!is_id("routes", "ac3a3b2d-07e8-1f25-92bc-98e7c92f7f1a"), "version 1");
        assert!(!is_id("routes", "x") && is_id("things", "x") && !is_id("things", "a/b") && !is_id("things", ""));
        assert!(is_id("charts", "chart_01") && !is_id("charts", "short") && !is_id("charts", "chart.01"));
    }
}
