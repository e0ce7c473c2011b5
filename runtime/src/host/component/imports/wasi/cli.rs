//! `wasi:cli` and `wasi:filesystem/preopens`: environment, standard streams, the end.

use alloc::vec::Vec;

use super::super::super::answer::{Answered, Part, Place};
use super::super::super::contract::Flat;
use super::super::super::handles::Handle;
use super::handle;
use crate::host::imports::{ImportRow, Outcome, Run};

const ENVIRONMENT: &str = "wasi:cli/environment@0.2.";
const EXIT: &str = "wasi:cli/exit@0.2.";

/// Bytes of the record of a list: address and count.
const LIST_BYTES: usize = 8;
/// Bytes of an `option` of a handle.
const OPTION_BYTES: usize = 8;

/// Lets the collector of .NET begin with segments of 4 MiB (hexadecimal) instead of three of 16 MiB: it starts below 16 MiB then.
const DOTNET: (&str, &str) = ("DOTNET_GCSegmentSize", "400000");

/// A standard stream that is no terminal.
const NO_TERMINAL: Run = Run::Core(|_, _, args| Ok(Answered::record(args.take()?, OPTION_BYTES).into()));

/// A list without elements: it has an address all the same.
fn empty(to: u32) -> Outcome {
    let mut answer = Answered::record(to, LIST_BYTES);
    answer.part(Part { data: Vec::new(), align: 4, count: 0, place: Place::Record(0) });
    answer.into()
}

pub(super) const ROWS: &[(&ImportRow, Flat)] = &[
    (
        &ImportRow::of(
            ENVIRONMENT,
            "get-environment",
            Run::Core(|caller, _, args| {
                let variables = [("PLUGIN_ID", &*caller.state().package), DOTNET];
                let mut answer = Answered::record(args.take()?, LIST_BYTES);
                let texts: Vec<Vec<u8>> = variables
                    .iter()
                    .flat_map(|(name, value)| [name, value])
                    .map(|text| text.as_bytes().to_vec())
                    .collect();
                let list = texts.len();
                let bytes = list.saturating_mul(LIST_BYTES);
                for (index, text) in texts.into_iter().enumerate() {
                    answer.text(Place::Part(list, index.saturating_mul(LIST_BYTES)), text);
                }
                let count = u32::try_from(variables.len()).unwrap_or(0);
                answer.part(Part { data: alloc::vec![0; bytes], align: 4, count, place: Place::Record(0) });
                Ok(answer.into())
            }),
        ),
        "i>",
    ),
    (&ImportRow::of(ENVIRONMENT, "get-arguments", Run::Core(|_, _, args| Ok(empty(args.take()?)))), "i>"),
    (
        &ImportRow::of(
            ENVIRONMENT,
            "initial-cwd",
            Run::Core(|_, _, args| Ok(Answered::option(args.take()?, None).into())),
        ),
        "i>",
    ),
    (&ImportRow::of(EXIT, "exit", Run::Core(|_, _, args| Ok(Outcome::Exit(args.take()?)))), "i>"),
    (&ImportRow::of(EXIT, "exit-with-code", Run::Core(|_, _, args| Ok(Outcome::Exit(args.take()?)))), "i>"),
    (
        &ImportRow::of("wasi:cli/stdin@0.2.", "get-stdin", Run::Core(|caller, _, _| Ok(handle(caller, Handle::Input)))),
        ">i",
    ),
    (
        &ImportRow::of(
            "wasi:cli/stdout@0.2.",
            "get-stdout",
            Run::Core(|caller, _, _| Ok(handle(caller, Handle::Output(0)))),
        ),
        ">i",
    ),
    (
        &ImportRow::of(
            "wasi:cli/stderr@0.2.",
            "get-stderr",
            Run::Core(|caller, _, _| Ok(handle(caller, Handle::Output(1)))),
        ),
        ">i",
    ),
    (&ImportRow::of("wasi:cli/terminal-stdin@0.2.", "get-terminal-stdin", NO_TERMINAL), "i>"),
    (&ImportRow::of("wasi:cli/terminal-stdout@0.2.", "get-terminal-stdout", NO_TERMINAL), "i>"),
    (&ImportRow::of("wasi:cli/terminal-stderr@0.2.", "get-terminal-stderr", NO_TERMINAL), "i>"),
    (
        &ImportRow::of(
            "wasi:filesystem/preopens@0.2.",
            "get-directories",
            Run::Core(|_, _, args| Ok(empty(args.take()?))),
        ),
        "i>",
    ),
];
