//! The Skiff gateway for Linux.
fn main() {}
