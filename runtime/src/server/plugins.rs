//! Plugin administration: the plugin list, information, configuration (plugin ABI §6.2, §12.3).

use alloc::format;
use alloc::string::String;

use super::Response;
use crate::json::{self, List, Object};
use crate::model::Model;
use crate::plugin::{ConfigureError, Plugin, PluginState, Registry, Unusable};

/// Answers `GET /skServer/plugins`: an array of rows, sorted by name, packages that cannot be used last. Configurations,
/// and what a plugin said when it failed, are for the owner alone.
#[must_use]
pub fn list(registry: &Registry, model: &Model, for_owner: bool) -> Response {
    let body = json::list(|rows| {
        for plugin in registry.plugins() {
            rows.object(|out| row(out, plugin, registry, model, for_owner));
        }
        for package in registry.unusable() {
            rows.object(|out| unusable_row(out, package, for_owner));
        }
    });
    Response::json(200, body)
}

/// Writes one row of the plugin list with Skiff's own member `skiff`.
fn row(out: &mut Object<'_>, plugin: &Plugin, registry: &Registry, model: &Model, for_owner: bool) {
    let package = plugin.package();
    out.text("id", plugin.id()).text("name", plugin.display_name()).text("packageName", plugin.package_name());
    out.list("keywords", |keywords| {
        for keyword in &package.keywords {
            keywords.text(keyword);
        }
    });
    out.text("version", &package.version).text("description", &package.description).json("schema", plugin.schema());
    let message = if for_owner { plugin.status_message() } else { plugin.public_message() };
    out.text("statusMessage", message).text("state", plugin.state().name());
    let stored = plugin.config().map_or_else(
        || String::from("{}"),
        |config| {
            if for_owner { config.json() } else { config.without_configuration().json() }
        },
    );
    out.json("data", &stored).text("type", "wasm").boolean("bundled", false);
    out.object("skiff", |own| {
        own.text_or_null("reason", plugin.reason().filter(|_| for_owner)).number("restarts", plugin.restarts());
        own.number("recycled", plugin.recycled()).number("drops", plugin.drops().total());
        own.number("refused", model.held(plugin.package_name()).refused);
        if !plugin.missing().is_empty() {
            own.list("asks", |names| plugin.missing().list(names));
        }
        if let Some(waiting) = plugin.waiting() {
            own.object("waiting", |next| {
                next.text("version", &waiting.version).list("asks", |names| waiting.asks.list(names));
            });
        }
        own.list("budget", |rows| budget(rows, plugin, registry, model));
    });
}

/// Writes the row of a package that cannot be used, with the members of [`row`].
fn unusable_row(out: &mut Object<'_>, package: &Unusable, for_owner: bool) {
    // It can quote what stands in the package.
    let reason = Some(package.reason.as_str()).filter(|_| for_owner);
    out.text("id", &package.id).text("name", &package.package).text("packageName", &package.package);
    out.list("keywords", |_| {}).text("version", &package.version).text("description", "").json("schema", "{}");
    out.text("statusMessage", reason.unwrap_or_default()).text("state", PluginState::Error.name());
    out.json("data", "{}").text("type", "wasm").boolean("bundled", false);
    out.object("skiff", |own| {
        own.boolean("unusable", true).text_or_null("reason", reason).number("restarts", 0_u32);
        own.number("recycled", 0_u32).number("drops", 0_u32).number("refused", 0_u32).list("budget", |_| {});
    });
}

/// Writes `{"row","used","reserved","limit","unit"}` for everything a plugin can use up.
fn budget(out: &mut List<'_>, plugin: &Plugin, registry: &Registry, model: &Model) {
    for row in usage_rows(plugin, registry, model) {
        out.object(|out| {
            out.text("row", row.name).number("used", row.used).number("reserved", row.reserved);
            out.number("limit", row.limit).text("unit", row.unit);
        });
    }
}

/// Something that a plugin can use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// What it is.
    pub name: &'static str,
    /// In use now.
    pub used: u64,
    /// Kept for this plugin alone.
    pub reserved: u64,
    /// The most it may ever have.
    pub limit: u64,
    /// `bytes`, `fuel`, `deltas` or `paths`.
    pub unit: &'static str,
}

/// Returns everything that a plugin can use up.
#[must_use]
pub fn usage_rows(plugin: &Plugin, registry: &Registry, model: &Model) -> [UsageRow; 9] {
    let limits = plugin.limits();
    let reserved = registry.ledger().reserved_by_plugin(plugin.id());
    let row = |name, used: u64, reserved: u64, limit: u64, unit| UsageRow { name, used, reserved, limit, unit };
    let usage = plugin.instance().map(crate::host::Instance::usage).unwrap_or_default();
    let (facts_wasm, facts_heap, facts_linear) = plugin
        .facts()
        .map_or((0, 0, 0), |facts| (facts.wasm_bytes, facts.predicted_heap_bytes(limits), facts.linear_bytes_min()));
    let live = plugin.instance().is_some();
    let (heap, linear) = if live { (facts_heap, facts_linear) } else { (0, 0) };
    let (deltas, delta_bytes) = plugin.waiting_deltas();
    let (held, (paths_max, bytes_max)) = (model.held(plugin.package_name()), model.share());
    [
        row("module", facts_wasm.into(), facts_wasm.into(), limits.module_bytes_max.into(), "bytes"),
        row("memory", plugin.memory_used().unwrap_or(reserved), reserved, registry.ledger().total(), "bytes"),
        row("code heap", heap, heap, limits.code_heap_bytes_max.into(), "bytes"),
        row("linear memory", usage.linear_bytes, linear, limits.linear_bytes_max.into(), "bytes"),
        row("fuel of the last call", usage.fuel_in_call, 0, limits.fuel_per_call, "fuel"),
        row("waiting deltas", deltas as u64, 0, limits.delta_queue_len.into(), "deltas"),
        row("waiting delta bytes", delta_bytes.into(), 0, limits.delta_queue_bytes.into(), "bytes"),
        row("paths of the model", held.paths.into(), 0, paths_max.into(), "paths"),
        row("bytes of the model", held.bytes, 0, bytes_max, "bytes"),
    ]
}

/// Answers `GET /plugins/<id>`.
#[must_use]
pub fn info(plugin: &Plugin) -> Response {
    let body = json::object(|body| {
        body.boolean("enabled", plugin.is_enabled()).boolean("enabledByDefault", false);
        body.text("id", plugin.id()).text("name", plugin.display_name()).text("version", &plugin.package().version);
    });
    Response::json(200, body)
}

/// Answers `GET /plugins/<id>/config`; `configuration` is absent when the plugin was never configured.
#[must_use]
pub fn config(plugin: &Plugin) -> Response {
    let stored = plugin.config();
    let debug = stored.and_then(|config| config.enable_debug).unwrap_or(false);
    let body = json::object(|body| {
        body.boolean("enabled", plugin.is_enabled()).boolean("enableDebug", debug);
        if let Some(configuration) = stored.and_then(|config| config.configuration.as_deref()) {
            body.json("configuration", configuration);
        }
    });
    Response::json(200, body)
}

/// Answers `GET /skiff/v1/plugins/<id>/log`: the kept lines, oldest first, as text.
#[must_use]
pub fn log(plugin: &Plugin) -> Response {
    let mut body = String::new();
    for line in plugin.log_lines() {
        body.push_str(line);
        body.push('\n');
    }
    Response::new(200, "text/plain; charset=utf-8", body)
}

/// Reads the body of `POST /plugins/<id>/config` as text.
///
/// # Errors
/// The response that says what is wrong with it.
pub fn config_body(body: &[u8], limit_bytes: u32) -> Result<&str, Response> {
    if body.len() > limit_bytes as usize {
        return Err(Response::error(
            413,
            &format!("the configuration has {} bytes, {limit_bytes} are allowed", body.len()),
        ));
    }
    core::str::from_utf8(body).map_err(|_| Response::error(400, "the body is not UTF-8"))
}

/// Answers a `POST …/config` that was refused.
#[must_use]
pub fn not_configured(error: &ConfigureError) -> Response {
    match error {
        ConfigureError::NotFound => Response::error(404, "no such plugin"),
        ConfigureError::Body(error) => Response::error(400, &format!("{error}")),
        ConfigureError::Misfit(_) => Response::error(400, &format!("{error}")),
        ConfigureError::File(error) => Response::error(500, &format!("the configuration was not saved: {error}")),
        ConfigureError::Asks(asks) => Response::asks(&format!("{error}"), *asks),
    }
}

/// Answers a `POST …/config` once the plugin has come up, or failed to.
#[must_use]
pub fn configured(package: &str, result: &Result<(), String>) -> Response {
    match result {
        Ok(()) => {
            let body = json::quoted(&format!("Saved configuration for plugin {package}"));
            Response::json(200, body)
        }
        Err(reason) => Response::error(500, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_that_are_no_text_or_too_long_are_refused() {
        assert_eq!(config_body(b"{}", 10).unwrap(), "{}");
        assert_eq!(config_body(b"\xff", 10).unwrap_err().status, 400);
        assert_eq!(config_body(b"{}       ", 4).unwrap_err().status, 413);
    }
}
