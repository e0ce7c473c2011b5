//! Serial ports: raw bytes at a bit rate.
//!
//! Set up with `rustix`, which is here anyway; the crate `serialport` is MPL-2.0 and brings libudev.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::termios::{
    ControlModes, OptionalActions, QueueSelector, SpecialCodeIndex, ioctl_tiocexcl, tcflush, tcgetattr, tcsetattr,
};
use skiff_runtime::n2k::log::{Format, bst};

use super::stop::{Ending, Stop};

/// Silence after which an adapter may be an NGT-1 that waits for its command.
const SILENCE: Duration = Duration::from_secs(3);

/// Opens a port for us alone: raw bytes, both ways.
///
/// # Errors
/// What the system said: no such device, in use, not permitted, not a serial port.
pub(crate) fn raw(path: &Path, baud: u32) -> io::Result<File> {
    // Without O_NONBLOCK, opening can wait for a modem's carrier.
    let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    ioctl_tiocexcl(&file)?;
    let mut settings = tcgetattr(&file)?;
    settings.make_raw();
    settings.set_speed(baud)?;
    settings.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
    settings.control_modes &= !(ControlModes::CSTOPB | ControlModes::PARENB | ControlModes::CRTSCTS);
    // A read waits for one byte, however long.
    settings.special_codes[SpecialCodeIndex::VMIN] = 1;
    settings.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(&file, OptionalActions::Now, &settings)?;
    tcflush(&file, QueueSelector::IFlush)?;
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    Ok(file)
}

/// An open port.
pub(super) struct SerialPort {
    file: File,
    stop: Stop,
    /// The format is not known, and nothing was heard yet.
    may_be_waiting: bool,
}

impl SerialPort {
    /// Opens a port for us alone, and tells an NGT-1 to give all messages of the bus.
    ///
    /// # Errors
    /// What the system said: no such device, in use, not permitted, not a serial port.
    pub fn open(path: &Path, baud: u32, format: Format, stop: &Stop) -> io::Result<Self> {
        let file = raw(path, baud)?;
        let mut port = Self { file, stop: stop.clone(), may_be_waiting: format == Format::Auto };
        if format == Format::Ngt1 {
            port.file.write_all(&bst::start_command())?;
        }
        Ok(port)
    }
}

impl Read for SerialPort {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if std::mem::take(&mut self.may_be_waiting) {
            let timeout = Timespec::try_from(SILENCE).ok();
            if poll(&mut [PollFd::new(&self.file, PollFlags::IN)], timeout.as_ref())? == 0 {
                self.file.write_all(&bst::start_command())?;
            }
        }
        Ending::new(&self.stop, &self.file).read(buffer)
    }
}
