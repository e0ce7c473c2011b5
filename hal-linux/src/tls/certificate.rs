//! A certificate with its key, as the web server shows it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{InconsistentKeys, ServerConfig};
use sha2::{Digest, Sha256};
use webpki::{EndEntityCert, KeyUsage};

/// Certificates of a chain.
const CHAIN_MAX: usize = 8;
/// 31 December 9999, 23:59:59: the end of what has none (RFC 5280 §4.1.2.5).
const NEVER: Duration = Duration::from_secs(253_402_300_799);

/// A certificate with its key, which belong together.
pub struct Certificate {
    config: Arc<ServerConfig>,
    chain: Vec<CertificateDer<'static>>,
    end: SystemTime,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("end", &self.end).finish_non_exhaustive()
    }
}

/// What is wrong with a certificate or its key.
#[derive(Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// No certificate in the text.
    NoCertificate,
    /// More certificates than a chain has.
    LongChain,
    /// No key in the text.
    NoKey,
    /// It cannot be read.
    Damaged(String),
    /// The key is not the certificate's.
    KeyOfAnother,
}

impl CertificateError {
    /// Tells whether it is the key that cannot be used.
    #[must_use]
    pub fn is_of_key(&self) -> bool {
        matches!(self, Self::NoKey | Self::KeyOfAnother)
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => write!(f, "holds no certificate (PEM, CERTIFICATE)"),
            Self::LongChain => write!(f, "holds more than {CHAIN_MAX} certificates"),
            Self::NoKey => write!(f, "holds no key that is not encrypted (PEM, PRIVATE KEY)"),
            Self::Damaged(error) => write!(f, "a certificate that cannot be used: {error}"),
            Self::KeyOfAnother => write!(f, "the key of another certificate"),
        }
    }
}

impl Certificate {
    /// Reads the own certificate, those it was signed with, and the key, each in PEM.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn read(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let damaged = |error: &dyn fmt::Display| CertificateError::Damaged(error.to_string());
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(chain) {
            if certificates.len() >= CHAIN_MAX {
                return Err(CertificateError::LongChain);
            }
            certificates.push(certificate.map_err(|error| damaged(&error))?);
        }
        let own = certificates.first().ok_or(CertificateError::NoCertificate)?;
        let end = end(own).map_err(|error| damaged(&error))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(certificates.clone(), key));
        let mut config = config.map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => CertificateError::KeyOfAnother,
            error => damaged(&error),
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), chain: certificates, end })
    }

    /// Returns what a handshake needs.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Returns when it ends.
    #[must_use]
    pub fn end(&self) -> SystemTime {
        self.end
    }

    /// Tells whether two are the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.chain == other.chain
    }

    /// Tells whether it is one for this name or address.
    #[must_use]
    pub fn is_for(&self, name: &str) -> bool {
        let (Some(own), Ok(name)) = (self.chain.first(), ServerName::try_from(name)) else { return false };
        EndEntityCert::try_from(own).is_ok_and(|own| own.verify_is_valid_for_subject_name(&name).is_ok())
    }

    /// Returns its SHA-256 as browsers show it, `AB:CD:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let own: &[u8] = self.chain.first().map(AsRef::as_ref).unwrap_or_default();
        let bytes: Vec<String> = Sha256::digest(own).iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }
}

/// Returns when a certificate ends. The library tells it only of one that has ended, so it is asked at the end of time;
/// the dates are the first that it looks at.
fn end(certificate: &CertificateDer<'_>) -> Result<SystemTime, webpki::Error> {
    let own = EndEntityCert::try_from(certificate)?;
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms.all;
    let late = UnixTime::since_unix_epoch(NEVER);
    let end = match own.verify_for_usage(algorithms, &[], &[], late, KeyUsage::server_auth(), None, None) {
        Err(webpki::Error::CertExpired { not_after, .. }) => Duration::from_secs(not_after.as_secs()),
        _ => NEVER,
    };
    SystemTime::UNIX_EPOCH.checked_add(end).ok_or(webpki::Error::BadDer)
}
