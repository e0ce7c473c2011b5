//! The course of the own vessel: where it goes, and what follows from that (Course API of Signal K).
//!
//! A [`Navigation`] is who commands and where to; [`Order`]s of clients and what a plotter on the bus [`Heard`] change it,
//! and [`Derived`] is what follows from it at a position. Facts are those of Signal K Server 2.32 (`dist/api/course`) and
//! npm `@signalk/course-provider` 1.4.0. Nothing in here knows requests, storage or a clock; the gateway does. Boards
//! leave the module out.

mod derived;
mod error;
mod geometry;
mod navigation;
mod order;
mod position;
mod resource;
mod state;
mod stored;
mod told;

pub use derived::{Arrival, Derived, Motion};
pub use error::CourseError;
pub use geometry::{EARTH_RADIUS_M, Line, Place, begin_of_track, has_passed, wrapped};
pub use navigation::{Heard, Navigation, UNHEARD_MAX, concerns};
pub use order::{Index, Order, Step, Target};
pub use position::Position;
pub use resource::{Href, ROUTE_POINTS_MAX, Route, Waypoint};
pub use state::{ActiveRoute, Changed, Course, Facts, Point};
pub use told::{API_SOURCE, PROVIDER_SOURCE, derived_delta, derived_v1_delta, meta, v1_delta, v2_delta};
