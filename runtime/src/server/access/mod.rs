//! Who may do what.
//!
//! Reading the boat's data is open on a loopback listener, and on any other one when the owner lets guests in. For
//! configurations and logs, and for every change, a bearer token of a sufficient role is needed ([`Route::need`]). The
//! owner's is made at the first start, told once, and kept as a salted hash in `skiff/auth.json`; those of devices stand in
//! `skiff/tokens.json`. `Host` and `Origin` are checked on every request, so that a page from
//! elsewhere in the user's browser reaches nothing: not by DNS rebinding (its `Host` is its own
//! name), not by a form or script (its `Origin` is not ours), not by a WebSocket.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};
use core::net::{IpAddr, Ipv6Addr};

use sha2::{Digest, Sha256};

use super::url::{authority, decode_query};
use super::{Need, Response, Route};
use crate::accounts::{self, Known, Role, Tokens};
use crate::config::{ConfigError, ConfigReason, FILE_BYTES_MAX, read_object, write_object};
use crate::hal::{Rng, Storage};
use crate::http::Request;
use crate::json;
use crate::time::UnixMillis;

const FILE: &str = "skiff/auth.json";
/// What the owner is called.
pub const OWNER: &str = "admin";
/// Random bytes of a token; written as twice as many hexadecimal digits.
pub const TOKEN_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// Cookie that lets a browser read; see [`Access::check`].
pub(super) const SESSION_COOKIE: &str = "skiff-session";
/// Keeps what the cookie is made of apart from everything else that is hashed.
const SESSION_PURPOSE: &str = "session that reads";
/// Longer texts are not looked at as the owner's token.
const TOKEN_TEXT_BYTES_MAX: usize = 512;

/// A token that was just made; it is stored nowhere, so show it now.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken(String);

impl NewToken {
    /// Returns the text to show.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewToken(…)")
    }
}

/// Decides about requests.
#[derive(Clone, Debug)]
pub struct Access {
    salt: [u8; SALT_BYTES],
    hash: [u8; 32],
    names: Vec<String>,
    anyone: bool,
    guests_read: bool,
    tokens: Tokens,
}

impl Access {
    /// Reads `skiff/auth.json`, or makes a token and writes the file at the first start.
    ///
    /// # Errors
    /// [`ConfigError`] when the file is damaged (it is kept, and nobody gets in by that) or cannot be written.
    pub fn open_or_create(
        storage: &mut dyn Storage,
        rng: &mut dyn Rng,
    ) -> Result<(Self, Option<NewToken>), ConfigError> {
        if let Some(text) = read_object(storage, FILE, FILE_BYTES_MAX)? {
            let refuse = |what| ConfigError::new(FILE, ConfigReason::Member(what));
            let member = |name| json::member(&text, name).and_then(json::string);
            if member("algorithm").as_deref() != Some("sha256") {
                return Err(refuse("algorithm must be sha256"));
            }
            let salt = member("salt")
                .and_then(|text| unhex(&text))
                .ok_or_else(|| refuse("salt must have 32 hexadecimal digits"))?;
            let hash = member("hash")
                .and_then(|text| unhex(&text))
                .ok_or_else(|| refuse("hash must have 64 hexadecimal digits"))?;
            return Ok((Self { tokens: stored_tokens(storage)?, ..Self::of_owner(salt, hash) }, None));
        }
        let tokens = stored_tokens(storage)?;
        let (access, token) = Self::with_new_token(rng);
        access.save(storage)?;
        Ok((Self { tokens, ..access }, Some(token)))
    }

    /// Makes a new token and writes `skiff/auth.json`, whatever stood there; the token before is good for nothing then.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be written; the token before stays.
    pub fn renew(storage: &mut dyn Storage, rng: &mut dyn Rng) -> Result<NewToken, ConfigError> {
        let (access, token) = Self::with_new_token(rng);
        access.save(storage)?;
        Ok(token)
    }

    fn save(&self, storage: &mut dyn Storage) -> Result<(), ConfigError> {
        let text = json::object(|out| {
            out.text("algorithm", "sha256").text("salt", &hex(&self.salt)).text("hash", &hex(&self.hash));
        });
        write_object(storage, FILE, &text)
    }

    /// Makes access rules with a new token that is stored nowhere, for a run that leaves no trace.
    #[must_use]
    pub fn with_new_token(rng: &mut dyn Rng) -> (Self, NewToken) {
        let (mut token, mut salt) = ([0; TOKEN_BYTES], [0; SALT_BYTES]);
        rng.fill(&mut token);
        rng.fill(&mut salt);
        let token = hex(&token);
        let hash = salted(&salt, &token);
        (Self::of_owner(salt, hash), NewToken(token))
    }

    fn of_owner(salt: [u8; SALT_BYTES], hash: [u8; 32]) -> Self {
        Self { salt, hash, names: Vec::new(), anyone: false, guests_read: false, tokens: Tokens::default() }
    }

    /// Adds names the gateway is reached by, such as the host name, without port.
    #[must_use]
    pub fn named(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names.extend(names);
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

    /// Tells whether anyone may read on every listener.
    #[must_use]
    pub fn lets_guests_read(&self) -> bool {
        self.anyone || self.guests_read
    }

    /// Returns the tokens beside the owner's.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Takes these tokens for valid from now on; they were stored.
    pub fn set_tokens(&mut self, tokens: Tokens) {
        self.tokens = tokens;
    }

    /// Tells whether nobody needs a token.
    #[must_use]
    pub fn allows_anyone(&self) -> bool {
        self.anyone
    }

    /// Checks a request at the time `now`, which tokens with an end need.
    ///
    /// The token comes in `Authorization: Bearer`, for pages and streams also in `?token=`. For reading there is also the
    /// cookie that opening the page with `?token=` sets: images, scripts and frames of a web app carry nothing else. It is
    /// no token: every service of the same host is sent it (RFC 6265 §8.5).
    ///
    /// # Errors
    /// The response to send: 400 without a usable `Host`, 403 for a foreign `Host` or `Origin`, 401
    /// where a token is needed and not given, or a wrong one is, 403 for one of a role that may not.
    pub fn check(&self, request: &Request, route: &Route<'_>, now: UnixMillis) -> Result<(), Response> {
        // Every browser sends one; what the gateway asks itself has none.
        if !self.anyone || request.header("host").is_some() {
            self.check_host(request)?;
        }
        check_origin(request)?;
        if self.anyone {
            return Ok(());
        }
        let need = route.need(request.method);
        // A device whose token has ended asks for another one.
        if need == Need::Nothing {
            return Ok(());
        }
        let reads = request.method.is_read();
        let is_page = reads && matches!(route, Route::Stream(_) | Route::Index);
        let role = presented(request, is_page).map(|token| self.role_of_token(&token, now));
        match (role, need) {
            (Some(None), _) => Err(unauthorised("the token is not valid")),
            (Some(Some(role)), Need::Role(needed)) if role < needed => {
                Err(Response::error(403, &format!("this token is {role}, and this needs {needed}")))
            }
            (Some(Some(_)), _) => Ok(()),
            // Neither who sits at this machine nor what a browser sends by itself may read these.
            (None, _) if reads && need != Need::Read => {
                Err(unauthorised("a token is needed for configurations and logs"))
            }
            // An old cookie is as good as none, not a wrong answer.
            (None, Need::Read) if self.guests_read || self.is_session(request) => Ok(()),
            (None, _) if !is_loopback(request) => {
                Err(unauthorised("a token is needed: this listener is not bound to loopback"))
            }
            (None, Need::Role(_)) => Err(unauthorised("a token is needed for every change")),
            (None, _) => Ok(()),
        }
    }

    /// Returns what the token of a request allows; for streams, whose request is a `GET`. `None` without a valid one.
    #[must_use]
    pub fn role(&self, request: &Request, now: UnixMillis) -> Option<Role> {
        if self.anyone {
            return Some(Role::Admin);
        }
        presented(request, true).and_then(|token| self.role_of_token(&token, now))
    }

    /// Tells whether the caller may change values and send deltas.
    #[must_use]
    pub fn may_write(&self, request: &Request, now: UnixMillis) -> bool {
        self.role(request, now) >= Some(Role::ReadWrite)
    }

    /// Returns the name that the caller's token has, under which apps keep what is the caller's own: `admin` is the owner
    /// and everybody where nobody needs a token. `None` without a valid token.
    #[must_use]
    pub fn name(&self, request: &Request, now: UnixMillis) -> Option<&str> {
        if self.anyone {
            return Some(OWNER);
        }
        let token = presented(request, true)?;
        match self.tokens.look_up(&token, now) {
            Known::Valid(known) if accounts::IS_KEPT => Some(&known.name),
            _ => Some(OWNER).filter(|_| self.is_token(&token)),
        }
    }

    fn role_of_token(&self, token: &str, now: UnixMillis) -> Option<Role> {
        if self.is_token(token) {
            return Some(Role::Admin);
        }
        match self.tokens.look_up(token, now) {
            Known::Valid(token) if accounts::IS_KEPT => Some(token.role),
            Known::Valid(_) | Known::Ended | Known::Unknown => None,
        }
    }

    /// Tells whether `token` is the owner's, in a time that does not depend on it.
    #[must_use]
    pub fn is_token(&self, token: &str) -> bool {
        if token.len() > TOKEN_TEXT_BYTES_MAX {
            return false;
        }
        let given = salted(&self.salt, token);
        given.iter().zip(&self.hash).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }

    /// Returns the value of a browser's cookie: made of the token's hash, from which nobody finds the token.
    pub(super) fn session(&self) -> String {
        hex(&Sha256::new().chain_update(SESSION_PURPOSE).chain_update(self.salt).chain_update(self.hash).finalize())
    }

    /// Tells whether a cookie of the request is the session's, in a time that does not depend on it (RFC 6265 §4.2).
    fn is_session(&self, request: &Request) -> bool {
        let wanted = self.session();
        let pairs = request.headers_named("cookie").flat_map(|field| field.split(';'));
        let mut named = pairs.filter_map(|pair| pair.trim().strip_prefix(SESSION_COOKIE)?.strip_prefix('='));
        named.next().is_some_and(|given| {
            let differs = |(a, b): (u8, u8)| a ^ b;
            given.len() == wanted.len()
                && given.bytes().zip(wanted.bytes()).map(differs).fold(0, |all, one| all | one) == 0
        })
    }

    fn check_host(&self, request: &Request) -> Result<(), Response> {
        let mut hosts = request.headers_named("host");
        let (host, second) = (hosts.next(), hosts.next());
        let Some((name, _)) = host.and_then(authority).filter(|_| second.is_none()) else {
            return Err(Response::error(400, "one Host header field is needed"));
        };
        let named = self.names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let local_name = name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]");
        // A name can be pointed at us by anyone, an address cannot; `.local` is answered on our own network only.
        let own_network = || is_address(name) || name.len() > 6 && ends_with_ignore_case(name, ".local");
        if named || local_name || !is_loopback(request) && own_network() {
            return Ok(());
        }
        Err(Response::error(403, "the gateway is not called by this name; open it by address or by a configured name"))
    }
}

/// Reads the tokens beside the owner's, where they are kept.
fn stored_tokens(storage: &mut dyn Storage) -> Result<Tokens, ConfigError> {
    if accounts::IS_KEPT { Tokens::load(storage) } else { Ok(Tokens::default()) }
}

/// Refuses what a page of another origin sends (RFC 6454; Fetch Metadata).
fn check_origin(request: &Request) -> Result<(), Response> {
    let foreign = || Err(Response::error(403, "requests from pages of other origins are refused"));
    let host = request.header("host").and_then(authority);
    for origin in request.headers_named("origin") {
        let same = match origin.split_once("://") {
            Some(("http", rest)) => authority(rest).is_some_and(|origin| is_same(origin, host, "80")),
            Some(("https", rest)) => authority(rest).is_some_and(|origin| is_same(origin, host, "443")),
            _ => false,
        };
        if !same {
            return foreign();
        }
    }
    // Images and the like carry no Origin; browsers say where they come from all the same.
    let elsewhere = matches!(request.header("sec-fetch-site"), Some("cross-site" | "same-site"));
    // Of a page elsewhere only a link may lead here, no frame.
    let is_link = request.header("sec-fetch-mode") == Some("navigate")
        && request.header("sec-fetch-dest").is_none_or(|dest| dest == "document");
    if elsewhere && !is_link {
        return foreign();
    }
    Ok(())
}

fn is_same(origin: (&str, &str), host: Option<(&str, &str)>, default_port: &str) -> bool {
    let port = |port| match port {
        "" => default_port.to_owned(),
        _ => String::from(port),
    };
    host.is_some_and(|host| origin.0.eq_ignore_ascii_case(host.0) && port(origin.1) == port(host.1))
}

/// Returns the token of the request: `Authorization: Bearer`, and `?token=` where that is allowed.
fn presented(request: &Request, in_query: bool) -> Option<String> {
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

fn is_loopback(request: &Request) -> bool {
    request.local && request.peer.is_none_or(|peer| peer.to_canonical().is_loopback())
}

fn is_address(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => inside.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok(),
    }
}

fn ends_with_ignore_case(text: &str, end: &str) -> bool {
    let from = text.len().saturating_sub(end.len());
    text.get(from..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn salted(salt: &[u8], token: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(token).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N.checked_mul(2)? || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
