//! The inputs as Signal K Server shows connections: rows that are looked at. What runs stands on the command line.

use alloc::string::String;

use crate::gateway::Gateway;
use crate::gateway::input::{Input, InputState};
use crate::json;

/// Said of a change.
pub(super) const NOT_HERE: &str =
    "connections are not changed here: they are --input, --can and --output of `skiff run`, see `skiff run --help`";

/// Returns what kind of data came from an input, by Signal K Server's names for the types of a connection.
fn kind(input: &Input) -> &'static str {
    if input.interface().is_some() || input.is_n2k() {
        "NMEA2000"
    } else if input.sentence_counters().sentences > 0 {
        "NMEA0183"
    } else {
        "Unknown"
    }
}

impl Gateway {
    /// Returns a row for each input that runs.
    pub(super) fn providers(&self) -> String {
        json::list(|out| {
            for input in self.inputs.iter() {
                let status = json::object(|out| input.status(out));
                out.object(|row| {
                    row.text("id", input.label()).boolean("enabled", true).text("type", kind(input));
                    row.text("json", &crate::config::pretty(&status)).boolean("editable", false);
                });
            }
        })
    }
}

/// Returns what a row of PROVIDERSTATUS says of an input, and whether that is an error.
pub(super) fn said(input: &Input) -> (bool, &str) {
    match input.state() {
        InputState::Waiting(reason) => (true, reason),
        InputState::Open => (false, "Receiving"),
        InputState::Connecting => (false, "Connecting"),
        InputState::Ended => (false, "Played to its end"),
    }
}
