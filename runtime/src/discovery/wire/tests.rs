use super::*;
use proptest::prelude::*;
use std::string::String;
use std::vec;

fn written(names: &[Vec<&str>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::begin(&mut out, 1472, 7, flags::RESPONSE);
    for name in names {
        let record = |writer: &mut Writer<'_>| {
            writer.record(name.iter().copied(), (kind::PTR, CLASS_IN, 120), |w| w.name(name.iter().copied()));
        };
        assert!(writer.entry(1, record));
    }
    out
}

#[test]
fn names_that_stand_there_already_are_pointed_to() {
    let names = [vec!["boat", "local"], vec!["_http", "_tcp", "LOCAL"], vec!["x", "_http", "_tcp", "local"]];
    let out = written(&names);
    assert_eq!(out.windows(6).filter(|bytes| bytes.eq_ignore_ascii_case(b"\x05local")).count(), 1);
    let message = Message::read(&out).unwrap();
    assert_eq!((message.id, message.question_count(), message.is_probe()), (7, 0, false));
    let read: Vec<_> = message.entries().collect();
    assert_eq!(read.len(), 3);
    for (entry, name) in read.iter().zip(&names) {
        let Entry::Record(Section::Answer, record) = entry else { panic!("{entry:?}") };
        assert!(record.name.is(name.iter().copied()) && record.ttl == 120 && record.kind == kind::PTR);
        assert!(record.name_inside(0).unwrap().is(name.iter().copied()));
        assert!(record.name_inside(1).is_none() && !record.name.is(["boat"].into_iter()));
    }
}

#[test]
fn pointers_that_lead_on_or_to_themselves_are_no_names() {
    let mut bytes = vec![0; 12];
    bytes.extend([1, b'a', 0xc0, 12, 0xc0, 18, 0xc0, 16, 0xc0, 4, 0x40, 0xc0]);
    for at in [12, 16, 18, 20, 22, 23, 24, 99] {
        assert!(Name::read(&bytes, at).is_none(), "at {at}");
    }
}

#[test]
fn a_name_that_is_too_long_is_none() {
    let name = |labels: usize| {
        let mut bytes = vec![0; 12];
        (0..labels).for_each(|_| bytes.extend(*b"\x01a"));
        bytes.push(0);
        Name::read(&bytes, 12).is_some()
    };
    assert!(name(127) && !name(128));
}

#[test]
fn what_does_not_fit_leaves_nothing_behind() {
    let mut out = Vec::new();
    let mut writer = Writer::begin(&mut out, 40, 0, 0);
    let question = |writer: &mut Writer<'_>| {
        writer.name(["a", "local"].into_iter());
        writer.words(&[kind::A, CLASS_IN]);
    };
    assert!(writer.entry(0, question));
    let before = writer.message().len();
    let long = |w: &mut Writer<'_>| w.record(["b", "local"].into_iter(), (1, 1, 1), |w| w.bytes(&[0; 99]));
    assert!(!writer.entry(1, long) && writer.message().len() == before);
    assert!(writer.entry(0, question), "there is room for something shorter");
    assert_eq!(Message::read(&out).unwrap().entries().count(), 2);
}

#[test]
fn a_message_that_is_cut_is_read_up_to_there() {
    let out = written(&[vec!["a", "local"], vec!["b", "local"]]);
    for end in 0..out.len() {
        let count = Message::read(&out[..end]).map_or(0, |message| message.entries().count());
        assert!(count < 2, "{end}");
    }
}

proptest! {
    #[test]
    fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Some(message) = Message::read(&bytes) {
            for entry in message.entries() {
                let name = match entry { Entry::Question(q) => q.name, Entry::Record(_, r) => r.name };
                prop_assert!(name.labels().map(|label| label.len() + 1).sum::<usize>() < NAME_BYTES_MAX);
            }
        }
    }

    #[test]
    fn what_is_written_is_read(names in proptest::collection::vec(
        proptest::collection::vec("[a-c ö.]{1,9}", 1..4), 0..12,
    )) {
        let names: Vec<Vec<&str>> = names.iter().map(|name| name.iter().map(String::as_str).collect()).collect();
        let out = written(&names);
        let mut read = Message::read(&out).unwrap().entries();
        for name in &names {
            let Some(Entry::Record(_, record)) = read.next() else { panic!("a record is missing") };
            prop_assert!(record.name.is(name.iter().copied()));
            prop_assert!(record.name_inside(0).unwrap().is(name.iter().copied()));
        }
        prop_assert!(read.next().is_none());
    }
}
