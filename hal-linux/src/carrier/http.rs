//! One HTTP exchange: request in, the core's answer out.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use skiff_runtime::http::{Method, Request};
use skiff_runtime::server::{Response, patience};
use tokio::sync::oneshot;

use super::webapps::FileRequest;
use super::{CarrierEvent, Shared, stream};

/// Bytes of a body that is too long that are read and thrown away.
const DRAINED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Builds the service of one connection.
pub(super) fn service(shared: Arc<Shared>, peer: IpAddr) -> Router {
    Router::new().fallback(move |request: axum::extract::Request| {
        let shared = Arc::clone(&shared);
        async move { exchange(&shared, peer, request).await }
    })
}

async fn exchange(shared: &Arc<Shared>, peer: IpAddr, request: axum::extract::Request) -> axum::response::Response {
    let (mut parts, body) = request.into_parts();
    let wants_stream =
        parts.headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let upgrade = if wants_stream { WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok() } else { None };
    let Ok(_exchange) = shared.exchanges.try_acquire() else {
        return refuse(503, "too many requests at the same time");
    };
    let asks_first = parts.headers.contains_key(header::EXPECT);
    let body = match read_body(shared, asks_first, body).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let request = Request {
        method: Method::from_name(parts.method.as_str()),
        target: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        headers: headers(&parts),
        body,
        peer: Some(peer.to_canonical()),
        local: shared.local,
        secure: false,
    };
    match upgrade {
        Some(upgrade) => stream::open(shared, request, upgrade).await,
        None => ask(shared, request, shared.webapps.as_ref().and_then(|_| FileRequest::of(parts))).await,
    }
}

async fn ask(shared: &Shared, request: Request, asked: Option<FileRequest>) -> axum::response::Response {
    let (answer, answered) = oneshot::channel();
    if shared.events.send(CarrierEvent::Request { request, answer }).await.is_err() {
        return refuse(503, "the gateway is stopping");
    }
    shared.waker.wake();
    match tokio::time::timeout(patience::ANSWER, answered).await {
        Ok(Ok(mut response)) => {
            let Some(webapps) = &shared.webapps else { return respond(response) };
            if let Some(follow) = response.follow.take() {
                webapps.follow(follow).await;
            }
            match asked.filter(|_| response.unclaimed) {
                Some(asked) => webapps.answer(asked).await.unwrap_or_else(|| respond(response)),
                None => respond(response),
            }
        }
        Ok(Err(_)) => refuse(503, "the gateway is stopping"),
        Err(_) => refuse(504, "no answer in time"),
    }
}

/// Reads a body; the client of a longer one than allowed reads its refusal once it has sent it, since few look for an
/// answer before (RFC 9112 §9.6). One that asked first (`Expect: 100-continue`) is told at once.
async fn read_body(shared: &Shared, asks_first: bool, mut body: Body) -> Result<Vec<u8>, axum::response::Response> {
    let limit = shared.limits.request_bytes_max;
    let announced = body.size_hint().lower();
    let mut is_long = announced > limit as u64;
    let (mut kept, mut drained) = (Vec::new(), 0_usize);
    let whole = async {
        while drained <= DRAINED_BYTES_MAX
            && !(is_long && asks_first)
            && let Some(frame) = body.frame().await
        {
            let Ok(data) = frame?.into_data() else { continue };
            is_long = is_long || kept.len().saturating_add(data.len()) > limit;
            if is_long {
                drained = drained.saturating_add(kept.len()).saturating_add(data.len());
                kept = Vec::new();
            } else {
                kept.extend_from_slice(&data);
            }
        }
        Ok::<_, axum::Error>(())
    };
    match tokio::time::timeout(patience::BODY, whole).await {
        _ if is_long => Err(refuse(413, &format!("body longer than {limit} bytes"))),
        Ok(Ok(())) => Ok(kept),
        Ok(Err(_)) => Err(refuse(400, "the body broke off")),
        Err(_) => Err(refuse(408, "the body did not arrive in time")),
    }
}

/// Returns the headers as text; bytes that are not UTF-8 are not distinguished and replaced.
fn headers(parts: &Parts) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Turns an answer of the core into one of the wire.
pub(super) fn respond(response: Response) -> axum::response::Response {
    let mut answer = axum::response::Response::new(Body::from(response.body));
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

fn refuse(status: u16, clause: &str) -> axum::response::Response {
    respond(Response::error(status, clause))
}
