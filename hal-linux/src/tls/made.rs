//! The certificate that Skiff makes for itself.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};

use super::TlsError;
use super::certificate::Certificate;
use crate::hal::Folder;
use crate::{announce::reach, home};

/// Where the certificate is kept, below the configuration folder.
pub const CERTIFICATE_FILE: &str = "skiff/tls/cert.pem";
/// Where its key is kept; for the owner only, as everything below `skiff/`.
pub const KEY_FILE: &str = "skiff/tls/key.pem";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Days that a certificate lasts; phones of Apple take none that lasts longer than 825 (HT210176).
const LASTS_DAYS: u32 = 820;
/// Days before its end at which the next is made.
const RENEWED_DAYS: u32 = 30;
/// A clock before this was never set: 1 January 2024.
const TIME_KNOWN_FROM: Duration = Duration::from_secs(1_704_067_200);
/// Latest beginning of a certificate, in the year 9892: dates have four digits for the year.
const BEGINS_MAX: Duration = Duration::from_secs(250_000_000_000);
/// Addresses in a certificate.
const ADDRESSES_MAX: usize = 16;

/// What the machine is called and reached at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The first is that by which a certificate is known to be this machine's.
    names: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// Collects the names of a machine of this host name: those it is announced and known by, `others` that its owner gave
    /// it, and its addresses.
    #[must_use]
    pub fn of(host: &str, others: &[String], addresses: &[IpAddr]) -> Self {
        let host = host.to_ascii_lowercase();
        let label = host.split('.').next().unwrap_or_default().to_owned();
        let local = reach::local_name(&host).unwrap_or_else(reach::own_name);
        let mut names = vec![local, label, host, "localhost".to_owned()];
        names.extend(others.iter().map(|name| name.to_ascii_lowercase()));
        let is_name = |name: &String| {
            let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            !name.is_empty() && name.bytes().all(is_sign) && name.parse::<IpAddr>().is_err()
        };
        names.retain(is_name);
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        let loopback = [IpAddr::from([127, 0, 0, 1]), std::net::Ipv6Addr::LOCALHOST.into()];
        let addresses = addresses.iter().copied().take(ADDRESSES_MAX).chain(loopback).collect();
        Self { names, addresses }
    }
}

/// Returns the kept certificate, or the one in use, and makes another where that ends or is another machine's.
pub(super) fn find(
    folder: Option<&Path>,
    names: &Names,
    in_use: Option<&Certificate>,
    now: SystemTime,
) -> Result<Certificate, TlsError> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let is_time_known = since >= TIME_KNOWN_FROM;
    let lasts = |certificate: &Certificate| {
        let renewed = now.checked_add(DAY.saturating_mul(RENEWED_DAYS)).unwrap_or(now);
        !is_time_known || certificate.end() > renewed
    };
    let is_ours = |certificate: &Certificate| names.names.first().is_none_or(|name| certificate.is_for(name));
    if let Some(folder) = folder {
        match super::read(&folder.join(CERTIFICATE_FILE), &folder.join(KEY_FILE)) {
            Ok(kept) if lasts(&kept) && is_ours(&kept) => return Ok(kept),
            Ok(_) => log::info!("a new certificate is made: the one before ends, or is for another name"),
            Err(TlsError::Unreadable(_, error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => log::warn!("{error}; a new certificate is made"),
        }
    }
    if !is_time_known {
        return Err(TlsError::ClockNotSet);
    }
    let (certificate, key) = make(names, since).map_err(|error| TlsError::NotMade(error.to_string()))?;
    let unusable = |error| TlsError::Unusable(CERTIFICATE_FILE.into(), error);
    let made = Certificate::read(certificate.as_bytes(), key.as_bytes()).map_err(unusable)?;
    match folder.map(|folder| keep(folder, &certificate, &key)) {
        Some(Err(error)) if in_use.is_none() => log::warn!("{error}; the next start makes another certificate"),
        // What cannot be kept does not change from minute to minute.
        Some(Err(error)) => return Err(TlsError::NotMade(error)),
        None | Some(Ok(())) => {}
    }
    Ok(made)
}

/// Makes certificate and key, in PEM, `since` the beginning of 1970.
fn make(names: &Names, since: Duration) -> Result<(String, String), rcgen::Error> {
    let addresses = names.addresses.iter().map(ToString::to_string);
    let mut wanted = CertificateParams::new(names.names.iter().cloned().chain(addresses).collect::<Vec<_>>())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, names.names.first().map_or("skiff", String::as_str));
    subject.push(DnType::OrganizationName, "Skiff");
    wanted.distinguished_name = subject;
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let since = since.min(BEGINS_MAX);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    // Clocks of phones may be behind.
    wanted.not_before = epoch + since.saturating_sub(DAY);
    wanted.not_after = epoch + since.saturating_add(DAY.saturating_mul(LASTS_DAYS));
    let key = KeyPair::generate()?;
    Ok((wanted.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// Keeps both, the key first: a certificate that is cut off from its key is made again.
fn keep(folder: &Path, certificate: &str, key: &str) -> Result<(), String> {
    let storage = &mut Folder::new(folder);
    for (file, text) in [(KEY_FILE, key), (CERTIFICATE_FILE, certificate)] {
        home::write(storage, file, text).map_err(|error| format!("{}: {error}", folder.join(file).display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn at(days: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_272_000) + DAY * days
    }

    fn names(host: &str) -> Names {
        Names::of(host, &["Boat.Lan".to_owned(), "10.0.0.9".to_owned(), "no name".to_owned()], &[[10, 0, 0, 5].into()])
    }

    #[test]
    fn it_is_for_every_name_and_address_and_ends_before_phones_mind() {
        let home = tempfile::tempdir().unwrap();
        let made = find(Some(home.path()), &names("Boat.example.org"), None, at(0)).unwrap();
        for name in ["boat", "boat.local", "boat.example.org", "localhost", "boat.lan", "10.0.0.5", "127.0.0.1", "::1"]
        {
            assert!(made.is_for(name), "{name}");
        }
        assert!(!made.is_for("boat-2.local") && !made.is_for("10.0.0.9"));
        assert_eq!(made.end(), at(LASTS_DAYS));
        assert_eq!(made.fingerprint().len(), 32 * 3 - 1);
        for file in [KEY_FILE, CERTIFICATE_FILE] {
            let mode = std::fs::metadata(home.path().join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }

    #[test]
    fn it_is_kept_until_it_ends_or_the_machine_is_called_something_else() {
        let home = tempfile::tempdir().unwrap();
        let find = |host: &str, days: u32| find(Some(home.path()), &names(host), None, at(days)).unwrap();
        let first = find("boat", 0);
        assert!(find("boat", LASTS_DAYS - RENEWED_DAYS - 1).is_same(&first));
        let second = find("boat", LASTS_DAYS - RENEWED_DAYS);
        assert!(!second.is_same(&first) && find("boat", LASTS_DAYS).is_same(&second));
        let third = find("other", LASTS_DAYS);
        assert!(!third.is_same(&second) && third.is_for("other.local"));
    }

    #[test]
    fn none_is_made_before_the_time_is_known_and_a_kept_one_is_used() {
        let home = tempfile::tempdir().unwrap();
        let unset = SystemTime::UNIX_EPOCH + Duration::from_secs(12);
        let find = |now| find(Some(home.path()), &names("boat"), None, now);
        assert!(matches!(find(unset), Err(TlsError::ClockNotSet)));
        assert!(!home.path().join(KEY_FILE).exists());
        let made = find(at(0)).unwrap();
        assert!(find(unset).unwrap().is_same(&made));
    }

    #[test]
    fn what_a_power_cut_left_is_made_again() {
        let home = tempfile::tempdir().unwrap();
        let find = || find(Some(home.path()), &names("boat"), None, at(0)).unwrap();
        let first = find();
        let key = home.path().join(KEY_FILE);
        std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        let second = find();
        assert!(!second.is_same(&first) && find().is_same(&second));
        std::fs::remove_file(&key).unwrap();
        assert!(!find().is_same(&second));
    }
}
