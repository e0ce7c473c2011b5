//! The network that a board makes for being set up: what leads to its page, and what the page does.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::Gateway;
use super::board::Restart;
use crate::device::set_up::{Redeemed, SetUp};
use crate::device::wifi::{JoinFailure, Seen, Station, WifiMode};
use crate::http::{Method, Request};
use crate::json::Object;
use crate::server::body::Fields;
use crate::server::set_up::{self as page, Choice};
use crate::server::url::parameter;
use crate::server::{Response, Route};
use crate::time::Instant;

/// Time in which a browser reads how to go on before the network ends.
const BEFORE_JOINING: Duration = Duration::from_secs(5);

/// What a board with a radio has for being set up.
#[derive(Clone, Debug, Default)]
pub struct SetUpParts {
    /// Name of the network that it makes, and of the board on any other one, without `.local`.
    pub name: String,
    /// Networks that the radio has seen, the strongest first.
    pub seen: Vec<Seen>,
    /// The button has opened the page again.
    pub is_opened: bool,
}

/// The parts, and who is the owner.
#[derive(Debug)]
pub(super) struct SettingUp {
    parts: SetUpParts,
    state: SetUp,
}

impl SettingUp {
    /// Tells whether the page changes something without a token.
    fn is_open(&self) -> bool {
        self.parts.is_opened || !self.state.is_claimed()
    }

    /// Writes what the radio has seen, and what became of the network to join.
    pub fn tell(&self, failure: Option<JoinFailure>, out: &mut Object<'_>) {
        out.text("name", &self.parts.name);
        out.text("set_up", if self.is_open() { "open" } else { "closed" });
        out.text_or_null("failure", failure.map(JoinFailure::name));
        out.list("networks", |list| {
            for network in &self.parts.seen {
                list.object(|row| {
                    row.text("ssid", &network.ssid).number("dbm", network.dbm).boolean("open", network.is_open);
                });
            }
        });
    }
}

impl Gateway {
    /// Gives the gateway what a board with a radio has for being set up; call it once, before the first poll.
    pub fn set_up_by(&mut self, parts: SetUpParts) {
        let state = SetUp::load(&mut *self.hal.storage, self.hal.clock.now());
        self.board.setting_up = Some(SettingUp { parts, state });
    }

    fn is_set_up_network(&self) -> bool {
        self.board.parts.wifi == Some(WifiMode::SetUp)
    }

    /// Answers what leads to the page on the set-up network: everything that is read by another name than the board's, as
    /// devices do that look for the internet, and the front page of a board that has no owner. Nothing is told to either.
    pub(super) fn portal(&self, request: &Request, route: &Route<'_>) -> Option<Response> {
        let setting_up = self.board.setting_up.as_ref().filter(|_| self.is_set_up_network())?;
        let (address, _) = self.hal.network.as_ref()?.own_network()?;
        let is_strange = !self.setup.access.is_called_so(request);
        let is_front = *route == Route::Index
            && setting_up.is_open()
            && self.setup.access.check(request, route, self.wall()).is_err();
        (request.method.is_read() && (is_strange || is_front)).then(|| page::redirect(address))
    }

    /// Takes note of an owner who has the token and needs no code.
    pub(super) fn note_owner(&mut self, request: &Request) {
        let is_unclaimed = self.board.setting_up.as_ref().is_some_and(|setting_up| !setting_up.state.is_claimed());
        if !is_unclaimed || self.setup.access.role(request, self.wall()).is_none() {
            return;
        }
        if let Some(setting_up) = &mut self.board.setting_up
            && let Err(error) = setting_up.state.claim(&mut *self.hal.storage)
        {
            log::warn!("that the board has an owner is not kept: {error}");
        }
    }

    /// Answers `/setup`.
    pub(super) fn set_up_page(&mut self, request: &Request) -> Response {
        let now = self.hal.clock.now();
        let Some(setting_up) = &self.board.setting_up else { return Response::unclaimed() };
        match request.method {
            Method::Get | Method::Head if self.is_set_up_network() => self.choose_network(200, ""),
            Method::Get | Method::Head if setting_up.state.has_code(now) => {
                page::ask_code(200, "", &parameter(request.query(), "code").unwrap_or_default())
            }
            Method::Get | Method::Head => page::is_done(200),
            Method::Post => {
                let Some(fields) = Fields::of(request) else { return Response::error(400, "a form is needed") };
                match fields.text("code") {
                    Some(code) => self.redeem(&code, now),
                    None => self.join(&fields, now),
                }
            }
            _ => Response::method_not_allowed("GET, HEAD, POST"),
        }
    }

    fn choose_network(&mut self, status: u16, wrong: &str) -> Response {
        let Some(setting_up) = &self.board.setting_up else { return Response::unclaimed() };
        let station = Station::load(&mut *self.hal.storage);
        let failure = JoinFailure::last(&mut *self.hal.storage);
        let choice = Choice {
            wrong,
            seen: &setting_up.parts.seen,
            before: station.as_ref().map(|station| (&*station.ssid, failure)),
            needs_token: !setting_up.is_open(),
        };
        page::choose(status, &choice)
    }

    /// Joins the network of a form, after the page has been read.
    fn join(&mut self, fields: &Fields, now: Instant) -> Response {
        let is_here = self.is_set_up_network();
        let Some(setting_up) = &self.board.setting_up else { return Response::unclaimed() };
        let is_owner = fields.text("token").is_some_and(|token| self.setup.access.is_token(&token));
        if !is_owner && !setting_up.is_open() {
            return self.choose_network(403, "that is not the token of the owner");
        }
        if !is_owner && !is_here {
            return page::is_done(403);
        }
        let other = fields.text("other").filter(|other| !other.is_empty());
        let ssid = other.or_else(|| fields.text("ssid")).unwrap_or_default();
        let password = fields.text("password").filter(|password| !password.is_empty());
        let station = match Station::of(ssid, password) {
            Ok(station) => station,
            Err(error) => return self.choose_network(400, &alloc::format!("{error}")),
        };
        let (storage, rng) = (&mut *self.hal.storage, &mut *self.hal.rng);
        let Some(setting_up) = &mut self.board.setting_up else { return Response::unclaimed() };
        let needs_code = !setting_up.state.is_claimed() && !is_owner;
        let code = match needs_code.then(|| setting_up.state.make_code(storage, rng, now)).transpose() {
            Ok(code) => code,
            Err(error) => return Response::error(507, &alloc::format!("{error}")),
        };
        if let Err(error) = station.save(storage).and_then(|()| JoinFailure::keep(None, storage)) {
            return Response::error(507, &alloc::format!("{error}"));
        }
        log::warn!("the board starts anew to join {}", station.ssid);
        self.board.restart = Some((Restart::Network, now + BEFORE_JOINING));
        page::joins(&station.ssid, &setting_up.parts.name, code.as_deref())
    }

    /// Makes who brings the code the owner: a token is made, the one before is good for nothing then.
    fn redeem(&mut self, code: &str, now: Instant) -> Response {
        let Some(setting_up) = &mut self.board.setting_up else { return Response::unclaimed() };
        let storage = &mut *self.hal.storage;
        match setting_up.state.redeem(code, storage, now) {
            Ok(Redeemed::Owner) => match self.setup.access.renew_owner(storage, &mut *self.hal.rng) {
                Ok(token) => {
                    log::warn!("the board has an owner, by the code of its set-up page");
                    page::owned(token.as_str(), &self.setup.access)
                }
                Err(error) => Response::error(507, &alloc::format!("{error}")),
            },
            Ok(Redeemed::Wrong) => page::ask_code(403, "that is not the code", ""),
            Ok(Redeemed::Gone) => {
                page::ask_code(403, "there is no code any more; the button opens the page for one", "")
            }
            Err(error) => Response::error(507, &alloc::format!("{error}")),
        }
    }
}
