//! New versions of plugins from the configuration folder, while the gateway runs.

use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use skiff_runtime::gateway::Gateway;
use skiff_runtime::package::{Package, plugin_id, store};
use skiff_runtime::plugin::{Enabled, ReplaceError};

use super::watch::Changed;
use crate::hal::Folder;
use crate::packages;

/// Where plugin packages lie, and who tells that one has changed.
pub struct PluginFiles {
    /// Configuration folder.
    pub config: PathBuf,
    /// Bytes of a module.
    pub module_bytes_max: u32,
    /// Package folders that have changed.
    pub changed: Receiver<Changed>,
}

impl PluginFiles {
    /// Reads the package of a plugin again: the one installed over the network, else the one in `node_modules`.
    ///
    /// # Errors
    /// Why there is none, one clause.
    pub fn read(&self, id: &str) -> Result<Package, String> {
        match store::load(&mut Folder::new(&self.config), id, packages::STORED_BYTES_MAX) {
            Ok(Some(package)) => return Ok(package),
            Ok(None) => {}
            Err(error) => return Err(format!("the stored package cannot be read: {error}")),
        }
        let mut reason = String::from("its files are gone");
        for (folder, _) in packages::plugin_files(&self.config) {
            match packages::load(&folder, self.module_bytes_max) {
                Ok(package) if package.id() == id => return Ok(package),
                Ok(_) => {}
                Err(error) => reason = error.to_string(),
            }
        }
        Err(reason)
    }

    /// Brings the packages that have changed into the gateway.
    pub fn take_changes(&self, gateway: &mut Gateway) {
        while let Ok(folder) = self.changed.try_recv() {
            let package = match packages::load(&folder, self.module_bytes_max) {
                Ok(package) => package,
                Err(error) => {
                    log::warn!("{error}; the version before goes on");
                    continue;
                }
            };
            let name = package.name.clone();
            if store::contains(&mut Folder::new(&self.config), &plugin_id(&name)) {
                log::warn!(
                    "{name}: changed in {}, but a version installed over the network is in force",
                    folder.display()
                );
                continue;
            }
            log::info!("{name}: version {} found in {}", package.version, folder.display());
            let result = match gateway.replace(package.clone()) {
                Err(ReplaceError::NotFound) => {
                    gateway.install(package, Enabled::FromConfig).map_err(|error| error.to_string())
                }
                other => other.map_err(|error| error.to_string()),
            };
            if let Err(error) = result {
                log::warn!("{name}: {error}; the version before goes on");
            }
        }
    }
}
