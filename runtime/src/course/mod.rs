//! The course of the own vessel: where it goes, and what follows from that (Course API of Signal K).
//!
//! Nothing in here knows requests, storage or a clock; the gateway's routes do. Boards leave the module out.

mod geometry;

pub use geometry::{EARTH_RADIUS_M, Line, Place, begin_of_track, has_passed, wrapped};
