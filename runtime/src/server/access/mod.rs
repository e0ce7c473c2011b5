//! Who may do what.
//!
//! Reading the boat's data is open on a loopback listener, and on any other one when the owner lets guests in. For
//! configurations and logs, and for every change, a token or a login of a sufficient role is needed ([`Route::need`]). The
//! owner's token is made at the first start, told once, and kept as a salted hash in `skiff/auth.json`; everybody else
//! stands in [`Accounts`]. `Host` and `Origin` are checked on every request, so that a page from
//! elsewhere in the user's browser reaches nothing that it has no token for: not by DNS rebinding (its `Host` is its own
//! name), not by a form or script (its `Origin` is not ours), not by a WebSocket.

mod caller;
mod origin;
mod owner;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::url::decode_query;
use super::{Need, Response, Route};
use crate::accounts::{Accounts, Credential, IS_KEPT, Role};
use crate::config::ConfigError;
use crate::hal::{Rng, Storage};
use crate::http::{Door, Request};
use crate::time::UnixMillis;
use owner::OwnerToken;

pub use owner::{NewToken, TOKEN_BYTES};

/// What the owner is called.
pub const OWNER: &str = "admin";
/// Cookies of a browser that is let in; see [`Access::check`]. Every port of a host is sent both.
const BOAT_COOKIE: &str = "skiff-session";
const ADMIN_COOKIE: &str = "skiff-admin";

/// Returns the name of the cookie that lets in at a door.
pub(crate) const fn session_cookie(door: Door) -> &'static str {
    match door {
        Door::Boat => BOAT_COOKIE,
        Door::Admin => ADMIN_COOKIE,
    }
}

/// Returns what a login at a door allows at the most, whoever logs in: at the boat's, web apps do with it what they do.
pub(crate) const fn most_of(door: Door) -> Role {
    match door {
        Door::Boat => Role::ReadWrite,
        Door::Admin => Role::Admin,
    }
}

/// Decides about requests.
#[derive(Clone, Debug)]
pub struct Access {
    owner: OwnerToken,
    names: Vec<String>,
    proxies: Vec<IpAddr>,
    anyone: bool,
    guests_read: bool,
    #[cfg(any(test, feature = "server-routes"))]
    takes_requests: bool,
    accounts: Accounts,
}

/// What a request brings to be let in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presented {
    Nothing,
    /// A token that is not valid.
    Wrong,
    /// A token in a header field or the query, which no browser sends by itself.
    Token(Credential),
    /// The cookie of a login.
    Cookie(Credential),
    /// The cookie of a browser that opened the page with the owner's token; it reads.
    ReadingCookie,
}

impl Access {
    /// Reads who may do what, or makes the owner's token and writes `skiff/auth.json` at the first start.
    ///
    /// # Errors
    /// [`ConfigError`] when a file is damaged (it is kept, and nobody gets in by that) or cannot be written.
    pub fn open_or_create(
        storage: &mut dyn Storage,
        rng: &mut dyn Rng,
    ) -> Result<(Self, Option<NewToken>), ConfigError> {
        let known = OwnerToken::load(storage)?;
        let accounts = if IS_KEPT { Accounts::load(storage)? } else { Accounts::default() };
        let (owner, token) = match known {
            Some(owner) => (owner, None),
            None => {
                let (owner, token) = OwnerToken::make(rng);
                owner.save(storage)?;
                (owner, Some(token))
            }
        };
        Ok((Self { accounts, ..Self::of_owner(owner) }, token))
    }

    /// Makes a new token and writes `skiff/auth.json`, whatever stood there; the token before is good for nothing then.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be written; the token before stays.
    pub fn renew(storage: &mut dyn Storage, rng: &mut dyn Rng) -> Result<NewToken, ConfigError> {
        let (owner, token) = OwnerToken::make(rng);
        owner.save(storage)?;
        Ok(token)
    }

    /// Makes a new owner's token, which is the valid one from then on; see [`renew`](Self::renew).
    ///
    /// # Errors
    /// As there.
    #[cfg(any(test, feature = "set-up"))]
    pub fn renew_owner(&mut self, storage: &mut dyn Storage, rng: &mut dyn Rng) -> Result<NewToken, ConfigError> {
        let (owner, token) = OwnerToken::make(rng);
        owner.save(storage)?;
        self.owner = owner;
        Ok(token)
    }

    /// Tells whether a request calls the gateway by one of its names.
    #[cfg(any(test, feature = "set-up"))]
    #[must_use]
    pub fn is_called_so(&self, request: &Request) -> bool {
        origin::check_host(request, &self.names, &self.proxies).is_ok()
    }

    /// Makes access rules with a new token that is stored nowhere, for a run that leaves no trace.
    #[must_use]
    pub fn with_new_token(rng: &mut dyn Rng) -> (Self, NewToken) {
        let (owner, token) = OwnerToken::make(rng);
        (Self::of_owner(owner), token)
    }

    fn of_owner(owner: OwnerToken) -> Self {
        Self {
            owner,
            names: Vec::new(),
            proxies: Vec::new(),
            anyone: false,
            guests_read: false,
            #[cfg(any(test, feature = "server-routes"))]
            takes_requests: true,
            accounts: Accounts::default(),
        }
    }

    /// Adds names the gateway is reached by, such as the host name, without port.
    #[must_use]
    pub fn named(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names.extend(names);
        self
    }

    /// Counts callers of these reverse proxies as the proxies themselves (`skiff.proxies`).
    #[must_use]
    pub fn behind(mut self, proxies: Vec<IpAddr>) -> Self {
        self.proxies = proxies;
        self
    }

    /// Lets anyone in without a token (`--allow-anyone`). `Host` and `Origin` stay checked: anyone who reaches the gateway is
    /// not any page in a browser that does.
    #[must_use]
    pub fn allow_anyone(mut self) -> Self {
        self.anyone = true;
        self
    }

    /// Lets anyone read the boat's data on every listener (`--guests read`); secrets and changes need a token as before.
    #[must_use]
    pub fn guests_read(mut self, read: bool) -> Self {
        self.guests_read = read;
        self
    }

    /// Lets anyone read on every listener from now on, or nobody without a token.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn set_guests_read(&mut self, read: bool) {
        self.guests_read = read;
    }

    /// Lets devices ask to be let in, or not, from now on (`skiff.accessRequests`).
    #[cfg(any(test, feature = "server-routes"))]
    pub fn set_takes_requests(&mut self, takes: bool) {
        self.takes_requests = takes;
    }

    /// Tells whether devices may ask to be let in.
    #[must_use]
    pub fn takes_requests(&self) -> bool {
        #[cfg(any(test, feature = "server-routes"))]
        let takes = self.takes_requests;
        #[cfg(not(any(test, feature = "server-routes")))]
        let takes = true;
        takes && IS_KEPT
    }

    /// Tells whether anyone may read on every listener.
    #[must_use]
    pub fn lets_guests_read(&self) -> bool {
        self.anyone || self.guests_read
    }

    /// Tells whether the caller may read without a token: on loopback, and everywhere when guests may.
    #[must_use]
    pub fn is_guest_reader(&self, request: &Request) -> bool {
        self.lets_guests_read() || origin::is_loopback(request, &self.proxies)
    }

    /// Returns the address that waits and shares are counted by: behind a listed proxy, the one that the proxy saw.
    #[must_use]
    pub fn caller(&self, request: &Request) -> Option<IpAddr> {
        caller::caller(request, &self.proxies)
    }

    /// Returns everybody who is known beside the owner.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Takes these accounts for valid from now on; they were stored.
    pub fn set_accounts(&mut self, accounts: Accounts) {
        self.accounts = accounts;
    }

    /// Tells whether nobody needs a token.
    #[must_use]
    pub fn allows_anyone(&self) -> bool {
        self.anyone
    }

    /// Checks a request at the time `now`, which tokens with an end need.
    ///
    /// The token comes in `Authorization: Bearer`, for pages and streams also in `?token=`. There is also the cookie of a
    /// login, which allows what its user may and no more than `readwrite`, and the cookie that opening the page with
    /// `?token=` sets, which reads: images, scripts and frames of a web app carry nothing else. A cookie is
    /// no token: every service of the same host is sent it (RFC 6265 §8.5).
    ///
    /// A page of another origin gets what needs nothing, and what the token allows that it gives itself; at the admin's door
    /// ([`Door`]) it gets nothing, and a login there allows what its user may.
    ///
    /// # Errors
    /// The response to send: 400 without a usable `Host`, 403 for a foreign `Host`, or a foreign `Origin` without a token, 401
    /// where a token is needed and not given, or a wrong one is, 403 for one of a role that may not.
    pub fn check(&self, request: &Request, route: &Route<'_>, now: UnixMillis) -> Result<(), Response> {
        // Every browser sends one; what the gateway asks itself has none.
        if !self.anyone || request.header("host").is_some() {
            origin::check_host(request, &self.names, &self.proxies)?;
        }
        if IS_KEPT && request.door == Door::Admin {
            if !origin::is_own_page(request) {
                return Err(Response::error(403, "the admin's door is for its own page"));
            }
            if !route.is_of_admin_door() {
                // Perhaps a web app, to which a carrier shows the way.
                return Err(Response::unclaimed());
            }
        }
        let need = route.need(request.method);
        let is_foreign = origin::is_foreign(request);
        // A device whose token has ended asks for another one.
        if need == Need::Nothing && (!is_foreign || self.serves_elsewhere(route)) {
            return Ok(());
        }
        let reads = request.method.is_read();
        let is_page = reads && matches!(route, Route::Stream(_) | Route::Index);
        let presented = self.presented(request, is_page, now);
        // Where nobody needs a token, any text would do for one.
        let is_with_token = match presented {
            Presented::Token(_) => true,
            Presented::Wrong => !self.anyone,
            _ => false,
        };
        if is_foreign && !(IS_KEPT && is_with_token) {
            return Err(Response::error(403, "requests from pages of other origins are refused, but with a token"));
        }
        if self.anyone {
            return Ok(());
        }
        match (presented, need) {
            (Presented::Wrong, _) => Err(unauthorised("the token is not valid")),
            (Presented::Token(credential), _) => self.judge(&credential, "token", need, now),
            (Presented::Cookie(credential), _) => self.judge(&credential, "login", need, now),
            // Neither who sits at this machine nor what a browser sends by itself may read these.
            (_, need) if reads && !matches!(need, Need::Read | Need::Nothing) => {
                Err(unauthorised("a token is needed for configurations and logs"))
            }
            (Presented::ReadingCookie, Need::Read) => Ok(()),
            (_, Need::Read) if self.guests_read => Ok(()),
            _ if !origin::is_loopback(request, &self.proxies) => {
                Err(unauthorised("a token is needed: this listener is not bound to loopback"))
            }
            (_, Need::Role(_)) => Err(unauthorised("a token is needed for every change")),
            _ => Ok(()),
        }
    }

    /// Tells whether a page of another origin may use what needs nothing: on boards nothing, they have one token and it is
    /// not for pages.
    fn serves_elsewhere(&self, route: &Route<'_>) -> bool {
        IS_KEPT && !self.anyone && route.is_where_to_begin()
    }

    fn judge(&self, credential: &Credential, what: &str, need: Need, now: UnixMillis) -> Result<(), Response> {
        let Some(role) = self.role_of(credential, now) else {
            return Err(unauthorised(&format!("the {what} is not valid any more")));
        };
        match need {
            Need::Role(needed) if role < needed => {
                Err(Response::error(403, &format!("this {what} is {role}, and this needs {needed}")))
            }
            _ => Ok(()),
        }
    }

    /// Answers a browser that asks whether a page of another origin may send a request; `None` for every other request.
    #[must_use]
    pub fn preflight(&self, request: &Request) -> Option<Response> {
        if !IS_KEPT || request.door == Door::Admin {
            return None;
        }
        let answer = origin::preflight(request)?;
        Some(origin::check_host(request, &self.names, &self.proxies).err().unwrap_or(answer))
    }

    /// Tells whether a page of another origin is to read the answer to its request, be it a refusal.
    #[must_use]
    pub fn is_read_elsewhere(&self, request: &Request) -> bool {
        let from_page = request.door == Door::Boat && request.header("origin").is_some();
        IS_KEPT && from_page && origin::is_foreign(request)
    }

    /// Lets nobody frame what the admin's door shows.
    #[must_use]
    pub fn unframed(response: Response) -> Response {
        origin::unframed(response)
    }

    /// Lets a page of another origin read an answer.
    #[must_use]
    pub fn readable(response: Response) -> Response {
        origin::readable_elsewhere(response)
    }

    /// Tells whether a page of another origin sends the request.
    #[must_use]
    pub fn is_foreign(&self, request: &Request) -> bool {
        origin::is_foreign(request)
    }

    /// Tells whether a stream without rights may be opened, to be given some by a login or a token in a message.
    #[must_use]
    pub fn may_open_and_wait(&self, request: &Request, now: UnixMillis) -> bool {
        let by_name = origin::check_host(request, &self.names, &self.proxies).is_ok();
        by_name && request.door == Door::Boat && self.presented(request, true, now) != Presented::Wrong
    }

    /// Returns what the request is let in by; for streams, whose request is a `GET`. `None` without a valid token or login.
    #[must_use]
    pub fn credential(&self, request: &Request, now: UnixMillis) -> Option<Credential> {
        match self.presented(request, true, now) {
            Presented::Token(credential) => Some(credential),
            // What a browser sends by itself is nothing from a page elsewhere.
            Presented::Cookie(credential) if !origin::is_foreign(request) => Some(credential),
            _ => None,
        }
    }

    /// Returns what a token lets in by; `None` when it is not valid.
    #[must_use]
    pub fn of_token(&self, token: &str, now: UnixMillis) -> Option<Credential> {
        if self.is_token(token) {
            return Some(Credential::Owner);
        }
        if IS_KEPT { self.accounts.of_token(token, now) } else { None }
    }

    /// Returns what a credential allows now; `None` when it is good for nothing any more.
    #[must_use]
    pub fn role_of(&self, credential: &Credential, now: UnixMillis) -> Option<Role> {
        if IS_KEPT { self.accounts.role(credential, OWNER, now) } else { Some(Role::Admin) }
    }

    /// Returns what the token or login of a request allows; for streams, whose request is a `GET`. `None` without a valid one.
    #[must_use]
    pub fn role(&self, request: &Request, now: UnixMillis) -> Option<Role> {
        if self.anyone {
            return Some(Role::Admin);
        }
        self.credential(request, now).and_then(|credential| self.role_of(&credential, now))
    }

    /// Tells whether the caller may change values and send deltas.
    #[must_use]
    pub fn may_write(&self, request: &Request, now: UnixMillis) -> bool {
        self.role(request, now) >= Some(Role::ReadWrite)
    }

    /// Returns the name under which apps keep what is the caller's own: `admin` is the owner
    /// and everybody where nobody needs a token. `None` without a valid token or login.
    #[must_use]
    pub fn name(&self, request: &Request, now: UnixMillis) -> Option<&str> {
        if self.anyone {
            return Some(OWNER);
        }
        let credential = self.credential(request, now)?;
        if IS_KEPT { self.accounts.name(&credential, OWNER, now) } else { Some(OWNER) }
    }

    /// Tells whether `token` is the owner's, in a time that does not depend on it.
    #[must_use]
    pub fn is_token(&self, token: &str) -> bool {
        self.owner.is(token)
    }

    /// Returns the value of the cookie that reads.
    pub(super) fn session(&self) -> String {
        self.owner.session()
    }

    /// Finds what a request brings to be let in by; `?token=` counts where it is allowed.
    fn presented(&self, request: &Request, in_query: bool, now: UnixMillis) -> Presented {
        if let Some(token) = presented_token(request, in_query) {
            return self.of_token(&token, now).map_or(Presented::Wrong, Presented::Token);
        }
        let Some(cookie) = cookie_of(request) else { return Presented::Nothing };
        // What was made at the other door is good for nothing at this one.
        if IS_KEPT
            && let Some(login) = self.accounts.logins.of_cookie(cookie, now)
            && login.most == most_of(request.door)
        {
            return Presented::Cookie(Credential::Login(login.hash()));
        }
        // An old cookie is as good as none, not a wrong answer.
        if request.door == Door::Boat && self.is_session(cookie) {
            Presented::ReadingCookie
        } else {
            Presented::Nothing
        }
    }

    /// Tells whether a cookie is the one that reads, in a time that does not depend on it.
    fn is_session(&self, given: &str) -> bool {
        let wanted = self.session();
        let differs = |(a, b): (u8, u8)| a ^ b;
        given.len() == wanted.len() && given.bytes().zip(wanted.bytes()).map(differs).fold(0, |all, one| all | one) == 0
    }
}

/// Returns the session cookie of a request (RFC 6265 §4.2).
fn cookie_of(request: &Request) -> Option<&str> {
    let name = session_cookie(request.door);
    let pairs = request.headers_named("cookie").flat_map(|field| field.split(';'));
    pairs.filter_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('=')).next()
}

/// Returns the token of the request: `Authorization: Bearer`, and `?token=` where that is allowed.
fn presented_token(request: &Request, in_query: bool) -> Option<String> {
    if let Some(field) = request.header("authorization") {
        // Signal K clients say JWT for the same thing.
        let token =
            field.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") || *scheme == "JWT");
        return Some(token.map_or(String::new(), |(_, token)| token.trim().into()));
    }
    if !in_query {
        return None;
    }
    token_in_query(request)
}

/// Returns the token of `?token=`.
pub(super) fn token_in_query(request: &Request) -> Option<String> {
    let value = request.query().split('&').find_map(|pair| pair.strip_prefix("token="))?;
    Some(decode_query(value).unwrap_or_default().into_owned())
}

fn unauthorised(clause: &str) -> Response {
    Response::error(401, clause).with("www-authenticate", "Bearer realm=\"skiff\"")
}

#[cfg(test)]
mod tests;
