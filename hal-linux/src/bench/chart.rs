//! The report as a picture.

use skiff_measure::plot::{self, Plot};

use super::report::{Report, Row, Unit};
use super::workloads::Handed;

/// Writes the picture: what single things take, what plugins cost by their number, what they take of the memory.
#[must_use]
pub fn svg(report: &Report) -> String {
    let mut plots = Vec::new();
    for (title, unit, in_it) in [("Processor time of one", Unit::Nanoseconds, false), ("Memory", Unit::Bytes, false)] {
        let rows = report.rows.iter().filter(|row| row.unit == unit && row.key.plugins.is_some() == in_it);
        plots.push(Plot::Bars { title: title.into(), unit: plot_unit(unit), bars: rows.map(bar).collect() });
    }
    let mut packages: Vec<&str> = report.rows.iter().filter_map(|row| row.key.package.as_deref()).collect();
    packages.dedup();
    packages.sort_unstable();
    packages.dedup();
    for package in packages {
        let lines = Handed::ALL.map(|handed| (handed.name().to_owned(), points(report, package, handed)));
        plots.push(Plot::Lines {
            title: format!("A frame through the gateway: {package}"),
            below: "plugins".into(),
            unit: plot::Unit::Nanoseconds,
            lines: lines.into_iter().filter(|(_, points)| !points.is_empty()).collect(),
        });
    }
    plot::svg(&plots)
}

fn plot_unit(unit: Unit) -> plot::Unit {
    match unit {
        Unit::Nanoseconds => plot::Unit::Nanoseconds,
        Unit::Bytes => plot::Unit::Bytes,
    }
}

fn bar(row: &Row) -> (String, Result<f64, String>) {
    // Names of packages begin with whose they are, which is the same for all.
    let package = row.key.package.as_deref().map(|name| name.rsplit('/').next().unwrap_or(name));
    let what = row.key.what.rsplit(": ").next().unwrap_or(&row.key.what);
    let name = package.map_or_else(|| what.to_owned(), |package| format!("{package}: {what}"));
    let name: String = name.chars().take(44).collect();
    (name, row.summary.map(|summary| summary.median).ok_or_else(|| row.note.clone().unwrap_or_default()))
}

fn points(report: &Report, package: &str, handed: Handed) -> Vec<(f64, f64)> {
    let rows = report.rows.iter().filter(|row| row.key.package.as_deref() == Some(package));
    rows.filter_map(|row| {
        let (plugins, of) = row.key.plugins?;
        let counts = plugins > 0 && of == handed;
        counts.then_some((f64::from(plugins), row.summary?.median))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Machine;
    use crate::bench::workloads::Key;

    #[test]
    fn a_picture_has_bars_memory_and_a_line_for_each_kind() {
        let row = |id, package: &str, plugins, unit, value| {
            Row::exact(Key { id, what: format!("load: {id}"), package: Some(package.into()), plugins }, unit, value)
        };
        let report = Report {
            machine: Machine::default(),
            version: String::new(),
            date: String::new(),
            command: String::new(),
            rows: vec![
                row("load.read", "@a/b", None, Unit::Nanoseconds, 5000),
                row("memory.linear", "@a/b", None, Unit::Bytes, 65_536),
                row("gateway.frame", "@a/b", Some((1, Handed::Filtered)), Unit::Nanoseconds, 4000),
                row("gateway.frame", "@a/b", Some((50, Handed::Filtered)), Unit::Nanoseconds, 9000),
            ],
        };
        let picture = svg(&report);
        for part in ["b: load.read", "65.5 KB", "filtered (9.00 µs)", "A frame through the gateway: @a/b"] {
            assert!(picture.contains(part), "{part}: {picture}");
        }
        assert_eq!(picture.matches("<polyline").count(), 1, "kinds without rows have no line");
    }
}
