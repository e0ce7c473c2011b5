//! What the author of a package most likely did not mean: nothing of it keeps a plugin from starting.

use std::collections::BTreeMap;

use skiff_abi::{Capability, import};
use skiff_runtime::host::ModuleFacts;
use skiff_runtime::package::Package;

/// Slips of the pen up to which a name is taken for another one.
const SLIPS_MAX: usize = 2;

/// Returns one clause for each thing; `package` may lack its module, which `facts` speak of.
#[must_use]
pub fn hints(package: &Package, facts: &ModuleFacts) -> Vec<String> {
    let unknown = package.unknown_capabilities.iter().map(|name| match nearest(name) {
        Some(near) => format!("unknown capability {name}: {near} is meant?"),
        None => format!("unknown capability {name}"),
    });
    // `as-fetch` is judged where a module is admitted.
    let mut refused: BTreeMap<Capability, Vec<&str>> = BTreeMap::new();
    for used in facts.imports.iter().filter(|used| used.module != import::AS_FETCH) {
        if let Some(capability) = import::find(&used.module, &used.name).and_then(|row| row.capability)
            && !package.capabilities.allows(capability, false)
        {
            refused.entry(capability).or_default().push(&used.name);
        }
    }
    let refused = refused.into_iter().map(|(capability, names)| {
        format!("imports {} without the capability {}: each call is refused", names.join(", "), capability.name())
    });
    unknown.chain(refused).collect()
}

/// Finds the capability whose name differs by few slips.
fn nearest(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let slips = |known: &str| strsim::osa_distance(&lower, &known.to_lowercase());
    let near = Capability::ALL.map(Capability::name).into_iter().map(|known| (slips(known), known)).min()?;
    (near.0 <= SLIPS_MAX).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(capabilities: &str, imports: &str) -> Vec<String> {
        let json = format!(
            r#"{{"name":"tide","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm","wasmCapabilities":{capabilities}}}"#
        );
        let wasm = wat::parse_str(format!("(module {imports})")).unwrap();
        let package = Package::from_parts(json.as_bytes(), wasm).unwrap();
        hints(&package, &ModuleFacts::survey(&package.wasm).unwrap())
    }

    #[test]
    fn a_slip_of_the_pen_is_told_with_the_name_that_is_near() {
        assert_eq!(
            said(r#"{"netwrok":true,"HttpEndpoint":true,"teleport":true,"network":true}"#, ""),
            [
                "unknown capability netwrok: network is meant?",
                "unknown capability HttpEndpoint: httpEndpoints is meant?",
                "unknown capability teleport",
            ]
        );
    }

    #[test]
    fn imports_without_their_capability_are_told_once_for_each() {
        let imports = r#"(import "env" "sk_udp_create" (func)) (import "env" "sk_udp_close" (func))
            (import "env" "sk_register_put_handler" (func)) (import "env" "sk_debug" (func))"#;
        assert_eq!(
            said("{}", imports),
            [
                "imports sk_register_put_handler without the capability putHandlers: each call is refused",
                "imports sk_udp_create, sk_udp_close without the capability rawSockets: each call is refused",
            ]
        );
        assert_eq!(said(r#"{"rawSockets":true,"putHandlers":true}"#, imports), [""; 0]);
    }
}
