//! The server that takes the lines: what names it, and one request to it.

use std::fmt::{self, Write};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{RootCerts, TlsConfig};

use crate::tls::roots;

/// Between two values of a series, where nothing else is said.
const EVERY: Duration = Duration::from_secs(1);
/// Milliseconds between two values of a series.
const EVERY_MAX: u64 = 3_600_000;
/// Megabytes of lines that wait in files, where nothing else is said, and at most.
const KEEP: u64 = 64;
const KEEP_MAX: u64 = 16 * 1024;
/// Time to connect, and for a whole request: who takes nothing for so long is gone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 4096;
/// Letters of it that are told.
const CLAUSE_CHARS_MAX: usize = 200;
/// Bytes of a file with a token, a password or certificates.
const SECRET_BYTES_MAX: u64 = 256 * 1024;

/// How the server knows who writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Login {
    #[default]
    None,
    /// The token in a file.
    Token(PathBuf),
    /// A user, and the password in a file.
    Password(String, PathBuf),
}

/// What `influx://HOST:PORT?…` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Scheme, host and port.
    base: String,
    /// Path and query that lines are sent to.
    target: String,
    login: Login,
    /// Certificates that are trusted instead of Mozilla's.
    ca_file: Option<PathBuf>,
    /// Between two values of a series.
    pub every: Duration,
    /// Bytes of lines that wait in files.
    pub keep_bytes: u64,
    /// Lines of other vessels, too.
    pub is_for_all: bool,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// All of it is there.
    Taken,
    /// So many lines, or all, will never be, for this reason.
    Refused(Option<u64>, String),
    /// It is to be sent again, for this reason.
    Later(String),
}

impl Server {
    /// Takes what a user typed: `host:port`, and options.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(is_tls: bool, host: &str, options: &str) -> Result<Self, String> {
        let port = host.rsplit_once(':').filter(|(name, _)| !name.is_empty()).and_then(|(_, port)| port.parse().ok());
        if port.is_none_or(|port: u16| port == 0) || host.contains(['/', '@', ' ']) {
            return Err("write host and port, for example influx://192.168.1.20:8086?db=boat".into());
        }
        let mut server = Self {
            base: format!("{}://{host}", if is_tls { "https" } else { "http" }),
            target: String::new(),
            login: Login::None,
            ca_file: None,
            every: EVERY,
            keep_bytes: KEEP << 20,
            is_for_all: false,
        };
        let (mut db, mut org, mut bucket, mut user, mut password) = (None, None, None, None, None);
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let number = |max: u64, clause: &str| {
                value.parse().ok().filter(|number| *number <= max).ok_or_else(|| clause.to_owned())
            };
            match name {
                _ if value.is_empty() => return Err(format!("{name}= needs a value")),
                "db" => db = Some(value),
                "org" => org = Some(value),
                "bucket" => bucket = Some(value),
                "user" => user = Some(value),
                "password_file" => password = Some(PathBuf::from(value)),
                "token_file" => server.login = Login::Token(value.into()),
                "ca_file" => server.ca_file = Some(value.into()),
                "every" => {
                    server.every = Duration::from_millis(number(EVERY_MAX, "every is milliseconds, up to 3600000")?);
                }
                "keep" => server.keep_bytes = number(KEEP_MAX, "keep is megabytes, up to 16384")? << 20,
                "contexts" => {
                    server.is_for_all = match value {
                        "all" => true,
                        "self" => false,
                        _ => return Err("contexts is self or all".into()),
                    }
                }
                _ => {
                    return Err(format!(
                        "{option} is no option; there are db= or org= and bucket=, token_file= or user= and \
                         password_file=, ca_file=, every=, keep= and contexts="
                    ));
                }
            }
        }
        server.target = match (db, org, bucket) {
            (Some(db), None, None) => format!("/write?db={}&precision=ms", coded(db)),
            (None, Some(org), Some(bucket)) => {
                format!("/api/v2/write?org={}&bucket={}&precision=ms", coded(org), coded(bucket))
            }
            _ => return Err("name db= (InfluxDB 1, VictoriaMetrics, QuestDB) or org= and bucket= (InfluxDB 2)".into()),
        };
        server.login = match (server.login, user, password) {
            (login, None, None) => login,
            (Login::None, Some(user), Some(file)) => Login::Password(user.to_owned(), file),
            _ => return Err("name token_file=, or user= and password_file=".into()),
        };
        Ok(server)
    }

    /// Tells whether a token or a password goes over a network in the clear.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        let (scheme, host) = self.base.split_once("://").unwrap_or_default();
        self.login != Login::None && scheme == "http" && !is_near(host)
    }

    /// Returns a client of it.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn client(&self) -> Result<Client, String> {
        let roots = match &self.ca_file {
            None => RootCerts::WebPki,
            Some(file) => roots::of_pem(&read(file)?).ok_or_else(|| format!("{}: no certificate", file.display()))?,
        };
        let config = Config::builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .user_agent(concat!("Skiff/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Client { agent: Agent::new_with_config(config), server: self.clone() })
    }

    /// Tells whether it is there and takes lines of us, without one.
    ///
    /// # Errors
    /// Why not.
    pub fn try_it(&self) -> Result<(), String> {
        match self.client()?.send("") {
            // That there is no line in it is no fault of the way there.
            Sent::Taken | Sent::Refused(..) => Ok(()),
            Sent::Later(reason) => Err(reason),
        }
    }

    fn authorization(&self) -> Result<Option<String>, String> {
        let line = |file: &Path| read(file).map(|text| String::from_utf8_lossy(&text).trim().to_owned());
        Ok(match &self.login {
            Login::None => None,
            Login::Token(file) => Some(format!("Token {}", line(file)?)),
            Login::Password(user, file) => {
                use base64ct::{Base64, Encoding};
                let pair = format!("{user}:{}", line(file)?);
                Some(format!("Basic {}", Base64::encode_string(pair.as_bytes())))
            }
        })
    }
}

impl fmt::Display for Server {
    /// Where it is; no secret is in there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host) = self.base.split_once("://").unwrap_or(("", &self.base));
        let query = self.target.split_once('?').map_or("", |(_, query)| query.trim_end_matches("&precision=ms"));
        write!(f, "influx{}://{host}?{query}", if scheme == "https" { "s" } else { "" })
    }
}

/// A connection to a server that is kept as long as it lasts.
pub struct Client {
    agent: Agent,
    server: Server,
}

impl Client {
    /// Sends lines.
    pub fn send(&self, lines: &str) -> Sent {
        let authorization = match self.server.authorization() {
            Ok(authorization) => authorization,
            Err(reason) => return Sent::Later(reason),
        };
        let url = format!("{}{}", self.server.base, self.server.target);
        let request = self.agent.post(&url).header("content-type", "text/plain; charset=utf-8");
        let request = authorization.into_iter().fold(request, |request, value| request.header("authorization", value));
        let answer = match request.send(lines.as_bytes()) {
            Ok(answer) => answer,
            Err(error) => return Sent::Later(error.to_string()),
        };
        let status = answer.status().as_u16();
        let mut text = Vec::new();
        // What cannot be read of it is only missing in the message.
        let _ = answer.into_body().into_reader().take(ANSWER_BYTES_MAX).read_to_end(&mut text);
        judged(status, &String::from_utf8_lossy(&text))
    }
}

/// Tells what an answer says of the lines.
fn judged(status: u16, text: &str) -> Sent {
    let first: String = text.trim().lines().next().unwrap_or_default().chars().take(CLAUSE_CHARS_MAX).collect();
    let clause = if first.is_empty() { format!("status {status}") } else { format!("status {status}: {first}") };
    match status {
        200..300 => Sent::Taken,
        // Of these lines, not of who sends them: they would be refused for ever. InfluxDB takes the others, and counts.
        400 | 413 | 422 => {
            let dropped = text.split_once("dropped=").map(|(_, rest)| rest.trim_start());
            let digits = dropped.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
            Sent::Refused(digits.and_then(|digits| digits.parse().ok()), clause)
        }
        // No database, no login, too much at a time, or trouble of its own: that is mended one day.
        _ => Sent::Later(clause),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = fs::File::open(file).and_then(|file| file.take(SECRET_BYTES_MAX).read_to_end(&mut text));
    read.map(|_| text).map_err(|error| format!("{}: {error}", file.display()))
}

/// Tells whether a host is this machine.
fn is_near(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Codes a value of a query (RFC 3986 §2.1); what is coded already stays so.
fn coded(value: &str) -> String {
    let mut coded = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte) {
            coded.push(byte.into());
        } else {
            // Writing to a string cannot fail.
            let _ = write!(coded, "%{byte:02X}");
        }
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_its_address() {
        for (host, options, target, shown) in [
            ("nas:8086", "db=boat", "/write?db=boat&precision=ms", "influx://nas:8086?db=boat"),
            (
                "nas:8086",
                "org=my crew&bucket=sea&every=0&keep=1&contexts=all",
                "/api/v2/write?org=my%20crew&bucket=sea&precision=ms",
                "influx://nas:8086?org=my%20crew&bucket=sea",
            ),
            ("127.0.0.1:8086", "db=b&token_file=/t", "/write?db=b&precision=ms", "influx://127.0.0.1:8086?db=b"),
            ("[::1]:1", "db=b&user=u&password_file=/p", "/write?db=b&precision=ms", "influx://[::1]:1?db=b"),
        ] {
            let server = Server::parse(false, host, options).unwrap();
            assert_eq!((&*server.target, &*server.to_string()), (target, shown));
        }
        let server = Server::parse(true, "sea.example:443", "org=a&bucket=b&token_file=/t").unwrap();
        assert_eq!(server.to_string(), "influxs://sea.example:443?org=a&bucket=b");
        assert!(!server.is_open_to_all());
        assert!(Server::parse(false, "nas:8086", "db=a&token_file=/t").unwrap().is_open_to_all());
        assert!(!Server::parse(false, "[::1]:8086", "db=a&token_file=/t").unwrap().is_open_to_all());
        assert_eq!((server.every, server.keep_bytes, server.is_for_all), (EVERY, 64 << 20, false));
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (host, options, clause) in [
            ("nas", "db=b", "host and port"),
            ("nas:0", "db=b", "host and port"),
            ("a@nas:1", "db=b", "host and port"),
            ("nas:1", "", "name db="),
            ("nas:1", "db=b&org=c", "name db="),
            ("nas:1", "org=c", "name db="),
            ("nas:1", "db=", "needs a value"),
            ("nas:1", "db=b&every=x", "milliseconds"),
            ("nas:1", "db=b&keep=99999", "megabytes"),
            ("nas:1", "db=b&contexts=x", "self or all"),
            ("nas:1", "db=b&user=x", "password_file"),
            ("nas:1", "db=b&token=x", "is no option"),
        ] {
            let refused = Server::parse(false, host, options).unwrap_err();
            assert!(refused.contains(clause), "{host}?{options}: {refused}");
        }
    }

    #[test]
    fn an_answer_says_whether_lines_are_sent_again() {
        let partial = r#"{"error":"partial write: field type conflict: input field \"value\" is string dropped=3"}"#;
        assert!(matches!(judged(400, partial), Sent::Refused(Some(3), _)));
        assert!(matches!(judged(413, ""), Sent::Refused(None, clause) if clause == "status 413"));
        assert_eq!(judged(204, ""), Sent::Taken);
        for later in [401, 403, 404, 408, 429, 500, 503] {
            assert!(
                matches!(judged(later, "no\nmore"), Sent::Later(clause) if clause == format!("status {later}: no"))
            );
        }
    }
}
