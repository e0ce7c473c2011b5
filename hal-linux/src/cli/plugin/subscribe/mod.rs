//! `skiff plugin subscribe`: which deltas a plugin is given as text, and which it needs.

mod held;
mod report;

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use skiff_abi::{Capability, export};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::PluginConfig;
use skiff_runtime::host::ModuleFacts;
use skiff_runtime::package::Package;
use skiff_runtime::plugin::PluginState;
use skiff_runtime::replay::Replay;
use skiff_runtime::scenario::{Rows, rows};
use skiff_runtime::time::UnixMillis;

use super::super::admin::AdminTarget;
use super::super::exit::{self, Failure};
use super::super::play::{self, Ended, Writing};
use super::super::replay::read_config;
use super::super::{not_loaded, talk};
use super::Change;
use super::target;
use crate::hal::Folder;
use crate::logs::Source;
use crate::packages::{self, folder};
use crate::suggest::Evidence;
use held::Held;
use report::Report;

/// Show which deltas a plugin is given, or find out on a log which it needs
///
/// A plugin without a filter is given the text of every delta. With --suggest it runs on a log, without a filter and with
/// nothing around it that it could reach, and the paths are shown whose deltas had an effect: it called an import that
/// changes something, or changed its static data or a variable. What it keeps on its heap alone is not seen, so look at
/// what is suggested before you write it.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    skiff plugin subscribe @acme/tide\n  \
    skiff plugin subscribe @acme/tide --suggest race.log\n  \
    skiff plugin subscribe @acme/tide --suggest race.log --write\n  \
    skiff plugin subscribe ./my-plugin --sample --json")]
#[command(group = clap::ArgGroup::new("played").args(["suggest", "sample"]))]
pub struct Args {
    /// Package name or id of an installed plugin; or a package folder, an `npm pack` .tgz, a bare .wasm
    #[arg(value_name = "NAME")]
    name: String,

    /// Play LOG, `-` for standard input, and tell which paths the plugin needs
    #[arg(long, value_name = "LOG")]
    suggest: Option<String>,

    /// The same with the built-in simulated boat
    #[arg(long)]
    sample: bool,

    /// Write what is suggested into the plugin's configuration file, as the operator's filter
    #[arg(long, requires = "played")]
    write: bool,

    /// Take the operator's filter away: the package's wish holds again
    #[arg(long, conflicts_with_all = ["suggest", "sample"])]
    reset: bool,

    /// Start the plugin with the configuration object in FILE, not with the stored one
    #[arg(long, value_name = "FILE", requires = "played")]
    plugin_config: Option<PathBuf>,

    /// As JSON, one object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    writing: Writing,
}

/// The plugin that is asked about.
struct Subject {
    package: Package,
    config: PluginConfig,
    is_installed: bool,
}

/// Runs the command.
pub fn command(args: &Args, config: &Path, url: Option<&str>) -> Result<(), Failure> {
    let subject = find(config, &args.name)?;
    if (args.write || args.reset) && !subject.is_installed {
        let clause = format_args!("{}: only an installed plugin has an operator's filter; install it first", args.name);
        return Err(Failure::new(exit::USAGE, clause));
    }
    if args.reset {
        return write(&subject, None, config, url);
    }
    let held = Held::of(&subject.package, &subject.config);
    if args.suggest.is_none() && !args.sample {
        return talk::print(if args.json { vec![held.as_json(&subject.package.name)] } else { held.as_lines() });
    }
    let report = Report::of(&subject.package.name, suggested(args, &subject)?);
    talk::print(if args.json { vec![report.as_json()] } else { report.as_lines() })?;
    let filter = report.filter()?;
    if args.write {
        return write(&subject, Some(&filter), config, url);
    }
    Ok(())
}

/// Finds an installed plugin by its package name, else by its id; else reads a package.
fn find(config: &Path, name: &str) -> Result<Subject, Failure> {
    let found = folder::installed(config, packages::module_bytes_max());
    let index = found.packages.iter().position(|package| package.name == name);
    let index = index.or_else(|| found.packages.iter().position(|package| package.id() == name));
    let mut known = found.packages;
    if let Some(index) = index {
        let package = known.swap_remove(index);
        let config = target::load(&mut Folder::new(config), &package.id())?;
        return Ok(Subject { package, config, is_installed: true });
    }
    if let Some(row) = found.unusable.iter().find(|row| row.package == name || row.id == name) {
        return Err(Failure::new(exit::VERDICT, format_args!("{name} cannot be used: {}", row.reason)));
    }
    let path = Path::new(name);
    if !path.exists() {
        let names = known.iter().map(|package| &*package.name).collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { "there is none".to_owned() } else { format!("there are {names}") };
        let clause = format_args!("no plugin is named {name} in {}, {names}; nor is it a file", config.display());
        return Err(Failure::new(exit::INPUT_MISSING, clause));
    }
    let package = packages::load(path, packages::module_bytes_max()).map_err(not_loaded)?;
    Ok(Subject { package, config: PluginConfig::default(), is_installed: false })
}

/// Runs the plugin on a log.
fn suggested(args: &Args, subject: &Subject) -> Result<Evidence, Failure> {
    let (package, limits) = (&subject.package, Limits::of(Board::Linux));
    let given =
        args.plugin_config.as_deref().map(|file| read_config(file, limits.plugin.config_bytes_max)).transpose()?;
    let of_sample = || play::sample_config(&package.name).filter(|_| args.sample);
    let configuration = given.or_else(|| subject.config.configuration.clone()).or_else(of_sample);
    must_take_text(package, configuration.as_deref().unwrap_or("{}"), &limits)?;

    let (id, mut evidence) = (package.id(), Evidence::default());
    let mut begin = |label: &str, start: UnixMillis| {
        let mut replay = Replay::new(limits, label, start, false);
        replay.plugin_lines_only();
        play::must_run(package, &limits, &replay)?;
        let refused = |error| Failure::new(exit::VERDICT, format_args!("{}: {error}", package.name));
        replay.install_watched(package.clone(), configuration.clone()).map_err(refused)?;
        must_be_running(&replay, &id, "does not start")?;
        Ok(replay)
    };
    let mut each = |replay: &mut Replay| {
        while replay.next_line().is_some() {}
        replay.take_acted(&id).iter().for_each(|acted| evidence.add(acted));
        Ok(())
    };
    let played = match &args.suggest {
        Some(log) => {
            let source = Source::new(log);
            let played = play::log(&source, args.writing, &mut begin, &mut each);
            played.and_then(|played| played.verdict(&source).map(|()| played.replay).map_err(Ended::Failed))
        }
        None => play::sample(&mut begin, &mut each).map(Some),
    };
    let replay = played.or_else(|ended| match ended {
        // Nothing is written while it runs.
        Ended::Enough => Ok(None),
        Ended::Failed(failure) => Err(failure),
    })?;
    if let Some(replay) = replay {
        must_be_running(&replay, &id, "did not last to the end of the log")?;
    }
    Ok(evidence)
}

/// Refuses a plugin that is given no text.
fn must_take_text(package: &Package, configuration: &str, limits: &Limits) -> Result<(), Failure> {
    let refused = |clause: &str| Err(Failure::new(exit::VERDICT, format_args!("{} {clause}", package.name)));
    if !package.capabilities.allows(Capability::DataRead, false) {
        return refused("is given no deltas: its package gives up dataRead");
    }
    if let Rows::Values { inputs, .. } = rows(package, configuration, &limits.plugin) {
        let paths = inputs.iter().map(|input| &*input.path).collect::<Vec<_>>().join(", ");
        return refused(&format!("takes values: it is told by its inputs already ({paths}), and needs no filter"));
    }
    // What cannot be read is refused with its reason when it is to run.
    if ModuleFacts::survey(&package.wasm).is_ok_and(|facts| !facts.exports(export::DELTA_HANDLER)) {
        return refused("is given no deltas: it has no delta_handler");
    }
    Ok(())
}

fn must_be_running(replay: &Replay, id: &str, clause: &str) -> Result<(), Failure> {
    let Some(plugin) = replay.gateway().plugins().find(id) else { return Ok(()) };
    if plugin.state() == PluginState::Running {
        return Ok(());
    }
    let reason = talk::sanitised(plugin.status_message());
    Err(Failure::new(exit::VERDICT, format_args!("{} {clause}: {reason}", plugin.package_name())))
}

/// Writes the operator's filter, or takes it away.
fn write(subject: &Subject, filter: Option<&[String]>, config: &Path, url: Option<&str>) -> Result<(), Failure> {
    let section = subject.config.own_section_with(filter);
    AdminTarget::find(config.to_owned(), url)?.change(&subject.package.name, &Change::OwnSection(section))
}
