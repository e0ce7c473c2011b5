//! `/skiff/v1/device/…`: log, network and firmware of a board.

use alloc::boxed::Box;

use super::Gateway;
use crate::hal::Device;
use crate::server::{Method, Request, Response};

impl Gateway {
    /// Tells the gateway that it runs on a board that it may manage.
    pub fn set_device(&mut self, device: Box<dyn Device>) {
        self.device = Some(device);
    }

    /// Answers a request; the access rules have been asked before, but for reading without a token.
    pub(super) fn device_request(&mut self, request: &Request, what: &str) -> Response {
        // The log names networks and plugins, so that reading it needs the token too.
        if !self.setup.access.may_write(request) {
            return Response::error(401, "a token is needed").with("www-authenticate", "Bearer");
        }
        let Some(device) = &mut self.device else {
            return Response::error(404, "this gateway does not run on a board of its own");
        };
        let done = match (what, request.method) {
            ("log", method) if method.is_read() => {
                return Response::new(200, "text/plain; charset=utf-8", device.log().into_bytes());
            }
            ("network", Method::Put) => device.set_network(&request.body),
            ("firmware", Method::Put) => match offset(request.query()) {
                Some(offset) => device.write_firmware(offset, &request.body),
                None => return Response::error(400, "?offset= names the place of this piece, bytes"),
            },
            ("firmware", Method::Post) => device.activate_firmware(),
            ("restart", Method::Post) => {
                device.restart();
                Ok(())
            }
            ("log", _) => return Response::method_not_allowed("GET, HEAD"),
            ("network", _) => return Response::method_not_allowed("PUT"),
            ("firmware", _) => return Response::method_not_allowed("PUT, POST"),
            ("restart", _) => return Response::method_not_allowed("POST"),
            _ => return Response::not_found(),
        };
        match done {
            Ok(()) => Response::json(200, "{}"),
            Err(clause) => Response::error(400, &clause),
        }
    }
}

fn offset(query: &str) -> Option<u32> {
    query.split('&').find_map(|pair| pair.strip_prefix("offset="))?.parse().ok()
}
