//! What other machines find and trust: the certificate, and the port of multicast DNS.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};
use skiff_runtime::time::UnixMillis;

use super::Finding;
use crate::announce;
use crate::tls::certificate::Certificate;
use crate::tls::{self, CERTIFICATE_FILE, Choice, KEY_FILE, TlsError};

/// An own certificate that ends sooner is worth a word: time for a boat to come to a harbour.
const ENDING: Duration = Duration::from_secs(21 * 24 * 60 * 60);
/// The port of multicast DNS (RFC 6762 §3).
const MDNS_PORT: u16 = 5353;
/// Permission bits of group and others.
const OTHERS: u32 = 0o077;

/// Looks at the certificate that was chosen; without a choice at the one that Skiff has made, if it has.
pub(super) fn certificate(choice: Option<&Choice>, config: &Path, now: SystemTime) -> Option<Finding> {
    let what = "certificate";
    let (certificate, key, is_own) = match choice {
        Some(Choice::Files { certificate, key }) => (certificate.clone(), key.clone(), true),
        Some(Choice::Made) | None => (config.join(CERTIFICATE_FILE), config.join(KEY_FILE), false),
    };
    let read = match tls::read(&certificate, &key) {
        Ok(read) => read,
        Err(TlsError::Unreadable(_, error)) if !is_own && error.kind() == std::io::ErrorKind::NotFound => {
            let seen = "none yet; the next start with --tls self makes one";
            return choice.map(|_| Finding::good(what, seen));
        }
        Err(error) if !is_own => {
            let fix =
                format!("nothing: the next start with --tls self makes another in place of {}", certificate.display());
            return Some(Finding::warning(what, error.to_string(), fix));
        }
        Err(error) => {
            let fix = format!("look at both: ls -l {} {}", certificate.display(), key.display());
            return Some(Finding::bad(what, error.to_string(), fix));
        }
    };
    let mode = fs::metadata(&key).map_or(0, |metadata| metadata.permissions().mode());
    if mode & OTHERS != 0 {
        let seen = format!("{} can be read by others (mode {:o})", key.display(), mode & 0o777);
        return Some(Finding::warning(what, seen, format!("chmod 600 {}", key.display())));
    }
    Some(judge_end(&read, is_own, now))
}

fn judge_end(certificate: &Certificate, is_own: bool, now: SystemTime) -> Finding {
    let (what, end) = ("certificate", certificate.end());
    let since = end.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let text = UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).text();
    let day = text.split('T').next().unwrap_or_default();
    if !is_own {
        let print = certificate.fingerprint();
        return Finding::good(what, format!("made by Skiff, until {day}, then made anew; SHA-256 {print}"));
    }
    let renew = "renew it in place: a running gateway takes it within a minute";
    match end.duration_since(now) {
        Err(_) => Finding::bad(what, format!("ended on {day}: browsers refuse it"), renew),
        Ok(left) if left < ENDING => Finding::warning(what, format!("ends on {day}"), renew),
        Ok(_) => Finding::good(what, format!("good until {day}")),
    }
}

/// Tells whether the gateway can be announced; nothing where it is not to be.
pub(super) fn mdns(listen: SocketAddr, config: &Path) -> Option<Finding> {
    if listen.ip().to_canonical().is_loopback() {
        return None;
    }
    let what = "mdns";
    Some(match announce::is_on(config) {
        Ok(true) => match shared(MDNS_PORT) {
            Ok(()) => {
                Finding::good(what, format!("UDP port {MDNS_PORT} can be used; other responders may use it, too"))
            }
            Err(error) => {
                let seen = format!("UDP port {MDNS_PORT}: {error}: clients will not find the gateway by themselves");
                Finding::warning(what, seen, format!("see who has it: ss -lunp 'sport = :{MDNS_PORT}'"))
            }
        },
        Ok(false) => Finding::good(what, "switched off by settings.json"),
        Err(error) => {
            let fix = format!("`skiff run` does not start; correct it: {}", config.join("settings.json").display());
            Finding::bad(what, error, fix)
        }
    })
}

/// Opens a port beside others that share it, as responders of multicast DNS do (RFC 6762 §15.1).
fn shared(port: u16) -> rustix::io::Result<()> {
    let opened = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    sockopt::set_socket_reuseaddr(&opened, true)?;
    sockopt::set_socket_reuseport(&opened, true)?;
    bind(&opened, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::super::Verdict;
    use super::*;

    /// So many days before the end that rcgen gives by itself, 1 January 4096.
    fn before_end(days: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(67_090_118_400 - days * 86_400)
    }

    #[test]
    fn an_own_certificate_is_judged_by_its_end_and_its_key() {
        let home = tempfile::tempdir().unwrap();
        let (certificate, key) = (home.path().join("c.pem"), home.path().join("k.pem"));
        let choice = Choice::Files { certificate: certificate.clone(), key: key.clone() };
        let seen = |now| super::certificate(Some(&choice), home.path(), now).unwrap();
        assert_eq!(seen(before_end(40)).verdict, Verdict::Bad, "no files");
        let signed = rcgen::generate_simple_self_signed(["boat".to_owned()]).unwrap();
        fs::write(&certificate, signed.cert.pem()).unwrap();
        fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(seen(before_end(40)).fix.unwrap().starts_with("chmod 600 "));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        for (days, verdict) in [(40, Verdict::Good), (20, Verdict::Warning)] {
            let seen = seen(before_end(days));
            assert!(seen.verdict == verdict && seen.seen.contains("4096-01-01"), "{seen:?}");
        }
        assert_eq!(seen(before_end(0) + Duration::from_secs(1)).verdict, Verdict::Bad);
    }

    #[test]
    fn one_that_skiff_makes_is_told_by_what_browsers_show() {
        let home = tempfile::tempdir().unwrap();
        let seen = |choice: Option<&Choice>| certificate(choice, home.path(), SystemTime::now());
        assert_eq!(seen(None), None);
        assert_eq!(seen(Some(&Choice::Made)).unwrap().verdict, Verdict::Good);
        let folder = Some(home.path().to_owned());
        let names = tls::Names::of("boat", &[], &[]);
        let made = tls::Tls::open(Choice::Made, false, folder, names).unwrap();
        made.look().unwrap();
        assert!(seen(None).unwrap().seen.contains(&made.certificate().unwrap().fingerprint()));
        fs::write(home.path().join(CERTIFICATE_FILE), "").unwrap();
        assert_eq!(seen(None).unwrap().verdict, Verdict::Warning);
    }

    #[test]
    fn a_port_that_nobody_shares_is_told() {
        let other = UdpSocket::bind("0.0.0.0:0").unwrap();
        assert!(shared(other.local_addr().unwrap().port()).is_err());
        let home = tempfile::tempdir().unwrap();
        assert_eq!(mdns("127.0.0.1:80".parse().unwrap(), home.path()), None);
        fs::write(home.path().join("settings.json"), r#"{"skiff":{"mdns":false}}"#).unwrap();
        let off = mdns("0.0.0.0:80".parse().unwrap(), home.path()).unwrap();
        assert!(off.verdict == Verdict::Good && off.seen.contains("off"));
        fs::write(home.path().join("settings.json"), r#"{"skiff":{"mdns":0}}"#).unwrap();
        assert_eq!(mdns("0.0.0.0:80".parse().unwrap(), home.path()).unwrap().verdict, Verdict::Bad);
    }
}
