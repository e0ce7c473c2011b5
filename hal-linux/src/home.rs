//! What a gateway leaves in its configuration folder for the other commands of `skiff`.

use std::path::Path;

use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::json;

use crate::hal::Folder;

/// File that tells other commands where this gateway listens.
pub const ADDRESS_FILE: &str = "skiff/gateway.json";
/// The command line's copy of the token.
pub const TOKEN_FILE: &str = "skiff/token";

/// Writes one of these files.
///
/// # Errors
/// What the system says.
pub fn write(storage: &mut dyn Storage, file: &str, text: &str) -> Result<(), String> {
    let key = Key::parse(file).map_err(|error| error.to_string())?;
    storage.replace(&key, text.as_bytes()).map_err(|error| error.to_string())
}

/// Tells other commands where the gateway listens, as long as it does.
pub struct Marker {
    storage: Folder,
}

impl Marker {
    /// Writes the address; it goes when the marker is dropped.
    #[must_use]
    pub fn set(folder: &Path, url: &str) -> Self {
        let mut storage = Folder::new(folder);
        let address = json::object(|out| {
            out.text("url", url);
        });
        if let Err(error) = write(&mut storage, ADDRESS_FILE, &format!("{address}\n")) {
            log::warn!("{}: {error}; `skiff plugin` needs --url {url}", folder.join(ADDRESS_FILE).display());
        }
        Self { storage }
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        if let Ok(key) = Key::parse(ADDRESS_FILE) {
            // What stays behind is found out by the next command: nobody answers there.
            let _ = self.storage.remove(&key);
        }
    }
}
