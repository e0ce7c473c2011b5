//! Another Signal K server as an input: where it is, who we are to it, and the connection over which its deltas come.

pub mod ask;
mod discovery;
mod line;
pub mod nearby;
mod trust;

use std::fmt;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use skiff_runtime::delta::DELTA_BYTES_MAX;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::http::header::AUTHORIZATION;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

pub(crate) use line::Line;
#[cfg(feature = "mqtt")]
pub(crate) use trust::Identity;
pub use trust::Trust;

/// Path of the stream of deltas (Signal K 1.7.0, "Streaming API").
const STREAM_PATH: &str = "/signalk/v1/stream";
/// Bytes of one message that are taken in; a longer one ends the connection. Of a delta [`DELTA_BYTES_MAX`] are read.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Silence after which the other is asked whether it is there.
const PING_AFTER: Duration = Duration::from_secs(20);
/// Silence after which it is taken for gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Bytes of a token.
const TOKEN_BYTES_MAX: usize = 4096;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `ws://` and `wss://`: its stream.
    Stream(Site),
    /// `http://`, `https://` and `signalk://`: where it says that its stream is.
    Discover(Site),
    /// `mdns://NAME`: found on the network by what it, its vessel or its host is called; without a name the first that is not
    /// this gateway.
    Nearby(Option<String>),
}

/// Host, port and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// With TLS.
    pub is_secure: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Begins with `/`.
    pub path: String,
}

impl Site {
    /// Reads `HOST[:PORT][/PATH]`.
    pub(crate) fn parse(text: &str, is_secure: bool, port: Option<u16>, path: &str) -> Result<Self, String> {
        let wrong = || "write host and port, for example ws://192.168.1.20:3000".to_owned();
        let (authority, given) = text.find('/').map_or((text, ""), |at| text.split_at(at));
        let bracketed = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, rest) = match bracketed {
            Some(parts) => parts,
            None => authority.find(':').map_or((authority, ""), |at| authority.split_at(at)),
        };
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().map_err(|_| wrong())?,
            None if rest.is_empty() => port.ok_or_else(wrong)?,
            None => return Err(wrong()),
        };
        let sound = |letter: char| letter.is_ascii_graphic() && !matches!(letter, '@' | '#' | '\\');
        if host.is_empty() || !host.chars().all(sound) || !given.chars().all(sound) {
            return Err(wrong());
        }
        let path = if matches!(given, "" | "/") { path } else { given };
        Ok(Self { is_secure, host: host.to_owned(), port, path: path.to_owned() })
    }

    /// Returns host and port as a URL has them.
    pub(crate) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// Something that is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Given(Secret),
    /// Read anew at each connection.
    File(PathBuf),
}

/// Another server, and how it is listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub place: Place,
    token: Option<Token>,
    trust: Trust,
    /// Only its own vessel.
    only_self: bool,
    /// Its own vessel stays another one here.
    pub is_apart: bool,
}

impl Server {
    /// Takes the part of a URL behind its scheme; `None` where the scheme is no server's.
    pub fn parse(scheme: &str, rest: &str) -> Option<Result<Self, String>> {
        let place = match scheme {
            "ws" | "wss" => {
                let is_secure = scheme == "wss";
                Site::parse(rest, is_secure, Some(if is_secure { 443 } else { 80 }), STREAM_PATH).map(Place::Stream)
            }
            "http" => Site::parse(rest, false, Some(80), discovery::PATH).map(Place::Discover),
            "https" => Site::parse(rest, true, Some(443), discovery::PATH).map(Place::Discover),
            "signalk" => Site::parse(rest, false, None, discovery::PATH).map(Place::Discover),
            "mdns" => Ok(Place::Nearby(Some(rest.to_owned()).filter(|name| !name.is_empty()))),
            _ => return None,
        };
        Some(place.map(|place| Self { place, token: None, trust: Trust::System, only_self: false, is_apart: false }))
    }

    /// Takes an option; false when it is none of a server's.
    ///
    /// # Errors
    /// What to write instead.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match (name, value) {
            ("token", "") | ("token-file", "") | ("ca", "") => return Err(format!("{name}= is empty")),
            ("token", token) => self.token = Some(Token::Given(Secret(token.to_owned()))),
            ("token-file", path) => self.token = Some(Token::File(path.into())),
            ("ca", path) => self.trust = Trust::Authority(path.into()),
            ("fingerprint", text) => self.trust = Trust::fingerprint(text)?,
            ("subscribe", "all") => self.only_self = false,
            ("subscribe", "self") => self.only_self = true,
            ("subscribe", _) => return Err("subscribe is all or self".into()),
            ("self", "own") => self.is_apart = false,
            ("self", "other") => self.is_apart = true,
            ("self", _) => return Err("self is own or other".into()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Returns the label where none is given.
    pub fn label(&self) -> String {
        match &self.place {
            Place::Stream(site) | Place::Discover(site) => site.host.replace('.', "-"),
            Place::Nearby(name) => name.as_deref().unwrap_or("mdns").replace('.', "-"),
        }
    }

    /// Connects; `own` is the URN of the own vessel, by which this gateway knows itself on the network.
    ///
    /// # Errors
    /// What went wrong, and what to do where something can be done.
    pub fn connect(&self, own: &str) -> Result<Connection, String> {
        let site = match &self.place {
            Place::Stream(site) => site.clone(),
            Place::Discover(site) => discovery::stream(site, &self.trust)?,
            Place::Nearby(name) => nearby::one(name.as_deref(), own)?,
        };
        let line = Line::open(&site, &self.trust, None)?;
        let scheme = if site.is_secure { "wss" } else { "ws" };
        let what = if self.only_self { "self" } else { "all" };
        let url = format!("{scheme}://{}{}?subscribe={what}&sendMeta=all", site.authority(), site.path);
        let mut request = url.into_client_request().map_err(|error| error.to_string())?;
        if let Some(token) = self.token()? {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| "the token cannot be one")?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX))
            .read_buffer_size(16 * 1024)
            .write_buffer_size(0);
        let socket = tungstenite::client::client_with_config(request, line, Some(limits));
        let socket = socket.map_err(|error| self.refusal(error))?.0;
        Ok(Connection { socket, heard: Instant::now(), asked: false })
    }

    fn refusal(&self, error: HandshakeError<tungstenite::ClientHandshake<Line>>) -> String {
        match error {
            HandshakeError::Interrupted(_) => "the server does not answer".into(),
            HandshakeError::Failure(Error::Http(response)) => match (response.status().as_u16(), &self.token) {
                (401 | 403, None) => "the server asks for a token: give it by token-file=FILE".into(),
                (status @ (401 | 403), Some(_)) => format!("the server does not take the token ({status})"),
                (status, _) => format!("the server gives no stream there ({status})"),
            },
            HandshakeError::Failure(error) => error.to_string(),
        }
    }

    fn token(&self) -> Result<Option<String>, String> {
        match &self.token {
            None => Ok(None),
            Some(Token::Given(Secret(token))) => Ok(Some(token.clone())),
            Some(Token::File(path)) => {
                let read = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
                let token = read.trim();
                let is_one = !token.is_empty() && token.len() <= TOKEN_BYTES_MAX;
                is_one.then(|| Some(token.to_owned())).ok_or_else(|| format!("{}: holds no token", path.display()))
            }
        }
    }
}

/// Shows where it is, and no secret.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, site) = match &self.place {
            Place::Nearby(name) => return write!(f, "mdns://{}", name.as_deref().unwrap_or_default()),
            Place::Stream(site) => (if site.is_secure { "wss" } else { "ws" }, site),
            Place::Discover(site) => (if site.is_secure { "https" } else { "http" }, site),
        };
        write!(f, "{scheme}://{}", site.authority())
    }
}

/// What comes next over a connection.
pub enum Heard {
    /// A text: a hello, a delta, or something else.
    Text(String),
    /// More than a delta can be.
    TooLong,
}

/// A connection to a server.
pub struct Connection {
    socket: WebSocket<Line>,
    heard: Instant,
    /// It was asked whether it is there.
    asked: bool,
}

impl Connection {
    /// Returns its socket, to be shut down.
    pub fn socket(&self) -> &TcpStream {
        self.socket.get_ref().socket()
    }

    /// Waits for the next text.
    ///
    /// # Errors
    /// Why the connection is over.
    pub fn hear(&mut self) -> Result<Heard, String> {
        loop {
            match self.socket.read() {
                Ok(message) => {
                    (self.heard, self.asked) = (Instant::now(), false);
                    match message {
                        Message::Text(text) if text.len() > DELTA_BYTES_MAX => return Ok(Heard::TooLong),
                        Message::Text(text) => return Ok(Heard::Text(text.as_str().to_owned())),
                        Message::Close(frame) => {
                            let reason = frame.map(|frame| frame.reason.as_str().to_owned()).unwrap_or_default();
                            let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
                            return Err(format!("the server ended the connection{reason}"));
                        }
                        _ => {}
                    }
                }
                Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    self.be_patient()?;
                }
                Err(Error::Io(error)) if error.kind() == ErrorKind::Interrupted => {}
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    return Err("the server ended the connection".into());
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// Asks a silent server whether it is there.
    fn be_patient(&mut self) -> Result<(), String> {
        let silence = self.heard.elapsed();
        if silence >= SILENCE_MAX {
            return Err(format!("nothing came for {} s", SILENCE_MAX.as_secs()));
        }
        if silence >= PING_AFTER && !self.asked {
            self.asked = true;
            self.socket.send(Message::Ping(Vec::new().into())).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
