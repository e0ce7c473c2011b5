//! The course while the gateway runs: plotters are heard, what follows is told once a second, alarms are raised.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Gateway, Wake};
use crate::config::{FILE_BYTES_MAX, read_object, read_settings};
use crate::course::{
    API_SOURCE, Changed, Derived, Facts, Heard, Line, Motion, Navigation, PROVIDER_SOURCE, Position, concerns,
    derived_delta, derived_v1_delta, v1_delta, v2_delta,
};
use crate::delta::{Delta, DeltaVersion, Stamp};
use crate::hal::{Key, Storage, StorageError};
use crate::json;
use crate::model::Model;
use crate::queue::Queue;
use crate::time::{Instant, UnixMillis};

/// Where the course is kept.
const FILE: &str = "skiff/course.json";
/// Bytes of that: a route of 4096 points has about 180 KB.
const COURSE_BYTES_MAX: u32 = 512 * 1024;
/// The options of the plugin that derives values on a Signal K server.
const OPTIONS_FILE: &str = "plugin-config-data/course-provider.json";

/// Time between two calculations.
const DERIVE_EVERY: Duration = Duration::from_secs(1);
/// Deltas of plotters and resources that wait for the next poll, and their bytes; the oldest gives way.
const HEARD_MAX: u16 = 32;
const HEARD_BYTES_MAX: u32 = 256 * 1024;

/// What is calculated and raised, as the operator chose.
struct Options {
    line: Line,
    /// Whether each of [`ALARMS`] is raised.
    raises: [bool; 2],
    has_sound: bool,
}

/// Paths of the alarms.
const ALARMS: [&str; 2] =
    ["notifications.navigation.course.arrivalCircleEntered", "notifications.navigation.course.perpendicularPassed"];

impl Options {
    fn load(storage: &mut dyn Storage) -> Self {
        let file = read_object(storage, OPTIONS_FILE, FILE_BYTES_MAX).unwrap_or_else(|error| {
            log::warn!("{error}; the course is calculated with the defaults");
            None
        });
        let option = |section: &str, name: &str| {
            let options = json::member(file.as_deref()?, "configuration")?;
            json::member(json::member(options, section)?, name).map(String::from)
        };
        let flag = |name, default: bool| {
            option("notifications", name).and_then(|flag| json::boolean(&flag)).unwrap_or(default)
        };
        let is_rhumb = option("calculations", "method").and_then(|method| Some(json::string(&method)? == "Rhumbline"));
        Self {
            line: if is_rhumb == Some(true) { Line::Rhumb } else { Line::GreatCircle },
            raises: [flag("enableArrival", true), flag("enablePerpendicular", true)],
            has_sound: flag("sound", false),
        }
    }
}

/// The course, and what was told of it.
pub(super) struct CourseKeeper {
    pub navigation: Navigation,
    options: Options,
    /// Deltas that the course may follow.
    heard: Queue<Arc<Delta>>,
    /// What was told last; `None` where nothing follows.
    pub derived: Option<Derived>,
    /// The position from which that follows, and its time.
    followed_from: Option<(UnixMillis, Position)>,
    derive_at: Option<Instant>,
    /// Which of [`ALARMS`] stand.
    raised: [bool; 2],
}

impl CourseKeeper {
    /// Reads what is kept and brings it into the model; a damaged file is told, and lost with the next change.
    pub fn load(storage: &mut dyn Storage, model: &mut Model, wall: Option<UnixMillis>) -> Self {
        let navigation = read(storage).unwrap_or_else(|clause| {
            log::warn!("{FILE}: {clause}; no course is set");
            Navigation::default()
        });
        if navigation.course().next_point.is_some() {
            let now = wall.unwrap_or(UnixMillis::UNKNOWN);
            for text in told(&navigation, Changed::All) {
                let stamp = Stamp { source_ref: API_SOURCE, self_context: model.self_context(), now };
                if let Ok(delta) = Delta::parse(&text, &stamp) {
                    drop(model.take_in(Arc::new(delta)));
                }
            }
        }
        Self {
            navigation,
            options: Options::load(storage),
            heard: Queue::new(HEARD_MAX, HEARD_BYTES_MAX),
            derived: None,
            followed_from: None,
            derive_at: None,
            raised: [false; 2],
        }
    }

    /// Keeps a delta that the course may follow for the next poll.
    pub fn hear(&mut self, delta: &Arc<Delta>, self_context: &str) {
        let is_of_use = match delta.version() {
            DeltaVersion::V1 => delta.is_own(self_context) && concerns(delta),
            DeltaVersion::V2 => {
                let course = self.navigation.course();
                delta.updates().any(|update| update.entries().any(|(path, _)| course.follows(path)))
            }
        };
        if is_of_use {
            self.heard.push(Arc::clone(delta), delta.text_bytes_max());
        }
    }
}

/// Returns the deltas that tell of a change. They are kept in the model, those of version 2 too: Signal K Server 2.32
/// shows them below `/signalk/v1/api`, and tells them to clients that come later.
fn told(navigation: &Navigation, changed: Changed) -> Vec<String> {
    v1_delta(navigation.course(), changed).into_iter().chain([v2_delta(navigation, changed)]).collect()
}

fn key() -> Result<Key, String> {
    Key::parse(FILE).map_err(|error| format!("{error}"))
}

fn read(storage: &mut dyn Storage) -> Result<Navigation, String> {
    let bytes = match storage.read_all(&key()?, COURSE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(StorageError::NotFound) => return Ok(as_set_up(storage)),
        Err(error) => return Err(format!("{error}")),
    };
    let text = core::str::from_utf8(&bytes).ok().and_then(|text| json::compact(text).ok());
    text.and_then(|text| Navigation::read(&text)).ok_or_else(|| "it is damaged".into())
}

/// Returns no course, and what `courseApi.apiOnly` of a Signal K folder's `settings.json` says.
fn as_set_up(storage: &mut dyn Storage) -> Navigation {
    // A damaged file was told of by who reads it first.
    let settings = read_settings(storage).ok().flatten();
    let api_only =
        settings.as_deref().and_then(|settings| json::member(json::member(settings, "courseApi")?, "apiOnly"));
    let mut navigation = Navigation::default();
    navigation.set_api_only(api_only == Some("true"));
    navigation
}

impl Gateway {
    /// Returns where the vessel is, as far as known.
    pub(super) fn own_position(&self) -> Option<Position> {
        Position::read(&self.model.node_at_self("navigation.position.value")?)
    }

    fn own_number(&self, path: &str) -> Option<f64> {
        json::number(&self.model.node_at_self(path)?)
    }

    /// Does what is due; `wake` learns when to do so again.
    pub(super) fn drive_course(&mut self, now: Instant, wake: &mut Wake) {
        while let Some(delta) = self.course.heard.pop() {
            self.follow(&delta, now);
        }
        if let Some(changed) = self.course.navigation.end_unheard(now) {
            log::info!("the plotter that set the course is not heard any more; it is cleared");
            self.tell_course(changed);
        }
        self.derive(now);
        let due = [self.course.navigation.deadline(), self.course.derive_at];
        wake.at = due.into_iter().chain([wake.at]).flatten().min();
    }

    /// Takes in what a plotter says, or how a resource is now.
    fn follow(&mut self, delta: &Arc<Delta>, now: Instant) {
        let vessel = self.own_position();
        let time = self.wall().text();
        let facts = Facts { vessel, now: Some(&*time).filter(|time| !time.is_empty()), resource: None };
        for update in delta.updates() {
            let changed = if delta.version() == DeltaVersion::V2 {
                let found = update.values().find(|(path, _)| self.course.navigation.course().follows(path));
                found.and_then(|(_, value)| self.course.navigation.take_resource(value))
            } else {
                Heard::read(&update).and_then(|said| self.course.navigation.hear(&said, &facts, now))
            };
            if let Some(changed) = changed {
                self.tell_course(changed);
            }
            if changed.is_some() && delta.version() == DeltaVersion::V2 {
                self.keep_course();
            }
        }
    }

    /// Tells of a change of the course.
    pub(super) fn tell_course(&mut self, changed: Changed) {
        for text in told(&self.course.navigation, changed) {
            self.publish_course(&text);
        }
        self.course.followed_from = None;
        self.course.derive_at = Some(self.hal.clock.now());
    }

    /// Keeps the course durably. A plotter's is not: it tells of it again, and one that comes and goes wears no storage.
    pub(super) fn keep_course(&mut self) {
        if self.course.navigation.is_plotters() {
            return;
        }
        let text = self.course.navigation.json();
        let kept =
            key().and_then(|key| self.hal.storage.replace(&key, text.as_bytes()).map_err(|error| format!("{error}")));
        if let Err(clause) = kept {
            log::warn!("{FILE}: {clause}; the course is lost at the next start");
        }
    }

    fn publish_course(&mut self, text: &str) {
        let stamp = Stamp { source_ref: API_SOURCE, self_context: &self.setup.self_context, now: self.wall() };
        match Delta::parse(text, &stamp) {
            Ok(delta) => self.take_in(Arc::new(delta), 0),
            Err(error) => log::warn!("clients are not told of the course: {error}"),
        }
    }

    /// Calculates and tells what follows from the course, once a second where the position is another one.
    fn derive(&mut self, now: Instant) {
        let course = self.course.navigation.course();
        if course.next_point.is_none() || course.previous_point.is_none() {
            self.course.derive_at = None;
            if self.course.derived.take().is_some() {
                self.tell_derived();
            }
            return;
        }
        if self.course.derive_at.is_some_and(|at| at > now) {
            return;
        }
        self.course.derive_at = Some(now + DERIVE_EVERY);
        let Some(position) = self.own_position() else { return };
        let at = self.model.told_at(&["vessels", "self", "navigation", "position"]);
        let from = at.map(|at| (at, position));
        if from.is_some() && from == self.course.followed_from {
            return;
        }
        let motion = Motion {
            position,
            course_true: self.own_number("navigation.courseOverGroundTrue.value"),
            speed: self.own_number("navigation.speedOverGround.value"),
            variation: self.own_number("navigation.magneticVariation.value"),
            now: self.wall(),
        };
        self.course.followed_from = from;
        self.course.derived = Derived::of(self.course.navigation.course(), &motion, self.course.options.line);
        self.tell_derived();
    }

    /// Tells what follows, or that nothing does any more.
    fn tell_derived(&mut self) {
        let (derived, line) = (self.course.derived, self.course.options.line);
        self.publish_course(&derived_delta(derived.as_ref(), line));
        // A plotter tells of these paths itself.
        if !self.course.navigation.is_plotters() {
            self.publish_course(&derived_v1_delta(derived.as_ref(), line));
        }
        let circle = self.course.navigation.course().arrival_circle;
        let stand =
            [derived.is_some_and(|derived| derived.has_arrived), derived.is_some_and(|derived| derived.has_passed)];
        let distance = derived.map_or(0.0, |derived| derived.distance);
        let messages = [
            format!("arrival circle entered: {distance:.0} m to go, radius {circle:.0} m"),
            "the perpendicular at the next point has been passed".into(),
        ];
        for (at, (path, message)) in ALARMS.iter().zip(&messages).enumerate() {
            let is_enabled = self.course.options.raises.get(at).is_some_and(|raises| *raises);
            let stands = is_enabled && stand.get(at).is_some_and(|stands| *stands);
            if let Some(raised) = self.course.raised.get_mut(at).filter(|raised| **raised != stands) {
                *raised = stands;
                self.raise_course_alarm(path, stands.then_some(message));
            }
        }
    }

    /// Raises an alarm, or takes it back.
    fn raise_course_alarm(&mut self, path: &str, message: Option<&String>) {
        // Taken back it is normal and has no method, as Signal K Server 2.32 makes of `null`.
        let value = json::object(|value| {
            value.text("state", if message.is_some() { "alert" } else { "normal" }).list("method", |method| {
                if message.is_some() && self.course.options.has_sound {
                    method.text("sound");
                }
                if message.is_some() {
                    method.text("visual");
                }
            });
            value.text("message", message.map_or("", String::as_str));
        });
        let stamp = Stamp { source_ref: PROVIDER_SOURCE, self_context: &self.setup.self_context, now: self.wall() };
        match Delta::of_value("", path, &value, &stamp) {
            Ok(delta) => self.take_in(Arc::new(delta), 0),
            Err(error) => log::warn!("{path}: {error}"),
        }
    }
}
