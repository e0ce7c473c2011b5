//! JSON Patch (RFC 6902) with JSON Pointers (RFC 6901).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::tree::index;
use super::{EditError, Tree, is_forbidden};
use crate::json::{self, DEPTH_MAX};

/// Steps of one patch.
pub const PATCH_STEPS_MAX: usize = 256;
/// JSON text that the steps `copy` of one patch may carry, bytes; `move` makes nothing grow.
pub const COPIED_BYTES_MAX: usize = 1024 * 1024;

/// Applies the steps of `patch`, a list, one after the other.
///
/// # Errors
/// [`EditError`] of the first step that cannot be done; the tree is half changed then: leave it.
pub fn apply(tree: &mut Tree, patch: &Tree) -> Result<(), EditError> {
    let Tree::List(steps) = patch else { return Err(EditError::NoPatch("it is no list")) };
    if steps.len() > PATCH_STEPS_MAX {
        return Err(EditError::TooMuch);
    }
    let mut carried = COPIED_BYTES_MAX;
    for step in steps {
        apply_step(tree, step, &mut carried)?;
    }
    Ok(())
}

fn apply_step(tree: &mut Tree, step: &Tree, carried: &mut usize) -> Result<(), EditError> {
    let path = pointer(step, "path")?;
    let value = || step.child("value").cloned().ok_or(EditError::NoPatch("a step has no value"));
    match &*text(step, "op").ok_or(EditError::NoPatch("a step has no op"))? {
        "add" => add(tree, &path, value()?),
        "remove" => remove(tree, &path).map(drop),
        "replace" => {
            let value = value()?;
            fits(&path, &value)?;
            *at_mut(tree, &path)? = value;
            Ok(())
        }
        "move" => {
            let from = pointer(step, "from")?;
            if path.len() > from.len() && path.starts_with(&from) {
                return Err(EditError::NoPatch("a value cannot be moved into itself"));
            }
            let value = remove(tree, &from)?;
            add(tree, &path, value)
        }
        "copy" => {
            let from = pointer(step, "from")?;
            let value = at_mut(tree, &from)?;
            *carried = carried.checked_sub(value.text().len()).ok_or(EditError::TooMuch)?;
            let value = value.clone();
            add(tree, &path, value)
        }
        "test" => {
            let wanted = value()?;
            if *at_mut(tree, &path)? == wanted { Ok(()) } else { Err(EditError::Differs(shown(&path))) }
        }
        _ => Err(EditError::NoPatch("op is none of add, remove, replace, move, copy, test")),
    }
}

fn text(step: &Tree, name: &str) -> Option<String> {
    match step.child(name)? {
        Tree::Leaf(text) => json::string(text).map(alloc::borrow::Cow::into_owned),
        _ => None,
    }
}

/// Reads a pointer's steps.
fn pointer(step: &Tree, name: &str) -> Result<Vec<String>, EditError> {
    let text = text(step, name).ok_or(EditError::NoPatch("a step has no path, or no from"))?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let rest = text.strip_prefix('/').ok_or(EditError::NoPatch("a path begins with /"))?;
    let steps: Vec<String> = rest
        .split('/')
        .take(DEPTH_MAX.saturating_add(1))
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect();
    if steps.len() > DEPTH_MAX {
        return Err(EditError::TooDeep);
    }
    if steps.iter().any(|step| step.split(['.', '/']).any(is_forbidden)) {
        return Err(EditError::Forbidden);
    }
    Ok(steps)
}

fn shown(path: &[String]) -> String {
    path.iter().fold(String::new(), |shown, step| shown + "/" + step)
}

fn fits(path: &[String], value: &Tree) -> Result<(), EditError> {
    if path.len().saturating_add(value.depth()) > DEPTH_MAX { Err(EditError::TooDeep) } else { Ok(()) }
}

fn at_mut<'t>(tree: &'t mut Tree, path: &[String]) -> Result<&'t mut Tree, EditError> {
    path.iter().try_fold(tree, |tree, step| tree.child_mut(step)).ok_or_else(|| EditError::Missing(shown(path)))
}

fn add(tree: &mut Tree, path: &[String], value: Tree) -> Result<(), EditError> {
    fits(path, &value)?;
    let Some((last, parents)) = path.split_last() else {
        *tree = value;
        return Ok(());
    };
    let missing = || EditError::Missing(shown(path));
    match at_mut(tree, parents)? {
        Tree::Leaf(_) => Err(missing()),
        Tree::List(items) => {
            let at = if last == "-" { Some(items.len()) } else { index(last) };
            items.insert(at.filter(|at| *at <= items.len()).ok_or_else(missing)?, value);
            Ok(())
        }
        Tree::Object(members) => {
            match members.iter_mut().rev().find(|(name, _)| name == last) {
                Some((_, known)) => *known = value,
                None => members.push((last.to_owned(), value)),
            }
            Ok(())
        }
    }
}

fn remove(tree: &mut Tree, path: &[String]) -> Result<Tree, EditError> {
    let missing = || EditError::Missing(shown(path));
    let (last, parents) = path.split_last().ok_or(EditError::NoPatch("the whole document cannot be removed"))?;
    match at_mut(tree, parents)? {
        Tree::Leaf(_) => Err(missing()),
        Tree::List(items) => {
            let at = index(last).filter(|at| *at < items.len()).ok_or_else(missing)?;
            Ok(items.remove(at))
        }
        Tree::Object(members) => {
            let at = members.iter().rposition(|(name, _)| name == last).ok_or_else(missing)?;
            let (_, removed) = members.remove(at);
            // A name that stood twice is gone altogether.
            members.retain(|(name, _)| name != last);
            Ok(removed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patched(text: &str, patch: &str) -> Result<String, EditError> {
        let mut tree = Tree::parse(text).unwrap();
        apply(&mut tree, &Tree::parse(patch).unwrap()).map(|()| tree.text())
    }

    #[test]
    fn each_step_does_what_the_rfc_says() {
        for (text, patch, wanted) in [
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/b","value":[2]}]"#, r#"{"a":1,"b":[2]}"#),
            (r#"{"a":[1,3]}"#, r#"[{"op":"add","path":"/a/1","value":2}]"#, r#"{"a":[1,2,3]}"#),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/-","value":2}]"#, r#"{"a":[1,2]}"#),
            (r#"{"a":1,"b":2}"#, r#"[{"op":"remove","path":"/a"}]"#, r#"{"b":2}"#),
            (r#"{"a":[1,2]}"#, r#"[{"op":"remove","path":"/a/0"}]"#, r#"{"a":[2]}"#),
            (r#"{"a":1,"b":2}"#, r#"[{"op":"replace","path":"/a","value":{"x":0}}]"#, r#"{"a":{"x":0},"b":2}"#),
            (r#"{"a":{"x":1},"b":{}}"#, r#"[{"op":"move","from":"/a/x","path":"/b/y"}]"#, r#"{"a":{},"b":{"y":1}}"#),
            (r#"{"a":1}"#, r#"[{"op":"copy","from":"/a","path":"/b"}]"#, r#"{"a":1,"b":1}"#),
            (r#"{"a/b":1,"~":2}"#, r#"[{"op":"remove","path":"/a~1b"},{"op":"remove","path":"/~0"}]"#, "{}"),
            (r#"{"a":1}"#, r#"[{"op":"test","path":"/a","value":1.0}]"#, r#"{"a":1}"#),
            ("{}", r#"[{"op":"replace","path":"","value":[]}]"#, "[]"),
        ] {
            assert_eq!(patched(text, patch).as_deref(), Ok(wanted), "{patch}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let text = r#"{"a":{"b":[1]}}"#;
        for (patch, wanted) in [
            (r#"{}"#, EditError::NoPatch("it is no list")),
            (r#"[{"op":"remove","path":"/x"}]"#, EditError::Missing("/x".into())),
            (r#"[{"op":"replace","path":"/x","value":1}]"#, EditError::Missing("/x".into())),
            (r#"[{"op":"add","path":"/a/b/2","value":1}]"#, EditError::Missing("/a/b/2".into())),
            (r#"[{"op":"add","path":"/a/b/00","value":1}]"#, EditError::Missing("/a/b/00".into())),
            (r#"[{"op":"add","path":"/a/b/0/c","value":1}]"#, EditError::Missing("/a/b/0/c".into())),
            (r#"[{"op":"test","path":"/a","value":1}]"#, EditError::Differs("/a".into())),
            (r#"[{"op":"add","path":"/__proto__/x","value":1}]"#, EditError::Forbidden),
            (r#"[{"op":"move","from":"/a","path":"/a/c"}]"#, EditError::NoPatch("a value cannot be moved into itself")),
            (r#"[{"op":"add","path":"/a"}]"#, EditError::NoPatch("a step has no value")),
            (r#"[{"op":"add","path":"a","value":1}]"#, EditError::NoPatch("a path begins with /")),
        ] {
            assert_eq!(patched(text, patch), Err(wanted), "{patch}");
        }
        assert!(matches!(patched(text, r#"[{"op":"grow","path":"/a"}]"#), Err(EditError::NoPatch(_))));
    }

    #[test]
    fn copies_cannot_grow_without_end() {
        let step = r#"{"op":"copy","from":"","path":"/a"}"#;
        let deep = alloc::format!("[{}]", alloc::vec![step; 40].join(","));
        assert_eq!(patched("{}", &deep), Err(EditError::TooDeep));
        let steps: Vec<_> =
            (0..30).map(|n| alloc::format!(r#"{{"op":"copy","from":"/l","path":"/m"}},{{"op":"add","path":"/l/{n}","value":0}},{{"op":"copy","from":"/l","path":"/l"}}"#)).collect();
        assert!(patched(r#"{"l":[]}"#, &alloc::format!("[{}]", steps.join(","))).is_ok());
        let big = alloc::format!(r#"{{"l":"{}"}}"#, "x".repeat(COPIED_BYTES_MAX / 2));
        let twice = r#"[{"op":"copy","from":"/l","path":"/m"},{"op":"copy","from":"/l","path":"/n"}]"#;
        assert_eq!(patched(&big, twice), Err(EditError::TooMuch));
        let many = alloc::format!("[{}]", alloc::vec!["0"; PATCH_STEPS_MAX + 1].join(","));
        assert_eq!(patched("{}", &many), Err(EditError::TooMuch));
    }

    proptest! {
        #[test]
        fn any_patch_leaves_a_document_that_can_be_read(
            steps in proptest::collection::vec(
                ("add|remove|replace|move|copy|test", "(/[ab0-]){0,4}", "(/[ab0-]){0,4}"), 0..12)
        ) {
            let mut tree = Tree::parse(r#"{"a":[1,{"b":2}],"b":{"a":[]}}"#).unwrap();
            for (op, path, from) in steps {
                let patch = alloc::format!(r#"[{{"op":"{op}","path":"{path}","from":"{from}","value":[{{"b":0}}]}}]"#);
                let _ = apply(&mut tree, &Tree::parse(&patch).unwrap());
                prop_assert_eq!(&Tree::parse(&tree.text()).unwrap(), &tree);
            }
        }
    }
}
