//! What people install: a Debian package and a static archive for each processor, with hashes.
//!
//! The Debian package holds the program that `cargo build --release` makes, linked to the system's C library; the archive one
//! that is linked to nothing (musl) and runs on any Linux, in a container of nothing else too. Both hold manual
//! pages, completions, the unit and the licences of everything that is in the program.

mod bundled;
mod chroots;
mod contents;
mod deb;
mod elf;
mod manual;
mod notice;
mod systems;
mod tarball;
mod zig;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::process;
use contents::Contents;
use elf::{Elf, Linkage};
use systems::{SYSTEMS, System};

/// Where packages are put, below the target folder.
const FOLDER: &str = "package";
/// Where those are that are not for giving away, below it.
const QUICK: &str = "quick";
/// Ends of the names of packages.
const ENDS: [&str; 2] = [".deb", ".tar.gz"];
/// Names and hashes of what is there, as `sha256sum -c` reads them.
const HASHES: &str = "SHA256SUMS";

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    /// Debian's names of processors; all where none is named.
    systems: Vec<String>,
    /// Programs that were built already; nothing is built then.
    programs: Vec<PathBuf>,
    only: Option<Linkage>,
    is_tried: bool,
    /// Programs for other systems are not optimised: to try packages, not to give them away.
    is_quick: bool,
}

impl Asked {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut asked = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--deb" => asked.only = Some(Linkage::Dynamic),
                "--static" => asked.only = Some(Linkage::Static),
                "--try" => asked.is_tried = true,
                "--quick" => asked.is_quick = true,
                "--skiff" => asked.programs.push(words.next().ok_or("--skiff needs a file")?.into()),
                name if SYSTEMS.iter().any(|system| system.debian == name) => asked.systems.push(name.to_owned()),
                _ => {
                    let names = SYSTEMS.map(|system| system.debian).join(", ");
                    return Err(format!(
                        "{word}: give processors ({names}), --deb, --static, --skiff FILE, --quick, --try"
                    ));
                }
            }
        }
        let chooses = !asked.systems.is_empty() || asked.only.is_some();
        if !asked.programs.is_empty() && chooses {
            return Err("a file of --skiff says by itself which processor it is for, and how it is linked".into());
        }
        Ok(asked)
    }

    fn systems(&self) -> impl Iterator<Item = &'static System> {
        SYSTEMS.iter().filter(|system| self.systems.is_empty() || self.systems.iter().any(|name| name == system.debian))
    }
}

/// Runs `xtask package [amd64|arm64|armhf]… [--deb|--static] [--skiff FILE]… [--quick] [--try]`.
///
/// # Errors
/// What cannot be built, packed or, with `--try`, does not work where it was installed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let asked = Asked::parse(arguments)?;
    let mut folder = process::target().join(FOLDER);
    if asked.is_quick {
        folder.push(QUICK);
    }
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let began = Instant::now();
    let (programs, left_out) = programs(&asked)?;
    let manual = manual::make(&folder.join("manual"), asked.is_tried)?;
    println!("-- programs and manual are there ({} s)", began.elapsed().as_secs());
    let mut made = Vec::new();
    for program in &programs {
        let elf = Elf::read(program)?;
        if elf.has_symbols && !asked.is_quick {
            return Err(format!(
                "{}: it has names of functions, so the release build did not make it",
                program.display()
            ));
        }
        let system = SYSTEMS.iter().find(|system| system.machine == elf.machine);
        let system = system.ok_or_else(|| format!("{}: nobody asked for {}", program.display(), elf.machine))?;
        let contents = Contents { system, program, elf: &elf, manual: &manual };
        let file = match elf.linkage() {
            Linkage::Dynamic => deb::make(&folder, &contents)?,
            Linkage::Static => tarball::make(&folder, &contents)?,
        };
        println!("{} ({} bytes)", file.display(), length(&file)?);
        made.push((system, elf.linkage(), file));
    }
    print!("{}", hash(&folder)?);
    println!("-- packed ({} s)", began.elapsed().as_secs());
    if asked.is_tried {
        for (system, linkage, file) in &made {
            chroots::try_out(system, *linkage, file)?;
        }
        println!("-- tried ({} s)", began.elapsed().as_secs());
    }
    if asked.is_quick {
        println!("--quick: programs for other systems are not optimised, and not for giving away");
    }
    left_out.iter().for_each(|line| println!("{line}"));
    Ok(())
}

/// Makes the Debian package of this machine's processor and returns it.
///
/// # Errors
/// What cannot be built or packed.
pub fn deb_of_this_machine() -> Result<PathBuf, String> {
    let system = SYSTEMS.iter().find(|system| system.is_here()).ok_or("no package is made for this processor")?;
    run(&[system.debian.to_owned(), "--deb".to_owned()])?;
    Ok(process::target().join(FOLDER).join(deb::file_name(system)))
}

/// Returns the programs to pack, and what cannot be built on this machine.
fn programs(asked: &Asked) -> Result<(Vec<PathBuf>, Vec<String>), String> {
    if !asked.programs.is_empty() {
        return Ok((asked.programs.clone(), Vec::new()));
    }
    let (mut built, mut left_out) = (Vec::new(), Vec::new());
    for system in asked.systems() {
        for linkage in [Linkage::Dynamic, Linkage::Static] {
            if asked.only.is_some_and(|only| only != linkage) {
                continue;
            }
            let began = Instant::now();
            match system.prepare(linkage) {
                Ok(builder) => built.push(system.build(&builder, linkage, asked.is_quick)?),
                Err(reason) => {
                    left_out.push(format!("{}, {linkage:?}: NOT BUILT on this machine: {reason}", system.debian));
                    continue;
                }
            }
            println!("-- {}, {linkage:?}: built ({} s)", system.debian, began.elapsed().as_secs());
        }
    }
    if built.is_empty() { Err(left_out.join("; ")) } else { Ok((built, left_out)) }
}

/// Writes the hashes of all packages that are there, in the order of their names: they need not be made in one go.
fn hash(folder: &Path) -> Result<String, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| ENDS.iter().any(|end| name.ends_with(end))).collect();
    names.sort();
    let mut text = String::new();
    for name in names {
        text.push_str(&format!("{}  {name}\n", process::sha256(&folder.join(&name))?));
    }
    process::write(&folder.join(HASHES), &text)?;
    Ok(text)
}

fn length(file: &Path) -> Result<u64, String> {
    fs::metadata(file).map(|data| data.len()).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked, String> {
        Asked::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn packages_are_hashed_wherever_they_were_made() {
        let folder = process::target().join("package-hash-test");
        for name in ["b.deb", "a.tar.gz", "base.tar", "manual/c.deb"] {
            process::write(&folder.join(name), name).unwrap();
        }
        let text = hash(&folder).unwrap();
        let names: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert_eq!(names, ["a.tar.gz", "b.deb"]);
        assert_eq!(fs::read_to_string(folder.join(HASHES)).unwrap(), text);
    }

    #[test]
    fn what_is_packed_can_be_chosen() {
        assert_eq!(asked("").unwrap().systems().count(), 3);
        let some = asked("arm64 --deb --quick --try").unwrap();
        assert_eq!(some.systems().map(|system| system.debian).collect::<Vec<_>>(), ["arm64"]);
        assert_eq!((some.only, some.is_quick, some.is_tried), (Some(Linkage::Dynamic), true, true));
        assert_eq!(asked("--skiff a --skiff b").unwrap().programs, [PathBuf::from("a"), PathBuf::from("b")]);
        for (line, clause) in
            [("riscv64", "amd64, arm64, armhf"), ("--skiff", "needs a file"), ("arm64 --skiff a", "by itself")]
        {
            assert!(asked(line).unwrap_err().contains(clause), "{line}");
        }
    }
}
