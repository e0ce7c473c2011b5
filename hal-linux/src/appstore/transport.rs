//! Reads one address over HTTP or HTTPS, with a limit for everything.

use std::io::Read;
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{RootCerts, TlsConfig};

use super::registry::RegistryError;
use crate::tls::roots;

/// Redirects that are followed.
const REDIRECTS_MAX: u32 = 5;
/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Time for all of it: 10 MB over a harbour's Wi-Fi.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Bytes of the head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A client that trusts the settings' certificates, or those that Mozilla trusts.
pub(super) struct Transport {
    roots: RootCerts,
}

impl Transport {
    /// Takes certificates to trust, as PEM.
    pub fn new(certificates: Option<&[u8]>) -> Result<Self, RegistryError> {
        let Some(pem) = certificates else { return Ok(Self { roots: RootCerts::WebPki }) };
        let without = || RegistryError::Settings("npm's setting `cafile` names a file without a certificate".into());
        Ok(Self { roots: roots::of_pem(pem).ok_or_else(without)? })
    }

    /// Reads what lies at `url`, at most `bytes_max` bytes. `accept` is the kind of document that is wanted; without one the
    /// bytes come as they lie there.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn get(&self, url: &str, accept: Option<&str>, bytes_max: usize) -> Result<Vec<u8>, RegistryError> {
        let uri: ureq::http::Uri = url.parse().map_err(|_| RegistryError::Address(url.to_owned()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(RegistryError::Address(url.to_owned()));
        }
        let config = Config::builder()
            .max_redirects(REDIRECTS_MAX)
            // What was asked for in secret is not sent on in the clear.
            .https_only(uri.scheme_str() == Some("https"))
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .max_response_header_size(HEAD_BYTES_MAX)
            .max_idle_connections(0)
            .tls_config(TlsConfig::builder().root_certs(self.roots.clone()).build())
            .user_agent(concat!("Skiff/", env!("CARGO_PKG_VERSION")))
            .build();
        let request = Agent::new_with_config(config).get(url);
        let request = match accept {
            Some(kind) => request.header("accept", kind),
            None => request.header("accept-encoding", "identity"),
        };
        let answer = request.call().map_err(|error| told(&error, url))?;
        match answer.status().as_u16() {
            200 => {}
            404 | 410 => return Err(RegistryError::NotFound(url.to_owned())),
            status => return Err(RegistryError::Status { status, url: url.to_owned() }),
        }
        let too_large = || RegistryError::TooLarge { limit: bytes_max };
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        // Before anything of it is loaded, where the server says how much it is.
        if answer.body().content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut data = Vec::new();
        let mut reader = answer.into_body().into_reader().take(limit.saturating_add(1));
        reader.read_to_end(&mut data).map_err(|error| RegistryError::Cut(error.to_string()))?;
        if data.len() > bytes_max { Err(too_large()) } else { Ok(data) }
    }
}

fn told(error: &ureq::Error, url: &str) -> RegistryError {
    match error {
        ureq::Error::TooManyRedirects => RegistryError::Redirects(url.to_owned()),
        ureq::Error::RequireHttpsOnly(_) => RegistryError::Downgrade(url.to_owned()),
        _ => RegistryError::Unreachable { url: url.to_owned(), reason: error.to_string() },
    }
}
