//! WASI 0.2 (`wasi:cli`, `wasi:clocks`, `wasi:random`, `wasi:io`) on what the host has: the log, clocks, randomness.
//!
//! There are no files yet: a program finds no folder that it may open. Functions that are not here are a trap when they are
//! called, and `check` names them.

mod cli;
mod clocks;
mod streams;

use super::super::contract::Flat;
use super::super::handles::Handle;
use crate::host::imports::{Caller, ImportRow, Outcome, Ret};

/// Rows of these interfaces.
pub(in crate::host::component) const ROWS: [&[(&ImportRow, Flat)]; 3] = [cli::ROWS, clocks::ROWS, streams::ROWS];

/// What is said of a number that is no handle of the kind that is asked for.
const NO_HANDLE: Outcome = Outcome::Trap("a function of WASI was given a handle that is not there");

/// Gives the guest a handle.
fn handle(caller: &mut Caller<'_>, handle: Handle) -> Outcome {
    match caller.state_mut().component.handles.add(handle) {
        Some(number) => Outcome::Ret(Ret::Int(number.cast_signed())),
        None => Outcome::Trap("it holds more handles than a component may"),
    }
}
