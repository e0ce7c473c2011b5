//! What an export or import takes or gives: few values as a rule, which need no heap.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use ::wasmi::Val;

/// Values, the first two of them without heap.
#[derive(Debug)]
pub(super) enum Vals {
    Few(heapless::Vec<Val, 2, u8>),
    Many(Vec<Val>),
}

impl Vals {
    pub(super) fn new() -> Self {
        Self::Few(heapless::Vec::new())
    }

    /// Adds a value at the end.
    pub(super) fn push(&mut self, val: Val) {
        match self {
            Self::Few(few) => {
                if let Err(val) = few.push(val) {
                    let mut many = few.to_vec();
                    many.push(val);
                    *self = Self::Many(many);
                }
            }
            Self::Many(many) => many.push(val),
        }
    }
}

impl Deref for Vals {
    type Target = [Val];

    fn deref(&self) -> &[Val] {
        match self {
            Self::Few(vals) => vals,
            Self::Many(vals) => vals,
        }
    }
}

impl DerefMut for Vals {
    fn deref_mut(&mut self) -> &mut [Val] {
        match self {
            Self::Few(vals) => vals,
            Self::Many(vals) => vals,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_values_keep_their_order() {
        for count in 0..5 {
            let mut vals = Vals::new();
            (0..count).for_each(|number| vals.push(Val::I32(number)));
            let numbers: Vec<i32> = vals.iter().filter_map(Val::i32).collect();
            assert_eq!(numbers, (0..count).collect::<Vec<i32>>());
            assert_eq!(matches!(vals, Vals::Few(_)), count <= 2);
        }
    }
}
