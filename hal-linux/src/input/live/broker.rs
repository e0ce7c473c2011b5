//! A broker that is listened to.

use std::sync::Arc;
use std::time::Instant;

use skiff_runtime::crc32::crc32;

use super::{Feed, Over, STEADY};
use crate::input::broker::Listener;
use crate::mqtt::{Heard, Session};
use crate::run::feed::InputEvent;
use crate::wake::Waker;

impl Feed {
    /// Listens to a broker until it is gone.
    pub(super) fn listen_to_broker(&self, listener: &Listener, own: &Arc<str>) -> Over {
        match self.heard_of_broker(listener, own) {
            Ok(()) => Over::Unwanted,
            Err((reason, is_steady)) => Over::Gone(reason, is_steady),
        }
    }

    fn heard_of_broker(&self, listener: &Listener, own: &Arc<str>) -> Result<(), (String, bool)> {
        let at_once = |reason: String| (reason, false);
        let name = format!("skiff-in-{:08x}{:08x}", crc32(own.as_bytes()), crc32(listener.label().as_bytes()));
        let mut session = Session::open(&listener.broker, &name, None).map_err(at_once)?;
        let _held = self.stop.hold(session.socket()).map_err(|error| at_once(error.to_string()))?;
        let waker = Waker::new().map_err(|error| at_once(error.to_string()))?;
        session.subscribe(listener.filters()).map_err(at_once)?;
        let since = Instant::now();
        let over = |reason: String| (reason, since.elapsed() >= STEADY);
        if !self.is_open() {
            return Ok(());
        }
        loop {
            while let Some(heard) = session.hear().map_err(over)? {
                let Heard::Message { topic, payload, is_retained } = heard else { continue };
                for delta in listener.deltas(&topic, &payload, is_retained, own) {
                    let event = delta.map_or(InputEvent::Bad, |text| InputEvent::Delta { text, time: None });
                    if !self.tell(event) {
                        return Ok(());
                    }
                }
            }
            session.wait(&waker, None).map_err(over)?;
            if self.stop.is_over() {
                return Ok(());
            }
        }
    }
}
