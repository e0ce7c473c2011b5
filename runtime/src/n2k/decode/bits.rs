//! Bits of a payload, lowest first.

/// Reads `count` (1 to 64) bits from bit `from` on; `None` when they are not all there.
pub(super) fn read(payload: &[u8], from: usize, count: u8) -> Option<u64> {
    let (byte, shift) = (from / 8, from % 8);
    let needed = (shift + usize::from(count)).div_ceil(8);
    let bytes = payload.get(byte..byte.checked_add(needed)?)?;
    let bits = match *bytes {
        // The usual widths, without the detour.
        [one] => u64::from(one) >> shift,
        [low, high] => u64::from(u16::from_le_bytes([low, high])) >> shift,
        [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])) >> shift,
        _ => {
            let mut window = [0_u8; 16];
            for (to, from) in window.iter_mut().zip(bytes) {
                *to = *from;
            }
            // 7 + 64 bits fit the 72 that were copied.
            u64::try_from((u128::from_le_bytes(window) >> shift) & u128::from(u64::MAX)).unwrap_or(0)
        }
    };
    Some(if count >= 64 { bits } else { bits & ((1 << count) - 1) })
}

/// Returns the number that `count` bits hold; `None` for an unsigned one beyond `i64`.
pub(super) fn extend(bits: u64, count: u8, signed: bool) -> Option<i64> {
    if !signed {
        return i64::try_from(bits).ok();
    }
    let unused = 64_u32.saturating_sub(u32::from(count));
    Some((bits << unused).cast_signed() >> unused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bits_beyond_the_end_are_not_there() {
        assert_eq!(read(&[0xff], 0, 8), Some(0xff));
        assert_eq!(read(&[0xff], 1, 8), None);
        assert_eq!(read(&[], 0, 1), None);
        assert_eq!(read(&[0xff], usize::MAX, 1), None);
    }

    #[test]
    fn signs_are_extended() {
        assert_eq!((extend(0x7ff, 11, true), extend(0x3ff, 11, true)), (Some(-1), Some(1023)));
        assert_eq!((extend(u64::MAX, 64, true), extend(u64::MAX, 64, false)), (Some(-1), None));
    }

    proptest! {
        #[test]
        fn bits_are_read_where_they_stand(before in 0_usize..40, value: u64, count in 1_u8..=64) {
            let wanted = if count == 64 { value } else { value & ((1 << count) - 1) };
            let mut payload = [0xff_u8; 16];
            let wide = (u128::from(wanted) << before) | !((u128::from(u64::MAX) >> (64 - count)) << before);
            payload.copy_from_slice(&wide.to_le_bytes());
            prop_assert_eq!(read(&payload, before, count), Some(wanted));
        }
    }
}
