//! Watches the plugin packages of the configuration folder, and brings new versions into the running gateway.
//!
//! It looks at times and lengths of files, once a second: that also sees changes on file systems that send no
//! notifications, and a package counts only when it has been left alone for a whole look. What it reads for that is kept
//! (`seen`): of a thousand libraries that nobody touches nothing is read again.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use skiff_runtime::gateway::Gateway;
use skiff_runtime::package::store::{self, Slot};
use skiff_runtime::package::{Package, plugin_id};
use skiff_runtime::plugin::{Enabled, ReplaceError, Unusable};

use super::folder;
use super::seen::{Seen, Versions};
use crate::hal::Folder;
use crate::wake::Waker;

/// Time between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// Where plugin packages lie, and who tells that one has changed.
pub struct PluginFiles {
    /// Configuration folder.
    config: PathBuf,
    /// Package folders that have changed.
    changed: Receiver<PathBuf>,
}

impl PluginFiles {
    /// Begins to watch the packages of a configuration folder, before they are read: no change is missed in between.
    ///
    /// # Errors
    /// The thread that could not be started.
    pub fn watch(config: PathBuf, waker: Waker) -> io::Result<Self> {
        Ok(Self { changed: start(config.clone(), waker)?, config })
    }

    /// Reads a package again: the one installed over the network, else the one in `node_modules`.
    ///
    /// # Errors
    /// Why there is none, one clause.
    pub fn read(&self, package: &str) -> Result<Package, String> {
        match store::load(&mut Folder::new(&self.config), &plugin_id(package), Slot::InForce, folder::STORED_BYTES_MAX)
        {
            Ok(Some(stored)) if stored.name == package => return Ok(stored),
            Ok(_) => {}
            Err(error) => return Err(format!("the stored package cannot be read: {error}")),
        }
        let folder = folder::modules(&self.config).join(package);
        if !folder.is_dir() {
            return Err("its files are gone".into());
        }
        folder::found(&self.config, package, &folder, super::module_bytes_max()).map_err(|row| row.reason)
    }

    /// Brings the packages that have changed into the gateway.
    pub fn take_changes(&self, gateway: &mut Gateway) {
        while let Ok(folder) = self.changed.try_recv() {
            let called = folder.strip_prefix(folder::modules(&self.config)).ok().and_then(Path::to_str);
            let Some(name) = called.map(str::to_owned) else { continue };
            if !folder.exists() {
                gateway.forget_unusable(&name);
                continue;
            }
            let package = match folder::found(&self.config, &name, &folder, super::module_bytes_max()) {
                Ok(package) => package,
                Err(row) if gateway.plugins().plugins().any(|plugin| plugin.package_name() == name) => {
                    log::warn!("{name}: {}; the version before goes on", row.reason);
                    continue;
                }
                Err(row) => {
                    gateway.note_unusable(row);
                    continue;
                }
            };
            if store::holds(&mut Folder::new(&self.config), &plugin_id(&name), &name) {
                log::warn!(
                    "{name}: changed in {}, but a version installed over the network is in force",
                    folder.display()
                );
                continue;
            }
            log::info!("{name}: version {} found in {}", package.version, folder.display());
            let version = package.version.clone();
            let unusable = |error: &dyn std::fmt::Display| Unusable::new(&name, &version, &error.to_string());
            match gateway.replace(package.clone()) {
                Ok(()) => {}
                Err(ReplaceError::Clash(clash)) => gateway.note_unusable(unusable(&clash)),
                Err(ReplaceError::NotFound) => {
                    if let Err(error) = gateway.install(package, Enabled::FromConfig) {
                        gateway.note_unusable(unusable(&error));
                    }
                }
                Err(error) => log::warn!("{name}: {error}; the version before goes on"),
            }
        }
    }
}

/// Starts to watch; the receiver gets the folder of each package that has changed since this call, which comes before
/// they are read. The thread ends with the receiver.
///
/// # Errors
/// The thread that could not be started.
fn start(config: PathBuf, waker: Waker) -> io::Result<Receiver<PathBuf>> {
    let (sender, receiver) = mpsc::channel();
    // Now, and not when the thread has its turn: what changes in between would never be seen.
    let mut seen = Seen::default();
    let looks = Looks::new(seen.look(&config));
    thread::Builder::new().name("watch".into()).spawn(move || watch(looks, seen, &config, &sender, &waker))?;
    Ok(receiver)
}

fn watch(mut looks: Looks, mut seen: Seen, config: &Path, sender: &Sender<PathBuf>, waker: &Waker) {
    loop {
        thread::sleep(PERIOD);
        for folder in looks.changed(seen.look(config)) {
            if sender.send(folder).is_err() {
                return;
            }
            waker.wake();
        }
    }
}

/// What was seen, and what is in force.
struct Looks {
    in_force: Versions,
    last: Versions,
}

impl Looks {
    fn new(stamps: Versions) -> Self {
        Self { in_force: stamps.clone(), last: stamps }
    }

    /// Returns the folders that are other than what is in force, and were so at the look before too; gone ones among them.
    fn changed(&mut self, now: Versions) -> Vec<PathBuf> {
        let is_new = |folder: &&PathBuf| {
            self.in_force.get(*folder) != now.get(*folder) && self.last.get(*folder) == now.get(*folder)
        };
        let known = self.in_force.keys().filter(|folder| !now.contains_key(*folder));
        let changed: Vec<PathBuf> = now.keys().chain(known).filter(is_new).cloned().collect();
        for folder in &changed {
            match now.get(folder) {
                Some(version) => self.in_force.insert(folder.clone(), version.clone()),
                None => self.in_force.remove(folder),
            };
        }
        self.last = now;
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::super::seen::Stamp;
    use super::*;

    fn at(length: u64) -> Versions {
        let stamp = Stamp { length, ..Stamp::default() };
        Versions::from([(PathBuf::from("tide"), vec![(PathBuf::from("tide/plugin.wasm"), stamp)])])
    }

    #[test]
    fn a_change_counts_once_it_has_been_left_alone() {
        let mut looks = Looks::new(at(1));
        assert!(looks.changed(at(1)).is_empty());
        assert!(looks.changed(at(2)).is_empty(), "it may be being written");
        assert!(looks.changed(at(3)).is_empty(), "it is being written");
        assert_eq!(looks.changed(at(3)), [PathBuf::from("tide")]);
        assert!(looks.changed(at(3)).is_empty(), "it is in force");
    }

    #[test]
    fn a_new_package_counts_and_so_does_one_that_stays_away() {
        let mut looks = Looks::new(Versions::new());
        assert!(looks.changed(at(1)).is_empty());
        assert_eq!(looks.changed(at(1)).len(), 1);
        assert!(looks.changed(Versions::new()).is_empty(), "it may be being replaced");
        assert_eq!(looks.changed(Versions::new()).len(), 1);
        assert!(looks.changed(Versions::new()).is_empty());
    }
}
