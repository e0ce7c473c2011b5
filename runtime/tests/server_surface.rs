//! The way of a request through the server: route, access, answer; and of a delta to REST and stream.

use std::sync::Arc;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::SAMPLE_SELF_CONTEXT;
use skiff_runtime::delta::Stamp;
use skiff_runtime::hal::Rng;
use skiff_runtime::http::{Method, Request};
use skiff_runtime::model::Model;
use skiff_runtime::server::stream::{Rights, Session, SessionEvent, StreamContext};
use skiff_runtime::server::{Access, Facts, Response, answer, route};
use skiff_runtime::time::{Instant, UnixMillis};

const NOW: UnixMillis = UnixMillis(0);

struct Sevens;

impl Rng for Sevens {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

fn serve(request: &Request, access: &Access, model: &Model) -> Response {
    let route = route(request);
    if let Err(refusal) = access.check(request, &route, NOW) {
        return refusal;
    }
    let facts = Facts { model, access, wall: UnixMillis(0), version: "0.1.0", plugins: &[] };
    answer(request, &route, &facts).unwrap_or_else(|| Response::error(501, "not answered here"))
}

#[test]
fn a_delta_reaches_rest_and_stream_alike() {
    let limits = Limits::of(Board::Linux);
    let (access, token) = Access::with_new_token(&mut Sevens);
    let mut model = Model::new(&limits, SAMPLE_SELF_CONTEXT);
    let context = |role| StreamContext {
        self_context: SAMPLE_SELF_CONTEXT,
        version: "0.1.0",
        wall: UnixMillis(0),
        start_id: "start",
        rights: Rights { reads: true, role },
        limits: &limits,
    };

    let request =
        Request::new(Method::Get, &format!("/signalk/v1/stream?sendCachedValues=false&token={}", token.as_str()));
    assert_eq!(access.check(&request, &route(&request), NOW), Ok(()));
    let mut session = Session::open(&request, &context(access.role(&request, NOW))).unwrap();
    let sent = r#"{"updates":[{"values":[{"path":"environment.wind.speedTrue","value":6.25}]}]}"#;
    let stamp = Stamp { source_ref: "@acme/tide", self_context: SAMPLE_SELF_CONTEXT, now: UnixMillis(0) };
    let Some(SessionEvent::Delta(delta)) = session.receive(sent, &stamp) else { panic!("the client may write") };

    let delta = Arc::new(delta);
    model.apply(&delta);
    session.offer(&delta, &model, Instant(0));
    assert!(session.next(Instant(0), &model).unwrap().starts_with(r#"{"name":"skiff""#));
    assert_eq!(session.next(Instant(0), &model).as_deref(), Some(delta.text()));
    assert_eq!(session.next(Instant(0), &model), None);

    let address = "/signalk/v1/api/vessels/self/environment/wind/speedTrue";
    let response = serve(&Request::new(Method::Get, address), &access, &model);
    assert_eq!(response.status, 200);
    assert_eq!(
        String::from_utf8(response.body.into_owned()).unwrap(),
        concat!(
            r#"{"value":6.25,"$source":"@acme/tide","timestamp":"1970-01-01T00:00:00.000Z","#,
            r#""meta":{"units":"m/s","description":"wind speed relative to the water"}}"#
        )
    );
}

#[test]
fn refusals_come_before_answers() {
    let (access, _) = Access::with_new_token(&mut Sevens);
    let model = Model::new(&Limits::of(Board::Esp32C6), SAMPLE_SELF_CONTEXT);
    let status = |request: &Request| serve(request, &access, &model).status;
    assert_eq!(status(&Request::new(Method::Get, "/signalk")), 200);
    assert_eq!(status(&Request::new(Method::Get, "/nothing")), 404);
    assert_eq!(status(&Request::new(Method::Put, "/signalk/v1/api/vessels/self/a/b")), 401);
    assert_eq!(status(&Request { local: false, ..Request::new(Method::Get, "/signalk/v1/api") }), 401);
    let mut elsewhere = Request::new(Method::Get, "/signalk/v1/api");
    elsewhere.headers.push(("origin".into(), "http://evil.example".into()));
    assert_eq!(status(&elsewhere), 403);
}
