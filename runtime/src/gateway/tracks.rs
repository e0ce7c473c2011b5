//! Tracks: taken from the model once a minute, told as Signal K's tracks plugin tells them.

use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use super::Gateway;
use crate::http::Request;
use crate::json;
use crate::server::Response;
use crate::server::url::{decode_all, parameter};
use crate::time::{Instant, UnixMillis};
use crate::tracks::{POINT_EVERY, Span, Tracks, Within};

/// Time between two writes of the own track.
const SAVED_EVERY: Duration = Duration::from_secs(600);
/// Radius when none is asked for, metres; that of the plugin.
const RADIUS_M: f64 = 50_000.0;

/// The tracks, and when they are looked after.
pub(super) struct TrackKeeper {
    tracks: Tracks,
    next: Option<Instant>,
    saved: Instant,
    /// There is something that is not stored.
    is_changed: bool,
}

impl TrackKeeper {
    /// Begins with the own track that was stored.
    pub fn load(storage: &mut dyn crate::hal::Storage) -> Self {
        let tracks = Tracks::load(storage).unwrap_or_else(|error| {
            log::warn!("{error}; a new track begins");
            Tracks::default()
        });
        Self { tracks, next: None, saved: Instant::default(), is_changed: false }
    }
}

impl Gateway {
    /// Takes a point of everybody once a minute; returns when the next one is due.
    pub(super) fn drive_tracks(&mut self, now: Instant) -> Option<Instant> {
        match self.tracks.next {
            Some(next) if now < next => return Some(next),
            _ => self.tracks.next = Some(now + POINT_EVERY),
        }
        let wall = self.wall();
        // Without the time no point has one.
        if wall.is_known() {
            self.take_points(wall);
        }
        if self.tracks.is_changed && now.since(self.tracks.saved) >= SAVED_EVERY {
            self.save_track(now);
        }
        self.tracks.next
    }

    fn take_points(&mut self, wall: UnixMillis) {
        let (tracks, model) = (&mut self.tracks.tracks, &self.model);
        let own = self.setup.self_context.clone();
        if let Some((place, at)) = model.place_and_time(&own) {
            self.tracks.is_changed |= tracks.add_own(place, at);
        }
        for context in model.moving_contexts() {
            if let Some((place, at)) = model.place_and_time(context) {
                tracks.add(context, place, at);
            }
        }
        tracks.forget_silent(wall);
    }

    /// Stores the own track: now and then, and when the gateway stops.
    pub(super) fn save_track(&mut self, now: Instant) {
        if !self.tracks.is_changed {
            return;
        }
        (self.tracks.saved, self.tracks.is_changed) = (now, false);
        if let Err(error) = self.tracks.tracks.save(&mut *self.hal.storage) {
            log::warn!("the own track is not stored: {error}");
        }
    }

    /// Answers what is asked of tracks below `/signalk`; `None` for everything else.
    pub(super) fn tracks_below(&self, below: &[&str], request: &Request) -> Option<Response> {
        let ["v1", "api", path @ ..] = below else { return None };
        if !request.method.is_read() || !matches!(path, ["tracks"] | [.., "track"]) {
            return None;
        }
        let path = decode_all(path)?;
        let path: Vec<&str> = path.iter().map(|segment| &**segment).collect();
        let own = self.setup.self_context.strip_prefix("vessels.");
        match path.as_slice() {
            ["tracks"] => Some(self.all_tracks(request)),
            ["self", "track"] | ["vessels", "self", "track"] => Some(self.own_track(request)),
            ["vessels", id, "track"] if Some(*id) == own => Some(self.own_track(request)),
            ["vessels", id, "track"] => Some(match self.tracks.tracks.of(&format!("vessels.{id}")) {
                Some(track) => Response::json(200, track),
                None => Response::error(404, "there is no track of it"),
            }),
            _ => None,
        }
    }

    fn all_tracks(&self, request: &Request) -> Response {
        let place = self.model.position_of(&self.setup.self_context);
        let number = |name: &str| parameter(request.query(), name).map(|text| json::number(&text));
        let within = match (parameter(request.query(), "bbox"), number("radius")) {
            (Some(text), _) => {
                let corners: Vec<f64> = text.split(',').filter_map(|number| json::number(number.trim())).collect();
                match corners[..] {
                    [west, south, east, north] => Within::Box([west, south, east, north]),
                    _ => return Response::error(400, "bbox must be west,south,east,north in degrees"),
                }
            }
            (None, Some(None)) => return Response::error(400, "radius must be a number of metres"),
            (None, radius) => match place {
                Some(from) => Within::Radius { from, metres: radius.flatten().unwrap_or(RADIUS_M) },
                // Who knows what is near: the plugin tells all of them, too.
                None => Within::Anywhere,
            },
        };
        Response::json(200, self.tracks.tracks.within(&self.setup.self_context, within))
    }

    /// `timespan` and `timespanOffset` (hours, or with a unit), `resolution` (with a unit, else milliseconds).
    fn own_track(&self, request: &Request) -> Response {
        const HOUR: Duration = Duration::from_secs(3600);
        let wall = self.wall();
        let time = |name: &str, unit: Duration| match parameter(request.query(), name) {
            None => Ok(None),
            Some(text) => time(&text, unit)
                .map(Some)
                .ok_or_else(|| Response::error(400, &format!("{name} must be a time such as 30s, 15m, 12h or 1d"))),
        };
        let asked =
            (time("timespan", HOUR), time("timespanOffset", HOUR), time("resolution", Duration::from_millis(1)));
        let (timespan, offset, resolution) = match asked {
            (Ok(timespan), Ok(offset), Ok(resolution)) => (timespan, offset.unwrap_or_default(), resolution),
            (Err(refused), _, _) | (_, Err(refused), _) | (_, _, Err(refused)) => return refused,
        };
        let before =
            |time: Duration| UnixMillis(wall.0.saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)));
        let span = Span {
            since: timespan.map_or(Span::WHOLE.since, |timespan| before(offset.saturating_add(timespan))),
            until: before(offset),
            every: resolution.unwrap_or_default(),
        };
        Response::json(200, self.tracks.tracks.own(span))
    }
}

/// Reads `30s`, `15m`, `12h`, `1d`; a bare number counts `unit`s.
fn time(text: &str, unit: Duration) -> Option<Duration> {
    let (number, unit) = match text.char_indices().next_back()? {
        (at, 's') => (text.get(..at)?, Duration::from_secs(1)),
        (at, 'm') => (text.get(..at)?, Duration::from_secs(60)),
        (at, 'h') => (text.get(..at)?, Duration::from_secs(3600)),
        (at, 'd') => (text.get(..at)?, Duration::from_secs(86_400)),
        _ => (text, unit),
    };
    let number: f64 = json::number(number).filter(|number| (0.0..=1e9).contains(number))?;
    Some(unit.mul_f64(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let seconds = |text: &str| time(text, Duration::from_secs(3600)).map(|time| time.as_secs());
        assert_eq!(["90s", "2m", "1.5h", "1d", "2"].map(seconds), [90, 120, 5400, 86_400, 7200].map(Some));
        for wrong in ["", "h", "-1h", "1y", "1e99", "ü", "NaN"] {
            assert_eq!(time(wrong, Duration::from_secs(1)), None, "{wrong}");
        }
    }
}
