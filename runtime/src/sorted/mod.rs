//! A map for few entries, and a sort for short lists: small in code where the standard ones are fast with many.
//!
//! On a chip each kind of `BTreeMap` is some 3 KB of code and takes its memory in nodes of eleven entries, and each
//! kind of `slice::sort` is some 2.5 KB. Maps that may hold thousands of entries stay `BTreeMap`s.

mod map;

pub use map::SortedMap;

/// Sorts a short list by `is_less`, stable: entries that are the same keep their order.
///
/// It takes steps by the square of the length: not for lists whose length others choose without a limit.
pub fn sort_by<T>(list: &mut [T], mut is_less: impl FnMut(&T, &T) -> bool) {
    for end in 1..list.len() {
        let mut at = end;
        while at > 0
            && let (Some(before), Some(this)) = (list.get(at - 1), list.get(at))
            && is_less(this, before)
        {
            list.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// Sorts a short list; see [`sort_by`].
pub fn sort<T: Ord>(list: &mut [T]) {
    sort_by(list, |a, b| a < b);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{sort, sort_by};

    proptest! {
        #[test]
        fn a_list_is_sorted_as_the_standard_library_does(mut list in proptest::collection::vec(0u8..16, 0..40)) {
            let mut expected = list.clone();
            expected.sort_unstable();
            sort(&mut list);
            prop_assert_eq!(list, expected);
        }

        #[test]
        fn the_same_keep_their_order(keys in proptest::collection::vec(0u8..4, 0..40)) {
            let mut list: Vec<(u8, usize)> = keys.into_iter().zip(0..).collect();
            let mut expected = list.clone();
            expected.sort_by_key(|entry| entry.0);
            sort_by(&mut list, |a, b| a.0 < b.0);
            prop_assert_eq!(list, expected);
        }
    }
}
