//! What a plugin did on a log, as a table and as an object.

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::json::{self, List};

use super::super::super::exit::{self, Failure};
use super::super::super::talk::{aligned, sanitised};
use crate::suggest::{Evidence, PathRow, Tally};

/// What was found out.
pub(super) struct Report {
    package: String,
    evidence: Evidence,
    /// The paths that it needs, or why they cannot be told.
    filter: Result<Vec<String>, String>,
}

impl Report {
    pub(super) fn of(package: &str, evidence: Evidence) -> Self {
        let limit = usize::from(Limits::of(Board::Linux).plugin.path_filter_max);
        let filter = match evidence.filter() {
            Ok(paths) if paths.len() > limit => {
                Err(format!("{} paths are needed, and a filter has room for {limit}", paths.len()))
            }
            Ok(paths) => Ok(paths.into_iter().map(str::to_owned).collect()),
            Err(reason) => Err(reason.to_string()),
        };
        Self { package: package.to_owned(), evidence, filter }
    }

    /// Returns the filter that is suggested.
    pub(super) fn filter(&self) -> Result<Vec<String>, Failure> {
        let refused =
            |reason: String| Failure::new(exit::VERDICT, format_args!("no filter for {}: {reason}", self.package));
        self.filter.clone().map_err(refused)
    }

    /// Returns the table; the last line has what is suggested.
    pub(super) fn as_lines(&self) -> Vec<String> {
        let header = ["PATH", "DELTAS", "WITH EFFECT", "FUEL/BYTE", "NEEDED", "EFFECTS"].map(str::to_owned);
        let row = |row: &PathRow<'_>| {
            vec![
                sanitised(if row.path.is_empty() { "\"\"" } else { row.path }),
                row.tally.deltas.to_string(),
                row.tally.acted.to_string(),
                per_byte(&row.tally),
                String::from(if row.is_needed { "yes" } else { "no" }),
                effects(&row.tally),
            ]
        };
        let rows = self.evidence.rows();
        let table: Vec<Vec<String>> = std::iter::once(Vec::from(header)).chain(rows.iter().map(row)).collect();
        let mut lines = aligned(&table);
        let all = &self.evidence.all;
        lines.push(format!("{} deltas, {} with an effect", all.deltas, all.acted));
        let left_out = self.evidence.left_out.deltas;
        if left_out > 0 {
            lines.push(format!("{left_out} of them had more paths than are remembered, and stand in no row"));
        }
        for (name, count) in &self.evidence.for_any {
            lines.push(format!("{name}: called for {count} deltas with paths that it cannot know, too"));
        }
        if let Ok(filter) = &self.filter {
            lines.push(json::object(|out| {
                out.object("skiff", |section| {
                    section.list("subscribe", |list| texts(list, filter.iter().map(|path| &**path)));
                });
            }));
        }
        lines
    }

    /// Returns the same as an object.
    pub(super) fn as_json(&self) -> String {
        json::object(|out| {
            out.text("package", &self.package);
            out.number("deltas", self.evidence.all.deltas).number("withEffect", self.evidence.all.acted);
            out.number("leftOut", self.evidence.left_out.deltas);
            out.object("forAny", |counts| {
                for (name, count) in &self.evidence.for_any {
                    counts.number(name, *count);
                }
            });
            out.list("paths", |list| {
                for PathRow { path, tally, is_needed } in self.evidence.rows() {
                    list.object(|row| {
                        row.text("path", path).number("deltas", tally.deltas).number("withEffect", tally.acted);
                        row.number("memory", tally.memory).number("failed", tally.failed);
                        row.list("imports", |list| texts(list, tally.imports.iter().copied()));
                        row.json("fuelPerByte", &per_byte(&tally)).boolean("needed", is_needed);
                    });
                }
            });
            match &self.filter {
                Ok(filter) => out.list("filter", |list| texts(list, filter.iter().map(|path| &**path))).null("reason"),
                Err(reason) => out.null("filter").text("reason", reason),
            };
        })
    }
}

fn texts<'t>(list: &mut List<'_>, texts: impl Iterator<Item = &'t str>) {
    for text in texts {
        list.text(text);
    }
}

fn per_byte(tally: &Tally) -> String {
    let tenths = tally.fuel_tenths_per_byte();
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn effects(tally: &Tally) -> String {
    let counted = |count: u64, what: &str| (count > 0).then(|| format!("{what} {count}"));
    let imports = tally.imports.iter().map(|name| (*name).to_owned());
    let all = [counted(tally.memory, "memory"), counted(tally.failed, "no return")];
    all.into_iter().flatten().chain(imports).collect::<Vec<_>>().join(", ")
}
