//! `skiff.history` of `settings.json`: which paths are kept, how long, and in how much room.

use alloc::vec::Vec;

use crate::json::{self, JsonError};
use crate::paths::Pattern;

/// Patterns in `skiff.history.paths`.
const PATHS_MAX: usize = 64;
/// Hours that can be asked for: a month.
const HOURS_MAX: u16 = 31 * 24;
/// Mebibytes that can be asked for.
const MEBIBYTES_MAX: u16 = 1024;

/// What is kept of the own vessel's past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryConfig {
    /// Paths, `*` stands for any text; at least one.
    pub paths: Vec<Pattern>,
    /// How long a value is kept, hours.
    pub hours: u16,
    /// Room for all of it, MiB.
    pub mebibytes: u16,
}

/// Said of a member that cannot be meant.
pub(super) const SHAPE: &str = "skiff.history must have paths (1 to 64 paths or patterns), hours (1 to 744, else 24) and \
                                mebibytes (1 to 1024, else 64)";

impl HistoryConfig {
    /// Reads the member; `None` where it cannot be meant.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut paths = Vec::new();
        let read = json::items::<JsonError>(json::member(text, "paths")?, |item| {
            let pattern = json::string(item).and_then(|path| Pattern::of_path(&path).ok());
            match pattern.filter(|_| paths.len() < PATHS_MAX) {
                Some(pattern) => paths.push(pattern),
                None => return Err(JsonError::WrongKind),
            }
            Ok(())
        });
        read.ok().filter(|()| !paths.is_empty())?;
        let number = |name: &str, default: u16, most: u16| match json::member(text, name) {
            None => Some(default),
            Some(text) => text.parse().ok().filter(|number| (1..=most).contains(number)),
        };
        Some(Self { paths, hours: number("hours", 24, HOURS_MAX)?, mebibytes: number("mebibytes", 64, MEBIBYTES_MAX)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_needed_and_the_rest_has_defaults() {
        let config = HistoryConfig::read(r#"{"paths":["navigation.*","environment.depth.belowKeel"]}"#).unwrap();
        assert_eq!((config.paths.len(), config.hours, config.mebibytes), (2, 24, 64));
        let config = HistoryConfig::read(r#"{"paths":["*"],"hours":744,"mebibytes":1}"#).unwrap();
        assert_eq!((config.hours, config.mebibytes), (744, 1));
        for wrong in [
            "{}",
            "[]",
            r#"{"paths":[]}"#,
            r#"{"paths":"a"}"#,
            r#"{"paths":[7]}"#,
            r#"{"paths":["a"],"hours":0}"#,
            r#"{"paths":["a"],"hours":745}"#,
            r#"{"paths":["a"],"hours":"24"}"#,
            r#"{"paths":["a"],"mebibytes":1.5}"#,
            r#"{"paths":["a"],"mebibytes":1025}"#,
        ] {
            assert_eq!(HistoryConfig::read(wrong), None, "{wrong}");
        }
    }
}
