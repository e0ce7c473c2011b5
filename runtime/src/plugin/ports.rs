//! The serial ports of one plugin: those its operator allows, under its own numbers.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::hal::{SerialError, SerialPort, SerialPorts, SerialSettings};
use crate::host::sockets::Serial;
use crate::sorted::SortedMap;

/// Bytes one read takes at most.
const READ_BYTES_MAX: usize = 4096;

/// The serial ports of one plugin. A port closes when it is dropped.
pub(super) struct PortTable {
    ports: SortedMap<u32, Box<dyn SerialPort>>,
    /// Device by number, so that one is not opened twice.
    devices: SortedMap<u32, String>,
    allowed: Vec<String>,
    last: u32,
    count_max: usize,
    write_bytes_max: usize,
    /// Why a port was not opened, for the plugin's log.
    note: Option<String>,
}

impl PortTable {
    pub(super) fn new(count_max: usize, write_bytes_max: usize) -> Self {
        Self {
            ports: SortedMap::new(),
            devices: SortedMap::new(),
            allowed: Vec::new(),
            last: 0,
            count_max,
            write_bytes_max,
            note: None,
        }
    }

    /// Sets which devices a fresh instance may open, by their exact names.
    pub(super) fn allow(&mut self, allowed: Vec<String>) {
        self.allowed = allowed;
    }

    /// Closes everything; the next port has number 1 again.
    pub(super) fn release(&mut self) {
        self.ports.clear();
        self.devices.clear();
        self.last = 0;
    }

    /// Tells whether there is a line for the plugin's log.
    pub(super) fn has_note(&self) -> bool {
        self.note.is_some()
    }

    /// Takes a line for the plugin's log.
    pub(super) fn take_note(&mut self) -> Option<String> {
        self.note.take()
    }

    fn remove(&mut self, id: u32) {
        self.ports.remove(&id);
        self.devices.remove(&id);
    }
}

/// A plugin's ports with the system they are on, lent.
pub(super) struct Wired<'w> {
    pub(super) table: &'w mut PortTable,
    pub(super) system: &'w mut (dyn SerialPorts + 'static),
}

impl Serial for Wired<'_> {
    fn serial_open(&mut self, device: &str, settings: SerialSettings) -> Option<u32> {
        let table = &mut *self.table;
        let refusal = if !table.allowed.iter().any(|allowed| allowed == device) {
            String::from("the operator does not allow it to this plugin (serialPorts in skiff/plugins.json)")
        } else if table.devices.values().any(|open| open == device) {
            String::from("it is open already")
        } else if table.ports.len() >= table.count_max {
            alloc::format!("{} ports are open already", table.count_max)
        } else {
            match self.system.open(device, settings) {
                Ok(port) => {
                    table.last = table.last.checked_add(1).filter(|&id| i32::try_from(id).is_ok())?;
                    table.ports.insert(table.last, port);
                    table.devices.insert(table.last, String::from(device));
                    return Some(table.last);
                }
                Err(error) => alloc::format!("{error}"),
            }
        };
        table.note = Some(alloc::format!("serial port {device} not opened: {refusal}"));
        None
    }

    fn serial_read(&mut self, id: u32, max: usize) -> Option<Vec<u8>> {
        let port = self.table.ports.get_mut(&id)?;
        let mut data = vec![0; max.min(READ_BYTES_MAX)];
        if data.is_empty() {
            return Some(data);
        }
        match port.read(&mut data) {
            // The end of a stream: the device was unplugged.
            Ok(0) | Err(SerialError::Gone) => {
                self.table.remove(id);
                None
            }
            Ok(count) => {
                data.truncate(count);
                Some(data)
            }
            Err(SerialError::Pending) => Some(Vec::new()),
            Err(_) => None,
        }
    }

    fn serial_write(&mut self, id: u32, data: &[u8]) -> Option<usize> {
        let limit = self.table.write_bytes_max;
        let port = self.table.ports.get_mut(&id)?;
        let data = data.get(..data.len().min(limit)).unwrap_or_default();
        if data.is_empty() {
            return Some(0);
        }
        match port.write(data) {
            Ok(count) => Some(count),
            Err(SerialError::Pending) => Some(0),
            Err(SerialError::Gone) => {
                self.table.remove(id);
                None
            }
            Err(_) => None,
        }
    }

    fn serial_close(&mut self, id: u32) {
        self.table.remove(id);
    }
}
