//! What the gateway has others do for it: packages that come from a registry and go, one after the other, and backups.
//!
//! An admin's wish is queued and answered at once; how far it is, is told to the admin's streams
//! (`APP_STORE_CHANGED`, as Signal K's server does). A package from the registry is installed by the same steps as one that
//! is sent: what asks for rights stays disabled.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Gateway;
use crate::hal::{
    Errand, ErrandDone, ErrandFailed, Errands, ErrandsBusy, InstalledPackage, KeptApp, StoreJob, StoreJobState,
};
use crate::http::{Method, Request};
use crate::json;
use crate::package::{Asks, IncomingError, PackageError, apps, asks, plugin_id, store};
use crate::plugin::ExchangeId;
use crate::server::Response;
use crate::sorted::SortedMap;

/// Packages that may wait to come or go.
const JOBS_MAX: usize = 32;
/// Packages that came or went of which is still told.
const ENDED_MAX: usize = 64;

/// A package that comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub name: String,
    /// `None` where it goes.
    pub version: Option<String>,
    /// Its configuration goes with it.
    pub with_data: bool,
}

/// How one ended.
pub(super) struct Ended {
    pub job: Job,
    pub failed: bool,
    pub log: String,
}

/// The package that comes or goes now.
struct AtWork {
    job: Job,
    /// Loaded, and waiting for another package to be in.
    archive: Option<Vec<u8>>,
    /// What the answer to this exchange is, becomes of the job.
    exchange: Option<ExchangeId>,
}

/// Who waits for an errand.
enum Waiting {
    /// This client, for JSON.
    Json(ExchangeId),
    /// The streams of admins.
    Event,
    /// The job that is at work.
    Job,
    /// Who has sent a web app, and what is granted to it.
    App { exchange: ExchangeId, grant: Asks },
    /// Who removes one, or whoever wants a clause.
    Clause { exchange: ExchangeId, app: Option<String> },
    /// Who wants a backup.
    Backup(ExchangeId),
    /// Who has sent one.
    Examined(ExchangeId),
    /// Who has it restored.
    Restored(ExchangeId),
}

/// All that is under way beside the gateway.
#[derive(Default)]
pub(super) struct Store {
    next_ticket: u64,
    waiting: SortedMap<u64, Waiting>,
    queue: VecDeque<Job>,
    at_work: Option<AtWork>,
    ended: VecDeque<Ended>,
    /// The admins' streams are to be told.
    changed: bool,
    /// The registry is to be asked anew.
    pub fresh: bool,
}

impl Store {
    /// Returns how the last job of a package ended.
    pub fn ended(&self, name: &str) -> Option<&Ended> {
        self.ended.iter().rev().find(|ended| ended.job.name == name)
    }

    fn jobs(&self) -> Vec<StoreJob> {
        let told = |job: &Job, state| StoreJob { name: job.name.clone(), version: job.version.clone(), state };
        let ended = self
            .ended
            .iter()
            .map(|ended| told(&ended.job, if ended.failed { StoreJobState::Failed } else { StoreJobState::Done }));
        let at_work = self.at_work.iter().map(|work| told(&work.job, StoreJobState::AtWork));
        let queue = self.queue.iter().map(|job| told(job, StoreJobState::Waiting));
        ended.chain(at_work).chain(queue).collect()
    }

    fn end(&mut self, failed: bool, log: String) {
        let Some(AtWork { job, .. }) = self.at_work.take() else { return };
        log::info!("{}: {log}", job.name);
        self.ended.retain(|ended| ended.job.name != job.name);
        if self.ended.len() >= ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(Ended { job, failed, log });
        self.changed = true;
    }
}

impl Gateway {
    /// Hands an errand to who runs them.
    fn send_on(&mut self, errand: Errand, waiting: Waiting) -> Result<(), Response> {
        let none = || Response::error(501, "this gateway has no configuration folder to keep packages or backups of");
        let errands: &mut Box<dyn Errands> = self.board.parts.errands.as_mut().ok_or_else(none)?;
        let store = &mut self.store;
        let ticket = store.next_ticket;
        errands.ask(ticket, errand).map_err(|busy: ErrandsBusy| Response::error(429, &busy.to_string()))?;
        store.next_ticket = ticket.wrapping_add(1);
        store.waiting.insert(ticket, waiting);
        Ok(())
    }

    /// Queues a package that is to come or go.
    pub(super) fn queue_job(&mut self, job: Job) -> Result<(), Response> {
        if self.board.parts.errands.is_none() {
            return Err(Response::error(501, "this gateway has no configuration folder to keep packages in"));
        }
        if self.store.queue.len() >= JOBS_MAX {
            return Err(Response::error(429, "too many packages wait to be installed, try again later"));
        }
        self.store.queue.push_back(job);
        self.store.changed = true;
        Ok(())
    }

    /// Asks for the offers of the registry, for a client.
    pub(super) fn offers(&mut self, exchange: ExchangeId) -> Result<(), Response> {
        let errand = self.offers_errand();
        self.send_on(errand, Waiting::Json(exchange))
    }

    fn offers_errand(&mut self) -> Errand {
        let plugins = self.plugins.registry.plugins().map(|plugin| InstalledPackage {
            name: plugin.package_name().to_string(),
            version: plugin.package().version.clone(),
            plugin: Some(plugin.id().to_string()),
            asks: plugin.missing().to_string(),
        });
        let mut installed: Vec<InstalledPackage> = plugins.collect();
        let storage = &mut *self.hal.storage;
        installed.extend(apps::list(storage).into_iter().map(|app| {
            let missing = if apps::is_granted(storage, &app.name) { Asks::NONE } else { Asks::WEB_APP };
            InstalledPackage { name: app.name, version: app.version, plugin: None, asks: missing.to_string() }
        }));
        let fresh = core::mem::take(&mut self.store.fresh);
        Errand::Offers { installed, jobs: self.store.jobs(), fresh }
    }

    /// Asks for more about one package.
    pub(super) fn detail(&mut self, name: &str, exchange: ExchangeId) -> Result<(), Response> {
        self.send_on(Errand::Detail { name: name.to_string() }, Waiting::Json(exchange))
    }

    /// Asks for a backup.
    pub(super) fn backup(&mut self, packages: bool, exchange: ExchangeId) -> Result<(), Response> {
        self.send_on(Errand::Backup { packages }, Waiting::Backup(exchange))
    }

    /// Has a backup unpacked and looked at.
    pub(super) fn examine(&mut self, archive: Vec<u8>, exchange: ExchangeId) -> Result<(), Response> {
        self.send_on(Errand::Examine { archive }, Waiting::Examined(exchange))
    }

    /// Has parts of the backup that was examined put in place at the next start.
    pub(super) fn restore(&mut self, names: Vec<String>, exchange: ExchangeId) -> Result<(), Response> {
        self.send_on(Errand::Restore { names }, Waiting::Restored(exchange))
    }

    /// Takes what is no plugin as a web app, if it can be one; gives the error back where it cannot.
    pub(super) fn keep_app(
        &mut self,
        archive: &[u8],
        error: IncomingError,
        grant: Asks,
        exchange: ExchangeId,
    ) -> Result<Result<(), Response>, IncomingError> {
        // A web app may be larger than a plugin.
        let may_be_one = matches!(
            error,
            IncomingError::TooLong { .. }
                | IncomingError::Package(PackageError::NotAPlugin | PackageError::TooLarge { .. })
        );
        if !may_be_one || self.board.parts.errands.is_none() {
            return Err(error);
        }
        Ok(self.send_on(Errand::Keep { archive: archive.to_vec() }, Waiting::App { exchange, grant }))
    }

    /// Tells whether an id is that of a web app, and of no plugin.
    pub(super) fn is_app(&mut self, id: &str) -> bool {
        self.plugins.registry.find(id).is_none() && apps::find(&mut *self.hal.storage, id).is_some()
    }

    /// Removes a web app; `None` where there is none with this id.
    pub(super) fn remove_app(&mut self, id: &str, exchange: ExchangeId) -> Option<Result<(), Response>> {
        let app = apps::find(&mut *self.hal.storage, id)?;
        Some(self.send_on(Errand::Drop { id: id.to_string() }, Waiting::Clause { exchange, app: Some(app.name) }))
    }

    /// Does what is due: takes what came of errands, begins the next job, tells admins what changed.
    pub(super) fn drive_store(&mut self) {
        while let Some((ticket, done)) = self.board.parts.errands.as_mut().and_then(|errands| errands.next()) {
            match self.store.waiting.remove(&ticket) {
                Some(waiting) => self.errand_done(waiting, done),
                None => log::debug!("an errand that nobody waits for"),
            }
        }
        self.go_on_with_job();
        if self.store.changed && self.clients.admins_listen() {
            // What is asked already may be older than the change: it is asked again after that.
            let is_asked = self.store.waiting.values().any(|waiting| matches!(waiting, Waiting::Event));
            if !is_asked {
                let errand = self.offers_errand();
                self.store.changed = self.send_on(errand, Waiting::Event).is_err();
            }
        }
    }

    /// Tells whether there is more to do at once.
    pub(super) fn store_is_ready(&self) -> bool {
        let is_free = self.store.at_work.is_none() && !self.store.queue.is_empty();
        is_free || self.clients.exchanges.has_own_answer()
    }

    fn errand_done(&mut self, waiting: Waiting, done: Result<ErrandDone, ErrandFailed>) {
        let refused = |failed: &ErrandFailed| Response::error(failed.status, &failed.clause);
        let (exchange, response) = match (waiting, done) {
            (Waiting::Job, done) => return self.job_errand_done(done),
            (Waiting::Event, Ok(ErrandDone::Json(text))) => {
                return self.clients.tell_admins("APP_STORE_CHANGED", &text);
            }
            (Waiting::Event, _) => return,
            (Waiting::App { exchange, grant }, Ok(ErrandDone::Kept(kept))) => (exchange, self.app_kept(&kept, grant)),
            (Waiting::Clause { exchange, app }, Ok(_)) => {
                if let Some(name) = app
                    && let Err(error) = asks::grant(&mut *self.hal.storage, &name, Asks::NONE)
                {
                    log::warn!("{error}: what was granted to {name} stays granted");
                }
                (exchange, Response::json(200, json::object(|out| _ = out.boolean("removed", true))))
            }
            (Waiting::Json(exchange), Ok(ErrandDone::Json(text))) => (exchange, Response::json(200, text)),
            (Waiting::Backup(exchange), Ok(ErrandDone::Bytes(bytes))) => (exchange, self.backup_made(bytes)),
            (Waiting::Examined(exchange), Ok(ErrandDone::Names(names))) => {
                let list = json::list(|list| names.iter().for_each(|name| _ = list.text(name)));
                (exchange, Response::json(200, list))
            }
            (Waiting::Restored(exchange), done) => {
                let (state, message, response) = match &done {
                    Ok(ErrandDone::Done(clause)) => ("Complete", &**clause, Response::empty(202)),
                    Err(failed) => ("error", &*failed.clause, refused(failed)),
                    Ok(_) => return,
                };
                let status = json::object(|out| {
                    out.text("state", state).text("message", message).number("percentComplete", 100_u8);
                });
                self.clients.tell_admins("RESTORESTATUS", &status);
                (exchange, response)
            }
            (
                Waiting::Json(exchange)
                | Waiting::App { exchange, .. }
                | Waiting::Clause { exchange, .. }
                | Waiting::Backup(exchange)
                | Waiting::Examined(exchange),
                done,
            ) => {
                let refusal = done.as_ref().err().map(refused);
                (exchange, refusal.unwrap_or_else(|| Response::error(500, "the errand had another end")))
            }
        };
        self.clients.exchanges.respond(exchange, response);
    }

    fn backup_made(&self, bytes: Vec<u8>) -> Response {
        // 2026-11-30T11:33:39.000Z; a colon stands in no file name everywhere.
        let wall = self.wall().to_string();
        let name = format!("signalk-{}.backup", wall.get(..16).unwrap_or(&wall).replace(':', "-"));
        let response = Response::new(200, "application/zip", bytes);
        response
            .with("content-disposition", &format!("attachment; filename=\"{name}\""))
            .with("cache-control", "no-store")
    }

    /// Answers who has sent a web app.
    fn app_kept(&mut self, kept: &KeptApp, grant: Asks) -> Response {
        let mut missing = if kept.is_granted { Asks::NONE } else { Asks::WEB_APP };
        if !missing.within(grant).is_empty() {
            if let Err(refused) = self.grant(&kept.name, missing.within(grant)) {
                return refused;
            }
            missing = missing.without(grant);
        }
        let body = json::object(|out| {
            out.text("id", &plugin_id(&kept.name)).text("name", &kept.name).text("version", &kept.version);
            out.text("state", if missing.is_empty() { "enabled" } else { "disabled" }).boolean("webapp", true);
            if kept.has_node_plugin {
                out.text("reason", "its pages are installed; its plugin is JavaScript, which is not run");
            }
            if !missing.is_empty() {
                out.list("asks", |names| missing.list(names));
            }
        });
        Response::json(201, body)
    }

    /// Begins the next job, or goes on with the one that is at work.
    fn go_on_with_job(&mut self) {
        if let Some(exchange) = self.store.at_work.as_ref().and_then(|work| work.exchange) {
            if let Some(response) = self.clients.exchanges.take_own(exchange) {
                self.job_answered(&response);
            }
            return;
        }
        if let Some(archive) = self.store.at_work.as_mut().and_then(|work| work.archive.take()) {
            return self.bring_job_in(archive);
        }
        if self.store.at_work.is_some() {
            return;
        }
        let Some(job) = self.store.queue.pop_front() else { return };
        self.store.changed = true;
        let errand = job.version.clone().map(|version| Errand::Load { name: job.name.clone(), version });
        self.store.at_work = Some(AtWork { job, archive: None, exchange: None });
        match errand {
            Some(errand) => {
                if let Err(refused) = self.send_on(errand, Waiting::Job) {
                    self.store.end(true, said(&refused));
                }
            }
            None => self.take_job_out(),
        }
    }

    fn job_errand_done(&mut self, done: Result<ErrandDone, ErrandFailed>) {
        match done {
            Ok(ErrandDone::Bytes(archive)) => self.bring_job_in(archive),
            Ok(_) => self.store.end(true, "the errand had another end".to_string()),
            Err(failed) => self.store.end(true, failed.clause),
        }
    }

    /// Installs what was loaded, as if somebody had sent it.
    fn bring_job_in(&mut self, archive: Vec<u8>) {
        if self.plugins.is_arriving {
            // Another package is on its way in: it is tried again at the next poll.
            if let Some(work) = &mut self.store.at_work {
                work.archive = Some(archive);
            }
            return;
        }
        let exchange = self.own_exchange();
        let request = Request { body: archive, ..Request::new(Method::Post, "/skiff/v1/plugins") };
        if let Err(refused) = self.try_install(&request, exchange) {
            self.job_answered(&refused);
        }
    }

    fn take_job_out(&mut self) {
        let Some(name) = self.store.at_work.as_ref().map(|work| work.job.name.clone()) else { return };
        let (id, exchange) = (plugin_id(&name), self.own_exchange());
        let is_plugin = store::holds(&mut *self.hal.storage, &id, &name);
        let refused = match if is_plugin { None } else { self.remove_app(&id, exchange) } {
            Some(asked) => asked.err(),
            None => self.remove_request(&id, exchange),
        };
        if let Some(refused) = refused {
            self.job_answered(&refused);
        }
    }

    /// Makes an exchange whose answer is for the job at work.
    fn own_exchange(&mut self) -> ExchangeId {
        let exchange = self.clients.exchanges.new_own_id();
        if let Some(work) = &mut self.store.at_work {
            work.exchange = Some(exchange);
        }
        exchange
    }

    /// Ends the job at work.
    fn job_answered(&mut self, response: &Response) {
        let Some(work) = &self.store.at_work else { return };
        let failed = !(200..300).contains(&response.status);
        let text = core::str::from_utf8(&response.body).unwrap_or_default();
        let member = |name: &str| json::member(text, name).and_then(json::string).unwrap_or_default();
        let mut asks = Vec::new();
        if let Some(list) = json::member(text, "asks") {
            let _ = json::items::<json::JsonError>(list, |name| {
                asks.extend(json::string(name).map(|name| name.to_string()));
                Ok(())
            });
        }
        let (name, asks) = (work.job.name.clone(), asks.join(","));
        let log = match (failed, &work.job.version) {
            (true, _) => said(response),
            (false, None) => "removed".to_string(),
            (false, Some(version)) if asks.is_empty() => {
                format!("version {version} is {} {}", member("state"), member("reason")).trim_end().to_string()
            }
            (false, Some(version)) => {
                format!(
                    "version {version} is {}; it asks for {asks}: skiff plugin enable {name} --grant {asks}",
                    member("state")
                )
            }
        };
        if !failed && work.job.with_data {
            self.remove_data(&plugin_id(&name));
        }
        self.store.end(failed, log);
    }
}

/// Returns the clause of a refusal.
fn said(response: &Response) -> String {
    let text = core::str::from_utf8(&response.body).unwrap_or_default();
    json::member(text, "error")
        .and_then(json::string)
        .map_or_else(|| format!("status {}", response.status), |text| text.to_string())
}
