//! CAN interfaces and serial ports.

use std::fs;
use std::path::Path;

use rustix::fs::Access;
use socketcan::CanInterface;
use socketcan::nl::CanState;

use super::Finding;

/// Bit rate of NMEA 2000 (IEC 61162-3), bit/s.
const BIT_RATE: u32 = 250_000;
/// Hardware type of CAN (linux/if_arp.h ARPHRD_CAN).
const HARDWARE_CAN: &str = "280";
/// Names of serial ports with an adapter behind them.
const PORTS: [&str; 4] = ["ttyUSB", "ttyACM", "ttyAMA", "ttySC"];

/// Looks at the CAN interfaces that are asked for, or at all there are.
pub(super) fn interfaces(asked: &[String]) -> Vec<Finding> {
    let present = present(Path::new("/sys/class/net"));
    if asked.is_empty() && present.is_empty() {
        let seen = "no CAN interface; inputs from files, the network and serial ports work without one";
        return vec![Finding::good("can", seen)];
    }
    let names = if asked.is_empty() { &present } else { asked };
    names
        .iter()
        .map(|name| {
            if present.contains(name) {
                return judge(name, &Seen::of(name));
            }
            let others = if present.is_empty() {
                "there is none".to_owned()
            } else {
                format!("there are {}", present.join(", "))
            };
            let fix = "plug the adapter in, or load its driver: sudo dmesg | tail";
            Finding::warning(name, format!("no CAN interface of this name; {others}; `skiff run` waits for it"), fix)
        })
        .collect()
}

fn present(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_can = |path: &Path| fs::read_to_string(path.join("type")).is_ok_and(|kind| kind.trim() == HARDWARE_CAN);
    let mut names: Vec<String> = entries
        .filter(|entry| is_can(&entry.path()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// What the kernel says of an interface; `None` where it does not say, as for a virtual one.
struct Seen {
    is_up: bool,
    bit_rate: Option<u32>,
    state: Option<CanState>,
    restart_ms: Option<u32>,
}

impl Seen {
    fn of(name: &str) -> Self {
        let interface = CanInterface::open(name).ok();
        let is_up =
            interface.as_ref().and_then(|interface| interface.details().ok()).is_some_and(|details| details.is_up);
        let ask = |ask: fn(&CanInterface) -> socketcan::Result<Option<u32>>| ask(interface.as_ref()?).ok().flatten();
        Self {
            is_up,
            bit_rate: ask(CanInterface::bit_rate),
            state: interface.as_ref().and_then(|interface| interface.state().ok().flatten()),
            restart_ms: ask(CanInterface::restart_ms),
        }
    }
}

/// What is said of an interface that is down.
const DOWN: &str = "is down; `skiff run` waits until it is up";

fn judge(name: &str, seen: &Seen) -> Finding {
    let bring_up = format!("sudo ip link set {name} up type can bitrate {BIT_RATE} restart-ms 500");
    let again = format!("sudo ip link set {name} down && {bring_up}");
    match (seen.is_up, seen.bit_rate, seen.state) {
        (false, None, None) => Finding::warning(name, DOWN, format!("sudo ip link set {name} up")),
        (false, ..) => Finding::warning(name, DOWN, bring_up),
        (true, Some(rate), _) if rate != BIT_RATE => {
            Finding::bad(name, format!("runs at {rate} bit/s, NMEA 2000 at {BIT_RATE}"), again)
        }
        (true, _, Some(CanState::BusOff)) => Finding::bad(
            name,
            "is off the bus: wiring, termination or bit rate are wrong",
            format!("check the wiring, then {again}"),
        ),
        (true, _, Some(CanState::ErrorPassive | CanState::ErrorWarning)) => {
            let fix = "check wiring and the two terminators of 120 ohm; is another device on the bus?";
            Finding::warning(name, "counts many bus errors", fix)
        }
        (true, Some(_), _) if seen.restart_ms == Some(0) => {
            Finding::warning(name, "does not come back by itself after bus-off", again)
        }
        (true, Some(rate), _) => Finding::good(name, format!("up at {rate} bit/s")),
        (true, None, _) => Finding::good(name, "up, without a bit rate (a virtual interface)"),
    }
}

/// Looks at serial ports with an adapter.
pub(super) fn serial_ports(folder: &Path) -> Vec<Finding> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_port = |name: &String| PORTS.iter().any(|start| name.starts_with(start));
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_port).collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let path = folder.join(&name);
            match rustix::fs::access(&path, Access::READ_OK | Access::WRITE_OK) {
                Ok(()) => Finding::good(name, "can be read and written"),
                Err(error) => {
                    let fix = "sudo usermod -aG dialout \"$USER\", then log in again";
                    Finding::warning(name, format!("{}: {error}", path.display()), fix)
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn verdict(
        is_up: bool,
        bit_rate: Option<u32>,
        state: Option<CanState>,
        restart_ms: Option<u32>,
    ) -> (Verdict, String) {
        let finding = judge("can0", &Seen { is_up, bit_rate, state, restart_ms });
        (finding.verdict, finding.fix.unwrap_or_default())
    }

    #[test]
    fn each_fault_of_an_interface_has_its_command() {
        let (down, fix) = verdict(false, Some(250_000), Some(CanState::Stopped), None);
        assert_eq!(
            (down, &*fix),
            (Verdict::Warning, "sudo ip link set can0 up type can bitrate 250000 restart-ms 500")
        );
        let (wrong, fix) = verdict(true, Some(500_000), Some(CanState::ErrorActive), Some(500));
        assert!(wrong == Verdict::Bad && fix.starts_with("sudo ip link set can0 down && "), "{fix}");
        assert_eq!(verdict(true, Some(250_000), Some(CanState::BusOff), Some(500)).0, Verdict::Bad);
        assert_eq!(verdict(true, Some(250_000), Some(CanState::ErrorPassive), Some(500)).0, Verdict::Warning);
        assert_eq!(verdict(true, Some(250_000), Some(CanState::ErrorActive), Some(0)).0, Verdict::Warning);
        assert_eq!(verdict(true, Some(250_000), Some(CanState::ErrorActive), Some(500)).0, Verdict::Good);
        assert_eq!(verdict(true, None, None, None).0, Verdict::Good);
        assert_eq!(verdict(false, None, None, None), (Verdict::Warning, "sudo ip link set can0 up".into()));
    }

    #[test]
    fn an_interface_that_is_not_there_is_waited_for_and_none_at_all_is_fine() {
        let missing = interfaces(&["nocan77".to_owned()]);
        assert_eq!((missing[0].verdict, missing.len()), (Verdict::Warning, 1));
        assert!(missing[0].seen.ends_with("`skiff run` waits for it"));
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("can7")).unwrap();
        fs::write(home.path().join("can7/type"), "280\n").unwrap();
        fs::create_dir_all(home.path().join("eth0")).unwrap();
        fs::write(home.path().join("eth0/type"), "1\n").unwrap();
        assert_eq!(present(home.path()), ["can7"]);
    }

    #[test]
    fn only_ports_with_an_adapter_are_looked_at() {
        let home = tempfile::tempdir().unwrap();
        for name in ["ttyUSB0", "tty1", "null"] {
            fs::write(home.path().join(name), "").unwrap();
        }
        let found = serial_ports(home.path());
        assert_eq!((found.len(), &*found[0].what, found[0].verdict), (1, "ttyUSB0", Verdict::Good));
    }
}
