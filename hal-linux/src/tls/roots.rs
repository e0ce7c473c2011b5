//! Certificates of authorities that are trusted instead of Mozilla's.

use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// Reads certificates of a PEM text; `None` where there are none in it.
#[must_use]
pub fn of_pem(pem: &[u8]) -> Option<RootCerts> {
    let found: Vec<Certificate<'static>> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    (!found.is_empty()).then(|| RootCerts::Specific(Arc::new(found)))
}
