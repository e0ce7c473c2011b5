//! Guest paths: resolved below a folder, never out of the root.

use alloc::string::String;
use alloc::vec::Vec;

use super::FileError;

/// Bytes of one name.
pub const NAME_BYTES_MAX: usize = 48;
/// Bytes of a whole path; with the plugin's own folder before it, it fits a storage key.
pub const PATH_BYTES_MAX: usize = 96;
/// Folders above a file.
pub const DEPTH_MAX: usize = 8;

/// Resolves `path`, which the guest names below `folder`, to a path from the root: segments joined by `/`, empty for
/// the root itself. `..` above the root stays at the root (plugin ABI §7).
///
/// # Errors
/// [`FileError::NotCapable`] for an absolute path, as the peer's library has it, [`FileError::NameTooLong`],
/// [`FileError::Invalid`] for characters that no medium takes.
pub fn resolve(folder: &str, path: &str) -> Result<String, FileError> {
    if path.starts_with('/') {
        return Err(FileError::NotCapable);
    }
    if path.is_empty() {
        return Err(FileError::NotFound);
    }
    let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name if name.len() > NAME_BYTES_MAX => return Err(FileError::NameTooLong),
            name if name.chars().any(|character| character.is_control() || character == '\\') => {
                return Err(FileError::Invalid);
            }
            name => segments.push(name),
        }
    }
    let length: usize = segments.iter().map(|segment| segment.len().saturating_add(1)).sum();
    if segments.len() > DEPTH_MAX || length > PATH_BYTES_MAX {
        return Err(FileError::NameTooLong);
    }
    // The name that keeps empty folders is not the guest's to use.
    if segments.last() == Some(&super::KEEPER) {
        return Err(FileError::NotPermitted);
    }
    Ok(segments.join("/"))
}

/// Returns the folder a path lies in; `None` for the root.
pub(super) fn parent(path: &str) -> Option<&str> {
    if path.is_empty() { None } else { Some(path.rsplit_once('/').map_or("", |(folder, _)| folder)) }
}

/// Returns the beginning of every path below a folder.
pub(super) fn below(folder: &str) -> String {
    let mut prefix = String::from(folder);
    if !folder.is_empty() {
        prefix.push('/');
    }
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn paths_stay_below_the_root() {
        for (folder, path, resolved) in [
            ("", "data/a.txt", "data/a.txt"),
            ("", "./data//a.txt/", "data/a.txt"),
            ("data", "../config/x", "config/x"),
            ("", "../../etc/passwd", "etc/passwd"),
            ("data", "..", ""),
            ("", ".", ""),
        ] {
            assert_eq!(resolve(folder, path).as_deref(), Ok(resolved), "{folder} {path}");
        }
    }

    #[test]
    fn what_cannot_be_a_path_has_its_error() {
        assert_eq!(resolve("data", "/etc/passwd"), Err(FileError::NotCapable));
        assert_eq!(resolve("", "/data"), Err(FileError::NotCapable));
        assert_eq!(resolve("data", ""), Err(FileError::NotFound));
        assert_eq!(resolve("", &"x".repeat(NAME_BYTES_MAX + 1)), Err(FileError::NameTooLong));
        assert_eq!(resolve("", &"x/".repeat(DEPTH_MAX + 1)), Err(FileError::NameTooLong));
        assert_eq!(resolve("", &format!("{0}/{0}/{0}", "y".repeat(40))), Err(FileError::NameTooLong));
        for path in ["a\0b", "a\nb", "a\\b"] {
            assert_eq!(resolve("", path), Err(FileError::Invalid), "{path:?}");
        }
        assert_eq!(resolve("data", ".folder"), Err(FileError::NotPermitted));
    }
}
