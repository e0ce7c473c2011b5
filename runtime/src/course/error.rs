//! Why an order was not obeyed.

use core::fmt;

use crate::json::JsonError;

/// Why the course was not changed; `Display` is what the client is told, in the words of Signal K Server 2.32 where it has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CourseError {
    /// A value that cannot be meant.
    Invalid,
    /// Neither `href` nor `position` in a destination.
    NoTarget,
    /// A position that is none.
    Position,
    /// An `href` that names no resource of the kind that is needed.
    Href,
    /// Nobody has the waypoint.
    NoWaypoint,
    /// A waypoint without a position.
    WaypointCoordinates,
    /// No `href` of a route.
    NoRouteNamed,
    /// Nobody has the route.
    NoRoute,
    /// A route without points, or with one that has no position.
    RouteCoordinates,
    /// More points than [`super::ROUTE_POINTS_MAX`].
    RouteTooLong,
    /// There is no destination.
    NoDestination,
    /// The vessel's own position is not known.
    NoPosition,
}

impl fmt::Display for CourseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => f.write_str("Invalid Data supplied."),
            Self::NoTarget => f.write_str("Destination not provided!"),
            Self::Position => f.write_str("Error: position is not valid"),
            Self::Href => f.write_str("Invalid href!"),
            Self::NoWaypoint => f.write_str("Error retrieving and validating the waypoint"),
            Self::WaypointCoordinates => f.write_str("Invalid waypoint coordinate data!"),
            Self::NoRouteNamed => f.write_str("Route information not supplied!"),
            Self::NoRoute => f.write_str("** Could not retrieve route information"),
            Self::RouteCoordinates => f.write_str("Invalid route coordinate data!"),
            Self::RouteTooLong => {
                write!(f, "Invalid route coordinate data! A route has at most {} points", super::ROUTE_POINTS_MAX)
            }
            Self::NoDestination => f.write_str("No active destination!"),
            Self::NoPosition => f.write_str("Error: Unable to retrieve vessel position!"),
        }
    }
}

impl core::error::Error for CourseError {}

/// Routes are read item by item: what is no list has no coordinates.
impl From<JsonError> for CourseError {
    fn from(_: JsonError) -> Self {
        Self::RouteCoordinates
    }
}
