//! Values of a context itself: `{"name":…,"communication":{"callsignVhf":…}}` at path `""`.

use alloc::format;
use alloc::string::String;

use crate::json::{self, JsonError};
use crate::paths::PATTERN_BYTES_MAX;

/// Objects inside each other that are looked into; `communication.crewNames` is the second.
const DEPTH_MAX: usize = 4;

/// Visits the members of a root value as paths: `name`, `communication`, `communication.callsignVhf`, …
///
/// `visit` tells whether it took the member; what lies inside of one that was taken is not visited.
pub(super) fn visit_members<'a>(object: &'a str, visit: &mut impl FnMut(&str, &'a str) -> bool) {
    visit_below("", object, DEPTH_MAX, visit);
}

fn visit_below<'a>(above: &str, object: &'a str, depth: usize, visit: &mut impl FnMut(&str, &'a str) -> bool) {
    // A value of the model that is no object has no members.
    let _ = json::members::<JsonError>(object, |key, value| {
        let path = if above.is_empty() { String::from(key) } else { format!("{above}.{key}") };
        let taken = path.len() > PATTERN_BYTES_MAX || visit(&path, value);
        if !taken && depth > 1 && value.starts_with('{') {
            visit_below(&path, value, depth - 1, visit);
        }
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn visited(object: &str, takes: &str) -> Vec<String> {
        let mut paths = Vec::new();
        visit_members(object, &mut |path, _| {
            paths.push(String::from(path));
            path == takes
        });
        paths
    }

    #[test]
    fn members_are_visited_from_the_outside() {
        let root = r#"{"name":"A","communication":{"callsignVhf":"X","crew":["a"]}}"#;
        assert_eq!(visited(root, ""), ["name", "communication", "communication.callsignVhf", "communication.crew"]);
        assert_eq!(visited(root, "communication"), ["name", "communication"]);
    }

    #[test]
    fn what_is_no_object_has_none_and_depth_is_bounded() {
        assert!(visited("7", "").is_empty() && visited("[1]", "").is_empty());
        assert_eq!(visited(r#"{"a":{"a":{"a":{"a":{"a":1}}}}}"#, "").len(), DEPTH_MAX);
    }
}
