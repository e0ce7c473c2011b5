//! How a connection is ended while it runs: whoever waits in the kernel for it, or for the next attempt, wakes up.

use std::fmt;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::net::{Shutdown, shutdown};

/// Ends a connection; clones end the same one.
#[derive(Clone)]
pub struct Stop(Arc<Inner>);

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stop").field("is_over", &self.is_over()).finish()
    }
}

struct Inner {
    /// Looked at for each line that comes.
    is_over: AtomicBool,
    state: Mutex<State>,
    moved: Condvar,
    /// Can be read once it is over: for what cannot be shut down.
    event: OwnedFd,
}

#[derive(Default)]
struct State {
    is_over: bool,
    /// Sockets that somebody may be waiting for.
    sockets: Vec<Arc<OwnedFd>>,
}

/// Keeps a socket in reach of its end.
pub struct Held {
    stop: Stop,
    socket: Arc<OwnedFd>,
}

impl Stop {
    /// Makes that of a connection which begins.
    ///
    /// # Errors
    /// What the system said: out of file descriptors.
    pub fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let (is_over, state, moved) = (AtomicBool::new(false), Mutex::default(), Condvar::new());
        Ok(Self(Arc::new(Inner { is_over, state, moved, event })))
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics while it holds the lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::SeqCst)
    }

    /// Waits; false when it is over, at once.
    #[must_use]
    pub fn sleep(&self, time: Duration) -> bool {
        let state = self.locked();
        let waited = self.0.moved.wait_timeout_while(state, time, |state| !state.is_over);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_over
    }

    /// Keeps a socket in reach, so that its end wakes whoever waits for it; a listener gives its port back then.
    ///
    /// # Errors
    /// What the system said: out of file descriptors.
    pub fn hold(&self, socket: impl AsFd) -> io::Result<Held> {
        let socket = Arc::new(socket.as_fd().try_clone_to_owned()?);
        let mut state = self.locked();
        state.sockets.push(Arc::clone(&socket));
        if state.is_over {
            close(&socket);
        }
        Ok(Held { stop: self.clone(), socket })
    }

    /// Waits until there is something to read; false when it is over.
    fn wait(&self, source: BorrowedFd<'_>) -> io::Result<bool> {
        let mut waited = [PollFd::from_borrowed_fd(source, PollFlags::IN), PollFd::new(&self.0.event, PollFlags::IN)];
        poll(&mut waited, None)?;
        Ok(!self.is_over())
    }

    /// Ends it.
    pub fn end(&self) {
        let mut state = self.locked();
        state.is_over = true;
        self.0.is_over.store(true, Ordering::SeqCst);
        state.sockets.iter().for_each(|socket| close(socket));
        drop(state);
        self.0.moved.notify_all();
        // Fails only when it can be read already.
        let _ = rustix::io::write(&self.0.event, &1_u64.to_ne_bytes());
    }
}

/// Wakes whoever waits for a socket (Linux does so for listeners and for datagrams, too, whatever it says of them).
fn close(socket: &OwnedFd) {
    let _ = shutdown(socket, Shutdown::Both);
}

impl Drop for Held {
    fn drop(&mut self) {
        self.stop.locked().sockets.retain(|other| !Arc::ptr_eq(other, &self.socket));
    }
}

/// A source that ends when its connection does, though it cannot be shut down.
pub struct Ending<R> {
    stop: Stop,
    source: R,
}

impl<R> Ending<R> {
    /// Reads `source` until the end.
    pub fn new(stop: &Stop, source: R) -> Self {
        Self { stop: stop.clone(), source }
    }
}

impl<R: Read + AsFd> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.wait(self.source.as_fd())? { self.source.read(buffer) } else { Ok(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    const LONG: Duration = Duration::from_secs(600);

    /// Has `wait` begin on a thread, ends it, and returns what it came to.
    fn ended<T: Send + 'static>(wait: impl FnOnce(&Stop) -> T + Send + 'static) -> T {
        let stop = Stop::new().unwrap();
        let own = stop.clone();
        let thread = std::thread::spawn(move || wait(&own));
        stop.end();
        thread.join().unwrap()
    }

    #[test]
    fn whoever_waits_wakes_up() {
        assert!(!ended(|stop| stop.sleep(LONG)));
        ended(|stop| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let _held = stop.hold(&listener).unwrap();
            listener.accept().unwrap_err()
        });
        ended(|stop| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let _held = stop.hold(&socket).unwrap();
            let _ = socket.recv(&mut [0]);
        });
        ended(|stop| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let _held = stop.hold(&client).unwrap();
            let _ = client.read(&mut [0]);
        });
        let count = ended(|stop| {
            let (reader, writer) = io::pipe().unwrap();
            let read = Ending::new(stop, reader).read(&mut [0]);
            drop(writer);
            read.unwrap()
        });
        assert_eq!(count, 0);
    }

    #[test]
    fn a_listener_gives_its_port_back_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Stop::new().unwrap();
        let _held = stop.hold(&listener).unwrap();
        assert!(stop.sleep(Duration::ZERO) && TcpListener::bind(address).is_err());
        stop.end();
        assert!(stop.is_over() && TcpListener::bind(address).is_ok());
    }
}
