//! Percent-encoding (RFC 3986 §2.1) and host names in URLs.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// Decodes `%41`; `None` when the result is not UTF-8 or holds a NUL. A broken escape stands for itself.
#[must_use]
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    decode_with(text, false)
}

/// Decodes the segments of a path, each as [`decode`] does; `None` when one cannot be.
#[must_use]
pub fn decode_all<'t>(segments: &[&'t str]) -> Option<Vec<Cow<'t, str>>> {
    segments.iter().map(|segment| decode(segment)).collect()
}

/// Returns a parameter of a query, decoded; of several with the name the first.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).and_then(|(_, value)| decode_query(value)).map(Cow::into_owned)
}

/// Decodes a query component, where `+` is a blank too.
pub(super) fn decode_query(text: &str) -> Option<Cow<'_, str>> {
    decode_with(text, true)
}

fn decode_with(text: &str, plus_is_blank: bool) -> Option<Cow<'_, str>> {
    let coded = text.contains('%') || plus_is_blank && text.contains('+');
    if !coded {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0_usize;
    while let Some(byte) = bytes.get(at) {
        let escape = (*byte == b'%').then(|| bytes.get(at.saturating_add(1)..at.saturating_add(3))).flatten();
        let decoded = escape.and_then(|pair| core::str::from_utf8(pair).ok()).filter(|pair| !pair.starts_with('+'));
        let decoded = decoded.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(match decoded {
            Some(value) => value,
            None if plus_is_blank && *byte == b'+' => b' ',
            None => *byte,
        });
        at = at.saturating_add(if decoded.is_some() { 3 } else { 1 });
    }
    String::from_utf8(out).ok().filter(|text| !text.contains('\0')).map(Cow::Owned)
}

/// Parts `host:port` into host and port; `None` when it is neither a name nor an address.
///
/// IPv6 addresses keep their brackets; a missing port is `""`.
pub(super) fn authority(text: &str) -> Option<(&str, &str)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inside, after) = rest.split_once(']')?;
            let host = text.get(..inside.len().checked_add(2)?)?;
            (host, if after.is_empty() { "" } else { after.strip_prefix(':')? })
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    let sound = !host.is_empty() && host.len() <= 255 && host.bytes().all(plain);
    (sound && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_escapes_and_keeps_broken_ones() {
        assert_eq!(decode("a%20b+c%C3%A9").as_deref(), Some("a b+cé"));
        assert_eq!(decode_query("a+b%2B").as_deref(), Some("a b+"));
        assert_eq!(decode("100%").as_deref(), Some("100%"));
        assert_eq!(decode("%zz%+1%4").as_deref(), Some("%zz%+1%4"));
        assert_eq!(decode("%ff"), None);
        assert_eq!(decode("a%00"), None);
    }

    #[test]
    fn hosts_are_parted_from_ports() {
        assert_eq!(authority("localhost:3000"), Some(("localhost", "3000")));
        assert_eq!(authority("boat.local"), Some(("boat.local", "")));
        assert_eq!(authority("[::1]:80"), Some(("[::1]", "80")));
        for bad in ["", ":80", "a b", "a:b", "[::1", "[::1]x", "a/b", "a\"b", "a:123456", "a:1:2"] {
            assert_eq!(authority(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}") {
            let _ = (decode(&text), decode_query(&text), authority(&text));
        }
    }
}
