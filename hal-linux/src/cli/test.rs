//! `skiff test`: one plugin through a scripted scenario.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use skiff_runtime::budget::{Board, Engine, Limits};
use skiff_runtime::host::{Capabilities, Fit, ModuleFacts};
use skiff_runtime::scenario::{self, Scenario};

use super::exit::{self, Failure};
use super::talk::{Data, DataError};
use crate::packages;

/// Bytes of a scenario file.
const SCENARIO_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of a bare module; whether a board takes it is for the transcript to say.
const MODULE_BYTES_MAX: u32 = 256 * 1024 * 1024;

/// Run one plugin through a scripted scenario and print the transcript
///
/// The world is a mock one: a fixed clock, seeded randomness, canned HTTP answers and datagrams, an empty file
/// system. Each line on stdout is a JSON object; the same scenario always gives the same lines.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    skiff test scenario.json\n  \
    skiff test scenario.json build/plugin.wasm > now.jsonl\n\n\
    A scenario: {\"package\":\"my-plugin\",\"wasm\":\"plugin.wasm\",\"steps\":[{\"op\":\"start\"},{\"op\":\"poll\",\"times\":3}]}\n\
    Exit code 0 means that the script ran, whatever it shows; 1 that the plugin does not fit --board.")]
pub struct Args {
    /// The scenario
    #[arg(value_name = "SCENARIO.json")]
    scenario: PathBuf,

    /// The plugin: a .wasm, a package folder, or an `npm pack` .tgz; without it the scenario's `wasm`
    #[arg(value_name = "PLUGIN.wasm")]
    plugin: Option<PathBuf>,

    /// Keep to the limits of this board
    #[arg(long, value_name = "NAME", default_value = "linux", value_parser = super::parse_board)]
    board: Board,

    /// What runs plugins: wasmi, or skiff, the engine for chips
    #[arg(long, value_name = "wasmi|skiff", default_value = "wasmi", value_parser = super::parse_engine)]
    engine: Engine,
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    let shown = args.scenario.display();
    let text = packages::read(&args.scenario, SCENARIO_BYTES_MAX).map_err(super::not_loaded)?;
    let corrupt = |error: &dyn std::fmt::Display| Failure::new(exit::INPUT_CORRUPT, format_args!("{shown}: {error}"));
    let text = String::from_utf8(text).map_err(|error| corrupt(&error))?;
    let scenario = Scenario::parse(&text).map_err(|error| corrupt(&error))?;
    let wasm = module(args, scenario.wasm.as_deref())?;
    // On this machine the transcript tells what is refused; a board has no more than its budget.
    if let (true, Ok(facts)) = (args.board != Board::Linux, ModuleFacts::survey(&wasm)) {
        let capabilities = Capabilities::parse(&scenario.capabilities);
        super::must_fit(&Fit::of(&facts, &capabilities, &Limits::of(args.board)))?;
    }
    let mut data = Data::stdout();
    let mut ended: Option<DataError> = None;
    let limits = super::run_by(args.engine, Limits::of(args.board));
    scenario::play(&scenario, &wasm, &limits.plugin, &mut |line| {
        if ended.is_none() {
            ended = data.line(line).err();
        }
    });
    match ended.or(data.flush().err()) {
        Some(error) => error.into_result(),
        None => Ok(()),
    }
}

/// Reads the module that is to be tested.
fn module(args: &Args, named: Option<&str>) -> Result<Vec<u8>, Failure> {
    let path = match (&args.plugin, named) {
        (Some(path), _) => path.clone(),
        (None, Some(named)) => args.scenario.parent().unwrap_or(Path::new("")).join(named),
        (None, None) => {
            return Err(Failure::new(
                exit::USAGE,
                "the scenario names no `wasm`; name the plugin: skiff test SCENARIO.json PLUGIN.wasm",
            ));
        }
    };
    let is_package = fs::metadata(&path).is_ok_and(|metadata| metadata.is_dir())
        || path.extension().is_some_and(|ending| ending == "tgz" || ending == "gz");
    if is_package {
        return packages::load(&path, MODULE_BYTES_MAX).map(|package| package.wasm.to_vec()).map_err(super::not_loaded);
    }
    packages::read(&path, MODULE_BYTES_MAX.into()).map_err(super::not_loaded)
}
