//! Whose certificates a server may show.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

/// Where systems keep the authorities that they trust: Debian and Alpine, Fedora, openSUSE.
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];
/// Names another bundle, as for other programs.
const BUNDLE_VARIABLE: &str = "SSL_CERT_FILE";
/// Bytes of a SHA-256.
const HASH_BYTES: usize = 32;

/// Whose certificates are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those that were signed by whom the system trusts.
    System,
    /// Those that were signed by one of this file, PEM; or one of these.
    Authority(PathBuf),
    /// The one with this SHA-256, whatever name and end it has.
    Fingerprint([u8; HASH_BYTES]),
}

impl Trust {
    /// Reads a SHA-256 as browsers show it: `AB:CD:…`, with or without colons.
    pub(crate) fn fingerprint(text: &str) -> Result<Self, String> {
        let wrong =
            || "fingerprint is the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons".to_owned();
        let digits: String = text.chars().filter(|letter| *letter != ':').collect();
        let mut hash = [0; HASH_BYTES];
        if digits.len() != 2 * HASH_BYTES || !digits.is_ascii() {
            return Err(wrong());
        }
        for (byte, at) in hash.iter_mut().zip((0..).step_by(2)) {
            let pair = digits.get(at..at + 2).unwrap_or_default();
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self::Fingerprint(hash))
    }

    /// Returns what a handshake needs; files are read anew.
    pub(super) fn config(&self, identity: Option<&Identity<'_>>) -> Result<ClientConfig, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = match self {
            Self::System => Verifier::signed(&bundle()?, &provider)?,
            Self::Authority(path) => Verifier::signed(path, &provider)?,
            Self::Fingerprint(hash) => Verifier { wanted: Wanted::This(*hash), provider: Arc::clone(&provider) },
        };
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| error.to_string())?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        match identity {
            None => Ok(builder.with_no_client_auth()),
            Some(identity) => {
                let (chain, key) = identity.read()?;
                let shown = |error: Error| format!("{}: {error}", identity.cert_file.display());
                builder.with_client_auth_cert(chain, key).map_err(shown)
            }
        }
    }
}

/// The certificate by which a client is known to a server, and its key; PEM.
pub struct Identity<'a> {
    /// The certificate, with those that signed it behind it.
    pub cert_file: &'a Path,
    /// Its key.
    pub key_file: &'a Path,
}

impl Identity<'_> {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
        let read = |file: &Path| std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()));
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(self.cert_file)?).flatten().collect();
        if chain.is_empty() {
            return Err(format!("{}: holds no certificate (PEM, CERTIFICATE)", self.cert_file.display()));
        }
        let key = PrivateKeyDer::from_pem_slice(&read(self.key_file)?);
        // What is wrong with it is not told: it is a key.
        let key = key.map_err(|_| format!("{}: holds no key (PEM, PRIVATE KEY)", self.key_file.display()))?;
        Ok((chain, key))
    }
}

fn bundle() -> Result<PathBuf, String> {
    let named = std::env::var_os(BUNDLE_VARIABLE).map(PathBuf::from);
    let known = || BUNDLES.iter().map(PathBuf::from).find(|path| path.exists());
    named.or_else(known).ok_or_else(|| "the system has no file of certificates; give one by ca=FILE".into())
}

/// Which certificate is taken.
enum Wanted {
    Signed(Arc<WebPkiServerVerifier>),
    This([u8; HASH_BYTES]),
}

/// Judges the certificate that a server shows.
struct Verifier {
    wanted: Wanted,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl Verifier {
    fn signed(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Self, String> {
        let told = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let pem = std::fs::read(path).map_err(|error| told(&error))?;
        let mut roots = RootCertStore::empty();
        let (taken, _) = roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
        if taken == 0 {
            return Err(told(&"holds no certificate (PEM, CERTIFICATE)"));
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        let verifier = verifier.map_err(|error| told(&error))?;
        Ok(Self { wanted: Wanted::Signed(verifier), provider: Arc::clone(provider) })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        status: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let hash: [u8; HASH_BYTES] = Sha256::digest(own).into();
        let shown = || hash.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
        match &self.wanted {
            Wanted::This(wanted) if *wanted == hash => Ok(ServerCertVerified::assertion()),
            Wanted::This(_) => Err(Error::General(format!("another certificate, with the SHA-256 {}", shown()))),
            Wanted::Signed(verifier) => verifier.verify_server_cert(own, others, name, status, now).map_err(|error| {
                let clause = format!("{error}; if it is the right one: fingerprint={}", shown());
                Error::General(clause)
            }),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
