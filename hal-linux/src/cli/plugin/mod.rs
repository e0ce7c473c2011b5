//! `skiff plugin`: administration, of a running gateway or of the configuration folder.

mod apps;
mod install;
mod source;
mod store;
mod subscribe;
mod table;
mod target;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use serde_json::Value;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::package::Asks;

use super::admin::{AdminTarget, TargetArgs};
use super::author;
use super::exit::{self, Failure};
use super::talk::{print, sanitised};

/// Install, list, configure, reload and remove plugins
///
/// Talks to the gateway that runs on the configuration folder, or to the one at --url; when none runs, it reads and
/// writes the folder itself, and the next `skiff run` takes it from there.
#[derive(Debug, ClapArgs)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  \
    skiff plugin search wind\n  \
    skiff plugin install @mxtommy/kip\n  \
    skiff plugin install tide-1.0.0.tgz\n  \
    skiff plugin install tide-1.1.0.tgz --grant network\n  \
    skiff plugin list\n  \
    skiff plugin logs @acme/tide\n  \
    skiff plugin enable @skiff/true-wind\n  \
    skiff plugin config @skiff/shallow-water-alarm --set alarm.json\n  \
    skiff plugin config @skiff/shallow-water-alarm\n  \
    skiff plugin subscribe @acme/tide --suggest race.log\n  \
    skiff plugin new tide && cd tide && skiff plugin dev\n\n\
    Changes of a running gateway need its token: it is read from skiff/token in the configuration folder,\n\
    or from the environment variable SKIFF_TOKEN."
)]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(flatten)]
    Administer(Administer),
    Subscribe(subscribe::Args),
    #[command(flatten)]
    Author(author::Verb),
}

#[derive(Debug, Subcommand)]
enum Administer {
    /// List the plugins and the web apps
    List {
        /// As JSON, one array
        #[arg(long)]
        json: bool,

        /// Ask the registry for the newest release of each package that came from there
        #[arg(long)]
        outdated: bool,
    },
    /// Search the registry for WebAssembly plugins and web apps
    Search {
        /// Words that name or describe it; none lists all
        #[arg(value_name = "WORD")]
        words: Vec<String>,

        /// As JSON, one array
        #[arg(long)]
        json: bool,
    },
    /// Install the newest release of a package, or of all that came from the registry
    Update {
        /// Package name or id; without it every package that came from the registry
        name: Option<String>,

        /// Grant what it asks for: all, or names joined by commas, for example network,webapp
        #[arg(long, value_name = "LIST|all", value_parser = parse_grant)]
        grant: Option<Asks>,
    },
    /// Install a package, or put another version in place of the one that is there
    ///
    /// A package that asks for rights is not started before somebody grants them: at a terminal you are asked, elsewhere
    /// it stays disabled. A new version that asks for more waits, and the one before runs on. What comes from a registry
    /// (npm's settings `registry` and `cafile` hold) must have the hash that the registry names, and the same one each time.
    Install {
        /// A package folder, an `npm pack` .tgz, a bare .wasm, a name NAME[@VERSION] of npm's, or a URL of a .tgz
        #[arg(value_name = "PACKAGE")]
        package: String,

        /// Grant what it asks for: all, or names joined by commas, for example network,webapp
        #[arg(long, value_name = "LIST|all", value_parser = parse_grant)]
        grant: Option<Asks>,
    },
    /// Put the version in place again that ran before the last `install`
    Rollback {
        /// Package name or id
        name: String,
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

        /// Grant what it asks for: all, or names joined by commas, for example network,webapp
        #[arg(long, value_name = "LIST|all", value_parser = parse_grant)]
        grant: Option<Asks>,
    },
    /// Disable a plugin, and stop it in a running gateway
    Disable {
        /// Package name or id
        name: String,
    },
    /// Show or set the configuration of a plugin
    ///
    /// What does not fit the plugin's schema is not saved. One that a running plugin does not start with is taken back: it
    /// goes on with the configuration before.
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
        Verb::Subscribe(verb) => subscribe::command(verb, &args.target.folder()?, args.target.url.as_deref()),
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
    let mut target = args.target.find()?;
    match verb {
        Administer::List { json, outdated } => list(&mut target, &args.target, *json, *outdated),
        Administer::Install { package, grant } => {
            store::install(&mut target, &args.target, package, grant.unwrap_or_default())
        }
        Administer::Search { words, json } => store::search(&words.join(" "), *json),
        Administer::Update { name, grant } => {
            store::update(&mut target, &args.target, name.as_deref(), grant.unwrap_or_default())
        }
        Administer::Rollback { name } => target.roll_back(name),
        Administer::Remove { name } => target.remove(name),
        Administer::Reload { name } => {
            let id = target.id(name)?;
            target.running("reload")?.post(&format!("/skiff/v1/plugins/{id}/reload"), None)?;
            log::info!("{name}: reloaded");
            Ok(())
        }
        Administer::Inspect { name } => show(&target.inspect(name)?),
        Administer::Logs { name } => {
            let id = target.id(name)?;
            let lines = target.running("logs")?.get(&format!("/skiff/v1/plugins/{id}/log"))?;
            print(String::from_utf8_lossy(&lines).lines().map(sanitised))
        }
        Administer::Enable { name, grant } => target.change(name, &Change::Enabled(true, grant.unwrap_or_default())),
        Administer::Disable { name } => target.change(name, &Change::Enabled(false, Asks::NONE)),
        Administer::Config { name, .. } => match configuration {
            Some(configuration) => target.change(name, &Change::Configuration(configuration)),
            None => show(&target.configuration(name)?),
        },
    }
}

fn parse_grant(list: &str) -> Result<Asks, String> {
    let names = || Asks::ALL.to_string().replace(',', ", ");
    Asks::parse(list).ok_or_else(|| format!("write all, or names of {} joined by commas", names()))
}

/// What is changed of a plugin.
pub(super) enum Change {
    /// With what is granted.
    Enabled(bool, Asks),
    /// Compact JSON object.
    Configuration(String),
    /// Skiff's own settings of it, a compact JSON object or `null`.
    OwnSection(String),
}

impl Change {
    fn done(&self) -> &'static str {
        match self {
            Self::Enabled(true, _) => "enabled",
            Self::Enabled(false, _) => "disabled",
            Self::Configuration(_) => "configuration saved",
            Self::OwnSection(section) if section == "null" => "the operator's filter is gone",
            Self::OwnSection(_) => "the operator's filter is saved",
        }
    }
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

fn show(value: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(exit::VERDICT, error))?;
    print([text])
}

fn list(target: &mut AdminTarget, arguments: &TargetArgs, json: bool, outdated: bool) -> Result<(), Failure> {
    let (mut rows, table) = target.rows()?;
    let newest = if outdated { Some(store::newest(&table, arguments)?) } else { None };
    if json {
        if let Some(newest) = &newest {
            store::tell_newest(&mut rows, newest);
        }
        return show(&rows);
    }
    if table.is_empty() {
        log::info!("no plugins are installed");
        return Ok(());
    }
    print(table::columns(&table, newest.as_ref()))
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
}
