//! Weather (plugin ABI §10.2). Base `/signalk/v2/api/weather`.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Api, Providers, Question, Step, failed};
use crate::http::Request;
use crate::json;
use crate::plugin::Reply;
use crate::server::Response;
use crate::server::endpoint::query_json;
use skiff_abi::export;

/// Parts of the API: name and description.
const BASE: &[(&str, &str)] = &[
    ("forecasts", "weather forecasts for a position"),
    ("observations", "observations near a position"),
    ("warnings", "weather warnings for a position"),
];
/// Parts of the forecasts.
const FORECASTS: &[(&str, &str)] = &[("daily", "one forecast a day"), ("point", "forecasts for points in time")];

/// Answers a request below `/signalk/v2/api/weather`; `segments` are decoded.
#[must_use]
pub fn answer(request: &Request, segments: &[Cow<'_, str>], providers: &Providers<'_>) -> Step {
    let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
    if let Some(step) = providers.administration(Api::Weather, request, &segments) {
        return step;
    }
    if !request.method.is_read() {
        return Response::method_not_allowed("GET, HEAD").into();
    }
    match segments.as_slice() {
        [] => Step::json(200, described(BASE)),
        ["forecasts"] => Step::json(200, described(FORECASTS)),
        ["observations"] => ask(request, providers, export::WEATHER_OBSERVATIONS, None),
        ["forecasts", "daily"] => ask(request, providers, export::WEATHER_FORECASTS, Some("daily")),
        ["forecasts", "point"] => ask(request, providers, export::WEATHER_FORECASTS, Some("point")),
        ["warnings"] => ask(request, providers, export::WEATHER_WARNINGS, None),
        _ => failed(404, "no such part of the weather API").into(),
    }
}

fn described(parts: &[(&str, &str)]) -> String {
    json::object(|out| {
        for (name, description) in parts {
            out.object(name, |part| {
                part.text("description", description);
            });
        }
    })
}

fn ask(request: &Request, providers: &Providers<'_>, export: &'static str, kind: Option<&'static str>) -> Step {
    let question = match question(request, export, kind) {
        Ok(question) => question,
        Err(clause) => return failed(400, &clause).into(),
    };
    let provider = match providers.wanted(&Api::Weather, request, 400) {
        Ok(all) => all.into_iter().next(),
        Err(refused) => return refused.into(),
    };
    let Some(provider) = provider else { return failed(400, "no provider is registered for weather").into() };
    Step::ask(Question::provider(&provider.id, export, question), move |reply| Step::json(200, items(&reply, kind)))
}

/// Returns the request object: position, type, options.
fn question(request: &Request, export: &str, kind: Option<&str>) -> Result<String, String> {
    let query = query_json(request.query(), &["token", "provider"]);
    let coordinate = |name: &str, limit: u8| {
        let text = json::member(&query, name).and_then(json::string).unwrap_or_default();
        let number = json::compact(text.trim())
            .ok()
            .filter(|text| json::number(text).is_some_and(|it| it.abs() <= limit.into()));
        number.ok_or_else(|| format!("{name} must be a number of degrees, at most {limit} from zero"))
    };
    let (latitude, longitude) = (coordinate("lat", 90)?, coordinate("lon", 180)?);
    Ok(json::object(|out| {
        out.object("position", |position| {
            position.json("latitude", &latitude).json("longitude", &longitude);
        });
        if let Some(kind) = kind {
            out.text("type", kind);
        }
        if export != export::WEATHER_WARNINGS {
            out.json("options", &options(&query));
        }
    }))
}

/// Returns `{"custom":{…},"maxCount"?,"startDate"?}` of the parameters that are left.
fn options(query: &str) -> String {
    let mut custom = String::from("{}");
    let (mut count, mut date) = (None, None);
    // The query was just written as an object.
    let _ = json::members::<json::JsonError>(query, |key, value| {
        match key {
            "lat" | "lon" => {}
            "count" => count = json::string(value).and_then(|text| json::compact(text.trim()).ok()),
            "date" => date = json::string(value).filter(|text| has_date(text)).map(Cow::into_owned),
            _ => custom = json::with_member(&custom, key, value),
        }
        Ok(())
    });
    json::object(|out| {
        out.json("custom", &custom);
        if let Some(count) = count.filter(|count| json::number(count).is_some()) {
            out.json("maxCount", &count);
        }
        if let Some(date) = date {
            out.text("startDate", &date);
        }
    })
}

/// Tells whether a text contains YYYY-MM-DD.
fn has_date(text: &str) -> bool {
    text.as_bytes().windows(10).any(|window| {
        window.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    })
}

/// Returns the array of a reply, of forecasts only those of the type asked for; what cannot be read is `[]`.
fn items(reply: &Reply, kind: Option<&str>) -> String {
    let text = reply.text().and_then(|text| json::compact(text).ok()).unwrap_or_default();
    let mut read = Ok(());
    let out = json::list(|out| {
        read = json::items::<json::JsonError>(&text, |item| {
            if kind.is_none_or(|kind| json::member(item, "type").and_then(json::string).as_deref() == Some(kind)) {
                out.json(item);
            }
            Ok(())
        });
    });
    if read.is_ok() { out } else { "[]".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Method;

    fn of(target: &str, export: &str, kind: Option<&str>) -> Result<String, String> {
        question(&Request::new(Method::Get, target), export, kind)
    }

    #[test]
    fn the_query_becomes_position_and_options() {
        assert_eq!(
            of(
                "/o?lat=54.5&lon=10&count=3&date=2026-08-01&units=si&token=x&provider=y",
                export::WEATHER_OBSERVATIONS,
                None
            )
            .unwrap(),
            r#"{"position":{"latitude":54.5,"longitude":10},"options":{"custom":{"units":"si"},"maxCount":3,"startDate":"2026-08-01"}}"#
        );
        assert_eq!(
            of("/o?lat=54.5&lon=-10.25&date=today", export::WEATHER_FORECASTS, Some("daily")).unwrap(),
            r#"{"position":{"latitude":54.5,"longitude":-10.25},"type":"daily","options":{"custom":{}}}"#
        );
        assert_eq!(
            of("/o?lat=0&lon=0", export::WEATHER_WARNINGS, None).unwrap(),
            r#"{"position":{"latitude":0,"longitude":0}}"#
        );
        for bad in ["/o", "/o?lat=54", "/o?lat=x&lon=1", "/o?lat=91&lon=1", "/o?lat=&lon=1", "/o?lat=1&lon=\"1\""] {
            assert!(of(bad, export::WEATHER_WARNINGS, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_are_arrays_whatever_the_guest_says() {
        let reply = |text: &str| Reply::Text(Some(text.into()));
        let both = reply(r#"[{"type":"daily","a":1},{"type":"point"},{}]"#);
        assert_eq!(items(&both, Some("daily")), r#"[{"type":"daily","a":1}]"#);
        assert_eq!(items(&both, None), r#"[{"type":"daily","a":1},{"type":"point"},{}]"#);
        for bad in ["", "{}", "nonsense", "null"] {
            assert_eq!(items(&reply(bad), None), "[]", "{bad}");
        }
        assert_eq!(items(&Reply::Missing, None), "[]");
    }
}
