//! Interrupt matrix and controller (`PLIC_MX`): from a source to a line of the processor, by priority.

/// Source: the first interrupt that the processor asks of itself.
const FROM_CPU: usize = 22;
/// Source: the CAN controller.
pub const TWAI: usize = 46;
/// Source: the first timer of the first group.
pub const TIMER: usize = 51;
const SOURCES: usize = 77;

/// Both.
#[derive(Clone, Debug)]
pub struct Interrupts {
    routes: [u8; SOURCES],
    asking: [bool; SOURCES],
    enabled: u32,
    kinds: u32,
    /// Lines by edge that were not cleared yet.
    latched: u32,
    priorities: [u8; 32],
    threshold: u8,
}

impl Default for Interrupts {
    fn default() -> Self {
        Self {
            routes: [0; SOURCES],
            asking: [false; SOURCES],
            enabled: 0,
            kinds: 0,
            latched: 0,
            priorities: [0; 32],
            threshold: 0,
        }
    }
}

impl Interrupts {
    /// A source asks, or does no longer.
    pub fn set_source(&mut self, source: usize, asks: bool) {
        if let (Some(was), Some(line)) = (self.asking.get_mut(source), self.routes.get(source)) {
            if asks && !*was {
                self.latched |= self.kinds & 1 << line;
            }
            *was = asks;
        }
    }

    /// The processor asks itself.
    pub fn ask_by_cpu(&mut self, index: usize, asks: bool) {
        self.set_source(FROM_CPU + index, asks);
    }

    /// Routes a source to a line.
    pub fn route(&mut self, source: usize, line: u32) {
        if let Some(route) = self.routes.get_mut(source) {
            *route = (line & 31) as u8;
        }
    }

    /// Sources that ask, 32 a word.
    #[must_use]
    pub fn status(&self, word: usize) -> u32 {
        let asking = self.asking.iter().skip(32 * word).take(32);
        asking.enumerate().map(|(bit, asks)| u32::from(*asks) << bit).sum()
    }

    fn pending(&self) -> u32 {
        let levels = self
            .asking
            .iter()
            .zip(self.routes)
            .filter(|(asks, _)| **asks)
            .fold(0, |lines, (_, line)| lines | 1 << line);
        levels & !self.kinds | self.latched
    }

    /// The line that is to be taken: of the highest priority, where that reaches the threshold.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        let lines = self.pending() & self.enabled;
        let priority = |line: &u32| self.priorities.get(*line as usize).copied().unwrap_or(0);
        (1..32)
            .filter(|line| lines & 1 << line != 0 && priority(line) > 0 && priority(line) >= self.threshold)
            .max_by_key(|line| (priority(line), 32 - line))
    }

    /// Reads a register of the controller.
    #[must_use]
    pub fn read(&self, offset: usize) -> u32 {
        match offset {
            0x00 => self.enabled,
            0x04 => self.kinds,
            0x0c => self.pending(),
            0x10..0x90 => self.priorities.get((offset - 0x10) / 4).copied().unwrap_or(0).into(),
            0x90 => self.threshold.into(),
            _ => 0,
        }
    }

    /// Writes a register of the controller.
    pub fn write(&mut self, offset: usize, value: u32) {
        match offset {
            0x00 => self.enabled = value,
            0x04 => self.kinds = value,
            0x08 => self.latched &= !value,
            0x10..0x90 => {
                if let Some(priority) = self.priorities.get_mut((offset - 0x10) / 4) {
                    *priority = (value & 15) as u8;
                }
            }
            0x90 => self.threshold = value as u8,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_priority_that_reaches_the_threshold_is_taken() {
        let mut interrupts = Interrupts::default();
        for (source, line, priority) in [(TWAI, 3, 3), (TIMER, 5, 1)] {
            interrupts.route(source, line);
            interrupts.write(0x10 + 4 * line as usize, priority);
            interrupts.set_source(source, true);
        }
        assert_eq!(interrupts.line(), None, "none is enabled");
        interrupts.write(0, 1 << 3 | 1 << 5);
        assert_eq!(interrupts.line(), Some(3));
        assert_eq!(interrupts.status(1), 1 << (TWAI - 32) | 1 << (TIMER - 32));
        interrupts.set_source(TWAI, false);
        assert_eq!(interrupts.line(), Some(5));
        interrupts.write(0x90, 2);
        assert_eq!(interrupts.line(), None);
    }

    #[test]
    fn an_edge_stays_until_it_is_cleared() {
        let mut interrupts = Interrupts::default();
        interrupts.route(TWAI, 3);
        interrupts.write(0x10 + 12, 1);
        interrupts.write(0x04, 1 << 3);
        interrupts.write(0x00, 1 << 3);
        interrupts.set_source(TWAI, true);
        interrupts.set_source(TWAI, false);
        assert_eq!(interrupts.line(), Some(3));
        interrupts.write(0x08, 1 << 3);
        assert_eq!(interrupts.line(), None);
    }
}
