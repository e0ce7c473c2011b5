//! The machine: the web server's port, the clock, memory.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime};

use skiff_runtime::budget::{Board, Limits};

use super::Finding;

/// A clock before this was never set: 1 June 2026.
const CLOCK_MIN: Duration = Duration::from_secs(1_780_272_000);
/// What systemd-timesyncd leaves behind once the clock was set from the network.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";
/// Ports below need a right of their own on Linux.
const PRIVILEGED_PORTS: u16 = 1024;

/// Tells whether the web server can have its port; `running` is the gateway that has it already.
pub(super) fn port(listen: SocketAddr, running: Option<&str>) -> Finding {
    match TcpListener::bind(listen) {
        Ok(_) => Finding::good("port", format!("{listen} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => match running {
            Some(url) => Finding::good("port", format!("{listen} is taken by the gateway at {url}")),
            None => {
                let fix = format!("see who has it: ss -ltnp 'sport = :{}', or choose another: --listen", listen.port());
                Finding::bad("port", format!("{listen} is taken by another program"), fix)
            }
        },
        Err(error) if error.kind() == ErrorKind::PermissionDenied && listen.port() < PRIVILEGED_PORTS => {
            let fix = "choose a port from 1024 on: --listen 0.0.0.0:3000";
            Finding::bad("port", format!("{listen}: {error}"), fix)
        }
        Err(error) => {
            let fix = "see the addresses of this machine: ip address";
            Finding::bad("port", format!("{listen}: {error}"), fix)
        }
    }
}

pub(super) fn clock() -> Finding {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    judge_clock(since, Path::new(SYNCHRONISED).exists())
}

fn judge_clock(since: Duration, synchronised: bool) -> Finding {
    let seen = skiff_runtime::time::UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).text();
    if since < CLOCK_MIN {
        let fix = "set it: sudo timedatectl set-ntp true, or sudo date -s '2026-06-01 12:00'";
        return Finding::bad("clock", format!("{seen} cannot be: time stamps of deltas will be wrong"), fix);
    }
    let from = if synchronised { ", set from the network" } else { "" };
    Finding::good("clock", format!("{seen}{from}"))
}

pub(super) fn memory() -> Finding {
    judge_memory(&fs::read_to_string("/proc/meminfo").unwrap_or_default())
}

fn judge_memory(meminfo: &str) -> Finding {
    let kibibytes = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let needed = Limits::of(Board::Linux).total_bytes;
    match kibibytes.map(|kibibytes| kibibytes.saturating_mul(1024)) {
        Some(available) if available < needed => {
            let seen = format!("{} MiB available, plugins may take up to {}", available >> 20, needed >> 20);
            Finding::warning("memory", seen, "run fewer plugins, or fewer other programs")
        }
        Some(available) => Finding::good("memory", format!("{} MiB available", available >> 20)),
        None => Finding::good("memory", "this system does not tell what is available"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_taken_port_is_fine_only_where_our_gateway_has_it() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        assert_eq!(port(address, None).verdict, Verdict::Bad);
        assert_eq!(port(address, Some("http://127.0.0.1:3000")).verdict, Verdict::Good);
        assert_eq!(port("192.0.2.1:3000".parse().unwrap(), None).verdict, Verdict::Bad);
    }

    #[test]
    fn a_clock_that_was_never_set_is_bad() {
        assert_eq!(judge_clock(Duration::from_secs(12), true).verdict, Verdict::Bad);
        assert_eq!(judge_clock(Duration::from_secs(1_790_000_000), false).verdict, Verdict::Good);
    }

    #[test]
    fn little_memory_is_a_warning() {
        assert_eq!(judge_memory("MemTotal: 1 kB\nMemAvailable:    2048 kB\n").verdict, Verdict::Warning);
        assert_eq!(judge_memory("MemAvailable: 9000000 kB\n").verdict, Verdict::Good);
        assert_eq!(judge_memory("").verdict, Verdict::Good);
    }
}
