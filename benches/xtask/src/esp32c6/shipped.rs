//! What is given away for the chip: files, their places in flash, their hashes, and what to type.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::process;

/// Boot loader, partition table and firmware in one file, from the first byte of the flash.
pub const WHOLE: &str = "skiff-esp32c6-flash.bin";
/// What the page that flashes reads.
pub const MANIFEST: &str = "flash.json";
/// As `sha256sum -c` reads them.
const HASHES: &str = "SHA256SUMS";

/// A file that is given away.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    name: String,
    /// Its place in flash; an update has none.
    at: Option<u32>,
    bytes: u64,
    sha256: String,
}

/// All of them: the whole flash first, then its parts, then the update.
#[derive(Debug, PartialEq, Eq)]
pub struct Shipped {
    folder: PathBuf,
    files: Vec<File>,
}

impl Shipped {
    /// Hashes the files, and writes manifest and hashes beside them.
    ///
    /// # Errors
    /// The file that cannot be read or written.
    pub fn of(folder: &Path, whole: &Path, update: &Path, parts: &[(u32, &Path)]) -> Result<Self, String> {
        let places = [(Some(0), whole)].into_iter().chain(parts.iter().map(|(at, part)| (Some(*at), *part)));
        let mut files = Vec::new();
        for (at, path) in places.chain([(None, update)]) {
            let bytes = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.len();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push(File { name, at, bytes, sha256: process::sha256(path)? });
        }
        let shipped = Self { folder: folder.to_owned(), files };
        process::write(&folder.join(MANIFEST), &format!("{:#}\n", shipped.manifest()))?;
        process::write(&folder.join(HASHES), &shipped.hashes())?;
        Ok(shipped)
    }

    fn manifest(&self) -> Value {
        let files: Vec<Value> = self
            .files
            .iter()
            .filter_map(|file| Some((file, file.at?)))
            .map(|(file, at)| json!({ "name": file.name, "offset": at, "bytes": file.bytes, "sha256": file.sha256 }))
            .collect();
        json!({ "chip": "ESP32-C6", "version": env!("CARGO_PKG_VERSION"), "files": files })
    }

    fn hashes(&self) -> String {
        self.files.iter().fold(String::new(), |text, file| text + &format!("{}  {}\n", file.sha256, file.name))
    }

    /// Returns the table of the files and the lines that put them on a chip, with paths as from `here`.
    pub fn lines(&self, here: &Path) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{:<28} {:>9} {:>9}  SHA-256", "file", "at", "bytes");
        for File { name, at, bytes, sha256 } in &self.files {
            let at = at.map_or_else(|| "-".to_owned(), |at| format!("{at:#x}"));
            let _ = writeln!(text, "{name:<28} {at:>9} {bytes:>9}  {sha256}");
        }
        let folder = self.folder.strip_prefix(here).unwrap_or(&self.folder).display();
        let _ = writeln!(
            text,
            "in {folder}, with {HASHES} and {MANIFEST}\n\n\
             A new chip, over USB: one of\n  \
             esptool --chip esp32c6 write-flash 0x0 {folder}/{WHOLE}\n  \
             espflash write-bin --chip esp32c6 0x0 {folder}/{WHOLE}\n  \
             cargo xtask flasher        a page that does it from a browser\n\
             They keep plugins and settings of a chip that has some; `esptool erase-flash` before takes them away.\n\
             One that runs: POST /skiff/v1/firmware, with the file for an update.\n"
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_its_place_its_hash_and_its_line() {
        let folder = process::target().join("shipped-test");
        let file = |name: &str| {
            process::write(&folder.join(name), name).unwrap();
            folder.join(name)
        };
        let (whole, update, loader, app) = (file(WHOLE), file("update.bin"), file("loader.bin"), file("app.bin"));
        let shipped = Shipped::of(&folder, &whole, &update, &[(0, &loader), (0x1_0000, &app)]).unwrap();
        let lines = shipped.lines(&folder);
        assert!(lines.contains("app.bin                        0x10000         7  "), "{lines}");
        assert!(lines.contains("update.bin                           -        10  "), "{lines}");
        let manifest: Value = serde_json::from_str(&fs::read_to_string(folder.join(MANIFEST)).unwrap()).unwrap();
        let files = manifest["files"].as_array().unwrap();
        assert_eq!(files.len(), 3, "an update is for a chip that runs: {files:?}");
        assert_eq!(files[0]["sha256"], process::sha256(&whole).unwrap());
        assert_eq!(files[2]["offset"], 0x1_0000);
        assert_eq!(fs::read_to_string(folder.join(HASHES)).unwrap().lines().count(), 4);
    }
}
