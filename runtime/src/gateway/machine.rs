//! `GET /skiff/v1/machine`: what the page has to know of a machine before it shows anything: which of two doors it came by,
//! what is here of what another machine may lack, and who asks. One answer, since each costs a phone a way there and back.

use super::Gateway;
use crate::accounts::IS_KEPT;
use crate::http::{Door, Request};
use crate::json;
use crate::server::{self, Response, SERVER_ROUTES};

/// Ports of the two listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doors {
    /// The boat's.
    pub boat: u16,
    /// The admin's.
    pub admin: u16,
    /// Whether the admin's is open to this machine alone.
    pub admin_is_local: bool,
}

impl Gateway {
    /// Says what there is at this door, for who asks from where he is.
    pub(super) fn machine(&self, request: &Request) -> Response {
        let parts = &self.board.parts;
        let (door, other) = match (parts.doors, request.door) {
            (None, _) => ("both", None),
            (Some(doors), Door::Admin) => ("admin", Some(doors.boat)),
            // A link that leads nowhere is none.
            (Some(doors), Door::Boat) => {
                let is_here = self.setup.access.caller(request).is_none_or(|peer| peer.to_canonical().is_loopback());
                ("boat", (is_here || !doors.admin_is_local).then_some(doors.admin))
            }
        };
        let has = [
            ("accounts", IS_KEPT),
            ("settings", SERVER_ROUTES),
            ("webapps", parts.web_files),
            ("log", parts.log.is_some()),
            ("firmware", parts.firmware.is_some()),
            ("wifi", parts.wifi.is_some()),
            ("factory-reset", parts.factory_reset),
            #[cfg(any(test, feature = "server-routes"))]
            ("restart", parts.restarts),
            #[cfg(any(test, feature = "appstore"))]
            ("appstore", parts.errands.is_some()),
            ("stores", cfg!(feature = "stores")),
            ("course", cfg!(feature = "course")),
            ("history", cfg!(feature = "history")),
            ("devices", cfg!(feature = "devices")),
            ("tracks", cfg!(feature = "tracks")),
            ("autopilot", cfg!(feature = "autopilot")),
            ("outputs", cfg!(feature = "outputs")),
        ];
        let text = json::object(|out| {
            out.text("version", self.setup.version).text("board", self.setup.limits.board.name()).text("door", door);
            match other {
                Some(port) => out.number("otherPort", port),
                None => out.null("otherPort"),
            };
            out.json("login", &server::login_status(request, &self.setup.access, self.wall()));
            out.list("has", |list| {
                has.iter().filter(|(_, is_here)| *is_here).for_each(|(name, _)| {
                    list.text(name);
                });
            });
        });
        Response::json(200, text)
    }
}
