//! What the manager of services is told: sd_notify(3), for a unit of `Type=notify` with a watchdog.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::time::{Duration, Instant};

/// Longest wait for a manager that does not read; it reads at once, or is gone.
const WAIT: Duration = Duration::from_millis(100);

/// Tells the manager that started this process.
pub struct ServiceManager {
    socket: UnixDatagram,
    address: SocketAddr,
    watchdog: Option<Watchdog>,
}

/// A sign of life that is due, or the manager ends the process.
struct Watchdog {
    every: Duration,
    last: Option<Instant>,
}

impl ServiceManager {
    /// Finds it by the environment; `None` where nobody wants to be told.
    #[must_use]
    pub fn find() -> Option<Self> {
        let address = env::var_os("NOTIFY_SOCKET")?;
        let watched = env::var("WATCHDOG_PID").ok().is_none_or(|pid| pid == process::id().to_string());
        let micros = env::var("WATCHDOG_USEC").ok().filter(|_| watched).and_then(|text| text.parse().ok());
        match Self::new(&address, micros.map(Duration::from_micros)) {
            Ok(manager) => Some(manager),
            Err(error) => {
                log::warn!("NOTIFY_SOCKET: {error}; the manager of services is not told that this one is ready");
                None
            }
        }
    }

    /// Takes the address of `NOTIFY_SOCKET`: a path, or `@` and a name without a file (unix(7)); and the time after which
    /// the manager takes silence for a failure.
    fn new(address: &OsStr, silence_max: Option<Duration>) -> io::Result<Self> {
        let address = match address.as_bytes().split_first() {
            Some((b'@', name)) => SocketAddr::from_abstract_name(name)?,
            Some((b'/', _)) => SocketAddr::from_pathname(address)?,
            _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "no path and no abstract name")),
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(WAIT))?;
        // Half of it, as sd_watchdog_enabled(3) advises.
        let watchdog = silence_max.filter(|max| !max.is_zero()).map(|max| Watchdog { every: max / 2, last: None });
        Ok(Self { socket, address, watchdog })
    }

    /// Tells that clients are served from now on, with a line for `systemctl status`.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={}", status.replace('\n', " ")));
    }

    /// Gives a sign of life when one is due.
    pub fn alive(&mut self, now: Instant) {
        if self.watchdog.as_mut().is_some_and(|watchdog| watchdog.is_due(now)) {
            self.tell("WATCHDOG=1");
        }
    }

    /// Tells that this is the end.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    fn tell(&self, text: &str) {
        if let Err(error) = self.socket.send_to_addr(text.as_bytes(), &self.address) {
            log::debug!("the manager of services cannot be told: {error}");
        }
    }
}

impl Watchdog {
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.last.is_none_or(|last| now.saturating_duration_since(last) >= self.every);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(manager: &UnixDatagram) -> Option<String> {
        let mut text = [0; 256];
        manager.set_nonblocking(true).unwrap();
        let length = manager.recv(&mut text).ok()?;
        Some(String::from_utf8(text[..length].to_vec()).unwrap())
    }

    fn is_told(manager: &UnixDatagram, address: &OsStr) {
        let mut service = ServiceManager::new(address, Some(Duration::from_secs(30))).unwrap();
        service.ready("listens on\nhttp://127.0.0.1:3000");
        assert_eq!(read(manager).as_deref(), Some("READY=1\nSTATUS=listens on http://127.0.0.1:3000"));
        let start = Instant::now();
        for (seconds, told) in [(0, true), (14, false), (15, true), (29, false), (31, true)] {
            service.alive(start + Duration::from_secs(seconds));
            assert_eq!(read(manager), told.then(|| "WATCHDOG=1".to_owned()), "after {seconds} s");
        }
        service.stopping();
        assert_eq!(read(manager).as_deref(), Some("STOPPING=1"));
    }

    #[test]
    fn a_manager_at_a_path_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        is_told(&UnixDatagram::bind(&path).unwrap(), path.as_os_str());
    }

    #[test]
    fn a_manager_without_a_file_is_told() {
        let name = format!("skiff-notify-{}", process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        is_told(&UnixDatagram::bind_addr(&address).unwrap(), OsStr::new(&format!("@{name}")));
    }

    #[test]
    fn one_that_is_not_there_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let mut service = ServiceManager::new(folder.path().join("gone").as_os_str(), None).unwrap();
        service.ready("x");
        service.alive(Instant::now());
        for address in ["", "notify", "vsock:2:1234"] {
            assert!(ServiceManager::new(OsStr::new(address), None).is_err(), "{address}");
        }
    }
}
