//! The report as a table for people.

use std::fmt::Write as _;

use skiff_measure::plot;

use super::compare::Other;
use super::report::{Report, Row, Unit};

/// Writes the table; with another report how many times its value stands beside each.
#[must_use]
pub fn text(report: &Report, other: Option<&Other>) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(out, "skiff {} on {}", report.version, report.machine.line());
    let _ = writeln!(out, "processor time of one thread; median, and where the middle half of the samples lies");
    if report.machine.emulated {
        let _ = writeln!(out, "THIS PROGRAM RUNS IN AN EMULATOR: its times say nothing about any machine");
    }
    if let Some(other) = other {
        let _ = writeln!(out, "ratio: times the value of {}", other.line);
    }
    let mut above: Option<Option<&str>> = None;
    for row in &report.rows {
        let package = row.key.package.as_deref();
        if above != Some(package) {
            above = Some(package);
            let title = package.unwrap_or("this machine");
            let _ = write!(
                out,
                "\n{title:<36} {:>10} {:>10} {:>21} {:>11} {:>9}",
                "median", "a second", "middle half", "fuel", "bytes"
            );
            let _ = writeln!(out, "{}", if other.is_some() { "    ratio" } else { "" });
        }
        write_row(&mut out, row, other);
    }
    out
}

fn write_row(out: &mut String, row: &Row, other: Option<&Other>) {
    let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    let (median, spread) = match row.summary {
        Some(summary) if summary.samples > 1 => (
            row.unit.text(summary.median),
            format!("{} to {}", row.unit.text(summary.low), row.unit.text(summary.high)),
        ),
        Some(summary) => (row.unit.text(summary.median), String::new()),
        None => ("-".into(), String::new()),
    };
    let ratio = match other {
        Some(other) => other.ratio(row).map_or_else(|| format!("{:>9}", "-"), |ratio| format!("{ratio:>9.2}")),
        None => String::new(),
    };
    let rate = row.summary.filter(|summary| row.unit == Unit::Nanoseconds && summary.median > 0.0);
    let rate = rate.map(|summary| plot::Unit::Count.text(1e9 / summary.median)).unwrap_or_default();
    let line = format!(
        "  {:<34} {median:>10} {rate:>10} {spread:>21} {:>11} {:>9}{ratio}",
        row.key.what,
        number(row.fuel),
        number(row.bytes)
    );
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{}", line.trim_end());
    if let Some(note) = &row.note {
        let _ = writeln!(out, "  {:<34} {note}", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Machine;
    use crate::bench::workloads::Key;
    use skiff_measure::statistics::Summary;

    fn report() -> Report {
        let key = |package: Option<&str>| Key {
            id: "delta.answered",
            what: "a delta that it answers".into(),
            package: package.map(str::to_owned),
            plugins: None,
        };
        Report {
            machine: Machine { emulated: true, ..Machine::default() },
            version: "1".into(),
            date: String::new(),
            command: String::new(),
            rows: vec![
                Row {
                    summary: Some(Summary { median: 12_000.0, low: 11_000.0, high: 13_000.0, samples: 9 }),
                    fuel: Some(77),
                    ..Row::new(key(Some("a")), Unit::Nanoseconds)
                },
                Row::void(key(Some("b")), Unit::Bytes, "has no endpoint".into()),
            ],
        }
    }

    #[test]
    fn rows_stand_below_their_package_with_units_and_notes() {
        let text = text(&report(), None);
        for part in ["\na  ", "12.0 µs", "11.0 µs to 13.0 µs", " 77", "\nb  ", "has no endpoint", "RUNS IN AN EMULATOR"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("ratio"), "{text}");
    }

    #[test]
    fn a_ratio_stands_beside_what_both_have() {
        let mut faster = report();
        faster.rows[0].summary.as_mut().unwrap().median = 6_000.0;
        let other = Other::parse(&report().json().to_string()).unwrap();
        let text = text(&faster, Some(&other));
        assert!(text.contains("     0.50\n") && text.contains("times the value of skiff 1"), "{text}");
    }
}
