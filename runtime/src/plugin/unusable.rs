//! Packages that are there and cannot be used: rows of the plugin list with a reason, and nothing else.
//!
//! Who put a package into the folder looks for it in the list, not in the log. Chips have no list of them: nothing here
//! is compiled there.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::package::plugin_id;

/// Rows that are kept; what is more is in the log alone.
const ROWS_MAX: usize = 64;
/// Characters of a reason that are kept: it can quote names of the package.
const REASON_CHARACTERS_MAX: usize = 400;
/// Whether there is a list of them.
pub(super) const HAS_ROWS: bool = cfg!(any(test, feature = "std"));

/// A package that is there and cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Plugin id; the package name where the id is another plugin's.
    pub id: String,
    /// Package name, or that of its folder where it has none that can be read.
    pub package: String,
    /// Version, empty where it cannot be read.
    pub version: String,
    /// Why it cannot be used, one clause.
    pub reason: String,
}

impl Unusable {
    /// Notes why a package cannot be used.
    #[must_use]
    pub fn new(package: &str, version: &str, reason: &str) -> Self {
        Self {
            id: plugin_id(package),
            package: package.to_string(),
            version: version.to_string(),
            reason: if HAS_ROWS { reason.chars().take(REASON_CHARACTERS_MAX).collect() } else { reason.into() },
        }
    }
}

/// The rows, sorted by package name.
#[derive(Debug, Default)]
pub(super) struct UnusableRows(Vec<Unusable>);

impl UnusableRows {
    /// Adds a row, in place of the one that the package has.
    pub fn note(&mut self, row: Unusable) {
        self.forget(&row.package);
        if HAS_ROWS && self.0.len() < ROWS_MAX {
            let at = self.0.partition_point(|other| other.package < row.package);
            self.0.insert(at, row);
        }
    }

    /// Removes the row of a package.
    pub fn forget(&mut self, package: &str) {
        if HAS_ROWS {
            self.0.retain(|row| row.package != package);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Unusable> {
        HAS_ROWS.then(|| self.0.iter()).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_one_row_and_the_rows_are_bounded() {
        let mut rows = UnusableRows::default();
        rows.note(Unusable::new("@acme/tide", "", "not JSON"));
        rows.note(Unusable::new("@acme/tide", "1.0.0", &"x".repeat(1000)));
        let kept: Vec<&Unusable> = rows.iter().collect();
        assert_eq!((kept.len(), kept[0].id.as_str(), kept[0].version.as_str()), (1, "_acme_tide", "1.0.0"));
        assert_eq!(kept[0].reason.len(), REASON_CHARACTERS_MAX);
        (0..100).for_each(|number| rows.note(Unusable::new(&std::format!("p{number}"), "", "")));
        assert_eq!(rows.iter().count(), ROWS_MAX);
        rows.forget("@acme/tide");
        assert_eq!(rows.iter().count(), ROWS_MAX - 1);
    }
}
