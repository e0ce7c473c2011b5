//! The peer's faults that the mapping leaves out, for comparing with the peer value by value.
//!
//! All are off: the feature `peer-faults` is for tests. The names are those of `docs/n2k-differences.md`;
//! `value-without-path`, `short-claim`, `name-as-sent` and the faults of decoding are not made again.

use super::rule::How;
use super::text::{Digits, digits};
use crate::n2k::id::SourceAddress;

/// Whether the peer's faults are made again.
pub(super) const ON: bool = cfg!(feature = "peer-faults");

/// `pressure-in-pascal`: power of ten for coolant and fuel pressure.
pub(super) const PRESSURE: How = if ON { How::Shift(3) } else { How::Same };
/// `trim-as-ratio`.
pub(super) const TRIM: How = if ON { How::ShiftAboveZero(-2) } else { How::Shift(-2) };
/// `ampere-hours-twice`: coulomb in one ampere hour.
pub(super) const COULOMB: i64 = if ON { 3600 * 3600 } else { 3600 };

/// `transmission-text`: what a gear's check lamp asks to look at.
pub(super) const CHECKED: &str = if ON { " Engine" } else { " Transmission" };

/// `undefined-in-path`: what a number that is not there is called in a path.
pub(super) fn named(number: Option<i64>) -> Option<Digits> {
    let undefined = || Digits::try_from("undefined").ok().filter(|_| ON);
    number.map(digits).or_else(undefined)
}

/// `fusion-source-per-device`: whose current source a stereo plays.
pub(super) fn stereo(source: SourceAddress) -> SourceAddress {
    if ON { SourceAddress::NULL } else { source }
}
