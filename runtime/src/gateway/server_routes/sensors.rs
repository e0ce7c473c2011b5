//! GNSS antennas and Bluetooth, as a Signal K server answers that has neither (signalk-server 2.32 `api/sensors`, `api/ble`).

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::bus::{done, failed};
use crate::gateway::Gateway;
use crate::http::{Method, Request};
use crate::json;
use crate::server::Response;

/// Said of a correction.
const NO_CORRECTION: &str = "positions are not corrected for their antennas here";
/// Said of Bluetooth.
const NO_BLUETOOTH: &str = "this gateway has no Bluetooth";
/// Connections of an adapter that upstream has room for where nothing was set.
const GATT_SLOTS: u16 = 3;

impl Gateway {
    /// Answers `…/sensors/gnss`: no antenna, no correction.
    pub(in crate::gateway) fn gnss(&self, request: &Request) -> Response {
        let text = core::str::from_utf8(&request.body).unwrap_or_default();
        match request.method {
            method if method.is_read() => Response::json(
                200,
                json::object(|out| {
                    out.text("correction", "off").list("sensors", |_| {});
                    out.object("status", |out| _ = out.text("mode", "off").boolean("active", false));
                }),
            ),
            Method::Delete => done("there is none"),
            Method::Put => match json::compact(text) {
                Ok(body) if !body.starts_with('{') => failed(400, "correction and sensors are needed"),
                Err(_) => failed(400, "the body must be JSON"),
                Ok(body) => match (json::member(&body, "correction"), json::member(&body, "sensors")) {
                    (Some("\"off\""), Some("[]")) => done("there is none"),
                    (Some(_), Some(_)) => failed(501, NO_CORRECTION),
                    _ => failed(400, "correction and sensors are needed"),
                },
            },
            _ => Response::method_not_allowed("GET, HEAD, PUT, DELETE"),
        }
    }

    /// Answers what is asked for below `…/ble`.
    pub(in crate::gateway) fn bluetooth(&self, what: &[Cow<'_, str>], request: &Request) -> Response {
        let what: Vec<&str> = what.iter().map(|one| &**one).collect();
        let empty = |list: bool| Response::json(200, if list { "[]" } else { "{}" });
        match (what.as_slice(), request.method.is_read()) {
            ([] | ["_providers"] | ["_providers", "_default"], true) => empty(false),
            (["devices"] | ["consumers"], true) => empty(true),
            (["devices", _] | ["devices", _, "gatt"], true) => failed(404, "Device not found"),
            (["settings"], true) => Response::json(
                200,
                json::object(|out| {
                    out.boolean("localBluetoothManaged", false).list("localAdapters", |_| {});
                    out.number("localMaxGATTSlots", GATT_SLOTS).boolean("localBLESupported", false);
                    out.list("activeAdapters", |_| {}).object("adapterErrors", |_| {});
                }),
            ),
            _ => failed(501, NO_BLUETOOTH),
        }
    }
}
