//! The limits of a Linux gateway, some of which its operator sets: `skiff.limits` in `settings.json`.

use std::path::Path;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::{SETTINGS_FILE, read_settings};
use skiff_runtime::json;

use crate::hal::Folder;

const MIB: u32 = 1024 * 1024;
/// Memory of a small server; more is a slip of the pen.
const MEMORY_MIB_MAX: u32 = 4096;
/// What an archive unpacks to (`Limits::unpacked_bytes_max`).
const MODULE_MIB_MAX: u32 = 16;
/// Clients of streams; each can have some 600 KiB under way.
const CLIENTS_MAX: u32 = 1024;
/// Of one plugin.
const PLUGIN_MIB_MAX: u32 = 1024;

/// Returns the limits of a board; those of Linux as the operator of this folder sets them.
///
/// # Errors
/// A clause that names the file and the member that cannot be meant.
pub fn of(board: Board, config: &Path) -> Result<Limits, String> {
    let mut limits = Limits::of(board);
    // A file that cannot be read is told by who reads the rest of it.
    let Ok(Some(text)) = read_settings(&mut Folder::new(config)) else {
        return Ok(limits);
    };
    let own = json::member(&text, "skiff").and_then(|own| json::member(own, "limits"));
    let Some(own) = own.filter(|_| board == Board::Linux) else { return Ok(limits) };
    let read = json::members::<Refused>(own, |name, value| {
        let most = match name {
            "memoryMiB" => MEMORY_MIB_MAX,
            "moduleMiB" => MODULE_MIB_MAX,
            "codeHeapMiB" | "linearMiB" => PLUGIN_MIB_MAX,
            "clients" => CLIENTS_MAX,
            _ => return Err(Refused(format!("{name} is no limit; there are {NAMES}"))),
        };
        let number = value.parse().ok().filter(|number| (1..=most).contains(number));
        let number: u32 = number.ok_or_else(|| Refused(format!("{name} is a whole number from 1 to {most}")))?;
        let bytes = MIB.saturating_mul(number);
        match name {
            "memoryMiB" => limits.total_bytes = u64::from(MIB).saturating_mul(number.into()),
            "moduleMiB" => limits.plugin.module_bytes_max = bytes,
            "codeHeapMiB" => limits.plugin.code_heap_bytes_max = bytes,
            "clients" => limits.clients_max = u16::try_from(number).unwrap_or(u16::MAX),
            _ => limits.plugin.linear_bytes_max = bytes,
        }
        Ok(())
    });
    read.map(|()| limits).map_err(|Refused(clause)| format!("{SETTINGS_FILE}: skiff.limits: {clause}"))
}

const NAMES: &str = "memoryMiB, moduleMiB, codeHeapMiB, linearMiB, clients";

struct Refused(String);

impl From<json::JsonError> for Refused {
    fn from(_: json::JsonError) -> Self {
        Self("an object is wanted".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(settings: &str, board: Board) -> Result<Limits, String> {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(SETTINGS_FILE), settings).unwrap();
        of(board, home.path())
    }

    #[test]
    fn an_operator_sets_limits_and_a_board_keeps_its_own() {
        let text =
            r#"{"skiff":{"limits":{"memoryMiB":4096,"moduleMiB":12,"codeHeapMiB":96,"linearMiB":32,"clients":300}}}"#;
        let limits = said(text, Board::Linux).unwrap();
        assert_eq!((limits.total_bytes, limits.clients_max), (4 << 30, 300));
        let plugin = limits.plugin;
        assert_eq!(
            (plugin.module_bytes_max, plugin.code_heap_bytes_max, plugin.linear_bytes_max),
            (12 * MIB, 96 * MIB, 32 * MIB)
        );
        assert_eq!(said(text, Board::Esp32C6).unwrap(), Limits::of(Board::Esp32C6));
        for text in ["{}", "{", r#"{"skiff":{}}"#, r#"{"skiff":{"limits":{}}}"#] {
            assert_eq!(said(text, Board::Linux).unwrap(), Limits::of(Board::Linux), "{text}");
        }
        let home = tempfile::tempdir().unwrap();
        assert_eq!(of(Board::Linux, home.path()).unwrap(), Limits::of(Board::Linux));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (own, part) in [
            (r#"{"memoryMiB":0}"#, "memoryMiB is a whole number from 1 to 4096"),
            (r#"{"moduleMiB":17}"#, "from 1 to 16"),
            (r#"{"linearMiB":"32"}"#, "linearMiB is a whole number"),
            (r#"{"linearMiB":1.5}"#, "linearMiB is a whole number"),
            (r#"{"clients":1025}"#, "clients is a whole number from 1 to 1024"),
            (r#"{"memory":1}"#, "memory is no limit; there are memoryMiB"),
            ("[]", "an object is wanted"),
        ] {
            let error = said(&format!(r#"{{"skiff":{{"limits":{own}}}}}"#), Board::Linux).unwrap_err();
            assert!(error.starts_with("settings.json: skiff.limits: ") && error.contains(part), "{error}");
        }
    }
}
