//! Paths and contexts with wildcards, as Signal K subscriptions write them.

use alloc::boxed::Box;
use core::fmt;

use crate::delta::{PathError, check_parts};

/// Bytes of a pattern; paths have at most as many.
pub const PATTERN_BYTES_MAX: usize = 256;
/// Wildcards in one pattern; the Signal K documentation shows one or two.
pub const WILDCARDS_MAX: usize = 16;

/// A path or context in which `*` stands for any text, dots included (Signal K 1.7, subscription protocol).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(Box<str>);

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternError {
    /// Longer than [`PATTERN_BYTES_MAX`].
    TooLong,
    /// More than [`WILDCARDS_MAX`] wildcards.
    TooManyWildcards,
    /// No path can match it.
    Path(PathError),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "pattern longer than {PATTERN_BYTES_MAX} bytes"),
            Self::TooManyWildcards => write!(f, "pattern with more than {WILDCARDS_MAX} wildcards"),
            Self::Path(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PatternError {}

impl Pattern {
    /// Checks `text` and keeps it as a pattern.
    ///
    /// # Errors
    /// [`PatternError`] when a limit is exceeded.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(PatternError::TooLong);
        }
        if text.matches('*').count() > WILDCARDS_MAX {
            return Err(PatternError::TooManyWildcards);
        }
        Ok(Self(text.into()))
    }

    /// As [`parse`](Self::parse), for a pattern of paths.
    ///
    /// # Errors
    /// [`PatternError`] when a limit is exceeded, or when no path can match.
    pub fn of_path(text: &str) -> Result<Self, PatternError> {
        check_parts(text).map_err(PatternError::Path)?;
        Self::parse(text)
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the pattern has no wildcard, so that it matches one text only.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Tells whether `text` matches; time is linear in both lengths.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let mut pieces = self.0.split('*');
        // The first piece is anchored at the start, the last one at the end.
        let Some(rest) = pieces.next().and_then(|prefix| text.strip_prefix(prefix)) else {
            return false;
        };
        let Some(suffix) = pieces.next_back() else {
            return rest.is_empty();
        };
        let Some(mut rest) = rest.strip_suffix(suffix) else {
            return false;
        };
        // Leftmost matches of the middle pieces leave the most text for those that follow.
        for piece in pieces {
            let Some((_, after)) = rest.split_once(piece) else {
                return false;
            };
            rest = after;
        }
        true
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn wildcards_stand_for_any_text() {
        assert!(matches("*", ""));
        assert!(matches("*", "navigation.position"));
        assert!(matches("navigation.*", "navigation.position"));
        assert!(matches("propulsion.*.oilTemperature", "propulsion.port.oilTemperature"));
        assert!(matches("propulsion.*.oilTemperature", "propulsion.a.b.oilTemperature"));
        assert!(matches("*.state", "electrical.switches.1.state"));
        assert!(matches("a**b", "ab"));
    }

    #[test]
    fn text_outside_the_pattern_does_not_match() {
        assert!(!matches("navigation.*", "navigation"));
        assert!(!matches("navigation.position", "navigation.position.value"));
        assert!(!matches("a*a", "a"));
        assert!(!matches("*.state", "state"));
        assert!(!matches("propulsion.*.oilTemperature", "propulsion.port.oilPressure"));
    }

    #[test]
    fn patterns_are_bounded() {
        assert!(matches("", "") && !matches("", "a"), "the context itself");
        assert_eq!(Pattern::parse(&"*".repeat(WILDCARDS_MAX + 1)), Err(PatternError::TooManyWildcards));
        assert_eq!(Pattern::parse(&"a".repeat(PATTERN_BYTES_MAX + 1)), Err(PatternError::TooLong));
    }

    #[test]
    fn a_pattern_of_paths_has_no_empty_part() {
        for text in ["a..b", ".a", "a.", "*..b", "."] {
            let refused = Pattern::of_path(text).unwrap_err();
            assert_eq!(refused, PatternError::Path(PathError::EmptyPart), "{text}");
        }
        for text in ["", "*", "a.*", "*.b", "a.*.b", "a*"] {
            assert_eq!(Pattern::of_path(text).unwrap().as_str(), text);
        }
    }

    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            Some((byte, rest)) => text.split_first().is_some_and(|(first, left)| first == byte && naive(rest, left)),
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_naive_definition(pattern in "[ab.*]{1,9}", text in "[ab.]{0,12}") {
            proptest::prop_assert_eq!(matches(&pattern, &text), naive(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn never_panics(pattern in "\\PC{0,40}", text in "\\PC{0,40}") {
            if let Ok(pattern) = Pattern::parse(&pattern) {
                let _ = pattern.matches(&text);
            }
        }
    }
}
