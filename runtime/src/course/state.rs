//! Where the vessel goes: the state that orders change.

use alloc::string::String;
use alloc::vec::Vec;

use super::order::{Index, Step, Target};
use super::{CourseError, Href, Order, Position, Route, Waypoint};

/// Types of a point.
const LOCATION: &str = "Location";
const ROUTE_POINT: &str = "RoutePoint";
const VESSEL_POSITION: &str = "VesselPosition";

/// A point of the course.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Where it is.
    pub position: Position,
    /// The waypoint that it is.
    pub href: Option<String>,
    /// `Location`, `RoutePoint`, `VesselPosition`, or the type of a waypoint.
    pub kind: String,
    /// Its name.
    pub name: Option<String>,
}

/// The route that is sailed.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveRoute {
    /// The resource.
    pub href: Href,
    /// Its name.
    pub name: Option<String>,
    /// From its end to its begin.
    pub reverse: bool,
    /// The number of the next point, in the order in which they are sailed.
    pub index: usize,
    /// All its points, in that order.
    pub points: Vec<Position>,
}

/// Where the vessel goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// When it began to go there, ISO 8601.
    pub start_time: Option<String>,
    /// When it is to arrive, ISO 8601.
    pub target_arrival_time: Option<String>,
    /// Radius of the circle of arrival, metres.
    pub arrival_circle: f64,
    /// The route, where one is sailed.
    pub active_route: Option<ActiveRoute>,
    /// Where it goes now.
    pub next_point: Option<Point>,
    /// Where the leg began.
    pub previous_point: Option<Point>,
}

/// What an order is obeyed with.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Where the vessel is, as far as known.
    pub vessel: Option<Position>,
    /// The time, ISO 8601, as far as known.
    pub now: Option<&'a str>,
    /// The resource that the order [needs](Course::needs), where somebody has it.
    pub resource: Option<&'a str>,
}

/// What of the course has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// All of it.
    All,
    /// The point where the leg begins.
    PreviousPoint,
    /// The radius of arrival.
    ArrivalCircle,
    /// When to arrive.
    TargetArrivalTime,
}

impl Point {
    fn vessel(position: Position, name: Option<&str>) -> Self {
        Self { position, href: None, kind: VESSEL_POSITION.into(), name: name.map(String::from) }
    }

    fn of_route(route: &Route, index: usize, reverse: bool) -> Result<Self, CourseError> {
        Ok(Self {
            position: route.point(index, reverse).ok_or(CourseError::Invalid)?,
            href: None,
            kind: ROUTE_POINT.into(),
            name: Some(route.point_name(index, reverse)),
        })
    }
}

impl Course {
    /// Returns the resource without which an order cannot be obeyed.
    #[must_use]
    pub fn needs(&self, order: &Order) -> Option<Href> {
        match order {
            Order::Destination { to: Target::Waypoint(href), .. } | Order::ActiveRoute { href, .. } => {
                Some(href.clone())
            }
            Order::Step(_) => self.active_route.as_ref().map(|route| route.href.clone()),
            _ => None,
        }
    }

    /// Does what a client orders.
    ///
    /// # Errors
    /// [`CourseError`]; nothing is changed then.
    pub fn obey(&mut self, order: &Order, facts: &Facts<'_>) -> Result<Changed, CourseError> {
        match order {
            Order::Destination { to, arrival_circle } => self.go_to(to, *arrival_circle, facts)?,
            Order::ActiveRoute { href, index, reverse, arrival_circle } => {
                let route = Route::read(facts.resource.ok_or(CourseError::NoRoute)?)?;
                let index = index_in(*index, &route);
                self.sail(href.clone(), &route, index, *reverse, facts)?;
                self.start_time = facts.now.map(String::from);
                self.arrival_circle = arrival_circle.unwrap_or(self.arrival_circle);
            }
            Order::Step(step) => self.step(*step, facts)?,
            Order::Restart => {
                self.next_point.as_ref().ok_or(CourseError::NoDestination)?;
                let position = facts.vessel.ok_or(CourseError::NoPosition)?;
                self.previous_point = Some(Point::vessel(position, None));
                return Ok(Changed::PreviousPoint);
            }
            Order::ArrivalCircle(radius) => {
                self.arrival_circle = *radius;
                return Ok(Changed::ArrivalCircle);
            }
            Order::TargetArrivalTime(time) => {
                self.target_arrival_time.clone_from(time);
                return Ok(Changed::TargetArrivalTime);
            }
            Order::Clear => self.clear(),
        }
        Ok(Changed::All)
    }

    /// Goes nowhere; the radius of arrival stays.
    pub fn clear(&mut self) {
        *self = Self { arrival_circle: self.arrival_circle, ..Self::default() };
    }

    fn go_to(&mut self, to: &Target, arrival_circle: Option<f64>, facts: &Facts<'_>) -> Result<(), CourseError> {
        let next_point = match to {
            Target::Position(position) => {
                Point { position: *position, href: None, kind: LOCATION.into(), name: Some("DP".into()) }
            }
            Target::Waypoint(href) => {
                let waypoint = Waypoint::read(facts.resource.ok_or(CourseError::NoWaypoint)?)?;
                let (position, href) = (waypoint.position, Some(href.text().into()));
                Point { position, href, kind: waypoint.kind, name: Some(waypoint.name) }
            }
        };
        let vessel = facts.vessel.ok_or(CourseError::NoPosition)?;
        self.next_point = Some(next_point);
        self.previous_point = Some(Point::vessel(vessel, Some("VP")));
        self.active_route = None;
        self.start_time = facts.now.map(String::from);
        self.arrival_circle = arrival_circle.unwrap_or(self.arrival_circle);
        Ok(())
    }

    /// Goes to a point of a route.
    fn sail(
        &mut self,
        href: Href,
        route: &Route,
        index: usize,
        reverse: bool,
        facts: &Facts<'_>,
    ) -> Result<(), CourseError> {
        let next_point = Point::of_route(route, index, reverse)?;
        let previous_point = match index.checked_sub(1) {
            Some(before) => Point::of_route(route, before, reverse)?,
            None => Point::vessel(facts.vessel.ok_or(CourseError::NoPosition)?, Some("VP")),
        };
        let points = route.sailed(reverse);
        self.active_route = Some(ActiveRoute { href, name: route.name.clone(), reverse, index, points });
        self.next_point = Some(next_point);
        self.previous_point = Some(previous_point);
        Ok(())
    }

    fn step(&mut self, step: Step, facts: &Facts<'_>) -> Result<(), CourseError> {
        let active = self.active_route.as_ref().ok_or(CourseError::Invalid)?;
        let route = Route::read(facts.resource.ok_or(CourseError::Invalid)?)?;
        let now = Index::try_from(active.index).unwrap_or(Index::MAX);
        let (index, reverse) = match step {
            Step::On(count) => (now.saturating_add(count), active.reverse),
            Step::To(index) => (index, active.reverse),
            Step::Reverse(index) => {
                let last = Index::try_from(route.len()).unwrap_or(Index::MAX).saturating_sub(1);
                (index.unwrap_or_else(|| last.saturating_sub(now)), !active.reverse)
            }
            Step::Refresh => {
                self.refresh(&route);
                return Ok(());
            }
        };
        self.sail(active.href.clone(), &route, index_in(index, &route), reverse, facts)
    }

    /// Takes over what has changed in the route; the vessel goes on to where it goes.
    fn refresh(&mut self, route: &Route) {
        let Some(active) = &mut self.active_route else { return };
        active.name.clone_from(&route.name);
        active.points = route.sailed(active.reverse);
        let found = self.next_point.as_ref().and_then(|next| route.find(&next.position, active.reverse));
        active.index = found.unwrap_or(active.index).min(route.len().saturating_sub(1));
    }

    /// Tells whether a resource that changed is the one the vessel follows; `path` is that of its delta.
    #[must_use]
    pub fn follows(&self, path: &str) -> bool {
        self.followed().is_some_and(|href| href.path() == path)
    }

    /// Returns the resource that the vessel follows.
    fn followed(&self) -> Option<Href> {
        match &self.active_route {
            Some(route) => Some(route.href.clone()),
            None => Href::parse(self.next_point.as_ref()?.href.as_deref()?, "waypoints"),
        }
    }

    /// Takes over the new text of the resource that the vessel [follows](Self::follows); `None` where nothing follows from it.
    pub fn take_resource(&mut self, text: &str) -> Option<Changed> {
        match &mut self.active_route {
            Some(active) => {
                let route = Route::read(text).ok()?;
                active.name.clone_from(&route.name);
                active.index = active.index.min(route.len().saturating_sub(1));
                active.points = route.sailed(active.reverse);
                self.next_point = Some(Point::of_route(&route, active.index, active.reverse).ok()?);
                let before = active.index.checked_sub(1);
                let is_of_route = self.previous_point.as_ref().is_some_and(|point| point.kind == ROUTE_POINT);
                if let Some(before) = before.filter(|_| is_of_route) {
                    self.previous_point = Some(Point::of_route(&route, before, active.reverse).ok()?);
                }
            }
            None => {
                let waypoint = Waypoint::read(text).ok()?;
                let next = self.next_point.as_mut()?;
                (next.position, next.name) = (waypoint.position, Some(waypoint.name));
            }
        }
        Some(Changed::All)
    }

    /// Lets the leg begin at another point, which its teller gave.
    pub(super) fn begin_at(&mut self, position: Position) {
        let name = self.previous_point.as_ref().and_then(|point| point.name.clone());
        let name = Some(name.unwrap_or_else(|| "WP0".into()));
        self.previous_point = Some(Point { position, href: None, kind: ROUTE_POINT.into(), name });
    }

    /// Lets the leg begin anew at a point that was calculated.
    pub(super) fn begin_again_at(&mut self, position: Position, now: Option<&str>) {
        self.previous_point = Some(Point::vessel(position, Some("VP")));
        self.active_route = None;
        self.start_time = now.map(String::from);
    }
}

/// Returns the number of a point that there is.
fn index_in(index: Index, route: &Route) -> usize {
    usize::try_from(index.max(0)).unwrap_or(usize::MAX).min(route.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: &str = r#"{"name":"Round","feature":{"geometry":{"coordinates":[[10,54],[11,55],[12,56]]},"properties":{"coordinatesMeta":[{"name":"A"},{"name":"B"},{"name":"C"}]}}}"#;

    fn facts(resource: Option<&str>) -> Facts<'_> {
        Facts { vessel: Position::new(53.0, 9.0, None), now: Some("2026-11-30T08:00:00.000Z"), resource }
    }

    fn sailing(body: &str) -> Course {
        let mut course = Course::default();
        course.obey(&Order::active_route(body).unwrap(), &facts(Some(ROUTE))).unwrap();
        course
    }

    fn leg(course: &Course) -> (Option<&str>, Option<&str>, usize) {
        let name = |point: &'_ Option<Point>| point.as_ref().and_then(|point| point.name.clone());
        let text = |name: Option<String>| name.map(|name| &*name.leak());
        let index = course.active_route.as_ref().map_or(99, |route| route.index);
        (text(name(&course.previous_point)), text(name(&course.next_point)), index)
    }

    fn step(course: &mut Course, action: &str, body: &str) {
        course.obey(&Order::step(action, body).unwrap().unwrap(), &facts(Some(ROUTE))).unwrap();
    }

    #[test]
    fn a_route_is_sailed_point_by_point_and_back() {
        let mut course = sailing(r#"{"href":"/resources/routes/r","arrivalCircle":20}"#);
        assert_eq!((leg(&course), course.arrival_circle), ((Some("VP"), Some("A"), 0), 20.0));
        step(&mut course, "nextPoint", "{}");
        assert_eq!(leg(&course), (Some("A"), Some("B"), 1));
        step(&mut course, "reverse", "{}");
        assert_eq!(leg(&course), (Some("C"), Some("B"), 1), "the same point, from the other side");
        step(&mut course, "nextPoint", r#"{"value":9}"#);
        assert_eq!(leg(&course), (Some("B"), Some("A"), 2));
        step(&mut course, "pointIndex", r#"{"value":-5}"#);
        assert_eq!(leg(&course), (Some("VP"), Some("C"), 0));
        step(&mut course, "reverse", r#"{"pointIndex":7}"#);
        assert_eq!(leg(&course), (Some("B"), Some("C"), 2));
    }

    #[test]
    fn a_refused_order_changes_nothing() {
        let mut course = sailing(r#"{"href":"/resources/routes/r","pointIndex":1}"#);
        let before = course.clone();
        let lost = Facts { vessel: None, ..facts(Some(ROUTE)) };
        for (order, facts, error) in [
            (Order::Step(Step::On(-1)), lost, CourseError::NoPosition),
            (Order::Step(Step::On(1)), facts(None), CourseError::Invalid),
            (Order::Step(Step::On(1)), facts(Some("{}")), CourseError::RouteCoordinates),
            (Order::Restart, lost, CourseError::NoPosition),
            (
                Order::destination(r#"{"position":{"latitude":1,"longitude":2}}"#).unwrap(),
                lost,
                CourseError::NoPosition,
            ),
            (Order::destination(r#"{"href":"/resources/waypoints/w"}"#).unwrap(), facts(None), CourseError::NoWaypoint),
            (Order::active_route(r#"{"href":"/resources/routes/q"}"#).unwrap(), facts(None), CourseError::NoRoute),
        ] {
            assert_eq!((course.obey(&order, &facts), &course), (Err(error), &before), "{order:?}");
        }
        let nowhere = Course::default().obey(&Order::Restart, &facts(None));
        assert_eq!(nowhere, Err(CourseError::NoDestination));
    }

    #[test]
    fn a_changed_resource_is_followed() {
        let mut course = sailing(r#"{"href":"/resources/routes/r","pointIndex":2}"#);
        assert!(course.follows("resources.routes.r") && !course.follows("resources.routes.q"));
        let shorter = ROUTE.replace(",[12,56]", "").replace("Round", "Short");
        assert_eq!(course.take_resource(&shorter), Some(Changed::All));
        assert_eq!(leg(&course), (Some("A"), Some("B"), 1));
        assert_eq!(course.take_resource("null"), None, "one that is gone is sailed on");
        let waypoint = |text| {
            let mut course = Course::default();
            let order = Order::destination(r#"{"href":"/resources/waypoints/w"}"#).unwrap();
            course.obey(&order, &facts(Some(text))).unwrap();
            course
        };
        let mut course = waypoint(r#"{"name":"Buoy","feature":{"geometry":{"coordinates":[1,2]}}}"#);
        assert!(course.follows("resources.waypoints.w"));
        course.take_resource(r#"{"feature":{"geometry":{"coordinates":[3,4]}}}"#).unwrap();
        assert_eq!(course, waypoint(r#"{"feature":{"geometry":{"coordinates":[3,4]}}}"#));
    }

    #[test]
    fn a_refresh_goes_on_to_the_same_place() {
        let mut course = sailing(r#"{"href":"/resources/routes/r","pointIndex":1,"reverse":true}"#);
        let longer = ROUTE.replace("[[10,54]", "[[8,52],[10,54]").replace("[12,56]", "[12,56],[13,57]");
        let refresh = Order::step("refresh", "{}").unwrap().unwrap();
        course.obey(&refresh, &facts(Some(&longer))).unwrap();
        assert_eq!(course.active_route.as_ref().map(|route| (route.index, route.points.len())), Some((2, 5)));
    }
}
