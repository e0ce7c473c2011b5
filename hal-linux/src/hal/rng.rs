//! The kernel's randomness.

use skiff_runtime::hal::Rng;

/// `getrandom(2)`.
#[derive(Clone, Copy, Debug)]
pub struct SystemRng(());

impl SystemRng {
    /// Asks the kernel once, so that a system without randomness is told at start.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn open() -> std::io::Result<Self> {
        getrandom::fill(&mut [0; 1])?;
        Ok(Self(()))
    }
}

impl Rng for SystemRng {
    fn fill(&mut self, buffer: &mut [u8]) {
        // INVARIANT: `open` has read from the source, and getrandom(2) does not fail once its pool is filled (man 2
        // getrandom, "short of EFAULT and EINVAL"). Going on without randomness would give guessable tokens.
        getrandom::fill(buffer).expect("the kernel's randomness worked at start");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_the_whole_buffer() {
        let mut rng = SystemRng::open().unwrap();
        let mut buffer = [0; 1000];
        rng.fill(&mut buffer);
        // 100 zero bytes in a row have a probability of 2^-800.
        assert!(buffer.chunks(100).all(|chunk| chunk.iter().any(|&byte| byte != 0)));
    }
}
