//! Distances, bearings and cross track errors on a sphere, along great circles and rhumb lines.
//!
//! Formulas: haversine, spherical law of sines, Mercator latitudes (Bowditch, *The American Practical Navigator*, 2019,
//! ch. 12; C. Veness, "Calculate distance, bearing and more", movable-type.co.uk). A rhumb line is straight on a Mercator
//! chart, so that its cross track error is the length of the rhumb line that meets it at a right angle.

use core::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

use libm::{acos, asin, atan, atan2, cos, exp, fabs, log, sin, sqrt, tan};

/// Radius of the sphere, metres: that of npm `@signalk/course-provider` 1.4.0, so that both tell the same distances.
pub const EARTH_RADIUS_M: f64 = 6_371_000.0;

/// Latitude that stands for a pole on a Mercator chart, where that is infinitely far away, radians: 6 mm from it.
const CHART_LATITUDE_MAX: f64 = FRAC_PI_2 - 1e-9;
/// Difference of Mercator latitudes below which a rhumb line runs along a parallel, radians: 6 micrometres.
const PARALLEL_MAX: f64 = 1e-12;

/// A place on the sphere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Radians north of the equator.
    latitude: f64,
    /// Radians east of Greenwich.
    longitude: f64,
}

/// How a track runs from one place to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// The shortest way.
    #[default]
    GreatCircle,
    /// The way of constant course; across the antimeridian where that is shorter.
    Rhumb,
}

impl Place {
    /// Takes degrees north and east; `None` beyond 90 and 180, and for what is no number.
    #[must_use]
    pub fn of_degrees(latitude: f64, longitude: f64) -> Option<Self> {
        let is_on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        is_on_earth.then(|| Self { latitude: latitude.to_radians(), longitude: longitude.to_radians() })
    }

    /// Returns degrees north and east, within 90 and 180.
    #[must_use]
    pub fn degrees(self) -> (f64, f64) {
        (self.latitude.to_degrees(), shortest(self.longitude).to_degrees())
    }

    /// Returns where a great circle leads: `bearing` in radians from true north, `distance_m` in metres.
    #[must_use]
    pub fn towards(self, bearing: f64, distance_m: f64) -> Self {
        let angle = distance_m / EARTH_RADIUS_M;
        let north = sin(self.latitude) * cos(angle) + cos(self.latitude) * sin(angle) * cos(bearing);
        let east = sin(bearing) * sin(angle) * cos(self.latitude);
        let longitude = self.longitude + atan2(east, cos(angle) - sin(self.latitude) * north);
        Self { latitude: asin(north.clamp(-1.0, 1.0)), longitude: shortest(longitude) }
    }

    /// Returns the latitude on a Mercator chart.
    fn chart_latitude(self) -> f64 {
        log(tan(FRAC_PI_4 + self.latitude.clamp(-CHART_LATITUDE_MAX, CHART_LATITUDE_MAX) / 2.0))
    }

    /// Returns how far east `other` is, the shorter way round, radians.
    fn east_to(self, other: Self) -> f64 {
        shortest(other.longitude - self.longitude)
    }

    /// Returns the angle between two places as seen from the middle of the earth, radians.
    fn angle_to(self, other: Self) -> f64 {
        let (north, east) = (sin((other.latitude - self.latitude) / 2.0), sin(self.east_to(other) / 2.0));
        let half = north * north + cos(self.latitude) * cos(other.latitude) * east * east;
        2.0 * asin(sqrt(half.clamp(0.0, 1.0)))
    }

    /// Returns the bearing of a great circle where it begins, radians from -π to π.
    fn bearing_to(self, other: Self) -> f64 {
        let east = self.east_to(other);
        let north = cos(self.latitude) * sin(other.latitude) - sin(self.latitude) * cos(other.latitude) * cos(east);
        atan2(sin(east) * cos(other.latitude), north)
    }

    /// Returns the way on a Mercator chart, east and north.
    fn chart_way(self, other: Self) -> (f64, f64) {
        (self.east_to(other), other.chart_latitude() - self.chart_latitude())
    }
}

impl Line {
    /// Returns metres from one place to the other.
    #[must_use]
    pub fn distance(self, from: Place, to: Place) -> f64 {
        match self {
            Self::GreatCircle => EARTH_RADIUS_M * from.angle_to(to),
            Self::Rhumb => {
                let (east, chart_north) = from.chart_way(to);
                let north = to.latitude - from.latitude;
                let stretch = if fabs(chart_north) > PARALLEL_MAX {
                    north / chart_north
                } else {
                    cos(f64::midpoint(from.latitude, to.latitude))
                };
                EARTH_RADIUS_M * sqrt(north * north + stretch * stretch * east * east)
            }
        }
    }

    /// Returns the bearing at `from`, radians from true north, 0 to 2π; 0 where both are one place.
    #[must_use]
    pub fn bearing(self, from: Place, to: Place) -> f64 {
        wrapped(match self {
            Self::GreatCircle => from.bearing_to(to),
            Self::Rhumb => {
                let (east, north) = from.chart_way(to);
                atan2(east, north)
            }
        })
    }

    /// Returns how far `at` is from the track between two places, metres; positive to the right of it. Where both are one
    /// place, the track leads north.
    #[must_use]
    pub fn cross_track(self, at: Place, from: Place, to: Place) -> f64 {
        match self {
            Self::GreatCircle => {
                let aside = sin(from.angle_to(at)) * sin(from.bearing_to(at) - from.bearing_to(to));
                EARTH_RADIUS_M * asin(aside.clamp(-1.0, 1.0))
            }
            Self::Rhumb => {
                let bearing = self.bearing(from, to);
                let (east, north) = from.chart_way(at);
                let aside = east * cos(bearing) - north * sin(bearing);
                let foot_north = at.chart_latitude() + aside * sin(bearing);
                let foot = Place {
                    latitude: 2.0 * atan(exp(foot_north)) - FRAC_PI_2,
                    longitude: shortest(at.longitude - aside * cos(bearing)),
                };
                libm::copysign(self.distance(at, foot), aside)
            }
        }
    }
}

/// Tells whether `at` has passed the line through `to` that crosses the track from `from` at a right angle.
#[must_use]
pub fn has_passed(at: Place, from: Place, to: Place) -> bool {
    let apart = shortest(to.bearing_to(at) - to.bearing_to(from));
    at == to || fabs(apart) > FRAC_PI_2
}

/// Returns where a track to `to` begins on which `at` has this cross track error, metres; `None` where there is no such
/// track: the error is not smaller than the distance.
#[must_use]
pub fn begin_of_track(at: Place, to: Place, cross_track_m: f64) -> Option<Place> {
    let (away, aside) = (to.angle_to(at), cross_track_m / EARTH_RADIUS_M);
    if !(fabs(aside) < away && away < FRAC_PI_2) {
        return None;
    }
    let turn = asin((sin(aside) / sin(away)).clamp(-1.0, 1.0));
    let along = acos((cos(away) / cos(aside)).clamp(-1.0, 1.0));
    // A little behind the vessel, so that it is on the track and not abeam of its begin.
    Some(to.towards(to.bearing_to(at) + turn, (along + fabs(aside)) * EARTH_RADIUS_M))
}

/// Returns an angle from 0 to 2π that is the same, radians.
#[must_use]
pub fn wrapped(angle: f64) -> f64 {
    let rest = libm::fmod(angle, TAU);
    // A tiny negative angle would be rounded to the whole circle.
    if rest < 0.0 && rest + TAU < TAU { rest + TAU } else { rest.max(0.0) }
}

/// Returns an angle from -π to π that is the same, radians; what is there already is kept to the last bit.
fn shortest(angle: f64) -> f64 {
    if fabs(angle) <= PI { angle } else { libm::remainder(angle, TAU) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(latitude: f64, longitude: f64) -> Place {
        Place::of_degrees(latitude, longitude).unwrap()
    }

    fn is_near(found: f64, wanted: f64, apart_max: f64) {
        assert!((found - wanted).abs() <= apart_max, "{found} is not {wanted}");
    }

    /// The worked examples of movable-type.co.uk/scripts/latlong.html.
    #[test]
    fn known_ways() {
        let (lands_end, john_o_groats) = (at(50.066_388_9, -5.714_722_2), at(58.643_888_9, -3.07));
        is_near(Line::GreatCircle.distance(lands_end, john_o_groats), 968_900.0, 100.0);
        is_near(Line::GreatCircle.bearing(lands_end, john_o_groats).to_degrees(), 9.119_7, 0.001);
        let (plymouth, boston) = (at(50.366_388_9, -4.133_888_9), at(42.351_111_1, -71.040_833_3));
        is_near(Line::Rhumb.distance(plymouth, boston), 5_198_000.0, 500.0);
        is_near(Line::Rhumb.bearing(plymouth, boston).to_degrees(), 260.127_2, 0.001);
        let track = (at(53.3206, -1.7297), at(53.1887, 0.1334));
        is_near(Line::GreatCircle.cross_track(at(53.2611, -0.7972), track.0, track.1), -307.5, 0.1);
    }

    #[test]
    fn the_antimeridian_is_no_border() {
        let (west, east) = (at(10.0, -179.5), at(10.0, 179.5));
        for line in [Line::GreatCircle, Line::Rhumb] {
            is_near(line.distance(east, west), 109_505.0, 5.0);
            is_near(line.bearing(east, west).to_degrees(), 90.0, 0.1);
            is_near(line.bearing(west, east).to_degrees(), 270.0, 0.1);
            assert!(line.cross_track(at(9.9, 180.0), east, west) > 10_000.0, "south of an eastward track is right");
            is_near(line.cross_track(at(9.9, 180.0), east, west), line.cross_track(at(9.9, -180.0), east, west), 1e-3);
        }
    }

    #[test]
    fn poles_are_places() {
        let quarter = EARTH_RADIUS_M * FRAC_PI_2;
        for line in [Line::GreatCircle, Line::Rhumb] {
            is_near(line.distance(at(0.0, 20.0), at(90.0, 20.0)), quarter, 0.01);
            is_near(line.bearing(at(0.0, 20.0), at(90.0, 20.0)), 0.0, 1e-9);
            is_near(line.bearing(at(0.0, 20.0), at(-90.0, 20.0)), PI, 1e-9);
            is_near(line.distance(at(90.0, 0.0), at(90.0, 120.0)), 0.0, 0.05);
            assert!(line.cross_track(at(89.0, 10.0), at(90.0, 0.0), at(-90.0, 0.0)).is_finite());
        }
    }

    #[test]
    fn one_place_is_no_way() {
        for line in [Line::GreatCircle, Line::Rhumb] {
            let here = at(54.3, 10.1);
            assert_eq!((line.distance(here, here), line.bearing(here, here)), (0.0, 0.0));
            assert!(line.cross_track(at(54.0, 10.0), here, here).is_finite());
        }
        assert!(Place::of_degrees(90.1, 0.0).is_none() && Place::of_degrees(0.0, -180.1).is_none());
        assert!(Place::of_degrees(f64::NAN, 0.0).is_none() && Place::of_degrees(0.0, f64::INFINITY).is_none());
    }

    #[test]
    fn a_destination_is_passed_beyond_the_perpendicular() {
        let (from, to) = (at(54.0, 10.0), at(54.1, 10.0));
        assert!(!has_passed(at(54.09, 10.02), from, to) && has_passed(at(54.11, 9.98), from, to));
        assert!(has_passed(to, from, to), "who is there has arrived");
    }

    #[test]
    fn angles_are_wrapped_once_round() {
        assert_eq!((wrapped(-1e-20), wrapped(0.0), wrapped(TAU)), (0.0, 0.0, 0.0));
        is_near(wrapped(-FRAC_PI_2), 1.5 * PI, 1e-12);
        is_near(wrapped(5.0 * PI), PI, 1e-12);
    }

    fn places() -> impl Strategy<Value = Place> {
        (-90.0..=90.0, -180.0..=180.0).prop_map(|(latitude, longitude)| at(latitude, longitude))
    }

    /// Where a rhumb line is not pressed against a pole.
    fn sailed() -> impl Strategy<Value = Place> {
        (-80.0..80.0, -180.0..=180.0).prop_map(|(latitude, longitude)| at(latitude, longitude))
    }

    proptest! {
        #[test]
        fn distances_are_the_same_both_ways_and_bearings_in_range(a in places(), b in places()) {
            for line in [Line::GreatCircle, Line::Rhumb] {
                prop_assert!((line.distance(a, b) - line.distance(b, a)).abs() < 1e-3);
                prop_assert!((0.0..TAU).contains(&line.bearing(a, b)));
            }
        }

        #[test]
        fn no_way_is_shorter_than_the_great_circle(a in places(), b in places(), c in places()) {
            let straight = Line::GreatCircle.distance(a, b);
            prop_assert!(straight <= Line::GreatCircle.distance(a, c) + Line::GreatCircle.distance(c, b) + 1e-2);
            prop_assert!(straight <= Line::Rhumb.distance(a, b) + 1e-2);
        }

        #[test]
        fn who_sails_a_bearing_is_there(a in sailed(), bearing in 0.0..TAU, distance in 1.0..1e6) {
            let b = a.towards(bearing, distance);
            prop_assert!((Line::GreatCircle.distance(a, b) - distance).abs() < 1e-2);
            prop_assert!(shortest(Line::GreatCircle.bearing(a, b) - bearing).abs() < 1e-2);
            prop_assert!(Line::GreatCircle.cross_track(b, a, a.towards(bearing, distance / 2.0)).abs() < 1e-1);
        }

        #[test]
        fn on_a_short_leg_both_lines_agree(a in sailed(), bearing in 0.0..TAU, aside in -500.0..500.0) {
            let b = a.towards(bearing, 10_000.0);
            let here = a.towards(bearing, 4_000.0).towards(bearing + FRAC_PI_2, aside);
            for line in [Line::GreatCircle, Line::Rhumb] {
                let found = line.cross_track(here, a, b);
                // Between the two lies the bulge of the great circle, 7 m on 10 km at 80 degrees.
                prop_assert!((found - aside).abs() < 15.0, "{} is not {}", found, aside);
            }
        }

        #[test]
        fn a_track_is_found_again_by_its_error(
            to in sailed(), bearing in 0.0..TAU, distance in 1_000.0..500_000.0, part in -0.9..0.9,
        ) {
            let here = to.towards(bearing, distance);
            let wanted = part * distance;
            let from = begin_of_track(here, to, wanted).unwrap();
            prop_assert!((Line::GreatCircle.cross_track(here, from, to) - wanted).abs() < 1.0);
            prop_assert!(begin_of_track(here, to, distance * 1.01).is_none());
        }
    }
}
