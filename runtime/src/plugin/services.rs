//! What a guest's imports reach while it runs.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use super::context::{Emitted, World};
use super::files::StoredFiles;
use super::guest_view::{GuestView, Words};
use super::offers::PutOffer;
use super::ports::Wired;
use super::sockets::Plugged;
use crate::config::PluginConfig;
use crate::delta::{Delta, DeltaError, DeltaVersion, Stamp, ValueSink, check_path};
use crate::host::fetch::{FetchRequest, Fetched, Ticket};
use crate::host::sockets::{Serial, Sockets};
use crate::host::{Registration, Services};
use crate::json;
use crate::time::{Instant, UnixMillis};
use crate::vfs::Medium;
use core::task::Poll;

/// The services of one plugin for the length of one slice.
pub(super) struct SliceServices<'l, 'w> {
    pub(super) world: &'l mut World<'w>,
    pub(super) view: &'l mut GuestView,
    /// Hops of the deltas emitted now.
    pub(super) hops: u8,
}

impl Services for SliceServices<'_, '_> {
    fn wall(&self) -> UnixMillis {
        // A guest's clock must go on: before the time is known it counts from 1970, at the start of the board.
        let since_boot = || UnixMillis(i64::try_from(self.world.now.as_millis()).unwrap_or(i64::MAX));
        if self.world.wall.is_known() { self.world.wall } else { since_boot() }
    }

    fn monotonic(&self) -> Instant {
        self.world.now
    }

    fn random(&mut self, buffer: &mut [u8]) {
        self.world.rng.fill(buffer);
    }

    #[cfg(any(test, feature = "trace"))]
    fn acted(&mut self, acted: crate::host::Acted) {
        if let Some(watched) = &mut self.view.watched {
            watched.push(acted);
        }
    }

    fn log(&mut self, level: log::Level, text: &str) {
        self.view.heard(Words::Line, text);
        self.view.log(level, text);
    }

    fn set_status(&mut self, text: &str) {
        self.view.heard(Words::Status, text);
        self.view.set_status(text);
    }

    fn set_error(&mut self, text: &str) {
        self.view.heard(Words::Error, text);
        self.view.set_error(text);
    }

    fn read_config(&mut self) -> Option<String> {
        match PluginConfig::load(self.world.storage, &self.view.id, self.view.config_bytes_max) {
            Ok(config) => config.and_then(|config| config.configuration),
            Err(error) => {
                self.view.log(log::Level::Warn, &format!("configuration not read: {error}"));
                None
            }
        }
    }

    fn save_config(&mut self, text: &str) -> bool {
        match self.try_save(text) {
            Ok(()) => true,
            Err(reason) => {
                self.view.log(log::Level::Warn, &format!("configuration not saved: {reason}"));
                false
            }
        }
    }

    fn emit(&mut self, delta: &str, version: DeltaVersion) {
        self.emit_read(delta.len(), &mut |stamp| Ok(Arc::new(Delta::parse(delta, stamp)?.with_version(version))));
    }

    fn publish(&mut self, bytes: usize, rows: &mut dyn FnMut(&mut dyn ValueSink)) {
        let (context, package) = (self.world.model.self_context().clone(), self.view.package.clone());
        self.emit_read(bytes, &mut |stamp| Delta::of_values(&context, &package, stamp.now, rows));
    }

    fn refuse(&mut self, count: u64, clause: &str) {
        self.view.drops.malformed = self.view.drops.malformed.saturating_add(count);
        self.view.log(log::Level::Warn, clause);
    }

    fn self_path(&mut self, path: &str) -> Option<String> {
        self.world.model.node_at_self(path)
    }

    fn path(&mut self, path: &str) -> Option<String> {
        self.world.model.node_at(path)
    }

    fn register(&mut self, registration: Registration) -> bool {
        let offer = match &registration {
            Registration::Put { context, path } => Some(PutOffer { context: context.clone(), path: path.clone() }),
            _ => None,
        };
        if let Some(Err(error)) = offer.as_ref().map(|offer| check_path(&offer.path)) {
            self.view.log(log::Level::Warn, &format!("registration refused: {error}"));
            return false;
        }
        if !self.view.offers.register(registration, self.view.registrations_max, self.world.now) {
            self.view.log(log::Level::Warn, "registration refused: no such thing can be registered, or too many are");
            return false;
        }
        if let Some(offer) = offer {
            let bytes = offer.context.len().saturating_add(offer.path.len());
            self.emit_read(bytes, &mut |stamp| supports_put(&offer, true, stamp).map(Arc::new));
        }
        true
    }

    fn emit_binary(&mut self, stream: &str, data: &[u8], of_radar: bool) -> bool {
        if of_radar && self.view.offers.radar().is_none() {
            return false;
        }
        let bytes = self.view.frame_bytes_in_call.saturating_add(data.len());
        if bytes > self.view.frame_bytes_max {
            self.view.drops.frames = self.view.drops.frames.saturating_add(1);
            return false;
        }
        self.view.frame_bytes_in_call = bytes;
        if self.world.frames.is_heard(stream) {
            self.world.frames.push(stream, data);
        }
        true
    }

    fn publish_notification(&mut self, path: &str, value: &str) -> bool {
        let bytes = path.len().saturating_add(value.len());
        self.emit_read(bytes, &mut |stamp| Delta::of_value("", path, value, stamp).map(Arc::new))
    }

    fn sockets(&mut self) -> Option<Box<dyn Sockets + '_>> {
        let network = self.world.net.network.as_deref_mut()?;
        Some(Box::new(Plugged { table: &mut self.view.sockets, network }))
    }

    fn serial(&mut self) -> Option<Box<dyn Serial + '_>> {
        let system = self.world.net.serial.as_deref_mut()?;
        Some(Box::new(Wired { table: &mut self.view.ports, system }))
    }

    fn with_files(&mut self, act: &mut dyn FnMut(&mut dyn Medium)) {
        act(&mut StoredFiles { storage: self.world.storage, id: &self.view.id });
    }

    fn fetch(&mut self, request: FetchRequest) -> Ticket {
        let ticket = self.view.fetches.begin(request, None, &mut self.world.net.client(self.world.now));
        self.view.log_fetches();
        ticket
    }

    fn fetch_poll(&mut self, ticket: Ticket) -> Poll<Fetched> {
        let polled = self.view.fetches.poll(ticket, &mut self.world.net.client(self.world.now));
        self.view.log_fetches();
        polled
    }

    fn fetch_later(&mut self, request: FetchRequest, callback: i32) {
        self.view.fetches.begin(request, Some(callback), &mut self.world.net.client(self.world.now));
        self.view.log_fetches();
    }

    fn fetch_refused(&mut self, callback: i32) {
        self.view.fetches.refuse(callback);
    }
}

/// Tells clients in the name of a plugin that it no longer handles PUT for a path.
pub(super) fn withdraw_put(package: &Arc<str>, offer: &PutOffer, world: &mut World<'_>) {
    let stamp = Stamp { source_ref: package, self_context: world.self_context, now: world.wall };
    match supports_put(offer, false, &stamp) {
        Ok(delta) => take_in(package.clone(), Arc::new(delta), 0, world),
        Err(error) => log::warn!("{package}: clients are not told that nobody handles {}: {error}", offer.path),
    }
}

/// Returns the delta that tells clients whether a path has a PUT handler (plugin ABI §3.3).
fn supports_put(offer: &PutOffer, supported: bool, stamp: &Stamp<'_>) -> Result<Delta, DeltaError> {
    let meta = json::object(|meta| {
        meta.boolean("supportsPut", supported);
    });
    Delta::of_meta(&offer.context, &offer.path, &meta, stamp)
}

/// Gives a delta of a plugin to the model, to other plugins and to clients.
fn take_in(package: Arc<str>, delta: Arc<Delta>, hops: u8, world: &mut World<'_>) {
    let mut taken = world.model.take_in_of(&package, delta.clone());
    let lesser = taken.lesser.take();
    world.outbox.push(Emitted { package, delta, parts: taken.into_deltas().collect(), lesser, hops });
}

impl SliceServices<'_, '_> {
    /// Emits what `read` gives, `bytes` long as the guest had it to say; tells whether it did.
    fn emit_read(&mut self, bytes: usize, read: &mut dyn FnMut(&Stamp<'_>) -> Result<Arc<Delta>, DeltaError>) -> bool {
        let bytes = self.view.emitted_bytes_in_call.saturating_add(bytes);
        if self.view.emitted_in_call >= self.view.emit_max || bytes > self.view.emit_bytes_max {
            self.view.drops.emitted = self.view.drops.emitted.saturating_add(1);
            return false;
        }
        // One that cannot be read takes its place, too: reading it is work.
        self.view.emitted_in_call = self.view.emitted_in_call.saturating_add(1);
        self.view.emitted_bytes_in_call = bytes;
        let stamp =
            Stamp { source_ref: &self.view.package, self_context: self.world.self_context, now: self.world.wall };
        match read(&stamp) {
            Ok(delta) => {
                take_in(self.view.package.clone(), delta, self.hops, self.world);
                true
            }
            Err(error) => {
                self.view.drops.malformed = self.view.drops.malformed.saturating_add(1);
                self.view.log(log::Level::Debug, &format!("delta dropped: {error}"));
                false
            }
        }
    }

    fn try_save(&mut self, text: &str) -> Result<(), String> {
        if text.len() > self.view.config_bytes_max as usize {
            return Err(format!("{} bytes, {} allowed", text.len(), self.view.config_bytes_max));
        }
        let text = json::compact(text).map_err(|error| format!("{error}"))?;
        let stored = PluginConfig::load(self.world.storage, &self.view.id, self.view.config_bytes_max)
            .map_err(|error| format!("{error}"))?;
        let was_stored = stored.is_some();
        let mut config = stored.unwrap_or_else(|| PluginConfig { enabled: Some(true), ..PluginConfig::default() });
        // A plugin that saves what is there already wears no flash.
        if config.configuration.as_ref() == Some(&text) && was_stored {
            return Ok(());
        }
        config.configuration = Some(text);
        config.save(self.world.storage, &self.view.id).map_err(|error| format!("{error}"))
    }
}
