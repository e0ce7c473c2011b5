//! What a scenario says.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Wall clock where the scenario sets none, milliseconds since 1970.
const WALL_MS: i64 = 1_764_000_000_000;
/// Seed where the scenario gives none.
const SEED: u32 = 0x9e37_79b9;
/// Polls of one step.
const POLLS_MAX: u32 = 1_000_000;

/// Why a scenario cannot be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError(String);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ScenarioError {}

/// A scenario.
#[derive(Debug)]
pub struct Scenario {
    /// Label.
    pub name: String,
    /// Module path, relative to the scenario.
    pub wasm: Option<String>,
    /// npm package name.
    pub package: String,
    /// `wasmCapabilities`, JSON object.
    pub capabilities: String,
    pub(super) config: String,
    pub(super) wall_ms: i64,
    pub(super) seed: u32,
    pub(super) self_paths: BTreeMap<String, String>,
    pub(super) fetch: Vec<CannedAnswer>,
    pub(super) datagrams: Vec<Datagram>,
    pub(super) steps: Vec<ScenarioStep>,
}

/// An answer of the mock network.
#[derive(Clone, Debug)]
pub(super) struct CannedAnswer {
    pub prefix: String,
    pub status: u16,
    pub body: String,
}

/// A datagram that arrives after a poll.
#[derive(Debug)]
pub(super) struct Datagram {
    pub after_poll: u32,
    pub port: u16,
    pub data: Vec<u8>,
    pub from: String,
    pub from_port: u16,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ScenarioStep {
    Start { config: Option<String> },
    Poll { times: u32 },
    Delta { delta: String },
    Http { method: String, path: String, route: String, request: String },
    Put { context: String, path: String, value: String },
    Resource { kind: String, function: String, args: Vec<String> },
    Weather { function: String, args: Vec<String> },
    Radar { function: String, request: String },
    Stop,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// [`ScenarioError`]: what is wrong, with the step (from 1) where one is.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let read: Read = serde_json::from_str(text).map_err(|error| ScenarioError(format!("{error}")))?;
        let steps = (1..)
            .zip(read.steps)
            .map(|(number, step)| step.checked().map_err(|clause| ScenarioError(format!("step {number}: {clause}"))));
        let datagrams = read.datagrams.into_iter().map(|datagram| {
            Ok(Datagram {
                after_poll: datagram.after_poll,
                port: datagram.port,
                data: unhex(&datagram.hex)
                    .ok_or_else(|| ScenarioError(format!("datagram {:?} is no hex", datagram.hex)))?,
                from: datagram.from,
                from_port: datagram.from_port,
            })
        });
        let fetch = read.fetch.into_iter().map(|answer| CannedAnswer {
            prefix: answer.prefix,
            status: answer.status.unwrap_or(200),
            body: answer.body.map(|body| unquoted(&body)).unwrap_or_default(),
        });
        Ok(Self {
            name: read.name,
            wasm: read.wasm,
            package: read.package,
            capabilities: read.capabilities.map_or_else(|| "{}".into(), |raw| plain(&raw)),
            config: read.config.map_or_else(|| "{}".into(), |raw| plain(&raw)),
            wall_ms: read.clock.and_then(|clock| clock.wall_ms).unwrap_or(WALL_MS),
            // What JavaScript's bit operations make of a number.
            seed: read.seed.map_or(SEED, |seed| u32::try_from(seed.rem_euclid(1 << 32)).unwrap_or(SEED)),
            self_paths: read.self_paths.into_iter().map(|(path, raw)| (path, plain(&raw))).collect(),
            fetch: fetch.collect(),
            datagrams: datagrams.collect::<Result<_, _>>()?,
            steps: steps.collect::<Result<_, _>>()?,
        })
    }
}

/// Returns JSON as `JSON.stringify` writes it, since guests search it for literal fragments; what only JavaScript takes,
/// such as half a surrogate pair, stays as it is.
fn plain(raw: &RawValue) -> String {
    crate::json::compact(raw.get()).unwrap_or_else(|_| raw.get().to_string())
}

/// A JSON string's text, or the JSON itself.
fn unquoted(raw: &RawValue) -> String {
    crate::json::string(raw.get()).map_or_else(|| plain(raw), alloc::borrow::Cow::into_owned)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks(2).map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    #[serde(default)]
    name: String,
    wasm: Option<String>,
    package: String,
    capabilities: Option<Box<RawValue>>,
    config: Option<Box<RawValue>>,
    clock: Option<ReadClock>,
    seed: Option<i64>,
    #[serde(default)]
    self_paths: BTreeMap<String, Box<RawValue>>,
    #[serde(default)]
    fetch: Vec<ReadAnswer>,
    #[serde(default)]
    datagrams: Vec<ReadDatagram>,
    steps: Vec<ReadStep>,
}

#[derive(Deserialize)]
struct ReadClock {
    wall_ms: Option<i64>,
}

#[derive(Deserialize)]
struct ReadAnswer {
    prefix: String,
    status: Option<u16>,
    body: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadDatagram {
    after_poll: u32,
    port: u16,
    hex: String,
    from: String,
    from_port: u16,
}

/// Every member that a step of any kind can have.
#[derive(Deserialize)]
struct ReadStep {
    op: String,
    config: Option<Box<RawValue>>,
    times: Option<u32>,
    delta: Option<Box<RawValue>>,
    method: Option<String>,
    path: Option<String>,
    route: Option<String>,
    query: Option<Box<RawValue>>,
    params: Option<Box<RawValue>>,
    body: Option<Box<RawValue>>,
    headers: Option<Box<RawValue>>,
    context: Option<String>,
    value: Option<Box<RawValue>>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(rename = "fn")]
    function: Option<String>,
    args: Option<Vec<Box<RawValue>>>,
    request: Option<Box<RawValue>>,
}

impl ReadStep {
    fn checked(self) -> Result<ScenarioStep, String> {
        let missing = |member: &str| format!("`{}` needs the member `{member}`", self.op);
        let raw = |value: Option<Box<RawValue>>, default: &str| value.map_or_else(|| default.into(), |raw| plain(&raw));
        let args = |args: Option<Vec<Box<RawValue>>>| {
            args.unwrap_or_default().iter().map(|raw| plain(raw)).collect::<Vec<String>>()
        };
        Ok(match self.op.as_str() {
            "start" => ScenarioStep::Start { config: self.config.map(|raw| plain(&raw)) },
            "poll" => ScenarioStep::Poll { times: self.times.unwrap_or(1).min(POLLS_MAX) },
            "delta" => {
                ScenarioStep::Delta { delta: self.delta.map(|raw| plain(&raw)).ok_or_else(|| missing("delta"))? }
            }
            "http" => {
                let method = self.method.clone().ok_or_else(|| missing("method"))?;
                let path = self.path.clone().ok_or_else(|| missing("path"))?;
                let request = crate::json::object(|request| {
                    request.text("method", &method).text("path", &path);
                    request.json("query", &raw(self.query, "{}")).json("params", &raw(self.params, "{}"));
                    if let Some(body) = &self.body {
                        request.json("body", body.get());
                    }
                    match self.headers {
                        Some(headers) => request.json("headers", &plain(&headers)),
                        None => request.object("headers", |headers| {
                            headers.text("host", "localhost");
                        }),
                    };
                });
                let request = crate::json::compact(&request).map_err(|error| format!("{error}"))?;
                ScenarioStep::Http { route: self.route.unwrap_or_else(|| path.clone()), method, path, request }
            }
            "put" => ScenarioStep::Put {
                context: self.context.clone().ok_or_else(|| missing("context"))?,
                path: self.path.clone().ok_or_else(|| missing("path"))?,
                value: raw(self.value, "null"),
            },
            "resource" => ScenarioStep::Resource {
                kind: self.kind.clone().ok_or_else(|| missing("type"))?,
                function: self.function.clone().ok_or_else(|| missing("fn"))?,
                args: args(self.args),
            },
            "weather" => ScenarioStep::Weather {
                function: self.function.clone().ok_or_else(|| missing("fn"))?,
                args: args(self.args),
            },
            "radar" => ScenarioStep::Radar {
                function: self.function.clone().ok_or_else(|| missing("fn"))?,
                request: raw(self.request, "{}"),
            },
            "stop" => ScenarioStep::Stop,
            other => return Err(format!("there is no step {other:?}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_see_json_as_javascript_writes_it_however_the_file_is_laid_out() {
        let scenario = Scenario::parse(
            r#"{"package": "p", "config": {"a": [1.0, "\u00fc"]}, "selfPaths": {"x.y": {"value": 1e2}},
                "steps": [{"op": "start", "config": { "b" : 2 }}, {"op": "delta", "delta": {"updates": [ ]}},
                    {"op": "put", "context": "vessels.self", "path": "a", "value": {"v": [ ]}},
                    {"op": "resource", "type": "routes", "fn": "getResource", "args": [{"a": 1}]}]}"#,
        )
        .unwrap();
        assert_eq!(scenario.config, r#"{"a":[1,"ü"]}"#);
        assert_eq!(scenario.self_paths["x.y"], r#"{"value":100}"#);
        assert_eq!(scenario.steps[0], ScenarioStep::Start { config: Some(r#"{"b":2}"#.into()) });
        assert_eq!(scenario.steps[1], ScenarioStep::Delta { delta: r#"{"updates":[]}"#.into() });
        let [.., ScenarioStep::Put { value, .. }, ScenarioStep::Resource { args, .. }] = &scenario.steps[..] else {
            panic!()
        };
        assert_eq!((&**value, &*args[0]), (r#"{"v":[]}"#, r#"{"a":1}"#));
    }

    #[test]
    fn a_step_that_lacks_something_is_named() {
        let refused =
            |steps: &str| Scenario::parse(&format!(r#"{{"package":"p","steps":[{steps}]}}"#)).unwrap_err().to_string();
        assert_eq!(refused(r#"{"op":"stop"},{"op":"delta"}"#), "step 2: `delta` needs the member `delta`");
        assert!(refused(r#"{"op":"fly"}"#).contains("\"fly\""));
    }
}
