//! The inputs: CAN interfaces with what is sent to them, and feeds whose records and sentences are pushed in.

use alloc::boxed::Box;
#[cfg(any(test, feature = "server-routes"))]
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use super::input::{Hearing, Input};
use super::interface::{Interface, Participation};
use super::sending::Sending;
use super::tap::Tap;
use super::{Gateway, InputId};
use crate::config::N2kConfig;
use crate::delta::Delta;
use crate::hal::CanPort;
use crate::json::Object;
use crate::n2k::log::Item;
use crate::n2k::{self, DeltaForm, ReceiverLimits};
use crate::nmea0183;
use crate::server::put::{Put, PutState};
use crate::time::Instant;

/// CAN frames taken from each interface in one poll.
const FRAMES_PER_POLL: usize = 64;

/// Every input, and what goes to the bus.
pub(super) struct Inputs {
    list: Vec<Input>,
    /// What goes to the bus, when anything may.
    sending: Option<Box<Sending>>,
    limits: ReceiverLimits,
    /// What comes and goes while the gateway runs.
    #[cfg(any(test, feature = "server-routes"))]
    changing: Changing,
    /// Devices are named by NAME; else by address.
    uses_name: bool,
    /// What was told of late, where another server is heard.
    #[cfg(any(test, feature = "remote"))]
    pub echoes: super::echoes::Echoes,
    /// Frames for who hands them on raw.
    pub tap: Tap,
    /// What clients of outputs may send to the bus.
    #[cfg(feature = "outputs")]
    pub relaying: super::relay::Relaying,
}

/// What is kept where inputs come and go while the gateway runs.
#[cfg(any(test, feature = "server-routes"))]
#[derive(Default)]
struct Changing {
    /// The number of the next input: none is given twice.
    next: usize,
    /// The part that the gateway takes in a bus.
    config: N2kConfig,
    /// Whether the command line asks for a node.
    names_node: bool,
    /// What the inputs that are gone have counted: totals never go back.
    gone: n2k::Counters,
    gone_sentences: nmea0183::Counters,
    lost_records: u64,
    lost_frames: u64,
}

/// Numbers the first inputs.
#[cfg(any(test, feature = "server-routes"))]
fn numbered(mut list: Vec<Input>) -> (Vec<Input>, Changing) {
    list.iter_mut().enumerate().for_each(|(number, input)| input.id = InputId(number));
    let changing = Changing { next: list.len(), ..Changing::default() };
    (list, changing)
}

/// One round of taking frames: each interface gives up to [`FRAMES_PER_POLL`].
#[derive(Default)]
pub(super) struct Round {
    input: usize,
    frames: usize,
    /// An interface had as many as were taken, and may have more.
    pub has_more: bool,
}

impl Inputs {
    /// Makes an input of each interface.
    pub fn new(ports: Vec<CanPort>, limits: ReceiverLimits) -> Self {
        let list = ports.into_iter().map(|port| Input::new(&port.label, Some(Interface::new(port.can)), limits));
        let list: Vec<Input> = list.collect();
        #[cfg(any(test, feature = "server-routes"))]
        let (list, changing) = numbered(list);
        Self {
            #[cfg(any(test, feature = "server-routes"))]
            changing,
            list,
            sending: None,
            limits,
            uses_name: true,
            #[cfg(any(test, feature = "remote"))]
            echoes: super::echoes::Echoes::default(),
            tap: Tap::default(),
            #[cfg(feature = "outputs")]
            relaying: super::relay::Relaying::default(),
        }
    }

    fn add(&mut self, label: &str, interface: Option<Interface>) -> InputId {
        #[cfg(any(test, feature = "server-routes"))]
        let id = {
            let next = self.changing.next;
            self.changing.next = next.saturating_add(1);
            InputId(next)
        };
        #[cfg(not(any(test, feature = "server-routes")))]
        let id = InputId(self.list.len());
        let mut input = Input::new(label, interface, self.limits);
        #[cfg(any(test, feature = "server-routes"))]
        {
            input.id = id;
        }
        input.use_name(self.uses_name);
        self.list.push(input);
        id
    }

    #[cfg(any(test, feature = "server-routes"))]
    fn place(&self, id: InputId) -> Option<usize> {
        self.list.iter().position(|input| input.id == id)
    }

    #[cfg(not(any(test, feature = "server-routes")))]
    fn place(&self, id: InputId) -> Option<usize> {
        Some(id.0)
    }

    /// Takes an input out, and keeps what it counted.
    #[cfg(any(test, feature = "server-routes"))]
    fn remove(&mut self, id: InputId) {
        let Some(place) = self.place(id) else { return };
        let input = self.list.remove(place);
        let changing = &mut self.changing;
        changing.gone.add(&input.counters());
        changing.gone_sentences.add(&input.sentence_counters());
        changing.lost_records = changing.lost_records.saturating_add(input.lost());
        let lost = input.interface().map_or(0, Interface::lost);
        changing.lost_frames = changing.lost_frames.saturating_add(lost);
    }

    /// Returns an input.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn get(&self, id: InputId) -> Option<&Input> {
        self.list.get(self.place(id)?)
    }

    /// Returns label and server of an input, and what was told of late.
    #[cfg(any(test, feature = "remote"))]
    pub fn remote(&mut self, id: InputId) -> Option<(&str, &mut super::remote::Remote, &super::echoes::Echoes)> {
        self.echoes.begin();
        let place = self.place(id)?;
        let (label, remote) = self.list.get_mut(place)?.remote();
        Some((label, remote, &self.echoes))
    }

    /// Returns what is known of an input beside its counters.
    #[cfg(any(test, feature = "remote"))]
    pub fn live(&mut self, id: InputId) -> Option<&mut super::live::Live> {
        self.get_mut(id).map(|input| &mut input.live)
    }

    pub fn get_mut(&mut self, id: InputId) -> Option<&mut Input> {
        let place = self.place(id)?;
        self.list.get_mut(place)
    }

    /// Takes frames until one completes a message that has a delta; `None` when the round is over.
    fn next_delta(&mut self, round: &mut Round, hearing: &mut Hearing<'_>) -> Option<Arc<Delta>> {
        while let Some(input) = self.list.get_mut(round.input) {
            let is_enough = round.frames >= FRAMES_PER_POLL;
            round.has_more |= is_enough;
            let Some(frame) = (!is_enough).then(|| input.next_frame()).flatten() else {
                *round = Round { input: round.input.saturating_add(1), frames: 0, ..mem::take(round) };
                continue;
            };
            round.frames = round.frames.saturating_add(1);
            self.tap.received_frame(&frame);
            if let Some(delta) = input.take(&Item::Frame(frame), None, hearing) {
                return Some(delta);
            }
        }
        None
    }

    /// Takes the values of a delta that may be sent to the bus.
    pub fn offer(&mut self, delta: &Delta, self_context: &str, now: Instant) {
        let Some(sending) = &mut self.sending else { return };
        let buses = self.list.iter().filter(|input| input.is_n2k()).map(Input::label);
        sending.offer(delta, self_context, buses, now);
    }

    /// Gives the nodes what is due; returns when more will be.
    fn send_due(&mut self, now: Instant) -> Option<Instant> {
        self.sending.as_mut()?.send_due(&mut self.list, now)
    }

    /// Answers a PUT that no plugin handles: a switch of the bus, where its path may be sent.
    ///
    /// `None` when the path is none, or is not opted in.
    pub fn put(&mut self, put: &Put, self_context: &str) -> Option<PutState> {
        self.sending.as_ref()?.put(put, self_context, &mut self.list)
    }

    /// Gives the nodes a message of a client of an output.
    #[cfg(feature = "outputs")]
    pub fn relay(&mut self, message: &n2k::N2kMessage) -> super::relay::Relayed {
        let interfaces = self.list.iter_mut().filter_map(Input::interface_mut);
        let results = interfaces.filter_map(|interface| interface.relay(message));
        let relayed = results.fold(None, |so_far, result| Some(super::relay::better(so_far, result)));
        relayed.unwrap_or(super::relay::Relayed::NoAddress)
    }

    /// Returns the sum of the counters of NMEA 2000.
    pub fn counters(&self) -> n2k::Counters {
        #[cfg(any(test, feature = "server-routes"))]
        let mut total = self.changing.gone;
        #[cfg(not(any(test, feature = "server-routes")))]
        let mut total = n2k::Counters::default();
        self.list.iter().for_each(|input| total.add(&input.counters()));
        total
    }

    /// Returns the sum of the counters of NMEA 0183.
    pub fn sentence_counters(&self) -> nmea0183::Counters {
        #[cfg(any(test, feature = "server-routes"))]
        let mut total = self.changing.gone_sentences;
        #[cfg(not(any(test, feature = "server-routes")))]
        let mut total = nmea0183::Counters::default();
        self.list.iter().for_each(|input| total.add(&input.sentence_counters()));
        total
    }

    /// Returns how much inputs without an interface lost before it came here.
    pub fn lost_records(&self) -> u64 {
        let lost: u64 = self.list.iter().map(Input::lost).sum();
        #[cfg(any(test, feature = "server-routes"))]
        let lost = lost.saturating_add(self.changing.lost_records);
        lost
    }

    /// Returns the kinds of sentences that have no mapping, input by input, and how many came of each.
    pub fn unmapped_sentences(&self) -> impl Iterator<Item = &nmea0183::Unmapped> {
        self.list.iter().flat_map(Input::unmapped_sentences)
    }

    /// Returns the frames that were lost before the interfaces gave them.
    pub fn lost_frames(&self) -> u64 {
        let lost: u64 = self.list.iter().filter_map(Input::interface).map(Interface::lost).sum();
        #[cfg(any(test, feature = "server-routes"))]
        let lost = lost.saturating_add(self.changing.lost_frames);
        lost
    }

    /// The inputs, to be changed.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn iter_mut(&mut self) -> core::slice::IterMut<'_, Input> {
        self.list.iter_mut()
    }

    /// Visits every input.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn iter(&self) -> impl Iterator<Item = &Input> {
        self.list.iter()
    }

    /// Writes the members `inputs`, `can` and, where something may be sent, `sending`.
    pub fn status(&self, out: &mut Object<'_>) {
        out.list("inputs", |out| {
            for input in &self.list {
                out.object(|out| input.status(out));
            }
        });
        out.list("can", |out| {
            for input in self.list.iter().filter(|input| input.interface().is_some()) {
                out.object(|out| input.interface_status(out));
            }
        });
        if let Some(sending) = &self.sending {
            out.object("sending", |out| sending.status(out));
        }
    }
}

#[cfg(any(test, feature = "server-routes"))]
impl Inputs {
    /// Takes note whether the command line asks for a node.
    pub fn named_node(&mut self, is_named: bool) {
        self.changing.names_node = is_named;
    }

    /// Tells whether the command line asks for a node.
    pub fn names_node(&self) -> bool {
        self.changing.names_node
    }

    /// Tells whether the gateway is another device of the bus, or sends where it did not, than this says: a device says what
    /// it sends when it comes, so that this waits for the next start.
    pub fn waits_for(&self, config: &N2kConfig) -> bool {
        let now = &self.changing.config;
        now.node != config.node || (now.send.is_empty() && !config.send.is_empty())
    }

    /// Takes up at once what can be: which paths of those that are sent, and what clients of outputs may send.
    pub fn allow(&mut self, config: &N2kConfig) {
        #[cfg(feature = "outputs")]
        {
            self.relaying.allowed = config.relay.clone();
        }
        if let Some(sending) = &mut self.sending {
            sending.choose(&config.send);
        }
    }
}

impl Gateway {
    /// Takes part in the bus on every CAN interface as `config` says; without a node in it the gateway only listens.
    pub fn take_part(&mut self, config: &N2kConfig) {
        #[cfg(any(test, feature = "server-routes"))]
        {
            self.inputs.changing.config = config.clone();
        }
        self.inputs.uses_name = config.use_can_name;
        self.inputs.list.iter_mut().for_each(|input| input.use_name(config.use_can_name));
        #[cfg(feature = "outputs")]
        {
            self.inputs.relaying.allowed = config.relay.clone();
        }
        let Some(node) = &config.node else { return };
        let sends = !config.send.is_empty();
        self.inputs.sending = sends.then(|| Box::new(Sending::new(&config.send)));
        let how =
            Participation { node, sends, software_version: self.setup.version, board: self.setup.limits.board.name() };
        for input in &mut self.inputs.list {
            input.take_part(&how, &mut *self.hal.storage, &mut *self.hal.rng);
        }
    }

    /// Adds a CAN interface; the gateway takes the part in its bus that it takes in the others.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn interface(&mut self, port: CanPort) -> InputId {
        let id = self.inputs.add(&port.label, Some(Interface::new(port.can)));
        let config = self.inputs.changing.config.clone();
        if let (Some(node), Some(input)) = (&config.node, self.inputs.list.last_mut()) {
            let sends = !config.send.is_empty();
            let how = Participation {
                node,
                sends,
                software_version: self.setup.version,
                board: self.setup.limits.board.name(),
            };
            input.take_part(&how, &mut *self.hal.storage, &mut *self.hal.rng);
        }
        id
    }

    /// Takes an input out. What it counted stays in the totals, and what it told in the model; what still comes of it is
    /// passed over.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn remove_input(&mut self, input: InputId) {
        self.inputs.remove(input);
    }

    /// Forgets what the inputs of a label told, of every device behind them.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn forget_label(&mut self, label: &str) {
        let is_its =
            |source: &str| source.strip_prefix(label).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.model.forget_sources(is_its);
    }

    /// Returns the state of an input, and what the status tells of it as JSON.
    #[cfg(any(test, feature = "server-routes"))]
    #[must_use]
    pub fn input_status(&self, input: InputId) -> Option<(super::InputState, String)> {
        let input = self.inputs.get(input)?;
        Some((input.state().clone(), crate::json::object(|out| input.status(out))))
    }

    /// Notes for the status that no interface can be more than a listener.
    pub(super) fn only_listen(&mut self) {
        self.inputs.list.iter_mut().filter_map(Input::interface_mut).for_each(Interface::only_listen);
    }

    /// Returns the kinds of NMEA 0183 sentences that have no mapping, input by input, and how many came of each.
    pub fn unmapped_sentences(&self) -> impl Iterator<Item = &nmea0183::Unmapped> {
        self.inputs.unmapped_sentences()
    }

    /// Adds an input; `label` becomes the source label of its deltas.
    pub fn input(&mut self, label: &str) -> InputId {
        self.inputs.add(label, None)
    }

    /// Takes and sends frames on every interface; tells whether there is more to take, and when to look again.
    pub(super) fn drive_inputs(&mut self) -> super::Wake {
        let sending = self.inputs.send_due(self.hal.clock.now());
        let mut round = Round::default();
        while let Some(delta) = self.next_delta(&mut round) {
            self.take_in(delta, 0);
        }
        let now = self.hal.clock.now();
        #[cfg(any(test, feature = "remote"))]
        self.inputs.list.iter_mut().for_each(|input| input.measure(now));
        let storage = &mut *self.hal.storage;
        let tap = &mut self.inputs.tap;
        let due = self.inputs.list.iter_mut().filter_map(|input| input.drive(storage, tap, now)).min();
        super::Wake { busy: round.has_more, at: [sending, due].into_iter().flatten().min() }
    }

    fn next_delta(&mut self, round: &mut Round) -> Option<Arc<Delta>> {
        let (inputs, mut hearing) = self.hearing();
        inputs.next_delta(round, &mut hearing)
    }

    /// Parts the inputs from what they are lent.
    pub(super) fn hearing(&mut self) -> (&mut Inputs, Hearing<'_>) {
        let form = DeltaForm::Stamped { self_context: &self.setup.self_context };
        (
            &mut self.inputs,
            Hearing { board: &mut self.board, clock: &mut *self.hal.clock, model: &mut self.model, form },
        )
    }
}
