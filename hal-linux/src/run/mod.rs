//! The gateway thread: owns the gateway, and waits for whatever moves it.

mod answers;
pub mod feed;
pub mod printer;
pub mod service;
pub mod signals;
pub mod web;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use skiff_runtime::gateway::{Event, Gateway, StreamId, StreamOut, Wake};
use skiff_runtime::hal::Clock;
use skiff_runtime::http::Request;
use skiff_runtime::plugin::{ExchangeId, Plugin};
use skiff_runtime::replay::plugin_line;
use tokio::sync::{mpsc, oneshot};

use crate::announce::Announcer;
use crate::carrier::{Answer, CarrierEvent, StreamLink, StreamMessage};
use crate::connections;
use crate::hal::SystemClock;
use crate::packages::watch::PluginFiles;
use crate::packages::web::Keeper;
use crate::wake::Waker;
use answers::Answers;
use feed::{FeedEvent, InputEvent};
use printer::Printer;
use service::ServiceManager;
use web::Web;

/// Events and records taken between two polls, so that neither holds up the other or the bus: this many, or for this long.
const CARRIER_EVENTS_PER_TURN: usize = 256;
const CARRIER_EVENTS_TIME: Duration = Duration::from_millis(2);
const RECORDS_PER_TURN: usize = 1024;
const RECORDS_TIME: Duration = Duration::from_millis(4);
/// Longest wait; nothing needs it, it bounds what a lost wake-up could cost.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// Time the plugins get to stop; their fuel ends them long before.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Everything that the gateway's thread owns.
pub struct Driver {
    /// The gateway.
    pub gateway: Gateway,
    /// The clock of its HAL.
    pub clock: SystemClock,
    /// Records of the feeds.
    pub feed_events: mpsc::Receiver<FeedEvent>,
    /// The web server.
    pub web: Web,
    /// Wakes this thread.
    pub waker: Waker,
    /// Set when the gateway is to stop.
    pub stop: Arc<AtomicBool>,
    /// Where deltas of plugins are shown.
    pub printer: Option<Printer>,
    /// Where new versions of plugins come from; none in the sample.
    pub files: Option<PluginFiles>,
    /// Who keeps the files of packages; none in the sample.
    pub keeper: Option<Keeper>,
    /// What comes in and goes out beside the web server.
    pub connections: connections::Keeper,
    /// Who tells the network of the gateway.
    pub announcer: Option<Announcer>,
    /// Who started this process as a service.
    pub manager: Option<ServiceManager>,
}

/// Clients that wait for something.
#[derive(Default)]
struct Clients {
    exchanges: BTreeMap<ExchangeId, oneshot::Sender<Answer>>,
    streams: BTreeMap<u64, (StreamId, StreamLink)>,
    answers: Answers,
    /// Taken from the carrier, and left for the next turn.
    held: Option<CarrierEvent>,
}

impl Driver {
    /// Runs until asked to stop or nobody reads stdout; stops the plugins. True when it is to be started anew.
    pub fn run(&mut self) -> bool {
        let mut clients = Clients::default();
        while !self.is_over() {
            self.give_sign_of_life();
            let more = self.take_in(&mut clients);
            let wake = self.poll();
            self.give_out(&mut clients);
            if more || wake.busy {
                continue;
            }
            let until = wake.at.map_or(WAIT_MAX, |at| at.since(self.clock.now()).min(WAIT_MAX));
            self.waker.wait(self.connections.waiters(), Some(until));
        }
        self.shut_down(&mut clients);
        !self.is_told_to_stop() && self.gateway.restart_due().is_some()
    }

    /// Lets the gateway and its own web server work.
    fn poll(&mut self) -> Wake {
        let gateway = self.gateway.poll();
        let outputs = self.connections.drive(&mut self.gateway, self.clock.now());
        let own = self.web.poll(&mut self.gateway);
        let at = [gateway.at, outputs.at, own.at].into_iter().flatten().min();
        Wake { busy: gateway.busy | outputs.busy | own.busy, at }
    }

    /// Only this thread gives it: when it hangs, the gateway is started afresh.
    fn give_sign_of_life(&mut self) {
        if let Some(manager) = &mut self.manager {
            manager.alive(std::time::Instant::now());
        }
    }

    fn is_over(&self) -> bool {
        self.is_told_to_stop() || self.gateway.restart_due().is_some()
    }

    fn is_told_to_stop(&self) -> bool {
        self.stop.load(Ordering::SeqCst) || self.printer.as_ref().is_some_and(Printer::is_closed)
    }

    /// Takes what arrived; true when there can be more.
    fn take_in(&mut self, clients: &mut Clients) -> bool {
        let records = self.take_records();
        let events = self.take_events(clients);
        while let Some((exchange, id)) = self.gateway.next_reload() {
            let name = self.gateway.plugins().find(&id).map(Plugin::package_name);
            let package = match (&self.files, name) {
                (Some(files), Some(name)) => files.read(name),
                (Some(_), None) => Err("it was removed meanwhile".into()),
                (None, _) => Err("a built-in plugin has no files".into()),
            };
            self.gateway.reload(exchange, package);
        }
        if let Some(files) = &self.files {
            files.take_changes(&mut self.gateway);
        }
        if let Some(keeper) = &self.keeper {
            keeper.drive(&mut self.gateway);
        }
        if let Some(announcer) = &mut self.announcer {
            announcer.tell();
        }
        events || records
    }

    /// Takes what the inputs brought; true when there can be more.
    fn take_records(&mut self) -> bool {
        let until = self.clock.now() + RECORDS_TIME;
        for _ in 0..RECORDS_PER_TURN {
            let Ok(event) = self.feed_events.try_recv() else { return false };
            // Of one that was removed meanwhile it is passed over.
            let input = event.feed;
            match event.event {
                InputEvent::Record(record) => self.gateway.receive(input, &record),
                InputEvent::Sentence { text, time } => self.gateway.receive_sentence(input, &text, time),
                InputEvent::Delta { text, time } => self.gateway.receive_delta(input, &text, time),
                InputEvent::Remote(text) => self.gateway.receive_remote(input, &text),
                InputEvent::Bad => self.gateway.count_bad_line(input),
                InputEvent::Lost(total) => self.gateway.set_input_lost(input, total),
                InputEvent::State(state) => self.gateway.set_input_state(input, state),
            }
            if self.clock.now() >= until {
                return true;
            }
        }
        true
    }

    /// Takes what clients want; true when there can be more. Those who want what was just made for another one are
    /// served even when the time is over.
    fn take_events(&mut self, clients: &mut Clients) -> bool {
        let until = self.clock.now() + CARRIER_EVENTS_TIME;
        clients.answers.renew();
        for _ in 0..CARRIER_EVENTS_PER_TURN {
            let Web::Axum { events: inbox, .. } = &mut self.web else { return false };
            let Some(event) = clients.held.take().or_else(|| inbox.try_recv().ok()) else { return false };
            let is_cheap =
                matches!(&event, CarrierEvent::Request { request, .. } if clients.answers.is_shared(request));
            if !is_cheap && self.clock.now() >= until {
                clients.held = Some(event);
                return true;
            }
            self.take_event(event, clients);
        }
        true
    }

    fn take_request(&mut self, request: &Request, answer: oneshot::Sender<Answer>, clients: &mut Clients) {
        if !answers::is_bulk(request) {
            clients.answers.renew();
        }
        match self.gateway.request_unless(request, || clients.answers.at_hand(request)) {
            Ok(exchange) => {
                clients.exchanges.insert(exchange, answer);
                self.answer(clients, Some((exchange, &request.target)));
            }
            // A client that went away does not read its answer.
            Err(at_hand) => drop(answer.send(at_hand)),
        }
    }

    /// Gives the responses that are there to their clients; that to the exchange `just` can serve others, too.
    fn answer(&mut self, clients: &mut Clients, just: Option<(ExchangeId, &str)>) {
        while let Some((exchange, response)) = self.gateway.next_response() {
            if let Some(answer) = clients.exchanges.remove(&exchange) {
                let target = just.filter(|(of, _)| *of == exchange).map(|(_, target)| target);
                let _ = answer.send(clients.answers.make(target, response));
            }
        }
    }

    fn take_event(&mut self, event: CarrierEvent, clients: &mut Clients) {
        if !matches!(event, CarrierEvent::Head { .. } | CarrierEvent::Request { .. }) {
            clients.answers.renew();
        }
        match event {
            CarrierEvent::Head { head, answer } => {
                let judged = self.gateway.judge(&head);
                // A client that went away reads no judgement.
                let _ = answer.send((head, judged));
            }
            CarrierEvent::Request { request, answer } => self.take_request(&request, answer, clients),
            CarrierEvent::OpenStream { request, answer, link } => match self.gateway.open_stream(&request) {
                Ok(stream) => {
                    clients.streams.insert(link.key(), (stream, link));
                    // A client that went away meanwhile has closed its link.
                    let _ = answer.send(Ok(()));
                }
                Err(refused) => {
                    let _ = answer.send(Err(refused));
                }
            },
            CarrierEvent::StreamText { key, text } => {
                if let Some((stream, _)) = clients.streams.get(&key) {
                    self.gateway.stream_receive(*stream, &text);
                }
            }
        }
    }

    /// Gives responses, stream texts and emitted deltas to the carriers and to stdout.
    fn give_out(&mut self, clients: &mut Clients) {
        if let Some(keeper) = &self.keeper {
            keeper.drive(&mut self.gateway);
        }
        // The own web server has taken its responses already.
        if matches!(self.web, Web::Axum { .. }) {
            self.answer(clients, None);
        }
        let gateway = &mut self.gateway;
        clients.streams.retain(|_, (stream, link)| {
            let mut is_over = link.is_closed();
            if !is_over {
                link.fill(|| match gateway.stream_next(*stream) {
                    StreamOut::Text(text) => Some(StreamMessage::Text(text)),
                    StreamOut::Binary(frame) => Some(StreamMessage::Binary(frame)),
                    StreamOut::TooSlow => {
                        is_over = true;
                        Some(StreamMessage::TooSlow)
                    }
                    StreamOut::Idle => None,
                    StreamOut::Closed => {
                        is_over = true;
                        None
                    }
                });
            }
            if is_over {
                gateway.close_stream(*stream);
            }
            !is_over
        });
        while let Some(Event::Emitted { package, delta }) = self.gateway.next_event() {
            if let Some(printer) = &mut self.printer {
                printer.line(plugin_line(&package, &delta));
            }
        }
    }

    /// Stops the plugins and answers what is still open.
    fn shut_down(&mut self, clients: &mut Clients) {
        log::info!("stopping");
        if let Some(manager) = &self.manager {
            manager.stopping();
        }
        // Nobody is to come any more.
        self.announcer = None;
        self.web.farewell(&mut self.gateway);
        self.gateway.stop();
        let deadline = self.clock.now() + STOP_TIMEOUT;
        while !self.gateway.is_stopped() && self.clock.now() < deadline {
            self.give_sign_of_life();
            let wake = self.poll();
            self.give_out(clients);
            if !wake.busy {
                let until = wake.at.map_or(WAIT_MAX, |at| at.since(self.clock.now()).min(WAIT_MAX));
                self.waker.wait(&[], Some(until.min(Duration::from_millis(10))));
            }
        }
        if !self.gateway.is_stopped() {
            log::warn!("not every plugin stopped in time");
        }
        self.give_out(clients);
    }
}
