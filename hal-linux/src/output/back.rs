//! What comes back over a raw output: messages that its clients want on the bus.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Inbox, SyncSender, TrySendError, sync_channel};
use std::thread;

use skiff_runtime::n2k::log::{Format, LogEntry, LogStream, Mode};
use skiff_runtime::n2k::{N2kMessage, Receiver, ReceiverLimits};
use skiff_runtime::time::Instant;

use super::hub::{Hub, count};
use crate::wake::Waker;

/// Messages of all clients that wait for the gateway thread; more are dropped.
const MESSAGES_MAX: usize = 256;
/// Bytes read at once.
const CHUNK_BYTES: usize = 4096;

/// Where the messages of one output go.
#[derive(Clone)]
pub struct Back {
    format: Format,
    hub: Arc<Hub>,
    messages: SyncSender<N2kMessage>,
    waker: Waker,
}

/// Makes the place where messages go, and the one where they come out.
pub fn place() -> (SyncSender<N2kMessage>, Inbox<N2kMessage>) {
    sync_channel(MESSAGES_MAX)
}

impl Back {
    /// Makes that of an output.
    pub fn new(format: Format, hub: &Arc<Hub>, messages: SyncSender<N2kMessage>, waker: Waker) -> Self {
        Self { format, hub: Arc::clone(hub), messages, waker }
    }

    /// Reads on a thread of its own, to the end.
    pub fn read<R: Read + Send + 'static>(self, input: io::Result<R>, name: &str) {
        self.read_until(input, name, || {});
    }

    /// The same; `over` is called at the end.
    pub fn read_until<R: Read + Send + 'static>(
        self,
        input: io::Result<R>,
        name: &str,
        over: impl FnOnce() + Send + 'static,
    ) {
        let started = input.and_then(|mut input| {
            let run = move || {
                self.pump(&mut input);
                over();
            };
            thread::Builder::new().name("output back".into()).spawn(run)
        });
        if let Err(error) = started {
            log::warn!("{name}: what comes back is not read: {error}");
        }
    }

    fn pump(&self, input: &mut dyn Read) {
        let mut stream = LogStream::new(self.format, Mode::Fast);
        // Whoever sends is one device, or a few behind a gateway.
        let mut receiver = Receiver::with_limits("", ReceiverLimits::CHIP);
        let began = std::time::Instant::now();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match input.read(&mut chunk) {
                Ok(0) => return,
                Ok(read) => {
                    stream.feed(chunk.get(..read).unwrap_or_default());
                }
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                Err(_) => return,
            }
            let now = Instant::from_millis(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
            while let Some(entry) = stream.next_entry() {
                let LogEntry::Record { record, .. } = entry else { continue };
                let mut message = N2kMessage::default();
                if !receiver.item_into(&record.item, now, &mut message) {
                    continue;
                }
                count(&self.hub.counters.received, 1);
                match self.messages.try_send(message) {
                    Ok(()) => self.waker.wake(),
                    Err(TrySendError::Full(_)) => count(&self.hub.counters.overrun, 1),
                    Err(TrySendError::Disconnected(_)) => return,
                }
            }
        }
    }
}
