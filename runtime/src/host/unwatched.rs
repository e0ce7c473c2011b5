//! Stands for `watch` where nobody can ask for it, as `untraced.rs` does for `trace`.

use super::call::Machine;
use super::state::HostState;
use super::{Call, Instance, Progress, Services};

pub(super) fn handed(_: &mut HostState, _: u32, _: u32) {}

pub(super) fn instead(_: &mut Instance, call: Call) -> Call {
    call
}

pub(super) fn slice(machine: &mut Machine, instance: &mut Instance, services: &mut dyn Services) -> Progress {
    machine.slice(instance, services)
}

pub(super) fn go_on(_: &mut Instance, progress: Progress, _: &mut dyn Services) -> (Progress, Option<Call>) {
    (progress, None)
}
