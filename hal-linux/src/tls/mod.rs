//! TLS for the web server: whose certificate, where it lies, and when it is read or made again.
//!
//! A certificate of the owner's is read again each minute that somebody asks for it, so that a renewed one is used without
//! a restart. One that Skiff makes is kept in `skiff/tls/`, and made anew only when it ends or the machine is called
//! something else: each new one is another that browsers warn of.

pub mod certificate;
mod made;
pub mod roots;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;

use certificate::{Certificate, CertificateError};
pub use made::{CERTIFICATE_FILE, KEY_FILE, Names};

/// Bytes of a file with certificates or a key.
const PEM_BYTES_MAX: u64 = 64 * 1024;
/// Time after which the files are looked at again, when somebody connects.
const LOOK_PERIOD: Duration = Duration::from_secs(60);

/// Whose certificate the web server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// One that Skiff makes.
    Made,
    /// The owner's.
    Files {
        /// Certificates in PEM, the own one first.
        certificate: PathBuf,
        /// The key of the first in PEM.
        key: PathBuf,
    },
}

impl Choice {
    /// Reads `self` or `CERT.pem,KEY.pem`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(',') {
            None if text == "self" => Ok(Self::Made),
            Some((certificate, key)) if !certificate.is_empty() && !key.is_empty() && !key.contains(',') => {
                Ok(Self::Files { certificate: certificate.into(), key: key.into() })
            }
            _ => Err("write self, or the files of certificate and key: CERT.pem,KEY.pem".into()),
        }
    }
}

/// Why a certificate cannot be used.
#[derive(Debug)]
pub enum TlsError {
    /// A file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// What is in the files is no certificate with its key.
    Unusable(PathBuf, CertificateError),
    /// There is none yet, and the clock, which its dates come from, is not set.
    ClockNotSet,
    /// None could be made.
    NotMade(String),
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(file, error) => write!(f, "{}: {error}", file.display()),
            Self::Unusable(file, error) => write!(f, "{}: {error}", file.display()),
            Self::ClockNotSet => {
                write!(f, "the certificate is made when the clock is set, which says a year before 2024")
            }
            Self::NotMade(error) => write!(f, "no certificate can be made: {error}"),
        }
    }
}

/// The web server's TLS.
#[derive(Debug)]
pub struct Tls {
    choice: Choice,
    /// Configuration folder, where a certificate that is made is kept; `None` keeps it in memory.
    folder: Option<PathBuf>,
    names: Names,
    only: bool,
    held: Mutex<Held>,
    /// Held by who looks at the files.
    looking: Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    certificate: Option<Arc<Certificate>>,
    looked: Option<Instant>,
    /// The trouble that was told last.
    told: String,
}

impl Tls {
    /// Opens what was chosen. With `only` nothing but this machine is served without TLS. One that is to be made is made by
    /// [`look`](Self::look).
    ///
    /// # Errors
    /// [`TlsError`] where the owner's files cannot be used.
    pub fn open(choice: Choice, only: bool, folder: Option<PathBuf>, names: Names) -> Result<Self, TlsError> {
        let tls = Self { choice, folder, names, only, held: Mutex::default(), looking: Mutex::default() };
        if !tls.is_made() {
            let found = tls.find(SystemTime::now())?;
            let mut held = tls.held();
            held.certificate = Some(Arc::new(found));
            held.looked = Some(Instant::now());
        }
        Ok(tls)
    }

    /// Tells whether nothing but this machine is served without TLS.
    #[must_use]
    pub fn is_only(&self) -> bool {
        self.only
    }

    /// Tells whether the certificate is one that Skiff makes.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.choice == Choice::Made
    }

    /// Returns the certificate in use; `None` while there is none yet.
    #[must_use]
    pub fn certificate(&self) -> Option<Arc<Certificate>> {
        self.held().certificate.clone()
    }

    /// Returns what a handshake needs, where the files need not be looked at before.
    #[must_use]
    pub fn at_hand(&self) -> Option<Arc<ServerConfig>> {
        let held = self.held();
        let is_fresh = held.looked.is_some_and(|looked| looked.elapsed() < LOOK_PERIOD);
        held.certificate.as_ref().filter(|_| is_fresh).map(|certificate| certificate.config())
    }

    /// Looks at the files, or makes a certificate; reads and writes files. The certificate in use stays where that fails.
    pub fn look(&self) -> Option<Arc<ServerConfig>> {
        let _one = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        // Another connection has looked meanwhile.
        if let Some(config) = self.at_hand() {
            return Some(config);
        }
        let found = self.find(SystemTime::now());
        if let Err(error) = &found {
            self.tell(error);
        }
        let mut held = self.held();
        held.looked = Some(Instant::now());
        if let Ok(found) = found
            && held.certificate.as_ref().is_none_or(|current| !current.is_same(&found))
        {
            // One that stays keeps the sessions of its clients.
            held.certificate = Some(Arc::new(found));
        }
        held.certificate.as_ref().map(|certificate| certificate.config())
    }

    fn find(&self, now: SystemTime) -> Result<Certificate, TlsError> {
        match &self.choice {
            Choice::Made => made::find(self.folder.as_deref(), &self.names, self.certificate().as_deref(), now),
            Choice::Files { certificate, key } => read(certificate, key),
        }
    }

    /// Tells of a trouble once, as connections come again and again.
    fn tell(&self, error: &TlsError) {
        let line = format!("TLS: {error}");
        let mut held = self.held();
        if held.told != line {
            log::warn!("{line}");
            held.told = line;
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing under the lock leaves it half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a certificate and its key.
///
/// # Errors
/// [`TlsError`] with the file.
pub fn read(certificate: &Path, key: &Path) -> Result<Certificate, TlsError> {
    let chain = bounded(certificate).map_err(|error| TlsError::Unreadable(certificate.to_owned(), error))?;
    let secret = bounded(key).map_err(|error| TlsError::Unreadable(key.to_owned(), error))?;
    Certificate::read(&chain, &secret).map_err(|error| {
        let file = if error.is_of_key() { key } else { certificate };
        TlsError::Unusable(file.to_owned(), error)
    })
}

fn bounded(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(PEM_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > PEM_BYTES_MAX {
        return Err(io::Error::other(format!("longer than {PEM_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(choice: &str, folder: &Path) -> Result<Tls, TlsError> {
        Tls::open(Choice::parse(choice).unwrap(), false, Some(folder.to_owned()), Names::of("boat", &[], &[]))
    }

    #[test]
    fn a_choice_is_self_or_two_files() {
        assert_eq!(Choice::parse("self"), Ok(Choice::Made));
        let files = Choice::Files { certificate: "a/c.pem".into(), key: "k.pem".into() };
        assert_eq!(Choice::parse("a/c.pem,k.pem"), Ok(files));
        for text in ["", "only", "c.pem", "c.pem,", ",k.pem", "a,b,c"] {
            assert!(Choice::parse(text).unwrap_err().contains("CERT.pem,KEY.pem"), "{text}");
        }
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str| home.path().join(name);
        let own = |certificate: &str, key: &str| {
            let choice = format!("{},{}", file(certificate).display(), file(key).display());
            open(&choice, home.path()).map(|tls| tls.at_hand().is_some()).map_err(|error| error.to_string())
        };
        let made = |name: &str| {
            let signed = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            std::fs::write(file(&format!("{name}.pem")), signed.cert.pem()).unwrap();
            std::fs::write(file(&format!("{name}.key")), signed.signing_key.serialize_pem()).unwrap();
        };
        made("one");
        made("two");
        std::fs::write(file("long"), vec![b'a'; 70_000]).unwrap();
        assert_eq!(own("one.pem", "one.key"), Ok(true));
        for (certificate, key, part) in [
            ("none", "one.key", "none: No such file"),
            ("one.key", "one.key", "one.key: holds no certificate"),
            ("one.pem", "one.pem", "one.pem: holds no key"),
            ("one.pem", "two.key", "two.key: the key of another certificate"),
            ("long", "one.key", "long: longer than 65536 bytes"),
        ] {
            let error = own(certificate, key).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_renewed_certificate_is_taken_and_a_damaged_one_is_not() {
        let home = tempfile::tempdir().unwrap();
        let (certificate, key) = (home.path().join("c.pem"), home.path().join("k.pem"));
        let renew = || {
            let signed = rcgen::generate_simple_self_signed(["boat".to_owned()]).unwrap();
            std::fs::write(&certificate, signed.cert.pem()).unwrap();
            std::fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
        };
        renew();
        let tls = open(&format!("{},{}", certificate.display(), key.display()), home.path()).unwrap();
        let (first, config) = (tls.certificate().unwrap(), tls.at_hand().unwrap());
        let a_minute_later = || tls.held().looked = None;
        a_minute_later();
        assert!(tls.at_hand().is_none());
        assert!(Arc::ptr_eq(&tls.look().unwrap(), &config), "the sessions of its clients stay");
        std::fs::write(&key, "").unwrap();
        a_minute_later();
        assert!(Arc::ptr_eq(&tls.look().unwrap(), &config));
        renew();
        a_minute_later();
        assert!(!Arc::ptr_eq(&tls.look().unwrap(), &config));
        assert!(!tls.certificate().unwrap().is_same(&first));
    }
}
