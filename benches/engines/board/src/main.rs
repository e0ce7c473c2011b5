//! One package on one engine, on the emulated RISC-V board: instructions, heap, stack.
//!
//! What it measures lies in the data partition of the flash, written by `cargo xtask bench`. It says `# = ROW NUMBER` for
//! each row, and each delta that the plugin answers is a line of its own, to be compared with what other engines answer.
#![no_std]
#![no_main]

extern crate alloc;

mod stored;

#[cfg(feature = "skiff")]
mod skiff;
#[cfg(feature = "skiff")]
use skiff::{Empty, Guest, take_emitted};

#[cfg(not(feature = "skiff"))]
mod other;
#[cfg(not(feature = "skiff"))]
use other::{Empty, Guest, take_emitted};

use alloc::string::String;
use alloc::vec::Vec;

use skiff_virt::{clock, exit, heap, stack, uart};
use stored::Stored;

skiff_virt::entry!(main, timer: never);

/// Calls and deltas of a row: each 64th delta of an AssemblyScript plugin is followed by a collection.
const TIMES: usize = 128;

fn main() -> ! {
    heap::open();
    let code = match Stored::in_flash().ok_or_else(|| String::from("nothing is stored")).and_then(|stored| run(&stored))
    {
        Ok(()) => exit::DONE,
        Err(reason) => {
            uart::write_fmt(format_args!("# {reason}\n"));
            exit::FAILED
        }
    };
    exit::exit(code)
}

/// No timer is set.
fn never(_: usize) -> ! {
    exit::exit(exit::PANICKED)
}

fn run(stored: &Stored) -> Result<(), String> {
    row("call.empty", empty_call(stored)?);

    let before = heap::restart_peak();
    let began = clock::cycles();
    let mut guest = Guest::started(stored)?;
    row("load", clock::cycles() - began);
    row("heap.loading", (heap::usage().recent_peak - before) as u64);

    for text in &stored.before {
        guest.delta(&guest.prepared(text)?)?;
    }
    row("delta.unwanted", deltas(&mut guest, &[stored.unwanted])?);
    row("delta.answered", deltas(&mut guest, &stored.answered)?);
    let usage = heap::usage();
    row("heap", (usage.used - before) as u64);
    row("heap.peak", (usage.recent_peak - before) as u64);
    row("stack", stack::used() as u64);
    drop(guest);
    answers(stored)
}

/// Instructions of a call of an export that does nothing.
fn empty_call(stored: &Stored) -> Result<u64, String> {
    let mut empty = Empty::load(stored.empty)?;
    empty.call()?;
    let began = clock::cycles();
    for _ in 0..TIMES {
        empty.call()?;
    }
    Ok((clock::cycles() - began) / TIMES as u64)
}

/// Mean instructions of deltas in a circle.
fn deltas(guest: &mut Guest, texts: &[&str]) -> Result<u64, String> {
    let prepared = texts.iter().map(|text| guest.prepared(text)).collect::<Result<Vec<_>, _>>()?;
    let mut sum = 0;
    for delta in prepared.iter().cycle().take(TIMES) {
        let began = clock::cycles();
        guest.delta(delta)?;
        sum += clock::cycles() - began;
        take_emitted(guest);
    }
    Ok(sum / TIMES as u64)
}

/// Says what a fresh plugin answers, as the program for Linux asks it.
fn answers(stored: &Stored) -> Result<(), String> {
    let mut guest = Guest::started(stored)?;
    for text in &stored.before {
        guest.delta(&guest.prepared(text)?)?;
    }
    take_emitted(&mut guest);
    for text in stored.answered.iter().cycle().take(6).chain([&stored.unwanted]) {
        guest.delta(&guest.prepared(text)?)?;
    }
    take_emitted(&mut guest).iter().for_each(|text| uart::line(text));
    Ok(())
}

fn row(name: &str, value: u64) {
    uart::write_fmt(format_args!("# = {name} {value}\n"));
}
