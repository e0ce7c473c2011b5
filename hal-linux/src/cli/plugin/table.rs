//! The table of `skiff plugin list`.

use super::super::talk::sanitised;

/// One plugin in a listing.
pub(in crate::cli) struct PluginRow {
    pub id: String,
    pub package: String,
    pub version: String,
    pub state: String,
    pub reason: String,
    /// A package that is no plugin: it can be inspected and removed, and nothing else.
    pub unusable: bool,
}

/// Lays rows out in columns; names come from packages and are not trusted.
pub(super) fn columns(table: &[PluginRow]) -> Vec<String> {
    let header = ["PACKAGE", "VERSION", "STATE", "REASON"].map(str::to_owned);
    let cells =
        table.iter().map(|row| [&row.package, &row.version, &row.state, &row.reason].map(|text| sanitised(text)));
    aligned(&std::iter::once(header).chain(cells).map(Vec::from).collect::<Vec<_>>())
}

/// Pads cells to the width of their columns.
pub(in crate::cli) fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(row.len().max(widths.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_names_cannot_steer_the_terminal() {
        let row = |package: &str, state: &str| PluginRow {
            id: String::new(),
            package: package.into(),
            version: "1.0.0".into(),
            state: state.into(),
            reason: String::new(),
            unusable: false,
        };
        let lines = columns(&[row("a\u{1b}[2J", "running"), row("@acme/tide-table", "error")]);
        assert_eq!(lines[0], "PACKAGE           VERSION  STATE    REASON");
        assert_eq!(lines[1], format!("{:16}  1.0.0    running", "a\u{fffd}[2J"));
    }
}
