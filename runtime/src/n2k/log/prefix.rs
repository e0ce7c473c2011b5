//! What stands before a line without being part of it.

use crate::time::UnixMillis;

/// Mark of UTF-8 that some editors write at the start of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// Digits of milliseconds since 1970, from 2001 to 2286.
const MILLIS_DIGITS: usize = 13;

/// Takes off a byte order mark, and the time and name that Signal K Server writes before each line it logs:
/// `1471172400153;A;2016-07-16T12:00:00.000Z,2,130306,…`. Returns that time.
pub(super) fn without(text: &str) -> (Option<UnixMillis>, &str) {
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    let Some((millis, named)) = text.split_once(';') else { return (None, text) };
    let is_time = millis.len() == MILLIS_DIGITS && millis.bytes().all(|byte| byte.is_ascii_digit());
    let Some((_, rest)) = named.split_once(';').filter(|_| is_time) else { return (None, text) };
    (millis.parse().ok().map(UnixMillis), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_name_of_a_servers_log_are_taken_off() {
        assert_eq!(without("1471172400153;A;x;y"), (Some(UnixMillis(1_471_172_400_153)), "x;y"));
        assert_eq!(without("\u{feff}1471172400153;can0;"), (Some(UnixMillis(1_471_172_400_153)), ""));
        for text in ["", ";comment; 2", "147117240015;A;x", "1471172400153;A", "14711724001x3;A;x", "a;b;c"] {
            assert_eq!(without(text), (None, text));
        }
    }
}
