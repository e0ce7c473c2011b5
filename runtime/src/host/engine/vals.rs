//! What an export or import takes or gives: few values as a rule, which need no heap.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

/// Values, the first two of them without heap.
#[derive(Debug)]
pub(super) enum Vals<T> {
    Few(heapless::Vec<T, 2, u8>),
    Many(Vec<T>),
}

impl<T: Clone> Vals<T> {
    pub(super) fn new() -> Self {
        Self::Few(heapless::Vec::new())
    }

    /// Adds a value at the end.
    pub(super) fn push(&mut self, val: T) {
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

impl<T> Deref for Vals<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Few(vals) => vals,
            Self::Many(vals) => vals,
        }
    }
}

impl<T> DerefMut for Vals<T> {
    fn deref_mut(&mut self) -> &mut [T] {
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
            (0..count).for_each(|number| vals.push(number));
            assert_eq!(*vals, (0..count).collect::<Vec<i32>>());
            assert_eq!(matches!(vals, Vals::Few(_)), count <= 2);
        }
    }
}
