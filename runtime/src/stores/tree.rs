//! A JSON document in memory: looked up and changed by path.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::is_forbidden;
use crate::json::{self, DEPTH_MAX, JsonError};

/// Items that setting an index beyond the end of a list may fill with `null`.
pub const PADDED_ITEMS_MAX: usize = 1024;

/// A JSON value. Members keep their order; of a name that stands twice the last one counts.
#[derive(Clone, Debug)]
pub enum Tree {
    /// A number, text, `true`, `false` or `null`: its compact JSON.
    Leaf(String),
    /// An array.
    List(Vec<Tree>),
    /// An object.
    Object(Vec<(String, Tree)>),
}

/// Why a document was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditError {
    /// A member name that could poison objects of a JavaScript client.
    Forbidden,
    /// Nested deeper than [`DEPTH_MAX`].
    TooDeep,
    /// No such place in the document.
    Missing(String),
    /// Not a JSON Patch (RFC 6902 §4): what is wrong with it.
    NoPatch(&'static str),
    /// A `test` found another value (RFC 6902 §4.6), at this place.
    Differs(String),
    /// More than a patch may do.
    TooMuch,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden => {
                f.write_str("invalid path: __proto__, constructor and prototype are no names of members")
            }
            Self::TooDeep => write!(f, "the document would be nested deeper than {DEPTH_MAX}"),
            Self::Missing(place) => write!(f, "there is no place {place} in the document"),
            Self::NoPatch(what) => write!(f, "not a JSON Patch (RFC 6902): {what}"),
            Self::Differs(place) => write!(f, "the test of {place} found another value"),
            Self::TooMuch => f.write_str("the patch has too many steps, or copies too much"),
        }
    }
}

impl core::error::Error for EditError {}

/// Returns the steps of a path in an address: they are parted by `/` and by `.`, as Signal K Server parts them.
///
/// # Errors
/// [`EditError::Forbidden`], [`EditError::TooDeep`].
pub fn segments<'p>(path: &'p [&'p str]) -> Result<Vec<&'p str>, EditError> {
    let steps: Vec<&str> = path
        .iter()
        .flat_map(|segment| segment.split('.'))
        .filter(|step| !step.is_empty())
        .take(DEPTH_MAX.saturating_add(1))
        .collect();
    if steps.len() > DEPTH_MAX {
        return Err(EditError::TooDeep);
    }
    if steps.iter().any(|step| is_forbidden(step)) {
        return Err(EditError::Forbidden);
    }
    Ok(steps)
}

/// Returns the number of an item; leading zeros are none (RFC 6901 §4).
pub(super) fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit());
    if plain { step.parse().ok() } else { None }
}

impl Tree {
    /// Reads one JSON value.
    ///
    /// # Errors
    /// [`JsonError`] when it is none, or nested deeper than [`DEPTH_MAX`].
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        Self::parse_compact(&json::compact(text)?)
    }

    /// Recursion is bounded: compact text is never deeper than [`DEPTH_MAX`].
    fn parse_compact(text: &str) -> Result<Self, JsonError> {
        if text.starts_with('{') {
            let mut members = Vec::new();
            json::members::<JsonError>(text, |name, value| {
                members.push((name.into(), Self::parse_compact(value)?));
                Ok(())
            })?;
            return Ok(Self::Object(members));
        }
        if text.starts_with('[') {
            let mut items = Vec::new();
            json::items::<JsonError>(text, |item| {
                items.push(Self::parse_compact(item)?);
                Ok(())
            })?;
            return Ok(Self::List(items));
        }
        Ok(Self::Leaf(text.into()))
    }

    /// Returns compact JSON.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Leaf(text) => text.clone(),
            Self::List(items) => json::list(|out| items.iter().for_each(|item| _ = out.json(&item.text()))),
            Self::Object(members) => json::object(|out| {
                for (name, value) in members {
                    out.json(name, &value.text());
                }
            }),
        }
    }

    /// Returns how deep it is nested; a leaf is 0.
    pub(super) fn depth(&self) -> usize {
        let inside = match self {
            Self::Leaf(_) => return 0,
            Self::List(items) => items.iter().map(Self::depth).max(),
            Self::Object(members) => members.iter().map(|(_, value)| value.depth()).max(),
        };
        inside.unwrap_or(0).saturating_add(1)
    }

    /// Returns the value a step inside.
    pub(super) fn child(&self, step: &str) -> Option<&Self> {
        match self {
            Self::Leaf(_) => None,
            Self::List(items) => items.get(index(step)?),
            Self::Object(members) => members.iter().rev().find(|(name, _)| name == step).map(|(_, value)| value),
        }
    }

    /// Returns the value a step inside, to change it.
    pub(super) fn child_mut(&mut self, step: &str) -> Option<&mut Self> {
        match self {
            Self::Leaf(_) => None,
            Self::List(items) => items.get_mut(index(step)?),
            Self::Object(members) => members.iter_mut().rev().find(|(name, _)| name == step).map(|(_, value)| value),
        }
    }

    /// Returns the value at a path.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |tree, step| tree.child(step))
    }

    /// Returns the names of an object's members or the numbers of a list's items, as a JSON list of texts; `None` of a leaf.
    #[must_use]
    pub fn keys(&self) -> Option<String> {
        match self {
            Self::Leaf(_) => None,
            Self::List(items) => Some(json::list(|out| {
                for number in 0..items.len() {
                    out.text(&alloc::format!("{number}"));
                }
            })),
            Self::Object(members) => Some(json::list(|out| {
                for (name, _) in members {
                    out.text(name);
                }
            })),
        }
    }

    /// Sets the value at a path; what is missing on the way is made: a list where the next step is a number, else an
    /// object, in place of leaves too. An empty path sets the whole.
    ///
    /// # Errors
    /// [`EditError::TooDeep`]; [`EditError::Missing`] for an item too far beyond a list's end. The tree may have been
    /// changed on the way then: leave it.
    pub fn set(&mut self, path: &[&str], value: Self) -> Result<(), EditError> {
        if path.len().saturating_add(value.depth()) > DEPTH_MAX {
            return Err(EditError::TooDeep);
        }
        let mut tree = self;
        for step in path {
            tree = tree.made(step).ok_or_else(|| EditError::Missing((*step).into()))?;
        }
        *tree = value;
        Ok(())
    }

    /// Returns the value a step inside, made where there is none.
    fn made(&mut self, step: &str) -> Option<&mut Self> {
        if matches!(self, Self::Leaf(_)) {
            let is_item = index(step).is_some_and(|number| number < PADDED_ITEMS_MAX);
            *self = if is_item { Self::List(Vec::new()) } else { Self::Object(Vec::new()) };
        }
        let null = || Self::Leaf(String::from("null"));
        match self {
            Self::List(items) => {
                let number = index(step)?;
                if number >= items.len() {
                    let padded = number.checked_sub(items.len()).filter(|padded| *padded < PADDED_ITEMS_MAX)?;
                    items.extend((0..=padded).map(|_| null()));
                }
                items.get_mut(number)
            }
            Self::Object(members) => {
                let known = members.iter().rposition(|(name, _)| name == step);
                let at = known.unwrap_or(members.len());
                if known.is_none() {
                    members.push((step.into(), null()));
                }
                members.get_mut(at).map(|(_, value)| value)
            }
            Self::Leaf(_) => None,
        }
    }
}

/// Equal as JSON is (RFC 6902 §4.6): the order of members does not count.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf(one), Self::Leaf(two)) => one == two,
            (Self::List(one), Self::List(two)) => one == two,
            (Self::Object(one), Self::Object(two)) => {
                let sorted = |members: &'_ Vec<(String, Self)>| {
                    let mut order: Vec<usize> = (0..members.len()).collect();
                    order.sort_by_key(|at| members.get(*at).map(|(name, _)| name.clone()));
                    order
                };
                one.len() == two.len()
                    && sorted(one)
                        .into_iter()
                        .zip(sorted(two))
                        .all(|(one_at, two_at)| one.get(one_at) == two.get(two_at))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(text: &str, path: &[&str], value: &str) -> String {
        let mut tree = Tree::parse(text).unwrap();
        tree.set(path, Tree::parse(value).unwrap()).unwrap();
        tree.text()
    }

    #[test]
    fn what_is_missing_on_the_way_is_made() {
        assert_eq!(set("{}", &["a", "b"], "0.1"), r#"{"a":{"b":0.1}}"#);
        assert_eq!(set(r#"{"z":1,"a":5}"#, &["a", "1"], "true"), r#"{"z":1,"a":[null,true]}"#);
        assert_eq!(set(r#"{"a":[1,2]}"#, &["a", "1"], "{}"), r#"{"a":[1,{}]}"#);
        assert_eq!(set("{}", &[], "[1]"), "[1]");
    }

    #[test]
    fn what_is_too_deep_or_too_far_is_refused() {
        let mut tree = Tree::parse("[]").unwrap();
        let one = Tree::parse("1").unwrap();
        assert_eq!(tree.set(&["99999999"], one.clone()), Err(EditError::Missing("99999999".into())));
        assert_eq!(tree.set(&["0"; DEPTH_MAX + 1], one), Err(EditError::TooDeep));
        assert_eq!(segments(&["a.b", "__proto__"]), Err(EditError::Forbidden));
        assert_eq!(segments(&["a.b", "c"]), Ok(alloc::vec!["a", "b", "c"]));
        assert_eq!(segments(&["a"; DEPTH_MAX + 1]), Err(EditError::TooDeep));
    }

    #[test]
    fn the_order_of_members_does_not_make_a_difference() {
        let tree = |text| Tree::parse(text).unwrap();
        assert_eq!(tree(r#"{"a":1,"b":[2]}"#), tree(r#"{"b":[2],"a":1.0}"#));
        assert_ne!(tree(r#"{"a":1}"#), tree(r#"{"a":2}"#));
        assert_ne!(tree("[1,2]"), tree("[2,1]"));
    }

    proptest! {
        #[test]
        fn a_double_keeps_every_bit(number in proptest::num::f64::NORMAL) {
            let tree = Tree::parse(&alloc::format!(r#"{{"a":[{number:e}]}}"#)).unwrap();
            let kept = tree.at(&["a", "0"]).map(Tree::text);
            prop_assert_eq!(kept.and_then(|text| text.parse().ok()).map(f64::to_bits), Some(number.to_bits()));
        }

        #[test]
        fn what_is_set_is_found(path in proptest::collection::vec("[a-c0-2]", 0..6), other in "[a-c]") {
            let path: Vec<&str> = path.iter().map(|step| &**step).collect();
            let mut tree = Tree::Object(Vec::new());
            tree.set(&[&other], Tree::Leaf("7".into())).unwrap();
            if tree.set(&path, Tree::Leaf("8".into())).is_ok() {
                prop_assert_eq!(tree.at(&path), Some(&Tree::Leaf("8".into())));
                prop_assert_eq!(Tree::parse(&tree.text()).unwrap(), tree);
            }
        }
    }
}
