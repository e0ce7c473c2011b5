//! Whether a component answers when it is asked for its id: only that finds one whose compiler's packages do not fit together.

use skiff_runtime::budget::PluginLimits;
use skiff_runtime::host::{Call, Instance, InstanceSpec, ModuleFacts, Nobody, Progress};
use skiff_runtime::package::Package;

/// What is said of .NET's compiler where an id does not come.
const DOTNET: &str = "of .NET both ILCompiler.LLVM packages must have one version";

/// Asks a component that fits for its id, in an instance of its own that is dropped; returns a clause where none comes. Other
/// modules are not asked: what they lack is seen without running them.
#[must_use]
pub fn refused_id(package: &Package, facts: &ModuleFacts, limits: &PluginLimits) -> Option<String> {
    if facts.dialect.name() != "component" || !facts.refusals(limits).is_empty() {
        return None;
    }
    let spec = InstanceSpec {
        package: package.name.clone(),
        id: package.id(),
        capabilities: package.capabilities.clone(),
        limits: *limits,
        growth_bytes: limits.linear_bytes_max.into(),
    };
    let mut instance = match Instance::load(facts, &package.wasm, &spec) {
        Ok(instance) => instance,
        Err(error) => return Some(format!("it does not load: {error}")),
    };
    instance.begin(Call::Id);
    let mut nobody = Nobody::<()>::default();
    loop {
        match instance.run(&mut nobody) {
            Progress::Running => {}
            Progress::Done(_) => return None,
            // Time stands still here: who sleeps before it says its id would sleep for ever.
            Progress::Waiting => return Some("it waits before it says its id".to_owned()),
            Progress::Failed(failure) => return Some(format!("plugin-id: {failure}; {DOTNET}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use skiff_runtime::budget::{Board, Limits};

    use super::*;

    /// A component whose `plugin-id` is this core function.
    fn said(id: &str) -> Option<String> {
        let text = format!(
            r#"(component
              (core module $m
                (memory (export "memory") 1)
                (data (i32.const 16) "\20\00\00\00\04\00\00\00")
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
                (func (export "id") (result i32) {id})
                (func (export "start") (param i32 i32) (result i32) (i32.const 0)))
              (core instance $m (instantiate $m))
              (alias core export $m "memory" (core memory $memory))
              (alias core export $m "realloc" (core func $realloc))
              (func $id (result string) (canon lift (core func $m "id") (memory $memory)))
              (func $start (param "config" string) (result s32)
                (canon lift (core func $m "start") (memory $memory) (realloc $realloc)))
              (instance $plugin (export "plugin-id" (func $id)) (export "plugin-start" (func $start)))
              (export "signalk:plugin/plugin@1.0.0" (instance $plugin)))"#
        );
        let wasm = wat::parse_str(text).unwrap();
        let package = Package::from_wasm("tide", wasm).unwrap();
        let limits = Limits::of(Board::Linux).plugin;
        refused_id(&package, &ModuleFacts::read(&package.wasm, &limits).unwrap(), &limits)
    }

    #[test]
    fn only_an_id_that_does_not_come_is_told() {
        assert_eq!(said("(i32.const 16)"), None);
        let trap = said("(unreachable)").unwrap();
        assert!(trap.starts_with("plugin-id: trap: unreachable") && trap.ends_with(DOTNET), "{trap}");
        assert!(said("(loop (br 0)) (unreachable)").unwrap().contains("did not return within its fuel"));
    }
}
