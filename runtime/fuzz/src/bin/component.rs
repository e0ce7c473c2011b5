//! Components, changed anywhere: read, linked and called within their budget.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use skiff_runtime::budget::{Board, Limits, PluginLimits};
use skiff_runtime::host::{Call, Capabilities, Instance, InstanceSpec, ModuleFacts, Nobody, Progress};

/// A component with an import that answers with a text, an export that takes one, and one that gives one.
static SEED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    wat::parse_str(
        r#"(component
          (import "signalk:plugin/signalk-api@1.0.0" (instance $api (export "sk-handle-message" (func (param "delta-json" string)))))
          (import "skiff:plugin/config@0.1.0" (instance $config (export "read" (func (result (option string))))))
          (import "wasi:cli/environment@0.2.0" (instance $environment
            (export "get-environment" (func (result (list (tuple string string)))))))
          (core module $libc
            (memory (export "memory") 1)
            (global $top (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
              (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
              (global.get $top)
              (global.set $top (i32.add (global.get $top) (local.get 3)))))
          (core instance $libc (instantiate $libc))
          (alias core export $libc "memory" (core memory $memory))
          (alias core export $libc "realloc" (core func $realloc))
          (core func $emit (canon lower (func $api "sk-handle-message") (memory $memory)))
          (core func $read (canon lower (func $config "read") (memory $memory) (realloc $realloc)))
          (core func $environ (canon lower (func $environment "get-environment") (memory $memory) (realloc $realloc)))
          (core module $main
            (import "libc" "memory" (memory 1))
            (import "api" "emit" (func $emit (param i32 i32)))
            (import "api" "read" (func $read (param i32)))
            (import "api" "environ" (func $environ (param i32)))
            (data (i32.const 16) "\20\00\00\00\04\00\00\00")
            (data (i32.const 32) "tide")
            (func (export "text") (result i32) (i32.const 16))
            (func (export "cleaned") (param i32))
            (func (export "start") (param i32 i32) (result i32)
              (call $read (i32.const 64))
              (call $environ (i32.const 80))
              (call $emit (local.get 0) (local.get 1))
              (i32.load8_u (i32.const 64))))
          (core instance $main (instantiate $main
            (with "libc" (instance $libc))
            (with "api" (instance (export "emit" (func $emit)) (export "read" (func $read)) (export "environ" (func $environ))))))
          (func $text (result string) (canon lift (core func $main "text") (memory $memory) (post-return (core func $main "cleaned"))))
          (func $start (param "config" string) (result s32) (canon lift (core func $main "start") (memory $memory) (realloc $realloc)))
          (component $renamed
            (import "id" (func $id (result string)))
            (import "start" (func $start (param "config" string) (result s32)))
            (export "plugin-id" (func $id))
            (export "plugin-start" (func $start)))
          (instance $plugin (instantiate $renamed (with "id" (func $text)) (with "start" (func $start))))
          (export "signalk:plugin/plugin@1.0.0" (instance $plugin)))"#,
    )
    .expect("the seed is a component")
});

fn limits() -> PluginLimits {
    PluginLimits {
        fuel_per_call: 200_000,
        fuel_per_start: 200_000,
        fuel_start_section: 20_000,
        fuel_per_slice: 20_000,
        linear_bytes_max: 4 * 65_536,
        ..Limits::of(Board::Linux).plugin
    }
}

/// The input is a component, or, behind an even byte, a list of places and bytes to change in the seed.
fn changed(data: &[u8]) -> Option<Vec<u8>> {
    let (choice, data) = data.split_first()?;
    if choice % 2 == 1 {
        return Some(data.to_vec());
    }
    let mut wasm = SEED.clone();
    for change in data.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % wasm.len();
        wasm[at] = change[2];
    }
    Some(wasm)
}

fuzz_target!(|data: &[u8]| {
    let Some(wasm) = changed(data) else { return };
    let limits = limits();
    let Ok(facts) = ModuleFacts::read(&wasm, &limits) else { return };
    let spec = InstanceSpec {
        package: "@fuzz/guest".into(),
        id: "_fuzz_guest".into(),
        capabilities: Capabilities::parse("{}"),
        limits,
        growth_bytes: u64::MAX,
    };
    let Ok(mut instance) = Instance::load(&facts, &wasm, &spec) else { return };
    let mut nobody = Nobody::<u64>::default();
    let delta: Arc<str> = Arc::from(r#"{"updates":[{"values":[{"path":"a.b","value":1}]}]}"#);
    for call in
        [Call::Id, Call::Start { config: r#"{"a":"ü"}"#.into() }, Call::DeltaText(delta), Call::Poll, Call::Stop]
    {
        instance.begin(call);
        // A slice that gets nowhere is an endless loop of the host's.
        let slices = limits.fuel_per_start / limits.fuel_per_slice * 4 + 64;
        let ended =
            (0..slices).map(|_| instance.run(&mut nobody)).find(|progress| !matches!(progress, Progress::Running));
        let usage = instance.usage();
        assert!(usage.linear_bytes <= u64::from(limits.linear_bytes_max), "{usage:?}");
        match ended.expect("a call ends") {
            Progress::Done(_) => {}
            // Nobody has anything to wait for, and time stands still here.
            _ => return,
        }
    }
});
