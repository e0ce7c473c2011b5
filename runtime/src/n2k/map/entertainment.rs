//! Fusion stereos: 130820.

use super::Scene;
use super::faults;
use super::rule::{How, Leaf, Mapping, leaf, leaves, same};
use super::text::{ShortText, digits, join};
use crate::delta::Value;
use crate::n2k::tables::{Definition, Field};

pub(super) const MAPPINGS: &[Mapping] = &[Mapping::code(130_820, fusion)];

const DEVICE: &str = "entertainment.device.fusion1.";
const SOURCE: &str = "entertainment.device.fusion1.avsource.source";
const ZONES: [&str; 4] = [
    "entertainment.device.fusion1.output.zone1",
    "entertainment.device.fusion1.output.zone2",
    "entertainment.device.fusion1.output.zone3",
    "entertainment.device.fusion1.output.zone4",
];

/// PGN 130820 of Fusion. What plays is told of the source that the same stereo named last.
fn fusion(scene: &mut Scene<'_>) {
    match scene.decoded.definition() {
        Definition::FusionDeviceName => text(scene, Field::Name, &join(&[DEVICE, "name"])),
        Definition::FusionPowerState => {
            let on = scene.decoded.raw(Field::State) == Some(1);
            scene.value_at(&join(&[DEVICE, "state"]), Value::Text(if on { "on" } else { "off" }));
        }
        Definition::FusionArtistName | Definition::FusionSiriusxmArtist => {
            playing_text(scene, Field::Artist, ".track.artistName");
        }
        Definition::FusionAlbumName => playing_text(scene, Field::Album, ".track.albumName"),
        Definition::FusionTrackName => playing_text(scene, Field::Track, ".track.name"),
        Definition::FusionSiriusxmTitle => playing_text(scene, Field::Title, ".track.name"),
        Definition::FusionSiriusxmChannel => playing_text(scene, Field::Channel, ".tuner.stationName"),
        Definition::FusionSiriusxmContentInfo => playing_text(scene, Field::Genre, ".track.genre"),
        Definition::FusionTrackPosition => {
            playing(scene, &[leaf(Field::Progress, ".track.elapsedTime", How::Same)]);
        }
        Definition::FusionMedia => media(scene),
        Definition::FusionTuner => tuner(scene),
        Definition::FusionVolumes => volumes(scene),
        Definition::FusionZoneName => {
            let Some(number) = scene.decoded.raw(Field::Number) else { return };
            let number = digits(number.saturating_add(1));
            text(scene, Field::Name, &join(&[DEVICE, "output.zone", &number, ".name"]));
        }
        Definition::FusionSource => source(scene),
        Definition::FusionMute => {
            let muted = scene.decoded.raw(Field::Mute) == Some(1);
            ZONES.iter().for_each(|zone| scene.value_at(&join(&[zone, ".isMuted"]), Value::Bool(muted)));
        }
        Definition::FusionEq => equalizer(scene),
        _ => {}
    }
}

/// Gives a text that the device wrote; an empty one is one, other than a field that is not there.
fn text(scene: &mut Scene<'_>, field: Field, path: &str) {
    match scene.decoded.string(field) {
        Some(text) => scene.value_at(path, Value::Text(&text.to_stack())),
        None if scene.decoded.bytes(field).is_some() => scene.value_at(path, Value::Text("")),
        None => {}
    }
}

/// Returns what paths of the playing source begin with.
fn playing_root(scene: &Scene<'_>) -> Option<ShortText> {
    let playing = scene.memory.source(faults::stereo(scene.id.source))?.playing()?;
    Some(join(&[SOURCE, &digits(playing.into())]))
}

fn playing(scene: &mut Scene<'_>, rows: &[Leaf]) {
    if let Some(root) = playing_root(scene) {
        leaves(scene, &root, rows);
    }
}

fn playing_text(scene: &mut Scene<'_>, field: Field, path: &str) {
    if let Some(root) = playing_root(scene) {
        text(scene, field, &join(&[&root, path]));
    }
}

fn media(scene: &mut Scene<'_>) {
    playing(
        scene,
        &[
            leaf(Field::Length, ".track.length", How::Same),
            leaf(Field::Track, ".track.number", How::Same),
            leaf(Field::TrackCount, ".track.totalTracks", How::Same),
        ],
    );
    let Some(root) = playing_root(scene) else { return };
    // Lookup FUSION_PLAY_STATUS: paused, stopped.
    let paused = matches!(scene.decoded.raw(Field::Flags), Some(2 | 3));
    scene.value_at(&join(&[&root, ".playbackState"]), Value::Text(if paused { "Paused" } else { "Playing" }));
}

/// Frequencies are kilohertz on AM (code 0 of lookup FUSION_RADIO_SOURCE), else megahertz.
fn tuner(scene: &mut Scene<'_>) {
    let power = if scene.decoded.raw(Field::SourceId) == Some(0) { -3 } else { -6 };
    playing(
        scene,
        &[
            leaf(Field::Frequency, ".tuner.frequency", How::Shift(power)),
            leaf(Field::SignalStrength, ".tuner.signalStrength", How::Same),
        ],
    );
    if scene.decoded.string(Field::Track).is_some() {
        playing_text(scene, Field::Track, ".track.name");
    }
}

fn volumes(scene: &mut Scene<'_>) {
    let fields = [Field::Zone1, Field::Zone2, Field::Zone3, Field::Zone4];
    for (zone, field) in ZONES.iter().zip(fields) {
        How::Same.give(scene, field, &join(&[zone, ".volume.master"]));
    }
}

/// Which source plays in all zones, and the name of one source.
fn source(scene: &mut Scene<'_>) {
    if let Some(current) = scene.decoded.raw(Field::CurrentSourceId).and_then(|id| u8::try_from(id).ok()) {
        if let Some(memory) = scene.memory.source_mut(faults::stereo(scene.id.source)) {
            memory.set_playing(current);
        }
        let current = join(&[SOURCE, &digits(current.into())]);
        ZONES.iter().for_each(|zone| scene.value_at(&join(&[zone, ".source"]), Value::Text(&current)));
    }
    if let Some(id) = scene.decoded.raw(Field::SourceId) {
        text(scene, Field::Source, &join(&[SOURCE, &digits(id), ".name"]));
    }
}

/// One equalizer for all zones; an absent member is left out.
fn equalizer(scene: &mut Scene<'_>) {
    let mut members = heapless::Vec::<(&str, Value<'_>), 3>::new();
    for (field, name) in [(Field::Bass, "bass"), (Field::Mid, "mid"), (Field::Treble, "treble")] {
        if let Some(value) = same(scene.decoded, field) {
            let _ = members.push((name, value));
        }
    }
    ZONES.iter().for_each(|zone| scene.value_at(&join(&[zone, ".equalizer"]), Value::Object(&members)));
}
