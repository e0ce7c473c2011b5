//! What is asked about all plugins: their list, packages that come and go.

use super::Gateway;
use crate::accounts::Role;
use crate::http::{Method, Request};
use crate::plugin::ExchangeId;
use crate::server::url::decode;
use crate::server::{self, Response};

/// Where packages are sent to.
const PACKAGES: [&str; 3] = ["skiff", "v1", "plugins"];

/// Tells whether a request brings a package: its body has a limit of its own.
pub(super) fn brings_package(address: &[&str], method: Method) -> bool {
    address == PACKAGES && method == Method::Post
}

/// Tells whether what is asked for below `/skServer/security` is about neither users nor devices.
#[cfg(any(test, feature = "server-routes"))]
fn is_of_settings(what: &[&str]) -> bool {
    matches!(what, ["security", "hasBackup" | "oidc", ..])
}

impl Gateway {
    /// Answers what is asked about plugins and packages.
    pub(super) fn admin(&mut self, address: &[&str], request: &Request, exchange: ExchangeId) -> Option<Response> {
        let allow = |methods| Some(Response::method_not_allowed(methods));
        let reads = request.method.is_read();
        match address {
            ["plugins"] | ["skServer", "plugins"] if reads => {
                let for_owner = self.setup.access.role(request, self.wall()) == Some(Role::Admin);
                Some(server::plugins::list(&self.plugins.registry, &self.model, for_owner))
            }
            ["plugins"] | ["skServer", "plugins"] => allow("GET, HEAD"),
            #[cfg(any(test, feature = "appstore"))]
            ["skServer", "appstore" | "backup" | "validateBackup" | "restore", ..] | ["skiff", "v1", "webapps", ..] => {
                self.store_request(address, request, exchange).map_or_else(|| Some(Response::unclaimed()), Into::into)
            }
            #[cfg(any(test, feature = "server-routes"))]
            ["skServer", what @ ..] if !matches!(what, ["security", ..]) || is_of_settings(what) => {
                self.server_route(what, request, exchange)
            }
            #[cfg(any(test, feature = "server-routes"))]
            ["doc", "openapi", below @ ..] if reads => Some(super::server_routes::documents::shown(below, request)),
            // The admin UI leads to it; upstream it holds the papers of the server.
            #[cfg(any(test, feature = "server-routes"))]
            ["documentation", ..] if reads => Some(Response::empty(302).with("location", "/doc/openapi")),
            #[cfg(any(test, feature = "server-routes"))]
            ["doc" | "documentation", ..] => allow("GET, HEAD"),
            ["skServer", "security", what @ ..] => self.security(what, request, exchange),
            #[cfg(any(test, feature = "server-routes"))]
            ["skiff", "v1", "connections", what @ ..] => self.connection_request(what, request, exchange),
            #[cfg(any(test, feature = "server-routes"))]
            ["skiff", "v1", "n2k"] => Some(self.n2k_file(request)),
            packages if brings_package(packages, request.method) => self.install_request(request, exchange),
            packages if packages == PACKAGES => allow("POST"),
            ["skiff", "v1", "plugins", id, what @ ..] => {
                let Some(id) = decode(id).filter(|id| !id.is_empty()) else { return Some(Response::unclaimed()) };
                match (what, request.method) {
                    #[cfg(any(test, feature = "appstore"))]
                    ([], Method::Delete) if self.is_app(&id) => self.remove_app(&id, exchange)?.err(),
                    ([], Method::Delete) => self.remove_request(&id, exchange),
                    ([], _) => allow("DELETE"),
                    (["reload"], Method::Post) => self.reload_request(&id, exchange),
                    (["rollback"], Method::Post) => self.rollback_request(&id, exchange),
                    (["reload" | "rollback"], _) => allow("POST"),
                    (["log"], _) if reads => Some(self.with_plugin(&id, server::plugins::log)),
                    (["log"], _) => allow("GET, HEAD"),
                    _ => Some(Response::unclaimed()),
                }
            }
            _ => Some(Response::unclaimed()),
        }
    }
}
