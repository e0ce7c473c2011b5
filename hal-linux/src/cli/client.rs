//! Asks a running gateway over HTTP.

use std::time::Duration;

use axum::http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Time to connect; a gateway is on this machine or on this boat.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Time for an answer; a plugin that is restarted answers when it has come up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of an answer; a backup has up to 32 MiB.
const ANSWER_BYTES_MAX: usize = 33 * 1024 * 1024;

/// A gateway somewhere.
#[derive(Clone, Debug)]
pub struct GatewayClient {
    /// Host and port.
    authority: String,
    token: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The address is no `http://host:port`.
    Url,
    /// Nobody answers there.
    Unreachable(String),
    /// The exchange broke off.
    Broken(String),
}

impl std::fmt::Display for ClientError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url => f.write_str("not an address of a gateway; write it as http://127.0.0.1:3000"),
            Self::Unreachable(reason) => write!(f, "no gateway answers: {reason}"),
            Self::Broken(reason) => write!(f, "the gateway did not answer: {reason}"),
        }
    }
}

impl std::error::Error for ClientError {}

/// The body of a request.
#[derive(Clone, Debug)]
pub enum Body {
    /// JSON text.
    Json(String),
    /// A package as `npm pack` makes it.
    Package(Vec<u8>),
    /// A backup.
    Backup(Vec<u8>),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayResponse {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

impl GatewayClient {
    /// Takes the address of a gateway, and the token for changes.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub fn new(url: &str, token: Option<String>) -> Result<Self, ClientError> {
        let url: Uri = url.trim_end_matches('/').parse().map_err(|_| ClientError::Url)?;
        match (url.scheme_str(), url.authority()) {
            (Some("http"), Some(authority)) if matches!(url.path(), "" | "/") && !authority.as_str().contains('@') => {
                let port =
                    authority.port_u16().map_or_else(|| format!("{}:80", authority.host()), |_| authority.to_string());
                Ok(Self { authority: port, token })
            }
            _ => Err(ClientError::Url),
        }
    }

    /// Returns the address of its page, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// Sends one request and waits for its answer.
    ///
    /// # Errors
    /// [`ClientError`] when there is none; a refusal by the gateway is a [`GatewayResponse`].
    pub fn send(&self, method: Method, path: &str, body: Option<Body>) -> Result<GatewayResponse, ClientError> {
        let broken = |error: &dyn std::fmt::Display| ClientError::Broken(error.to_string());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| broken(&error))?;
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.authority);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let (kind, body) = match body {
            Some(Body::Json(text)) => (Some("application/json"), text.into_bytes()),
            Some(Body::Package(bytes)) => (Some("application/gzip"), bytes),
            Some(Body::Backup(bytes)) => (Some("application/zip"), bytes),
            None => (None, Vec::new()),
        };
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request = request.body(Full::<Bytes>::from(body)).map_err(|error| broken(&error))?;
        runtime.block_on(async {
            let unreachable =
                |reason: &dyn std::fmt::Display| ClientError::Unreachable(format!("{}: {reason}", self.authority));
            let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(&self.authority)).await;
            let stream = stream.map_err(|_| unreachable(&"no answer in time"))?.map_err(|error| unreachable(&error))?;
            let exchange = async {
                let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
                    .await
                    .map_err(|error| broken(&error))?;
                tokio::spawn(connection);
                let answer = sender.send_request(request).await.map_err(|error| broken(&error))?;
                let status: StatusCode = answer.status();
                let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
                    .collect()
                    .await
                    .map_err(|error| broken(&error))?;
                Ok(GatewayResponse { status: status.as_u16(), body: body.to_bytes().into() })
            };
            tokio::time::timeout(ANSWER_TIMEOUT, exchange).await.map_err(|_| broken(&"no answer in time"))?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_http_and_nothing_more() {
        assert_eq!(GatewayClient::new("http://127.0.0.1:3000/", None).unwrap().authority, "127.0.0.1:3000");
        assert_eq!(GatewayClient::new("http://[::1]", None).unwrap().authority, "[::1]:80");
        for url in
            ["https://boat:3000", "boat", "http://", "http://boat/path", "http://user@boat", "file:///etc/passwd"]
        {
            assert_eq!(GatewayClient::new(url, None).err(), Some(ClientError::Url), "{url}");
        }
    }

    #[test]
    fn nobody_there_is_unreachable() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = GatewayClient::new(&format!("http://{free}"), None).unwrap();
        assert!(
            matches!(client.send(Method::GET, "/", None), Err(ClientError::Unreachable(text)) if text.contains(&free.to_string()))
        );
    }
}
