//! New plugin packages, written from templates that are inside the binary.

use std::fs;
use std::io;
use std::path::Path;

use super::files::{self, File};

/// Language of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// `no_std` Rust with the toolkit `skiff-plugin`, which comes along: nothing but Rust is needed.
    Rust,
    /// AssemblyScript with the published Signal K SDK and a toolkit that comes along; needs npm.
    Assemblyscript,
    /// C with the header `skiff.h`, which comes along; needs clang and lld.
    C,
    /// Zig with the module `skiff.zig`, which comes along; needs zig.
    Zig,
    /// Go with the package `skiff`, which comes along; needs go, and is for Linux gateways.
    Go,
}

impl Language {
    /// Its files, and those of its toolkit.
    fn files(self) -> &'static [&'static [File]] {
        match self {
            Self::Rust => &[files::RUST, files::RUST_TOOLKIT, files::RUST_ABI],
            Self::Assemblyscript => &[files::ASSEMBLYSCRIPT, files::ASSEMBLYSCRIPT_TOOLKIT],
            Self::C => &[files::C, files::C_TOOLKIT],
            Self::Zig => &[files::ZIG, files::C_TOOLKIT],
            Self::Go => &[files::GO, files::GO_TOOLKIT],
        }
    }
}

/// Checks the name of a new package: what npm takes, and a Rust crate can be called after.
///
/// # Errors
/// A clause that says what is allowed.
pub fn check_name(name: &str) -> Result<(), String> {
    let part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
    };
    let well_formed = match name.split_once('/') {
        Some((scope, rest)) => scope.strip_prefix('@').is_some_and(part) && part(rest),
        None => part(name),
    };
    if well_formed && name.len() <= 100 {
        return Ok(());
    }
    Err("write a package name such as tide or @acme/tide: lower case letters, digits, - and _, at most 100".into())
}

/// Returns the last part of a package name, the usual name of its folder.
#[must_use]
pub fn folder_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Writes a new package into `folder`, which must be missing or empty.
///
/// # Errors
/// What the system said, or that something is there already.
pub fn write(name: &str, language: Language, folder: &Path) -> io::Result<()> {
    match fs::read_dir(folder).map(Iterator::count) {
        Ok(0) => {}
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the folder is not empty")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    for (path, text) in [files::ALL].iter().chain(language.files()).copied().flatten() {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, filled(text, name))?;
    }
    Ok(())
}

fn filled(text: &str, name: &str) -> String {
    let short = folder_name(name);
    let title: String = short.replace(['-', '_'], " ");
    let mut letters = title.chars();
    let title =
        letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str());
    text.replace("{{name}}", name).replace("{{crate}}", short).replace("{{title}}", &title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_runtime::package::Manifest;

    #[test]
    fn names_are_those_of_npm_that_can_be_crates() {
        for name in ["tide", "@acme/tide", "a-b_c9"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "Tide", "9tide", "@acme", "@acme/", "a/b", "@acme/tide/x", "../x", "a b", &"a".repeat(101)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_source_of_the_toolkits_is_in_a_template() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (folder, written, files) in [
            ("plugins/sdk/src", "sdk/skiff-plugin/src", files::RUST_TOOLKIT),
            ("runtime/abi/src", "sdk/skiff-abi/src", files::RUST_ABI),
            ("plugins/assemblyscript/toolkit/assembly", "toolkit/assembly", files::ASSEMBLYSCRIPT_TOOLKIT),
            ("plugins/go/skiff", "skiff", files::GO_TOOLKIT),
        ] {
            for entry in fs::read_dir(top.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let wanted = format!("{written}/{name}");
                assert!(files.iter().any(|(path, _)| *path == wanted), "{wanted} is missing");
            }
        }
    }

    #[test]
    fn a_package_is_written_once_and_says_its_name() {
        let home = tempfile::tempdir().unwrap();
        for (language, source) in [
            (Language::Rust, "src/lib.rs"),
            (Language::Assemblyscript, "assembly/index.ts"),
            (Language::C, "plugin.c"),
            (Language::Zig, "plugin.zig"),
            (Language::Go, "plugin.go"),
        ] {
            let folder = home.path().join(source.replace('/', "-"));
            write("@acme/tide-table", language, &folder).unwrap();
            let json = fs::read(folder.join("package.json")).unwrap();
            // Skiff takes the module with pages of one byte where there is one.
            let module = if language == Language::Rust { "plugin-small.wasm" } else { "plugin.wasm" };
            assert_eq!(Manifest::parse(&json).unwrap().wasm_path, module);
            let text = fs::read_to_string(folder.join(source)).unwrap();
            assert!(text.contains("@acme/tide-table") && text.contains("Tide table"), "{text}");
            assert!(!text.contains("{{"), "{text}");
            let again = write("@acme/tide-table", language, &folder).unwrap_err();
            assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        }
    }
}
