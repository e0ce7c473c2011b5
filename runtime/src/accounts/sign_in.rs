//! A code that lets its owner in once, for the link and the QR code that are shown where only the owner looks.

use alloc::string::String;
use core::time::Duration;

use super::secret::{self, SecretHash, TEXT_BYTES_MAX};
use crate::hal::Rng;
use crate::time::Instant;

/// Time in which the code is good.
pub const CODE_KEPT: Duration = Duration::from_secs(600);
const PURPOSE: &str = "skiff sign-in code";

/// The code that was shown last; kept in memory only.
#[derive(Debug, Default)]
pub struct SignInCode {
    kept: Option<(SecretHash, Instant)>,
}

impl SignInCode {
    /// Makes a code; the one before is good for nothing then.
    pub fn make(&mut self, now: Instant, rng: &mut dyn Rng) -> String {
        let code = secret::random(rng);
        self.kept = Some((SecretHash::of(PURPOSE, &code), now));
        code
    }

    /// Uses the code up; false when it is not this one, was used, or is too old.
    pub fn redeem(&mut self, code: &str, now: Instant) -> bool {
        let Some((hash, made)) = self.kept else { return false };
        if code.len() > TEXT_BYTES_MAX || !SecretHash::of(PURPOSE, code).is(&hash) {
            return false;
        }
        self.kept = None;
        now.since(made) < CODE_KEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Counting;

    #[test]
    fn a_code_is_good_once_and_not_for_long() {
        let (mut codes, mut rng) = (SignInCode::default(), Counting(1));
        let at = |seconds: u64| Instant::from_millis(seconds * 1000);
        assert!(!codes.redeem("", at(0)), "none was made");
        let code = codes.make(at(0), &mut rng);
        assert!(!codes.redeem("x", at(1)) && codes.redeem(&code, at(599)) && !codes.redeem(&code, at(599)));
        let code = codes.make(at(0), &mut rng);
        assert!(!codes.redeem(&code, at(600)));
        let (first, second) = (codes.make(at(0), &mut rng), codes.make(at(0), &mut rng));
        assert!(!codes.redeem(&first, at(1)) && codes.redeem(&second, at(1)), "the last one counts");
    }
}
