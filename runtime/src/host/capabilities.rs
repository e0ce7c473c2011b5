//! What a package declared in `wasmCapabilities`, and what follows from it.

use alloc::string::String;
use alloc::vec::Vec;

use skiff_abi::Capability;

use crate::json;

/// Unknown keys of a package that are kept.
const UNKNOWN_MAX: usize = 8;
/// Characters of such a key that are kept.
const UNKNOWN_CHARACTERS_MAX: usize = 64;

/// What a package says about one capability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grant {
    /// Nothing.
    #[default]
    Undeclared,
    /// It asks for it.
    Granted,
    /// It promises not to use it: enforced.
    Denied,
}

/// The capabilities of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    grants: [Grant; Capability::ALL.len()],
}

impl Capabilities {
    /// Reads the `wasmCapabilities` object; unknown keys are ignored, and so is anything that is no object.
    ///
    /// Values count by JavaScript's truthiness, except that only `false` clears `dataRead` and `dataWrite` and only
    /// `"none"` (or a false value) clears `storage` (plugin ABI §1.3).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut capabilities = Self::default();
        // A text that is no object declares nothing.
        let _ = json::members::<json::JsonError>(text, |key, raw| {
            if let Some(capability) = Capability::from_name(key) {
                let granted = match capability {
                    Capability::DataRead | Capability::DataWrite => raw != "false",
                    Capability::Storage => raw != "\"none\"" && is_truthy(raw),
                    _ => is_truthy(raw),
                };
                capabilities.set(capability, if granted { Grant::Granted } else { Grant::Denied });
            }
            Ok(())
        });
        capabilities
    }

    /// Returns the keys of a `wasmCapabilities` object that are none, the first eight: most likely they are misspelt.
    /// `staticFiles` is in upstream's guide, and read by nobody.
    #[must_use]
    pub fn unknown(text: &str) -> Vec<String> {
        let mut unknown = Vec::new();
        let _ = json::members::<json::JsonError>(text, |key, _| {
            if unknown.len() < UNKNOWN_MAX && key != "staticFiles" && Capability::from_name(key).is_none() {
                unknown.push(key.chars().take(UNKNOWN_CHARACTERS_MAX).collect());
            }
            Ok(())
        });
        unknown
    }

    /// Sets what is said about a capability.
    pub fn set(&mut self, capability: Capability, grant: Grant) {
        if let Some(slot) = self.grants.get_mut(capability as usize) {
            *slot = grant;
        }
    }

    /// Returns what is said about a capability.
    #[must_use]
    pub fn grant(&self, capability: Capability) -> Grant {
        self.grants.get(capability as usize).copied().unwrap_or_default()
    }

    /// Tells whether the plugin may use a capability; `strict` denies `httpEndpoints` where it is undeclared.
    #[must_use]
    pub fn allows(&self, capability: Capability, strict: bool) -> bool {
        match self.grant(capability) {
            Grant::Granted => true,
            Grant::Denied => false,
            Grant::Undeclared => match capability {
                Capability::Storage | Capability::DataRead | Capability::DataWrite => true,
                Capability::HttpEndpoints => !strict,
                _ => false,
            },
        }
    }
}

/// JavaScript's truthiness of compact JSON text.
fn is_truthy(raw: &str) -> bool {
    match raw {
        "false" | "null" | "\"\"" => false,
        _ => json::number(raw).is_none_or(|number| number != 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_count_by_truthiness() {
        let capabilities = Capabilities::parse(
            r#"{"network":1,"rawSockets":0,"putHandlers":"yes","radarProvider":"","dataRead":0,"dataWrite":false,"storage":"none","staticFiles":true}"#,
        );
        let granted = |capability| capabilities.grant(capability);
        assert_eq!(granted(Capability::Network), Grant::Granted);
        assert_eq!(granted(Capability::PutHandlers), Grant::Granted);
        assert_eq!(granted(Capability::DataRead), Grant::Granted);
        for capability in
            [Capability::RawSockets, Capability::RadarProvider, Capability::DataWrite, Capability::Storage]
        {
            assert_eq!(granted(capability), Grant::Denied, "{}", capability.name());
        }
        assert_eq!(granted(Capability::WeatherProvider), Grant::Undeclared);
    }

    #[test]
    fn keys_that_are_no_capability_are_told() {
        let unknown =
            Capabilities::unknown(r#"{"netwrok":true,"network":true,"staticFiles":true,"Storage":"vfs-only"}"#);
        assert_eq!(unknown, ["netwrok", "Storage"]);
        assert!(Capabilities::unknown("[]").is_empty());
        let many = std::format!("{{{}}}", (0..20).map(|n| std::format!("\"x{n}\":1")).collect::<Vec<_>>().join(","));
        assert_eq!(Capabilities::unknown(&many).len(), UNKNOWN_MAX);
    }

    #[test]
    fn undeclared_capabilities_have_their_defaults() {
        let none = Capabilities::parse("[]");
        for (capability, lax, strict) in [
            (Capability::DataRead, true, true),
            (Capability::DataWrite, true, true),
            (Capability::Storage, true, true),
            (Capability::HttpEndpoints, true, false),
            (Capability::Network, false, false),
            (Capability::RawSockets, false, false),
        ] {
            assert_eq!(
                (none.allows(capability, false), none.allows(capability, true)),
                (lax, strict),
                "{}",
                capability.name()
            );
        }
    }
}
