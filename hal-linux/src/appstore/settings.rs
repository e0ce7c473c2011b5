//! Where the registry is, as npm is told: by its environment variables, else by `.npmrc`, else npm's public one.

use std::fmt;
use std::path::{Path, PathBuf};

/// The registry of everybody who names none (npm, `config`, "registry").
const PUBLIC_REGISTRY: &str = "https://registry.npmjs.org/";
/// Bytes of an `.npmrc`.
const NPMRC_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of a file with certificates.
const CERTIFICATES_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What npm would use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Address of the registry, ends with `/`.
    pub registry: String,
    /// Registries of single scopes (`@acme:registry=`), ends with `/`.
    scopes: Vec<(String, String)>,
    /// Certificates to trust in place of those that Mozilla trusts, as PEM (`cafile=`).
    pub certificates: Option<Vec<u8>>,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// An address of a registry is no `http://` or `https://`.
    Address(String),
    /// A file is not readable, with the reason.
    File(String),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) => write!(f, "npm's setting `registry` is no http:// or https:// address: {text}"),
            Self::File(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads the settings of this user.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn of_user() -> Result<Self, SettingsError> {
        let variable = |name: &str| std::env::var(name).ok();
        let path = setting(&variable, "userconfig").map(PathBuf::from);
        let path = path.or_else(|| Some(std::env::home_dir()?.join(".npmrc")));
        let npmrc = match path.filter(|path| path.is_file()) {
            Some(path) => read(&path, NPMRC_BYTES_MAX)?,
            None => Vec::new(),
        };
        Self::read(variable, &String::from_utf8_lossy(&npmrc))
    }

    /// Reads the settings from environment variables and the text of an `.npmrc`.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn read(variable: impl Fn(&str) -> Option<String>, npmrc: &str) -> Result<Self, SettingsError> {
        let lines: Vec<(String, String)> = npmrc.lines().filter_map(|line| line_of(line, &variable)).collect();
        // As in npm the environment comes first, and of two lines the last holds.
        let find = |name: &str| {
            let line = || lines.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            setting(&variable, name).or_else(line).filter(|value| !value.is_empty())
        };
        let registry = address(find("registry").unwrap_or_else(|| PUBLIC_REGISTRY.into()))?;
        let mut scopes = Vec::new();
        for (key, value) in &lines {
            if let Some(scope) = key.strip_suffix(":registry").filter(|scope| scope.starts_with('@')) {
                scopes.push((scope.to_owned(), address(value.clone())?));
            }
        }
        let certificates = find("cafile").map(|path| read(Path::new(&path), CERTIFICATES_BYTES_MAX)).transpose()?;
        Ok(Self { registry, scopes, certificates })
    }

    /// Returns the registry of a package.
    #[must_use]
    pub fn registry_of(&self, name: &str) -> &str {
        let scope = name.split_once('/').map(|(scope, _)| scope);
        let own = self.scopes.iter().rev().find(|(of, _)| Some(of.as_str()) == scope);
        own.map_or(&self.registry, |(_, address)| address)
    }
}

/// Reads an environment variable of npm, which are written small or large.
fn setting(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    let small = format!("npm_config_{name}");
    let large = small.to_ascii_uppercase();
    variable(&small).or_else(|| variable(&large)).filter(|value| !value.is_empty())
}

/// Reads a line of an `.npmrc`: `key = value`, `;` and `#` begin comments, `${NAME}` is a variable of the environment.
fn line_of(line: &str, variable: &impl Fn(&str) -> Option<String>) -> Option<(String, String)> {
    let line = line.trim();
    if line.starts_with([';', '#']) {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    let (mut out, mut rest) = (String::new(), value.trim().trim_matches('"'));
    while let Some((before, name, behind)) = rest.split_once("${").and_then(|(before, rest)| {
        let (name, behind) = rest.split_once('}')?;
        Some((before, name, behind))
    }) {
        out.push_str(before);
        out.push_str(&variable(name).unwrap_or_default());
        rest = behind;
    }
    out.push_str(rest);
    Some((key.trim().to_owned(), out))
}

fn address(text: String) -> Result<String, SettingsError> {
    let uri: Option<ureq::http::Uri> = text.parse().ok();
    let is_http = uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    if !is_http || text.contains(['?', '#', '@']) {
        return Err(SettingsError::Address(text));
    }
    Ok(if text.ends_with('/') { text } else { format!("{text}/") })
}

fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, SettingsError> {
    crate::packages::read(path, bytes_max).map_err(|error| SettingsError::File(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_environment_comes_before_the_file_and_that_before_everybodys() {
        assert_eq!(Settings::read(nothing, "").unwrap().registry, PUBLIC_REGISTRY);
        let npmrc = "; a comment\nregistry = http://boat:4873\n@acme:registry=\"https://acme.example/npm/\"\n";
        let settings = Settings::read(nothing, npmrc).unwrap();
        assert_eq!(settings.registry, "http://boat:4873/");
        assert_eq!(settings.registry_of("@acme/tide"), "https://acme.example/npm/");
        assert_eq!(settings.registry_of("@other/tide"), "http://boat:4873/");
        let variable = |name: &str| (name == "NPM_CONFIG_REGISTRY").then(|| "http://other".to_owned());
        assert_eq!(Settings::read(variable, npmrc).unwrap().registry, "http://other/");
        let named = |name: &str| (name == "WHERE").then(|| "there".to_owned());
        assert_eq!(Settings::read(named, "registry=http://${WHERE}/x${NONE}").unwrap().registry, "http://there/x/");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["boat", "file:///etc/passwd", "ftp://boat/", "http://", "http://name:word@boat/"] {
            let read = Settings::read(nothing, &format!("registry={text}"));
            assert!(matches!(read, Err(SettingsError::Address(_))), "{text}: {read:?}");
        }
        assert!(matches!(Settings::read(nothing, "cafile=/not/there"), Err(SettingsError::File(_))));
    }
}
