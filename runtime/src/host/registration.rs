//! What a plugin offers to clients: PUT handlers and providers (plugin ABI §3.3, §3.4).

use alloc::string::String;
#[cfg(any(test, feature = "std"))]
use alloc::vec::Vec;

/// Bytes of a context, a path, a resource type or a provider's name.
pub const REGISTRATION_TEXT_BYTES_MAX: usize = 256;

/// One offer of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registration {
    /// It takes PUT requests for a path (`sk_register_put_handler`).
    Put {
        /// Context as the plugin wrote it, `vessels.self`.
        context: String,
        /// Signal K path that clients change.
        path: String,
    },
    /// It stores resources of one type (`sk_register_resource_provider`).
    Resources {
        /// Type, such as `routes`.
        kind: String,
    },
    /// It knows the weather (`sk_register_weather_provider`).
    Weather {
        /// Name shown to users.
        name: String,
    },
    /// It has radars (`sk_register_radar_provider`).
    Radar {
        /// Name shown to users.
        name: String,
    },
    /// It has autopilots (`sk_register_autopilot_provider`), beside those it registered before.
    #[cfg(any(test, feature = "std"))]
    Autopilots {
        /// Their ids.
        devices: Vec<String>,
    },
}

/// Returns the name of the export that handles PUT requests: every `.` becomes `_`, nothing else changes (plugin ABI §4.2).
#[must_use]
pub fn put_export(context: &str, path: &str) -> String {
    let mut name = String::from("handle_put_");
    let dots_gone = |text: &str, name: &mut String| {
        name.extend(text.chars().map(|character| if character == '.' { '_' } else { character }));
    };
    dots_gone(context, &mut name);
    name.push('_');
    dots_gone(path, &mut name);
    name
}

#[cfg(test)]
mod tests {
    use super::put_export;

    #[test]
    fn export_names_keep_their_case() {
        assert_eq!(put_export("vessels.self", "steering.rudderAngle"), "handle_put_vessels_self_steering_rudderAngle");
        assert_eq!(put_export("vessels.self", "a-b.0.C"), "handle_put_vessels_self_a-b_0_C");
    }
}
