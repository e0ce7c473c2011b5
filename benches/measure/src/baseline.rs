//! Numbers that do not depend on the machine, held against those that were checked in (`benches/baseline.json`).
//!
//! Instructions, sizes and heap depend on the compiler, so each compiler has its own. What drifts by more than
//! [`DRIFT_PERCENT`] to either side fails: who makes something better says so, too, with `BLESS=1` and a commit that explains it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

/// Drift that is allowed to both sides, per cent.
pub const DRIFT_PERCENT: u64 = 3;

/// A number and its name.
pub type Measured = (String, u64);

/// What the comparison says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All numbers are where they were.
    Kept,
    /// There are no numbers of this compiler.
    NoBaseline,
    /// These are elsewhere, each with both numbers.
    Drifted(Vec<String>),
}

/// Compares numbers with those of a part of the baseline; returns the table and what it says.
#[must_use]
pub fn judge(baseline: &Value, compiler: &str, part: &str, measured: &[Measured]) -> (String, Verdict) {
    let known = baseline["compilers"][compiler][part].as_object();
    let mut table = format!("{:<56} {:>14} {:>14} {:>8}\n", part, "now", "baseline", "drift");
    let mut drifted = Vec::new();
    for (name, now) in measured {
        let before = known.and_then(|known| known.get(name)).and_then(Value::as_u64);
        let (shown, drift) = match before {
            Some(before) => (before.to_string(), drift_text(*now, before)),
            None => ("-".into(), "-".into()),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(table, "{name:<56} {now:>14} {shown:>14} {drift:>8}");
        match before {
            Some(before) if is_close(*now, before) => {}
            Some(before) => drifted.push(format!("{name}: {now}, it was {before} ({drift})")),
            None => drifted.push(format!("{name}: {now}, it was not there")),
        }
    }
    let gone = known.into_iter().flat_map(Map::keys).filter(|name| !measured.iter().any(|(row, _)| row == *name));
    drifted.extend(gone.map(|name| format!("{name}: is not measured any more")));
    let verdict = match (known, drifted.is_empty()) {
        (None, _) => Verdict::NoBaseline,
        (Some(_), true) => Verdict::Kept,
        (Some(_), false) => Verdict::Drifted(drifted),
    };
    (table, verdict)
}

fn is_close(now: u64, before: u64) -> bool {
    now.abs_diff(before).saturating_mul(100) <= before.saturating_mul(DRIFT_PERCENT)
}

fn drift_text(now: u64, before: u64) -> String {
    if before == 0 {
        return if now == 0 { "0.0 %".into() } else { "new".into() };
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit behind the point")]
    let drift = (now as f64 / before as f64 - 1.0) * 100.0;
    format!("{drift:+.1} %")
}

/// Puts numbers in the place of those of this compiler and part.
pub fn bless(baseline: &mut Value, compiler: &str, part: &str, measured: &[Measured]) {
    if !baseline.is_object() {
        *baseline = json!({});
    }
    let rows: Map<String, Value> = measured.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    baseline["driftPercent"] = json!(DRIFT_PERCENT);
    baseline["compilers"][compiler][part] = Value::Object(rows);
}

/// Holds numbers against a file, or writes them into it; prints the table.
///
/// # Errors
/// The numbers that are elsewhere; that the file cannot be read or written. A compiler without numbers is no error: it is said.
pub fn hold(file: &Path, compiler: &str, part: &str, measured: &[Measured], is_blessed: bool) -> Result<(), String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = match fs::read_to_string(file) {
        Err(error) if is_blessed && error.kind() == std::io::ErrorKind::NotFound => "{}".into(),
        text => text.map_err(|error| failed(&error))?,
    };
    let mut baseline: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let (table, verdict) = judge(&baseline, compiler, part, measured);
    println!("\n{table}");
    if is_blessed {
        bless(&mut baseline, compiler, part, measured);
        let text = serde_json::to_string_pretty(&baseline).map_err(|error| failed(&error))?;
        println!("written to {name}: say in the commit why");
        return fs::write(file, text + "\n").map_err(|error| failed(&error));
    }
    match verdict {
        Verdict::Kept => {
            println!("{part}: within {DRIFT_PERCENT} % of {name}");
            Ok(())
        }
        Verdict::NoBaseline => {
            println!("{part}: NOT CHECKED, {name} has no numbers of {compiler}; BLESS=1 writes them");
            Ok(())
        }
        Verdict::Drifted(rows) => Err(format!("more than {DRIFT_PERCENT} % from {name}: {}", rows.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(&str, u64)]) -> Vec<Measured> {
        rows.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    fn verdict(now: &[(&str, u64)]) -> Verdict {
        let mut baseline = Value::Null;
        bless(&mut baseline, "rustc 1", "board", &rows(&[("stack", 1000), ("heap", 0)]));
        judge(&baseline, "rustc 1", "board", &rows(now)).1
    }

    #[test]
    fn three_per_cent_to_both_sides_are_allowed() {
        for kept in [970, 1000, 1030] {
            assert_eq!(verdict(&[("stack", kept), ("heap", 0)]), Verdict::Kept, "{kept}");
        }
        for drifted in [969, 1031] {
            let Verdict::Drifted(rows) = verdict(&[("stack", drifted), ("heap", 0)]) else { panic!("{drifted}") };
            assert!(rows[0].contains(&drifted.to_string()) && rows[0].contains("1000"), "{rows:?}");
        }
    }

    #[test]
    fn rows_that_come_and_go_are_told() {
        let Verdict::Drifted(told) = verdict(&[("stack", 1000), ("text", 5)]) else { panic!("kept") };
        assert_eq!(told, ["text: 5, it was not there", "heap: is not measured any more"]);
        let Verdict::Drifted(told) = verdict(&[("stack", 1000), ("heap", 1)]) else { panic!("kept") };
        assert_eq!(told, ["heap: 1, it was 0 (new)"]);
    }

    #[test]
    fn another_compiler_has_no_baseline_and_the_numbers_of_others_stay() {
        let mut baseline = Value::Null;
        bless(&mut baseline, "rustc 1", "board", &rows(&[("stack", 1)]));
        bless(&mut baseline, "rustc 1", "linux", &rows(&[("call", 2)]));
        assert_eq!(judge(&baseline, "rustc 2", "board", &rows(&[("stack", 9)])).1, Verdict::NoBaseline);
        bless(&mut baseline, "rustc 2", "board", &rows(&[("stack", 9)]));
        assert_eq!(baseline["compilers"]["rustc 1"]["board"]["stack"], 1);
        assert_eq!(baseline["compilers"]["rustc 1"]["linux"]["call"], 2);
    }
}
