//! New plugin packages, written from templates that are inside the binary.

use std::fs;
use std::io;
use std::path::Path;

/// Language of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// `no_std` Rust with the toolkit `skiff-plugin`, which comes along: nothing but Rust is needed.
    Rust,
    /// AssemblyScript with the published Signal K SDK; needs npm.
    Assemblyscript,
}

/// Path in the package and text of a file.
type File = (&'static str, &'static str);

const RUST: &[File] = &[
    (".gitignore", include_str!("../../templates/gitignore")),
    ("README.md", include_str!("../../templates/rust/README.md")),
    ("package.json", include_str!("../../templates/rust/package.json")),
    ("Cargo.toml", include_str!("../../templates/rust/plugin.toml")),
    (".cargo/config.toml", include_str!("../../templates/rust/.cargo/config.toml")),
    ("src/lib.rs", include_str!("../../templates/rust/src/lib.rs")),
    ("sdk/skiff-plugin/Cargo.toml", include_str!("../../templates/rust/skiff-plugin.toml")),
    ("sdk/skiff-plugin/src/boundary.rs", include_str!("../../../plugins/sdk/src/boundary.rs")),
    ("sdk/skiff-plugin/src/host.rs", include_str!("../../../plugins/sdk/src/host.rs")),
    ("sdk/skiff-plugin/src/json.rs", include_str!("../../../plugins/sdk/src/json.rs")),
    ("sdk/skiff-plugin/src/lib.rs", include_str!("../../../plugins/sdk/src/lib.rs")),
    ("sdk/skiff-plugin/src/memory.rs", include_str!("../../../plugins/sdk/src/memory.rs")),
    ("sdk/skiff-plugin/src/text.rs", include_str!("../../../plugins/sdk/src/text.rs")),
    ("sdk/skiff-plugin/src/time.rs", include_str!("../../../plugins/sdk/src/time.rs")),
    ("sdk/skiff-abi/Cargo.toml", include_str!("../../templates/rust/skiff-abi.toml")),
    ("sdk/skiff-abi/src/capability.rs", include_str!("../../../runtime/abi/src/capability.rs")),
    ("sdk/skiff-abi/src/export.rs", include_str!("../../../runtime/abi/src/export.rs")),
    ("sdk/skiff-abi/src/import.rs", include_str!("../../../runtime/abi/src/import.rs")),
    ("sdk/skiff-abi/src/lib.rs", include_str!("../../../runtime/abi/src/lib.rs")),
    ("sdk/skiff-abi/src/table.rs", include_str!("../../../runtime/abi/src/table.rs")),
    ("sdk/skiff-abi/src/values.rs", include_str!("../../../runtime/abi/src/values.rs")),
];

const ASSEMBLYSCRIPT: &[File] = &[
    (".gitignore", include_str!("../../templates/gitignore")),
    ("README.md", include_str!("../../templates/assemblyscript/README.md")),
    ("package.json", include_str!("../../templates/assemblyscript/package.json")),
    ("asconfig.json", include_str!("../../templates/assemblyscript/asconfig.json")),
    ("assembly/index.ts", include_str!("../../templates/assemblyscript/assembly/index.ts")),
];

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
    let files = match language {
        Language::Rust => RUST,
        Language::Assemblyscript => ASSEMBLYSCRIPT,
    };
    for (path, text) in files {
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
    fn every_source_of_the_crates_that_a_plugin_needs_is_in_it() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (folder, written) in [("plugins/sdk/src", "sdk/skiff-plugin/src"), ("runtime/abi/src", "sdk/skiff-abi/src")]
        {
            for entry in fs::read_dir(top.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let wanted = format!("{written}/{name}");
                assert!(RUST.iter().any(|(path, _)| *path == wanted), "{wanted} is missing");
            }
        }
    }

    #[test]
    fn a_package_is_written_once_and_says_its_name() {
        let home = tempfile::tempdir().unwrap();
        for (language, source) in [(Language::Rust, "src/lib.rs"), (Language::Assemblyscript, "assembly/index.ts")] {
            let folder = home.path().join(source.replace('/', "-"));
            write("@acme/tide-table", language, &folder).unwrap();
            let json = fs::read(folder.join("package.json")).unwrap();
            assert_eq!(Manifest::parse(&json).unwrap().wasm_path, "plugin.wasm");
            let text = fs::read_to_string(folder.join(source)).unwrap();
            assert!(text.contains("@acme/tide-table") && text.contains("Tide table"), "{text}");
            assert!(!text.contains("{{"), "{text}");
            let again = write("@acme/tide-table", language, &folder).unwrap_err();
            assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        }
    }
}
