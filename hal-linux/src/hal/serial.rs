//! Serial ports by their device files, set by termios and read without waiting.

use std::os::fd::OwnedFd;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, OptionalActions, SpecialCodeIndex, Termios};
use skiff_runtime::hal::{SerialError, SerialPort, SerialPorts, SerialSettings};

/// The serial ports of this system; names are paths of device files.
#[derive(Debug, Default)]
pub struct DeviceFiles;

impl SerialPorts for DeviceFiles {
    fn open(&mut self, name: &str, settings: SerialSettings) -> Result<Box<dyn SerialPort>, SerialError> {
        if !settings.is_sound() {
            return Err(SerialError::Unsupported);
        }
        // Not the controlling terminal of this process, and no waiting for a modem's carrier.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::open(name, flags, Mode::empty()).map_err(told)?;
        let mut termios = rustix::termios::tcgetattr(&file).map_err(told)?;
        // One owner: two readers would share the bytes among them.
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| SerialError::Denied)?;
        set(&mut termios, settings)?;
        rustix::termios::tcsetattr(&file, OptionalActions::Flush, &termios).map_err(|_| SerialError::Unsupported)?;
        Ok(Box::new(Port(file)))
    }
}

fn set(termios: &mut Termios, settings: SerialSettings) -> Result<(), SerialError> {
    termios.make_raw();
    termios.set_speed(settings.baud).map_err(|_| SerialError::Unsupported)?;
    let modes = &mut termios.control_modes;
    modes.remove(
        ControlModes::CSIZE
            | ControlModes::CSTOPB
            | ControlModes::PARENB
            | ControlModes::PARODD
            | ControlModes::CRTSCTS
            | ControlModes::HUPCL,
    );
    modes.insert(ControlModes::CLOCAL | ControlModes::CREAD);
    modes.insert(match settings.data_bits {
        5 => ControlModes::CS5,
        6 => ControlModes::CS6,
        7 => ControlModes::CS7,
        _ => ControlModes::CS8,
    });
    modes.set(ControlModes::CSTOPB, settings.stop_bits == 2);
    modes.set(ControlModes::PARENB, settings.parity != 0);
    modes.set(ControlModes::PARODD, settings.parity == 1);
    // One byte at least: so 0 bytes mean that the device is gone.
    termios.special_codes[SpecialCodeIndex::VMIN] = 1;
    termios.special_codes[SpecialCodeIndex::VTIME] = 0;
    Ok(())
}

fn told(error: Errno) -> SerialError {
    match error {
        Errno::NOENT | Errno::NODEV | Errno::NXIO => SerialError::NotFound,
        Errno::ACCESS | Errno::PERM | Errno::BUSY => SerialError::Denied,
        Errno::NOTTY | Errno::INVAL | Errno::ISDIR => SerialError::Unsupported,
        Errno::AGAIN | Errno::INTR => SerialError::Pending,
        _ => SerialError::Gone,
    }
}

struct Port(OwnedFd);

impl embedded_io::ErrorType for Port {
    type Error = SerialError;
}

impl embedded_io::Read for Port {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SerialError> {
        rustix::io::read(&self.0, buffer).map_err(told)
    }
}

impl embedded_io::Write for Port {
    fn write(&mut self, data: &[u8]) -> Result<usize, SerialError> {
        rustix::io::write(&self.0, data).map_err(told)
    }

    /// Does nothing: the kernel sends by itself.
    fn flush(&mut self) -> Result<(), SerialError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    const SETTINGS: SerialSettings = SerialSettings { baud: 4800, data_bits: 8, parity: 0, stop_bits: 1 };

    /// A pair: the far end of the line, and the name of the near one.
    fn pair() -> (OwnedFd, String) {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&far).unwrap();
        unlockpt(&far).unwrap();
        let name = ptsname(&far, Vec::new()).unwrap().into_string().unwrap();
        (far, name)
    }

    #[test]
    fn bytes_pass_unchanged_both_ways_without_waiting() {
        let (far, name) = pair();
        let mut port = DeviceFiles.open(&name, SETTINGS).unwrap();
        let mut buffer = [0; 64];
        assert_eq!(port.read(&mut buffer), Err(SerialError::Pending));
        // What a terminal would swallow or change: interrupt, end of file, carriage return, flow control.
        let raw = b"$GPRMC\r\n\x03\x04\x11\x13\x1a\xff\0";
        rustix::io::write(&far, raw).unwrap();
        let count = port.read(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], raw);
        assert_eq!(port.write(b"$PAMTC\r\n"), Ok(8));
        let count = rustix::io::read(&far, &mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"$PAMTC\r\n");
        assert_eq!(DeviceFiles.open(&name, SETTINGS).err(), Some(SerialError::Denied), "one owner");
        drop(port);
        let mut again = DeviceFiles.open(&name, SerialSettings { baud: 115_200, parity: 2, ..SETTINGS }).unwrap();
        drop(far);
        assert!(matches!(again.read(&mut buffer), Ok(0) | Err(SerialError::Gone)), "unplugged");
    }

    #[test]
    fn what_is_no_serial_port_is_refused() {
        for (name, error) in [
            ("/dev/no-such-port", SerialError::NotFound),
            ("/dev/null", SerialError::Unsupported),
            ("/", SerialError::Unsupported),
        ] {
            assert_eq!(DeviceFiles.open(name, SETTINGS).err(), Some(error), "{name}");
        }
        let (_far, name) = pair();
        for settings in [
            SerialSettings { baud: 0, ..SETTINGS },
            SerialSettings { data_bits: 9, ..SETTINGS },
            SerialSettings { parity: 3, ..SETTINGS },
            SerialSettings { stop_bits: 0, ..SETTINGS },
        ] {
            assert_eq!(DeviceFiles.open(&name, settings).err(), Some(SerialError::Unsupported));
        }
    }
}
