//! What a path may be, whoever writes it: a plugin, a client, the gateway itself.

use core::fmt;

use super::{PATH_BYTES_MAX, is_plain};

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// Longer than [`PATH_BYTES_MAX`], or with characters that need an escape in JSON.
    Form,
    /// Nothing stands between two dots, before the first or behind the last.
    EmptyPart,
    /// A part that would reach into a JavaScript client's prototypes (plugin ABI §11.3).
    Prototype,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "a path is too long or has characters that need an escape",
            Self::EmptyPart => "a path has an empty part",
            Self::Prototype => "a path has a part that JavaScript keeps for itself",
        })
    }
}

impl core::error::Error for PathError {}

/// Checks a whole path; the empty one is that of root values.
///
/// # Errors
/// [`PathError`].
pub fn check_path(path: &str) -> Result<(), PathError> {
    if path.len() > PATH_BYTES_MAX || !is_plain(path) { Err(PathError::Form) } else { check_parts(path) }
}

/// Checks the parts of a path or pattern.
///
/// # Errors
/// [`PathError`], but for its form.
pub fn check_parts(path: &str) -> Result<(), PathError> {
    let check = |part| match part {
        "" if !path.is_empty() => Err(PathError::EmptyPart),
        "__proto__" | "constructor" | "prototype" => Err(PathError::Prototype),
        _ => Ok(()),
    };
    path.split('.').try_for_each(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_part_is_refused_wherever_it_stands() {
        for path in [".", "a.", ".a", "a..b", "..", "a.b."] {
            assert_eq!(check_path(path), Err(PathError::EmptyPart), "{path}");
        }
        for path in ["", "a", "a.b", "a.*.b", "navigation.position", "a b.c-d"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn other_paths_are_refused_for_what_they_are() {
        assert_eq!(check_path("a.__proto__.b"), Err(PathError::Prototype));
        assert_eq!(check_path("a\"b"), Err(PathError::Form));
        assert_eq!(check_path(&"a".repeat(PATH_BYTES_MAX + 1)), Err(PathError::Form));
    }
}
