//! The file of a form (RFC 7578), or a body that is the file itself.

use crate::http::Request;

/// Returns the file that a request brings: that of a form, or the whole body where it is none.
#[must_use]
pub fn file(request: &Request) -> Option<&[u8]> {
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.trim_start().starts_with("multipart/") {
        return (!request.body.is_empty()).then_some(&*request.body);
    }
    let boundary = kind.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?.trim_matches('"');
    // RFC 2046 §5.1.1: 1 to 70 characters.
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let between = ["--", boundary].concat();
    let mut rest = request.body.as_slice();
    rest = rest.get(find(rest, between.as_bytes())?.checked_add(between.len())?..)?;
    let between = ["\r\n--", boundary].concat();
    loop {
        let head = find(rest, b"\r\n\r\n")?;
        let (head, content) = (rest.get(..head)?, rest.get(head.checked_add(4)?..)?);
        let end = find(content, between.as_bytes())?;
        if find(head, b"filename=").is_some() {
            return content.get(..end);
        }
        rest = content.get(end.checked_add(between.len())?..)?;
    }
}

/// Finds where a text begins; its first byte is looked for first, so that a long file is gone through once.
fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len().max(1)).position(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Method;

    fn request(kind: &str, body: &str) -> Request {
        let headers = alloc::vec![("content-type".into(), kind.into())];
        Request { headers, body: body.as_bytes().into(), ..Request::new(Method::Post, "/") }
    }

    #[test]
    fn the_file_is_found_among_the_fields() {
        let body = "preamble\r\n--x y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x y\r\nContent-Disposition: \
                    form-data; name=\"file\"; filename=\"signalk-a.backup\"\r\nContent-Type: x/y\r\n\r\nPK\r\n--x\r\n--x y--\r\n";
        let asked = request("multipart/form-data; boundary=\"x y\"", body);
        assert_eq!(file(&asked), Some(b"PK\r\n--x".as_slice()));
        assert_eq!(file(&request("application/zip", "PK")), Some(b"PK".as_slice()));
    }

    #[test]
    fn what_is_cut_is_none() {
        for (kind, body) in [
            ("multipart/form-data", "--x\r\n\r\n"),
            ("multipart/form-data; boundary=", "--\r\n\r\n"),
            ("multipart/form-data; boundary=x", "--x\r\nfilename=a\r\n\r\nPK"),
            ("multipart/form-data; boundary=x", "--x\r\nname=a\r\n\r\nPK\r\n--x--"),
            ("multipart/form-data; boundary=x", ""),
            ("application/zip", ""),
        ] {
            assert_eq!(file(&request(kind, body)), None, "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(body in "(--x|\r\n|filename=|a){0,20}") {
            let _ = file(&request("multipart/form-data; boundary=x", &body));
        }
    }
}
