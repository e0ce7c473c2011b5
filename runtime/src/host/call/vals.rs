//! What an export or import takes or gives: few values as a rule, which need no heap.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use wasmi::Val;

/// Values, up to `N` of them without heap.
#[derive(Debug)]
pub(super) enum Vals<const N: usize> {
    Few(heapless::Vec<Val, N, u8>),
    Many(Vec<Val>),
}

impl<const N: usize> FromIterator<Val> for Vals<N> {
    fn from_iter<I: IntoIterator<Item = Val>>(vals: I) -> Self {
        let (mut vals, mut few) = (vals.into_iter(), heapless::Vec::new());
        while let Some(val) = vals.next() {
            if let Err(val) = few.push(val) {
                return Self::Many(few.into_iter().chain([val]).chain(vals).collect());
            }
        }
        Self::Few(few)
    }
}

impl<const N: usize> Deref for Vals<N> {
    type Target = [Val];

    fn deref(&self) -> &[Val] {
        match self {
            Self::Few(vals) => vals,
            Self::Many(vals) => vals,
        }
    }
}

impl<const N: usize> DerefMut for Vals<N> {
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
            let vals: Vals<2> = (0..count).map(Val::I32).collect();
            let numbers: Vec<i32> = vals.iter().filter_map(Val::i32).collect();
            assert_eq!(numbers, (0..count).collect::<Vec<i32>>());
            assert_eq!(matches!(vals, Vals::Few(_)), count <= 2);
        }
    }
}
