//! `skiff token`: the token that every change needs, made anew.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use skiff_runtime::server::Access;

use super::exit::{self, Failure};
use super::talk::print;
use crate::hal::{Folder, SystemRng};
use crate::home::{self, Lock, TOKEN_FILE};

/// Make the token for changes anew
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    skiff token new                      when skiff/token or skiff/auth.json is lost or damaged\n  \
    skiff token new --config ./boat\n\n\
    The token before is good for nothing then. The gateway on the folder must be stopped meanwhile.")]
pub struct Args {
    /// Configuration folder [default: ~/.skiff]
    #[arg(long, value_name = "DIR", global = true)]
    config: Option<PathBuf>,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a new token, print it, and keep the command line's copy in skiff/token
    New,
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    let folder = args.config.clone().map_or_else(super::default_config, Ok)?;
    match args.verb {
        Verb::New => renew(&folder),
    }
}

fn renew(folder: &Path) -> Result<(), Failure> {
    let unavailable = |clause: &dyn std::fmt::Display| {
        Failure::new(exit::UNAVAILABLE, format_args!("{}: {clause}", folder.display()))
    };
    if !folder.is_dir() {
        return Err(Failure::new(exit::INPUT_MISSING, format_args!("{}: no such folder", folder.display())));
    }
    let Some(_lock) = Lock::take(folder).map_err(|error| unavailable(&error))? else {
        return Err(unavailable(&"a gateway runs on this folder; stop it, and start it again afterwards"));
    };
    let mut rng = SystemRng::open().map_err(|error| Failure::new(exit::UNAVAILABLE, error))?;
    let mut storage = Folder::new(folder);
    let token = Access::renew(&mut storage, &mut rng).map_err(|error| unavailable(&error))?;
    if let Err(error) = home::write(&mut storage, TOKEN_FILE, token.as_str()) {
        log::warn!("{}: {error}; `skiff plugin` needs the token in SKIFF_TOKEN", folder.join(TOKEN_FILE).display());
    }
    log::info!("a new token, shown this once; a copy is in {}", folder.join(TOKEN_FILE).display());
    print([token.as_str().to_owned()])
}
