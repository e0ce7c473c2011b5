//! Reads the time stamps of deltas.

/// Returns the milliseconds since 1970-01-01 UTC of `YYYY-MM-DDThh:mm:ss[.f…]Z`, RFC 3339 with the
/// offset `Z`, which is what Signal K writes; `None` for anything else.
#[must_use]
pub fn millis(timestamp: &str) -> Option<i64> {
    let bytes = timestamp.as_bytes();
    let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if punctuation.iter().any(|&(at, byte)| bytes.get(at) != Some(&byte)) {
        return None;
    }
    let number = |from: usize, to: usize| digits(bytes.get(from..to)?);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let tail = bytes.get(19..)?.strip_suffix(b"Z")?;
    let fraction = match tail.split_first() {
        None => 0,
        Some((b'.', fraction)) => {
            digits(fraction.get(..fraction.len().min(9))?).filter(|_| !fraction.is_empty())?;
            // The first three digits, padded with zeros.
            (0..3).fold(0, |sum, at| sum * 10 + fraction.get(at).map_or(0, |digit| i64::from(digit - b'0')))
        }
        Some(_) => return None,
    };
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1000 + fraction)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Days since 1970-01-01 of a date in the Gregorian calendar; years 0 to 9999.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn known_instants() {
        assert_eq!(millis("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(millis("2000-02-29T12:00:00.5Z"), Some(951_825_600_500));
        assert_eq!(millis("2026-11-22T00:00:00.123Z"), Some(1_795_305_600_123));
        assert_eq!(millis("2026-11-22T00:00:00.123456Z"), Some(1_795_305_600_123));
    }

    #[test]
    fn other_texts_are_no_time() {
        for text in [
            "",
            "2026",
            "2026-11-22",
            "2026-11-22T00:00:00",
            "2026-11-22T00:00:00+01:00",
            "2026-13-22T00:00:00Z",
            "2026-11-22T25:00:00Z",
            "2026-11-22T00:00:00.Z",
            "2026-11-22T00:00:00.xZ",
            "x026-11-22T00:00:00Z",
            "2026-11-22T00:00:0äZ",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}
