//! The partition table of ESP-IDF: from its CSV to the bytes at 0x8000 of the flash.

use md5::{Digest, Md5};

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its label.
    pub name: String,
    kind: u8,
    subtype: u8,
    /// First byte in flash.
    pub at: u32,
    /// Its bytes.
    pub bytes: u32,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table(Vec<Partition>);

/// Bytes of the table in flash, padding included.
const TABLE_BYTES: usize = 0xc00;
/// First byte that a partition may take: the table ends before.
const FIRST: u32 = 0x9000;

impl Table {
    /// Reads the CSV: name, type, subtype, offset, size.
    ///
    /// # Errors
    /// The line that cannot be read.
    pub fn parse(csv: &str) -> Result<Self, String> {
        let lines = csv.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|line| partition(line).ok_or_else(|| format!("partitions.csv: {line}")))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Checks that the partitions lie in the flash, one after the other, firmware on whole pages of the memory map.
    ///
    /// # Errors
    /// The partition that does not.
    pub fn check(&self, flash_bytes: u32) -> Result<(), String> {
        let mut free = FIRST;
        for Partition { name, kind, at, bytes, .. } in &self.0 {
            let page = if *kind == 0 { 0x1_0000 } else { 0x1000 };
            let end = at.checked_add(*bytes).filter(|end| *end <= flash_bytes);
            let Some(end) = end.filter(|_| *at >= free && at.is_multiple_of(page) && bytes.is_multiple_of(0x1000))
            else {
                return Err(format!("partition {name} overlaps, leaves the flash, or does not begin at a whole page"));
            };
            free = end;
        }
        Ok(())
    }

    /// Visits the slots of the firmware.
    pub fn slots(&self) -> impl Iterator<Item = &Partition> {
        self.0.iter().filter(|partition| partition.kind == 0)
    }

    /// Returns the table as it lies in flash: 32 bytes each, then an MD5 of them.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for partition in &self.0 {
            out.extend_from_slice(&[0xaa, 0x50, partition.kind, partition.subtype]);
            out.extend_from_slice(&partition.at.to_le_bytes());
            out.extend_from_slice(&partition.bytes.to_le_bytes());
            let mut label = [0; 16];
            label.iter_mut().zip(partition.name.bytes().take(15)).for_each(|(to, from)| *to = from);
            out.extend_from_slice(&label);
            out.extend_from_slice(&[0; 4]);
        }
        let sum = Md5::digest(&out);
        out.extend_from_slice(&[0xeb, 0xeb]);
        out.extend_from_slice(&[0xff; 14]);
        out.extend_from_slice(&sum);
        out.resize(TABLE_BYTES, 0xff);
        out
    }
}

fn partition(line: &str) -> Option<Partition> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [name, kind, subtype, at, bytes, ..] = fields[..] else { return None };
    let (kind, subtype) = match (kind, subtype) {
        ("app", slot) => (0, 0x10 + slot.strip_prefix("ota_")?.parse::<u8>().ok().filter(|slot| *slot < 16)?),
        ("data", "ota") => (1, 0),
        ("data", "phy") => (1, 1),
        ("data", "nvs") => (1, 2),
        ("data", "undefined") => (1, 6),
        _ => return None,
    };
    let number = |text: &str| u32::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    Some(Partition { name: name.into(), kind, subtype, at: number(at)?, bytes: number(bytes)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "# Name, Type, SubType, Offset, Size\notadata, data, ota, 0x9000, 0x2000\n\
                       ota_0, app, ota_0, 0x10000, 0x10000\nota_1, app, ota_1, 0x20000, 0x10000\n";

    #[test]
    fn the_table_has_the_bytes_that_the_boot_loader_reads() {
        let table = Table::parse(CSV).unwrap();
        table.check(0x3_0000).unwrap();
        assert_eq!(table.slots().count(), 2);
        let bytes = table.bytes();
        assert_eq!(bytes.len(), TABLE_BYTES);
        assert_eq!(bytes[..16], [0xaa, 0x50, 1, 0, 0, 0x90, 0, 0, 0, 0x20, 0, 0, b'o', b't', b'a', b'd']);
        assert_eq!(bytes[64..76], [0xaa, 0x50, 0, 0x11, 0, 0, 2, 0, 0, 0, 1, 0]);
        assert_eq!(bytes[96..98], [0xeb, 0xeb]);
        assert!(bytes[128..].iter().all(|byte| *byte == 0xff));
    }

    #[test]
    fn tables_that_cannot_be_are_refused() {
        for (from, to) in [("0x20000, 0x10000", "0x18000, 0x10000"), ("0x9000", "0x8000"), ("0x20000, ", "0x30000, ")] {
            assert!(Table::parse(&CSV.replace(from, to)).unwrap().check(0x3_0000).is_err(), "{to}");
        }
        for line in ["a, app, factory, 0x10000, 0x1000", "a, data, ota, 9000, 0x1000", "a, data"] {
            assert!(Table::parse(line).is_err(), "{line}");
        }
    }
}
