//! `skiff plugin`: administration, of a running gateway or of the configuration folder.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use axum::http::Method;
use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Map, Value, json};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::PluginConfig;
use skiff_runtime::hal::{Key, Storage, StorageError};
use skiff_runtime::host::ModuleFacts;
use skiff_runtime::package::{Package, Unpacked, plugin_id, store};

use super::author;
use super::client::{Answer, Body, Client, ClientError};
use super::exit::{self, Failure};
use super::run::{ADDRESS_FILE, TOKEN_FILE};
use super::talk::{print, sanitised};
use crate::hal::Folder;
use crate::packages::{self, unpacked};

/// Install, list, configure, reload and remove plugins
///
/// Talks to the gateway that runs on the configuration folder, or to the one at --url; when none runs, it reads and
/// writes the folder itself, and the next `skiff run` takes it from there.
#[derive(Debug, ClapArgs)]
#[command(
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
    skiff plugin install tide-1.0.0.tgz\n  \
    skiff plugin list\n  \
    skiff plugin logs @acme/tide\n  \
    skiff plugin enable @skiff/true-wind\n  \
    skiff plugin config @skiff/shallow-water-alarm --set alarm.json\n  \
    skiff plugin config @skiff/shallow-water-alarm\n  \
    skiff plugin new tide && cd tide && skiff plugin dev\n\n\
    Changes of a running gateway need its token: it is read from skiff/token in the configuration folder,\n\
    or from the environment variable SKIFF_TOKEN."
)]
pub struct Args {
    /// Configuration folder [default: ~/.skiff]
    #[arg(long, value_name = "DIR", global = true)]
    config: Option<PathBuf>,

    /// Address of a running gateway [default: the one that runs on the configuration folder]
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(flatten)]
    Administer(Administer),
    #[command(flatten)]
    Author(author::Verb),
}

#[derive(Debug, Subcommand)]
enum Administer {
    /// List the plugins
    List {
        /// As JSON, one array
        #[arg(long)]
        json: bool,
    },
    /// Install a package, or put another version in place of the one that is there
    Install {
        /// An `npm pack` .tgz
        #[arg(value_name = "PACKAGE.tgz")]
        package: PathBuf,
    },
    /// Remove a package that was installed with `install`; its configuration stays
    Remove {
        /// Package name or id
        name: String,
    },
    /// Read a plugin's files again and put that version in place, in a running gateway
    Reload {
        /// Package name or id
        name: String,
    },
    /// Show everything that is known of a plugin: state, reason, memory, drops
    Inspect {
        /// Package name or id
        name: String,
    },
    /// Show what a plugin has logged, in a running gateway
    Logs {
        /// Package name or id
        name: String,
    },
    /// Enable a plugin, and start it in a running gateway
    Enable {
        /// Package name or id
        name: String,
    },
    /// Disable a plugin, and stop it in a running gateway
    Disable {
        /// Package name or id
        name: String,
    },
    /// Show or set the configuration of a plugin
    Config {
        /// Package name or id
        name: String,

        /// Replace the configuration by the JSON object in FILE, - for standard input
        #[arg(long, value_name = "FILE", conflicts_with = "get")]
        set: Option<PathBuf>,

        /// Show the configuration, the default
        #[arg(long)]
        get: bool,
    },
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    match &args.verb {
        Verb::Administer(verb) => administer(args, verb),
        Verb::Author(verb) => author::command(verb),
    }
}

fn administer(args: &Args, verb: &Administer) -> Result<(), Failure> {
    let config_bytes_max = Limits::of(Board::Linux).plugin.config_bytes_max;
    // Read before anyone is asked, so that a bad file changes nothing.
    let configuration = match verb {
        Administer::Config { set: Some(path), .. } => Some(read_configuration(path, config_bytes_max)?),
        _ => None,
    };
    let folder = match (&args.config, &args.url) {
        (Some(folder), _) => folder.clone(),
        (None, _) => super::default_config()?,
    };
    let mut target = Target::find(folder, args.url.as_deref())?;
    match verb {
        Administer::List { json } => list(&mut target, *json),
        Administer::Install { package } => target.install(package),
        Administer::Remove { name } => target.remove(name),
        Administer::Reload { name } => {
            let id = target.id(name)?;
            target.running("reload")?.post(&format!("/skiff/v1/plugins/{id}/reload"), None)?;
            log::info!("{name}: reloaded");
            Ok(())
        }
        Administer::Inspect { name } => {
            let id = target.id(name)?;
            let (rows, _) = target.rows()?;
            let row =
                rows.as_array().into_iter().flatten().find(|row| row.get("id").and_then(Value::as_str) == Some(&*id));
            show(row.unwrap_or(&Value::Null))
        }
        Administer::Logs { name } => {
            let id = target.id(name)?;
            let lines = target.running("logs")?.get(&format!("/skiff/v1/plugins/{id}/log"))?;
            print(String::from_utf8_lossy(&lines).lines().map(sanitised))
        }
        Administer::Enable { name } => target.change(name, &Change::Enabled(true)),
        Administer::Disable { name } => target.change(name, &Change::Enabled(false)),
        Administer::Config { name, .. } => match configuration {
            Some(configuration) => target.change(name, &Change::Configuration(configuration)),
            None => show(&target.configuration(name)?),
        },
    }
}

/// What is changed of a plugin.
enum Change {
    Enabled(bool),
    /// Compact JSON object.
    Configuration(String),
}

/// A JSON object of at most `limit_bytes`, compact; the error is an exit code and its reason.
pub fn read_object(input: impl Read, limit_bytes: u32) -> Result<String, (u8, String)> {
    let mut text = String::new();
    let limit = u64::from(limit_bytes);
    let read = input.take(limit.saturating_add(1)).read_to_string(&mut text);
    read.map_err(|error| {
        (
            if error.kind() == io::ErrorKind::InvalidData { exit::INPUT_CORRUPT } else { exit::INPUT_MISSING },
            error.to_string(),
        )
    })?;
    if u64::try_from(text.len()).is_ok_and(|length| length > limit) {
        return Err((exit::INPUT_CORRUPT, format!("longer than the {limit} bytes that are allowed")));
    }
    let text = text.trim_start_matches('\u{feff}');
    match skiff_runtime::json::compact(text) {
        Ok(object) if object.starts_with('{') => Ok(object),
        Ok(_) => Err((exit::INPUT_CORRUPT, "not a JSON object".into())),
        Err(error) => Err((exit::INPUT_CORRUPT, format!("not a JSON object: {error}"))),
    }
}

fn read_configuration(path: &Path, limit_bytes: u32) -> Result<String, Failure> {
    let failure = |(code, reason): (u8, String)| Failure::new(code, format_args!("{}: {reason}", path.display()));
    if path == Path::new("-") {
        return read_object(io::stdin().lock(), limit_bytes).map_err(failure);
    }
    let file = File::open(path).map_err(|error| failure((exit::INPUT_MISSING, error.to_string())))?;
    read_object(file, limit_bytes).map_err(failure)
}

/// One plugin in a listing.
struct Row {
    id: String,
    package: String,
    version: String,
    state: String,
    reason: String,
}

/// Where plugins are administered.
enum Target {
    Gateway(Client),
    Folder(Folder),
}

impl Target {
    /// Finds the gateway that is meant, or takes the folder when none runs.
    fn find(folder: PathBuf, url: Option<&str>) -> Result<Self, Failure> {
        let mut storage = Folder::new(folder);
        let token = std::env::var("SKIFF_TOKEN").ok().filter(|token| !token.is_empty());
        let token = token.or_else(|| read_text(&mut storage, TOKEN_FILE).map(|token| token.trim().to_owned()));
        if let Some(url) = url {
            let client =
                Client::new(url, token).map_err(|error| Failure::new(exit::USAGE, format_args!("{url}: {error}")))?;
            return Ok(Self::Gateway(client));
        }
        let kept = read_text(&mut storage, ADDRESS_FILE)
            .and_then(|text| serde_json::from_str::<Value>(&text).ok()?.get("url")?.as_str().map(str::to_owned));
        let Some(client) = kept.and_then(|url| Client::new(&url, token).ok()) else {
            return Ok(Self::Folder(storage));
        };
        match client.send(Method::GET, "/signalk", None) {
            Ok(_) => Ok(Self::Gateway(client)),
            Err(error) => {
                log::debug!("{error}; the configuration folder is used");
                Ok(Self::Folder(storage))
            }
        }
    }

    /// Returns the rows as JSON and as a table has them.
    fn rows(&mut self) -> Result<(Value, Vec<Row>), Failure> {
        match self {
            Self::Gateway(client) => {
                let rows: Value = parse(&ask(client, Method::GET, "/skServer/plugins", None)?)?;
                let table = rows.as_array().into_iter().flatten().map(|row| {
                    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
                    let reason =
                        row.get("skiff").and_then(|skiff| skiff.get("reason")).filter(|reason| reason.is_string());
                    Row {
                        id: text(row.get("id")),
                        package: text(row.get("packageName")),
                        version: text(row.get("version")),
                        state: text(row.get("state")),
                        reason: text(reason.or_else(|| row.get("statusMessage"))),
                    }
                });
                let table = table.collect();
                Ok((rows, table))
            }
            Self::Folder(folder) => offline_rows(folder),
        }
    }

    /// Finds a plugin by its package name or id.
    fn id(&mut self, name: &str) -> Result<String, Failure> {
        let (_, rows) = self.rows()?;
        if let Some(row) = rows.iter().find(|row| row.package == name || row.id == name) {
            return Ok(row.id.clone());
        }
        let known = rows.iter().map(|row| &*row.package).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "there is none".to_owned() } else { format!("there are {known}") };
        Err(Failure::new(exit::INPUT_MISSING, format_args!("no plugin is named {name}; {known}")))
    }

    fn configuration(&mut self, name: &str) -> Result<Value, Failure> {
        let id = self.id(name)?;
        let text = match self {
            Self::Gateway(client) => {
                let mut stored: Value =
                    parse(&ask(client, Method::GET, &format!("/skServer/plugins/{id}/config"), None)?)?;
                return Ok(stored.get_mut("configuration").map_or_else(|| json!({}), Value::take));
            }
            Self::Folder(folder) => load(folder, &id)?.configuration.unwrap_or_else(|| "{}".into()),
        };
        parse(text.as_bytes())
    }

    fn change(&mut self, name: &str, change: &Change) -> Result<(), Failure> {
        let id = self.id(name)?;
        match self {
            Self::Gateway(client) => {
                let body = match change {
                    Change::Enabled(enabled) => format!("{{\"enabled\":{enabled}}}"),
                    Change::Configuration(configuration) => format!("{{\"configuration\":{configuration}}}"),
                };
                ask(client, Method::POST, &format!("/skServer/plugins/{id}/config"), Some(Body::Json(body)))?;
                log::info!("{name}: {}", change.done());
            }
            Self::Folder(folder) => {
                let mut config = load(folder, &id)?;
                match change {
                    Change::Enabled(enabled) => config.enabled = Some(*enabled),
                    Change::Configuration(configuration) => config.configuration = Some(configuration.clone()),
                }
                config.save(folder, &id).map_err(|error| {
                    Failure::new(exit::VERDICT, format_args!("{}/{error}", folder.root().display()))
                })?;
                log::info!("{name}: {}; takes effect at the next start of the gateway", change.done());
            }
        }
        Ok(())
    }
}

/// What only a running gateway does.
struct Running<'t>(&'t Client);

impl Running<'_> {
    fn get(&self, path: &str) -> Result<Vec<u8>, Failure> {
        ask(self.0, Method::GET, path, None)
    }

    fn post(&self, path: &str, body: Option<Body>) -> Result<Vec<u8>, Failure> {
        ask(self.0, Method::POST, path, body)
    }
}

impl Target {
    fn running(&self, verb: &str) -> Result<Running<'_>, Failure> {
        match self {
            Self::Gateway(client) => Ok(Running(client)),
            Self::Folder(folder) => Err(Failure::new(
                exit::UNAVAILABLE,
                format_args!("`{verb}` needs a running gateway, and none runs on {}", folder.root().display()),
            )),
        }
    }

    fn install(&mut self, path: &Path) -> Result<(), Failure> {
        let limits = Limits::of(Board::Linux);
        let bytes = packages::read(path, limits.package_bytes_max.into()).map_err(super::not_loaded)?;
        match self {
            Self::Gateway(client) => {
                let answer: Value =
                    parse(&ask(client, Method::POST, "/skiff/v1/plugins", Some(Body::Package(bytes)))?)?;
                let text = |name: &str| sanitised(answer.get(name).and_then(Value::as_str).unwrap_or_default());
                let reason = if text("reason").is_empty() { String::new() } else { format!(": {}", text("reason")) };
                log::info!("{} {} is {}{reason}", text("name"), text("version"), text("state"));
            }
            Self::Folder(folder) => {
                let corrupt = |error: &dyn std::fmt::Display| {
                    Failure::new(exit::INPUT_CORRUPT, format_args!("{}: {error}", path.display()))
                };
                let unpacked =
                    Unpacked::from_tgz(&bytes, limits.unpacked_bytes_max).map_err(|error| corrupt(&error))?;
                let record = store::record(&unpacked);
                let package =
                    Package::from_parts(&unpacked.package_json, unpacked.wasm).map_err(|error| corrupt(&error))?;
                ModuleFacts::read(&package.wasm, &limits.plugin)
                    .map_err(|refusal| Failure::new(exit::VERDICT, format_args!("{}: {refusal}", path.display())))?;
                store::save(folder, &package.id(), &record).map_err(|error| {
                    Failure::new(exit::VERDICT, format_args!("{}: {error}", folder.root().display()))
                })?;
                unpacked::keep(folder.root(), &bytes).map_err(|error| {
                    Failure::new(exit::VERDICT, format_args!("{}: {error}", folder.root().display()))
                })?;
                let mut config = load(folder, &package.id())?;
                if config.enabled.is_none() {
                    config.enabled = Some(true);
                    config.save(folder, &package.id()).map_err(|error| {
                        Failure::new(exit::VERDICT, format_args!("{}/{error}", folder.root().display()))
                    })?;
                }
                log::info!("{} {} is installed; it starts with the gateway", package.name, package.version);
            }
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), Failure> {
        let id = self.id(name)?;
        match self {
            Self::Gateway(client) => {
                ask(client, Method::DELETE, &format!("/skiff/v1/plugins/{id}"), None)?;
            }
            Self::Folder(folder) => {
                if !store::contains(folder, &id) {
                    let text = format!(
                        "{name} was not installed with `install`: remove it where it lies, for example with `npm uninstall`"
                    );
                    return Err(Failure::new(exit::VERDICT, text));
                }
                let place = folder.root().display().to_string();
                let failed =
                    |error: &dyn std::fmt::Display| Failure::new(exit::VERDICT, format_args!("{place}: {error}"));
                unpacked::forget(folder.root(), &id).map_err(|error| failed(&error))?;
                store::remove(folder, &id).map_err(|error| failed(&error))?;
            }
        }
        log::info!("{name}: removed; its configuration is kept");
        Ok(())
    }
}

impl Change {
    fn done(&self) -> &'static str {
        match self {
            Self::Enabled(true) => "enabled",
            Self::Enabled(false) => "disabled",
            Self::Configuration(_) => "configuration saved",
        }
    }
}

fn read_text(storage: &mut Folder, file: &str) -> Option<String> {
    const BYTES_MAX: u32 = 4096;
    let key = Key::parse(file).ok()?;
    match storage.read_all(&key, BYTES_MAX) {
        Ok(data) => String::from_utf8(data).ok(),
        Err(StorageError::NotFound) => None,
        Err(error) => {
            log::warn!("{}: {error}", storage.root().join(file).display());
            None
        }
    }
}

fn load(folder: &mut Folder, id: &str) -> Result<PluginConfig, Failure> {
    let limit = Limits::of(Board::Linux).plugin.config_bytes_max;
    let loaded = PluginConfig::load(folder, id, limit);
    let loaded =
        loaded.map_err(|error| Failure::new(exit::INPUT_CORRUPT, format_args!("{}/{error}", folder.root().display())));
    Ok(loaded?.unwrap_or_default())
}

fn offline_rows(folder: &mut Folder) -> Result<(Value, Vec<Row>), Failure> {
    let discovery = packages::installed(folder.root(), Limits::of(Board::Linux).plugin.module_bytes_max);
    for warning in &discovery.warnings {
        log::warn!("{warning}");
    }
    let (mut rows, mut table) = (Vec::new(), Vec::new());
    for package in &discovery.packages {
        let id = plugin_id(&package.name);
        let enabled = load(folder, &id)?.enabled.unwrap_or(false);
        rows.push(json!({
            "id": id,
            "name": package.name,
            "packageName": package.name,
            "version": package.version,
            "enabled": enabled,
        }));
        table.push(Row {
            id,
            package: package.name.clone(),
            version: package.version.clone(),
            state: if enabled { "enabled" } else { "disabled" }.into(),
            reason: "gateway not running".into(),
        });
    }
    Ok((Value::Array(rows), table))
}

/// Sends a request and turns a refusal into a failure.
fn ask(client: &Client, method: Method, path: &str, body: Option<Body>) -> Result<Vec<u8>, Failure> {
    let Answer { status, body } = client.send(method, path, body).map_err(|error| match &error {
        ClientError::Url => Failure::new(exit::USAGE, error),
        ClientError::Unreachable(_) | ClientError::Broken(_) => Failure::new(exit::UNAVAILABLE, error),
    })?;
    if (200..300).contains(&status) {
        return Ok(body);
    }
    let reason = serde_json::from_slice::<Map<String, Value>>(&body).ok();
    let reason = reason.and_then(|object| object.get("error")?.as_str().map(str::to_owned));
    let reason = reason.unwrap_or_else(|| format!("status {status}"));
    Err(match status {
        401 | 403 => {
            let help =
                "the token is read from skiff/token in the configuration folder (--config DIR) or from SKIFF_TOKEN";
            Failure::new(exit::UNAUTHORISED, format_args!("the gateway refuses: {reason}; {help}"))
        }
        _ => Failure::new(exit::VERDICT, format_args!("the gateway refuses: {reason}")),
    })
}

fn parse(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::new(exit::VERDICT, format_args!("the gateway's answer is no JSON: {error}")))
}

fn show(value: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(exit::VERDICT, error))?;
    print([text])
}

fn list(target: &mut Target, json: bool) -> Result<(), Failure> {
    let (rows, table) = target.rows()?;
    if json {
        return show(&rows);
    }
    if table.is_empty() {
        log::info!("no plugins are installed");
        return Ok(());
    }
    print(columns(&table))
}

/// Lays rows out in columns; names come from packages and are not trusted.
fn columns(table: &[Row]) -> Vec<String> {
    let header = ["PACKAGE", "VERSION", "STATE", "REASON"].map(str::to_owned);
    let cells =
        table.iter().map(|row| [&row.package, &row.version, &row.state, &row.reason].map(|text| sanitised(text)));
    let rows: Vec<[String; 4]> = std::iter::once(header).chain(cells).collect();
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 4]| {
        let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_objects_of_a_limited_size() {
        assert_eq!(read_object(" { \"a\" : 1 } ".as_bytes(), 100), Ok("{\"a\":1}".into()));
        for text in ["", "[]", "{", "{} {}", "null"] {
            assert_eq!(read_object(text.as_bytes(), 100).unwrap_err().0, exit::INPUT_CORRUPT, "{text}");
        }
        assert!(read_object("{\"a\":12345}".as_bytes(), 5).unwrap_err().1.contains("5 bytes"));
        assert_eq!(read_object(b"{\"a\":\"\xff\"}".as_slice(), 100).unwrap_err().0, exit::INPUT_CORRUPT);
    }

    #[test]
    fn tables_are_aligned_and_names_cannot_steer_the_terminal() {
        let row = |package: &str, state: &str| Row {
            id: String::new(),
            package: package.into(),
            version: "1.0.0".into(),
            state: state.into(),
            reason: String::new(),
        };
        let lines = columns(&[row("a\u{1b}[2J", "running"), row("@acme/tide-table", "error")]);
        assert_eq!(lines[0], "PACKAGE           VERSION  STATE    REASON");
        assert_eq!(lines[1], format!("{:16}  1.0.0    running", "a\u{fffd}[2J"));
    }
}
