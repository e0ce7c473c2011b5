//! Another report beside this one: how many times as much.

use serde_json::Value;

use super::report::{FORMAT, Row, VERSION};

/// A report that was read from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    rows: Vec<Value>,
    /// Its machine and version, in one line.
    pub line: String,
}

impl Other {
    /// Reads a report that `skiff bench --json` wrote.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let report: Value = serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"))?;
        if report["format"] != FORMAT {
            return Err("is no report of `skiff bench --json`".into());
        }
        if report["formatVersion"] != VERSION {
            return Err(format!("has version {} of the format, this program knows {VERSION}", report["formatVersion"]));
        }
        let rows = report["rows"].as_array().cloned().ok_or("has no rows")?;
        let word = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
        let line = format!(
            "skiff {} on {}, {}",
            word(&report["skiff"]),
            word(&report["machine"]["processor"]),
            word(&report["date"])
        );
        Ok(Self { rows, line })
    }

    /// Returns the other's median of a row, where both have it in the same unit.
    #[must_use]
    pub fn median(&self, row: &Row) -> Option<f64> {
        let found = self.rows.iter().find(|other| {
            other["id"] == row.key.id
                && other["package"].as_str() == row.key.package.as_deref()
                && other["plugins"].as_u64() == row.key.plugins.map(|(plugins, _)| plugins.into())
                && other["handed"].as_str() == row.key.plugins.map(|(_, handed)| handed.name())
                && other["unit"] == row.unit.name()
        })?;
        found["median"].as_f64().filter(|median| median.is_finite() && *median > 0.0)
    }

    /// Returns how many times the other's value this row has: 2 is twice as slow, or twice as large.
    #[must_use]
    pub fn ratio(&self, row: &Row) -> Option<f64> {
        Some(row.summary?.median / self.median(row)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::Unit;
    use crate::bench::workloads::{Handed, Key};
    use crate::bench::{Machine, Report};

    fn report() -> Report {
        let row = |id, package: Option<&str>, plugins, value| {
            let key = Key { id, what: id.into(), package: package.map(str::to_owned), plugins };
            Row::exact(key, Unit::Nanoseconds, value)
        };
        Report {
            machine: Machine::default(),
            version: "1.2.3".into(),
            date: "2026-01-01T00:00:00.000Z".into(),
            command: "skiff bench".into(),
            rows: vec![
                row("call.empty", None, None, 100),
                row("gateway.frame", Some("a"), Some((5, Handed::Filtered)), 300),
                Row::void(Key { id: "x", what: "x".into(), package: None, plugins: None }, Unit::Bytes, "no".into()),
            ],
        }
    }

    #[test]
    fn ratios_are_of_the_rows_that_mean_the_same() {
        let other = Other::parse(&report().json().to_string()).unwrap();
        assert!(other.line.starts_with("skiff 1.2.3 on"), "{}", other.line);
        let mut mine = report();
        mine.rows[0].summary.as_mut().unwrap().median = 50.0;
        mine.rows[1].key.plugins = Some((5, Handed::Unfiltered));
        let ratios: Vec<Option<f64>> = mine.rows.iter().map(|row| other.ratio(row)).collect();
        assert_eq!(ratios, [Some(0.5), None, None]);
    }

    #[test]
    fn what_is_no_report_of_this_format_is_refused() {
        for (text, reason) in [
            ("{", "no JSON"),
            ("{}", "no report"),
            (r#"{"format":"skiff-bench","formatVersion":2,"rows":[]}"#, "version 2"),
            (r#"{"format":"skiff-bench","formatVersion":1}"#, "no rows"),
        ] {
            assert!(Other::parse(text).unwrap_err().contains(reason), "{text}");
        }
    }
}
