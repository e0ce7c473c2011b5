//! What a stream client can say.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::contexts::Contexts;
use super::pace::Pace;
use crate::accounts::IS_KEPT;
use crate::delta::{Delta, DeltaError, Stamp};
use crate::json::{self, JsonError};
use crate::paths::{Pattern, PatternError};
use crate::server::put::Put;

/// Rows of one subscribe or unsubscribe message.
const ROWS_MAX: usize = 256;
/// Rows that cannot be read of which each is told.
const REFUSED_ROWS_MAX: usize = 8;
/// Bytes of a request id.
const REQUEST_ID_BYTES_MAX: usize = 128;
/// Default of `period` (plugin ABI §12.4).
const PERIOD_MS_DEFAULT: f64 = 1000.0;
/// Shortest and longest period; shorter ones are no different from `instant`.
const PERIOD_MS_MIN: f64 = 10.0;
const PERIOD_MS_MAX: f64 = 86_400_000.0;

/// One message.
#[derive(Debug)]
pub(super) enum ClientMessage {
    /// A delta, or why it is none.
    Updates(Result<Delta, DeltaError>),
    /// A PUT request.
    Put {
        /// Id, when given.
        request_id: Option<String>,
        /// What is wanted.
        put: Put,
    },
    /// A question for the state of a request.
    Query {
        /// Id of the request.
        request_id: String,
    },
    /// Who the client is, or wants to be.
    Identity {
        /// Id, when given.
        request_id: Option<String>,
        /// What it shows or asks.
        identity: Identity,
    },
    /// Something with a request id that is answered at once.
    Request {
        /// JSON to send back.
        answer: String,
    },
    /// A change of subscriptions.
    Subscriptions(Subscriptions),
}

/// How a client says who it is; JSON where it is an object.
#[derive(Clone, PartialEq, Eq)]
pub enum Identity {
    /// `{"login":{"username","password"}}`.
    LogIn(String),
    /// `{"logout":{"token"}}`.
    LogOut(String),
    /// `{"validate":{"token"}}`.
    Validate(String),
    /// `{"token":…}`, the token itself.
    Token(String),
    /// `{"accessRequest":{"clientId","description","permissions"?}}`.
    AccessRequest(String),
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// A change of subscriptions.
#[derive(Debug)]
pub(super) struct Subscriptions {
    /// Contexts it is for.
    pub(super) contexts: Contexts,
    /// Paths to unsubscribe.
    pub(super) unsubscribe: Vec<String>,
    /// Paths to subscribe, afterwards.
    pub(super) subscribe: Vec<Subscribe>,
    /// Tell each path once, also those that are not subscribed.
    pub(super) announce: bool,
    /// Tell the values of every source, when said.
    pub(super) all_sources: Option<bool>,
    /// The parts of the message that were not understood; the others hold.
    pub(super) refused: Vec<String>,
}

/// One row of a subscribe message.
#[derive(Debug)]
pub(super) struct Subscribe {
    pub(super) path: Pattern,
    pub(super) pace: Pace,
    /// The part of the row that was not understood.
    pub(super) warnings: Vec<String>,
}

/// Why a message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientError {
    Json(JsonError),
    /// Nothing in it is known.
    Unknown,
    /// A context that is neither a text nor a position with a radius.
    Context,
    /// Subscribe or unsubscribe is no array of objects with a path.
    Rows,
    TooManyRows,
    Pattern(PatternError),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Unknown => {
                f.write_str("message not understood: it has none of subscribe, unsubscribe, updates, requestId")
            }
            Self::Context => f.write_str("a context is a text such as vessels.*, or {radius,position}"),
            Self::Rows => f.write_str("subscribe and unsubscribe must be arrays of objects with a path"),
            Self::TooManyRows => write!(f, "more than {ROWS_MAX} paths in one message"),
            Self::Pattern(error) => error.fmt(f),
        }
    }
}

impl From<JsonError> for ClientError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl ClientMessage {
    /// Reads one message; a delta is completed with `stamp`.
    pub(super) fn parse(text: &str, stamp: &Stamp<'_>) -> Result<Self, ClientError> {
        let mut query = false;
        let [mut context, mut subscribe, mut unsubscribe, mut request_id, mut put, mut policy] =
            [const { None::<String> }; 6];
        let mut announce = false;
        let mut asked: Option<(u16, &str)> = None;
        let mut identity = None;
        let updates = Delta::parse_message(text, stamp, &mut |key, value| match key {
            "context" => context = Some(value.into()),
            "subscribe" => subscribe = Some(value.into()),
            "unsubscribe" => unsubscribe = Some(value.into()),
            "requestId" => {
                let is_id = value.starts_with('"') && value.len() <= REQUEST_ID_BYTES_MAX;
                request_id = is_id.then(|| value.into());
            }
            "put" => put = Some(value.into()),
            "delete" => asked = Some((405, "no plugin handles DELETE")),
            "login" | "logout" | "validate" | "token" | "accessRequest" if !IS_KEPT => {
                asked = Some((501, "this gateway has one token, open the stream with it"));
            }
            "login" => identity = Some(Identity::LogIn(value.into())),
            "logout" => identity = Some(Identity::LogOut(value.into())),
            "validate" => identity = Some(Identity::Validate(value.into())),
            "accessRequest" => identity = Some(Identity::AccessRequest(value.into())),
            "token" => identity = Some(Identity::Token(json::string(value).unwrap_or_default().into_owned())),
            "query" => query = value == "true",
            "announceNewPaths" => announce = value == "true",
            "sourcePolicy" => policy = Some(value.into()),
            _ => {}
        })?;
        let (context, request_id, put) = (context.as_deref(), request_id.as_deref(), put.as_deref());
        let (subscribe, unsubscribe) = (subscribe.as_deref(), unsubscribe.as_deref());
        let id_text = request_id.and_then(json::string).map(alloc::borrow::Cow::into_owned);
        if let Some(identity) = identity {
            return Ok(Self::Identity { request_id: id_text, identity });
        }
        if let Some(put) = put {
            let of_put =
                |name: &str| json::member(put, name).and_then(json::string).map(alloc::borrow::Cow::into_owned);
            let context = context.and_then(json::string).unwrap_or_default().into_owned();
            match (of_put("path").filter(|path| !path.is_empty()), json::member(put, "value")) {
                (Some(path), Some(value)) => {
                    let put = Put { context, path, value: value.into(), source: of_put("source") };
                    return Ok(Self::Put { request_id: id_text, put });
                }
                _ => asked = Some((400, "put needs a path and a value")),
            }
        } else if query && let Some(request_id) = id_text {
            return Ok(Self::Query { request_id });
        }
        if let Some((status, message)) = asked.or(request_id.map(|_| (400, "request not understood"))) {
            let answer = json::object(|answer| {
                if let Some(id) = request_id {
                    answer.json("requestId", id);
                }
                answer.text("state", "COMPLETED").number("statusCode", status).text("message", message);
            });
            return Ok(Self::Request { answer });
        }
        if let Some(delta) = updates {
            return Ok(Self::Updates(delta));
        }
        if subscribe.is_none() && unsubscribe.is_none() {
            return Err(ClientError::Unknown);
        }
        let mut refused = Vec::new();
        let contexts = Contexts::parse(context, stamp.self_context)?;
        let unsubscribe = rows(unsubscribe.unwrap_or("[]"), &mut refused, |row| path(row).map(String::from))?;
        let subscribe = rows(subscribe.unwrap_or("[]"), &mut refused, subscribe_row)?;
        let all_sources = policy.and_then(|policy| {
            let read = json::string(&policy).as_deref().and_then(is_all_sources);
            if read.is_none() {
                refused.push(SOURCE_POLICY.into());
            }
            read
        });
        Ok(Self::Subscriptions(Subscriptions { contexts, unsubscribe, subscribe, announce, all_sources, refused }))
    }
}

/// What is said of a source policy that is not known.
pub(super) const SOURCE_POLICY: &str = "sourcePolicy must be preferred or all";

/// Reads a source policy: whether the values of all sources are told.
pub(super) fn is_all_sources(policy: &str) -> Option<bool> {
    match policy {
        "preferred" => Some(false),
        "all" => Some(true),
        _ => None,
    }
}

/// Reads the rows of a list; one that cannot be read is told in `refused`, and the others hold.
fn rows<T>(
    list: &str,
    refused: &mut Vec<String>,
    mut read: impl FnMut(&str) -> Result<T, ClientError>,
) -> Result<Vec<T>, ClientError> {
    let mut rows = Vec::new();
    if !list.starts_with('[') {
        return Err(ClientError::Rows);
    }
    let mut count = 0_usize;
    json::items::<ClientError>(list, |row| {
        count = count.saturating_add(1);
        if count > ROWS_MAX {
            return Err(ClientError::TooManyRows);
        }
        match read(row) {
            Ok(row) => rows.push(row),
            // A list of nothing but faults is not answered row by row.
            Err(error) if refused.len() < REFUSED_ROWS_MAX => refused.push(format!("row {count}: {error}")),
            Err(_) => {}
        }
        Ok(())
    })?;
    Ok(rows)
}

fn path(row: &str) -> Result<alloc::borrow::Cow<'_, str>, ClientError> {
    json::member(row, "path").and_then(json::string).ok_or(ClientError::Rows)
}

/// Reads `{path,period?,minPeriod?,policy?,format?}`.
///
/// Without a policy, `minPeriod` means `instant` and `period` means `fixed`, as upstream reads them.
fn subscribe_row(row: &str) -> Result<Subscribe, ClientError> {
    let path = Pattern::of_path(&path(row)?).map_err(ClientError::Pattern)?;
    let mut warnings = Vec::new();
    let mut millis = |name: &str| {
        let raw = json::member(row, name).filter(|raw| *raw != "null")?;
        let number = json::number(raw).filter(|number| *number >= 0.0);
        if number.is_none() {
            warnings.push(format!("{name} of {path} must be a number of milliseconds, it is ignored"));
        }
        number
    };
    let (period, least) = (millis("period"), millis("minPeriod"));
    let text = |name: &str| {
        json::member(row, name).filter(|raw| *raw != "null").map(|raw| json::string(raw).unwrap_or_default())
    };
    let asked = text("policy");
    let policy = match asked.as_deref() {
        Some(policy @ ("instant" | "ideal" | "fixed")) => policy,
        given => {
            if given.is_some() {
                warnings.push(format!(
                    "only the policies instant, ideal and fixed are supported, that of {path} is ignored"
                ));
            }
            if period.is_some() && least.is_none() { "fixed" } else { "instant" }
        }
    };
    if text("format").is_some_and(|format| format != "delta") {
        warnings.push(format!("only the format delta is supported, it is used for {path}"));
    }
    let repeat = Some(duration(period.unwrap_or(PERIOD_MS_DEFAULT).max(PERIOD_MS_MIN)));
    let on_change = Some(duration(least.unwrap_or(0.0)));
    let pace = match policy {
        "fixed" => Pace { on_change: None, repeat },
        "ideal" => Pace { on_change, repeat },
        _ => Pace { on_change, repeat: None },
    };
    Ok(Subscribe { path, pace, warnings })
}

fn duration(millis: f64) -> Duration {
    // At most a day and not negative, so the cast keeps the whole part.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a day")]
    Duration::from_millis(millis.clamp(0.0, PERIOD_MS_MAX) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixMillis;

    fn pace(row: &str) -> (Pace, usize) {
        let row = subscribe_row(row).unwrap();
        (row.pace, row.warnings.len())
    }

    #[test]
    fn policies_and_periods() {
        let millis = |millis| Some(Duration::from_millis(millis));
        assert_eq!(pace(r#"{"path":"a"}"#), (Pace::INSTANT, 0));
        assert_eq!(pace(r#"{"path":"a","policy":"instant","format":"delta"}"#), (Pace::INSTANT, 0));
        assert_eq!(pace(r#"{"path":"a","minPeriod":200}"#), (Pace { on_change: millis(200), repeat: None }, 0));
        assert_eq!(pace(r#"{"path":"a","period":2000}"#), (Pace { on_change: None, repeat: millis(2000) }, 0));
        assert_eq!(pace(r#"{"path":"a","policy":"fixed"}"#), (Pace { on_change: None, repeat: millis(1000) }, 0));
        assert_eq!(
            pace(r#"{"path":"a","policy":"ideal","minPeriod":50}"#),
            (Pace { on_change: millis(50), repeat: millis(1000) }, 0)
        );
        assert_eq!(
            pace(r#"{"path":"a","policy":"fixed","period":0}"#),
            (Pace { on_change: None, repeat: millis(10) }, 0)
        );
    }

    #[test]
    fn what_is_not_supported_is_told() {
        assert_eq!(pace(r#"{"path":"a","policy":"sometimes"}"#), (Pace::INSTANT, 1));
        assert_eq!(pace(r#"{"path":"a","format":"full"}"#), (Pace::INSTANT, 1));
        assert_eq!(pace(r#"{"path":"a","minPeriod":"x","period":-1}"#), (Pace::INSTANT, 2));
        assert_eq!(pace(r#"{"path":"a","minPeriod":1e300}"#).0.on_change, Some(Duration::from_secs(86_400)));
    }

    #[test]
    fn messages_that_cannot_be_meant() {
        let stamp = Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis(0) };
        let error = |text: &str| ClientMessage::parse(text, &stamp).unwrap_err();
        assert!(matches!(error("{"), ClientError::Json(_)));
        assert!(matches!(error("[]"), ClientError::Json(_)));
        assert_eq!(error("{}"), ClientError::Unknown);
        assert_eq!(error(r#"{"context":{"radius":1},"subscribe":[]}"#), ClientError::Context);
        assert_eq!(error(r#"{"subscribe":{}}"#), ClientError::Rows);
        let many = std::vec![r#"{"path":"a"}"#; ROWS_MAX + 1].join(",");
        assert_eq!(error(&format!(r#"{{"subscribe":[{many}]}}"#)), ClientError::TooManyRows);
    }

    #[test]
    fn a_row_that_cannot_be_read_takes_no_other_with_it() {
        let stamp = Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis(0) };
        let long = "a".repeat(300);
        let text =
            format!(r#"{{"subscribe":[{{"path":""}},7,{{"path":"a"}},{{"path":"{long}"}}],"sourcePolicy":"some"}}"#);
        let Ok(ClientMessage::Subscriptions(read)) = ClientMessage::parse(&text, &stamp) else { panic!("is read") };
        let paths: Vec<&str> = read.subscribe.iter().map(|row| row.path.as_str()).collect();
        assert_eq!(paths, ["", "a"]);
        assert_eq!(
            read.refused,
            [
                "row 2: subscribe and unsubscribe must be arrays of objects with a path",
                "row 4: pattern longer than 256 bytes",
                SOURCE_POLICY
            ]
        );
        let junk = std::vec!["7"; 100].join(",");
        let text = format!(r#"{{"unsubscribe":[{junk}]}}"#);
        let Ok(ClientMessage::Subscriptions(read)) = ClientMessage::parse(&text, &stamp) else { panic!("is read") };
        assert_eq!(read.refused.len(), REFUSED_ROWS_MAX);
    }
}
