//! What follows when a call has ended: the next call, rest, a restart, or the end.

use alloc::format;
use alloc::string::{String, ToString};
use core::time::Duration;

use super::context::{TurnContext, World};
use super::crash::{RESTARTS_MAX, Verdict};
use super::exchange::{Outcome, Reply};
use super::faults::HandlerSum;
use super::life::{Underway, Why};
use super::queues::Queues;
use super::turn::POLL_PERIOD;
use super::version::Version;
use super::wear;
use crate::host::{Answer, Call, CallKind, Failure};
use crate::json;
use crate::time::Instant;
use skiff_abi::export;

/// Time until a plugin is started again whose `plugin_start` failed because a request did not get through.
const START_RETRY: Duration = Duration::from_secs(30);

impl Version {
    /// Goes on after a call that returned.
    pub(super) fn returned(
        &mut self,
        call: Underway,
        answer: Answer,
        queues: &mut Queues,
        cx: &mut TurnContext<'_, '_>,
    ) {
        if let Some(live) = self.life.live_mut() {
            live.waits_for = None;
        }
        match call.kind {
            CallKind::Name => {
                if let Answer::Text(Some(name)) = answer
                    && !name.is_empty()
                {
                    self.told.display_name = Some(name);
                }
                self.life.begin(Call::Schema, None);
            }
            CallKind::Schema => self.schema_told(answer, queues, cx),
            CallKind::Endpoints => {
                let told = |text: &String| !text.is_empty();
                self.told.set_endpoints(match answer {
                    Answer::Text(text) => text.filter(told),
                    _ => None,
                });
                self.begin_start();
            }
            CallKind::Start => self.started(&answer, queues, cx),
            CallKind::Stop => {
                self.log_code(log::Level::Warn, call.kind, &answer);
                self.stopped(None, queues, cx);
            }
            CallKind::Poll | CallKind::Update => self.log_code(log::Level::Debug, call.kind, &answer),
            CallKind::Fetched => {
                if answer == Answer::Absent {
                    self.view.log(log::Level::Warn, "an answer came, and the plugin has no responseHandler to take it");
                }
            }
            CallKind::Handler => {
                let reply = match answer {
                    Answer::Text(text) => Reply::Text(text),
                    Answer::Absent => Reply::Missing,
                    Answer::Code(_) | Answer::Unit => Reply::Text(None),
                };
                if let Some(exchange) = call.exchange {
                    cx.finish(exchange, Outcome::Replied(reply));
                }
            }
            CallKind::Id | CallKind::Delta | CallKind::Collect => {}
        }
    }

    fn log_code(&mut self, level: log::Level, kind: CallKind, answer: &Answer) {
        if let Answer::Code(Some(code)) = answer
            && *code != 0
        {
            self.view.log(level, &format!("{} returned {code}", kind.export()));
        }
    }

    fn schema_told(&mut self, answer: Answer, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        let text = match answer {
            Answer::Text(Some(text)) if !text.is_empty() => text,
            _ => String::from("{}"),
        };
        match json::compact(&text) {
            Ok(schema) => self.told.schema = Some(schema),
            Err(error) => return self.refuse(format!("plugin_schema gives no JSON: {error}"), queues, cx),
        }
        if self.goes_on() {
            self.life.begin(Call::Endpoints, None);
        } else {
            self.come_to_rest(queues, cx);
        }
    }

    /// Calls `plugin_start` with the saved members and `enableDebug` set (plugin ABI §4.1).
    fn begin_start(&mut self) {
        self.view.forget_words();
        self.life.begin(Call::Start { config: self.start_config() }, None);
    }

    /// Returns what `plugin_start` is given.
    pub(super) fn start_config(&self) -> String {
        let config = self.config.as_ref();
        let debug = config.and_then(|config| config.enable_debug).unwrap_or(false);
        let saved = config.and_then(|config| config.configuration.as_deref()).unwrap_or("{}");
        json::with_member(saved, "enableDebug", if debug { "true" } else { "false" })
    }

    fn started(&mut self, answer: &Answer, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        let failure = match answer {
            Answer::Code(Some(0)) => None,
            // The wording upstream's users search for.
            Answer::Code(Some(code)) => Some(format!("Plugin start() returned error code: {code}")),
            Answer::Absent => Some(String::from("the plugin has no plugin_start export")),
            Answer::Code(None) | Answer::Unit | Answer::Text(_) => {
                Some(String::from("plugin_start gives no result code"))
            }
        };
        if let Some(reason) = failure {
            return self.not_started(self.view.with_own_words(&reason), queues, cx);
        }
        self.keep_config();
        let first_poll = self.first_poll(cx.world);
        if let Some(live) = self.life.live_mut() {
            self.wear.started(cx.world.now, wear::taken(&live.instance));
            live.note = (!live.instance.unknown_imports().is_empty())
                .then(|| format!("imports unknown to this host: {}", live.instance.unknown_imports().join(", ")));
            live.next_poll = live.instance.has(export::POLL).then_some(first_poll);
        }
        queues.end_hold();
        queues.settle(&Ok(()), cx);
    }

    fn first_poll(&self, world: &World<'_>) -> Instant {
        if !self.poll_on_whole_seconds {
            return world.now + POLL_PERIOD;
        }
        let period = i64::try_from(POLL_PERIOD.as_millis()).unwrap_or(1000);
        let left = period - world.wall.0.rem_euclid(period);
        world.now + Duration::from_millis(u64::try_from(left).unwrap_or(1000))
    }

    /// `plugin_start` failed: for good, or until the requests that failed in it may get through.
    fn not_started(&mut self, mut reason: String, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        let again = self.view.fetches.has_failed() && self.goes_on() && !self.life.stop_wanted();
        if again {
            self.keep_config();
            let seconds = START_RETRY.as_secs();
            reason = format!("{reason}; a request of it did not get through, it is started again in {seconds} s");
        }
        self.refuse(reason, queues, cx);
        if again {
            self.life.plan_again(cx.world.now + START_RETRY);
        }
    }

    /// Goes on after a call that did not return.
    pub(super) fn failed(
        &mut self,
        call: Underway,
        failure: &Failure,
        queues: &mut Queues,
        cx: &mut TurnContext<'_, '_>,
    ) {
        if let Some(exchange) = call.exchange {
            cx.finish(exchange, Outcome::Replied(failure.into()));
        }
        let reason = self.view.with_own_words(&format!("{}: {failure}", call.kind.export()));
        if call.kind == CallKind::Stop {
            return self.stopped(Some(reason), queues, cx);
        }
        if matches!(failure, Failure::InStartSection(_)) {
            return self.refuse(failure.to_string(), queues, cx);
        }
        if failure.is_fatal() {
            if call.kind == CallKind::Start && self.view.fetches.has_failed() {
                return self.not_started(reason, queues, cx);
            }
            return match call.handler.filter(|_| self.goes_on()) {
                Some(handler) => self.handler_lost(handler, &reason, queues, cx),
                None => self.crash(&reason, queues, cx),
            };
        }
        self.view.log(log::Level::Warn, &reason);
        match call.kind {
            CallKind::Name => self.life.begin(Call::Schema, None),
            CallKind::Schema => self.refuse(reason, queues, cx),
            CallKind::Endpoints => self.begin_start(),
            CallKind::Start => self.not_started(reason, queues, cx),
            CallKind::Id
            | CallKind::Stop
            | CallKind::Poll
            | CallKind::Collect
            | CallKind::Delta
            | CallKind::Update
            | CallKind::Handler
            | CallKind::Fetched => {}
        }
    }

    /// Ends in state `error`, without a restart.
    pub(super) fn refuse(&mut self, reason: String, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        queues.end_recycling();
        if self.return_to_before(&reason, queues, cx) {
            return;
        }
        self.view.log(log::Level::Error, &reason);
        self.life.rest(Why::Error(reason.clone()));
        self.withdraw(queues, cx);
        queues.settle(&Err(reason), cx);
    }

    /// A handler took the instance with it. That is the fault of the request, which anybody may send: a fresh instance
    /// takes over what waits at once, and the handler is left alone for a while.
    fn handler_lost(&mut self, handler: HandlerSum, reason: &str, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        let seconds = queues.close_handler(handler, cx);
        self.view
            .log(log::Level::Error, &format!("{reason}; started afresh, its handler is left alone for {seconds} s"));
        queues.hold_for_recycling();
        self.withdraw(queues, cx);
        self.life.plan_again(cx.world.now);
    }

    /// The instance is lost: restart it by the schedule, or give it up.
    fn crash(&mut self, reason: &str, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        queues.end_recycling();
        if self.return_to_before(reason, queues, cx) {
            return;
        }
        self.withdraw(queues, cx);
        let (restart, plan) = match self.crashes.crash(cx.world.now) {
            _ if !self.goes_on() => (None, String::new()),
            Verdict::Restart { at, after_s, attempt } => {
                (Some(at), format!("; restart {attempt} of {RESTARTS_MAX} in {after_s} s"))
            }
            Verdict::GiveUp => (None, format!("; given up after {RESTARTS_MAX} restarts within ten minutes")),
        };
        let reason = format!("{reason}{plan}");
        self.view.log(log::Level::Error, &reason);
        let why = Why::Crashed(reason.clone());
        match restart {
            Some(at) => self.life.plan(at, why),
            None => self.life.rest(why),
        }
        queues.settle(&Err(reason), cx);
    }

    /// The instance has been stopped: start a fresh one when the plugin is still enabled.
    fn stopped(&mut self, failure: Option<String>, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        let goes_on = self.goes_on();
        if !goes_on {
            queues.end_recycling();
        }
        self.withdraw(queues, cx);
        if let Some(reason) = &failure {
            self.view.log(log::Level::Error, reason);
        }
        if goes_on {
            return self.life.plan_again(cx.world.now);
        }
        self.view.status = None;
        self.view.error = None;
        let why = failure.map_or(Why::Stopped(None), Why::Error);
        queues.settle(&why.result(), cx);
        self.life.rest(why);
    }

    /// A disabled plugin has told its name and schema.
    fn come_to_rest(&mut self, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        queues.end_recycling();
        self.withdraw(queues, cx);
        self.life.rest(Why::Stopped(None));
        queues.settle(&Ok(()), cx);
    }
}
