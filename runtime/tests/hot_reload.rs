//! A new version takes the place of the old one: nothing lost, nothing doubled, and back when it fails.

mod counting;
mod echo_world;
mod sample_world;

use counting::Counting;
use echo_world::{World, echo};
use sample_world::bare_package;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::plugin::{PluginState, ReplaceError};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_thousand_reloads_under_two_thousand_deltas_a_second_lose_and_double_nothing() {
    let mut world = World::new(Limits::of(Board::Linux), echo('a', "", 1));
    assert_eq!(world.plugin().state(), PluginState::Running, "{:?}", world.plugin().reason());
    let versions = [echo('b', "", 1), echo('a', "", 1)];
    let mut heap = Vec::with_capacity(1000);
    for reload in 0..1000 {
        let version = versions[reload % 2].clone();
        world.replay.gateway_mut().replace(version).unwrap_or_else(|error| panic!("reload {reload}: {error}"));
        for _ in 0..10 {
            world.feed();
        }
        world.settle();
        world.pass(5);
        assert_eq!(world.plugin().status(), Some(["b", "a"][reload % 2]));
        assert_eq!(world.echoed.len(), world.fed as usize, "after reload {reload}");
        heap.push(counting::now() - (world.echoed.capacity() * size_of::<u32>()) as i64);
    }
    assert_eq!(world.echoed, world.all_numbers());
    assert_eq!(world.plugin().drops().total(), 0);
    let (early, late) = (heap[200], heap[999]);
    assert!(late - early < 4096, "heap grew from {early} to {late} bytes over 800 reloads");
}

#[test]
fn a_version_that_fails_to_start_leaves_the_old_one_at_work() {
    for (start, reason) in [("(return (i32.const 7))", "error code: 7"), ("(unreachable)", "unreachable")] {
        let mut world = World::new(Limits::of(Board::Linux), echo('a', "", 1));
        world.replay.gateway_mut().replace(echo('b', start, 1)).unwrap();
        for _ in 0..20 {
            world.feed();
        }
        world.settle();
        assert_eq!((world.plugin().state(), world.plugin().status()), (PluginState::Running, Some("a")));
        assert_eq!(world.echoed, world.all_numbers());
        let log: Vec<&str> = world.plugin().log_lines().collect();
        assert!(log.iter().any(|line| line.contains("new version refused") && line.contains(reason)), "{log:?}");
        // The next good one is taken.
        world.replay.gateway_mut().replace(echo('c', "", 1)).unwrap();
        world.settle();
        assert_eq!(world.plugin().status(), Some("c"));
    }
}

#[test]
fn a_module_that_is_refused_changes_nothing() {
    let mut world = World::new(Limits::of(Board::Linux), echo('a', "", 1));
    let no_plugin = bare_package("echo", b"\0asm\x01\0\0\0".to_vec());
    assert!(matches!(world.replay.gateway_mut().replace(no_plugin), Err(ReplaceError::Refused(_))));
    let stranger = bare_package("stranger", echo('b', "", 1).wasm.to_vec());
    assert_eq!(world.replay.gateway_mut().replace(stranger), Err(ReplaceError::NotFound));
    world.replay.gateway_mut().replace(echo('b', "", 1)).unwrap();
    assert_eq!(world.replay.gateway_mut().replace(echo('c', "", 1)), Err(ReplaceError::Busy));
    world.feed();
    world.settle();
    assert_eq!((world.echoed.len(), world.plugin().status()), (1, Some("b")));
}

/// A board where two instances of `echo` with two pages do not fit at the same time.
fn narrow() -> Limits {
    let package = echo('a', "", 2);
    let facts = skiff_runtime::host::ModuleFacts::read(&package.wasm, &Limits::of(Board::Linux).plugin).unwrap();
    Limits { total_bytes: facts.reserved_bytes(&Limits::of(Board::Linux).plugin) * 3 / 2, ..Limits::of(Board::Linux) }
}

#[test]
fn where_two_do_not_fit_the_old_one_stops_first_and_deltas_wait() {
    let mut world = World::new(narrow(), echo('a', "", 2));
    for reload in 0..50 {
        let version = if reload % 2 == 0 { 'b' } else { 'a' };
        world.replay.gateway_mut().replace(echo(version, "", 2)).unwrap();
        for _ in 0..10 {
            world.feed();
        }
        world.settle();
        assert_eq!(world.plugin().state(), PluginState::Running, "{:?}", world.plugin().reason());
    }
    assert_eq!(world.echoed, world.all_numbers());
}

#[test]
fn where_two_do_not_fit_the_old_one_comes_back_when_the_new_one_fails() {
    let mut world = World::new(narrow(), echo('a', "", 2));
    world.replay.gateway_mut().replace(echo('b', "(unreachable)", 2)).unwrap();
    for _ in 0..20 {
        world.feed();
    }
    world.settle();
    assert_eq!((world.plugin().state(), world.plugin().status()), (PluginState::Running, Some("a")));
    assert_eq!(world.echoed, world.all_numbers());
    let larger = world.replay.gateway_mut().replace(echo('c', "", 20));
    assert!(matches!(larger, Err(ReplaceError::Shortage(_))), "{larger:?}");
}

#[test]
fn a_stop_of_the_gateway_ends_both_versions() {
    let mut world = World::new(Limits::of(Board::Linux), echo('a', "", 1));
    world.replay.gateway_mut().replace(echo('b', "", 1)).unwrap();
    world.replay.gateway_mut().stop();
    world.settle();
    assert!(world.replay.gateway().is_stopped());
    assert_eq!(world.replay.gateway().plugins().ledger().accounts().count(), 0);
}
