//! Whatever a stream client asks for in its address and says afterwards: what it is sent is JSON, and bounded.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use skiff_runtime::accounts::Role;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::delta::{Delta, Stamp};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::json;
use skiff_runtime::model::Model;
use skiff_runtime::server::stream::{Rights, Session, StreamContext};
use skiff_runtime::time::{Instant, UnixMillis};

const SELF: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";
/// Texts that one message can bring about: answers, cached values, what was offered.
const TEXTS_MAX: usize = 200;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    query: &'a str,
    steps: Vec<Step<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    /// The client says this.
    Says(&'a str),
    /// The client subscribes to this, of these contexts.
    Subscribes { context: &'a str, path: &'a str, period: Option<f32>, announce: bool },
    /// A delta is offered.
    Offered { context: &'a str, path: &'a str, value: &'a str },
    /// Time passes.
    Passes(u16),
}

fuzz_target!(|input: Input<'_>| {
    let limits = Limits::of(Board::Linux);
    let stamp = Stamp { source_ref: "fuzz", self_context: SELF, now: UnixMillis(1_764_000_000_000) };
    let context = StreamContext {
        self_context: SELF,
        version: "0",
        wall: stamp.now,
        start_id: "fuzz",
        rights: Rights { reads: true, role: Some(Role::ReadWrite) },
        limits: &limits,
    };
    let request = Request::new(Method::Get, &format!("/signalk/v1/stream?{}", input.query));
    let Ok(mut session) = Session::open(&request, &context) else { return };
    let mut model = Model::new(&limits, SELF);
    let mut now = Instant(0);
    for step in input.steps.iter().take(32) {
        match step {
            Step::Says(text) => drop(session.receive(text, &stamp)),
            Step::Subscribes { context, path, period, announce } => {
                let row = json::object(|row| {
                    row.text("path", path);
                    if let Some(period) = period.filter(|period| period.is_finite()) {
                        row.number("period", f64::from(period));
                    }
                });
                let message = json::object(|message| {
                    message.text("context", context).boolean("announceNewPaths", *announce);
                    message.list("subscribe", |rows| {
                        rows.json(&row);
                    });
                });
                drop(session.receive(&message, &stamp));
            }
            Step::Offered { context, path, value } => {
                if let Ok(delta) = Delta::of_value(context, path, &json::quoted(value), &stamp) {
                    let delta = Arc::new(delta);
                    model.take_in(delta.clone());
                    session.offer(&delta, &model, now);
                }
            }
            Step::Passes(millis) => now = now + std::time::Duration::from_millis(u64::from(*millis)),
        }
        let mut count = 0;
        while let Some(text) = session.next(now, &model) {
            assert!(json::compact(&text).is_ok(), "{}", &*text);
            count += 1;
            assert!(count < TEXTS_MAX);
        }
    }
});
