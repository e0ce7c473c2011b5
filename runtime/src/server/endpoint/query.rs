//! Queries and forms as the objects handlers get: repeats become arrays, brackets nest.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json;
use crate::server::url::decode_query;

/// Pairs of a query that are read; the rest is left out.
pub const QUERY_PAIRS_MAX: usize = 128;
/// Bracket levels of a key; deeper ones stay part of the last name, as in upstream's parser.
const DEPTH_MAX: usize = 5;

/// A value under construction.
enum Node {
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Returns the JSON object of a query such as `a=1&a=2&b[c]=3`, without the pairs named in `without`.
///
/// Values are texts: `{"a":["1","2"],"b":{"c":"3"}}`. Keys that would reach into JavaScript's prototypes and pairs
/// that are not UTF-8 are left out.
#[must_use]
pub fn query_json(query: &str, without: &[&str]) -> String {
    let mut root = Node::Object(Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()).take(QUERY_PAIRS_MAX) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(key), Some(value)) = (decode_query(key), decode_query(value)) else {
            continue;
        };
        let names = names(&key);
        let refused = names.iter().any(|name| matches!(&**name, "__proto__" | "constructor" | "prototype"));
        if !refused && !names.is_empty() && !without.contains(&&*key) {
            root.put(&names, value.into_owned());
        }
    }
    root.json()
}

/// Parts `a[b][]` into `a`, `b` and an empty name.
fn names(key: &str) -> Vec<Cow<'_, str>> {
    let Some((first, mut rest)) =
        key.find('[').and_then(|at| key.split_at_checked(at)).filter(|(first, _)| !first.is_empty())
    else {
        return alloc::vec![Cow::Borrowed(key)];
    };
    let mut names = alloc::vec![Cow::Borrowed(first)];
    while let Some((name, after)) = rest.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        if names.len() > DEPTH_MAX {
            break;
        }
        names.push(Cow::Borrowed(name));
        rest = after;
    }
    if rest.starts_with('[') {
        names.push(Cow::Borrowed(rest));
    }
    names
}

impl Node {
    /// Puts a text where `names` lead.
    fn put(&mut self, names: &[Cow<'_, str>], text: String) {
        let mut at = self;
        for (index, name) in names.iter().enumerate() {
            let is_last = index.saturating_add(1) == names.len();
            let next = names.get(index.saturating_add(1));
            // A name that is empty or a small number makes a list of what it stands in.
            let in_list =
                next.is_some_and(|next| next.is_empty() || next.parse::<u8>().is_ok_and(|number| number <= 20));
            let empty = || {
                if in_list { Self::List(Vec::new()) } else { Self::Object(Vec::new()) }
            };
            if is_last {
                at.set(name, text);
                return;
            }
            let Some(child) = at.child(name, empty) else {
                return;
            };
            at = child;
        }
    }

    /// Finds or makes the member or item called `name`.
    fn child(&mut self, name: &str, empty: impl Fn() -> Self) -> Option<&mut Self> {
        match self {
            Self::Text(_) => None,
            Self::List(items) => {
                let index = name.parse::<usize>().ok().filter(|index| *index < items.len());
                if index.is_none() {
                    items.push(empty());
                }
                let last = items.len().saturating_sub(1);
                items.get_mut(index.unwrap_or(last))
            }
            Self::Object(members) => {
                if !members.iter().any(|(known, _)| known == name) {
                    members.push((name.into(), empty()));
                }
                let (_, child) = members.iter_mut().find(|(known, _)| known == name)?;
                // `a=1&a[b]=2`: the nested form wins over the text.
                if matches!(child, Self::Text(_)) {
                    *child = empty();
                }
                Some(child)
            }
        }
    }

    fn set(&mut self, name: &str, text: String) {
        match self {
            Self::Text(_) => {}
            Self::List(items) => items.push(Self::Text(text)),
            Self::Object(members) => match members.iter_mut().find(|(known, _)| known == name) {
                None => members.push((name.into(), Self::Text(text))),
                Some((_, Self::List(items))) => items.push(Self::Text(text)),
                Some((_, old @ Self::Text(_))) => {
                    let first = core::mem::replace(old, Self::List(Vec::new()));
                    *old = Self::List(alloc::vec![first, Self::Text(text)]);
                }
                Some((_, Self::Object(inner))) => inner.push((text, Self::Text("true".into()))),
            },
        }
    }

    /// Returns JSON; levels are bounded by [`DEPTH_MAX`].
    fn json(&self) -> String {
        match self {
            Self::Text(text) => json::quoted(text),
            Self::List(items) => json::list(|out| {
                for item in items {
                    out.json(&item.json());
                }
            }),
            Self::Object(members) => json::object(|out| {
                for (name, value) in members {
                    out.json(name, &value.json());
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_pair() {
        for (query, expected) in [
            ("", "{}"),
            ("a", r#"{"a":""}"#),
            ("a=1&b=%22x+y%22", r#"{"a":"1","b":"\"x y\""}"#),
            ("a=1&a=2&a=3", r#"{"a":["1","2","3"]}"#),
            ("a[]=1&a[]=2", r#"{"a":["1","2"]}"#),
            ("a[0]=x&a[1]=y", r#"{"a":["x","y"]}"#),
            ("a[b]=1&a[c][d]=2", r#"{"a":{"b":"1","c":{"d":"2"}}}"#),
            ("a[0][b]=1&a[0][c]=2", r#"{"a":[{"b":"1","c":"2"}]}"#),
            ("a=1&a[b]=2", r#"{"a":{"b":"2"}}"#),
            ("a=b=c&&d=", r#"{"a":"b=c","d":""}"#),
            ("[a]=1&=2", r#"{"[a]":"1","":"2"}"#),
            ("__proto__=1&a[__proto__]=2&a[constructor][prototype]=3", "{}"),
            ("a=%ff", "{}"),
            ("a[b][c][d][e][f][g]=1", r#"{"a":{"b":{"c":{"d":{"e":{"f":{"[g]":"1"}}}}}}}"#),
        ] {
            assert_eq!(query_json(query, &[]), expected, "{query}");
        }
    }

    #[test]
    fn named_pairs_are_left_out() {
        assert_eq!(query_json("token=secret&a=1&%74oken=secret", &["token"]), r#"{"a":"1"}"#);
    }

    #[test]
    fn pairs_are_bounded() {
        let query = "a=1&".repeat(QUERY_PAIRS_MAX * 3);
        assert_eq!(query_json(&query, &[]).matches('1').count(), QUERY_PAIRS_MAX);
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_an_object(query in "(a|b|\\[|\\]|=|&|[0-9]|%|\\PC){0,60}") {
            let text = query_json(&query, &[]);
            proptest::prop_assert_eq!(text.get(..1), Some("{"));
            proptest::prop_assert!(json::compact(&text).is_ok(), "{}", text);
        }
    }
}
