//! What a Signal K folder says that is not taken over, a line each.

use std::path::Path;

use skiff_runtime::config::{FILE_BYTES_MAX, SETTINGS_FILE, read_object};
use skiff_runtime::json;

use crate::hal::Folder;

/// The course that Signal K Server keeps (signalk-server 2.32 `serverstate/store.js`, `api/course`).
const COURSE_FILE: &str = "serverState/course/settings.json";
/// Its certificate and key (`security.js`).
const CERTIFICATE: [&str; 2] = ["ssl-cert.pem", "ssl-key.pem"];
/// Who provides resources where nobody else was chosen.
const RESOURCES: &str = "\"resources-provider\"";

/// Returns those lines; of TLS none where the command line speaks of it.
#[must_use]
pub fn left(folder: &Path, has_tls: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let text = read_object(&mut Folder::new(folder), SETTINGS_FILE, FILE_BYTES_MAX).ok().flatten().unwrap_or_default();
    if json::member(&text, "ssl") == Some("true") && !has_tls {
        let [certificate, key] = CERTIFICATE.map(|name| folder.join(name));
        let flag = if certificate.is_file() && key.is_file() {
            format!("{},{}", certificate.display(), key.display())
        } else {
            "self".to_owned()
        };
        lines.push(format!("{SETTINGS_FILE}: ssl is not taken, TLS is asked for by a flag: --tls {flag}"));
    }
    let chosen = json::member(&text, "resourcesApi").and_then(|api| json::member(api, "defaultProviders"));
    let mut others = Vec::new();
    let read = json::members::<json::JsonError>(chosen.unwrap_or("{}"), |kind, provider| {
        if provider != RESOURCES {
            others.push(kind.to_owned());
        }
        Ok(())
    });
    if read.is_ok() && !others.is_empty() {
        let kinds = others.join(", ");
        lines.push(format!(
            "{SETTINGS_FILE}: resourcesApi.defaultProviders of {kinds} is not taken; choose one by POST \
             /signalk/v2/api/resources/TYPE/_providers/_default/ID"
        ));
    }
    let course = read_object(&mut Folder::new(folder), COURSE_FILE, FILE_BYTES_MAX).ok().flatten();
    let is_set = |course: &String| json::member(course, "nextPoint").is_some_and(|point| point != "null");
    if course.as_ref().is_some_and(is_set) && !folder.join("skiff/course.json").exists() {
        lines.push(format!("{COURSE_FILE}: the course is not taken; set the destination anew"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_is_not_taken_has_its_line_and_nothing_else_has_one() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        let lines = |tls| left(folder, tls);
        assert_eq!(lines(false), [""; 0]);
        let quiet = r#"{"ssl":false,"resourcesApi":{"defaultProviders":{"routes":"resources-provider"}}}"#;
        std::fs::write(folder.join("settings.json"), quiet).unwrap();
        std::fs::create_dir_all(folder.join("serverState/course")).unwrap();
        std::fs::write(folder.join(COURSE_FILE), r#"{"nextPoint":null}"#).unwrap();
        assert_eq!(lines(false), [""; 0]);
        let set = r#"{"ssl":true,"resourcesApi":{"defaultProviders":{"routes":"resources-provider","charts":"x"}}}"#;
        std::fs::write(folder.join("settings.json"), set).unwrap();
        std::fs::write(folder.join(COURSE_FILE), r#"{"nextPoint":{"position":{"latitude":1,"longitude":2}}}"#).unwrap();
        let told = lines(false);
        assert_eq!(told.len(), 3);
        for (line, part) in told.iter().zip(["--tls self", "of charts is not taken", "destination anew"]) {
            assert!(line.contains(part), "{line}");
        }
        CERTIFICATE.iter().for_each(|name| std::fs::write(folder.join(name), "").unwrap());
        assert!(lines(false)[0].contains("ssl-cert.pem,") && lines(true).len() == 2);
    }
}
