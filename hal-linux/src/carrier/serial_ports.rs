//! The serial ports of the machine, as `GET /skServer/serialports` lists them.

use std::fs;
use std::path::Path;

use serde_json::json;

/// Names that stay the same when a device is plugged in again (udev).
const BY_ID: &str = "dev/serial/by-id";
/// Names by the socket that a device is plugged into.
const BY_PATH: &str = "dev/serial/by-path";
/// Beginnings of the kernel's names (Linux, Documentation/admin-guide/devices.txt): USB adapters, modems, UARTs.
const KINDS: [&str; 5] = ["ttyUSB", "ttyACM", "ttyAMA", "ttymxc", "ttySC"];
/// Names in one list; a machine has a handful.
const NAMES_MAX: usize = 64;

/// Lists what there is now.
pub(super) fn list() -> String {
    list_below(Path::new("/"))
}

fn list_below(root: &Path) -> String {
    let is_port = |name: &str| KINDS.iter().any(|kind| name.starts_with(kind));
    let devices: Vec<_> = names(root, "dev", is_port).into_iter().map(|path| json!({ "path": path })).collect();
    let all = |_: &str| true;
    json!({ "byId": names(root, BY_ID, all), "byPath": names(root, BY_PATH, all), "byOpenPlotter": [], "serialports": devices })
        .to_string()
}

/// Returns the paths of what lies in a folder, in order; none where there is no such folder.
fn names(root: &Path, folder: &str, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_meant(name)).map(|name| format!("/{folder}/{name}")).collect();
    names.sort();
    names.truncate(NAMES_MAX);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_listed_by_name_and_by_socket() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(list_below(root.path()), r#"{"byId":[],"byOpenPlotter":[],"byPath":[],"serialports":[]}"#);
        for (folder, name) in
            [(BY_ID, "usb-gps"), (BY_PATH, "pci-1"), ("dev", "ttyUSB0"), ("dev", "tty7"), ("dev", "sda")]
        {
            fs::create_dir_all(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join(name), "").unwrap();
        }
        assert_eq!(
            list_below(root.path()),
            r#"{"byId":["/dev/serial/by-id/usb-gps"],"byOpenPlotter":[],"byPath":["/dev/serial/by-path/pci-1"],"serialports":[{"path":"/dev/ttyUSB0"}]}"#
        );
    }
}
