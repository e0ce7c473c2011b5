//! A package for Debian, Raspberry Pi OS and Ubuntu.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::contents::{Contents, DASHBOARD, DIST, VERSION, empty_folder, epoch, put_dist, put_packed, read, set_mode};
use super::manual::COMPLETIONS;
use super::notice;
use super::systems::System;
use crate::{debian, process};

/// Where units of systemd lie.
const UNITS: &str = "usr/lib/systemd/system";
const DOCUMENTATION: &str = "usr/share/doc/skiff";
/// As `debian/control` names them.
const MAINTAINER: &str = "The Skiff developers <noreply@skiff.invalid>";
/// What dpkg calls while it installs and removes.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// Makes the package and returns it.
///
/// # Errors
/// What cannot be read, written or packed.
pub fn make(folder: &Path, contents: &Contents) -> Result<PathBuf, String> {
    if !process::found("dpkg-deb") {
        debian::packages(&["dpkg"])?;
    }
    let name = file_name(contents.system);
    let root = folder.join(name.trim_end_matches(".deb"));
    empty_folder(&root)?;
    contents.put_program(&root.join("usr/bin/skiff"))?;
    for unit in ["skiff.service", "skiff-can@.service"] {
        put_dist(unit, &root.join(UNITS).join(unit))?;
    }
    put_dist("skiff.default", &root.join("etc/default/skiff"))?;
    for page in &contents.manual.pages {
        let text = std::fs::read_to_string(contents.manual.file(page)).map_err(|error| format!("{page}: {error}"))?;
        put_packed(&text, &root.join("usr/share/man/man1").join(page))?;
    }
    for (from, to) in COMPLETIONS {
        process::copy(&contents.manual.file(from), &root.join(to))?;
    }
    let documentation = root.join(DOCUMENTATION);
    put_packed(&read(&format!("{DIST}/README.md"))?, &documentation.join("README.md"))?;
    put_packed(&read("CHANGELOG.md")?, &documentation.join("CHANGELOG.md"))?;
    put_dist(DASHBOARD, &documentation.join(DASHBOARD))?;
    put_packed(&changelog()?, &documentation.join("changelog"))?;
    put_packed(&notice::of(contents)?, &documentation.join("NOTICE"))?;
    process::write(&documentation.join("copyright"), &copyright()?)?;
    control(&root, contents)?;
    process::run(Command::new("chmod").args(["-R", "u=rwX,go=rX"]).arg(&root))?;
    let file = folder.join(name);
    let mut pack = Command::new("dpkg-deb");
    // One that was built in a hurry is three times as large, and nobody downloads it.
    let level = if contents.elf.has_symbols { "-z1" } else { "-z6" };
    pack.args(["--root-owner-group", "-Zxz", level, "--build"]).arg(&root).arg(&file);
    process::run(pack.env("SOURCE_DATE_EPOCH", epoch()))?;
    Ok(file)
}

/// Returns the name of a processor's package.
pub fn file_name(system: &System) -> String {
    format!("skiff_{VERSION}_{}.deb", system.debian)
}

/// Writes what dpkg reads.
fn control(root: &Path, contents: &Contents) -> Result<(), String> {
    let own = root.join("DEBIAN");
    let size =
        process::output(Command::new("du").args(["--summarize", "--block-size=1024", "--apparent-size"]).arg(root))?;
    let values = [
        ("@VERSION@", VERSION.to_owned()),
        ("@ARCHITECTURE@", contents.system.debian.to_owned()),
        ("@INSTALLED_KIB@", size.split_whitespace().next().unwrap_or_default().to_owned()),
        ("@DEPENDS@", contents.elf.depends()?),
    ];
    let text = read(&format!("{DIST}/debian/control"))?;
    let text = values.iter().fold(text, |text, (name, value)| text.replace(name, value));
    process::write(&own.join("control"), &text)?;
    put_dist("debian/conffiles", &own.join("conffiles"))?;
    for script in SCRIPTS {
        put_dist(&format!("debian/{script}"), &own.join(script))?;
        set_mode(&own.join(script), 0o755)?;
    }
    let sums =
        "find . -type f ! -path './DEBIAN/*' -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 md5sum > DEBIAN/md5sums";
    process::run(Command::new("sh").args(["-c", sums]).current_dir(root))
}

/// What Debian's tools read of a package's changes (deb-changelog(5)).
fn changelog() -> Result<String, String> {
    let date =
        process::output(Command::new("date").args(["--utc", "--rfc-email", "--date", &format!("@{}", epoch())]))?;
    Ok(format!(
        "skiff ({VERSION}) unstable; urgency=medium\n\n  * What is new stands in CHANGELOG.md.gz.\n\n -- {MAINTAINER}  {date}\n"
    ))
}

/// Debian's own form of the licence (copyright-format 1.0); the licences of what is inside stand in NOTICE.
fn copyright() -> Result<String, String> {
    // A line that is empty or begins in the first column would end the field.
    let field = |text: &str| -> String {
        text.lines().map(|line| if line.trim().is_empty() { " .\n".into() } else { format!(" {line}\n") }).collect()
    };
    let mit = read("LICENSE-MIT")?;
    let holders = mit.lines().find_map(|line| line.strip_prefix("Copyright (c) ")).unwrap_or("The Skiff developers");
    Ok(format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: Skiff\n\
         Comment: The program holds libraries of others; their licences are in NOTICE.gz.\n\n\
         Files: *\nCopyright: {holders}\nLicense: MIT or Apache-2.0\n\n\
         License: MIT\n{}\n\
         License: Apache-2.0\n On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n",
        field(&mit)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_lies_in_the_repository() {
        for name in SCRIPTS.iter().map(|script| format!("debian/{script}")).chain(
            ["debian/control", "debian/conffiles", "skiff.service", "skiff-can@.service", "skiff.default", "README.md"]
                .map(str::to_owned),
        ) {
            assert!(read(&format!("{DIST}/{name}")).is_ok_and(|text| !text.is_empty()), "{name}");
        }
        let control = read(&format!("{DIST}/debian/control")).unwrap();
        for value in ["@VERSION@", "@ARCHITECTURE@", "@INSTALLED_KIB@", "@DEPENDS@"] {
            assert_eq!(control.matches(value).count(), 1, "{value}");
        }
        assert!(control.contains(&format!("\nMaintainer: {MAINTAINER}\n")));
        let text = copyright().unwrap();
        assert!(text.contains("\n Permission is hereby granted"), "{text}");
        // A paragraph of its own for each licence, and none that an empty line has cut.
        assert_eq!(text.split("\n\n").count(), 4, "{text}");
    }
}
