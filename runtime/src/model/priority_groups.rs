//! Groups of sources that are ranked on every path they tell: `priorityGroups` of Signal K Server 2.32.
//!
//! ```json
//! [{"id": "gps", "sources": ["can0.c0508700e7000000", "usb.GP"], "inactive": false}]
//! ```
//!
//! The first value of a source of a group claims its path for the group; others are ranked there from then on, those of no
//! group last.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::priorities::{NAME_BYTES_MAX, PriorityError, Ranking, SOURCES_MAX, is_same_device};
use crate::json;

/// Groups; a boat has some ten kinds of sensors.
const GROUPS_MAX: usize = 64;
/// Paths that are ranked by groups; each holds a copy of the ranking.
const CLAIMS_MAX: usize = 512;

/// The groups.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    on: Vec<Ranking>,
    /// Sources of groups that are switched off.
    off: Vec<Box<str>>,
    claims: usize,
}

impl Groups {
    /// Reads `priorityGroups`. The first source of a group is taken at once, others after `fallback`.
    pub fn parse(text: &str, fallback: Duration) -> Result<Self, PriorityError> {
        let mut groups = Self::default();
        if !text.starts_with('[') {
            return Err(PriorityError::Form);
        }
        let mut count = 0_usize;
        json::items::<PriorityError>(text, |group| {
            count = count.saturating_add(1);
            let sources = sources_of(group)?;
            if count > GROUPS_MAX {
                return Err(PriorityError::TooMany);
            }
            if json::member(group, "inactive") == Some("true") {
                groups.off.extend(sources);
                return Ok(());
            }
            if sources.iter().any(|source| groups.of(source).is_some()) {
                return Err(PriorityError::Twice);
            }
            let timeout = |place: usize| if place == 0 { Duration::ZERO } else { fallback };
            let ranking: Ranking =
                sources.into_iter().enumerate().map(|(place, source)| (source, Some(timeout(place)))).collect();
            if !ranking.is_empty() {
                groups.on.push(ranking);
            }
            Ok(())
        })?;
        Ok(groups)
    }

    /// Tells whether no group is on.
    pub fn is_empty(&self) -> bool {
        self.on.is_empty()
    }

    /// Tells whether a source is in groups that are switched off, and in no other.
    pub fn is_switched_off(&self, source: &str) -> bool {
        let is_meant = |known: &str| *known == *source || is_same_device(known, source);
        self.off.iter().any(|known| is_meant(known)) && self.of(source).is_none()
    }

    /// Returns the ranking of a path that this source tells; `None` without a group, or room for one more path.
    pub fn claim(&mut self, source: &str) -> Option<Ranking> {
        if self.claims >= CLAIMS_MAX {
            return None;
        }
        let ranking = self.of(source)?.clone();
        self.claims = self.claims.saturating_add(1);
        Some(ranking)
    }

    /// Calls a source otherwise.
    pub fn rename(&mut self, from: &str, to: &str) {
        for ranking in self.on.iter_mut().filter(|ranking| ranking.iter().all(|(known, _)| **known != *to)) {
            ranking.iter_mut().filter(|(known, _)| **known == *from).for_each(|(known, _)| *known = to.into());
        }
    }

    fn of(&self, source: &str) -> Option<&Ranking> {
        let is_meant = |known: &str| *known == *source || is_same_device(known, source);
        self.on.iter().find(|ranking| ranking.iter().any(|(known, _)| is_meant(known)))
    }
}

fn sources_of(group: &str) -> Result<Vec<Box<str>>, PriorityError> {
    let has_id = json::member(group, "id").and_then(json::string).is_some_and(|id| !id.is_empty());
    let list = json::member(group, "sources").filter(|_| has_id).ok_or(PriorityError::Group)?;
    let mut sources = Vec::new();
    json::items::<PriorityError>(list, |source| {
        let source = json::string(source).filter(|source| !source.is_empty() && source.len() <= NAME_BYTES_MAX);
        if sources.len() >= SOURCES_MAX {
            return Err(PriorityError::TooMany);
        }
        sources.push(source.ok_or(PriorityError::Group)?.into());
        Ok(())
    })?;
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::super::Priorities;
    use super::*;
    use crate::time::Instant;

    const GROUPS: &str =
        r#"[{"id":"g","sources":["best","can0.c0508700e7000000"]},{"id":"h","sources":["old"],"inactive":true}]"#;

    fn of(overrides: &str) -> Priorities {
        Priorities::parse(overrides).unwrap().with_groups(GROUPS, Duration::from_secs(15)).unwrap()
    }

    fn value(priorities: &mut Priorities, path: &str, source: &str, at: u64) -> bool {
        let now = Instant::from_millis(at);
        let takes = priorities.takes(path, source, now);
        if takes {
            priorities.taken(path, source, now);
        }
        takes
    }

    #[test]
    fn a_path_is_claimed_by_the_group_whose_source_tells_it() {
        let mut priorities = of("{}");
        assert!(value(&mut priorities, "a", "other", 0) && !priorities.has("a"), "not claimed yet");
        assert!(value(&mut priorities, "a", "best", 1) && priorities.has("a"));
        assert!(!value(&mut priorities, "a", "yd.C0508700E7000000", 15_001), "the device, through another input");
        assert!(!value(&mut priorities, "a", "other", 10_001));
        assert!(value(&mut priorities, "a", "can0.c0508700e7000000", 15_002));
        assert!(value(&mut priorities, "b", "other", 15_003), "other paths are free");
    }

    #[test]
    fn a_path_of_its_own_goes_before_the_group_and_a_star_takes_all() {
        let mut priorities = of(
            r#"{"a":[{"sourceRef":"can0.c0508700e7000000"},{"sourceRef":"best","timeout":1}],"b":[{"sourceRef":"*"}]}"#,
        );
        assert!(value(&mut priorities, "a", "can0.c0508700e7000000", 0) && !value(&mut priorities, "a", "best", 1));
        assert!(value(&mut priorities, "b", "best", 0) && value(&mut priorities, "b", "other", 0));
        assert!(!priorities.has("b"));
    }

    #[test]
    fn lists_of_groups_that_are_off_hold_no_more() {
        let priorities = of(r#"{"a":[{"sourceRef":"old"}],"b":[{"sourceRef":"old"},{"sourceRef":"new"}]}"#);
        assert!(!priorities.has("a") && priorities.has("b"));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (text, error) in [
            ("{}", PriorityError::Form),
            (r#"[{"sources":[]}]"#, PriorityError::Group),
            (r#"[{"id":"a","sources":[7]}]"#, PriorityError::Group),
            (r#"[{"id":"a","sources":["x"]},{"id":"b","sources":["x"]}]"#, PriorityError::Twice),
        ] {
            assert_eq!(Groups::parse(text, Duration::ZERO).unwrap_err(), error, "{text}");
        }
        let many = std::vec![r#"{"id":"a","sources":[]}"#; GROUPS_MAX + 1].join(",");
        assert_eq!(Groups::parse(&std::format!("[{many}]"), Duration::ZERO).unwrap_err(), PriorityError::TooMany);
    }

    #[test]
    fn claims_are_bounded() {
        let mut priorities = of("{}");
        for number in 0..2 * CLAIMS_MAX {
            value(&mut priorities, &std::format!("a.{number}"), "best", 0);
        }
        assert!(priorities.has("a.511") && !priorities.has("a.512"));
    }
}
