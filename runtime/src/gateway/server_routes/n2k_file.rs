//! `/skiff/v1/n2k`: what the gateway does on the bus besides listening, as `skiff/n2k.json` says it and an admin changes it.

use alloc::format;
use alloc::string::String;

use crate::config::{ConfigError, ConfigReason, FILE_BYTES_MAX, N2K_FILE, N2kConfig, read_object};
use crate::gateway::Gateway;
use crate::http::{Method, Request};
use crate::json;
use crate::server::Response;

impl Gateway {
    /// Answers `GET`, and `PUT {node?, send?, relay?}`: in force at once where it can be, `waits` tells that the rest is from
    /// the next start.
    pub(in crate::gateway) fn n2k_file(&mut self, request: &Request) -> Response {
        // A board's controller is set up once, at its start.
        #[cfg(any(test, feature = "set-up"))]
        if self.board.setting_up.is_some() {
            return self.board(&["n2k"], request);
        }
        let names_node = self.inputs.names_node();
        let config = if request.method.is_read() {
            N2kConfig::load(&mut *self.hal.storage, names_node).map_err(|error| refused(500, &error))
        } else if request.method == Method::Put {
            let body = core::str::from_utf8(&request.body).ok().and_then(|text| json::compact(text).ok());
            let Some(body) = body.filter(|text| text.starts_with('{')) else {
                return Response::error(400, "the body must be an object");
            };
            self.change_n2k(&body, names_node)
        } else {
            return Response::method_not_allowed("GET, HEAD, PUT");
        };
        match config.and_then(|config| self.n2k_json(&config)) {
            Ok(text) => Response::json(200, text),
            Err(refused) => refused,
        }
    }

    fn change_n2k(&mut self, body: &str, names_node: bool) -> Result<N2kConfig, Response> {
        let changed = N2kConfig::change(&mut *self.hal.storage, names_node, body);
        let config = changed.map_err(|error| {
            refused(if matches!(error.reason, ConfigReason::Storage(_)) { 507 } else { 400 }, &error)
        })?;
        self.inputs.allow(&config);
        log::info!("what may be sent to the bus was changed");
        Ok(config)
    }

    fn n2k_json(&mut self, config: &N2kConfig) -> Result<String, Response> {
        let text =
            read_object(&mut *self.hal.storage, N2K_FILE, FILE_BYTES_MAX).map_err(|error| refused(500, &error))?;
        let text = text.unwrap_or_default();
        let member = |name, default| json::member(&text, name).unwrap_or(default);
        Ok(json::object(|out| {
            out.boolean("node", config.node.is_some()).boolean("isNodeByCommandLine", self.inputs.names_node());
            out.json("send", member("send", "[]"));
            if cfg!(feature = "outputs") {
                out.json("relay", member("relay", "false"));
            }
            out.boolean("waits", self.inputs.waits_for(config));
        }))
    }
}

fn refused(status: u16, error: &ConfigError) -> Response {
    Response::error(status, &format!("{error}"))
}
