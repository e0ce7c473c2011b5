//! Behaviour of the whole model.

use super::*;
use crate::budget::Board;
use crate::delta::Stamp;
use crate::json;
use crate::time::UnixMillis;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

const SELF: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";

fn delta(text: &str) -> Delta {
    Delta::parse(text, &Stamp { source_ref: "@acme/tide", self_context: SELF, now: UnixMillis(0) }).unwrap()
}

fn model() -> Model {
    Model::new(&Limits::of(Board::Linux), SELF)
}

fn with(deltas: &[&str]) -> Model {
    let mut model = model();
    for text in deltas {
        model.apply(&delta(text));
    }
    model
}

fn at(model: &Model, address: &str) -> String {
    let segments: Vec<&str> = address.split('/').filter(|segment| !segment.is_empty()).collect();
    model.json_at(&segments).unwrap_or_else(|| "absent".to_string())
}

const WIND: &str = r#"{"updates":[{"source":{"label":"can0","type":"NMEA2000","pgn":130306,"src":"7"},"timestamp":"2026-11-22T00:00:00.000Z","values":[{"path":"environment.wind.speedApparent","value":5.1},{"path":"environment.wind.angleApparent","value":-0.5}]}]}"#;

#[test]
fn golden_full_model() {
    let mut model = with(&[
        WIND,
        r#"{"updates":[{"timestamp":"2026-11-22T00:00:01.000Z","values":[{"path":"environment.wind.speedApparent","value":5.2},{"path":"zone.é","value":{"a":[1]}}]}]}"#,
        r#"{"context":"vessels.urn:mrn:imo:mmsi:230035780","updates":[{"timestamp":"2026-11-22T00:00:02.000Z","$source":"can0.43","values":[{"path":"","value":{"name":"Nina","communication":{"callsignVhf":"OH1"}}},{"path":"navigation.speedOverGround","value":null}]}]}"#,
        r#"{"context":"atons.urn:mrn:imo:mmsi:992301234","updates":[{"timestamp":"2026-11-22T00:00:02.000Z","$source":"can0.43","values":[{"path":"","value":{"name":"Reef"}}]}]}"#,
    ]);
    model.describe_self("name", "Pin\"ta");
    model.describe_self("mmsi", "230099999");
    let expected = concat!(
        r#"{"version":"1.7.0","self":"vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001","#,
        r#""vessels":{"urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001":{"environment":{"wind":{"#,
        r#""angleApparent":{"value":-0.5,"$source":"can0.7","timestamp":"2026-11-22T00:00:00.000Z","meta":{"units":"rad","description":"apparent wind angle from the bow, to port negative"},"pgn":130306},"#,
        r#""speedApparent":{"value":5.2,"$source":"@acme/tide","timestamp":"2026-11-22T00:00:01.000Z","meta":{"units":"m/s","description":"apparent wind speed"},"#,
        r#""values":{"can0.7":{"value":5.1,"timestamp":"2026-11-22T00:00:00.000Z"},"@acme/tide":{"value":5.2,"timestamp":"2026-11-22T00:00:01.000Z"}}}}},"#,
        r#""mmsi":"230099999","name":"Pin\"ta","uuid":"urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001","#,
        r#""zone":{"é":{"value":{"a":[1]},"$source":"@acme/tide","timestamp":"2026-11-22T00:00:01.000Z"}}},"#,
        r#""urn:mrn:imo:mmsi:230035780":{"communication":{"callsignVhf":"OH1"},"name":"Nina","navigation":{"speedOverGround":{"value":null,"$source":"can0.43","timestamp":"2026-11-22T00:00:02.000Z","meta":{"units":"m/s","description":"speed over ground"}}}}},"#,
        r#""atons":{"urn:mrn:imo:mmsi:992301234":{"name":"Reef"}},"#,
        r#""sources":{"@acme/tide":{"label":"@acme/tide"},"can0":{"label":"can0","type":"NMEA2000","7":{"n2k":{"src":"7","pgns":{"130306":"2026-11-22T00:00:00.000Z"}}}},"can0.43":{"label":"can0.43"}}}"#,
    );
    assert_eq!(at(&model, ""), expected);
    assert_eq!(json::compact(expected).unwrap(), expected);
}

#[test]
fn stations_ashore_have_a_kind() {
    let station = |context: &str| {
        format!(r#"{{"context":"{context}","updates":[{{"$source":"ais","values":[{{"path":"a.b","value":1}}]}}]}}"#)
    };
    let names = ["shore.basestations.urn:x", "shore.basestations.urn:y", "shore.other"].map(station);
    let model = with(&[&names[0], &names[1], &names[2]]);
    let leaf = r#"{"value":1,"$source":"ais","timestamp":"1970-01-01T00:00:00.000Z"}"#;
    let tree = format!(r#"{{"a":{{"b":{leaf}}}}}"#);
    let nested = format!(r#"{{"urn:x":{tree},"urn:y":{tree}}}"#);
    assert_eq!(at(&model, "shore"), format!(r#"{{"basestations":{nested},"other":{tree}}}"#));
    assert_eq!(at(&model, "shore/basestations"), nested);
    assert_eq!(at(&model, "shore/basestations/urn:y/a/b/value"), "1");
    for absent in ["shore/basestations/urn:z", "shore/masts", "shore/basestations.urn:x"] {
        assert_eq!(at(&model, absent), "absent", "{absent}");
    }
    assert!(at(&model, "").contains(&format!(r#""shore":{{"basestations":{nested},"other":"#)));
}

#[test]
fn a_segment_with_a_dot_is_no_path() {
    let model = with(&[WIND]);
    assert_eq!(at(&model, "vessels/self/environment.wind.speedApparent"), "absent");
    assert_eq!(at(&model, "vessels/self/environment/wind.speedApparent/value"), "absent");
    let two = with(&[WIND, r#"{"updates":[{"values":[{"path":"environment.wind.speedApparent","value":1}]}]}"#]);
    assert_eq!(at(&two, "vessels/self/environment/wind/speedApparent/values/can0.7/value"), "5.1", "a source has one");
}

#[test]
fn addresses_reach_subtrees_leaves_and_members() {
    let model = with(&[WIND]);
    let leaf = r#"{"value":5.1,"$source":"can0.7","timestamp":"2026-11-22T00:00:00.000Z","meta":{"units":"m/s","description":"apparent wind speed"},"pgn":130306}"#;
    assert_eq!(at(&model, "vessels/self/environment/wind/speedApparent"), leaf);
    assert_eq!(
        at(&model, "vessels/urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001/environment/wind/speedApparent"),
        leaf
    );
    assert!(at(&model, "vessels/self/environment").starts_with(r#"{"wind":{"angleApparent":{"value":-0.5"#));
    assert_eq!(at(&model, "vessels/self/environment/wind/speedApparent/value"), "5.1");
    assert_eq!(at(&model, "vessels/self/environment/wind/speedApparent/$source"), r#""can0.7""#);
    assert_eq!(at(&model, "vessels/self/environment/wind/speedApparent/pgn"), "130306");
    assert_eq!(at(&model, "vessels/self/environment/wind/speedApparent/meta/units"), r#""m/s""#);
    assert_eq!(at(&model, "self"), format!("\"{SELF}\""));
    assert_eq!(at(&model, "version"), "\"1.7.0\"");
    assert_eq!(at(&model, "sources/can0/7/n2k/src"), "\"7\"");
    assert!(at(&model, "vessels").starts_with(r#"{"urn:mrn:signalk:uuid:"#));
}

#[test]
fn what_is_not_there_is_absent() {
    let model = with(&[WIND]);
    for address in [
        "vessels/other",
        "aircraft",
        "nonsense",
        "version/x",
        "self/x",
        "sources/can1",
        "vessels/self/a",
        "vessels/self/environment/wind/speedApparent/x",
    ] {
        assert_eq!(at(&model, address), "absent", "{address}");
    }
    assert_eq!(model.json_at(&["vessels", "self", "environment", "", "wind"]), None);
    assert_eq!(model.json_at(&["x"; 1000]), None);
    assert_eq!(model.json_at(&["vessels", "self", "environment", "win"]), None, "a segment is matched whole");
}

#[test]
fn meta_of_one_path_and_of_the_vessel() {
    let model = with(&[
        r#"{"updates":[{"meta":[{"path":"environment.wind.speedTrue","value":{"displayName":"TWS"}},{"path":"x.y","value":{"units":"m"}}]}]}"#,
    ]);
    let wind = r#"{"units":"m/s","description":"wind speed relative to the water","displayName":"TWS"}"#;
    assert_eq!(at(&model, "vessels/self/environment/wind/speedTrue"), format!(r#"{{"meta":{wind}}}"#));
    assert_eq!(
        at(&model, "vessels/self/meta"),
        format!(r#"{{"environment.wind.speedTrue":{wind},"x.y":{{"units":"m"}}}}"#)
    );
    assert_eq!(at(&model, "vessels/self/environment/depth/belowKeel/meta/units"), r#""m""#, "known without a value");
    assert_eq!(model.meta_at(SELF, "x.y").as_deref(), Some(r#"{"units":"m"}"#));
    assert_eq!(model.meta_at("vessels.urn:other", "x.y"), None);
}

#[test]
fn later_values_of_a_source_replace_earlier_ones() {
    let model = with(&[
        r#"{"updates":[{"$source":"a","timestamp":"t1","values":[{"path":"x.y","value":{"long":"text that is replaced"}}]}]}"#,
        r#"{"updates":[{"$source":"b","timestamp":"t2","values":[{"path":"x.y","value":2}]}]}"#,
        r#"{"updates":[{"$source":"a","timestamp":"t3","values":[{"path":"x.y","value":3}]}]}"#,
    ]);
    assert_eq!(
        at(&model, "vessels/self/x/y"),
        r#"{"value":3,"$source":"a","timestamp":"t3","values":{"a":{"value":3,"timestamp":"t3"},"b":{"value":2,"timestamp":"t2"}}}"#
    );
    assert_eq!(at(&model, "vessels/self/x/y/values/b/value"), "2");
}

#[test]
fn nodes_for_plugins() {
    let model = with(&[
        WIND,
        r#"{"updates":[{"timestamp":"t","values":[{"path":"a.b","value":null},{"path":"p","value":{"latitude":1.5}}]}]}"#,
    ]);
    assert_eq!(model.node_at_self("environment.wind.speedApparent.value").as_deref(), Some("5.1"));
    assert!(model.node_at_self("environment.wind.speedApparent").unwrap().contains("\"meta\":{\"units\""));
    assert_eq!(model.node_at_self("a.b.value"), None, "null is absent");
    assert_eq!(model.node_at_self("p.value.latitude").as_deref(), Some("1.5"));
    assert_eq!(model.node_at_self("nothing.here"), None);
    assert_eq!(model.node_at("vessels.self.environment.wind.angleApparent.value").as_deref(), Some("-0.5"));
    assert_eq!(model.node_at(&format!("{SELF}.environment.wind.angleApparent.value")).as_deref(), Some("-0.5"));
    assert_eq!(model.node_at("self").as_deref(), Some(&*format!("\"{SELF}\"")));
}

#[test]
fn a_leaf_can_have_paths_below_it() {
    let model = with(&[
        r#"{"updates":[{"timestamp":"t","$source":"s","values":[{"path":"a.b","value":1},{"path":"a.b-x","value":2},{"path":"a.b.c","value":3},{"path":"a.b.value","value":4}]}]}"#,
    ]);
    let own = |value: u8| format!(r#""value":{value},"$source":"s","timestamp":"t""#);
    assert_eq!(
        at(&model, "vessels/self/a"),
        format!(r#"{{"b":{{{},"c":{{{}}}}},"b-x":{{{}}}}}"#, own(1), own(3), own(2))
    );
    assert_eq!(at(&model, "vessels/self/a/b"), format!(r#"{{{},"c":{{{}}}}}"#, own(1), own(3)));
}

#[test]
fn version_2_deltas_do_not_touch_the_tree() {
    let mut model = model();
    model.apply(&delta(WIND).with_version(DeltaVersion::V2));
    assert_eq!(at(&model, "vessels/self/environment"), "absent");
}

#[test]
fn the_bus_cannot_rename_the_own_vessel() {
    let mut model = model();
    model.describe_self("name", "Pinta");
    model.apply(&delta(
        r#"{"updates":[{"values":[{"path":"","value":{"name":"Other","design":{"length":{"overall":12}}}}]}]}"#,
    ));
    assert_eq!(
        (at(&model, "vessels/self/name"), at(&model, "vessels/self/design")),
        ("\"Pinta\"".into(), r#"{"length":{"overall":12}}"#.into())
    );
    model.apply(&delta(r#"{"updates":[{"$source":"defaults","values":[{"path":"","value":{"name":"Mine"}}]}]}"#));
    assert_eq!(at(&model, "vessels/self/name"), "\"Mine\"");
    model.apply(&delta(r#"{"updates":[{"values":[{"path":"","value":7}]}]}"#));
    assert_eq!(model.counts().refused, 2);
}

#[test]
fn the_oldest_foreign_context_makes_room() {
    let limits = Limits { model_contexts_max: 3, ..Limits::of(Board::Linux) };
    let mut model = Model::new(&limits, SELF);
    let from = |name: &str| {
        delta(&format!(r#"{{"context":"vessels.{name}","updates":[{{"values":[{{"path":"a.b","value":1}}]}}]}}"#))
    };
    for name in ["one", "two", "one", "three"] {
        model.apply(&from(name));
    }
    assert_eq!(at(&model, "vessels/two"), "absent");
    assert!(at(&model, "vessels/one").starts_with('{') && at(&model, "vessels/three").starts_with('{'));
    let counts = model.counts();
    assert_eq!((counts.contexts, counts.contexts_evicted, counts.refused), (3, 1, 0));
    model.apply(&delta(r#"{"context":"nogroup","updates":[{"values":[{"path":"a","value":1}]}]}"#));
    model.apply(&delta(r#"{"context":"sources.x","updates":[{"values":[{"path":"a","value":1}]}]}"#));
    assert_eq!(model.counts().refused, 2);
}

#[test]
fn own_values_push_out_foreign_ones_and_are_then_refused() {
    let limits = Limits { model_paths_max: 4, ..Limits::of(Board::Linux) };
    let mut model = Model::new(&limits, SELF);
    model.apply(&delta(r#"{"context":"vessels.one","updates":[{"values":[{"path":"a","value":1}]}]}"#));
    for path in ["a", "b", "c", "d", "e"] {
        model.apply(&delta(&format!(r#"{{"updates":[{{"values":[{{"path":"{path}","value":1}}]}}]}}"#)));
    }
    assert_eq!(at(&model, "vessels/one"), "absent");
    assert_eq!((at(&model, "vessels/self/c/value"), at(&model, "vessels/self/d/value")), ("1".into(), "absent".into()));
    let counts = model.counts();
    assert_eq!((counts.paths, counts.refused, counts.contexts_evicted), (4, 2, 1));
    model.apply(&delta(r#"{"updates":[{"values":[{"path":"a","value":2}]}]}"#));
    assert_eq!(at(&model, "vessels/self/a/value"), "2", "known paths go on");
}

#[test]
fn bytes_are_bounded_and_given_back() {
    let limits = Limits { model_bytes_max: 4000, ..Limits::of(Board::Linux) };
    let mut model = Model::new(&limits, SELF);
    let empty = model.counts().bytes;
    let source = |model: &Model| model.sources.bytes();
    let long = "x".repeat(1000);
    for index in 0..20 {
        model.apply(&delta(&format!(
            r#"{{"context":"vessels.v{index}","updates":[{{"values":[{{"path":"a","value":"{long}"}}]}}]}}"#
        )));
        assert!(model.counts().bytes <= 4000);
    }
    assert!(model.counts().contexts_evicted >= 16);
    let huge = "x".repeat(9000);
    model.apply(&delta(&format!(
        r#"{{"context":"vessels.v","updates":[{{"values":[{{"path":"a","value":"{huge}"}}]}}]}}"#
    )));
    assert_eq!(model.counts().refused, 1);
    while model.evict_oldest(&|_, _| true) {}
    assert_eq!((model.counts().bytes, model.counts().paths), (empty + source(&model), 1));
}

fn cached(model: &Model, scope: Scope) -> Vec<Delta> {
    let mut cursor = CachedCursor::default();
    core::iter::from_fn(|| model.cached_after(scope, false, &mut cursor)).collect()
}

#[test]
fn cached_values_come_as_deltas_in_pieces() {
    let mut model = model();
    for index in 0..150 {
        model.apply(&delta(&format!(
            r#"{{"updates":[{{"$source":"s","timestamp":"t","values":[{{"path":"a.p{index}","value":{index}}}]}}]}}"#
        )));
    }
    model.apply(&delta(r#"{"context":"vessels.other","updates":[{"$source":"s","timestamp":"t","values":[{"path":"x","value":1},{"path":"","value":{"a":{"b":"c"}}}]}]}"#));
    let own: Vec<Delta> = cached(&model, Scope::Own);
    let values: usize = own.iter().flat_map(Delta::updates).map(|update| update.values().count()).sum();
    assert_eq!((own.len(), values), (3, 151), "150 values and the uuid");
    assert!(own.iter().all(|delta| delta.context() == SELF));
    let mut again = Model::new(&Limits::of(Board::Linux), SELF);
    for delta in cached(&model, Scope::All) {
        again.apply(&delta);
    }
    assert_eq!(at(&again, "vessels"), at(&model, "vessels"), "they rebuild the model");
}

proptest::proptest! {
    #[test]
    fn any_deltas_leave_a_tree_that_is_json(
        entries in proptest::collection::vec(("[ab.-]{0,6}", "[ab]{1,2}", 0_u8..4), 1..30),
        bytes_max in 200_u32..4000,
    ) {
        let limits = Limits { model_bytes_max: bytes_max, model_paths_max: 12, model_contexts_max: 3, ..Limits::of(Board::Linux) };
        let mut model = Model::new(&limits, SELF);
        for (path, source, kind) in entries {
            let context = if kind == 0 { format!("\"context\":\"vessels.{source}\",") } else { String::new() };
            let value = ["1", "{\"a\":{\"b\":2}}", "null", "\"text\""][usize::from(kind)];
            let list = if source == "a" { "meta" } else { "values" };
            let text = format!(r#"{{{context}"updates":[{{"$source":"{source}","{list}":[{{"path":"{path}","value":{value}}}]}}]}}"#);
            let stamp = Stamp { source_ref: "s", self_context: SELF, now: UnixMillis(0) };
            // Paths with an empty part are no delta.
            let Ok(delta) = Delta::parse(&text, &stamp) else { continue };
            model.apply(&delta);
            proptest::prop_assert!(model.counts().bytes <= u64::from(bytes_max) && model.counts().paths <= 12);
        }
        let whole = at(&model, "");
        proptest::prop_assert_eq!(json::compact(&whole).unwrap(), whole);
    }
}

fn of(model: &mut Model, package: &str, text: &str) {
    model.take_in_of(&Arc::from(package), Arc::new(delta(text)));
}

#[test]
fn what_a_removed_plugin_told_goes_and_what_others_told_too_stays() {
    let mut model = model();
    let before = model.counts();
    let told = |path: &str, source: &str| {
        format!(r#"{{"updates":[{{"$source":"{source}","values":[{{"path":"{path}","value":1}}]}}]}}"#)
    };
    of(&mut model, "p", &told("a.b", "p"));
    of(&mut model, "p", &told("a.c", "p"));
    of(
        &mut model,
        "p",
        r#"{"context":"vessels.x","updates":[{"values":[{"path":"a","value":1},{"path":"","value":{"n":1}}]}]}"#,
    );
    of(&mut model, "q", &told("a.b", "q"));
    model.apply(&delta(&told("a.b", "can0.7")));
    assert_eq!((model.held("p").paths, model.held("q").paths), (4, 0));
    model.keep_packages(|name| name != "p");
    assert_eq!(model.held("p"), Held::default());
    assert_eq!(model.node_at_self("a.c"), None);
    let left = model.node_at_self("a.b").unwrap();
    assert!(left.contains("can0.7") && left.contains("\"q\"") && !left.contains("\"p\""), "{left}");
    assert_eq!(model.counts().contexts, 1);
    model.keep_packages(|_| false);
    assert_eq!(model.counts().paths, before.paths + 1);
    assert_eq!(model.room.bytes(), model.room.of_boat().bytes, "nobody else holds anything");
}

#[test]
fn a_plugin_that_forges_sources_replaces_its_own_readings_only() {
    let mut model = model();
    let told = |source: &str, value: u32| {
        format!(r#"{{"updates":[{{"$source":"{source}","values":[{{"path":"a.b","value":{value}}}]}}]}}"#)
    };
    model.apply(&delta(&told("can0.7", 7)));
    for forged in 0..20 {
        of(&mut model, "p", &told(&format!("can0.{}", 100 + forged), forged));
    }
    let node = model.node_at_self("a.b").unwrap();
    assert!(node.contains(r#""can0.7":{"value":7"#), "{node}");
    model.apply(&delta(&told("can0.8", 8)));
    let node = model.node_at_self("a.b").unwrap();
    assert!(node.contains("can0.7\":") && node.contains("can0.8"), "{node}");
}

/// Meters below the keel, as the sounder of the bus or somebody in its name says.
fn below_keel(source: &str, value: u32) -> String {
    format!(
        r#"{{"updates":[{{"source":{{"label":"can0","type":"NMEA2000","pgn":128267,"src":"7"}},"$source":"{source}","timestamp":"2026-01-01T00:00:00.000Z","values":[{{"path":"environment.depth.belowKeel","value":{value}}}]}}]}}"#
    )
}

#[test]
fn a_plugin_has_its_own_rank_whatever_it_calls_its_source() {
    let mut model = model();
    let first =
        r#"{"environment.depth.belowKeel":[{"sourceRef":"can0.7"},{"sourceRef":"@evil/spoof","timeout":5000}]}"#;
    model.prefer(Priorities::parse(first).unwrap());
    model.take_in(Arc::new(delta(&below_keel("can0.7", 2))));
    of(&mut model, "@evil/spoof", &below_keel("can0.7", 99));
    assert_eq!(at(&model, "vessels/self/environment/depth/belowKeel/value"), "2");
    model.tick(Instant::from_millis(5001));
    of(&mut model, "@evil/spoof", &below_keel("can0.7", 98));
    assert_eq!(at(&model, "vessels/self/environment/depth/belowKeel/value"), "98", "its turn after its timeout");
    model.take_in(Arc::new(delta(&below_keel("can0.7", 3))));
    assert_eq!(at(&model, "vessels/self/environment/depth/belowKeel/value"), "3");
}

#[test]
fn values_have_those_of_every_source_and_the_value_is_the_preferred_one() {
    let mut model = model();
    model.prefer(Priorities::parse(r#"{"environment.depth.belowKeel":[{"sourceRef":"can0.7"}]}"#).unwrap());
    for (source, value) in [("can0.7", 2), ("can0.8", 5), ("can0.9", 6), ("can0.8", 7)] {
        model.take_in(Arc::new(delta(&below_keel(source, value))));
    }
    let leaf = at(&model, "vessels/self/environment/depth/belowKeel");
    assert!(leaf.contains(r#"{"value":2,"$source":"can0.7""#), "{leaf}");
    for expected in [r#""can0.7":{"value":2,"#, r#""can0.8":{"value":7,"#, r#""can0.9":{"value":6,"#] {
        assert!(leaf.contains(expected), "{expected} in {leaf}");
    }
    assert!(at(&model, "sources").contains(r#""8":{"n2k""#));
    assert_eq!(model.counts().not_preferred, 3);
    let told = |all_sources| {
        let mut cursor = CachedCursor::default();
        let deltas: Vec<Delta> =
            core::iter::from_fn(|| model.cached_after(Scope::Own, all_sources, &mut cursor)).collect();
        let updates = deltas.iter().flat_map(Delta::updates).map(|update| update.source_ref().to_string());
        updates.filter(|source| source.starts_with("can0")).collect::<Vec<_>>()
    };
    assert_eq!(told(false), ["can0.7"], "a new client is told what it would have been told");
    assert_eq!(told(true), ["can0.7", "can0.8", "can0.9"]);
}

#[test]
fn paths_with_an_empty_part_are_nowhere() {
    let mut model = model();
    model.apply(&delta(
        r#"{"updates":[{"values":[{"path":"a.b","value":1},{"path":"","value":{"c":2,"":"no","d..e":"no"}}]}]}"#,
    ));
    let whole = at(&model, "vessels/self");
    assert!(whole.contains(r#""c":2"#) && !whole.contains("no"), "{whole}");
    for path in ["a..b", ".a.b", "a.b.", "a..", "."] {
        assert_eq!(model.node_at_self(path), None, "{path}");
        assert_eq!(model.node_at(&format!("vessels.self.{path}")), None, "{path}");
        assert_eq!(model.json_at(&["vessels", "self", path]), None, "{path}");
    }
    assert_eq!(model.json_at(&["vessels", "self", "a", "", "b"]), None);
    assert!(model.node_at_self("a.b").is_some() && model.node_at_self("").is_some());
}

#[test]
fn what_a_plugin_calls_as_a_device_is_called_stands_below_its_package() {
    let mut model = model();
    of(&mut model, "@evil/spoof", &below_keel("can0.7", 99));
    assert_eq!(at(&model, "vessels/self/environment/depth/belowKeel/$source"), r#""can0.7""#, "the form is kept");
    assert_eq!(
        at(&model, "sources"),
        r#"{"@evil/spoof":{"label":"@evil/spoof","type":"plugin","can0.7":{"n2k":{"src":"7","pgns":{"128267":"2026-01-01T00:00:00.000Z"}}}}}"#
    );
    model.apply(&delta(&below_keel("can0.7", 2)));
    let sources = at(&model, "sources");
    assert!(sources.contains(r#""can0":{"label":"can0","type":"NMEA2000","7":{"n2k""#), "{sources}");
    assert!(sources.contains(r#""@evil/spoof":{"label":"@evil/spoof","type":"plugin","can0.7":{"#), "{sources}");
    let leaf = at(&model, "vessels/self/environment/depth/belowKeel");
    assert!(leaf.contains(r#"{"value":2,"$source":"can0.7""#), "{leaf}");
    assert!(
        leaf.contains(r#""@evil/spoof/can0.7":{"value":99,"#) && leaf.contains(r#""can0.7":{"value":2,"#),
        "{leaf}"
    );
    let cached = cached(&model, Scope::Own);
    let told: Vec<&str> = cached.iter().flat_map(Delta::updates).map(|update| update.source_ref()).collect();
    assert!(told.contains(&"can0.7") && told.contains(&"@evil/spoof/can0.7"), "{told:?}");
    of(&mut model, "can0", &below_keel("7", 98));
    let sources = at(&model, "sources");
    assert!(sources.contains(r#""can0":{"label":"can0","type":"NMEA2000","7":{"n2k""#), "{sources}");
    assert!(sources.contains(r#""can0/7":{"n2k""#), "a package called as an input: {sources}");
    assert_eq!(json::compact(&sources).unwrap(), sources);
    model.keep_packages(|_| false);
    assert!(!at(&model, "").contains("spoof") && at(&model, "").contains("can0"));
    assert_eq!(model.room.bytes(), model.room.of_boat().bytes);
}

#[test]
fn a_plugin_ends_and_changes_only_its_own_notifications() {
    let mut model = model();
    let alarm = |value: &str| {
        format!(r#"{{"updates":[{{"$source":"zones","values":[{{"path":"notifications.a","value":{value}}}]}}]}}"#)
    };
    model.take_in(Arc::new(delta(&alarm(r#"{"state":"alarm"}"#))));
    of(&mut model, "@evil/spoof", &alarm("null"));
    of(&mut model, "@evil/spoof", &alarm(r#"{"state":"normal"}"#));
    let told: Vec<(&str, bool)> =
        model.notifications().map(|row| (&*row.source, row.value.contains("alarm"))).collect();
    assert_eq!(told, [("zones", true), ("@evil/spoof/zones", false)]);
    model.take_in(Arc::new(delta(&alarm("null"))));
    assert_eq!(model.notifications().count(), 1);
    model.keep_packages(|_| false);
    assert_eq!(model.notifications().count(), 0);
}

#[test]
fn meta_that_others_sent_too_stays_when_a_plugin_goes() {
    let mut model = model();
    let meta = |text: &str| format!(r#"{{"updates":[{{"meta":[{{"path":"a.b","value":{text}}}]}}]}}"#);
    model.apply(&delta(&meta(r#"{"zones":[{"upper":3}]}"#)));
    of(&mut model, "p", &meta(r#"{"supportsPut":true}"#));
    of(&mut model, "p", r#"{"updates":[{"meta":[{"path":"a.c","value":{"units":"m"}}]}]}"#);
    model.keep_packages(|_| false);
    let left = model.meta_at("", "a.b").unwrap();
    assert!(left.contains(r#""zones":[{"upper":3}]"#), "{left}");
    assert_eq!(model.meta_at("", "a.c"), None);
    assert_eq!(model.room.bytes(), model.room.of_boat().bytes);
}

#[test]
fn a_plugin_that_tells_of_many_vessels_keeps_the_latest() {
    let limits = Limits { model_paths_max: 40, ..Limits::of(Board::Linux) };
    let mut model = Model::new(&limits, SELF);
    for vessel in 0..50 {
        of(
            &mut model,
            "ais",
            &format!(r#"{{"context":"vessels.v{vessel}","updates":[{{"values":[{{"path":"a","value":1}}]}}]}}"#),
        );
    }
    assert_eq!((model.held("ais").paths, model.held("ais").refused, model.counts().refused), (10, 0, 0));
    assert!(model.node_at("vessels.v49.a").is_some() && model.node_at("vessels.v39.a").is_none());
}
