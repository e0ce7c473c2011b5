use super::*;
use crate::delta::{DELTA_ENTRIES_MAX, PATH_BYTES_MAX};
use crate::json;
use std::string::ToString;

const STAMP: Stamp<'static> = Stamp { source_ref: "@acme/tide", self_context: "vessels.urn:x", now: UnixMillis(0) };

fn text(delta: &str) -> String {
    match Delta::parse(delta, &STAMP) {
        Ok(delta) => delta.text().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn completes_a_minimal_delta() {
    assert_eq!(
        text(r#"{ "updates": [ { "values": [ { "value": 5.0, "path": "a.b" } ] } ] }"#),
        r#"{"context":"vessels.urn:x","updates":[{"values":[{"path":"a.b","value":5}],"$source":"@acme/tide","timestamp":"1970-01-01T00:00:00.000Z"}]}"#
    );
}

#[test]
fn keeps_what_the_sender_said() {
    let given = r#"{"context":"vessels.urn:y","updates":[{"timestamp":"2020-01-01T00:00:00Z","$source":"me.1","values":[{"path":"a","value":{"z":1,"b":null}}]}]}"#;
    assert_eq!(text(given), given);
}

#[test]
fn derives_the_source_reference_from_the_source_object() {
    let source_ref = |source: &str| {
        let delta = std::format!(r#"{{"updates":[{{"source":{source},"values":[{{"path":"a","value":1}}]}}]}}"#);
        Delta::parse(&delta, &STAMP).unwrap().updates().next().unwrap().source_ref().to_string()
    };
    assert_eq!(source_ref(r#"{"label":"can0","src":"7"}"#), "can0.7");
    assert_eq!(source_ref(r#"{"label":"can0","src":"7","canName":"c0ffee"}"#), "can0.c0ffee");
    assert_eq!(source_ref(r#"{"label":"mine","type":"plugin"}"#), "mine");
    assert_eq!(source_ref(r#"{"label":"gps","talker":"GP"}"#), "gps.GP");
    assert_eq!(source_ref(r#"{"label":"mine"}"#), "mine.XX");
    assert_eq!(source_ref(r#"{"label":"bad label","type":"plugin"}"#), "@acme/tide");
    let long = |bytes: usize| source_ref(&std::format!(r#"{{"label":"{}"}}"#, "x".repeat(bytes)));
    assert_eq!((long(NAME_BYTES_MAX - 3).len(), long(NAME_BYTES_MAX - 2)), (NAME_BYTES_MAX, "@acme/tide".to_string()));
}

#[test]
fn drops_malformed_updates_and_keeps_the_others() {
    let good = r#"{"values":[{"path":"a","value":1}]}"#;
    for bad in [
        "7",
        r#"{"values":5}"#,
        r#"{"values":[null]}"#,
        r#"{"values":[{"path":3,"value":1}]}"#,
        "{}",
        r#"{"values":[]}"#,
        r#"{"values":[{"path":"a.__proto__","value":1}]}"#,
    ] {
        let delta = Delta::parse(&std::format!(r#"{{"updates":[{bad},{good}]}}"#), &STAMP).unwrap();
        assert_eq!(delta.updates().count(), 1, "{bad}");
        assert!(json::compact(delta.text()).is_ok(), "{bad}");
    }
}

#[test]
fn refuses_what_is_no_delta() {
    for bad in ["", "[]", "{}", r#"{"updates":{}}"#, r#"{"updates":[]}"#, r#"{"context":7,"updates":[]}"#, "nonsense"] {
        assert!(Delta::parse(bad, &STAMP).is_err(), "{bad}");
    }
    let many = std::format!(
        r#"{{"updates":[{{"values":[{}]}}]}}"#,
        std::vec![r#"{"path":"a","value":1}"#; DELTA_ENTRIES_MAX + 1].join(",")
    );
    assert_eq!(Delta::parse(&many, &STAMP), Err(DeltaError::TooManyEntries));
    assert!(matches!(Delta::parse(&" ".repeat(DELTA_BYTES_MAX + 1), &STAMP), Err(DeltaError::TooLong { .. })));
}

#[test]
fn meta_is_indexed_apart_from_values() {
    let delta = Delta::parse(
        r#"{"updates":[{"meta":[{"path":"a","value":{"units":"m"}}],"values":[{"path":"a","value":1}]}]}"#,
        &STAMP,
    )
    .unwrap();
    let update = delta.updates().next().unwrap();
    assert_eq!(update.values().collect::<Vec<_>>(), [("a", "1")]);
    assert_eq!(update.meta().collect::<Vec<_>>(), [("a", r#"{"units":"m"}"#)]);
}

proptest::proptest! {
    #[test]
    fn never_panics_and_always_gives_json(text in "\\PC{0,200}") {
        if let Ok(delta) = Delta::parse(&text, &STAMP) {
            proptest::prop_assert!(json::compact(delta.text()).is_ok());
        }
    }
}

/// Texts such as a plugin or a client could send: odd blanks, members twice or unknown, escapes, wrong kinds.
mod foreign {
    use proptest::prelude::*;
    use proptest::sample::select;

    fn blank() -> impl Strategy<Value = &'static str> {
        select(&["", "", "", "", " ", "\n", " \t\r\n "][..])
    }

    fn text() -> impl Strategy<Value = String> {
        let texts = [
            r#""a""#,
            r#""a.b""#,
            r#""navigation.speedThroughWater""#,
            r#""""#,
            r#""\u0061.\u0062""#,
            r#""a\n""#,
            r#""a\"b""#,
            r#""a\/b""#,
            r#""a.__proto__""#,
            r#""constructor""#,
            r#""vessels.self""#,
            r#""vessels.urn:y""#,
            r#""é☃""#,
            r#""\ud83d\ude00""#,
            r#""\ud800""#,
            "\"\u{7f}\"",
            r#""can0""#,
            r#""bad label""#,
            r#""plugin""#,
            r#""GP""#,
            r#""7""#,
            "\"tab\there\"",
            r#""2026-11-29T00:00:00Z""#,
        ];
        prop_oneof![
            30 => select(texts.to_vec()).prop_map(String::from),
            1 => (250_usize..260).prop_map(|length| std::format!("\"{}\"", "x".repeat(length))),
        ]
    }

    fn scalar() -> impl Strategy<Value = String> {
        let scalars = [
            "0",
            "7",
            "-1",
            "5.0",
            "-0",
            "1e-7",
            "1E21",
            "0.1",
            "12345678901234567890",
            "9007199254740993",
            "1e400",
            "01",
            "1.",
            "true",
            "false",
            "null",
            "nul",
            "NaN",
            "[]",
            "{}",
            "[ ]",
            "{ }",
        ];
        prop_oneof![3 => select(scalars.to_vec()).prop_map(String::from), 2 => text()]
    }

    fn list(item: BoxedStrategy<String>, most: usize) -> impl Strategy<Value = String> {
        (proptest::collection::vec(item, 0..=most), blank(), blank()).prop_map(|(items, before, after)| {
            std::format!("[{before}{}{after}]", items.join(&std::format!("{after},{before}")))
        })
    }

    fn object(member: BoxedStrategy<String>, most: usize) -> impl Strategy<Value = String> {
        (proptest::collection::vec(member, 0..=most), blank(), blank()).prop_map(|(items, before, after)| {
            std::format!("{{{before}{}{after}}}", items.join(&std::format!("{before},{after}")))
        })
    }

    fn member(names: &'static [&'static str], value: BoxedStrategy<String>) -> BoxedStrategy<String> {
        (select(names), blank(), blank(), value)
            .prop_map(|(name, before, after, value)| std::format!("\"{name}\"{before}:{after}{value}"))
            .boxed()
    }

    fn value() -> BoxedStrategy<String> {
        let nested = (20_usize..40).prop_map(|depth| std::format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        let value = prop_oneof![40 => scalar(), 1 => nested].boxed();
        value
            .prop_recursive(3, 12, 4, |inner| {
                prop_oneof![
                    list(inner.clone().boxed(), 3),
                    object(member(&["a", "a", "b\\n", "value", "path", "label"], inner.boxed()), 3)
                ]
            })
            .boxed()
    }

    fn entry() -> BoxedStrategy<String> {
        let usual = (text(), value()).prop_map(|(path, value)| std::format!("{{\"path\":{path},\"value\":{value}}}"));
        let path = member(&["path", "path", "p\\u0061th"], text().boxed());
        let rest = member(&["value", "value", "path", "unit", "\\u0076alue"], value());
        prop_oneof![6 => usual, 4 => object(prop_oneof![path, rest].boxed(), 4), 1 => value()].boxed()
    }

    fn source() -> BoxedStrategy<String> {
        let names = &["label", "label", "src", "canName", "type", "talker", "pgn", "\\u006cabel"];
        prop_oneof![4 => object(member(names, prop_oneof![text(), scalar()].boxed()), 5), 1 => value()].boxed()
    }

    fn update() -> BoxedStrategy<String> {
        let entries = || prop_oneof![8 => list(entry(), 4), 1 => value()].boxed();
        let member = prop_oneof![
            4 => member(&["values"], entries()),
            2 => member(&["meta"], entries()),
            2 => member(&["source"], source()),
            2 => member(&["$source", "timestamp"], prop_oneof![4 => text(), 1 => scalar()].boxed()),
            1 => member(&["x", "values\\n", "\\u0024source"], value()),
        ];
        prop_oneof![8 => object(member.boxed(), 6), 1 => value()].boxed()
    }

    fn message() -> BoxedStrategy<String> {
        let updates = prop_oneof![12 => list(update(), 3), 1 => value()].boxed();
        let member = prop_oneof![
            4 => member(&["updates"], updates),
            2 => member(&["context"], prop_oneof![6 => text(), 1 => value()].boxed()),
            1 => member(&["requestId", "c\\u006fntext", "y"], value()),
        ];
        (blank(), object(member.boxed(), 4), blank())
            .prop_map(|(before, text, after)| [before, &text, after].concat())
            .boxed()
    }

    /// A message, now and then damaged.
    pub(super) fn delta() -> impl Strategy<Value = String> {
        let damage =
            (0_u8..4, any::<proptest::sample::Index>(), select(&["", ",", "}", "\"", "\\", "1", "\u{1}", "é"][..]));
        (message(), proptest::option::weighted(0.2, damage)).prop_map(|(text, damage)| {
            let Some((kind, at, put)) = damage else { return text };
            let mut letters: Vec<char> = text.chars().collect();
            let at = at.index(letters.len());
            match kind {
                0 => letters.truncate(at),
                1 => drop(letters.remove(at)),
                2 => letters.splice(at..at, put.chars()).for_each(drop),
                _ => letters.extend(put.chars()),
            }
            letters.into_iter().collect()
        })
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2048))]

    #[test]
    fn what_is_read_is_complete(text in foreign::delta(), is_known: bool) {
        let now = if is_known { UnixMillis(1_780_308_000_000) } else { UnixMillis::UNKNOWN };
        let stamp = Stamp { source_ref: "@acme/tide", self_context: "vessels.urn:x", now };
        let Ok(delta) = Delta::parse(&text, &stamp) else { return Ok(()) };
        proptest::prop_assert_eq!(json::compact(delta.text()), Ok(delta.text().to_string()));
        // Nothing is left that another reader would add or take away, and the index is that of the text.
        let other = Stamp { self_context: "vessels.urn:other", now: UnixMillis::UNKNOWN, ..stamp };
        proptest::prop_assert_eq!(Delta::parse(delta.text(), &other), Ok(delta.clone()));
        for update in delta.updates() {
            proptest::prop_assert!(!update.source_ref().is_empty());
            for (path, value) in update.values().chain(update.meta()) {
                proptest::prop_assert!(is_plain(path) && path.len() <= PATH_BYTES_MAX);
                proptest::prop_assert_eq!(json::compact(value), Ok(value.to_string()));
            }
        }
    }
}

#[test]
fn a_member_that_stands_twice_is_the_last_usable_one() {
    let entries = r#""values":[{"path":"a","value":1}]"#;
    let of = |members: &str| text(&std::format!(r#"{{"updates":[{{{members},{entries}}}]}}"#));
    for (members, left) in [
        (r#""timestamp":"1","timestamp":"2""#, r#""timestamp":"1","timestamp":"2","#),
        (r#""timestamp":"1","timestamp":2"#, ""),
        (r#""source":{"label":"a"},"source":{"label":"b"}"#, r#""source":{"label":"b"},"#),
        (r#""source":{"label":"a"},"source":7"#, r#""source":{"label":"a"},"#),
    ] {
        let text = of(members);
        let begin = std::format!(r#"{{"context":"vessels.urn:x","updates":[{{{left}{entries}"#);
        assert!(text.starts_with(&begin), "{members}: {text}");
    }
    let both = r#"{"updates":[{"values":[{"path":"a","value":1}]}],"updates":[{"values":[{"path":"b","value":2}]}]}"#;
    let delta = Delta::parse(both, &STAMP).unwrap();
    let values: Vec<_> = delta.updates().flat_map(|update| update.values()).collect();
    assert_eq!(values, [("b", "2")]);
}

#[test]
fn limits_count_all_that_is_read() {
    let entries = |count: usize| std::vec![r#"{"path":"a","value":1}"#; count].join(",");
    let values = |count: usize| std::format!(r#"{{"values":[{}]}}"#, entries(count));
    let both =
        |values: usize, meta: usize| std::format!(r#"{{"values":[{}],"meta":[{}]}}"#, entries(values), entries(meta));
    let of = |updates: &str| std::format!(r#"{{"updates":[{updates}]}}"#);
    let long = |bytes: usize| of(&std::format!(r#"{{"values":[{{"path":"a","value":"{}"}}]}}"#, "x".repeat(bytes)));
    for (text, is_read) in [
        (of(&values(DELTA_ENTRIES_MAX)), true),
        (of(&values(DELTA_ENTRIES_MAX + 1)), false),
        (of(&[values(1000), values(24)].join(",")), true),
        (of(&[values(1000), values(25)].join(",")), false),
        (of(&both(1000, 24)), true),
        (of(&both(1000, 25)), false),
        (of(&both(1, DELTA_ENTRIES_MAX + 1)), false),
        // The last `updates` alone count.
        (std::format!(r#"{{"updates":[{}],"updates":[{}]}}"#, values(DELTA_ENTRIES_MAX + 1), values(1)), true),
        (long(DELTA_BYTES_MAX - 200), true),
        (long(DELTA_BYTES_MAX - 100), false),
        (long(DELTA_BYTES_MAX), false),
    ] {
        let read = Delta::parse(&text, &STAMP);
        let refused = matches!(read, Err(DeltaError::TooManyEntries | DeltaError::TooLong { .. }));
        assert_eq!((read.is_ok(), refused), (is_read, !is_read), "{} bytes: {read:?}", text.len());
    }
    for (text, error) in [
        (std::format!(r#"{{"updates":[{}],"context":7}}"#, values(DELTA_ENTRIES_MAX + 1)), DeltaError::Shape),
        (of(&values(DELTA_ENTRIES_MAX + 1)), DeltaError::TooManyEntries),
    ] {
        assert_eq!(Delta::parse(&text, &STAMP), Err(error));
    }
    let cut = std::format!(r#"{{"updates":[{}]"#, values(DELTA_ENTRIES_MAX + 1));
    assert!(matches!(Delta::parse(&cut, &STAMP), Err(DeltaError::Json(_))));
}
