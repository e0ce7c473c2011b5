//! Writes manual pages and completions of shells into a folder, from the command line itself.
//!
//! An example, so that what makes them is no part of `skiff`: `cargo run --example manual -- FOLDER`. `cargo xtask package`
//! puts the files into packages.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

use clap::{Arg, Command};
use clap_complete::Shell;
use clap_complete::aot::generate_to;
use skiff_runtime::budget::Board;
use skiff_runtime::n2k::log::{Format, Mode, To};

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("name the folder to write into");
        return ExitCode::from(2);
    };
    match write(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &std::path::Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut command = with_values(skiff_gateway::cli::command_line());
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "skiff", folder)?;
    }
    let fish = folder.join("skiff.fish");
    fs::write(&fish, fs::read_to_string(&fish)? + &fish_help(&command))?;
    clap_mangen::generate_to(without_help(with_values(skiff_gateway::cli::command_line())), folder)
}

/// Lets fish complete what `skiff help` explains: what clap makes for the other shells leaves it out for this one.
fn fish_help(command: &Command) -> String {
    let explained = |command: &Command| -> Vec<(String, String)> {
        let others = command.get_subcommands().filter(|other| other.get_name() != "help");
        let about = |other: &Command| other.get_about().map(ToString::to_string).unwrap_or_default();
        others.map(|other| (other.get_name().to_owned(), about(other).replace('\'', "\\'"))).collect()
    };
    let verbs = explained(command);
    let names: Vec<&str> = verbs.iter().map(|(name, _)| name.as_str()).collect();
    let mut rules = vec![(format!("not __fish_seen_subcommand_from {}", names.join(" ")), verbs.clone())];
    let groups = command.get_subcommands().filter(|verb| verb.get_name() != "help" && verb.has_subcommands());
    rules.extend(groups.map(|group| (format!("__fish_seen_subcommand_from {}", group.get_name()), explained(group))));
    let lines = rules.iter().flat_map(|(when, offered)| {
        offered.iter().map(move |(name, about)| {
            let when = format!("__fish_skiff_using_subcommand help; and {when}");
            format!("complete -c skiff -n \"{when}\" -f -a \"{name}\" -d '{about}'\n")
        })
    });
    lines.collect()
}

/// Names the values of options that take one of a few: the program reads them by parsers of its own, which name them when a value
/// is none of them.
fn with_values(command: Command) -> Command {
    command.mut_args(with_values_of).mut_subcommands(with_values)
}

fn with_values_of(arg: Arg) -> Arg {
    let values: Vec<&'static str> = match arg.get_id().as_str() {
        "board" => Board::ALL.map(Board::name).to_vec(),
        "format" => Format::ALL.iter().map(|(name, _)| *name).collect(),
        "to" => To::ALL.iter().map(|(name, _)| *name).collect(),
        "role" => vec!["readonly", "readwrite", "admin"],
        "guests" => vec!["none", "read"],
        "mode" => Mode::ALL.iter().map(|(name, _)| *name).collect(),
        _ => return arg,
    };
    arg.value_parser(values)
}

/// `help` has no page of its own: it shows the others.
fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}
