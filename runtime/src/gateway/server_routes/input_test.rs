//! `POST /skServer/inputTest`: lines as an input brings them, and the deltas that they become. They reach the model only
//! where that is asked for.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::delta::{Delta, Stamp};
use crate::gateway::Gateway;
use crate::gateway::input::Input;
use crate::json::{self, JsonError};
use crate::n2k::log::{Format, LogEntry, LogStream, Mode};
use crate::n2k::{DeltaForm, N2kMessage, Receiver, ReceiverLimits};
use crate::nmea0183::Sentences;
use crate::server::Response;

/// The label of what is sent on (signalk-server 2.32 `interfaces/playground.js`).
const LABEL: &str = "input-test";
/// Deltas of one test: an answer is for people to look at.
const DELTAS_MAX: usize = 256;

/// What became of the lines.
#[derive(Default)]
struct Tried {
    deltas: Vec<Arc<Delta>>,
    /// What was wrong with the first line that could not be read.
    bad: Option<String>,
}

impl Gateway {
    /// Answers `{value, sendToServer, sendToN2K}`.
    pub(super) fn test_input(&mut self, body: &str) -> Response {
        let flag = |name| json::member(body, name) == Some("true");
        let Some(value) = json::member(body, "value").and_then(json::string) else {
            return Response::error(400, "value, a text, is needed");
        };
        if flag("sendToN2K") {
            return Response::error(400, "nothing is sent to the bus from here: see relay and send of skiff/n2k.json");
        }
        let is_json = value.trim_start().starts_with(['{', '[']);
        let tried = if is_json { self.read_deltas(&value) } else { self.read_lines(&value) };
        // Of lines some can be of no use; JSON is taken whole or not.
        if let Some(bad) = tried.bad.filter(|_| is_json || tried.deltas.is_empty()) {
            return Response::error(400, &bad);
        }
        let is_there = self.inputs.iter().filter_map(Input::interface).any(|interface| interface.address().is_some());
        let answer = json::object(|out| {
            out.list("deltas", |out| tried.deltas.iter().for_each(|delta| _ = out.json(delta.text())));
            out.list("n2kJson", |_| {}).boolean("n2kOutAvailable", is_there);
        });
        if flag("sendToServer") {
            tried.deltas.into_iter().for_each(|delta| self.take_in(delta, 0));
        }
        Response::json(200, answer)
    }

    /// Reads one delta, or a list of them.
    fn read_deltas(&self, text: &str) -> Tried {
        let no_json = || Tried { bad: Some("this is no JSON".to_owned()), ..Tried::default() };
        let Ok(text) = json::compact(text) else { return no_json() };
        let stamp = Stamp { source_ref: LABEL, self_context: &self.setup.self_context, now: self.wall() };
        let list = if text.starts_with('[') { text } else { format!("[{text}]") };
        let mut tried = Tried::default();
        let read = json::items::<JsonError>(&list, |item| {
            match Delta::parse(item, &stamp) {
                Ok(delta) if tried.deltas.len() < DELTAS_MAX => tried.deltas.push(Arc::new(delta)),
                Ok(_) => tried.bad = Some(format!("at most {DELTAS_MAX} deltas are taken")),
                Err(error) => tried.bad = Some(format!("this is no delta: {error}")),
            }
            Ok(())
        });
        if read.is_ok() { tried } else { no_json() }
    }

    /// Reads lines of NMEA 2000 in whatever form, and sentences of NMEA 0183.
    fn read_lines(&self, text: &str) -> Tried {
        let (now, wall) = (self.hal.clock.now(), self.wall());
        let form = DeltaForm::Stamped { self_context: &self.setup.self_context };
        let mut stream = LogStream::new(Format::Auto, Mode::Auto);
        stream.feed(text.as_bytes());
        stream.end_line();
        stream.end();
        let mut receiver = Receiver::with_limits(LABEL, ReceiverLimits::CHIP);
        let mut sentences = Sentences::new(LABEL);
        let mut tried = Tried::default();
        while let Some(entry) = stream.next_entry() {
            let delta = match entry {
                LogEntry::Record { record, .. } => {
                    let mut message = N2kMessage::default();
                    let is_whole = receiver.item_into(&record.item, now, &mut message);
                    is_whole.then(|| receiver.delta(&message, wall, form)).flatten()
                }
                LogEntry::Sentence { number, text, .. } => match sentences.delta(&text, wall, form) {
                    Ok(delta) => delta.map(Arc::new),
                    Err(error) => {
                        tried.bad.get_or_insert_with(|| format!("line {number}: {error}"));
                        None
                    }
                },
                LogEntry::Delta { text, .. } => {
                    let stamp = Stamp { source_ref: LABEL, self_context: &self.setup.self_context, now: wall };
                    Delta::parse(&text, &stamp).ok().map(Arc::new)
                }
                LogEntry::Bad { number, error, .. } => {
                    tried.bad.get_or_insert_with(|| format!("line {number}: {error}"));
                    None
                }
            };
            tried.deltas.extend(delta.filter(|_| tried.deltas.len() < DELTAS_MAX));
        }
        tried
    }
}
