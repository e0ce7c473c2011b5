//! Guests written as text, and a host that writes down what they ask for.
#![allow(dead_code)] // each test file uses its part

use skiff_runtime::budget::{Board, Limits, PluginLimits};
use skiff_runtime::delta::DeltaVersion;
use skiff_runtime::host::{
    Answer, Call, Capabilities, Failure, Instance, InstanceSpec, LoadError, ModuleFacts, Progress, Services,
};
use skiff_runtime::time::{Instant, UnixMillis};
use skiff_runtime::vfs::{Medium, MemoryMedium};

/// Limits small enough for tests to reach them quickly.
pub fn limits() -> PluginLimits {
    PluginLimits {
        fuel_per_call: 5_000_000,
        fuel_per_start: 10_000_000,
        fuel_start_section: 100_000,
        fuel_per_slice: 100_000,
        linear_bytes_max: 4 * 65_536,
        ..Limits::of(Board::Linux).plugin
    }
}

/// Writes down what a guest asks for.
#[derive(Debug, Default)]
pub struct Record {
    pub events: Vec<String>,
    pub config: Option<String>,
    pub nodes: Vec<(String, String)>,
    pub files: MemoryMedium,
    /// Time that has passed, milliseconds: a second each time the guest waits.
    pub passed_ms: u64,
}

impl Services for Record {
    fn wall(&self) -> UnixMillis {
        UnixMillis(1_764_000_000_000)
    }
    fn monotonic(&self) -> Instant {
        Instant::from_millis(5000 + self.passed_ms)
    }
    fn with_files(&mut self, act: &mut dyn FnMut(&mut dyn Medium)) {
        act(&mut self.files);
    }
    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0x40);
    }
    fn log(&mut self, level: log::Level, text: &str) {
        self.events.push(format!("log {level} {text}"));
    }
    fn set_status(&mut self, text: &str) {
        self.events.push(format!("status {text}"));
    }
    fn set_error(&mut self, text: &str) {
        self.events.push(format!("error {text}"));
    }
    fn read_config(&mut self) -> Option<String> {
        self.config.clone()
    }
    fn save_config(&mut self, text: &str) -> bool {
        self.events.push(format!("save {text}"));
        text.starts_with('{')
    }
    fn emit(&mut self, delta: &str, version: DeltaVersion) {
        self.events.push(format!("emit {version:?} {delta}"));
    }
    fn self_path(&mut self, path: &str) -> Option<String> {
        self.nodes.iter().find(|(known, _)| known == path).map(|(_, node)| node.clone())
    }
    fn path(&mut self, path: &str) -> Option<String> {
        self.self_path(path)
    }
    fn publish_notification(&mut self, path: &str, value: &str) -> bool {
        self.events.push(format!("notify {path} {value}"));
        path.starts_with("notifications")
    }
}

/// One guest with its record.
pub struct Guest {
    pub instance: Instance,
    pub record: Record,
}

/// Loads a module of the text format; `capabilities` as in `wasmCapabilities`.
pub fn try_load(text: &str, capabilities: &str, limits: &PluginLimits) -> Result<Guest, String> {
    let wasm = wat::parse_str(text).expect("the test's own module is well formed");
    try_load_binary(&wasm, capabilities, limits)
}

/// Loads a module.
pub fn try_load_binary(wasm: &[u8], capabilities: &str, limits: &PluginLimits) -> Result<Guest, String> {
    let facts = ModuleFacts::read(wasm, limits).map_err(|refusal| format!("{refusal}"))?;
    let spec = InstanceSpec {
        package: "@test/guest".into(),
        id: "_test_guest".into(),
        capabilities: Capabilities::parse(capabilities),
        limits: *limits,
        growth_bytes: u64::MAX,
    };
    let instance = Instance::load(&facts, wasm, &spec).map_err(|error: LoadError| format!("{error}"))?;
    Ok(Guest { instance, record: Record::default() })
}

/// Loads a module that must load.
pub fn load(text: &str) -> Guest {
    try_load(text, "{}", &limits()).unwrap_or_else(|error| panic!("{error}"))
}

/// Loads a module that must load, with limits of the test's own.
pub fn load_with(text: &str, limits: &PluginLimits) -> Guest {
    try_load(text, "{}", limits).unwrap_or_else(|error| panic!("{error}"))
}

impl Guest {
    /// Runs a call to its end and returns the slices it took.
    pub fn call(&mut self, call: Call) -> Result<Answer, Failure> {
        self.call_in_slices(call).0
    }

    /// Runs a call to its end; the second value counts its slices.
    pub fn call_in_slices(&mut self, call: Call) -> (Result<Answer, Failure>, u32) {
        self.instance.begin(call);
        for slice in 1.. {
            match self.instance.run(&mut self.record) {
                Progress::Running => {}
                Progress::Waiting => self.record.passed_ms += 1000,
                Progress::Done(answer) => return (Ok(answer), slice),
                Progress::Failed(failure) => return (Err(failure), slice),
            }
        }
        unreachable!("a call ends by its fuel")
    }

    /// Calls `plugin_start` with `{}`.
    pub fn start(&mut self) -> Result<Answer, Failure> {
        self.call(Call::Start { config: "{}".into() })
    }
}

/// A guest in the buffer dialect with a bump allocator from 4096 on; `body` adds imports after the first lines.
pub fn buffer_guest(imports: &str, body: &str) -> String {
    format!(
        r#"(module
            {imports}
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 4096))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param $bytes i32) (result i32)
                (global.set $next (i32.add (global.get $next) (local.get $bytes)))
                (i32.sub (global.get $next) (local.get $bytes)))
            (func (export "deallocate") (param i32 i32) (global.set $next (i32.sub (global.get $next) (local.get 1))))
            {body})"#
    )
}

/// A guest in the AssemblyScript dialect; strings made by the host lie one after the other from 4096 on.
pub fn managed_guest(imports: &str, body: &str) -> String {
    format!(
        r#"(module
            {imports}
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 4096))
            (func (export "__new") (param $bytes i32) (param $class i32) (result i32)
                (local $at i32)
                (local.set $at (i32.add (global.get $next) (i32.const 20)))
                (i32.store (i32.sub (local.get $at) (i32.const 8)) (local.get $class))
                (i32.store (i32.sub (local.get $at) (i32.const 4)) (local.get $bytes))
                (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get $bytes)) (i32.const 7)) (i32.const -8)))
                (local.get $at))
            {body})"#
    )
}
