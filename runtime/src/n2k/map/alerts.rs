//! Alerts.
use super::rule::Mapping;
pub(super) const MAPPINGS: &[Mapping] = &[];
