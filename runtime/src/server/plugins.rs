//! Plugin administration: the plugin list, information, configuration (plugin ABI §6.2, §12.3).

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use super::Response;
use crate::json;
use crate::plugin::{ConfigureError, Plugin, Registry};

/// Answers `GET /skServer/plugins`: an array of rows, sorted by name.
#[must_use]
pub fn list(registry: &Registry) -> Response {
    let mut body = String::from("[");
    for plugin in registry.plugins() {
        if body.len() > 1 {
            body.push(',');
        }
        // Writing into a String cannot fail.
        let _ = row(&mut body, plugin, registry);
    }
    body.push(']');
    Response::json(200, body)
}

/// Writes one row of the plugin list with Skiff's own member `skiff`.
fn row(out: &mut String, plugin: &Plugin, registry: &Registry) -> core::fmt::Result {
    let package = plugin.package();
    out.push('{');
    text_member(out, "id", plugin.id())?;
    text_member(out, "name", plugin.display_name())?;
    text_member(out, "packageName", plugin.package_name())?;
    out.push_str("\"keywords\":[");
    for (index, keyword) in package.keywords.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json::write_string(out, keyword)?;
    }
    out.push_str("],");
    text_member(out, "version", &package.version)?;
    text_member(out, "description", &package.description)?;
    write!(out, "\"schema\":{},", plugin.schema())?;
    text_member(out, "statusMessage", plugin.status_message())?;
    text_member(out, "state", plugin.state().name())?;
    let data = plugin.config().map_or_else(|| String::from("{}"), crate::config::PluginConfig::json);
    write!(out, "\"data\":{data},\"type\":\"wasm\",\"bundled\":false,\"skiff\":{{\"reason\":")?;
    match plugin.reason() {
        Some(reason) => json::write_string(out, reason)?,
        None => out.push_str("null"),
    }
    write!(
        out,
        ",\"restarts\":{},\"recycled\":{},\"drops\":{},\"budget\":[",
        plugin.restarts(),
        plugin.recycled(),
        plugin.drops().total()
    )?;
    budget(out, plugin, registry)?;
    out.push_str("]}}");
    Ok(())
}

fn text_member(out: &mut String, name: &str, value: &str) -> core::fmt::Result {
    write!(out, "\"{name}\":")?;
    json::write_string(out, value)?;
    out.push(',');
    Ok(())
}

/// Writes `{"row","used","reserved","limit","unit"}` for everything a plugin can use up.
fn budget(out: &mut String, plugin: &Plugin, registry: &Registry) -> core::fmt::Result {
    let limits = plugin.limits();
    let reserved = registry.ledger().reserved_by_plugin(plugin.id());
    let mut first = true;
    let mut row = |name: &str, used: u64, reserved: u64, limit: u64, unit: &str| {
        let comma = if core::mem::take(&mut first) { "" } else { "," };
        write!(
            out,
            "{comma}{{\"row\":\"{name}\",\"used\":{used},\"reserved\":{reserved},\"limit\":{limit},\"unit\":\"{unit}\"}}"
        )
    };
    let usage = plugin.instance().map(crate::host::Instance::usage).unwrap_or_default();
    let (facts_wasm, facts_heap, facts_linear) = plugin
        .facts()
        .map_or((0, 0, 0), |facts| (facts.wasm_bytes, facts.predicted_heap_bytes(limits), facts.linear_bytes_min()));
    let live = plugin.instance().is_some();
    let (deltas, delta_bytes) = plugin.waiting_deltas();
    row("module", facts_wasm.into(), facts_wasm.into(), limits.module_bytes_max.into(), "bytes")?;
    row("memory", reserved, reserved, registry.ledger().total(), "bytes")?;
    row(
        "code heap",
        if live { facts_heap } else { 0 },
        if live { facts_heap } else { 0 },
        limits.code_heap_bytes_max.into(),
        "bytes",
    )?;
    row(
        "linear memory",
        usage.linear_bytes,
        if live { facts_linear } else { 0 },
        limits.linear_bytes_max.into(),
        "bytes",
    )?;
    row("fuel of the last call", usage.fuel_in_call, 0, limits.fuel_per_call, "fuel")?;
    row("waiting deltas", deltas as u64, 0, limits.delta_queue_len.into(), "deltas")?;
    row("waiting delta bytes", delta_bytes.into(), 0, limits.delta_queue_bytes.into(), "bytes")
}

/// Answers `GET /plugins/<id>`.
#[must_use]
pub fn info(plugin: &Plugin) -> Response {
    let mut body = format!("{{\"enabled\":{},\"enabledByDefault\":false,", plugin.is_enabled());
    // Writing into a String cannot fail.
    let _ = text_member(&mut body, "id", plugin.id());
    let _ = text_member(&mut body, "name", plugin.display_name());
    body.push_str("\"version\":");
    let _ = json::write_string(&mut body, &plugin.package().version);
    body.push('}');
    Response::json(200, body)
}

/// Answers `GET /plugins/<id>/config`; `configuration` is absent when the plugin was never configured.
#[must_use]
pub fn config(plugin: &Plugin) -> Response {
    let stored = plugin.config();
    let debug = stored.and_then(|config| config.enable_debug).unwrap_or(false);
    let mut body = format!("{{\"enabled\":{},\"enableDebug\":{debug}", plugin.is_enabled());
    if let Some(configuration) = stored.and_then(|config| config.configuration.as_deref()) {
        body.push_str(",\"configuration\":");
        body.push_str(configuration);
    }
    body.push('}');
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
        ConfigureError::File(error) => Response::error(500, &format!("the configuration was not saved: {error}")),
    }
}

/// Answers a `POST …/config` once the plugin has come up, or failed to.
#[must_use]
pub fn configured(package: &str, result: &Result<(), String>) -> Response {
    match result {
        Ok(()) => {
            let mut body = String::new();
            // Writing into a String cannot fail.
            let _ = json::write_string(&mut body, &format!("Saved configuration for plugin {package}"));
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
