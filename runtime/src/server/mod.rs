//! The HTTP and WebSocket surface, without a transport.
//!
//! A carrier (axum on Linux, a small codec on a chip) turns bytes into a [`Request`](crate::http::Request) and a
//! [`Response`] back into bytes. Between them: [`route()`] says what is asked for, [`Access`] whether
//! the caller may, [`answer`] gives what needs only the model, [`endpoint`] translates for
//! plugins, and [`stream::Session`] is one client of the delta stream.

mod access;
#[cfg(any(test, feature = "server-routes"))]
mod admin_ui;
mod answer;
pub mod body;
mod clients;
pub mod endpoint;
mod index;
mod message;
#[cfg(any(test, feature = "appstore"))]
pub mod multipart;
pub mod patience;
pub mod plugins;
pub mod providers;
pub mod put;
pub mod requests;
mod route;
#[cfg(any(test, feature = "set-up"))]
pub(crate) mod set_up;
pub(crate) mod sign_in;
pub mod stream;
pub mod url;

pub use access::{Access, NewToken, OWNER, TOKEN_BYTES};
pub(crate) use access::{most_of, session_cookie};
#[cfg(any(test, feature = "page", feature = "server-routes"))]
pub(crate) use answer::login_status;
pub use answer::{Facts, PluginFacts, answer};
pub use clients::ClientCounters;
pub use message::Response;
pub(crate) use route::{LOG_VIEWER, SERVER_ROUTES};
pub use route::{Need, Route, StreamRoute, route};
