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
/// Bytes that are read at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// Is told how many bytes have come, and how many there are where the server says so.
pub type Watch<'w> = &'w mut dyn FnMut(u64, Option<u64>);

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
        self.get_watched(url, accept, bytes_max, &mut |_, _| {})
    }

    /// As [`Transport::get`], telling after each piece how much has come.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn get_watched(
        &self,
        url: &str,
        accept: Option<&str>,
        bytes_max: usize,
        watch: Watch,
    ) -> Result<Vec<u8>, RegistryError> {
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
        let length = answer.body().content_length();
        if length.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut reader = answer.into_body().into_reader().take(limit.saturating_add(1));
        let data = read_watched(&mut reader, length, watch).map_err(|error| RegistryError::Cut(error.to_string()))?;
        if data.len() > bytes_max { Err(too_large()) } else { Ok(data) }
    }
}

/// Reads to the end; the reader is the one that ends at a limit.
fn read_watched(reader: &mut dyn Read, length: Option<u64>, watch: Watch) -> std::io::Result<Vec<u8>> {
    let (mut data, mut piece) = (Vec::new(), vec![0; PIECE_BYTES]);
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(data),
            Ok(read) => data.extend_from_slice(piece.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        watch(u64::try_from(data.len()).unwrap_or(u64::MAX), length);
    }
}

fn told(error: &ureq::Error, url: &str) -> RegistryError {
    match error {
        ureq::Error::TooManyRedirects => RegistryError::Redirects(url.to_owned()),
        ureq::Error::RequireHttpsOnly(_) => RegistryError::Downgrade(url.to_owned()),
        _ => RegistryError::Unreachable { url: url.to_owned(), reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_watches_is_told_of_each_piece_and_of_the_length() {
        let sent: Vec<u8> = (0..PIECE_BYTES * 2 + 5).map(|at| (at % 251) as u8).collect();
        let length = sent.len() as u64;
        let mut told = Vec::new();
        let read = read_watched(&mut sent.as_slice(), Some(length), &mut |read, of| told.push((read, of))).unwrap();
        assert_eq!(read, sent);
        let piece = PIECE_BYTES as u64;
        assert_eq!(told, [(piece, Some(length)), (2 * piece, Some(length)), (length, Some(length))]);
        let mut nothing = 0;
        assert!(read_watched(&mut [].as_slice(), None, &mut |_, _| nothing += 1).unwrap().is_empty());
        assert_eq!(nothing, 0);
    }

    #[test]
    fn what_breaks_off_is_an_error_and_not_a_short_answer() {
        struct Broken(bool);
        impl Read for Broken {
            fn read(&mut self, piece: &mut [u8]) -> std::io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(std::io::ErrorKind::ConnectionReset.into());
                }
                Ok(piece.len())
            }
        }
        assert!(read_watched(&mut Broken(false), None, &mut |_, _| {}).is_err());
    }
}
