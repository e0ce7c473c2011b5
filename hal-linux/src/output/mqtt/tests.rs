use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};

use crate::mqtt::packet::{self, Packet, Version};

/// What a broker does with a connection.
#[derive(Clone, Copy, PartialEq)]
enum Act {
    /// Acknowledges so many messages behind the one that says that it is online, and breaks the connection.
    Take(usize),
    /// Takes so many, refusing the last for good, and goes on.
    Refuse(usize),
    /// Ends the connection where this comes.
    EndAt(&'static str),
    /// Lets nobody in.
    Deny,
    /// Takes bytes, and says nothing any more.
    Silence,
    /// Sends an order: topic, payload, and whether it was kept.
    Order(&'static str, &'static str, bool),
}

/// A broker of one client at a time, that does as the script says; what was published comes out.
fn broker(script: &'static [Act], version: Version) -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let (told, heard) = channel();
    thread::spawn(move || {
        for act in script {
            let (stream, _) = listener.accept().unwrap();
            // The client goes whenever it likes.
            let _ = serve(stream, *act, version, &told);
        }
    });
    (place, heard)
}

/// Takes a packet of a client, of less than 16 KiB.
fn whole(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let low = usize::from(*bytes.get(1)?);
    let (head, length) = if low < 128 { (2, low) } else { (3, low - 128 + 128 * usize::from(*bytes.get(2)?)) };
    (bytes.len() >= head + length).then(|| bytes.drain(..head + length).collect())
}

fn serve(
    mut stream: TcpStream,
    act: Act,
    version: Version,
    told: &std::sync::mpsc::Sender<(String, String)>,
) -> io::Result<()> {
    let (mut bytes, mut taken, mut greeted) = (Vec::new(), 0, false);
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&chunk[..count]);
        while let Some(whole) = whole(&mut bytes) {
            let mut answer = Vec::new();
            match whole[0] & 0xf0 {
                0x10 => {
                    let code = if act == Act::Deny { 5 } else { 0 };
                    match version {
                        Version::V3 => answer.extend([0x20, 2, 0, code]),
                        // At most two under way, of 2,000 bytes.
                        Version::V5 => answer.extend([0x20, 11, 0, code, 8, 0x21, 0, 2, 0x27, 0, 0, 7, 0xd0]),
                    }
                    greeted = true;
                }
                0x30 if act != Act::Silence => {
                    let (packet, _) = packet::next(&whole, version).unwrap().unwrap();
                    let Packet::Publish { message, id: Some(id) } = packet else { panic!("{packet:?}") };
                    let is_status = message.topic.ends_with("/status");
                    let payload = String::from_utf8(message.payload.to_vec()).unwrap();
                    if matches!(act, Act::EndAt(end) if end == payload) {
                        return Ok(());
                    }
                    let refuses = matches!(act, Act::Refuse(count) if taken + 1 == count) && !is_status;
                    answer.extend([0x40, if refuses { 3 } else { 2 }]);
                    answer.extend(id.to_be_bytes());
                    answer.extend(refuses.then_some(0x87));
                    told.send((message.topic.to_owned(), payload)).unwrap();
                    taken += usize::from(!is_status);
                }
                0x80 => {
                    answer.extend([0x90, 3, whole[2], whole[3], 1]);
                    if let Act::Order(topic, payload, is_retained) = act {
                        let message = Message { topic, payload: payload.as_bytes(), is_retained };
                        packet::publish(&mut answer, version, &message, Some(9));
                    }
                }
                // It has dealt with what came.
                0x40 => told.send((String::new(), "heard".into())).unwrap(),
                _ => {}
            }
            assert!(greeted);
            stream.write_all(&answer)?;
            if matches!(act, Act::Take(count) if taken == count) {
                return Ok(());
            }
        }
    }
}

/// Begins to publish these lines to a broker.
fn publishing(place: &str, options: &str, lines: &str) -> (Arc<Hub>, Arc<Store>, Stop, Option<Puts>) {
    let destination = Destination::parse(false, place, options).unwrap();
    let (output, puts) = prepare(&destination, "mqtt", "vessels.a", &Waker::new().unwrap());
    let (hub, stop) = (Arc::new(Hub::default()), Stop::new().unwrap());
    let store = Arc::new(Store::open(None, 0, Duration::ZERO).unwrap());
    store.push(lines);
    let waker = Waker::new().unwrap();
    let publisher = Publisher {
        output,
        store: Arc::clone(&store),
        hub: Arc::clone(&hub),
        stop: stop.clone(),
        waker,
        under_way: None,
        ends_in_a_row: 0,
        refusals: 0,
    };
    let pause = Duration::from_millis(1);
    thread::spawn(move || publisher.run(BackOff { first: pause, max: pause }));
    (hub, store, stop, puts)
}

fn lines(count: usize) -> String {
    (0..count).map(|number| format!("-a/b\t{number}\n")).collect()
}

/// Returns what came until this was there.
fn until(heard: &Receiver<(String, String)>, last: &str) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let (_, payload) = heard.recv_timeout(Duration::from_secs(20)).unwrap();
        let is_last = payload == last;
        all.push(payload);
        if is_last {
            return all;
        }
    }
}

#[test]
fn what_was_not_acknowledged_is_published_again_and_the_order_stays() {
    for (version, option) in [(Version::V3, ""), (Version::V5, "version=5")] {
        let (place, heard) = broker(&[Act::Take(2), Act::Deny, Act::Take(99)], version);
        let (hub, _store, stop, _) = publishing(&place, option, &lines(5));
        let mut seen: Vec<String> = until(&heard, "4").into_iter().filter(|payload| payload != "online").collect();
        // What was under way when the connection broke comes twice at most; by then a reader has it in order.
        seen.dedup();
        let mut firsts: Vec<i32> = Vec::new();
        for number in seen.iter().map(|payload| payload.parse().unwrap()) {
            if firsts.last().is_none_or(|last| number > *last) {
                firsts.push(number);
            }
        }
        assert_eq!(firsts, [0, 1, 2, 3, 4], "{seen:?}");
        assert_eq!(hub.counters.failed.load(Ordering::Relaxed), 0);
        stop.end();
    }
}

#[test]
fn what_is_refused_for_good_is_counted_and_holds_up_nothing() {
    let (place, heard) = broker(&[Act::Refuse(2)], Version::V5);
    let (hub, store, stop, _) = publishing(&place, "version=5", &lines(3));
    assert_eq!(until(&heard, "2"), ["online", "0", "1", "2"]);
    let is_done = || matches!(store.next(), Next::Later(_)) && hub.counters.failed.load(Ordering::Relaxed) == 1;
    assert!((0..2000).any(|_| is_done() || !stop.sleep(Duration::from_millis(5))));
    stop.end();
}

#[test]
fn what_is_too_large_for_the_broker_is_counted_and_holds_up_nothing() {
    let (place, heard) = broker(&[Act::Take(99)], Version::V5);
    let text = format!("-a/b\t0\n-a/b\t1\n-a/b\t{}\n-a/b\t3\n", "x".repeat(3000));
    let (hub, _store, stop, _) = publishing(&place, "version=5", &text);
    assert_eq!(until(&heard, "3"), ["online", "0", "1", "3"]);
    assert_eq!(hub.counters.failed.load(Ordering::Relaxed), 1);
    stop.end();
}

#[test]
fn a_line_for_which_the_broker_always_ends_the_connection_is_passed_over() {
    const HANG_UP: Act = Act::EndAt("poison");
    let (place, heard) = broker(&[HANG_UP; 8], Version::V3);
    let text = "-a/b\t0\n-a/b\tpoison\n-a/b\t2\n";
    let (hub, _store, stop, _) = publishing(&place, "", text);
    let seen = until(&heard, "2");
    assert!(!seen.contains(&"poison".to_owned()), "{seen:?}");
    assert_eq!(hub.counters.failed.load(Ordering::Relaxed), 1);
    stop.end();
}

#[test]
fn a_broker_that_takes_and_says_nothing_holds_up_nobody() {
    let (place, _heard) = broker(&[Act::Silence], Version::V3);
    let (hub, store, stop, _) = publishing(&place, "", &lines(5));
    let opened = || hub.state() == State::Open;
    assert!((0..2000).any(|_| opened() || !stop.sleep(Duration::from_millis(5))));
    // Whoever makes the lines is never held, and the oldest gives way.
    let many = lines(20_000);
    let lost: u64 = (0..64).map(|_| store.push(&many)).sum();
    assert!(lost > 0, "memory is bounded");
    stop.end();
}

#[test]
fn an_order_that_was_kept_is_none() {
    const TOPIC: &str = "signalk/vessels/a/put/b/c";
    for (is_retained, expected) in [(true, 0), (false, 1)] {
        static KEPT: [Act; 1] = [Act::Order(TOPIC, "1", true)];
        static FRESH: [Act; 1] = [Act::Order(TOPIC, "1", false)];
        let (place, heard) = broker(if is_retained { &KEPT } else { &FRESH }, Version::V3);
        let (hub, _store, stop, puts) = publishing(&place, "put_token_file=/none", &lines(1));
        until(&heard, "heard");
        let taken = puts.unwrap().taken_orders();
        assert_eq!(taken.len(), expected, "{is_retained}");
        assert!(taken.first().is_none_or(|order| order.path == "b.c" && order.payload == "1"));
        assert_eq!(hub.counters.overrun.load(Ordering::Relaxed), 0);
        stop.end();
    }
}

#[test]
fn a_broker_that_is_gone_or_denies_says_why() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let destination = |place: &str| Destination::parse(false, place, "").unwrap();
    assert!(destination(&gone).broker.try_it().unwrap_err().contains("refused"));
    let (place, _heard) = broker(&[Act::Deny, Act::Take(1)], Version::V3);
    assert_eq!(destination(&place).broker.try_it().unwrap_err(), "the broker does not allow it");
    assert_eq!(destination(&place).broker.try_it(), Ok(()));
}
