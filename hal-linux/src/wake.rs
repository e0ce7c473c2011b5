//! How other threads wake the one that runs the gateway.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// Wakes the gateway thread; clones wake the same one.
#[derive(Clone, Debug)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    /// Builds a waker.
    ///
    /// # Errors
    /// What the system said (out of file descriptors).
    pub fn new() -> std::io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?)))
    }

    /// Makes the current or the next [`wait`](Self::wait) return.
    pub fn wake(&self) {
        // Fails only when the counter is full, and then the thread will wake anyway.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }

    /// Waits until woken, until one of `others` can be read, or until `timeout` has passed.
    pub fn wait(&self, others: &[OwnedFd], timeout: Option<Duration>) {
        // CAN interfaces and one waker: a handful.
        let mut waited = vec![PollFd::new(&*self.0, PollFlags::IN)];
        waited.extend(others.iter().map(|other| PollFd::new(other, PollFlags::IN)));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // An interrupted or failed wait is a short one.
        let _ = poll(&mut waited, timeout.as_ref());
        let _ = rustix::io::read(&*self.0, &mut [0; 8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const LONG: Option<Duration> = Some(Duration::from_secs(60));

    #[test]
    fn a_wake_before_the_wait_is_not_lost() {
        let waker = Waker::new().unwrap();
        let started = Instant::now();
        waker.clone().wake();
        waker.wait(&[], LONG);
        assert!(started.elapsed() < Duration::from_secs(30));
        // It was used up.
        waker.wait(&[], Some(Duration::ZERO));
    }

    #[test]
    fn another_thread_and_another_descriptor_wake() {
        let waker = Waker::new().unwrap();
        let started = Instant::now();
        let other = waker.clone();
        std::thread::spawn(move || other.wake());
        waker.wait(&[], LONG);
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, b"x").unwrap();
        waker.wait(&[OwnedFd::from(reader)], LONG);
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
