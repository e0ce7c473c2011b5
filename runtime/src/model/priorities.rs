//! Which source of a path is preferred: `sourcePriorities` of Signal K's `settings.json`.
//!
//! ```json
//! {"navigation.position": [{"sourceRef": "can0.c0508700e7000000", "timeout": 0}, {"sourceRef": "ais", "timeout": 5000}]}
//! ```
//!
//! The first source of a path is always taken. Another one is taken when the last value came from itself or from one
//! below it in the list, or when the last value is older than its own `timeout` in milliseconds. A source that is not
//! listed is below all others with a timeout of [`UNLISTED_TIMEOUT`]. Paths that are not listed take every source.
//!
//! A plugin is ranked by the name of its package, or its id (plugin ABI §1.4), whatever `$source` it writes.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::json;
use crate::time::Instant;

/// Paths that can have priorities.
pub const PATHS_MAX: usize = 256;
/// Sources of one path.
pub const SOURCES_MAX: usize = 32;
/// Time after which a source that is not listed stands in for those that are.
pub const UNLISTED_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a path or source.
pub(super) const NAME_BYTES_MAX: usize = 255;
/// Groups and what belongs to them are here.
const KNOWS_GROUPS: bool = cfg!(any(test, feature = "server-routes"));
/// The one entry of a list that takes every source.
const EVERY: &str = "*";

/// Why priorities cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PriorityError {
    /// Not an object of lists by path.
    Form,
    /// An entry without `sourceRef`, or with a `timeout` that is no number of milliseconds.
    Entry,
    /// A group without `id` or with `sources` that are no texts.
    #[cfg(any(test, feature = "server-routes"))]
    Group,
    /// A source in two groups that are on.
    #[cfg(any(test, feature = "server-routes"))]
    Twice,
    /// More than [`PATHS_MAX`] paths or [`SOURCES_MAX`] sources of one.
    TooMany,
}

impl fmt::Display for PriorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("sourcePriorities must be an object of lists, by path"),
            Self::Entry => f.write_str("an entry of sourcePriorities needs sourceRef and timeout in milliseconds"),
            #[cfg(any(test, feature = "server-routes"))]
            Self::Group => f.write_str("a group of priorityGroups needs id and a list of sources"),
            #[cfg(any(test, feature = "server-routes"))]
            Self::Twice => f.write_str("a source stands in one group of priorityGroups at most"),
            Self::TooMany => {
                write!(f, "sourcePriorities takes at most {PATHS_MAX} paths and {SOURCES_MAX} sources of each")
            }
        }
    }
}

impl core::error::Error for PriorityError {}

impl From<json::JsonError> for PriorityError {
    fn from(_: json::JsonError) -> Self {
        Self::Form
    }
}

/// Sources, best first; without a timeout a source never stands in.
pub(super) type Ranking = Vec<(Box<str>, Option<Duration>)>;

#[derive(Clone, Debug)]
struct Row {
    /// None of them where every source is taken all the same.
    sources: Ranking,
    /// Rank of the source that the last value came from, and when that was.
    last: Option<(usize, Instant)>,
}

/// Tells whether `id` is the plugin id of a package: `_acme_tide` of `@acme/tide` (plugin ABI §1.4).
fn is_id_of(id: &str, package: &str) -> bool {
    let is_same = |(id, of): (u8, u8)| if matches!(of, b'@' | b'/') { id == b'_' } else { id == of };
    package.starts_with('@') && id.len() == package.len() && id.bytes().zip(package.bytes()).all(is_same)
}

/// Tells whether two sources are one device of NMEA 2000, heard through two inputs: both end with its NAME.
#[cfg(any(test, feature = "server-routes"))]
pub(super) fn is_same_device(a: &str, b: &str) -> bool {
    let name = |source: &str| -> Option<u64> {
        let (_, name) = source.rsplit_once('.')?;
        (name.len() == 16).then(|| u64::from_str_radix(name, 16).ok()).flatten()
    };
    name(a).is_some_and(|name_of_a| name(b) == Some(name_of_a))
}

/// Chips have one bus.
#[cfg(not(any(test, feature = "server-routes")))]
fn is_same_device(_: &str, _: &str) -> bool {
    false
}

/// The priorities of all paths, and what was taken last.
#[derive(Clone, Debug, Default)]
pub struct Priorities {
    rows: BTreeMap<Box<str>, Row>,
    /// Sources that are ranked on every path that one of them tells.
    #[cfg(any(test, feature = "server-routes"))]
    groups: super::priority_groups::Groups,
}

impl Row {
    fn rank(&self, source: &str) -> usize {
        let is_meant = |known: &str| *known == *source || is_id_of(known, source) || is_same_device(known, source);
        self.sources.iter().position(|(known, _)| is_meant(known)).unwrap_or(self.sources.len())
    }

    fn takes(&self, source: &str, now: Instant) -> bool {
        let rank = self.rank(source);
        let Some((last, at)) = self.last else { return true };
        if last >= rank {
            return true;
        }
        let timeout = self.sources.get(rank).map_or(Some(UNLISTED_TIMEOUT), |(_, timeout)| *timeout);
        timeout.is_some_and(|timeout| now.since(at) > timeout)
    }
}

impl Priorities {
    /// Reads the member `sourcePriorities`, compact JSON text.
    ///
    /// # Errors
    /// [`PriorityError`] when it cannot be meant.
    pub fn parse(text: &str) -> Result<Self, PriorityError> {
        let mut rows = BTreeMap::new();
        if !text.starts_with('{') {
            return Err(PriorityError::Form);
        }
        json::members::<PriorityError>(text, |path, list| {
            if rows.len() >= PATHS_MAX {
                return Err(PriorityError::TooMany);
            }
            let mut sources = Vec::new();
            if !list.starts_with('[') || path.len() > NAME_BYTES_MAX {
                return Err(PriorityError::Form);
            }
            json::items::<PriorityError>(list, |entry| {
                if sources.len() >= SOURCES_MAX {
                    return Err(PriorityError::TooMany);
                }
                sources.push(read_entry(entry).ok_or(PriorityError::Entry)?);
                Ok(())
            })?;
            if KNOWS_GROUPS && sources.len() == 1 && sources.first().is_some_and(|(source, _)| **source == *EVERY) {
                rows.insert(Box::from(path), Row { sources: Vec::new(), last: None });
                return Ok(());
            }
            // A list without sources says nothing.
            if !sources.is_empty() {
                rows.insert(Box::from(path), Row { sources, last: None });
            }
            Ok(())
        })?;
        Ok(Self {
            rows,
            #[cfg(any(test, feature = "server-routes"))]
            groups: super::priority_groups::Groups::default(),
        })
    }

    /// Ranks the sources of groups, too: `groups` as Signal K Server's `priorityGroups`, JSON. A path that a source of a group
    /// tells is ranked as the group is, unless it has priorities of its own; `fallback` is how long the one before must have
    /// been quiet. Lists whose sources are all in groups that are switched off hold no more.
    ///
    /// # Errors
    /// [`PriorityError`] when they cannot be meant.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn with_groups(mut self, groups: &str, fallback: Duration) -> Result<Self, PriorityError> {
        let groups = super::priority_groups::Groups::parse(groups, fallback)?;
        self.rows.retain(|_, row| {
            row.sources.is_empty() || !row.sources.iter().all(|(source, _)| groups.is_switched_off(source))
        });
        self.groups = groups;
        Ok(self)
    }

    /// Tells whether no path has priorities.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        #[cfg(any(test, feature = "server-routes"))]
        if !self.groups.is_empty() {
            return false;
        }
        self.rows.is_empty()
    }

    /// Tells whether a path has priorities.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        if KNOWS_GROUPS {
            return self.rows.get(path).is_some_and(|row| !row.sources.is_empty());
        }
        self.rows.contains_key(path)
    }

    /// Ranks source `to` where `from` is ranked, unless it has a place of its own.
    pub fn rename(&mut self, from: &str, to: &str) {
        for row in self.rows.values_mut().filter(|row| row.sources.iter().all(|(known, _)| **known != *to)) {
            row.sources.iter_mut().filter(|(known, _)| **known == *from).for_each(|(known, _)| *known = to.into());
        }
        #[cfg(any(test, feature = "server-routes"))]
        self.groups.rename(from, to);
    }

    /// Tells whether a value of this path and source is taken now.
    #[must_use]
    pub fn takes(&self, path: &str, source: &str, now: Instant) -> bool {
        self.rows.get(path).is_none_or(|row| row.takes(source, now))
    }

    /// Takes note that a value was taken.
    pub fn taken(&mut self, path: &str, source: &str, now: Instant) {
        if let Some(row) = self.rows.get_mut(path) {
            row.last = Some((row.rank(source), now));
            return;
        }
        #[cfg(any(test, feature = "server-routes"))]
        if let Some(ranking) = self.groups.claim(source) {
            let mut row = Row { sources: ranking, last: None };
            row.last = Some((row.rank(source), now));
            self.rows.insert(path.into(), row);
        }
    }
}

/// Reads `{"sourceRef":…,"timeout":…}`; admin pages write the timeout as number or text, and -1 for "never".
fn read_entry(entry: &str) -> Option<(Box<str>, Option<Duration>)> {
    let source = json::member(entry, "sourceRef").and_then(json::string)?;
    if source.is_empty() || source.len() > NAME_BYTES_MAX {
        return None;
    }
    let timeout = match json::member(entry, "timeout") {
        None | Some("null" | "\"\"") => Some(0),
        Some(text) => {
            let text = json::string(text).unwrap_or(Cow::Borrowed(text));
            let millis: i64 = text.parse().ok()?;
            u64::try_from(millis).ok()
        }
    };
    Some((source.into(), timeout.map(Duration::from_millis)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"a":[{"sourceRef":"best","timeout":0},{"sourceRef":"second","timeout":"5000"},{"sourceRef":"spare","timeout":-1}],"b":[]}"#;

    struct Player(Priorities);

    impl Player {
        fn value(&mut self, source: &str, at: u64) -> bool {
            let now = Instant::from_millis(at);
            let takes = self.0.takes("a", source, now);
            if takes {
                self.0.taken("a", source, now);
            }
            takes
        }
    }

    #[test]
    fn a_lower_source_waits_for_its_timeout() {
        let mut player = Player(Priorities::parse(TEXT).unwrap());
        assert!(player.value("second", 0), "the first value of all");
        assert!(player.value("best", 100));
        assert!(!player.value("second", 5100));
        assert!(player.value("second", 5101), "nothing better for more than 5 s");
        assert!(player.value("second", 5102));
        assert!(player.value("best", 5103), "back at once");
        assert!(!player.value("spare", 1_000_000), "never stands in");
        assert!(!player.value("unlisted", 15_103));
        assert!(player.value("unlisted", 15_104));
        assert!(player.value("spare", 15_105), "better than one that is not listed");
    }

    #[test]
    fn a_plugin_is_ranked_by_its_package_or_its_id() {
        let priorities = Priorities::parse(
            r#"{"a":[{"sourceRef":"can0.7"},{"sourceRef":"@acme/tide"}],"b":[{"sourceRef":"can0.7"},{"sourceRef":"_acme_tide"}]}"#,
        );
        let priorities = priorities.unwrap();
        for row in priorities.rows.values() {
            assert_eq!(["can0.7", "@acme/tide", "acme/tide"].map(|source| row.rank(source)), [0, 1, 2]);
        }
    }

    #[test]
    fn other_paths_take_everything() {
        let mut priorities = Priorities::parse(TEXT).unwrap();
        let now = Instant::from_millis(0);
        priorities.taken("b", "x", now);
        assert!(priorities.takes("b", "y", now) && priorities.takes("c", "z", now));
        assert!(Priorities::parse("{}").unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (text, error) in [
            ("[]", PriorityError::Form),
            (r#"{"a":{}}"#, PriorityError::Form),
            (r#"{"a":[{"timeout":1}]}"#, PriorityError::Entry),
            (r#"{"a":[{"sourceRef":"x","timeout":"soon"}]}"#, PriorityError::Entry),
            (r#"{"a":[7]}"#, PriorityError::Entry),
        ] {
            assert_eq!(Priorities::parse(text).unwrap_err(), error, "{text}");
        }
        let entries = std::vec![r#"{"sourceRef":"x"}"#; SOURCES_MAX + 1].join(",");
        assert_eq!(Priorities::parse(&std::format!(r#"{{"a":[{entries}]}}"#)).unwrap_err(), PriorityError::TooMany);
    }
}
