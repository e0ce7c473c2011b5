//! The block table behind the exports `allocate` and `deallocate`.
//!
//! A host holds few blocks at a time: a configuration or a delta, a request and its answer. So the
//! table keeps their positions in an array beside the memory, which needs no headers and no unsafe
//! code, and can be tested anywhere. New memory is asked for only when no gap is large enough.

/// Blocks that can be held at once; one more is refused.
pub const BLOCKS_MAX: usize = 32;
/// Alignment of every block, bytes.
pub const ALIGNMENT: u32 = 8;

#[derive(Clone, Copy)]
struct Block {
    from: u32,
    bytes: u32,
}

/// First-fit table of the blocks handed out, sorted by address.
pub struct Blocks {
    used: [Block; BLOCKS_MAX],
    count: usize,
}

impl Blocks {
    /// Returns an empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self { used: [Block { from: 0, bytes: 0 }; BLOCKS_MAX], count: 0 }
    }

    /// Returns the address of a free block of `bytes`, at or above `base`; 0 when there is none.
    ///
    /// `end` is the size of the memory; `grow(n)` makes it larger by at least n bytes and returns
    /// the new size, or `None` when the host denies it.
    pub fn allocate(&mut self, bytes: u32, base: u32, end: u32, grow: impl FnOnce(u32) -> Option<u32>) -> u32 {
        if self.count >= BLOCKS_MAX {
            return 0;
        }
        let Some(bytes) = bytes.max(1).checked_next_multiple_of(ALIGNMENT) else { return 0 };
        let Some(mut from) = base.max(1).checked_next_multiple_of(ALIGNMENT) else { return 0 };
        let mut index = 0;
        for block in self.used.iter().take(self.count) {
            if block.from.saturating_sub(from) >= bytes {
                break;
            }
            from = block.from.saturating_add(block.bytes);
            index += 1;
        }
        let Some(to) = from.checked_add(bytes) else { return 0 };
        if index == self.count && to > end && grow(to - end).is_none_or(|end| to > end) {
            return 0;
        }
        self.insert(index, Block { from, bytes });
        from
    }

    /// Gives back the block at address `from`; an unknown address is ignored.
    pub fn deallocate(&mut self, from: u32) {
        let held = self.used.get(..self.count).unwrap_or_default();
        if let Some(index) = held.iter().position(|block| block.from == from) {
            self.count -= 1;
            let mut carried = Block { from: 0, bytes: 0 };
            for block in self.used.iter_mut().skip(index).rev() {
                core::mem::swap(block, &mut carried);
            }
        }
    }

    fn insert(&mut self, index: usize, block: Block) {
        let mut carried = block;
        for block in self.used.iter_mut().skip(index) {
            core::mem::swap(block, &mut carried);
        }
        self.count += 1;
    }
}

impl Default for Blocks {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{ALIGNMENT, BLOCKS_MAX, Blocks};
    use std::vec::Vec;

    fn deny(_: u32) -> Option<u32> {
        None
    }

    #[test]
    fn reuses_the_first_gap_that_fits() {
        let mut blocks = Blocks::new();
        let first = blocks.allocate(100, 1000, 4096, deny);
        let second = blocks.allocate(100, 1000, 4096, deny);
        let third = blocks.allocate(100, 1000, 4096, deny);
        assert_eq!((first, second, third), (1000, 1104, 1208));
        blocks.deallocate(second);
        assert_eq!(blocks.allocate(105, 1000, 4096, deny), 1312, "the gap of 104 is too small");
        assert_eq!(blocks.allocate(104, 1000, 4096, deny), second);
    }

    #[test]
    fn grows_only_when_no_gap_is_left_and_refuses_when_denied() {
        let mut blocks = Blocks::new();
        assert_eq!(blocks.allocate(64, 1000, 1064, |_| panic!("fits")), 1000);
        assert_eq!(blocks.allocate(64, 1000, 1064, deny), 0);
        let mut asked = 0;
        let address = blocks.allocate(64, 1000, 1064, |bytes| {
            asked = bytes;
            Some(1064 + 65_536)
        });
        assert_eq!((address, asked), (1064, 64));
    }

    #[test]
    fn refuses_sizes_and_counts_that_do_not_fit() {
        let mut blocks = Blocks::new();
        assert_eq!(blocks.allocate(u32::MAX, 1000, 65_536, |_| Some(u32::MAX)), 0);
        assert_eq!(blocks.allocate(u32::MAX - 8, 1000, 65_536, |_| Some(u32::MAX)), 0);
        for _ in 0..BLOCKS_MAX {
            assert_ne!(blocks.allocate(0, 1000, 65_536, deny), 0);
        }
        assert_eq!(blocks.allocate(1, 1000, 65_536, deny), 0);
        blocks.deallocate(77);
        assert_eq!(blocks.allocate(1, 1000, 65_536, deny), 0, "an unknown address frees nothing");
    }

    #[test]
    fn blocks_never_overlap_whatever_the_order() {
        let mut blocks = Blocks::new();
        let mut held: Vec<(u32, u32)> = Vec::new();
        let mut random: u32 = 7;
        for _ in 0..10_000 {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            if random.is_multiple_of(3) && !held.is_empty() {
                let (from, _) = held.swap_remove(random as usize / 3 % held.len());
                blocks.deallocate(from);
            } else {
                let bytes = random % 900;
                let from = blocks.allocate(bytes, 500, 9000, deny);
                if from == 0 {
                    continue;
                }
                assert!(from >= 500 && from.is_multiple_of(ALIGNMENT) && from + bytes <= 9000);
                assert!(held.iter().all(|&(other, size)| from + bytes <= other || other + size <= from));
                held.push((from, bytes.max(1)));
            }
        }
        for (from, _) in held {
            blocks.deallocate(from);
        }
        assert_eq!(blocks.count, 0);
    }
}
