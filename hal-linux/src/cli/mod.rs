//! The command line `skiff`.

mod admin;
mod author;
mod backup;
mod bench;
mod check;
mod client;
mod decode;
mod device;
mod discover;
mod doctor;
pub mod exit;
mod mouthpiece;
mod network;
mod play;
mod plugin;
mod progress;
mod replay;
mod run;
mod sign_in;
mod summary;
pub mod talk;
mod test;
mod token;
mod user;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use skiff_runtime::budget::{Board, Engine, Limits};
use skiff_runtime::host::{Fit, Refusal};
use skiff_runtime::n2k::log::{Format, Mode, To};

use exit::Failure;

use crate::home::{self, Service};
use crate::packages::LoadError;

/// Runs Signal K WebAssembly plugins on NMEA 2000 data.
#[derive(Debug, Parser)]
#[command(
    name = "skiff",
    version,
    about,
    arg_required_else_help = true,
    after_help = "Try it, nothing else is needed:\n  \
        skiff run --sample                a simulated boat, two plugins, and a URL to open\n  \
        skiff replay --sample             the same boat on a virtual clock, as lines of JSON\n\n\
        With your own data:\n  \
        skiff decode log.candump          what the log says, as Signal K deltas\n  \
        skiff run --can can0              serve the boat's bus on http://127.0.0.1:3000\n\n\
        Exit codes: 0 done, 1 negative verdict, 2 wrong usage, 3 input missing, 4 input corrupt,\n  \
        5 port or interface unavailable, 6 not authorised.\n\n\
        `skiff help COMMAND` explains each command with examples."
)]
struct Cli {
    /// Say more on stderr: -v details, -vv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,

    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    quiet: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Replay(replay::Args),
    Decode(decode::Args),
    Check(check::Args),
    Test(test::Args),
    Bench(bench::Args),
    Plugin(plugin::Args),
    Device(device::Args),
    Discover(discover::Args),
    Doctor(doctor::Args),
    Token(token::Args),
    User(user::Args),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
}

/// Returns the command line as clap knows it: what manual pages and completions are made of, so that they say what `--help`
/// says.
#[must_use]
pub fn command_line() -> clap::Command {
    Cli::command()
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own exit: help and version on stdout with 0, usage errors on stderr with 2.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE });
        }
    };
    talk::start_log(cli.verbose, cli.quiet);
    // A gateway does not wait for who reads its log. Without a thread it speaks as every command does.
    let _mouthpiece = matches!(cli.command, Command::Run(_)).then(|| mouthpiece::Mouthpiece::begin().ok());
    let result = match cli.command {
        Command::Run(args) => run::command(&args),
        Command::Replay(args) => replay::command(&args),
        Command::Decode(args) => decode::command(&args),
        Command::Check(args) => check::command(&args),
        Command::Test(args) => test::command(&args),
        Command::Bench(args) => bench::command(&args),
        Command::Plugin(args) => plugin::command(&args),
        Command::Device(args) => device::command(&args),
        Command::Discover(args) => discover::command(&args),
        Command::Doctor(args) => doctor::command(&args),
        Command::Token(args) => token::command(&args),
        Command::User(args) => user::command(&args),
        Command::Backup(args) => backup::backup(&args),
        Command::Restore(args) => backup::restore(&args),
    };
    match result {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(failure) => {
            talk::say(&format!("skiff: {failure}"));
            failure.exit_code()
        }
    }
}

/// Refuses a plugin that a board does not run, with the first reason: one verdict for every command.
fn must_fit(fit: &Fit) -> Result<(), Failure> {
    match fit.refusals.first() {
        Some(refusal @ (Refusal::Export { .. } | Refusal::Capability { .. })) => {
            Err(Failure::new(exit::VERDICT, format_args!("would not start: {refusal}")))
        }
        Some(refusal) => Err(Failure::new(exit::VERDICT, format_args!("does not fit {}: {refusal}", fit.board.name()))),
        None => Ok(()),
    }
}

/// Configuration folder when none is given.
fn default_config() -> Result<PathBuf, Failure> {
    std::env::home_dir()
        .filter(|home| !home.as_os_str().is_empty())
        .map(|home| home.join(".skiff"))
        .ok_or_else(|| Failure::new(exit::USAGE, "no home folder is known; name a configuration folder: --config DIR"))
}

/// Folder that is administrated when none is given: one's own, else that of the service that a package of the system has
/// installed.
fn administered_config() -> Result<PathBuf, Failure> {
    let own = default_config();
    let service = Path::new(home::SERVICE_FOLDER);
    match (own.as_ref().is_ok_and(|own| own.exists()), home::service(service)) {
        (_, Service::None) => own,
        (true, _) => {
            log::debug!("the folder of the service is another: --config {}", service.display());
            own
        }
        (false, Service::Open) => Ok(service.to_owned()),
        (false, Service::Closed(reason)) => {
            let clause = "that folder of the service is for root and the group skiff: type sudo before the command, or \
                          once `sudo adduser \"$USER\" skiff` and log in again";
            Err(Failure::new(exit::UNAVAILABLE, format_args!("{}: {reason}; {clause}", service.display())))
        }
    }
}

/// A package that cannot be read, as the exit codes tell it.
fn not_loaded(error: LoadError) -> Failure {
    let code = match &error {
        LoadError::Missing(_) => exit::INPUT_MISSING,
        LoadError::Corrupt(_) => exit::INPUT_CORRUPT,
    };
    Failure::new(code, error)
}

fn parse_board(text: &str) -> Result<Board, String> {
    let names = || Board::ALL.map(Board::name).join(", ");
    Board::from_name(text).ok_or_else(|| format!("boards are {}", names()))
}

fn parse_engine(text: &str) -> Result<Engine, String> {
    let names = || Engine::ALL.map(Engine::name).join(", ");
    Engine::ALL.into_iter().find(|engine| engine.name() == text).ok_or_else(|| format!("engines are {}", names()))
}

/// Returns limits whose plugins are run by this engine.
fn run_by(engine: Engine, mut limits: Limits) -> Limits {
    limits.plugin.engine = engine;
    limits
}

fn parse_format(text: &str) -> Result<Format, String> {
    let names = || Format::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    Format::from_name(text).ok_or_else(|| format!("formats are {}", names()))
}

fn parse_to(text: &str) -> Result<To, String> {
    let names = || To::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    To::from_name(text).ok_or_else(|| format!("formats that can be written are {}", names()))
}

fn parse_mode(text: &str) -> Result<Mode, String> {
    let names = || Mode::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    Mode::from_name(text).ok_or_else(|| format!("modes are {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command_line().debug_assert();
    }

    #[test]
    fn formats_have_names() {
        assert_eq!(parse_format("pcap"), Ok(Format::Pcap));
        assert!(parse_format("morse").unwrap_err().contains("formats are auto, candump"));
        assert_eq!(parse_to("canboat"), Ok(To::Canboat));
        assert!(parse_to("pcap").unwrap_err().contains("can be written"));
    }
}
