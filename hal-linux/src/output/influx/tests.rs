use super::*;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

/// A server that answers as the script says, `None` with a connection that breaks; what it was sent comes out.
fn scripted(script: &'static [Option<&'static str>]) -> (Server, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let (told, heard) = channel();
    thread::spawn(move || {
        let mut connections = listener.incoming().map_while(Result::ok);
        let mut open = None;
        for answer in script {
            let stream = open.take().or_else(|| connections.next()).unwrap();
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).unwrap() == 0 {
                    // The client has let go of a connection that it did not need any more.
                    reader = BufReader::new(connections.next().unwrap());
                    head.clear();
                }
            }
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let mut body = vec![0; length.trim().parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let mut stream = reader.into_inner();
            if let Some(answer) = answer {
                stream.write_all(format!("HTTP/1.1 {answer}").as_bytes()).unwrap();
                open = Some(stream);
            }
            told.send((head, String::from_utf8(body).unwrap())).unwrap();
        }
    });
    (Server::parse(false, &host, "db=boat&keep=1").unwrap(), heard)
}

const DONE: Option<&str> = Some("204 No Content\r\n\r\n");
const BUSY: Option<&str> = Some("503 Busy\r\ncontent-length: 9\r\n\r\nnot today");
const WRONG: Option<&str> = Some("400 Bad\r\ncontent-length: 33\r\n\r\n{\"error\":\"partial write dropped=1");

/// Sends these batches until the store is empty, and returns counters and what came there.
fn sent(script: &'static [Option<&'static str>], batches: usize) -> (Arc<Hub>, Vec<String>) {
    let (server, heard) = scripted(script);
    let store = Arc::new(Store::open(None, 0, BATCH_TIME).unwrap());
    for number in 0..batches {
        store.push(&format!("{number} a\n{number} b\n").repeat(8192));
    }
    let (hub, stop) = (Arc::new(Hub::default()), Stop::new().unwrap());
    let (other, counted) = (Arc::clone(&store), Arc::clone(&hub));
    let pause = Duration::from_millis(1);
    let sender = thread::spawn(move || {
        send_all(&server, "influx", &other, &counted, &stop, BackOff { first: pause, max: pause });
    });
    let bodies = script.iter().map(|_| {
        let (head, body) = heard.recv().unwrap();
        assert!(head.starts_with("POST /write?db=boat&precision=ms HTTP/1.1\r\n"), "{head}");
        body.chars().take(3).collect::<String>()
    });
    let bodies = bodies.collect();
    store.close();
    sender.join().unwrap();
    (hub, bodies)
}

#[test]
fn what_was_not_taken_is_sent_again_and_the_order_stays() {
    let (hub, bodies) = sent(&[BUSY, None, DONE, DONE, BUSY, DONE], 3);
    assert_eq!(bodies, ["0 a", "0 a", "0 a", "1 a", "2 a", "2 a"]);
    assert_eq!(hub.counters.failed.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn what_is_refused_for_good_is_counted_and_holds_up_nothing() {
    let (hub, bodies) = sent(&[WRONG, DONE], 2);
    assert_eq!(bodies, ["0 a", "1 a"]);
    assert_eq!(hub.counters.failed.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn a_server_that_is_gone_says_why() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::parse(false, &gone.to_string(), "db=boat").unwrap();
    assert!(server.try_it().unwrap_err().contains("refused"), "{:?}", server.try_it());
    let server = Server::parse(false, "127.0.0.1:1", "db=boat&token_file=/nowhere/token").unwrap();
    assert!(server.try_it().unwrap_err().contains("/nowhere/token"));
}
