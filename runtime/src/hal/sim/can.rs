//! A CAN interface made of two queues.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::hal::{Can, CanError, CanFrame, CanState};
use crate::time::Instant;

/// Frames the receive queue holds when [`SimCan::new`] is not told otherwise.
const RECEIVE_FRAMES: usize = 64;
/// Frames the transmit queue holds.
const TRANSMIT_FRAMES: usize = 16;

/// Simulated interface; clones share the queues, one side being the bus.
#[derive(Clone, Debug)]
pub struct SimCan(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    received: VecDeque<(CanFrame, Instant)>,
    receive_frames_max: usize,
    sent: Vec<CanFrame>,
    state: CanState,
    lost: u64,
    restarts: u32,
    /// State after a restart.
    after_restart: Option<CanState>,
}

impl Default for SimCan {
    fn default() -> Self {
        Self::new()
    }
}

impl SimCan {
    /// Builds an active interface with a receive queue of 64 frames.
    #[must_use]
    pub fn new() -> Self {
        Self::with_queue(RECEIVE_FRAMES)
    }

    /// Builds an active interface with a receive queue of `frames`.
    #[must_use]
    pub fn with_queue(frames: usize) -> Self {
        let received = VecDeque::new();
        Self(Rc::new(RefCell::new(State {
            received,
            receive_frames_max: frames,
            sent: Vec::new(),
            state: CanState::Active,
            lost: 0,
            restarts: 0,
            after_restart: None,
        })))
    }

    /// Puts a frame on the bus. When the queue is full the new frame is lost, as in a controller; off the bus none arrives.
    pub fn inject(&self, frame: CanFrame, at: Instant) {
        let mut state = self.0.borrow_mut();
        if matches!(state.state, CanState::BusOff | CanState::Down) {
            return;
        }
        if state.received.len() < state.receive_frames_max {
            state.received.push_back((frame, at));
        } else {
            state.lost = state.lost.saturating_add(1);
        }
    }

    /// Takes the frames transmitted since the last call, which makes room for more.
    #[must_use]
    pub fn take_sent(&self) -> Vec<CanFrame> {
        core::mem::take(&mut self.0.borrow_mut().sent)
    }

    /// Sets the health of the interface.
    pub fn set_state(&self, state: CanState) {
        self.0.borrow_mut().state = state;
    }

    /// Sets the state that the next restart leads to; without one a restart helps nothing.
    pub fn set_state_after_restart(&self, state: Option<CanState>) {
        self.0.borrow_mut().after_restart = state;
    }

    /// Returns how often a restart was asked for.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.0.borrow().restarts
    }
}

impl Can for SimCan {
    fn receive(&mut self) -> Option<(CanFrame, Instant)> {
        self.0.borrow_mut().received.pop_front()
    }

    fn transmit(&mut self, frame: &CanFrame) -> Result<(), CanError> {
        let mut state = self.0.borrow_mut();
        if matches!(state.state, CanState::BusOff | CanState::Down) {
            return Err(CanError::Off);
        }
        if state.sent.len() >= TRANSMIT_FRAMES {
            return Err(CanError::Full);
        }
        state.sent.push(*frame);
        Ok(())
    }

    fn state(&self) -> CanState {
        self.0.borrow().state
    }

    fn restart(&mut self) {
        let mut state = self.0.borrow_mut();
        state.restarts = state.restarts.saturating_add(1);
        if let Some(after) = state.after_restart {
            state.state = after;
        }
    }

    fn lost(&self) -> u64 {
        self.0.borrow().lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(id: u32) -> CanFrame {
        CanFrame::new(id, &[1]).unwrap()
    }

    #[test]
    fn full_receive_queue_loses_the_newest_and_counts() {
        let bus = SimCan::with_queue(2);
        let mut can = bus.clone();
        for id in 0..5 {
            bus.inject(frame(id), Instant::from_millis(u64::from(id)));
        }
        assert_eq!(can.receive(), Some((frame(0), Instant::from_millis(0))));
        assert_eq!(can.receive(), Some((frame(1), Instant::from_millis(1))));
        assert_eq!((can.receive(), can.lost()), (None, 3));
    }

    #[test]
    fn full_transmit_queue_asks_to_try_again() {
        let mut can = SimCan::new();
        for _ in 0..TRANSMIT_FRAMES {
            assert_eq!(can.transmit(&frame(1)), Ok(()));
        }
        assert_eq!(can.transmit(&frame(1)), Err(CanError::Full));
        assert_eq!(can.take_sent().len(), TRANSMIT_FRAMES);
        assert_eq!(can.transmit(&frame(1)), Ok(()));
    }

    #[test]
    fn off_the_bus_nothing_passes() {
        let bus = SimCan::new();
        let mut can = bus.clone();
        bus.set_state(CanState::BusOff);
        bus.inject(frame(1), Instant(0));
        assert_eq!((can.receive(), can.lost(), can.transmit(&frame(1))), (None, 0, Err(CanError::Off)));
    }
}
