//! The records that the gateway answers with, as a set, and what they are made of.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use super::wire::{CLASS_ANY, CLASS_IN, LABEL_BYTES_MAX, Question, Record, TOP_BIT, Writer, kind};

/// Kinds of service that are announced at the most; with five records each and two of the host they are counted in 32 bits.
pub const KINDS_MAX: usize = 6;
/// Records of the host: its address, and that it has no other type.
const OF_HOST: usize = 2;
/// Records of a service.
const OF_SERVICE: usize = 5;
/// All records.
pub const RECORDS_MAX: usize = OF_HOST + KINDS_MAX * OF_SERVICE;
/// Seconds that what depends on the host's name or address is valid (RFC 6762 §10).
const TTL_HOST: u32 = 120;
/// Seconds that the rest is.
const TTL_OTHER: u32 = 4500;
/// Where the kinds of service are listed (RFC 6763 §9).
const LISTS: &str = "_services._dns-sd._udp";

/// What is announced.
#[derive(Clone, Debug)]
pub struct Announced {
    /// The host's name, without `.local`.
    pub host: String,
    /// What the services are called.
    pub name: String,
    /// Where they are.
    pub port: u16,
    /// Kinds of service, `_http._tcp`; six at the most, more are not announced.
    pub kinds: &'static [&'static str],
    /// Their texts; one that is longer than 255 bytes is left out.
    pub texts: Vec<(&'static str, String)>,
}

/// A name of ours: a label of the owner's choice or none, fixed ones, and `local`.
#[derive(Clone, Copy, Debug)]
struct OwnName<'n> {
    first: &'n str,
    fixed: &'static str,
}

impl<'n> OwnName<'n> {
    fn labels(self) -> impl Iterator<Item = &'n str> + Clone {
        let fixed = self.fixed.split('.').chain(core::iter::once("local"));
        core::iter::once(self.first).chain(fixed).filter(|label| !label.is_empty())
    }
}

/// One record; services by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The host's address.
    Address,
    /// The host has no other type (RFC 6762 §6.1).
    NoOtherOfHost,
    /// A kind of service leads to its instance; others may have one of the kind, too.
    Instance(usize),
    /// Host and port of an instance.
    Place(usize),
    /// Its texts.
    Texts(usize),
    /// It has no other type.
    NoOtherOfInstance(usize),
    /// The kind is listed.
    Listed(usize),
}

impl What {
    fn of(index: usize) -> Self {
        let Some(below) = index.checked_sub(OF_HOST) else {
            return if index == 0 { Self::Address } else { Self::NoOtherOfHost };
        };
        let service = below / OF_SERVICE;
        match below % OF_SERVICE {
            0 => Self::Instance(service),
            1 => Self::Place(service),
            2 => Self::Texts(service),
            3 => Self::NoOtherOfInstance(service),
            _ => Self::Listed(service),
        }
    }

    fn kind(self) -> u16 {
        match self {
            Self::Address => kind::A,
            Self::NoOtherOfHost | Self::NoOtherOfInstance(_) => kind::NSEC,
            Self::Instance(_) | Self::Listed(_) => kind::PTR,
            Self::Place(_) => kind::SRV,
            Self::Texts(_) => kind::TXT,
        }
    }
}

/// Some of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records(u32);

const _: () = assert!(RECORDS_MAX <= 32, "a bit each");

impl Records {
    fn one(index: usize) -> Self {
        Self(u32::try_from(index).ok().and_then(|index| 1_u32.checked_shl(index)).unwrap_or(0))
    }

    /// Tells whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns those of both.
    pub fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Returns these but the others.
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Visits their indexes.
    pub fn indexes(self) -> impl Iterator<Item = usize> {
        (0..RECORDS_MAX).filter(move |index| self.0 & Self::one(*index).0 != 0)
    }

    /// Returns those whose index is wanted.
    pub fn filter(self, mut wanted: impl FnMut(usize) -> bool) -> Self {
        self.indexes().filter(|index| wanted(*index)).fold(Self::default(), |all, index| all.with(Self::one(index)))
    }
}

/// How a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// To all.
    Multicast,
    /// About to be claimed: without the bit that others of its name are not valid any more.
    Claim,
    /// To somebody who knows nothing of multicast DNS: not for long (RFC 6762 §6.7).
    Legacy,
    /// It is not valid any more.
    Farewell,
}

/// Whose name another machine has, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The host's.
    Host,
    /// The services'.
    Services,
}

/// What is announced, under names of which a number tells apart those that others have already.
#[derive(Debug)]
pub struct Own {
    announced: Announced,
    host: String,
    name: String,
    host_number: u16,
    name_number: u16,
    /// The address of the host.
    pub address: Ipv4Addr,
}

impl Own {
    /// Announces under the names as they are given.
    pub fn new(mut announced: Announced) -> Self {
        announced.texts.retain(|(key, value)| key.len().saturating_add(value.len()) < 255);
        announced.kinds = announced.kinds.get(..KINDS_MAX).unwrap_or(announced.kinds);
        let (host, name) = (numbered(&announced.host, "", ""), numbered(&announced.name, "", ""));
        Self { host, name, announced, host_number: 1, name_number: 1, address: Ipv4Addr::UNSPECIFIED }
    }

    /// Returns the host's name, without `.local`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns all records.
    pub fn all(&self) -> Records {
        let count = OF_HOST.saturating_add(self.announced.kinds.len().saturating_mul(OF_SERVICE));
        Records(u32::MAX).filter(|index| index < count)
    }

    /// Returns those that are told to all without a question.
    pub fn told(&self) -> Records {
        self.all().filter(|index| What::of(index).kind() != kind::NSEC)
    }

    /// Returns those that are claimed: nobody else may have one of their names.
    pub fn claimed(&self) -> Records {
        self.all().filter(|index| matches!(What::of(index), What::Address | What::Place(_)))
    }

    /// Tells whether others may have one of this name, too.
    pub fn is_shared(index: usize) -> bool {
        What::of(index).kind() == kind::PTR
    }

    /// Returns the seconds that a record is valid.
    pub fn ttl(index: usize) -> u32 {
        match What::of(index) {
            What::Instance(_) | What::Texts(_) | What::Listed(_) => TTL_OTHER,
            _ => TTL_HOST,
        }
    }

    /// Returns what answers a question.
    pub fn answers(&self, question: &Question<'_>) -> Records {
        if !is_of_internet(question.class) {
            return Records::default();
        }
        let named = self.all().filter(|index| question.name.is(self.owner(index).labels()));
        let is_any = question.kind == kind::ANY;
        let wanted = named.filter(|index| is_any || What::of(index).kind() == question.kind);
        if !wanted.is_empty() {
            return wanted;
        }
        // Nobody else has the type, as nobody else has the name.
        named.filter(|index| What::of(index).kind() == kind::NSEC)
    }

    /// Returns what is asked next by who got these.
    pub fn next(&self, answers: Records) -> Records {
        let next = |index: usize| match What::of(index) {
            What::Instance(service) => Records(0b110).shifted(service).with(Records(0b11)),
            What::Place(_) => Records(0b11),
            What::Address => Records(0b10),
            _ => Records::default(),
        };
        answers.indexes().map(next).fold(Records::default(), Records::with).without(answers)
    }

    /// Returns the own record that another one is the same as, if it is valid for half as long at least.
    pub fn known(&self, record: &Record<'_>) -> Records {
        self.all().filter(|index| {
            u64::from(record.ttl).saturating_mul(2) >= u64::from(Self::ttl(index))
                && What::of(index).kind() == record.kind
                && record.name.is(self.owner(index).labels())
                && self.is_same(index, record)
        })
    }

    /// Tells whether somebody else's record says that a name of ours is taken. While the name is only about to be claimed
    /// (`is_claiming`), a record of any type does (RFC 6762 §8.1, §9).
    pub fn conflict(&self, record: &Record<'_>, is_claiming: bool) -> Option<Taken> {
        if !is_of_internet(record.class) || record.kind == kind::NSEC {
            return None;
        }
        let unique = self.all().filter(|index| !Self::is_shared(index));
        let named = unique.filter(|index| record.name.is(self.owner(index).labels()));
        let taken = self.taken(named.indexes().next()?);
        let same_type = named.filter(|index| What::of(index).kind() == record.kind);
        match same_type.indexes().next() {
            Some(index) => (!self.is_same(index, record)).then_some(taken),
            None => is_claiming.then_some(taken),
        }
    }

    /// Returns which of two that claim a name at the same time gets it (RFC 6762 §8.2): the claimed record, and how ours
    /// compares with the other.
    pub fn compare(&self, record: &Record<'_>) -> Option<(Taken, core::cmp::Ordering)> {
        let index = self.claimed().filter(|index| record.name.is(self.owner(index).labels())).indexes().next()?;
        let kind = What::of(index).kind();
        let theirs = data_of(record);
        let ours = self.data(index);
        Some((self.taken(index), (kind, &*ours).cmp(&(record.kind, &*theirs))))
    }

    fn taken(&self, index: usize) -> Taken {
        if index < OF_HOST { Taken::Host } else { Taken::Services }
    }

    /// Takes the next name.
    pub fn rename(&mut self, taken: Taken) {
        match taken {
            Taken::Host => {
                self.host_number = self.host_number.saturating_add(1);
                self.host = numbered(&self.announced.host, &format!("-{}", self.host_number), "");
                log::warn!("{}.local is another machine's: now {}.local", self.announced.host, self.host);
            }
            Taken::Services => {
                self.name_number = self.name_number.saturating_add(1);
                self.name = numbered(&self.announced.name, " (", &format!("{})", self.name_number));
                log::warn!("another one is announced as {}: now {}", self.announced.name, self.name);
            }
        }
    }

    /// Writes the question of a probe: is anybody there of the name of this record?
    pub fn ask(&self, index: usize, writer: &mut Writer<'_>) {
        writer.name(self.owner(index).labels());
        writer.words(&[kind::ANY, CLASS_IN | TOP_BIT]);
    }

    /// Writes a record.
    pub fn write(&self, index: usize, form: Form, writer: &mut Writer<'_>) {
        let what = What::of(index);
        let is_last_word = matches!(form, Form::Multicast | Form::Farewell) && !Self::is_shared(index);
        let class = if is_last_word { CLASS_IN | TOP_BIT } else { CLASS_IN };
        let ttl = match form {
            Form::Multicast | Form::Claim => Self::ttl(index),
            Form::Legacy => 10,
            Form::Farewell => 0,
        };
        let owner = self.owner(index);
        writer.record(owner.labels(), (what.kind(), class, ttl), |writer| match what {
            What::Address => writer.bytes(&self.address.octets()),
            // The next name is the own one; then block 0, its bytes, and a bit for each type (RFC 4034 §4.1.2).
            What::NoOtherOfHost => {
                writer.name(owner.labels());
                writer.bytes(&[0, 1, 0x40]);
            }
            What::NoOtherOfInstance(_) => {
                writer.name(owner.labels());
                writer.bytes(&[0, 5, 0, 0, 0x80, 0, 0x40]);
            }
            What::Instance(service) => writer.name(self.instance(service).labels()),
            What::Place(_) => {
                writer.words(&[0, 0, self.announced.port]);
                writer.name(self.owner(0).labels());
            }
            What::Texts(_) => self.texts(|text| writer.text(text)),
            What::Listed(service) => writer.name(self.kind(service).labels()),
        });
    }

    fn texts(&self, mut each: impl FnMut(&str)) {
        if self.announced.texts.is_empty() {
            // One empty text is what an empty list is (RFC 6763 §6.1).
            each("");
        }
        self.announced.texts.iter().for_each(|(key, value)| each(&format!("{key}={value}")));
    }

    fn kind(&self, service: usize) -> OwnName<'_> {
        OwnName { first: "", fixed: self.announced.kinds.get(service).copied().unwrap_or_default() }
    }

    fn instance(&self, service: usize) -> OwnName<'_> {
        OwnName { first: &self.name, ..self.kind(service) }
    }

    /// Returns whose record it is.
    fn owner(&self, index: usize) -> OwnName<'_> {
        match What::of(index) {
            What::Address | What::NoOtherOfHost => OwnName { first: &self.host, fixed: "" },
            What::Instance(service) => self.kind(service),
            What::Place(service) | What::Texts(service) | What::NoOtherOfInstance(service) => self.instance(service),
            What::Listed(_) => OwnName { first: "", fixed: LISTS },
        }
    }

    /// Returns the data of a record that is claimed or compared, with no name in it pointed to.
    fn data(&self, index: usize) -> Vec<u8> {
        let mut data = Vec::new();
        match What::of(index) {
            What::Address => data.extend(self.address.octets()),
            What::Place(_) => {
                data.extend([0; 4]);
                data.extend(self.announced.port.to_be_bytes());
                self.owner(0).labels().for_each(|label| put(&mut data, label.as_bytes()));
                data.push(0);
            }
            What::Texts(_) => self.texts(|text| put(&mut data, text.as_bytes())),
            What::Instance(service) => {
                self.instance(service).labels().for_each(|label| put(&mut data, label.as_bytes()));
                data.push(0);
            }
            What::Listed(service) => {
                self.kind(service).labels().for_each(|label| put(&mut data, label.as_bytes()));
                data.push(0);
            }
            What::NoOtherOfHost | What::NoOtherOfInstance(_) => {}
        }
        data
    }

    fn is_same(&self, index: usize, record: &Record<'_>) -> bool {
        // Names are the same in upper and lower case; nobody writes numbers as letters.
        self.data(index).eq_ignore_ascii_case(&data_of(record))
    }
}

impl Records {
    /// Moves the records of the first service to those of another.
    fn shifted(self, service: usize) -> Self {
        let by = OF_HOST.saturating_add(service.saturating_mul(OF_SERVICE));
        Self(u32::try_from(by).ok().and_then(|by| self.0.checked_shl(by)).unwrap_or(0))
    }
}

fn put(data: &mut Vec<u8>, label: &[u8]) {
    data.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
    data.extend_from_slice(label);
}

/// Returns the data of a record, with no name in it pointed to.
fn data_of(record: &Record<'_>) -> Vec<u8> {
    let skipped = match record.kind {
        kind::PTR => 0,
        kind::SRV => 6,
        _ => return record.data.into(),
    };
    let mut data: Vec<u8> = record.data.get(..skipped).unwrap_or_default().into();
    if let Some(name) = record.name_inside(skipped) {
        name.labels().for_each(|label| put(&mut data, label));
        data.push(0);
    }
    data
}

fn is_of_internet(class: u16) -> bool {
    matches!(class & !TOP_BIT, CLASS_IN | CLASS_ANY)
}

/// Puts a number behind a name, which is cut to the room of a label for it.
fn numbered(name: &str, before: &str, number: &str) -> String {
    let room = LABEL_BYTES_MAX.saturating_sub(before.len()).saturating_sub(number.len());
    let mut end = room.min(name.len());
    while !name.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    [name.get(..end).unwrap_or_default(), before, number].concat()
}
