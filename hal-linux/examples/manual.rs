//! Writes manual pages and completions of shells into a folder, from the command line itself.
//!
//! An example, so that what makes them is no part of `skiff`: `cargo run --example manual -- FOLDER`. `cargo xtask package`
//! puts the files into packages.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

use clap::Command;
use clap_complete::Shell;
use clap_complete::aot::generate_to;

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
    let mut command = skiff_gateway::cli::command_line();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "skiff", folder)?;
    }
    clap_mangen::generate_to(without_help(skiff_gateway::cli::command_line()), folder)
}

/// `help` has no page of its own: it shows the others.
fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}
