//! Where the admin UI of Signal K Server (npm `@signalk/server-admin-ui`) is: at the admin's door alone, below `/admin`.
//!
//! Its files lie in a package, which a carrier with package folders has. At the boat's door its scripts would stand beside
//! those of every web app, so nothing of it is served there.

use super::{Response, sign_in};
use crate::http::{Door, Request};

/// Said of it at the boat's door.
const ELSEWHERE: &str = "the admin UI is served at the admin's port alone, see --admin-listen";

/// Answers a read of `/admin`, of what lies below it, or of the package by its name.
pub(super) fn of(address: &[&str], request: &Request) -> Response {
    match (request.door, address) {
        // Apps lead there who wants to log in.
        (Door::Boat, ["admin"]) => sign_in::of(request),
        (Door::Boat, _) => Response::error(404, ELSEWHERE),
        // Without the package there is a form to log in by all the same.
        (Door::Admin, ["admin"]) => sign_in::of(request).or_file(),
        (Door::Admin, ["admin", ..]) => Response::unclaimed(),
        (Door::Admin, _) => Response::empty(308).with("location", "/admin/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::get;
    use std::string::String;

    #[test]
    fn it_is_at_the_admins_door_alone() {
        let at = |door, address: &[&str]| of(address, &Request { door, ..get("/admin") });
        let boat = at(Door::Boat, &["admin"]);
        assert!(boat.status == 200 && !boat.unclaimed, "the page to log in, and no file");
        for address in [&["admin", "assets", "a.js"][..], &["@signalk", "server-admin-ui"]] {
            let refused = at(Door::Boat, address);
            assert!(refused.status == 404 && !refused.unclaimed);
            assert!(String::from_utf8(refused.body.into_owned()).unwrap().contains("--admin-listen"));
        }
        assert!(at(Door::Admin, &["admin"]).unclaimed && at(Door::Admin, &["admin", "img"]).unclaimed);
        assert_eq!(at(Door::Admin, &["@signalk", "server-admin-ui", "x"]).header("location"), Some("/admin/"));
    }
}
