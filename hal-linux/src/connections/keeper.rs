//! The connections of a gateway that runs: opened, ended and opened again as their owner wishes, without a restart.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use skiff_runtime::gateway::{Gateway, InputId, Wake};
use skiff_runtime::hal::{CanPort, Clock};
use skiff_runtime::plugin::ExchangeId;
use skiff_runtime::server::Response;
use skiff_runtime::time::Instant;

use super::connection::{Connection, Direction, Opened, Origin, Way};
use super::look::{self, Ears, Found};
use super::waiters::Waiters;
use super::wishes::Refused;
use super::{LISTED_MAX, OpenError};
use crate::hal::SystemClock;
use crate::input::Input;
use crate::output::{Output, OutputId, Outputs};
use crate::run::feed::{Feeds, Playing};
use crate::wake::Waker;

/// Time after which a connection of the settings that could not be opened is opened again: its port may be free then, its
/// file may be there.
const RETRY_EVERY: Duration = Duration::from_secs(10);

/// Addresses that are tried, servers that are asked, looks around, at a time.
const TASKS_MAX: usize = 4;

/// What runs of a connection.
pub(super) enum Run {
    /// Nothing: it is not wanted, or cannot be.
    Off,
    /// It could not be opened, and will be tried again.
    Failed(String),
    /// A thread brings its data.
    Fed(InputId, Playing),
    /// The gateway's thread reads its interface.
    Can(InputId),
    /// An output.
    Out(OutputId),
}

/// A connection, and what runs of it.
pub(super) struct Row {
    pub connection: Connection,
    pub run: Run,
}

/// What the command line and the settings name together.
pub struct Plan {
    connections: Vec<(Connection, Option<Opened>)>,
}

impl Plan {
    /// Joins them; a CAN interface is read once, whoever names it.
    #[must_use]
    pub fn new(flags: Vec<Connection>, settings: Vec<Connection>) -> Self {
        let mut connections: Vec<(Connection, Option<Opened>)> = Vec::new();
        for mut one in flags.into_iter().chain(settings) {
            let others = || connections.iter().map(|(other, _)| other);
            let is_read = |other: &Connection| {
                other.is_enabled
                    && !other.is_hidden
                    && one.interface().is_some()
                    && other.interface() == one.interface()
            };
            if one.is_enabled
                && let Some(other) = others().find(|other| is_read(other))
            {
                log::info!("{}: is read already", one.address());
                if one.origin == Origin::Flag {
                    continue;
                }
                one.way = Err(format!("its interface is read already, by {:?}", other.key));
            }
            // Two flags can have one label.
            let label = one.key.clone();
            let mut number = 2;
            while others().any(|other| !other.is_hidden && other.id() == one.id()) && !one.is_hidden {
                one.key = format!("{label}-{number}");
                number += 1;
            }
            connections.push((one, None));
        }
        Self { connections }
    }

    /// Tells whether a CAN interface is among them.
    #[must_use]
    pub fn has_interface(&self) -> bool {
        let wanted = self.connections.iter().filter(|(one, _)| one.is_enabled && !one.is_hidden);
        wanted.into_iter().any(|(one, _)| one.interface().is_some())
    }

    /// Opens those of the command line, before anything is written.
    ///
    /// # Errors
    /// The first that cannot be.
    pub fn open_flags(&mut self, clock: SystemClock) -> Result<(), OpenError> {
        for (one, opened) in self.connections.iter_mut().filter(|(one, _)| one.origin == Origin::Flag) {
            *opened = Some(one.open(clock)?);
        }
        Ok(())
    }
}

/// Keeps the connections.
pub struct Keeper {
    pub(super) rows: Vec<Row>,
    pub(super) folder: Option<PathBuf>,
    pub(super) tasks: Tasks,
    clock: SystemClock,
    feeds: Feeds,
    waker: Waker,
    waiters: Waiters,
    /// The outputs, which the gateway's thread drives.
    outputs: Outputs,
    retry_at: Option<Instant>,
    /// What was found on the network last.
    pub(super) found: Vec<Found>,
    /// Where it is being listened.
    pub(super) ears: Option<Ears>,
}

/// What threads of wishes bring back.
pub(super) struct Tasks {
    done: Arc<Mutex<Vec<Done>>>,
    waker: Waker,
    /// Threads that are at work.
    count: usize,
}

impl Tasks {
    /// Takes what came of one.
    fn next(&mut self) -> Option<Done> {
        // No lock is taken where nothing was begun.
        let done = if self.count > 0 { self.done.lock().unwrap_or_else(PoisonError::into_inner).pop() } else { None };
        self.count = self.count.saturating_sub(usize::from(done.is_some()));
        done
    }

    /// Does something on a thread of its own.
    pub fn start(&mut self, work: impl FnOnce() -> Done + Send + 'static) -> Result<(), Refused> {
        if self.count >= TASKS_MAX {
            return Err(Refused(429, "others are being tried, try again later".into()));
        }
        let (all, waker) = (Arc::clone(&self.done), self.waker.clone());
        let run = move || {
            let done = work();
            all.lock().unwrap_or_else(PoisonError::into_inner).push(done);
            waker.wake();
        };
        let started = thread::Builder::new().name("connections".into()).spawn(run);
        started.map_err(|error| Refused(503, error.to_string()))?;
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}

/// What came of a wish.
pub(super) enum Done {
    /// Its answer.
    Answer(ExchangeId, Response),
    /// Connections that could be made, a JSON list.
    Found(Vec<Found>),
}

impl Keeper {
    /// Starts what is planned; a connection of the settings that cannot be opened is tried again later. `folder` is where
    /// changes are kept.
    pub fn start(
        plan: Plan,
        gateway: &mut Gateway,
        feeds: Feeds,
        waiters: Waiters,
        waker: &Waker,
        clock: SystemClock,
        folder: Option<PathBuf>,
    ) -> std::io::Result<Self> {
        let tasks = Tasks { done: Arc::default(), waker: waker.clone(), count: 0 };
        let (waker, outputs) =
            (waker.clone(), Outputs::new(folder.as_ref().map(|folder| folder.join("skiff/outputs"))));
        let (rows, found, retry_at, ears) = (Vec::new(), Vec::new(), None, None);
        let mut keeper = Self { rows, folder, tasks, clock, feeds, waker, waiters, outputs, retry_at, found, ears };
        for (connection, opened) in plan.connections {
            keeper.rows.push(Row { connection, run: Run::Off });
            let place = keeper.rows.len().saturating_sub(1);
            match opened {
                Some(opened) => keeper.begin(place, opened, gateway)?,
                None => keeper.run(place, gateway),
            }
        }
        Ok(keeper)
    }

    /// Returns what to wait for besides.
    #[must_use]
    pub fn waiters(&self) -> &[std::os::fd::OwnedFd] {
        self.waiters.list()
    }

    /// Does what is wished and due, and drives the outputs; returns when to call it again although nothing new came.
    pub fn drive(&mut self, gateway: &mut Gateway, now: Instant) -> Wake {
        while let Some((exchange, wish)) = gateway.next_wish() {
            if let Some(response) = self.obey(wish, exchange, gateway) {
                gateway.answer_wish(exchange, response);
            }
        }
        while let Some(done) = self.tasks.next() {
            match done {
                Done::Answer(exchange, response) => gateway.answer_wish(exchange, response),
                Done::Found(found) => {
                    (self.found, self.ears) = (found, None);
                    self.tell_found(gateway);
                }
            }
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            let failed = |row: &Row| matches!(row.run, Run::Failed(_));
            let places: Vec<usize> =
                self.rows.iter().enumerate().filter(|(_, row)| failed(row)).map(|(place, _)| place).collect();
            places.into_iter().for_each(|place| self.run(place, gateway));
        }
        let mut wake = self.outputs.drive(gateway, now);
        wake.at = [wake.at, self.retry_at].into_iter().flatten().min();
        wake
    }

    /// Tells admins what was found and is no connection yet.
    pub(super) fn tell_found(&self, gateway: &mut Gateway) {
        let known: Vec<String> = self.rows.iter().map(|row| row.connection.address()).collect();
        gateway.tell_found(&look::list(&self.found, &known));
    }

    /// Opens and starts a connection that is wanted; one that cannot be opened is tried again.
    pub(super) fn run(&mut self, place: usize, gateway: &mut Gateway) {
        let Some(row) = self.rows.get_mut(place) else { return };
        let one = &row.connection;
        if !one.is_enabled || one.is_hidden || one.way.is_err() {
            return;
        }
        let was_told = matches!(&row.run, Run::Failed(_));
        let failed = match one.open(self.clock) {
            Ok(opened) => match self.begin(place, opened, gateway) {
                Ok(()) => return,
                Err(error) => error.to_string(),
            },
            Err(OpenError { clause, .. }) => clause,
        };
        if !was_told {
            log::warn!("{failed}; it is tried again every {} s", RETRY_EVERY.as_secs());
        }
        if let Some(row) = self.rows.get_mut(place) {
            row.run = Run::Failed(failed);
        }
        self.retry_at = Some(self.clock.now() + RETRY_EVERY);
    }

    /// Starts what was opened.
    pub(super) fn begin(&mut self, place: usize, opened: Opened, gateway: &mut Gateway) -> std::io::Result<()> {
        let Some(row) = self.rows.get_mut(place) else { return Ok(()) };
        let (label, address) = (row.connection.label(), row.connection.address());
        row.run = match opened {
            Opened::Can(can) => {
                let waiter = can.waiter()?;
                let input = gateway.interface(CanPort { label, can: Box::new(can) });
                gateway.describe_input(input, &address);
                self.waiters.add(Some(input), waiter);
                Run::Can(input)
            }
            Opened::Track(track) => {
                let input = gateway.input(&label);
                gateway.describe_input(input, &address);
                if matches!(&row.connection.way, Ok(Way::Input(input)) if input.is_apart()) {
                    gateway.keep_vessel_apart(input);
                }
                match self.feeds.play(input, track) {
                    Ok(playing) => Run::Fed(input, playing),
                    Err(error) => {
                        gateway.remove_input(input);
                        return Err(error);
                    }
                }
            }
            Opened::Output(opened) => Run::Out(self.outputs.add(opened, gateway, &self.waker)?),
        };
        Ok(())
    }

    /// Ends what runs of a connection.
    pub(super) fn end(&mut self, place: usize, gateway: &mut Gateway) {
        let Some(row) = self.rows.get_mut(place) else { return };
        match std::mem::replace(&mut row.run, Run::Off) {
            Run::Off | Run::Failed(_) => {}
            Run::Fed(input, playing) => {
                playing.end();
                gateway.remove_input(input);
            }
            Run::Can(input) => {
                self.waiters.remove(input);
                gateway.remove_input(input);
            }
            Run::Out(output) => self.outputs.remove(output, gateway),
        }
    }

    /// Opens a connection as it would run.
    pub(super) fn open(&self, connection: &Connection) -> Result<Opened, String> {
        // Its port can be one of those.
        self.ears.iter().for_each(Ears::close);
        connection.open(self.clock).map_err(|error| error.clause)
    }

    /// Returns the outputs.
    pub(super) fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// Tells whether there is room for one more of a direction.
    pub(super) fn has_room(&self, direction: Direction) -> bool {
        let same = |row: &&Row| row.connection.direction == direction && row.connection.origin != Origin::Flag;
        self.rows.iter().filter(same).count() < LISTED_MAX
    }
}

/// Returns what the flags name.
#[must_use]
pub fn of_flags(can: &[String], inputs: &[Input], outputs: &[Output], sample: Option<&str>) -> Vec<Connection> {
    let sample = sample.map(|label| Connection::of_way(Direction::Input, label.to_owned(), Way::Sample));
    let inputs = can.iter().map(|name| Input::of_can(name)).chain(inputs.iter().cloned()).map(Connection::of_flag);
    let outputs = outputs.iter().cloned().map(Connection::of_output_flag);
    sample.into_iter().chain(inputs).chain(outputs).collect()
}
