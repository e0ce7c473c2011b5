//! Guest-side toolkit.
#![no_std]
