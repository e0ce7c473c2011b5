//! Where the own vessel and those around it have been, as Signal K's tracks plugin tells it: a point a minute, bounded.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::config::{ConfigError, ConfigReason, read_object, write_object};
use crate::course::{Line, Place};
use crate::hal::Storage;
use crate::json::{self, JsonError, List};
use crate::sorted::SortedMap;
use crate::time::UnixMillis;

/// Key of the file with the own track.
pub const TRACK_FILE: &str = "skiff/track.json";
/// Bytes of it: a day has 1,440 points of about 40 bytes.
const FILE_BYTES_MAX: u32 = 128 * 1024;
/// Time between two points.
pub const POINT_EVERY: Duration = Duration::from_secs(60);
/// Points of the own track: a day.
const OWN_POINTS_MAX: usize = 1440;
/// Points of another's: two hours, as the plugin keeps.
const POINTS_MAX: usize = 120;
/// Vessels and aircraft whose tracks are kept, the own one not counted.
pub const TRACKS_MAX: usize = 256;
/// One of which nothing was heard for so long has no track any more.
const KEPT: Duration = Duration::from_secs(600);
/// A gap between two points is one in the line.
const GAP: Duration = Duration::from_secs(600);

/// A place at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    latitude: f64,
    longitude: f64,
    at: UnixMillis,
}

/// What of the tracks is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Within {
    /// Everything.
    Anywhere,
    /// What is no farther away than so many metres from a place, degrees.
    Radius {
        /// Where.
        from: (f64, f64),
        /// Metres.
        metres: f64,
    },
    /// What is in a box: west, south, east, north in degrees; across the antimeridian where east is less than west.
    Box([f64; 4]),
}

impl Within {
    fn holds(&self, point: &Point) -> bool {
        match *self {
            Self::Anywhere => true,
            Self::Radius { from, metres } => {
                let places = Place::of_degrees(from.0, from.1).zip(Place::of_degrees(point.latitude, point.longitude));
                places.is_some_and(|(one, other)| Line::GreatCircle.distance(one, other) <= metres)
            }
            Self::Box([west, south, east, north]) => {
                let along = match west <= east {
                    true => (west..=east).contains(&point.longitude),
                    false => point.longitude >= west || point.longitude <= east,
                };
                along && (south..=north).contains(&point.latitude)
            }
        }
    }
}

/// Part of a track that is asked for: points not older than `since`, not younger than `until`, one in `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The oldest.
    pub since: UnixMillis,
    /// The youngest.
    pub until: UnixMillis,
    /// Time between two.
    pub every: Duration,
}

impl Span {
    /// All of it.
    pub const WHOLE: Self = Self { since: UnixMillis(i64::MIN), until: UnixMillis(i64::MAX), every: Duration::ZERO };
}

/// The tracks.
#[derive(Debug, Default)]
pub struct Tracks {
    own: VecDeque<Point>,
    others: SortedMap<String, VecDeque<Point>>,
}

impl Tracks {
    /// Reads the own track; a damaged file is told and left alone, and a new track begins.
    ///
    /// # Errors
    /// [`ConfigError`] when it is damaged.
    pub fn load(storage: &mut dyn Storage) -> Result<Self, ConfigError> {
        let mut tracks = Self::default();
        let Some(text) = read_object(storage, TRACK_FILE, FILE_BYTES_MAX)? else { return Ok(tracks) };
        let read = json::items::<JsonError>(json::member(&text, "points").unwrap_or("null"), |point| {
            let mut numbers = Vec::new();
            json::items::<JsonError>(point, |number| {
                numbers.push(json::number(number).ok_or(JsonError::WrongKind)?);
                Ok(())
            })?;
            let [longitude, latitude, seconds] = numbers[..] else { return Err(JsonError::WrongKind) };
            #[expect(clippy::cast_possible_truncation, reason = "a cast of a float stays in range")]
            let at = UnixMillis((seconds * 1000.0) as i64);
            push(&mut tracks.own, Point { latitude, longitude, at }, OWN_POINTS_MAX);
            Ok(())
        });
        let what = "points must be a list of longitude, latitude and seconds";
        read.map(|()| tracks).map_err(|_| ConfigError::new(TRACK_FILE, ConfigReason::Member(what)))
    }

    /// Writes the own track.
    ///
    /// # Errors
    /// [`ConfigError`] when storage fails; what was written before stays.
    pub fn save(&self, storage: &mut dyn Storage) -> Result<(), ConfigError> {
        let text = json::object(|out| {
            out.list("points", |list| {
                for point in &self.own {
                    list.list(|numbers| {
                        numbers.number(point.longitude).number(point.latitude).number(point.at.0.div_euclid(1000));
                    });
                }
            });
        });
        write_object(storage, TRACK_FILE, &text)
    }

    /// Adds where the own vessel is; false when it is where it was at that time.
    pub fn add_own(&mut self, place: (f64, f64), at: UnixMillis) -> bool {
        let is_new = self.own.back().is_none_or(|last| last.at < at);
        if is_new {
            push(&mut self.own, Point { latitude: place.0, longitude: place.1, at }, OWN_POINTS_MAX);
        }
        is_new
    }

    /// Adds where another one is; `at` is the time of its position. When there are too many, the one that was heard
    /// longest ago gives way.
    pub fn add(&mut self, context: &str, place: (f64, f64), at: UnixMillis) {
        let point = Point { latitude: place.0, longitude: place.1, at };
        if let Some(points) = self.others.get_mut(context) {
            if points.back().is_none_or(|last| last.at < at) {
                push(points, point, POINTS_MAX);
            }
            return;
        }
        if self.others.len() >= TRACKS_MAX {
            let heard = |points: &VecDeque<Point>| points.back().map(|last| last.at);
            let oldest = self.others.iter().min_by_key(|(_, points)| heard(points)).map(|(context, _)| context.clone());
            oldest.and_then(|oldest| self.others.remove(&oldest));
        }
        self.others.insert(context.into(), VecDeque::from([point]));
    }

    /// Forgets those of whom nothing was heard for long.
    pub fn forget_silent(&mut self, now: UnixMillis) {
        let kept = millis(KEPT);
        self.others.retain(|_, points| points.back().is_some_and(|last| now.0.saturating_sub(last.at.0) < kept));
    }

    /// Returns the own track as GeoJSON.
    #[must_use]
    pub fn own(&self, span: Span) -> String {
        geometry(&self.own, span)
    }

    /// Returns the track of another one as GeoJSON; `None` when there is none.
    #[must_use]
    pub fn of(&self, context: &str) -> Option<String> {
        self.others.get(context).map(|points| geometry(points, Span::WHOLE))
    }

    /// Returns the tracks that end where is asked for, by context.
    #[must_use]
    pub fn within(&self, self_context: &str, within: Within) -> String {
        let is_in = |points: &VecDeque<Point>| points.back().is_some_and(|last| within.holds(last));
        json::object(|out| {
            if is_in(&self.own) {
                out.json(self_context, &geometry(&self.own, Span::WHOLE));
            }
            for (context, points) in self.others.iter().filter(|(_, points)| is_in(points)) {
                out.json(context, &geometry(points, Span::WHOLE));
            }
        })
    }
}

fn push(points: &mut VecDeque<Point>, point: Point, most: usize) {
    if points.len() >= most {
        points.pop_front();
    }
    points.push_back(point);
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Writes points as a GeoJSON `MultiLineString` (RFC 7946 §3.1.5): longitude first, a line for each part without a gap.
fn geometry(points: &VecDeque<Point>, span: Span) -> String {
    let mut lines: Vec<Vec<Point>> = Vec::new();
    let mut last: Option<Point> = None;
    for point in points.iter().filter(|point| span.since <= point.at && point.at <= span.until) {
        let apart = last.map(|last| point.at.0.saturating_sub(last.at.0));
        if apart.is_some_and(|apart| apart < millis(span.every)) {
            continue;
        }
        match lines.last_mut() {
            Some(line) if apart.is_none_or(|apart| apart <= millis(GAP).max(millis(span.every))) => line.push(*point),
            _ => lines.push(alloc::vec![*point]),
        }
        last = Some(*point);
    }
    json::object(|out| {
        out.text("type", "MultiLineString").list("coordinates", |list| {
            for line in &lines {
                list.list(|out: &mut List<'_>| {
                    for point in line {
                        out.list(|pair| _ = pair.number(point.longitude).number(point.latitude));
                    }
                });
            }
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Files;
    use std::format;
    use std::string::ToString;

    const NOON: UnixMillis = UnixMillis(1_800_000_000_000);

    fn minute(count: i64) -> UnixMillis {
        UnixMillis(NOON.0 + count * 60_000)
    }

    #[test]
    fn a_track_is_a_line_for_each_part_without_a_gap() {
        let mut tracks = Tracks::default();
        for (at, longitude) in [(0, 1.5), (1, 1.25), (1, 9.0), (0, 9.0), (12, 2.0), (13, 3.0)] {
            let is_new = tracks.add_own((60.0, longitude), minute(at));
            assert_eq!(is_new, longitude < 9.0, "nothing older, nothing twice");
        }
        let expected = r#"{"type":"MultiLineString","coordinates":[[[1.5,60],[1.25,60]],[[2,60],[3,60]]]}"#;
        assert_eq!(tracks.own(Span::WHOLE), expected);
        let span = Span { since: minute(1), until: minute(12), every: Duration::ZERO };
        assert_eq!(tracks.own(span), r#"{"type":"MultiLineString","coordinates":[[[1.25,60]],[[2,60]]]}"#);
        let span = Span { every: Duration::from_secs(180), ..Span::WHOLE };
        assert_eq!(tracks.own(span), r#"{"type":"MultiLineString","coordinates":[[[1.5,60]],[[2,60]]]}"#);
        let nothing = Tracks::default().own(Span::WHOLE);
        assert_eq!(nothing, r#"{"type":"MultiLineString","coordinates":[]}"#);
    }

    #[test]
    fn the_own_track_is_there_after_a_restart() {
        let (mut tracks, mut files) = (Tracks::default(), Files::default());
        for at in 0..2000 {
            tracks.add_own((60.0, 1.0 / 3.0), minute(at));
        }
        tracks.save(&mut files).unwrap();
        let again = Tracks::load(&mut files).unwrap();
        assert_eq!((again.own.len(), &again.own), (OWN_POINTS_MAX, &tracks.own), "a day, to the last bit");
        for text in ["{}", r#"{"points":[[1,2]]}"#, r#"{"points":[[1,2,"x"]]}"#] {
            let error = Tracks::load(&mut Files::with(TRACK_FILE, text)).unwrap_err();
            assert!(error.to_string().starts_with("skiff/track.json: "), "{text}");
        }
    }

    #[test]
    fn who_is_silent_is_forgotten_and_who_is_new_finds_room() {
        let mut tracks = Tracks::default();
        for count in 0..=i64::try_from(TRACKS_MAX).unwrap() {
            tracks.add(&format!("vessels.{count}"), (60.0, 20.0), UnixMillis(NOON.0 + count));
        }
        assert!(tracks.of("vessels.0").is_none() && tracks.of("vessels.1").is_some());
        assert_eq!(tracks.others.len(), TRACKS_MAX);
        tracks.add("vessels.5", (60.0, 21.0), minute(5));
        tracks.forget_silent(minute(12));
        assert_eq!(tracks.others.len(), 1);
        for count in 6..500 {
            tracks.add("vessels.5", (60.0, 21.0), minute(count));
        }
        assert_eq!(tracks.others.get("vessels.5").unwrap().len(), POINTS_MAX);
    }

    #[test]
    fn tracks_are_found_by_where_they_end() {
        let mut tracks = Tracks::default();
        tracks.add_own((60.0, 20.0), NOON);
        tracks.add("vessels.near", (60.01, 20.0), NOON);
        tracks.add("vessels.far", (61.0, 20.0), NOON);
        tracks.add("vessels.west", (0.0, -179.9), NOON);
        let found = |within| {
            let text = tracks.within("vessels.me", within);
            ["me", "near", "far", "west"].map(|name| text.contains(&format!("\"vessels.{name}\"")))
        };
        assert_eq!(found(Within::Anywhere), [true; 4]);
        assert_eq!(found(Within::Radius { from: (60.0, 20.0), metres: 2000.0 }), [true, true, false, false]);
        assert_eq!(found(Within::Radius { from: (60.0, 20.0), metres: 1000.0 }), [true, false, false, false]);
        assert_eq!(found(Within::Radius { from: (95.0, 20.0), metres: 1e9 }), [false; 4], "nowhere");
        assert_eq!(found(Within::Box([19.0, 60.5, 21.0, 62.0])), [false, false, true, false]);
        assert_eq!(found(Within::Box([179.0, -1.0, -179.0, 1.0])), [false, false, false, true], "across 180°");
    }
}
