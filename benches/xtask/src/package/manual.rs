//! Manual pages and completions, made from the command line itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{built, debian, process};

/// Completions: the file that is made, and where Debian's shells look for it.
pub const COMPLETIONS: [(&str, &str); 3] = [
    ("skiff.bash", "usr/share/bash-completion/completions/skiff"),
    ("_skiff", "usr/share/zsh/vendor-completions/_skiff"),
    ("skiff.fish", "usr/share/fish/vendor_completions.d/skiff.fish"),
];
/// Shells that are asked what they complete, beside bash.
const SHELLS: [&str; 2] = ["fish", "zsh"];

/// Files that were made.
pub struct Manual {
    folder: PathBuf,
    /// Pages by the names of their files, in order.
    pub pages: Vec<String>,
}

impl Manual {
    /// Returns a file of it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Writes all of them into a folder. Shells that are on this machine are asked what they complete; where that is to be `tried`, those
/// that are not are installed before.
///
/// # Errors
/// What cannot be built or written, a file that was expected and is not there, or a word that a shell does not complete.
pub fn make(folder: &Path, is_tried: bool) -> Result<Manual, String> {
    let example = built::example("manual")?;
    // Pages of commands that are gone would stay.
    let _ = fs::remove_dir_all(folder);
    process::run(Command::new(example).arg(folder))?;
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut pages: Vec<String> = names.filter(|name| name.ends_with(".1")).collect();
    pages.sort();
    for name in ["skiff.1", "skiff-run.1", "skiff-plugin-install.1"] {
        if !pages.iter().any(|page| page == name) {
            return Err(format!("the manual has no page {name}"));
        }
    }
    for (name, _) in COMPLETIONS {
        let text = fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
        // An option, a board, and what `help` can explain.
        for word in ["sample", "esp32c6", "doctor"] {
            if !text.contains(word) {
                return Err(format!("{name} does not complete {word}"));
            }
        }
    }
    if is_tried && !SHELLS.iter().all(|shell| process::found(shell)) {
        debian::packages(&SHELLS).unwrap_or_else(|reason| eprintln!("{reason}"));
    }
    let script = folder.with_extension("sh");
    process::write(&script, include_str!("completions.sh"))?;
    process::output(Command::new("bash").arg(&script).arg(folder))?.lines().for_each(|line| println!("{line}"));
    Ok(Manual { folder: folder.to_owned(), pages })
}
