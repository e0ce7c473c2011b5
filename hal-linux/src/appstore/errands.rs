//! The errands of a gateway, on two threads that live while there is something to do: one answers what pages ask, the other
//! loads, keeps and saves, so that no page waits for a download.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use skiff_runtime::hal::{ERRANDS_WAITING_MAX, Errand, ErrandDone, ErrandFailed, Errands, ErrandsBusy, KeptApp};
use skiff_runtime::package::apps as records;

use super::registry::{Registry, RegistryError};
use super::release::Wanted;
use super::search::Offer;
use super::{check_pin, listing, pin};
use crate::backup::{self, BackupError};
use crate::hal::Folder;
use crate::packages::apps::{self, KeepError};
use crate::wake::Waker;

/// How long the answer of a search is good for; as with Signal K Server.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Bytes of a backup that is kept in memory until it is sent; a larger one is made with `skiff backup`.
const BACKUP_BYTES_MAX: u64 = 32 * 1024 * 1024;

type Done = Result<ErrandDone, ErrandFailed>;

#[derive(Default)]
struct Lane {
    waiting: VecDeque<(u64, Errand)>,
    is_at_work: bool,
}

#[derive(Default)]
struct State {
    /// What pages ask, and everything else.
    lanes: [Lane; 2],
    done: VecDeque<(u64, Done)>,
    /// The offers of the registry, and when it told them.
    offers: Option<(Instant, BTreeMap<String, Offer>)>,
}

/// Runs the errands of the gateway on a configuration folder.
pub struct ErrandThreads {
    config: PathBuf,
    state: Arc<Mutex<State>>,
    waker: Waker,
}

impl ErrandThreads {
    /// Makes a runner that wakes the gateway's thread when something is done.
    #[must_use]
    pub fn new(config: PathBuf, waker: Waker) -> Self {
        Self { config, state: Arc::default(), waker }
    }
}

impl Errands for ErrandThreads {
    fn ask(&mut self, ticket: u64, errand: Errand) -> Result<(), ErrandsBusy> {
        let index = usize::from(!matches!(errand, Errand::Offers { .. } | Errand::Detail { .. }));
        let mut state = lock(&self.state);
        let Some(lane) = state.lanes.get_mut(index) else { return Err(ErrandsBusy) };
        if lane.waiting.len() >= ERRANDS_WAITING_MAX {
            return Err(ErrandsBusy);
        }
        lane.waiting.push_back((ticket, errand));
        if lane.is_at_work {
            return Ok(());
        }
        let worker = Worker { config: self.config.clone(), state: Arc::clone(&self.state), waker: self.waker.clone() };
        match std::thread::Builder::new().name("errands".into()).spawn(move || worker.work(index)) {
            Ok(_) => {
                lane.is_at_work = true;
                Ok(())
            }
            Err(error) => {
                log::warn!("no thread for the app store and backups: {error}");
                lane.waiting.pop_back();
                Err(ErrandsBusy)
            }
        }
    }

    fn next(&mut self) -> Option<(u64, Done)> {
        lock(&self.state).done.pop_front()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // What a panic left behind is whole: each change is one push or pop.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Worker {
    config: PathBuf,
    state: Arc<Mutex<State>>,
    waker: Waker,
}

impl Worker {
    /// Works until nothing waits in a lane.
    fn work(&self, index: usize) {
        loop {
            let next = lock(&self.state).lanes.get_mut(index).and_then(|lane| {
                let next = lane.waiting.pop_front();
                lane.is_at_work = next.is_some();
                next
            });
            let Some((ticket, errand)) = next else { return };
            let done = self.run(errand);
            lock(&self.state).done.push_back((ticket, done));
            self.waker.wake();
        }
    }

    fn run(&self, errand: Errand) -> Done {
        let mut config = Folder::new(&self.config);
        match errand {
            Errand::Offers { installed, jobs, fresh } => {
                let found = self.offers(fresh);
                if let Err(error) = &found {
                    log::warn!("the app store: {error}");
                }
                Ok(ErrandDone::Json(listing::offers(found.ok().as_ref(), &installed, &jobs)))
            }
            Errand::Detail { name } => match self.offers(false) {
                Ok(found) => found
                    .get(&name)
                    .map(|offer| ErrandDone::Json(listing::detail(offer)))
                    .ok_or_else(|| failed(404, &"the registry has no such package for Signal K")),
                Err(error) => Err(failed(503, &error)),
            },
            Errand::Load { name, version } => load(&mut config, name, version).map_err(|error| failed(502, &error)),
            Errand::Keep { archive } => {
                apps::keep(&mut config, &archive).map_err(|error| not_kept(&error)).map(|kept| {
                    ErrandDone::Kept(KeptApp {
                        name: kept.app.name,
                        version: kept.app.version,
                        has_node_plugin: kept.has_node_plugin,
                        is_granted: kept.asks.is_empty(),
                    })
                })
            }
            Errand::Drop { id } => {
                let Some(app) = records::find(&mut config, &id) else { return Err(failed(404, &"it is gone already")) };
                match apps::drop_files(&mut config, &app) {
                    Ok(()) => Ok(ErrandDone::Done("removed".into())),
                    Err(error) => Err(failed(500, &error)),
                }
            }
            Errand::Backup { packages } => {
                let mut archive = Vec::new();
                let made = backup::write(&self.config, packages, BACKUP_BYTES_MAX, &mut archive);
                made.map(|_| ErrandDone::Bytes(archive)).map_err(|error| not_backed_up(&error))
            }
            Errand::Examine { archive } => {
                let examined = backup::unpack_slice(&mut config, &archive);
                examined.map(|found| ErrandDone::Names(found.names)).map_err(|error| not_backed_up(&error))
            }
            Errand::Restore { names } => {
                let kept = backup::commit(&mut config, &names);
                let done = "restart the gateway: it begins with what was restored".to_owned();
                kept.map(|()| ErrandDone::Done(done)).map_err(|error| not_backed_up(&error))
            }
        }
    }

    /// Returns what the registry offers, as it told it within the last minute or tells it now.
    fn offers(&self, fresh: bool) -> Result<BTreeMap<String, Offer>, RegistryError> {
        if let Some((at, found)) = lock(&self.state).offers.as_ref().filter(|_| !fresh)
            && at.elapsed() < REMEMBERED
        {
            return Ok(found.clone());
        }
        let found = Registry::of_user()?.offers("")?;
        lock(&self.state).offers = Some((Instant::now(), found.clone()));
        Ok(found)
    }
}

/// Loads a version, whose hash must be the one it had before.
fn load(config: &mut Folder, name: String, version: String) -> Result<ErrandDone, RegistryError> {
    let registry = Registry::of_user()?;
    let release = registry.find(&Wanted { name, version: Some(version) })?;
    check_pin(config, &release)?;
    if let Some(reason) = &release.deprecated {
        log::warn!("{} {}: its author says it is deprecated: {reason}", release.name, release.version);
    }
    let archive = registry.load(&release, &mut |_, _| {})?;
    let not_kept = |error| RegistryError::Settings(format!("its hash was not kept: {error}"));
    pin(config, &release).map_err(not_kept)?;
    Ok(ErrandDone::Bytes(archive))
}

fn failed(status: u16, clause: &dyn std::fmt::Display) -> ErrandFailed {
    ErrandFailed { status, clause: clause.to_string() }
}

fn not_kept(error: &KeepError) -> ErrandFailed {
    use skiff_runtime::package::apps::AppError;
    let status = match error {
        KeepError::App(AppError::Clash(_)) => 409,
        KeepError::App(AppError::TooMany) | KeepError::Disk(_) => 507,
        KeepError::App(_) => 400,
    };
    failed(status, error)
}

fn not_backed_up(error: &BackupError) -> ErrandFailed {
    let status = match error {
        BackupError::TooLarge { .. } => 413,
        BackupError::Disk(_) => 507,
        BackupError::NothingExamined => 409,
        _ => 400,
    };
    failed(status, error)
}
