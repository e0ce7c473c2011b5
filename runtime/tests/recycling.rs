//! Plugins that free nothing live on: they collect when asked, or a fresh instance takes their place (plugin ABI §2.6).

mod echo_world;
mod sample_world;

use echo_world::{World, echo_with};
use sample_world::bare_package;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::host::ModuleFacts;
use skiff_runtime::package::Package;
use skiff_runtime::plugin::PluginState;

const PAGE: u32 = 64 * 1024;
/// What the plugins of these tests may grow to: with what [`LEAKING`] takes, 60 to 70 deltas.
const PAGES_MAX: u32 = 8;

/// Takes 32 bytes for each that it was asked for, and never gives any back.
const LEAKING: &str = r#"
    (func (export "allocate") (param $bytes i32) (result i32)
        (local $at i32)
        (local.set $at (global.get $next))
        (global.set $next (i32.add (local.get $at) (i32.shl (local.get $bytes) (i32.const 5))))
        (block $fits
            (br_if $fits (i32.le_u (global.get $next) (i32.shl (memory.size) (i32.const 16))))
            (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable))))
        (local.get $at))
    (func (export "deallocate") (param $p i32) (param $n i32))"#;

fn limits() -> Limits {
    let mut limits = Limits::of(Board::Linux);
    limits.plugin.linear_bytes_max = PAGES_MAX * PAGE;
    limits
}

#[test]
fn a_plugin_that_never_frees_is_recycled_before_its_memory_is_full_and_loses_nothing() {
    let mut world = World::new(limits(), echo_with('a', "", 1, LEAKING));
    for _ in 0..1000 {
        world.feed();
        world.pass(150);
    }
    world.settle();
    let plugin = world.plugin();
    assert_eq!(plugin.state(), PluginState::Running, "{:?}", plugin.reason());
    assert_eq!(plugin.restarts(), 0, "a recycling is no crash");
    assert!(plugin.recycled() >= 10, "{}", plugin.recycled());
    assert_eq!(plugin.drops().total(), 0);
    assert!(plugin.log_lines().any(|line| line.contains("started afresh")));
    assert_eq!(world.echoed, world.all_numbers());
}

#[test]
fn one_that_fills_its_memory_at_once_has_crashed() {
    let mut world = World::new(limits(), echo_with('a', "", 1, LEAKING));
    for _ in 0..100 {
        world.feed();
        world.pass(1);
    }
    world.settle();
    assert_eq!((world.plugin().state(), world.plugin().recycled()), (PluginState::Crashed, 0));
    assert!(
        world.plugin().reason().is_some_and(|reason| reason.contains("unreachable")),
        "{:?}",
        world.plugin().reason()
    );
}

/// AssemblyScript as its `minimal` runtime does it: a heap of one page that only `__collect` empties.
fn managed(collect: &str) -> Package {
    managed_by(&format!(
        r#"(func (export "{collect}")
            (global.set $next (i32.const 4096))
            (call $status (i32.const 16) (i32.const 9)))"#
    ))
}

/// AssemblyScript with a heap of one page, whose allocator goes up; `collector` is what it exports beside that.
fn managed_by(collector: &str) -> Package {
    let wasm = wat::parse_str(format!(
        r#"(module
            (import "env" "sk_set_status" (func $status (param i32 i32)))
            (memory (export "memory") 1 1)
            (data (i32.const 16) "collected")
            (global $next (mut i32) (i32.const 4096))
            (func (export "plugin_id") (result i32) (i32.const 0))
            (func (export "__new") (param $bytes i32) (param $class i32) (result i32)
                (if (i32.gt_u (i32.add (global.get $next) (local.get $bytes)) (i32.const 65536)) (then (unreachable)))
                (global.set $next (i32.add (global.get $next) (local.get $bytes)))
                (i32.sub (global.get $next) (local.get $bytes)))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            (func (export "delta_handler") (param i32 i32))
            {collector})"#
    ))
    .unwrap_or_else(|error| panic!("{error}"));
    bare_package("echo", wasm)
}

#[test]
fn an_assemblyscript_guest_is_asked_to_collect_when_it_is_idle() {
    let mut world = World::new(limits(), managed("__collect"));
    for _ in 0..2000 {
        world.feed();
        world.settle();
    }
    assert_eq!(
        (world.plugin().state(), world.plugin().restarts()),
        (PluginState::Running, 0),
        "{:?}",
        world.plugin().reason()
    );
    assert_eq!(world.plugin().status(), Some("collected"));
}

#[test]
fn the_same_guest_without_the_export_runs_full() {
    let mut world = World::new(limits(), managed("__gather"));
    for _ in 0..2000 {
        world.feed();
        world.settle();
    }
    assert_eq!(world.plugin().state(), PluginState::Crashed);
}

/// On a chip a plugin has one page, which does not grow: only what the allocator says tells that it fills.
#[test]
fn a_stub_runtime_is_recycled_before_its_only_page_is_full() {
    let mut world = World::new(Limits::of(Board::QemuRiscv32), managed_by(r#"(func (export "__collect") nop)"#));
    for _ in 0..1000 {
        world.feed();
        world.pass(150);
    }
    let plugin = world.plugin();
    assert_eq!(plugin.state(), PluginState::Running, "{:?}", plugin.reason());
    assert_eq!((plugin.restarts(), plugin.drops().total()), (0, 0));
    assert!(plugin.recycled() >= 3, "{}", plugin.recycled());
    assert!(plugin.log_lines().any(|line| line.contains("of 65536 bytes: started afresh")));
}

/// The same addresses mean nothing where something is freed in between.
#[test]
fn a_runtime_that_collects_is_not_recycled() {
    let mut world = World::new(Limits::of(Board::QemuRiscv32), managed("__collect"));
    for _ in 0..1000 {
        world.feed();
        world.pass(150);
    }
    assert_eq!((world.plugin().state(), world.plugin().restarts()), (PluginState::Running, 0));
    assert_eq!((world.plugin().recycled(), world.plugin().status()), (0, Some("collected")));
}

#[test]
fn a_runtime_that_never_frees_is_known_by_its_empty_collector() {
    let limits = Limits::of(Board::Linux).plugin;
    let never_frees = |package: &Package| ModuleFacts::read(&package.wasm, &limits).unwrap().never_frees;
    for empty in [r#"(func (export "__collect"))"#, r#"(func) (func (export "__collect") nop return)"#] {
        assert!(never_frees(&managed_by(empty)), "{empty}");
    }
    for other in [managed("__collect"), managed("__gather"), managed_by(r#"(func) (func (export "__collects"))"#)] {
        assert!(!never_frees(&other));
    }
    // An imported function is none of the module's own, whatever its number.
    assert!(!never_frees(&managed_by(r#"(export "__collect" (func $status)) (func)"#)));
}
