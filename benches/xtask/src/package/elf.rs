//! What a program is for and what it needs, read from its headers.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::process;

/// How a program is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// To the C library of the system.
    Dynamic,
    /// To nothing.
    Static,
}

/// Headers of a program.
#[derive(Debug, PartialEq, Eq)]
pub struct Elf {
    /// The processor, as readelf(1) calls it.
    pub machine: String,
    /// Libraries it needs.
    needed: Vec<String>,
    /// Latest version of each library's interface it needs, by its prefix: `GLIBC` → 2.34.
    versions: BTreeMap<String, Vec<u32>>,
    /// Whether the names of its functions are in it.
    pub has_symbols: bool,
}

/// What the C library calls that it reads packed relocations, and since when it does.
const PACKED: (&str, [u32; 2]) = ("GLIBC_ABI_DT_RELR", [2, 36]);

impl Elf {
    /// Reads the headers of a program.
    ///
    /// # Errors
    /// That the file is none.
    pub fn read(program: &Path) -> Result<Self, String> {
        let wide = ["--wide", "--file-header", "--section-headers", "--dynamic", "--version-info"];
        Self::parse(&process::output(Command::new("readelf").args(wide).arg(program).env("LC_ALL", "C"))?)
            .ok_or_else(|| format!("{}: no program", program.display()))
    }

    fn parse(text: &str) -> Option<Self> {
        let machine = text.lines().find_map(|line| line.trim().strip_prefix("Machine:"))?.trim().to_owned();
        let library = |line: &str| Some(line.split_once("Shared library: [")?.1.split(']').next()?.to_owned());
        let needed = text.lines().filter(|line| line.contains("(NEEDED)")).filter_map(library).collect();
        let mut versions: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for name in text.lines().filter_map(|line| line.split_once(" Name: ")?.1.split_whitespace().next()) {
            let Some((library, version)) = name.split_once('_') else { continue };
            let version = match name == PACKED.0 {
                true => Ok(PACKED.1.to_vec()),
                false => version.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>(),
            };
            let Ok(version) = version else { continue };
            let latest = versions.entry(library.to_owned()).or_default();
            *latest = version.max(std::mem::take(latest));
        }
        let has_symbols = text.lines().any(|line| line.contains(" .symtab "));
        Some(Self { machine, needed, versions, has_symbols })
    }

    /// Tells how the program is linked.
    pub fn linkage(&self) -> Linkage {
        if self.needed.is_empty() { Linkage::Static } else { Linkage::Dynamic }
    }

    /// Returns Debian's packages of the libraries, with the versions that have what is needed.
    ///
    /// # Errors
    /// A library that nobody has told the package of.
    pub fn depends(&self) -> Result<String, String> {
        let mut packages = Vec::new();
        for library in &self.needed {
            let package = match library.as_str() {
                "libc.so.6" | "libm.so.6" => {
                    let version = self.versions.get("GLIBC").ok_or("the C library has no version")?;
                    let version = version.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
                    format!("libc6 (>= {version})")
                }
                name if name.starts_with("ld-linux") => continue,
                // Since Debian 10 with every interface that a Rust program calls.
                "libgcc_s.so.1" => "libgcc-s1".to_owned(),
                other => return Err(format!("{other}: in which package of Debian is it?")),
            };
            if !packages.contains(&package) {
                packages.push(package);
            }
        }
        Ok(packages.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DYNAMIC: &str = "  Machine:                           AArch64\n \
        0x0000000000000001 (NEEDED)             Shared library: [libgcc_s.so.1]\n \
        0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]\n \
        0x0000000000000001 (NEEDED)             Shared library: [ld-linux-aarch64.so.1]\n  \
        0x0010:   Name: GLIBC_2.9  Flags: none  Version: 12\n  \
        0x0020:   Name: GLIBC_2.34  Flags: none  Version: 7\n  \
        0x0030:   Name: GCC_3.0  Flags: none  Version: 8\n";

    #[test]
    fn a_program_says_what_it_needs() {
        let elf = Elf::parse(DYNAMIC).unwrap();
        assert_eq!((elf.machine.as_str(), elf.linkage()), ("AArch64", Linkage::Dynamic));
        assert_eq!(elf.depends().unwrap(), "libgcc-s1, libc6 (>= 2.34)");
        let packed = Elf::parse(&DYNAMIC.replace("GLIBC_2.9 ", "GLIBC_ABI_DT_RELR ")).unwrap();
        assert_eq!(packed.depends().unwrap(), "libgcc-s1, libc6 (>= 2.36)");
        let other = Elf::parse(&DYNAMIC.replace("libgcc_s", "libssl")).unwrap();
        assert!(other.depends().unwrap_err().contains("libssl.so.1"));
    }

    #[test]
    fn names_of_functions_are_seen() {
        assert!(!Elf::parse(DYNAMIC).unwrap().has_symbols);
        let symbols = "  [34] .symtab           SYMTAB          0000000000000000 98d318 0b5a30 18     36 30867  8\n";
        assert!(Elf::parse(&format!("{DYNAMIC}{symbols}")).unwrap().has_symbols);
    }

    #[test]
    fn one_that_needs_nothing_is_static() {
        let elf = Elf::parse("  Machine:    ARM\nThere is no dynamic section in this file.\n").unwrap();
        assert_eq!((elf.machine.as_str(), elf.linkage()), ("ARM", Linkage::Static));
        assert_eq!(Elf::parse("readelf: Error: Not an ELF file"), None);
    }
}
