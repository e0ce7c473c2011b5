//! The mock world: everything a plugin can reach, written down.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use super::lines::{Lines, Object, quoted};
use super::script::Scenario;
use crate::delta::DeltaVersion;
use crate::host::{HostCall, Services};
use crate::json;
use crate::time::{Instant, UnixMillis};
use crate::vfs::{Medium, MemoryMedium};
use skiff_abi::import;

/// Time a poll adds to both clocks, milliseconds.
const POLL_STEP_MS: u64 = 1000;

/// The world of one scenario.
pub(super) struct World<'s> {
    pub(super) lines: Lines<'s>,
    package: String,
    wall: UnixMillis,
    monotonic_ms: u64,
    random: u32,
    self_paths: BTreeMap<String, String>,
    /// The plugin's files; every scenario begins without any.
    files: MemoryMedium,
    /// The configuration that was saved.
    saved: Option<String>,
}

impl<'s> World<'s> {
    pub(super) fn new(scenario: &Scenario, lines: Lines<'s>) -> Self {
        Self {
            lines,
            package: scenario.package.clone(),
            wall: UnixMillis(scenario.wall_ms),
            monotonic_ms: 0,
            // xorshift never leaves zero; the reference host shows zeros then, and so do we.
            random: scenario.seed,
            self_paths: scenario.self_paths.clone(),
            files: MemoryMedium::default(),
            saved: None,
        }
    }

    /// Lets a second pass, as a poll step does before its call.
    pub(super) fn pass_second(&mut self) {
        self.wall.0 = self.wall.0.saturating_add(i64::try_from(POLL_STEP_MS).unwrap_or(0));
        self.monotonic_ms = self.monotonic_ms.saturating_add(POLL_STEP_MS);
    }
}

impl Services for World<'_> {
    fn wall(&self) -> UnixMillis {
        self.wall
    }

    fn monotonic(&self) -> Instant {
        Instant::from_millis(self.monotonic_ms)
    }

    fn with_files(&mut self, act: &mut dyn FnMut(&mut dyn Medium)) {
        act(&mut self.files);
    }

    fn random(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.random_word().to_le_bytes()[0];
        }
    }

    /// xorshift32 with the shifts 13, 17, 5.
    fn random_word(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }

    fn observe(&mut self, call: HostCall) {
        let line = Object::new();
        if call.module == import::WASI {
            let line = line.text("fn", call.name).raw("ret", &call.ret);
            let line = match &call.written {
                Some(text) => line.text("text", text),
                None => line,
            };
            self.lines.line("wasi", line);
        } else {
            let name =
                if call.module == import::ENV { call.name.to_string() } else { [call.module, call.name].join(".") };
            let line = line.text("fn", &name).raw("args", &call.args).raw("ret", &call.ret).raw("raw", &call.raw);
            self.lines.line("host", line);
        }
    }

    fn log(&mut self, _: log::Level, _: &str) {
        // Each line a plugin logs is a host or WASI line already.
    }

    fn set_status(&mut self, text: &str) {
        self.lines.app("status", |line| line.text("msg", text));
    }

    fn set_error(&mut self, text: &str) {
        self.lines.app("error", |line| line.text("msg", text));
    }

    fn read_config(&mut self) -> Option<String> {
        self.saved.clone()
    }

    fn save_config(&mut self, text: &str) -> bool {
        let Ok(config) = json::compact(text) else { return false };
        self.lines.app("save-config", |line| line.raw("config", &config));
        self.saved = Some(config);
        true
    }

    fn emit(&mut self, delta: &str, version: DeltaVersion) {
        // What is no JSON is dropped, as in a gateway.
        let Ok(delta) = json::compact(delta) else { return };
        let number = if version == DeltaVersion::V2 { 2 } else { 1 };
        let package = self.package.clone();
        self.lines.app("delta", |line| line.text("from", &package).number("v", number).raw("delta", &delta));
    }

    fn self_path(&mut self, path: &str) -> Option<String> {
        self.self_paths.get(path).and_then(|value| json::compact(value).ok())
    }

    fn path(&mut self, path: &str) -> Option<String> {
        let below_self = path.strip_prefix("vessels.self.").or_else(|| path.strip_prefix("self."))?;
        self.self_path(below_self)
    }

    fn publish_notification(&mut self, path: &str, value: &str) -> bool {
        let delta = ["{\"updates\":[{\"values\":[{\"path\":", &quoted(path), ",\"value\":", value, "}]}]}"].concat();
        self.emit(&delta, DeltaVersion::V1);
        true
    }
}
