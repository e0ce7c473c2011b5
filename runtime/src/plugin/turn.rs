//! One turn of one version: load it, pick its next call, run a slice of the call under way.

use alloc::format;
use core::time::Duration;

use super::context::{Turn, TurnContext, World};
use super::exchange::ExchangeId;
use super::life::{Life, Live, PluginState, Underway};
use super::queues::Queues;
use super::services::SliceServices;
use super::trouble::Losses;
use super::version::Version;
use super::wear;
use crate::host::{Answer, Call, CallKind, Failure, Progress};
use crate::time::Instant;

/// Time between two calls of `poll` (plugin ABI §4.1).
pub const POLL_PERIOD: Duration = Duration::from_secs(1);

/// Calls that may end in one turn, so that many small ones do not starve the bus.
const CALLS_PER_TURN: usize = 16;

/// A turn after which there is more to do.
const BUSY: Turn = Turn { busy: true, wake: None };

/// How far a slice brought the call under way.
enum Sliced {
    /// Not to its end: the turn is over.
    Unfinished(Turn),
    Returned(Underway, Answer),
    Failed(Underway, Failure),
}

impl Version {
    /// Does a bounded amount of work: at most one fuel slice of a long call, or a few short ones. An instance whose memory
    /// is nearly used up is left as it is unless `may_recycle`.
    pub(super) fn turn(&mut self, queues: &mut Queues, may_recycle: bool, cx: &mut TurnContext<'_, '_>) -> Turn {
        queues.tick(cx.world.now);
        if self.trouble.due() <= cx.world.now {
            self.look(queues, cx.world);
        }
        let asked = self.view.run_outside(self.life.stop_wanted(), cx.world);
        let mut turn = self.work(queues, may_recycle, cx);
        if self.life.live().is_none() {
            self.view.release();
        }
        turn.wake = [turn.wake, asked].into_iter().flatten().min();
        turn
    }

    /// Looks for what is wrong although it runs.
    fn look(&mut self, queues: &Queues, world: &World<'_>) {
        let drops = self.view.drops;
        let counted = Losses {
            dropped: drops.emitted.saturating_add(drops.malformed),
            missed: queues.deltas.counters().dropped,
            refused: world.model.held(&self.view.package).refused,
        };
        let is_called = self.life.state() == PluginState::Running && !self.life.is_between_calls();
        let call = if is_called { world.now.since(self.view.call_began) } else { Duration::ZERO };
        self.trouble.look(world.now, counted, call);
    }

    fn work(&mut self, queues: &mut Queues, may_recycle: bool, cx: &mut TurnContext<'_, '_>) -> Turn {
        let emitted_before = emitted(cx.world);
        for _ in 0..CALLS_PER_TURN {
            match &self.life {
                Life::Resting(why) => {
                    // A plugin that is refused or stays disabled answers its configuration exchanges here.
                    if queues.is_anyone_waiting_to_settle() {
                        queues.settle(&why.result(), cx);
                    }
                    return Turn::default();
                }
                Life::Due(at, _) if *at > cx.world.now => return Turn { busy: false, wake: Some(*at) },
                Life::Due(..) => {
                    self.load(queues, cx);
                    return BUSY;
                }
                #[cfg(feature = "engine-chip")]
                Life::Translating(..) => {
                    self.translate(queues, cx);
                    return BUSY;
                }
                Life::Live(live) if live.call().is_some() => match self.slice(queues, cx) {
                    Sliced::Unfinished(turn) => return turn,
                    Sliced::Returned(call, answer) => self.returned(call, answer, queues, cx),
                    Sliced::Failed(call, failure) => self.failed(call, &failure, queues, cx),
                },
                // What was emitted is published before the next call, so that the outbox stays small.
                Life::Live(_) if emitted(cx.world) != emitted_before => return BUSY,
                Life::Live(live) if may_recycle && self.is_worn(live, cx.world.now) => self.recycle(queues),
                Life::Live(_) => match self.next_call(queues, cx.world) {
                    Some((call, exchange)) => {
                        self.view.now = cx.world.now;
                        self.view.begin_call();
                        self.life.begin(call, exchange);
                    }
                    None => return Turn { busy: false, wake: self.life.live().and_then(Live::wake) },
                },
            }
        }
        BUSY
    }

    /// Runs one fuel slice of the call under way.
    fn slice(&mut self, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) -> Sliced {
        let heap_bytes = self.facts.as_ref().map_or(0, |facts| facts.predicted_heap_bytes(&self.limits));
        let Some((live, call)) = self.life.live_mut().and_then(|live| live.call().map(|call| (live, call))) else {
            return Sliced::Unfinished(BUSY);
        };
        live.memory.allow(&mut live.instance, cx.ledger);
        live.rouse_to_stop();
        self.view.fetches.set_patient(call.kind == CallKind::Start);
        let hops = live.hops.saturating_add(1);
        let progress = live.instance.run(&mut SliceServices { world: cx.world, view: &mut self.view, hops });
        let usage = live.instance.usage();
        live.memory.note(&live.instance, heap_bytes);
        match progress {
            Progress::Running => {
                live.waits_for = None;
                return Sliced::Unfinished(BUSY);
            }
            Progress::Waiting => {
                let asleep = live.instance.wake();
                self.wait(queues, cx);
                let wake = [self.view.fetches.wake(), asleep].into_iter().flatten().min();
                return Sliced::Unfinished(Turn { busy: false, wake });
            }
            Progress::Done(_) | Progress::Failed(_) => {}
        }
        self.view.end_of_lines();
        self.fuel_spent = self.fuel_spent.saturating_add(usage.fuel_in_call);
        self.life.pause();
        match progress {
            Progress::Failed(failure) => Sliced::Failed(call, failure),
            Progress::Done(answer) => Sliced::Returned(call, answer),
            Progress::Running | Progress::Waiting => Sliced::Unfinished(BUSY),
        }
    }

    /// Notes what the guest waits for, so that its owner can see it.
    fn wait(&mut self, queues: &mut Queues, cx: &mut TurnContext<'_, '_>) {
        let Some((what, offline)) = self.view.fetches.waits_for() else { return };
        let Some(live) = self.life.live_mut().filter(|live| live.waits_for.as_ref() != Some(&what)) else { return };
        live.waits_for = Some(what.clone());
        if offline {
            self.view.log(log::Level::Info, &what);
            // How long is unknown: the client that changed the configuration gets its answer now.
            queues.settle(&Err(what), cx);
        }
    }

    /// Picks what an idle instance does next: stop, answer a request, poll, take values, take a delta.
    fn next_call(&mut self, queues: &mut Queues, world: &World<'_>) -> Option<(Call, Option<ExchangeId>)> {
        let now = world.now;
        let live = self.life.live_mut()?;
        live.hops = 0;
        if live.stop_wanted() {
            return Some((Call::Stop, None));
        }
        if let Some((fetched, callback)) = self.view.fetches.next_answer() {
            return Some((Call::Fetched { fetched, callback }, None));
        }
        if let Some(waiting) = queues.requests.pop_front() {
            return Some((waiting.call, Some(waiting.exchange)));
        }
        if let Some(due) = live.next_poll.filter(|&due| due <= now) {
            // Polls that were missed are not made up for.
            let next = due + POLL_PERIOD;
            live.next_poll = Some(if next <= now { now + POLL_PERIOD } else { next });
            return Some((Call::Poll, None));
        }
        let is_idle = queues.deltas.is_empty() && live.instance.values().is_none_or(|values| !values.is_due());
        if live.instance.wants_collection(is_idle) {
            return Some((Call::Collect, None));
        }
        if self.takes_update(queues, world) {
            return Some((Call::Update, None));
        }
        let live = self.life.live_mut()?;
        let incoming = queues.deltas.pop()?;
        if !live.instance.takes_text() {
            queues.deltas.clear();
            return None;
        }
        live.hops = incoming.hops;
        Some((Call::Delta(incoming.delta), None))
    }

    /// Tells whether its memory is nearly used up, whether or not it has lived long enough to be replaced.
    pub(super) fn is_worn_out(&self) -> bool {
        let taken = self.life.live().map(|live| wear::taken(&live.instance));
        taken.is_some_and(|taken| self.wear.is_worn(taken, self.ceiling()))
    }

    fn is_worn(&self, live: &Live, now: Instant) -> bool {
        let undisturbed = !live.stop_wanted() && !self.is_leaving;
        undisturbed && self.wear.is_due(now, wear::taken(&live.instance), self.ceiling())
    }

    /// Plans to stop this instance and to start a fresh one.
    fn recycle(&mut self, queues: &mut Queues) {
        let Some(taken) = self.life.live().map(|live| wear::taken(&live.instance)) else { return };
        queues.hold_for_recycling();
        self.life.end();
        let (ceiling, count) = (self.ceiling(), self.wear.recycle());
        let text = format!("its memory is at {taken} of {ceiling} bytes: started afresh (recycling {count})");
        self.view.log(log::Level::Info, &text);
    }
}

/// Counts what waits to be published.
fn emitted(world: &World<'_>) -> (usize, usize) {
    (world.outbox.len(), world.frames.len())
}
