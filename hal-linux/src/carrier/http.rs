//! One HTTP exchange: request in, the core's answer out.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use skiff_runtime::http::{Door, Method, Request};
use skiff_runtime::server::{Response, patience};
use tokio::sync::{SemaphorePermit, oneshot};

use super::places::Place;
use super::webapps::FileRequest;
use super::{Answer, BODY_UNIT_BYTES, CarrierEvent, Shared, compress, plain, stream};

/// Bytes of a body that is too long that are read and thrown away.
const DRAINED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Whose connection it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// Its address.
    pub peer: IpAddr,
    /// It is this machine, by loopback or by its own address.
    pub is_own: bool,
    /// It goes through TLS.
    pub secure: bool,
    /// Where it came in.
    pub door: Door,
    /// That door's address is a loopback address.
    pub local: bool,
}

/// Builds the service of one connection.
pub(super) fn service(shared: Arc<Shared>, place: Arc<Place>, caller: Caller) -> Router {
    Router::new().fallback(move |request: axum::extract::Request| {
        let (shared, place) = (Arc::clone(&shared), Arc::clone(&place));
        async move {
            place.asks();
            let asked = compress::Asked::of(&request);
            let plain = shared.tls.as_ref().filter(|_| !caller.secure && !caller.is_own);
            let response = match plain.and_then(|tls| plain::instead(tls, &request)) {
                Some(instead) => instead,
                None => exchange(&shared, caller, request).await,
            };
            let response = compress::in_form(asked, &shared.compressing, response).await;
            place.rests(Instant::now());
            response
        }
    })
}

async fn exchange(shared: &Arc<Shared>, caller: Caller, request: axum::extract::Request) -> axum::response::Response {
    let (mut parts, body) = request.into_parts();
    let wants_stream =
        parts.headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let upgrade = if wants_stream { WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok() } else { None };
    let mut request = Request {
        method: Method::from_name(parts.method.as_str()),
        target: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        headers: headers(&parts),
        body: Vec::new(),
        peer: Some(caller.peer.to_canonical()),
        local: caller.local,
        secure: caller.secure,
        door: caller.door,
    };
    // Its room in the budget is kept until the answer is there.
    let mut _room = None;
    if !body.is_end_stream() {
        let asks_first = parts.headers.contains_key(header::EXPECT);
        let (head, judged) = match judge(shared, request).await {
            Ok(judged) => judged,
            Err(stopping) => return stopping,
        };
        let limit = match judged {
            Ok(limit) => limit.min(shared.limits.request_bytes_max),
            Err(refused) => {
                drain(body, asks_first);
                return respond(refused);
            }
        };
        request = head;
        (request.body, _room) = match read_body(shared, asks_first, limit, body).await {
            Ok((body, room)) => (body, room),
            Err(refused) => return refused,
        };
    }
    // Only now: a body that does not come takes no place from requests that are there.
    let Ok(_exchange) = shared.exchanges.try_acquire() else {
        return refuse(503, "too many requests at the same time");
    };
    match upgrade {
        Some(upgrade) => stream::open(shared, request, upgrade).await,
        None => {
            ask(
                shared,
                request,
                shared.webapps.as_ref().and_then(|_| FileRequest::of(parts, caller.door, caller.secure)),
            )
            .await
        }
    }
}

/// Has the core judge a head, before memory is taken for its body; gives the head back.
async fn judge(shared: &Shared, head: Request) -> Result<(Request, Result<usize, Response>), axum::response::Response> {
    let (answer, answered) = oneshot::channel();
    let stopping = || refuse(503, "the gateway is stopping");
    shared.events.send(CarrierEvent::Head { head, answer }).await.map_err(|_| stopping())?;
    shared.waker.wake();
    match tokio::time::timeout(patience::ANSWER, answered).await {
        Ok(judged) => judged.map_err(|_| stopping()),
        Err(_) => Err(refuse(504, "no answer in time")),
    }
}

async fn ask(shared: &Shared, request: Request, asked: Option<FileRequest>) -> axum::response::Response {
    let (answer, answered) = oneshot::channel();
    if shared.events.send(CarrierEvent::Request { request, answer }).await.is_err() {
        return refuse(503, "the gateway is stopping");
    }
    shared.waker.wake();
    match tokio::time::timeout(patience::ANSWER, answered).await {
        Ok(Ok(answer)) => {
            let Some(webapps) = &shared.webapps else { return send(answer) };
            match asked.filter(|_| answer.head.unclaimed) {
                Some(asked) => webapps.answer(asked).await.unwrap_or_else(|| send(answer)),
                None => send(answer),
            }
        }
        Ok(Err(_)) => refuse(503, "the gateway is stopping"),
        Err(_) => refuse(504, "no answer in time"),
    }
}

/// Reads a body inside its limit and the budget of all.
async fn read_body<'s>(
    shared: &'s Shared,
    asks_first: bool,
    limit: usize,
    mut body: Body,
) -> Result<(Vec<u8>, Option<SemaphorePermit<'s>>), axum::response::Response> {
    let (mut kept, mut room): (Vec<u8>, Option<SemaphorePermit<'s>>) = (Vec::new(), None);
    let announced = body.size_hint().lower();
    let too_long = || refuse(413, &format!("body longer than {limit} bytes"));
    if announced > limit as u64 {
        drain(body, asks_first);
        return Err(too_long());
    }
    let whole = async {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| refuse(400, "the body broke off"))?.into_data() else { continue };
            let bytes = kept.len().saturating_add(data.len());
            if bytes > limit {
                return Err(too_long());
            }
            if !make_room(shared, &mut room, bytes) {
                return Err(refuse(503, "no memory for the request now, try again later"));
            }
            kept.extend_from_slice(&data);
        }
        Ok(())
    };
    match tokio::time::timeout(patience::BODY, whole).await {
        Ok(Ok(())) => Ok((kept, room)),
        Ok(Err(refused)) => {
            drain(body, false);
            Err(refused)
        }
        Err(_) => Err(refuse(408, "the body did not arrive in time")),
    }
}

/// Takes room in the budget of all bodies until there is enough for `bytes`; false when there is none.
fn make_room<'s>(shared: &'s Shared, room: &mut Option<SemaphorePermit<'s>>, bytes: usize) -> bool {
    let units = bytes.div_ceil(BODY_UNIT_BYTES).saturating_sub(room.as_ref().map_or(0, SemaphorePermit::num_permits));
    let Ok(more) = shared.bodies.try_acquire_many(u32::try_from(units).unwrap_or(u32::MAX)) else { return false };
    match room {
        Some(room) => room.merge(more),
        None => *room = Some(more),
    }
    true
}

/// Reads what is left of a refused body and throws it away, beside the answer: few clients look for an answer before
/// they have sent everything (RFC 9112 §9.6). One that asked first (`Expect: 100-continue`) sends nothing.
fn drain(mut body: Body, asks_first: bool) {
    if asks_first {
        return;
    }
    tokio::spawn(async move {
        let rest = async {
            let mut drained = 0_usize;
            while drained <= DRAINED_BYTES_MAX
                && let Some(Ok(frame)) = body.frame().await
            {
                drained = drained.saturating_add(frame.data_ref().map_or(0, Bytes::len));
            }
        };
        // Who is slower than this is cut off.
        let _ = tokio::time::timeout(patience::BODY, rest).await;
    });
}

/// Returns the headers as text; bytes that are not UTF-8 are not distinguished and replaced.
fn headers(parts: &Parts) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Turns a response of the core into one of the wire.
pub(super) fn respond(response: Response) -> axum::response::Response {
    send(Answer::new(response))
}

fn send(Answer { head: response, body }: Answer) -> axum::response::Response {
    let mut answer = axum::response::Response::new(Body::from(body));
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers: &mut HeaderMap = answer.headers_mut();
    for (name, value) in &response.headers {
        // A plugin can ask for any header; what is none on the wire is left out, the length is the carrier's own.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
            && name != header::CONTENT_LENGTH
            && name != header::TRANSFER_ENCODING
            && name != header::CONNECTION
        {
            headers.append(name, value);
        }
    }
    answer
}

/// Refuses a request.
pub(super) fn refuse(status: u16, clause: &str) -> axum::response::Response {
    respond(Response::error(status, clause))
}
