//! Lines for several takers, each with a queue of its own, so that a slow one holds up nobody.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use skiff_runtime::queue::Queue;

/// Lines that wait for one taker, and their bytes; the oldest gives way.
const LINES_MAX: u16 = 2048;
const BYTES_MAX: u32 = 1024 * 1024;
/// Lines that a client may lose before it is closed: it takes less than the boat tells.
pub const LOST_MAX: u32 = 4096;

/// A line with its end, shared by all who get it.
pub type Line = Arc<str>;

/// What waits for one taker.
struct Waiting {
    lines: Queue<Line>,
    lost: u32,
    is_closed: bool,
}

/// The queue of one taker.
pub struct Taker {
    waiting: Mutex<Waiting>,
    moved: Condvar,
    /// Closed with it: whoever is stuck in a write wakes up. None for what is no client.
    stream: Option<TcpStream>,
    /// Lines that were lost here for want of room.
    lost: AtomicU64,
}

/// What became of a line.
enum Put {
    Taken,
    /// It was over before.
    Left,
    /// It is over now.
    LostTooMuch,
}

impl Taker {
    /// Makes an empty queue, of a client when there is a stream.
    pub fn new(stream: Option<TcpStream>) -> Arc<Self> {
        let waiting = Waiting { lines: Queue::new(LINES_MAX, BYTES_MAX), lost: 0, is_closed: false };
        Arc::new(Self { waiting: Mutex::new(waiting), moved: Condvar::new(), stream, lost: AtomicU64::new(0) })
    }

    fn locked(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line; a client that has lost too many is closed.
    fn put(&self, line: &Line) -> Put {
        let mut waiting = self.locked();
        if waiting.is_closed {
            return Put::Left;
        }
        let lost = waiting.lines.push(Arc::clone(line), line.len());
        self.lost.fetch_add(lost.into(), Ordering::Relaxed);
        waiting.lost = waiting.lost.saturating_add(lost);
        let is_lost = waiting.lost > LOST_MAX && self.stream.is_some();
        drop(waiting);
        if is_lost {
            self.close();
            return Put::LostTooMuch;
        }
        self.moved.notify_one();
        Put::Taken
    }

    /// Takes all that waits as one text, and waits for something; `None` when it is over.
    pub fn take(&self) -> Option<String> {
        let mut waiting = self.locked();
        while waiting.lines.is_empty() && !waiting.is_closed {
            waiting = self.moved.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.is_closed {
            return None;
        }
        let mut text = String::new();
        while let Some(line) = waiting.lines.pop() {
            text.push_str(&line);
        }
        Some(text)
    }

    /// Takes what waits still, over or not.
    #[cfg(any(feature = "influx", feature = "mqtt"))]
    pub fn rest(&self) -> String {
        let mut waiting = self.locked();
        std::iter::from_fn(|| waiting.lines.pop()).map(|line| line.to_string()).collect()
    }

    /// Forgets what waits: it is of before.
    pub fn clear(&self) {
        let mut waiting = self.locked();
        waiting.lines.clear();
        waiting.lost = 0;
    }

    /// Tells whether it is over.
    pub fn is_closed(&self) -> bool {
        self.locked().is_closed
    }

    /// Ends it; a write that hangs fails.
    pub fn close(&self) {
        self.locked().is_closed = true;
        self.moved.notify_all();
        if let Some(stream) = &self.stream {
            // It can be gone already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Whether who takes the lines is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// A listener, an open connection or port.
    #[default]
    Open,
    /// A connection is being made.
    Connecting,
    /// It is not there, for this reason; another attempt follows by itself.
    Waiting(String),
}

/// What became of the lines of one output.
#[derive(Debug, Default)]
pub struct Counters {
    /// Lines that were given to the hub.
    pub lines: AtomicU64,
    /// Bytes that were written.
    pub bytes: AtomicU64,
    /// Lines that found no room, of those who have left.
    lost: AtomicU64,
    /// Clients that were closed because they took too little.
    pub slow: AtomicU64,
    /// Clients that were refused because there are enough.
    pub refused: AtomicU64,
    /// Lines that could not be sent.
    pub failed: AtomicU64,
    /// Messages that came from who takes the lines.
    pub received: AtomicU64,
    /// Those of them that came faster than the gateway takes them.
    pub overrun: AtomicU64,
}

/// Adds to a counter.
pub fn count(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Everyone who takes the lines of one output.
#[derive(Default)]
pub struct Hub {
    takers: Mutex<Vec<Arc<Taker>>>,
    state: Mutex<State>,
    /// What became of its lines.
    pub counters: Counters,
}

impl Hub {
    fn locked(&self) -> MutexGuard<'_, Vec<Arc<Taker>>> {
        self.takers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of whether who takes the lines is there.
    pub fn set_state(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Returns whether who takes the lines is there.
    pub fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how many take the lines, and how many lines found no room.
    pub fn load(&self) -> (usize, u64) {
        let takers = self.locked();
        let lost: u64 = takers.iter().map(|taker| taker.lost.load(Ordering::Relaxed)).sum();
        (takers.len(), lost.saturating_add(self.counters.lost.load(Ordering::Relaxed)))
    }

    /// Keeps what a taker that leaves has lost.
    fn keep_lost(&self, taker: &Taker) {
        self.counters.lost.fetch_add(taker.lost.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Adds a taker unless there are `max` already.
    pub fn join(&self, taker: &Arc<Taker>, max: usize) -> bool {
        let mut takers = self.locked();
        let has_room = takers.len() < max;
        if has_room {
            takers.push(Arc::clone(taker));
        }
        has_room
    }

    /// Takes a taker away.
    pub fn leave(&self, taker: &Arc<Taker>) {
        let mut takers = self.locked();
        if let Some(at) = takers.iter().position(|other| Arc::ptr_eq(other, taker)) {
            takers.remove(at);
            self.keep_lost(taker);
        }
    }

    /// Gives a line to all; returns how many were closed because they lost too much. Who has left by itself is none of them.
    pub fn put(&self, line: &Line) -> usize {
        count(&self.counters.lines, 1);
        let mut lost = 0;
        self.locked().retain(|taker| {
            let put = taker.put(line);
            if !matches!(put, Put::Taken) {
                self.keep_lost(taker);
            }
            lost += usize::from(matches!(put, Put::LostTooMuch));
            matches!(put, Put::Taken)
        });
        count(&self.counters.slow, lost);
        lost
    }

    /// Tells whether nobody would get a line.
    pub fn is_empty(&self) -> bool {
        self.locked().is_empty()
    }

    /// Ends all.
    pub fn close(&self) {
        self.locked().drain(..).for_each(|taker| taker.close());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn line(text: &str) -> Line {
        text.into()
    }

    #[test]
    fn each_taker_gets_every_line_and_no_more_join_than_may() {
        let hub = Hub::default();
        let takers = [Taker::new(None), Taker::new(None)];
        assert!(hub.is_empty() && hub.join(&takers[0], 2) && hub.join(&takers[1], 2));
        assert!(!hub.join(&Taker::new(None), 2));
        hub.put(&line("a\n"));
        hub.put(&line("b\n"));
        for taker in &takers {
            assert_eq!(taker.take().as_deref(), Some("a\nb\n"));
        }
        hub.leave(&takers[0]);
        hub.put(&line("c\n"));
        assert_eq!(takers[1].take().as_deref(), Some("c\n"));
        hub.close();
        assert_eq!((takers[1].take(), hub.is_empty()), (None, true));
    }

    #[test]
    fn a_client_that_left_has_lost_nothing() {
        let (taker, hub) = (Taker::new(None), Hub::default());
        assert!(hub.join(&taker, 1));
        taker.close();
        assert_eq!((hub.put(&line("a\n")), hub.is_empty()), (0, true));
    }

    #[test]
    fn a_client_that_takes_nothing_loses_the_oldest_and_is_closed_and_the_others_are_not_held() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let near = listener.accept().unwrap().0;
        let (slow, other, hub) = (Taker::new(Some(near)), Taker::new(None), Hub::default());
        assert!(hub.join(&slow, 16) && hub.join(&other, 16));
        let all = u32::from(LINES_MAX) + LOST_MAX;
        let mut closed = 0;
        for number in 0..all {
            closed += hub.put(&line(&format!("{number}\n")));
            assert_eq!(closed, 0, "{number}");
        }
        assert_eq!(hub.load(), (2, u64::from(LOST_MAX) * 2));
        assert_eq!(hub.put(&line("x\n")), 1);
        assert_eq!((hub.load(), hub.counters.slow.load(Ordering::Relaxed)), ((1, u64::from(LOST_MAX) * 2 + 2), 1));
        assert_eq!(hub.counters.lines.load(Ordering::Relaxed), u64::from(all) + 1);
        assert_eq!((slow.take(), far.read(&mut [0; 8]).unwrap()), (None, 0));
        // Its own queue is bounded, too, and what is no client is never closed.
        let rest = other.take().unwrap();
        assert!(rest.ends_with("\nx\n") && rest.lines().count() == usize::from(LINES_MAX));
        let _ = far.write(b"x");
    }
}
