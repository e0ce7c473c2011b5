//! An archive for any Linux: the program that is linked to nothing, and a script that installs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::contents::{Contents, DASHBOARD, VERSION, empty_folder, epoch, put_dist, put_packed, read, set_mode};
use super::manual::COMPLETIONS;
use super::notice;
use crate::process;

/// Folders that an image has beside the program; empty, and its user's.
const CONTAINER: [&str; 2] = ["container/data", "container/tmp"];
/// What Venus OS needs beside the program, with who may execute it.
const VENUS: [(&str, u32); 4] =
    [("venus/install.sh", 0o755), ("venus/run", 0o755), ("venus/log-run", 0o755), ("venus/options", 0o644)];

/// Makes the archive and returns it.
///
/// # Errors
/// What cannot be read, written or packed.
pub fn make(folder: &Path, contents: &Contents) -> Result<PathBuf, String> {
    let name = format!("skiff-{VERSION}-linux-{}", contents.system.debian);
    let root = folder.join(&name);
    empty_folder(&root)?;
    contents.put_program(&root.join("skiff"))?;
    for file in
        ["skiff.service", "skiff-can@.service", "skiff.default", "install.sh", "Dockerfile", "README.md", DASHBOARD]
    {
        put_dist(file, &root.join(file))?;
    }
    for made in CONTAINER {
        empty_folder(&root.join(made))?;
    }
    for (file, mode) in VENUS {
        let to = root.join(file);
        put_dist(file, &to)?;
        set_mode(&to, mode)?;
    }
    set_mode(&root.join("install.sh"), 0o755)?;
    for page in &contents.manual.pages {
        let text = std::fs::read_to_string(contents.manual.file(page)).map_err(|error| format!("{page}: {error}"))?;
        put_packed(&text, &root.join("man").join(page))?;
    }
    for (file, _) in COMPLETIONS {
        process::copy(&contents.manual.file(file), &root.join("completions").join(file))?;
    }
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        process::write(&root.join(licence), &read(licence)?)?;
    }
    process::write(&root.join("NOTICE"), &notice::of(contents)?)?;
    process::run(Command::new("chmod").args(["-R", "u=rwX,go=rX"]).arg(&root))?;
    let file = folder.join(format!("{name}.tar.gz"));
    let pack = "tar --sort=name --mtime=@\"$3\" --owner=0 --group=0 --numeric-owner --create \"$1\" | gzip -9 --no-name > \"$2\"";
    let mut shell = Command::new("bash");
    shell.args(["-o", "pipefail", "-c", pack, "tar", &name]).arg(&file).arg(epoch()).current_dir(folder);
    process::run(&mut shell)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::super::contents::DIST;
    use super::*;

    #[test]
    fn the_script_installs_what_is_in_the_archive() {
        let script = read(&format!("{DIST}/install.sh")).unwrap();
        for file in ["skiff.service", "skiff-can@.service", "skiff.default", "completions/_skiff", "man/*.gz"] {
            assert!(script.contains(file), "{file}");
        }
        let image = read(&format!("{DIST}/Dockerfile")).unwrap();
        for line in ["COPY skiff NOTICE LICENSE-MIT LICENSE-APACHE /", "COPY --chown=65532:65532 container/ /"] {
            assert!(image.lines().any(|found| found == line), "{line}");
        }
        assert!(CONTAINER.iter().all(|folder| folder.starts_with("container/")));
        let script = read(&format!("{DIST}/venus/install.sh")).unwrap();
        for (file, _) in VENUS.iter().filter(|(file, _)| !file.ends_with("install.sh")) {
            assert!(script.contains(&format!("put {file} ")), "{file}");
        }
    }
}
