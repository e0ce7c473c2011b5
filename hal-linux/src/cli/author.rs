//! `skiff plugin new`, `build` and `dev`: for people who write plugins.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::host::{Fit, ModuleFacts};

use super::exit::{self, Failure};
use super::talk;
use crate::author::build::{self, BuildError};
use crate::author::children::Children;
use crate::author::dev::{self, Sources};
use crate::author::template::{self, Language};
use crate::packages;

/// What plugin authors do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    New(New),
    Build(Build),
    Dev(Dev),
}

/// Runs one of them.
pub fn command(verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::New(args) => new(args),
        Verb::Build(args) => build(args),
        Verb::Dev(args) => dev(args),
    }
}

/// Write a new plugin package into a folder of its own
#[derive(Debug, ClapArgs)]
pub struct New {
    /// Package name, for example tide or @acme/tide
    #[arg(value_name = "NAME")]
    name: String,

    /// Language of the sources
    #[arg(long, value_enum, default_value = "rust")]
    lang: Language,

    /// Folder to write [default: the name without its scope]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Compile a plugin package with cargo or npm, and say whether it fits
#[derive(Debug, ClapArgs)]
pub struct Build {
    /// Package folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// The board that it has to fit
    #[arg(long, value_name = "NAME", default_value = "linux", value_parser = super::parse_board)]
    board: Board,

    /// Pack it afterwards as npm does, when it fits
    #[arg(long)]
    pack: bool,
}

/// Run a plugin package on a simulated boat, and build it again after each change
///
/// Prints what the plugin emits, one delta a line. Ctrl-C stops it.
#[derive(Debug, ClapArgs)]
pub struct Dev {
    /// Package folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// A log or another input in place of the simulated boat, as for `skiff run`
    #[arg(long, value_name = "FILE|URL")]
    input: Option<String>,

    /// Address and port of the web server
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
}

fn new(args: &New) -> Result<(), Failure> {
    template::check_name(&args.name).map_err(|clause| Failure::new(exit::USAGE, clause))?;
    let folder = args.folder.clone().unwrap_or_else(|| PathBuf::from(template::folder_name(&args.name)));
    template::write(&args.name, args.lang, &folder)
        .map_err(|error| Failure::new(exit::INPUT_MISSING, format_args!("{}: {error}", folder.display())))?;
    talk::print([folder.display().to_string()])?;
    talk::say(&format!("{} is written; next: cd {} && skiff plugin dev", args.name, folder.display()));
    Ok(())
}

fn build(args: &Build) -> Result<(), Failure> {
    let children = Children::default();
    children.end_at_signals().map_err(|error| Failure::new(exit::UNAVAILABLE, error))?;
    let module = build::build(&args.folder, &children).map_err(|error| not_built(error, &children))?;
    let (package, fit) = fit(&args.folder, args.board)?;
    talk::print([format!(
        "{}: {package} needs {} of {} bytes on {}",
        module.display(),
        fit.needed,
        fit.limit,
        args.board.name()
    )])?;
    super::must_fit(&fit)?;
    if args.pack {
        talk::print([pack(&args.folder)?.display().to_string()])?;
    }
    Ok(())
}

/// Packs a package into its folder, under the name that npm would give the pack; returns its path.
fn pack(folder: &Path) -> Result<PathBuf, Failure> {
    let packed = packages::pack::archive(folder, u32::MAX).map_err(super::not_loaded)?;
    let package = packages::load(folder, packages::module_bytes_max()).map_err(super::not_loaded)?;
    let name = package.name.trim_start_matches('@').replace('/', "-");
    let path = folder.join(format!("{name}-{}.tgz", package.version));
    std::fs::write(&path, packed)
        .map_err(|error| Failure::new(exit::INPUT_MISSING, format_args!("{}: {error}", path.display())))?;
    Ok(path)
}

fn dev(args: &Dev) -> Result<(), Failure> {
    let failed = |error| Failure::new(exit::UNAVAILABLE, error);
    let children = Children::default();
    children.end_at_signals().map_err(failed)?;
    let mut sources = Sources::look(&args.folder);
    build::build(&args.folder, &children).map_err(|error| not_built(error, &children))?;
    let (name, _) = fit(&args.folder, Board::Linux)?;
    let sample = std::fs::read_to_string(args.folder.join("sample-config.json")).unwrap_or_else(|_| "{}".into());
    let folder = dev::prepare(&args.folder, &name, sample.trim()).map_err(failed)?;
    let input = match &args.input {
        Some(input) => input.clone(),
        None => dev::write_trip(&folder).map_err(failed)?.display().to_string(),
    };
    let mut gateway = dev::start_gateway(&folder, &input, &args.listen.to_string()).map_err(failed)?;
    let ended = dev::rebuild_until_end(&args.folder, &mut sources, &mut gateway, &children).map_err(failed)?;
    match ended {
        Some(0) => Ok(()),
        Some(code) => {
            Err(Failure::new(u8::try_from(code).unwrap_or(exit::UNAVAILABLE), "the gateway ended, see above"))
        }
        None => Err(Failure::new(exit::INTERRUPTED, "the gateway was ended by a signal")),
    }
}

fn not_built(error: BuildError, children: &Children) -> Failure {
    if children.is_over() {
        return Failure::new(exit::INTERRUPTED, "interrupted");
    }
    let code = match error {
        BuildError::Folder(_) | BuildError::Module(_) => exit::INPUT_MISSING,
        BuildError::Tool { .. } => exit::UNAVAILABLE,
        BuildError::Refused(_) => exit::VERDICT,
    };
    Failure::new(code, error)
}

fn fit(folder: &Path, board: Board) -> Result<(String, Fit), Failure> {
    let limits = Limits::of(board);
    let package = packages::load(folder, packages::module_bytes_max()).map_err(super::not_loaded)?;
    let facts = ModuleFacts::survey(&package.wasm)
        .map_err(|refusal| Failure::new(exit::VERDICT, format_args!("{}: {refusal}", package.name)))?;
    Ok((package.name, Fit::of(&facts, &package.capabilities, &limits)))
}
