//! The table of `skiff plugin list`.

use std::collections::BTreeMap;

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
    /// A web app without a plugin: there is nothing to configure and nothing that runs.
    pub is_app: bool,
}

/// Lays rows out in columns; names come from packages and are not trusted. `newest` is what a registry has, by package.
pub(super) fn columns(table: &[PluginRow], newest: Option<&BTreeMap<String, String>>) -> Vec<String> {
    let mut header = vec!["PACKAGE", "VERSION", "STATE", "REASON"];
    if newest.is_some() {
        header.insert(2, "NEWEST");
    }
    let mut rows = vec![header.into_iter().map(str::to_owned).collect()];
    rows.extend(table.iter().map(|row| {
        let mut cells = [&row.package, &row.version, &row.state, &row.reason].map(|text| sanitised(text)).to_vec();
        if let Some(newest) = newest {
            cells.insert(2, newest.get(&row.package).map_or_else(|| "-".into(), |version| sanitised(version)));
        }
        cells
    }));
    aligned(&rows)
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
            is_app: false,
        };
        let lines = columns(&[row("a\u{1b}[2J", "running"), row("@acme/tide-table", "error")], None);
        assert_eq!(lines[0], "PACKAGE           VERSION  STATE    REASON");
        assert_eq!(lines[1], format!("{:16}  1.0.0    running", "a\u{fffd}[2J"));
        let newest = BTreeMap::from([("tide".to_owned(), "1.1.0".to_owned())]);
        let lines = columns(&[row("tide", "running"), row("wind", "running")], Some(&newest));
        assert_eq!(lines[0], "PACKAGE  VERSION  NEWEST  STATE    REASON");
        assert_eq!(lines[1..], ["tide     1.0.0    1.1.0   running", "wind     1.0.0    -       running"]);
    }
}
