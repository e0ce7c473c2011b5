//! Names of stored records.

use core::fmt;

/// Bytes of a key; fits a small flash file system and every plugin id in the field.
pub const KEY_BYTES_MAX: usize = 160;

/// Name of a stored record: relative path segments joined by `/`, such as `plugin-config-data/_acme_tide.json`.
///
/// No segment is empty, `.` or `..`, and no character is a control character, `\` or NUL, so that a key can
/// stand as a file name below a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(heapless::String<KEY_BYTES_MAX>);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Longer than [`KEY_BYTES_MAX`].
    TooLong,
    /// An empty, `.` or `..` segment, or a character that cannot stand in a file name.
    Invalid,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "key longer than {KEY_BYTES_MAX} bytes"),
            Self::Invalid => f.write_str("key with an empty or relative segment or an unusable character"),
        }
    }
}

impl core::error::Error for KeyError {}

impl Key {
    /// Checks `text` and keeps it as a key.
    ///
    /// # Errors
    /// [`KeyError`] when it is too long or could leave its folder.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let sound = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.chars().all(|character| !character.is_control() && character != '\\')
        };
        if !text.split('/').all(sound) {
            return Err(KeyError::Invalid);
        }
        heapless::String::try_from(text).map(Self).map_err(|_| KeyError::TooLong)
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{KEY_BYTES_MAX, Key, KeyError};

    #[test]
    fn keys_cannot_leave_their_folder() {
        assert!(Key::parse("plugin-config-data/_acme_tide.json").is_ok());
        for text in ["", "/etc/passwd", "a//b", "a/../b", "..", "./a", "a/", "a\\b", "a\0b", "a\nb"] {
            assert_eq!(Key::parse(text), Err(KeyError::Invalid), "{text:?}");
        }
        assert_eq!(Key::parse(&"x".repeat(KEY_BYTES_MAX + 1)), Err(KeyError::TooLong));
    }
}
