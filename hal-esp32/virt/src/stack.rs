//! How much of the stack was ever used: it was painted at start.

/// What an unused word of the stack holds.
pub const PAINT: u32 = 0xa5a5_a5a5;

unsafe extern "C" {
    static _stack_bottom: u32;
    static _stack_top: u32;
}

/// Returns the size of the stack, bytes.
pub fn size() -> usize {
    (&raw const _stack_top).addr() - (&raw const _stack_bottom).addr()
}

/// Returns the most that was ever in use, bytes.
pub fn used() -> usize {
    let bottom = &raw const _stack_bottom;
    let words = size() / size_of::<u32>();
    let untouched = (0..words).take_while(|&index| {
        let word = bottom.wrapping_add(index);
        // SAFETY: the word lies in the stack, which link.x places there.
        unsafe { word.read_volatile() == PAINT }
    });
    size() - untouched.count() * size_of::<u32>()
}
