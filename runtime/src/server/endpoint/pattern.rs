//! Path patterns as Express 4 has them: `:name`, `*`, `?` (plugin ABI §9.1).
//!
//! The pattern comes from a plugin and the path from anybody, so nothing may backtrack without
//! bound (plugin ABI, L-52). A pattern is a chain of at most 64 states. One pass from the end of the
//! path marks, for each position, the states from which the rest matches: a 64-bit word a position.
//! A second pass from the start then takes the choice a backtracking matcher would end with.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::server::url::decode;

/// Bytes of a path that is matched; longer ones match nothing.
pub const PATH_BYTES_MAX: usize = 1024;
const PATTERN_BYTES_MAX: usize = 256;
/// States of a pattern, the end included; one bit each.
const STATES_MAX: usize = 64;
const PARAMS_MAX: usize = 16;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct PathPattern {
    states: Vec<State>,
    names: Vec<String>,
}

/// Why a pattern was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathPatternError {
    /// Does not begin with `/`.
    NoSlash,
    /// Longer than 256 bytes, or with more parts than can be matched in bounded time.
    TooLong,
    /// Uses a regular expression: one of `( ) [ ] { } + ^ $ | \`.
    RegularExpression,
    /// A `:` without a name, or a `?` after nothing.
    Dangling,
}

impl fmt::Display for PathPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSlash => "path must begin with /",
            Self::TooLong => "path is too long or has too many parts",
            Self::RegularExpression => "regular expressions in a path are not supported",
            Self::Dangling => "path has a : without a name or a ? after nothing",
        })
    }
}

impl core::error::Error for PathPatternError {}

/// One step; the next one is the following state.
#[derive(Clone, Debug)]
enum State {
    /// These bytes, in any ASCII case.
    Text(Box<[u8]>),
    /// This byte or nothing.
    Maybe(u8),
    /// Either what follows, or as many states further.
    Skip(usize),
    /// First byte of a parameter: anything but `/`.
    First(usize),
    /// More bytes of a parameter, as few as possible.
    More(usize),
    /// Any bytes, as many as possible.
    Any(usize),
}

impl PathPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`PathPatternError`] when it uses more than `:name`, `*` and `?`, or exceeds a limit.
    pub fn parse(pattern: &str) -> Result<Self, PathPatternError> {
        if !pattern.starts_with('/') {
            return Err(PathPatternError::NoSlash);
        }
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(PathPatternError::TooLong);
        }
        let mut compiler = Compiler::default();
        let mut rest = pattern;
        while let Some(character) = rest.chars().next() {
            rest = compiler.step(character, rest)?;
        }
        // A trailing slash makes no difference.
        if compiler.text.last() == Some(&b'/') {
            compiler.text.pop();
        }
        compiler.flush();
        compiler.states.push(State::Maybe(b'/'));
        if compiler.states.len() >= STATES_MAX || compiler.names.len() > PARAMS_MAX {
            return Err(PathPatternError::TooLong);
        }
        Ok(Self { states: compiler.states, names: compiler.names })
    }

    /// Matches a path that is not decoded; gives the parameters decoded, `*` named by numbers from 0.
    #[must_use]
    pub fn matches(&self, path: &str) -> Option<Vec<(String, String)>> {
        let bytes = path.as_bytes();
        if bytes.len() > PATH_BYTES_MAX {
            return None;
        }
        let reachable = self.reachable(bytes);
        let can = |state: usize, at: usize| reachable.get(at).is_some_and(|bits| bits & bit(state) != 0);
        if !can(0, 0) {
            return None;
        }
        let mut spans = alloc::vec![None; self.names.len()];
        let (mut state, mut at) = (0_usize, 0_usize);
        while let Some(step) = self.states.get(state) {
            let next = state.saturating_add(1);
            let after = at.saturating_add(1);
            let mut capture = |index: usize, from: Option<usize>| {
                if let Some(span) = spans.get_mut(index) {
                    *span = Some((from.or(span.map(|(from, _)| from)).unwrap_or(at), after));
                }
            };
            (state, at) = match step {
                State::Text(text) => (next, at.saturating_add(text.len())),
                State::Maybe(byte)
                    if bytes.get(at).is_some_and(|found| found.eq_ignore_ascii_case(byte)) && can(next, after) =>
                {
                    (next, after)
                }
                State::Maybe(_) => (next, at),
                State::Skip(_) if can(next, at) => (next, at),
                State::Skip(count) => (state.saturating_add(*count), at),
                State::First(index) => {
                    capture(*index, Some(at));
                    (next, after)
                }
                State::More(_) if can(next, at) => (next, at),
                State::More(index) => {
                    capture(*index, None);
                    (state, after)
                }
                State::Any(index) if can(state, after) => {
                    capture(*index, None);
                    (state, after)
                }
                State::Any(index) => {
                    if let Some(span) = spans.get_mut(*index) {
                        *span = Some(span.unwrap_or((at, at)));
                    }
                    (next, at)
                }
            };
        }
        let mut params = Vec::with_capacity(self.names.len());
        for (name, span) in self.names.iter().zip(spans) {
            // A parameter that is not there is absent, as in JavaScript.
            let Some((from, to)) = span else { continue };
            params.push((name.clone(), decode(path.get(from..to)?)?.into_owned()));
        }
        Some(params)
    }

    /// Marks for each position the states from which the rest of the path matches.
    fn reachable(&self, bytes: &[u8]) -> Vec<u64> {
        let mut marks = alloc::vec![0_u64; bytes.len().saturating_add(1)];
        for at in (0..=bytes.len()).rev() {
            let byte = bytes.get(at);
            let later = |distance: usize| marks.get(at.saturating_add(distance)).copied().unwrap_or(0);
            let mut here = if byte.is_none() { bit(self.states.len()) } else { 0 };
            for (state, step) in self.states.iter().enumerate().rev() {
                let next = bit(state.saturating_add(1));
                let goes_on = match step {
                    State::Text(text) => {
                        let found = bytes.get(at..at.saturating_add(text.len()));
                        found.is_some_and(|found| found.eq_ignore_ascii_case(text)) && later(text.len()) & next != 0
                    }
                    State::Maybe(wanted) => {
                        here & next != 0
                            || byte.is_some_and(|byte| byte.eq_ignore_ascii_case(wanted)) && later(1) & next != 0
                    }
                    State::Skip(count) => here & (next | bit(state.saturating_add(*count))) != 0,
                    State::First(_) => byte.is_some_and(|byte| *byte != b'/') && later(1) & next != 0,
                    State::More(_) => {
                        here & next != 0 || byte.is_some_and(|byte| *byte != b'/') && later(1) & bit(state) != 0
                    }
                    State::Any(_) => here & next != 0 || byte.is_some() && later(1) & bit(state) != 0,
                };
                if goes_on {
                    here |= bit(state);
                }
            }
            if let Some(mark) = marks.get_mut(at) {
                *mark = here;
            }
        }
        marks
    }
}

/// The bit of a state; compiled patterns have fewer than [`STATES_MAX`].
fn bit(state: usize) -> u64 {
    u32::try_from(state).ok().and_then(|shift| 1_u64.checked_shl(shift)).unwrap_or(0)
}

#[derive(Default)]
struct Compiler {
    states: Vec<State>,
    names: Vec<String>,
    text: Vec<u8>,
    wildcards: usize,
}

impl Compiler {
    /// Takes one part from the front of `rest`, gives what is left.
    fn step<'p>(&mut self, character: char, rest: &'p str) -> Result<&'p str, PathPatternError> {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            '(' | ')' | '[' | ']' | '{' | '}' | '+' | '^' | '$' | '|' | '\\' => {
                Err(PathPatternError::RegularExpression)
            }
            ':' => {
                let end = after.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(after.len());
                let (name, after) = after.split_at_checked(end).ok_or(PathPatternError::Dangling)?;
                if name.is_empty() {
                    return Err(PathPatternError::Dangling);
                }
                self.param(name, after.starts_with('?'));
                Ok(after.strip_prefix('?').unwrap_or(after))
            }
            '*' => {
                self.flush();
                self.states.push(State::Any(self.names.len()));
                self.names.push(format!("{}", self.wildcards));
                self.wildcards = self.wildcards.saturating_add(1);
                // Nothing is any text already.
                Ok(after.strip_prefix('?').unwrap_or(after))
            }
            '?' => {
                let last = self.text.pop().filter(u8::is_ascii).ok_or(PathPatternError::Dangling)?;
                self.flush();
                self.states.push(State::Maybe(last));
                Ok(after)
            }
            _ => {
                self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                Ok(after)
            }
        }
    }

    /// Adds a parameter; an optional one takes the slash before it along.
    fn param(&mut self, name: &str, optional: bool) {
        let index = self.names.len();
        self.names.push(name.to_owned());
        let slash = optional && self.text.last() == Some(&b'/');
        if slash {
            self.text.pop();
        }
        self.flush();
        if optional {
            self.states.push(State::Skip(if slash { 4 } else { 3 }));
        }
        if slash {
            self.states.push(State::Text([b'/'].into()));
        }
        self.states.push(State::First(index));
        self.states.push(State::More(index));
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.states.push(State::Text(core::mem::take(&mut self.text).into_boxed_slice()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn found(pattern: &str, path: &str) -> String {
        match PathPattern::parse(pattern).unwrap().matches(path) {
            Some(params) => params.iter().map(|(name, value)| format!("{name}={value};")).collect(),
            None => "no".to_string(),
        }
    }

    #[test]
    fn parameters_take_one_segment_and_are_decoded() {
        assert_eq!(found("/a/:id", "/a/x%20y"), "id=x y;");
        assert_eq!(found("/:a/b/:c_1", "/1/B/2/"), "a=1;c_1=2;");
        assert_eq!(found("/:from-:to", "/a-b-c"), "from=a;to=b-c;");
        assert_eq!(found("/a/:id", "/a/x/y"), "no");
        assert_eq!(found("/a/:id", "/a/"), "no");
        assert_eq!(found("/a/:id", "/a/%ff"), "no");
    }

    #[test]
    fn case_and_trailing_slash_make_no_difference() {
        for path in ["/Api/List", "/api/list/", "/API/LIST"] {
            assert_eq!(found("/api/list", path), "", "{path}");
            assert_eq!(found("/api/list/", path), "", "{path}");
        }
        assert_eq!(found("/api", "/api//"), "no");
        assert_eq!(found("/", "/"), "");
    }

    #[test]
    fn optional_parts_can_be_absent() {
        assert_eq!(found("/a/:id?", "/a"), "");
        assert_eq!(found("/a/:id?", "/a/7"), "id=7;");
        assert_eq!(found("/a/:id?/b", "/a/b"), "");
        assert_eq!(found("/a/:id?/b", "/a/7/b"), "id=7;");
        assert_eq!(found("/colou?r", "/color"), "");
        assert_eq!(found("/colou?r", "/colouur"), "no");
        assert_eq!(found("/v:n?.json", "/v.json"), "");
    }

    #[test]
    fn wildcards_take_everything() {
        assert_eq!(found("/files/*", "/files/a/b.txt"), "0=a/b.txt;");
        assert_eq!(found("/files/*", "/files/"), "0=;");
        assert_eq!(found("/*/x/*", "/a/x/b/x/c"), "0=a/x/b;1=c;");
        assert_eq!(found("/*", "/"), "0=;");
        assert_eq!(found("/files/*", "/files"), "no");
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        for (pattern, error) in [
            ("a", PathPatternError::NoSlash),
            ("", PathPatternError::NoSlash),
            ("/:", PathPatternError::Dangling),
            ("/*??", PathPatternError::Dangling),
            ("/(a+)+", PathPatternError::RegularExpression),
            ("/a{2}", PathPatternError::RegularExpression),
        ] {
            assert_eq!(PathPattern::parse(pattern).unwrap_err(), error, "{pattern}");
        }
        assert_eq!(PathPattern::parse(&"/a".repeat(129)).unwrap_err(), PathPatternError::TooLong);
        assert_eq!(PathPattern::parse(&"/:a?".repeat(20)).unwrap_err(), PathPatternError::TooLong);
        assert_eq!(PathPattern::parse(&"/*".repeat(20)).unwrap_err(), PathPatternError::TooLong);
    }

    #[test]
    fn a_hostile_pattern_takes_bounded_work() {
        let pattern = format!("{}b", "/*".repeat(15));
        let path = "/".repeat(PATH_BYTES_MAX);
        assert_eq!(found(&pattern, &path), "no");
        assert_eq!(found("/*", &"/".repeat(PATH_BYTES_MAX + 1)), "no");
    }

    /// Tries every way to match.
    fn naive(pattern: &[u8], path: &[u8]) -> bool {
        let Some((first, rest)) = pattern.split_first() else {
            return path.is_empty();
        };
        match first {
            b'*' => (0..=path.len()).any(|count| naive(rest, &path[count..])),
            b':' => (1..=path.len()).any(|count| !path[..count].contains(&b'/') && naive(&rest[1..], &path[count..])),
            _ => path.split_first().is_some_and(|(byte, left)| byte == first && naive(rest, left)),
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_trying_every_way(pattern in "(/|/a|/b|:p|\\*){1,6}", path in "[/ab]{0,10}") {
            let pattern = format!("/x{pattern}");
            let path = format!("/x{path}");
            let bare = pattern.strip_suffix('/').unwrap_or(&pattern);
            let expected = naive(bare.as_bytes(), path.as_bytes())
                || path.strip_suffix('/').is_some_and(|path| naive(bare.as_bytes(), path.as_bytes()));
            // Two parameters without anything between them read as one longer name.
            if !pattern.contains(":p:p") && !pattern.contains(":pa") && !pattern.contains(":pb") {
                proptest::prop_assert_eq!(PathPattern::parse(&pattern).unwrap().matches(&path).is_some(), expected);
            }
        }

        #[test]
        fn never_panics(pattern in "/\\PC{0,30}", path in "\\PC{0,30}") {
            if let Ok(pattern) = PathPattern::parse(&pattern) {
                let _ = pattern.matches(&path);
            }
        }
    }
}
