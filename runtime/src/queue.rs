//! A queue bounded by count and bytes that drops its oldest and counts it.

use alloc::collections::VecDeque;

/// What a [`Queue`] took and lost since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounters {
    /// Items taken.
    pub pushed: u64,
    /// Items dropped to make room, or larger than the whole queue.
    pub dropped: u64,
}

/// First in, first out; holds at most `len_max` items of at most `bytes_max` bytes together.
#[derive(Debug)]
pub struct Queue<T> {
    items: VecDeque<(T, u32)>,
    bytes: u32,
    len_max: u16,
    bytes_max: u32,
    counters: QueueCounters,
}

impl<T> Queue<T> {
    /// Makes an empty queue; no memory is taken before the first item.
    #[must_use]
    pub fn new(len_max: u16, bytes_max: u32) -> Self {
        Self { items: VecDeque::new(), bytes: 0, len_max, bytes_max, counters: QueueCounters::default() }
    }

    /// Appends an item that counts `bytes`, dropping the oldest ones until it fits.
    ///
    /// Returns how many items were lost, the new one included when it is larger than the queue.
    pub fn push(&mut self, item: T, bytes: usize) -> u32 {
        let size = u32::try_from(bytes).unwrap_or(u32::MAX);
        let mut lost = 0_u32;
        if size > self.bytes_max || self.len_max == 0 {
            lost = 1;
        } else {
            while !self.fits(size) && self.pop().is_some() {
                lost = lost.saturating_add(1);
            }
            self.bytes = self.bytes.saturating_add(size);
            self.items.push_back((item, size));
            self.counters.pushed = self.counters.pushed.saturating_add(1);
        }
        self.counters.dropped = self.counters.dropped.saturating_add(u64::from(lost));
        lost
    }

    /// Tells whether an item of `bytes` can be pushed without loss.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        u32::try_from(bytes).is_ok_and(|size| self.fits(size))
    }

    fn fits(&self, size: u32) -> bool {
        self.items.len() < usize::from(self.len_max) && self.bytes.saturating_add(size) <= self.bytes_max
    }

    /// Takes the oldest item.
    pub fn pop(&mut self) -> Option<T> {
        let (item, size) = self.items.pop_front()?;
        self.bytes = self.bytes.saturating_sub(size);
        Some(item)
    }

    /// Drops everything without counting it, for a taker that is stopped.
    pub fn clear(&mut self) {
        self.items = VecDeque::new();
        self.bytes = 0;
    }

    /// Visits the items waiting, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().map(|(item, _)| item)
    }

    /// Returns the number of items waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Tells whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the bytes of the items waiting.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Returns what was taken and lost so far.
    #[must_use]
    pub fn counters(&self) -> QueueCounters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_the_oldest_when_full_by_count() {
        let mut queue = Queue::new(2, 100);
        assert_eq!((queue.push(1, 1), queue.push(2, 1), queue.push(3, 1)), (0, 0, 1));
        assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(2), Some(3), None));
        assert_eq!(queue.counters(), QueueCounters { pushed: 3, dropped: 1 });
    }

    #[test]
    fn drops_the_oldest_when_full_by_bytes() {
        let mut queue = Queue::new(10, 10);
        queue.push('a', 4);
        queue.push('b', 4);
        assert!(!queue.has_room(4) && queue.has_room(2));
        assert_eq!(queue.push('c', 10), 2);
        assert_eq!((queue.len(), queue.bytes(), queue.pop()), (1, 10, Some('c')));
        assert!(queue.is_empty());
    }

    #[test]
    fn refuses_what_can_never_fit() {
        let mut queue = Queue::new(10, 10);
        queue.push('a', 1);
        assert_eq!(queue.push('b', 11), 1);
        assert_eq!(queue.pop(), Some('a'), "the others stay");
        assert_eq!(Queue::new(0, 10).push('c', 1), 1);
    }

    proptest::proptest! {
        #[test]
        fn never_exceeds_its_bounds(sizes in proptest::collection::vec(0_usize..40, 0..60)) {
            let mut queue = Queue::new(5, 64);
            for size in sizes {
                queue.push((), size);
                proptest::prop_assert!(queue.len() <= 5 && queue.bytes() <= 64);
            }
            let waiting = queue.len() as u64;
            let counters = queue.counters();
            proptest::prop_assert_eq!(counters.pushed - waiting, counters.dropped);
        }
    }
}
