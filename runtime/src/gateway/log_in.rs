//! People who log in and out, over HTTP and over a stream. Passwords are checked beside the gateway, so that it never waits.

use alloc::format;
use alloc::string::{String, ToString};
use core::net::IpAddr;
use core::time::Duration;

use super::{Gateway, StreamId};
use crate::accounts::{
    Accounts, Attempts, Credential, HandedOut, IS_KEPT, PASSWORD_BYTES_MAX, Role, SignInCode, USER_NAME_BYTES_MAX,
};
use crate::hal::{PasswordAnswer, PasswordTask, PasswordsBusy};
use crate::http::{Door, Method, Request};
use crate::json;
use crate::plugin::ExchangeId;
use crate::server::{OWNER, Response, body, most_of, session_cookie, sign_in};
use crate::sorted::SortedMap;

/// Said where no password can be checked.
pub(super) const NO_PASSWORDS: &str = "this gateway has no users, only tokens";
/// Said of a wrong name and of a wrong password alike.
const WRONG: &str = "Invalid username/password";

/// Everything about logging in that is under way.
#[derive(Default)]
pub(super) struct LogIns {
    attempts: Attempts,
    /// The code of the link that lets the owner in.
    code: SignInCode,
    next_ticket: u64,
    waiting: SortedMap<u64, Waiting>,
}

/// Who waits for a password to be checked or hashed.
enum Waiting {
    LogIn(LogIn),
    /// A user's password is set.
    SetPassword {
        exchange: ExchangeId,
        user: String,
        change: UserChange,
    },
}

/// What becomes of a user whose password is set.
#[derive(Clone, Copy)]
pub(super) enum UserChange {
    /// There is none of this name yet.
    New(Role),
    /// There is one, who gets this role or keeps the one it has.
    Known(Option<Role>),
}

/// Somebody who logs in.
struct LogIn {
    to: AnswerTo,
    user: String,
    /// The hash that the password is checked against. For users that are not there a password is hashed all the same, so
    /// that the time does not tell.
    checked: Option<String>,
    remember: bool,
    door: Door,
    peer: Option<IpAddr>,
}

/// Where the answer goes.
enum AnswerTo {
    Http { exchange: ExchangeId, form: FormOf },
    Stream { stream: StreamId, request_id: Option<String> },
}

/// How a client on HTTP wants its answer.
#[derive(Clone)]
struct FormOf {
    /// A page's form: the address to go to, and a page when it fails; `None` is JSON.
    page: Option<String>,
    /// The cookie is set, too; not for a page elsewhere, which could log a visitor in as somebody else by that.
    gives_cookie: bool,
    secure: bool,
    door: Door,
}

impl Gateway {
    /// Answers what is asked below `/signalk/v1/auth`.
    pub(super) fn auth(&mut self, what: &str, request: &Request, exchange: ExchangeId) -> Option<Response> {
        if !IS_KEPT {
            return Some(Response::error(501, NO_PASSWORDS));
        }
        match (what, request.method) {
            ("login", Method::Post) => self.log_in(request, exchange),
            ("logout", Method::Put | Method::Post) => Some(self.log_out(request)),
            ("validate", Method::Post) => Some(self.validate(request)),
            ("login" | "validate", _) => Some(Response::method_not_allowed("POST")),
            ("logout", _) => Some(Response::method_not_allowed("PUT, POST")),
            _ => Some(Response::unclaimed()),
        }
    }

    /// Makes a code that lets the owner in once, for a link that only the owner sees.
    pub fn new_sign_in_code(&mut self) -> String {
        let now = self.hal.clock.now();
        self.clients.log_ins.code.make(now, &mut *self.hal.rng)
    }

    fn log_in(&mut self, request: &Request, exchange: ExchangeId) -> Option<Response> {
        let Some(fields) = body::Fields::of(request) else {
            return Some(Response::error(400, "the body must be a JSON object or a form"));
        };
        let page = matches!(fields, body::Fields::Form(_)).then(|| sign_in::destination(fields.text("destination")));
        let gives_cookie = !self.setup.access.is_foreign(request);
        let form = FormOf { page, gives_cookie, secure: request.secure, door: request.door };
        let remember = fields.flag("rememberMe");
        if let Some(code) = fields.text("code") {
            return Some(self.log_in_by_code(&code, self.setup.access.caller(request), &form));
        }
        let to = AnswerTo::Http { exchange, form };
        let (Some(user), Some(password)) = (fields.text("username"), fields.text("password")) else {
            return Some(Response::error(400, "username and password are needed"));
        };
        self.check_password(
            LogIn { to, user, checked: None, remember, door: request.door, peer: self.setup.access.caller(request) },
            password,
        );
        None
    }

    /// The owner's link: without a password, and once.
    fn log_in_by_code(&mut self, code: &str, peer: Option<IpAddr>, form: &FormOf) -> Response {
        let now = self.hal.clock.now();
        if let Err(wait) = self.clients.log_ins.attempts.begin(peer, now) {
            return later(form, wait);
        }
        if !self.clients.log_ins.code.redeem(code, now) {
            return failed(form, 401, "this link was used already or is too old; `skiff user link` makes another");
        }
        self.clients.log_ins.attempts.succeeded(peer);
        match self.hand_out(OWNER, true, form.door) {
            Ok(handed) => logged_in(form, &handed),
            Err(refused) => failed(form, refused.0, &refused.1),
        }
    }

    /// Takes a login that came over a stream: `{username, password}`.
    pub(super) fn stream_log_in(&mut self, stream: StreamId, request_id: Option<String>, login: &str) {
        let text = |name: &str| json::member(login, name).and_then(json::string).map(alloc::borrow::Cow::into_owned);
        let to = AnswerTo::Stream { stream, request_id };
        match (text("username"), text("password")) {
            (Some(user), Some(password)) => {
                let peer = self.clients.streams.peer(stream);
                // A stream takes no more than the boat's door gives.
                let login = LogIn { to, user, checked: None, remember: false, door: Door::Boat, peer };
                self.check_password(login, password);
            }
            _ => self.answer_log_in(&to, Err((400, "username and password are needed".into()))),
        }
    }

    /// Has a password checked; the answer goes out when it is.
    fn check_password(&mut self, login: LogIn, password: String) {
        if self.board.parts.passwords.is_none() {
            return self.answer_log_in(&login.to, Err((501, NO_PASSWORDS.into())));
        }
        if let Err(wait) = self.clients.log_ins.attempts.begin(login.peer, self.hal.clock.now()) {
            return self.answer_log_in(&login.to, Err((429, wait_text(wait))));
        }
        if password.len() > PASSWORD_BYTES_MAX || login.user.len() > USER_NAME_BYTES_MAX {
            return self.answer_log_in(&login.to, Err((401, WRONG.into())));
        }
        let checked = self.setup.access.accounts().users.of_name(&login.user).map(|user| user.hash.clone());
        let task = match checked.clone() {
            Some(hash) => PasswordTask::Check { password, hash },
            None => PasswordTask::Hash { password },
        };
        if let Err((Waiting::LogIn(login), busy)) = self.ask_passwords(Waiting::LogIn(LogIn { checked, ..login }), task)
        {
            self.answer_log_in(&login.to, Err((429, busy.to_string())));
        }
    }

    /// Hands a task to who hashes passwords.
    fn ask_passwords(&mut self, waiting: Waiting, task: PasswordTask) -> Result<(), (Waiting, PasswordsBusy)> {
        let Some(passwords) = &mut self.board.parts.passwords else { return Err((waiting, PasswordsBusy)) };
        let log_ins = &mut self.clients.log_ins;
        let ticket = log_ins.next_ticket;
        if let Err(busy) = passwords.ask(ticket, task) {
            return Err((waiting, busy));
        }
        log_ins.next_ticket = ticket.wrapping_add(1);
        log_ins.waiting.insert(ticket, waiting);
        Ok(())
    }

    /// Has the password of a user set; the answer goes out when it is.
    pub(super) fn set_password(
        &mut self,
        user: &str,
        change: UserChange,
        password: String,
        exchange: ExchangeId,
    ) -> Option<Response> {
        if self.board.parts.passwords.is_none() {
            return Some(Response::error(501, NO_PASSWORDS));
        }
        let waiting = Waiting::SetPassword { exchange, user: user.into(), change };
        match self.ask_passwords(waiting, PasswordTask::Hash { password }) {
            Ok(()) => None,
            Err((_, busy)) => Some(Response::error(429, &busy.to_string())),
        }
    }

    /// Takes the passwords that were checked or hashed.
    pub(super) fn take_passwords(&mut self) {
        if !IS_KEPT {
            return;
        }
        while let Some((ticket, answer)) = self.board.parts.passwords.as_mut().and_then(|passwords| passwords.next()) {
            match self.clients.log_ins.waiting.remove(&ticket) {
                Some(Waiting::LogIn(login)) => self.finish_log_in(&login, answer),
                Some(Waiting::SetPassword { exchange, user, change }) => {
                    let response = self.keep_password(&user, change, answer);
                    self.clients.exchanges.respond(exchange, response);
                }
                None => {}
            }
        }
    }

    fn finish_log_in(&mut self, login: &LogIn, answer: PasswordAnswer) {
        // Not by a password that was replaced, or whose user was removed, while it was checked.
        let user = self.setup.access.accounts().users.of_name(&login.user);
        let holds = user.is_some_and(|user| login.checked.as_ref() == Some(&user.hash));
        let answer = match answer {
            PasswordAnswer::Right if holds => {
                self.clients.log_ins.attempts.succeeded(login.peer);
                self.hand_out(&login.user, login.remember, login.door)
            }
            PasswordAnswer::Failed(reason) => {
                log::warn!("the password of {:?} could not be checked: {reason}", login.user);
                Err((500, "the password could not be checked".into()))
            }
            _ => {
                log::warn!("a wrong user or password was given{}", from(login.peer));
                Err((401, WRONG.into()))
            }
        };
        self.answer_log_in(&login.to, answer);
    }

    /// Opens a login and stores it.
    fn hand_out(&mut self, user: &str, remember: bool, door: Door) -> Result<HandedOut, (u16, String)> {
        let wall = self.wall();
        let mut accounts = self.setup.access.accounts().clone();
        let handed = accounts
            .logins
            .open(user, most_of(door), remember, wall, &mut *self.hal.rng)
            .map_err(|no_time| (503, no_time.to_string()))?;
        self.keep_accounts(accounts).map_err(|refused| (500, refused))?;
        log::info!("{user:?} is logged in");
        Ok(handed)
    }

    fn keep_password(&mut self, user: &str, change: UserChange, answer: PasswordAnswer) -> Response {
        let hash = match answer {
            PasswordAnswer::Hash(hash) => hash,
            PasswordAnswer::Failed(reason) => {
                return Response::error(500, &format!("the password could not be set: {reason}"));
            }
            PasswordAnswer::Right | PasswordAnswer::Wrong => return Response::error(500, "the password was not set"),
        };
        let mut accounts = self.setup.access.accounts().clone();
        // Others may have made, removed or changed the user while the password was hashed.
        let role = match (change, accounts.users.of_name(user)) {
            (UserChange::New(role), None) => role,
            (UserChange::New(_), Some(_)) => return super::users_http::taken(),
            (UserChange::Known(role), Some(known)) => role.unwrap_or(known.role),
            (UserChange::Known(_), None) => return super::users_http::nobody(),
        };
        if let Err(error) = accounts.users.set(user, role, &hash) {
            return Response::error(507, &error.to_string());
        }
        // Who knew the password before is no longer in.
        accounts.logins.close_all_of(user);
        match self.keep_accounts(accounts) {
            Ok(()) => {
                log::info!("the user {user:?} has a new password and is {role}");
                super::access_http::said("the password is set")
            }
            Err(error) => Response::error(500, &error),
        }
    }

    fn log_out(&mut self, request: &Request) -> Response {
        let credential = self.setup.access.credential(request, self.wall());
        if let Err(error) = credential.map_or(Ok(()), |credential| self.end(&credential)) {
            return Response::error(500, &error);
        }
        let name = session_cookie(request.door);
        let cookie = format!("{name}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
        Response::json(200, json::quoted("Logout OK")).with("set-cookie", &cookie)
    }

    /// Ends the login of a token that came over a stream.
    pub(super) fn log_out_token(&mut self, token: &str) {
        let credential = self.setup.access.of_token(token, self.wall());
        if let Err(error) = credential.map_or(Ok(()), |credential| self.end(&credential)) {
            log::warn!("a login could not be ended: {error}");
        }
    }

    /// Ends a login; tokens of devices and programs stay.
    fn end(&mut self, credential: &Credential) -> Result<(), String> {
        let Credential::Login(hash) = credential else { return Ok(()) };
        let mut accounts = self.setup.access.accounts().clone();
        accounts.logins.close(hash);
        self.keep_accounts(accounts)
    }

    /// Says whether a token is valid, and how long.
    fn validate(&self, request: &Request) -> Response {
        let wall = self.wall();
        let Some(credential) = self.setup.access.credential(request, wall) else {
            return wrong(401, "the token is not valid");
        };
        let ends = self.setup.access.accounts().ends(&credential, wall);
        let body = json::object(|out| {
            out.text("state", "COMPLETED").number("statusCode", 200_u16);
            if let Some(token) = request.header("authorization").and_then(|field| field.split_once(' ')) {
                out.text("token", token.1.trim());
            }
            if let Some(ends) = ends {
                out.number("timeToLive", ends.0.saturating_sub(wall.0) / 1000);
            }
        });
        Response::json(200, body)
    }

    /// Answers who logs in.
    fn answer_log_in(&mut self, to: &AnswerTo, answer: Result<HandedOut, (u16, String)>) {
        match to {
            AnswerTo::Http { exchange, form } => {
                let response = match answer {
                    Ok(handed) => logged_in(form, &handed),
                    Err((status, clause)) => failed(form, status, &clause),
                };
                self.clients.exchanges.respond(*exchange, response);
            }
            AnswerTo::Stream { stream, request_id } => {
                let wall = self.wall();
                let text = json::object(|out| {
                    if let Some(id) = request_id {
                        out.text("requestId", id);
                    }
                    out.text("state", "COMPLETED");
                    match &answer {
                        Ok(handed) => {
                            out.number("statusCode", 200_u16).number("result", 200_u16);
                            out.object("login", |login| {
                                login.text("token", &handed.token);
                                login.number("timeToLive", handed.time_to_live.as_secs());
                            });
                        }
                        Err((status, clause)) => {
                            out.number("statusCode", *status).number("result", *status).text("message", clause);
                        }
                    }
                });
                self.clients.reply(*stream, &text);
                let token = answer.as_ref().ok().map(|handed| &*handed.token);
                if let Some(credential) = token.and_then(|token| self.setup.access.of_token(token, wall)) {
                    self.give_rights(*stream, credential);
                }
            }
        }
    }

    /// Stores what changed among the accounts, then takes it for valid: streams of who may no longer read end.
    pub(super) fn keep_accounts(&mut self, accounts: Accounts) -> Result<(), String> {
        let before = self.setup.access.accounts();
        accounts.save_changes(before, &mut *self.hal.storage).map_err(|error| error.to_string())?;
        self.setup.access.set_accounts(accounts);
        self.judge_streams();
        Ok(())
    }
}

fn from(peer: Option<IpAddr>) -> String {
    peer.map_or_else(String::new, |peer| format!(" from {peer}"))
}

fn wait_text(wait: Duration) -> String {
    // Rounded up: asked a moment too early it would begin again.
    format!("too many attempts, wait {} s", wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)))
}

fn later(form: &FormOf, wait: Duration) -> Response {
    failed(form, 429, &wait_text(wait))
}

fn logged_in(form: &FormOf, handed: &HandedOut) -> Response {
    let response = match &form.page {
        Some(destination) => Response::empty(303).with("location", destination),
        None => {
            let body = json::object(|out| {
                out.text("token", &handed.token).number("timeToLive", handed.time_to_live.as_secs());
            });
            Response::json(200, body)
        }
    };
    if !form.gives_cookie {
        return response;
    }
    let (value, seconds) = (&handed.cookie, handed.time_to_live.as_secs());
    let secure = if form.secure { "; Secure" } else { "" };
    let name = session_cookie(form.door);
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    response.with("set-cookie", &cookie)
}

fn failed(form: &FormOf, status: u16, clause: &str) -> Response {
    match &form.page {
        Some(destination) => sign_in::page(status, clause, destination),
        None => wrong(status, clause),
    }
}

/// What Signal K's clients read of a failed login, and what Skiff's read of any error.
fn wrong(status: u16, clause: &str) -> Response {
    let body = json::object(|out| {
        out.text("state", "COMPLETED").number("statusCode", status).text("message", clause).text("error", clause);
    });
    Response::json(status, body)
}
