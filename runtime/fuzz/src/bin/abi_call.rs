//! Generated modules against the host: every call ends within its budget, whatever the guest does with the imports.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use skiff_abi::import::IMPORTS;
use skiff_runtime::budget::{Board, Limits, PluginLimits};
use skiff_runtime::delta::DeltaVersion;
use skiff_runtime::host::{Call, Capabilities, Instance, InstanceSpec, ModuleFacts, Progress, Services};
use skiff_runtime::time::{Instant, UnixMillis};
use skiff_runtime::vfs::{Medium, MemoryMedium};
use wasm_smith::{Config, Module};

/// Every import a generated module may use, and one that nobody knows.
fn imports() -> String {
    let mut text = String::from("(module (import \"env\" \"unknown\" (func (param i64) (result f32)))");
    for import in IMPORTS {
        let params: String = import.values().map(|value| format!(" {}", value.name())).collect();
        let result = import.result.map(|value| format!("(result {})", value.name())).unwrap_or_default();
        text += &format!("(import {:?} {:?} (func (param{params}) {result}))", import.module, import.name);
    }
    text + ")"
}

/// Exports of the buffer dialect.
const BUFFER: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "plugin_id") (param i32 i32) (result i32) unreachable)
    (func (export "plugin_name") (param i32 i32) (result i32) unreachable)
    (func (export "plugin_schema") (param i32 i32) (result i32) unreachable)
    (func (export "allocate") (param i32) (result i32) unreachable)
    (func (export "deallocate") (param i32 i32) unreachable)
    (func (export "plugin_start") (param i32 i32) (result i32) unreachable)
    (func (export "plugin_stop") (result i32) unreachable)
    (func (export "poll") (result i32) unreachable)
    (func (export "delta_handler") (param i32 i32) unreachable)
    (func (export "http_endpoints") (param i32 i32) (result i32) unreachable)
    (func (export "handle") (param i32 i32 i32 i32) (result i32) unreachable))"#;

/// Exports of the AssemblyScript dialect.
const ASSEMBLYSCRIPT: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "__new") (param i32 i32) (result i32) unreachable)
    (func (export "__pin") (param i32) (result i32) unreachable)
    (func (export "__unpin") (param i32) unreachable)
    (func (export "__collect") unreachable)
    (func (export "plugin_id") (result i32) unreachable)
    (func (export "plugin_name") (result i32) unreachable)
    (func (export "plugin_schema") (result i32) unreachable)
    (func (export "plugin_start") (param i32 i32) (result i32) unreachable)
    (func (export "plugin_stop") (result i32) unreachable)
    (func (export "poll") (result i32) unreachable)
    (func (export "delta_handler") (param i32) unreachable)
    (func (export "responseHandler") (param i32 i32 i32 i32) unreachable)
    (func (export "handle") (param i32 i32) (result i32) unreachable))"#;

static SHAPES: LazyLock<[Vec<u8>; 3]> =
    LazyLock::new(|| [&imports(), BUFFER, ASSEMBLYSCRIPT].map(|text| wat::parse_str(text).expect("a shape")));

fn limits() -> PluginLimits {
    PluginLimits {
        fuel_per_call: 50_000,
        fuel_per_start: 50_000,
        fuel_start_section: 10_000,
        fuel_per_slice: 5_000,
        linear_bytes_max: 4 * 65_536,
        ..Limits::of(Board::Linux).plugin
    }
}

/// Takes everything, answers with what is long enough to matter.
#[derive(Default)]
struct World {
    files: MemoryMedium,
    passed_ms: u64,
    config: Option<String>,
}

impl Services for World {
    fn wall(&self) -> UnixMillis {
        UnixMillis(1_764_000_000_000)
    }
    fn monotonic(&self) -> Instant {
        Instant::from_millis(self.passed_ms)
    }
    fn with_files(&mut self, act: &mut dyn FnMut(&mut dyn Medium)) {
        act(&mut self.files);
    }
    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0x5a);
    }
    fn log(&mut self, _: log::Level, _: &str) {}
    fn set_status(&mut self, _: &str) {}
    fn set_error(&mut self, _: &str) {}
    fn read_config(&mut self) -> Option<String> {
        self.config.clone()
    }
    fn save_config(&mut self, text: &str) -> bool {
        self.config = Some(text.into());
        true
    }
    fn emit(&mut self, _: &str, _: DeltaVersion) {}
    fn self_path(&mut self, path: &str) -> Option<String> {
        Some(format!("{{\"value\":{}}}", path.len()))
    }
    fn path(&mut self, path: &str) -> Option<String> {
        self.self_path(path)
    }
    fn publish_notification(&mut self, _: &str, _: &str) -> bool {
        true
    }
}

fn run(instance: &mut Instance, world: &mut World, call: Call, limits: &PluginLimits) -> bool {
    instance.begin(call);
    for _ in 0..1_000 {
        match instance.run(world) {
            Progress::Running => {}
            Progress::Waiting => world.passed_ms += 1_000,
            ended => {
                let usage = instance.usage();
                assert!(usage.linear_bytes <= u64::from(limits.linear_bytes_max), "{usage:?}");
                let bound = limits.fuel_per_call.max(limits.fuel_per_start) + limits.fuel_overrun_max(64);
                assert!(usage.fuel_in_call <= bound, "{usage:?}");
                return matches!(ended, Progress::Done(_));
            }
        }
    }
    panic!("a call did not end");
}

fuzz_target!(|data: &[u8]| {
    let [imports, buffer, assemblyscript] = &*SHAPES;
    let Some((choice, data)) = data.split_first() else { return };
    let config = Config {
        available_imports: Some(imports.clone()),
        exports: Some(if choice % 2 == 0 { buffer.clone() } else { assemblyscript.clone() }),
        max_memories: 1,
        max_memory32_bytes: 4 * 65_536,
        max_tables: 2,
        bulk_memory_enabled: true,
        simd_enabled: false,
        relaxed_simd_enabled: false,
        memory64_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        ..Config::default()
    };
    let Ok(module) = Module::new(config, &mut arbitrary::Unstructured::new(data)) else { return };
    let wasm = module.to_bytes();
    let limits = limits();
    let Ok(facts) = ModuleFacts::read(&wasm, &limits) else { return };
    let spec = InstanceSpec {
        package: "@fuzz/guest".into(),
        id: "_fuzz_guest".into(),
        capabilities: Capabilities::parse(
            r#"{"network":true,"rawSockets":true,"putHandlers":true,"resourceProvider":true,"radarProvider":true}"#,
        ),
        limits,
        growth_bytes: u64::MAX,
    };
    let Ok(mut instance) = Instance::load(&facts, &wasm, &spec) else { return };
    let mut world = World::default();
    let delta: Arc<str> = Arc::from(r#"{"updates":[{"values":[{"path":"a.b","value":1}]}]}"#);
    let calls = [
        Call::Name,
        Call::Schema,
        Call::Endpoints,
        Call::Start { config: r#"{"a":"ü"}"#.into() },
        Call::Poll,
        Call::DeltaText(delta),
        Call::Http { handler: "handle".into(), request: "{}".into() },
        Call::Put { handler: "handle".into(), value: "1".into() },
        Call::Stop,
    ];
    for call in calls {
        if !run(&mut instance, &mut world, call, &limits) {
            return;
        }
    }
});
