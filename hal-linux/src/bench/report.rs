//! The report: its rows, and its JSON (`docs/command-line.md`, Bench).

use serde_json::{Value, json};
use skiff_measure::statistics::Summary;

use super::Machine;
use super::workloads::Key;

/// Name of the format; a program that reads it asks for this one.
pub const FORMAT: &str = "skiff-bench";
/// Version of the format: it changes when a member changes its meaning or goes.
pub const VERSION: u64 = 1;

/// Unit of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds of processor time.
    Nanoseconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// Returns the word of the report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Bytes => "bytes",
        }
    }

    /// Writes a value for people.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Nanoseconds => skiff_measure::plot::Unit::Nanoseconds.text(value),
            Self::Bytes => skiff_measure::plot::Unit::Bytes.text(value),
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it is about.
    pub key: Key,
    /// Unit of the summary.
    pub unit: Unit,
    /// What was measured; `None` where it could not be, and `note` says why.
    pub summary: Option<Summary>,
    /// Fuel of one unit.
    pub fuel: Option<u64>,
    /// Bytes of one unit: of the module, of the delta, of the answer, of what came out.
    pub bytes: Option<u64>,
    /// What a reader has to know.
    pub note: Option<String>,
}

impl Row {
    /// A row without a value yet.
    #[must_use]
    pub fn new(key: Key, unit: Unit) -> Self {
        Self { key, unit, summary: None, fuel: None, bytes: None, note: None }
    }

    /// A row with a value that is not measured but known.
    #[must_use]
    pub fn exact(key: Key, unit: Unit, value: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "bytes of a process")]
        let value = value as f64;
        Self { summary: Summary::of(&[value]), ..Self::new(key, unit) }
    }

    /// A row that cannot be measured.
    #[must_use]
    pub fn void(key: Key, unit: Unit, reason: String) -> Self {
        Self { note: Some(reason), ..Self::new(key, unit) }
    }

    fn json(&self) -> Value {
        json!({
            "id": self.key.id,
            "what": self.key.what,
            "package": self.key.package,
            "plugins": self.key.plugins.map(|(plugins, _)| plugins),
            "handed": self.key.plugins.map(|(_, handed)| handed.name()),
            "unit": self.unit.name(),
            "median": self.summary.map(|summary| rounded(summary.median)),
            "low": self.summary.map(|summary| rounded(summary.low)),
            "high": self.summary.map(|summary| rounded(summary.high)),
            "samples": self.summary.map(|summary| summary.samples),
            "fuel": self.fuel,
            "bytes": self.bytes,
            "note": self.note,
        })
    }
}

/// Hundredths are enough.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Everything that a run found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// Which Skiff.
    pub version: String,
    /// When, RFC 3339.
    pub date: String,
    /// The command line.
    pub command: String,
    /// What.
    pub rows: Vec<Row>,
}

impl Report {
    /// Returns the report as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "format": FORMAT,
            "formatVersion": VERSION,
            "skiff": self.version,
            "date": self.date,
            "command": self.command,
            "machine": self.machine.json(),
            "rows": self.rows.iter().map(Row::json).collect::<Vec<Value>>(),
        })
    }
}
