//! Two firmware slots with the rules of NOR flash, whose power can be cut at each step.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::hal::{Firmware, FlashFailed, Slot};

const BLOCK_BYTES: u32 = 256;

/// Simulated slots; clones share the flash.
#[derive(Clone, Debug)]
pub struct SimFirmware(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    slots: [Vec<u8>; 2],
    running: Slot,
    next: Slot,
    steps_left: Option<u32>,
}

impl SimFirmware {
    /// Builds two slots of `slot_bytes`; `image` lies in the first one and runs.
    #[must_use]
    pub fn new(slot_bytes: usize, image: &[u8]) -> Self {
        let mut first = image.to_vec();
        first.resize(slot_bytes, 0xff);
        let slots = [first, vec![0xff; slot_bytes]];
        Self(Rc::new(RefCell::new(State { slots, running: Slot::First, next: Slot::First, steps_left: None })))
    }

    /// Lets `steps` more steps (a block erased, a piece written, the choice changed) be done, then cuts the power: the step
    /// under way is done by half, or not at all where it is atomic.
    pub fn cut_after(&self, steps: u32) {
        self.0.borrow_mut().steps_left = Some(steps);
    }

    /// Starts the board: the chosen slot runs, with power.
    pub fn start(&self) {
        let mut state = self.0.borrow_mut();
        (state.running, state.steps_left) = (state.next, None);
    }

    /// Returns the first bytes of the slot that the boot loader would start.
    #[must_use]
    pub fn bootable(&self, bytes: usize) -> Vec<u8> {
        let state = self.0.borrow();
        let slot = state.slots.get(usize::from(state.next.index()));
        slot.and_then(|slot| slot.get(..bytes)).unwrap_or_default().to_vec()
    }
}

impl State {
    /// Takes one step off; `Err` when the power is cut in it.
    fn step(&mut self) -> Result<(), FlashFailed> {
        match &mut self.steps_left {
            None => Ok(()),
            Some(0) => Err(FlashFailed),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn idle(&mut self, offset: u32, bytes: usize) -> Result<&mut [u8], FlashFailed> {
        let from = usize::try_from(offset).map_err(|_| FlashFailed)?;
        let slot = self.slots.get_mut(usize::from(self.running.other().index())).ok_or(FlashFailed)?;
        slot.get_mut(from..from.checked_add(bytes).ok_or(FlashFailed)?).ok_or(FlashFailed)
    }
}

impl Firmware for SimFirmware {
    fn chip(&self) -> u16 {
        13
    }

    fn running(&self) -> Slot {
        self.0.borrow().running
    }

    fn slot_bytes(&self) -> u32 {
        self.0.borrow().slots.first().map_or(0, |slot| u32::try_from(slot.len()).unwrap_or(u32::MAX))
    }

    fn block_bytes(&self) -> u32 {
        BLOCK_BYTES
    }

    fn erase(&mut self, offset: u32) -> Result<(), FlashFailed> {
        let mut state = self.0.borrow_mut();
        if !offset.is_multiple_of(BLOCK_BYTES) {
            return Err(FlashFailed);
        }
        let done = state.step();
        let bytes = if done.is_ok() { BLOCK_BYTES } else { BLOCK_BYTES / 2 };
        state.idle(offset, usize::try_from(bytes).unwrap_or(0))?.fill(0xff);
        done
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> Result<(), FlashFailed> {
        let mut state = self.0.borrow_mut();
        let done = state.step();
        let bytes = if done.is_ok() { data.len() } else { data.len() / 2 };
        for (to, from) in state.idle(offset, bytes)?.iter_mut().zip(data) {
            // Writing takes bits away only.
            *to &= from;
        }
        done
    }

    fn read(&mut self, offset: u32, buffer: &mut [u8]) -> Result<(), FlashFailed> {
        let mut state = self.0.borrow_mut();
        if state.steps_left == Some(0) {
            return Err(FlashFailed);
        }
        let bytes = buffer.len();
        buffer.copy_from_slice(state.idle(offset, bytes)?);
        Ok(())
    }

    fn start_next(&mut self, slot: Slot) -> Result<(), FlashFailed> {
        let mut state = self.0.borrow_mut();
        state.step()?;
        state.next = slot;
        Ok(())
    }
}
