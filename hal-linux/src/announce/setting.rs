//! Whether the gateway is announced: `skiff.mdns` of `settings.json`, else Signal K Server's own `mdns`.

use std::path::Path;

use skiff_runtime::config::{SETTINGS_FILE, read_settings};
use skiff_runtime::json;

use crate::hal::Folder;

/// Tells whether the operator of this folder lets the gateway be announced, which is so where nothing is said.
///
/// # Errors
/// A clause that names the member that cannot be meant.
pub fn is_on(config: &Path) -> Result<bool, String> {
    // A file that cannot be read is told by who reads the rest of it.
    let Ok(Some(text)) = read_settings(&mut Folder::new(config)) else {
        return Ok(true);
    };
    let own = json::member(&text, "skiff").and_then(|own| json::member(own, "mdns"));
    match own {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(format!("{SETTINGS_FILE}: skiff.mdns is true or false")),
        None => Ok(json::member(&text, "mdns") != Some("false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_runtime::config::OWN_SETTINGS_FILE;

    #[test]
    fn the_own_setting_goes_before_that_of_signal_k() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(is_on(home.path()), Ok(true));
        for (text, wanted) in [
            ("{", true),
            ("{}", true),
            (r#"{"mdns":false}"#, false),
            (r#"{"mdns":false,"skiff":{"mdns":true}}"#, true),
            (r#"{"skiff":{"mdns":false}}"#, false),
        ] {
            std::fs::write(home.path().join(SETTINGS_FILE), text).unwrap();
            assert_eq!(is_on(home.path()), Ok(wanted), "{text}");
        }
        std::fs::create_dir(home.path().join("skiff")).unwrap();
        std::fs::write(home.path().join(OWN_SETTINGS_FILE), r#"{"skiff":{"mdns":true}}"#).unwrap();
        assert_eq!(is_on(home.path()), Ok(true), "what was set here goes before the folder's");
        std::fs::write(home.path().join(OWN_SETTINGS_FILE), r#"{"skiff":{"mdns":"no"}}"#).unwrap();
        assert!(is_on(home.path()).unwrap_err().contains("skiff.mdns is true or false"));
    }
}
