//! The table of `skiff plugin list`.

use super::super::talk::{aligned, sanitised};

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
