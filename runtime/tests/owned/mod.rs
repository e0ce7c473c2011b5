//! A gateway with an owner and users, shared by tests.
#![allow(dead_code)] // each test file uses its part

use serde_json::{Value, json};
use skiff_runtime::accounts::Accounts;
use skiff_runtime::gateway::{BoardParts, StreamId, StreamOut};
use skiff_runtime::hal::sim::{SimPasswords, SimStorage};
use skiff_runtime::http::{Door, Method, Request};
use skiff_runtime::plugin::ExchangeId;
use skiff_runtime::server::Response;

use crate::boat::Boat;

pub const LOG_IN: &str = "/signalk/v1/auth/login";

/// A gateway on a boat's network, with its owner.
pub struct Owned {
    pub boat: Boat,
    pub owner: String,
    pub storage: SimStorage,
    pub passwords: SimPasswords,
    pub door: Door,
}

impl Owned {
    pub fn new() -> Self {
        let storage = SimStorage::new();
        let (boat, owner) = Boat::guarded(storage.clone());
        Self::with(boat, owner, storage)
    }

    /// The same after a restart.
    pub fn restarted(self) -> Self {
        let known = Accounts::load(&mut self.storage.clone()).unwrap();
        let (boat, owner) = Boat::guarded_with(self.storage.clone(), known);
        Self::with(boat, owner, self.storage)
    }

    pub fn with(mut boat: Boat, owner: String, storage: SimStorage) -> Self {
        let passwords = SimPasswords::new();
        boat.gateway.attach(BoardParts { passwords: Some(Box::new(passwords.clone())), ..BoardParts::default() });
        Self { boat, owner, storage, passwords, door: Door::Boat }
    }

    /// Sends a request from the boat's network and waits for its answer.
    pub fn ask(&mut self, method: Method, target: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let exchange = self.send(method, target, headers, body);
        for _ in 0..3 {
            if let Some(response) = self.boat.answer(exchange) {
                return response;
            }
            self.boat.gateway.poll();
        }
        panic!("{target} is not answered");
    }

    /// Sends a request from the boat's network.
    pub fn send(&mut self, method: Method, target: &str, headers: &[(&str, &str)], body: &str) -> ExchangeId {
        let mut all = vec![("host".to_owned(), "192.168.1.5:3000".to_owned())];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let peer = Some("192.168.1.9".parse().unwrap());
        let body = body.as_bytes().into();
        let door = self.door;
        let request = Request { headers: all, peer, local: false, body, door, ..Request::new(method, target) };
        self.boat.gateway.request(&request)
    }

    pub fn as_owner(&mut self, method: Method, target: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {}", self.owner);
        let response = self.ask(method, target, &[("authorization", &bearer)], &body.to_string());
        (response.status, read(&response))
    }

    pub fn send_as_owner(&mut self, method: Method, target: &str, body: &Value) -> ExchangeId {
        let bearer = format!("Bearer {}", self.owner);
        self.send(method, target, &[("authorization", &bearer)], &body.to_string())
    }

    pub fn add(&mut self, name: &str, role: &str) {
        let user = json!({ "password": format!("{name}-secret"), "type": role });
        assert_eq!(self.as_owner(Method::Post, &format!("/skServer/security/users/{name}"), &user).0, 200);
    }

    pub fn log_in(&mut self, name: &str, password: &str) -> Response {
        let login = json!({ "username": name, "password": password }).to_string();
        self.ask(Method::Post, LOG_IN, &[("content-type", "application/json")], &login)
    }

    /// Opens a stream; `headers` beside `Host`.
    pub fn stream(&mut self, query: &str, headers: &[(&str, &str)]) -> Result<StreamId, Response> {
        let mut all = vec![("host".to_owned(), "192.168.1.5:3000".to_owned())];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let peer = Some("192.168.1.9".parse().unwrap());
        let target = format!("/signalk/v1/stream{query}");
        let door = self.door;
        let request = Request { headers: all, peer, local: false, door, ..Request::new(Method::Get, &target) };
        self.boat.gateway.open_stream(&request)
    }

    /// Sends a message on a stream and returns all that comes back.
    pub fn say(&mut self, stream: StreamId, message: &Value) -> Vec<Value> {
        self.boat.gateway.stream_receive(stream, &message.to_string());
        self.boat.settle();
        self.heard(stream)
    }

    pub fn heard(&mut self, stream: StreamId) -> Vec<Value> {
        let mut heard = Vec::new();
        while let StreamOut::Text(text) = self.boat.gateway.stream_next(stream) {
            heard.push(serde_json::from_str(&text).unwrap());
        }
        heard
    }

    pub fn is_over(&mut self, stream: StreamId) -> bool {
        self.boat.gateway.stream_next(stream) == StreamOut::Closed
    }
}

pub fn read(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or(Value::Null)
}

/// The cookie of a response as a browser sends it back.
pub fn cookie(response: &Response) -> String {
    let set = response.header("set-cookie").expect("a cookie");
    assert!(set.contains("; HttpOnly; SameSite=Strict; "), "{set}");
    set.split(';').next().unwrap().to_owned()
}

pub fn bearer(token: &Value) -> String {
    format!("Bearer {}", token.as_str().expect("a token"))
}
