//! Behaviour of a session as its client sees it.

use super::*;
use crate::budget::Board;
use crate::http::get;
use crate::paths::Pattern;
use std::string::ToString;

const SELF: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";
const NOW: Instant = Instant(0);
const STAMP: Stamp<'static> = Stamp { source_ref: "s", self_context: SELF, now: UnixMillis(0) };

fn open_with(query: &str, may_write: bool, limits: &Limits) -> Result<Session, Response> {
    let context = StreamContext {
        self_context: SELF,
        version: "0.1.0",
        wall: UnixMillis(0),
        rights: Rights { reads: true, role: may_write.then_some(Role::ReadWrite) },
        limits,
        start_id: "start",
    };
    Session::open(&get(&format!("/signalk/v1/stream?{query}")), &context)
}

/// A session that has said hello.
fn open(query: &str) -> Session {
    let mut session = open_with(query, false, &Limits::of(Board::Linux)).unwrap();
    assert!(session.next(NOW, &empty()).unwrap().starts_with("{\"name\""));
    session
}

fn empty() -> Model {
    Model::new(&Limits::of(Board::Linux), "vessels.nobody")
}

fn parse(text: &str) -> Arc<Delta> {
    Arc::new(Delta::parse(text, &STAMP).unwrap())
}

fn value(path: &str, value: i32) -> Arc<Delta> {
    parse(&format!(r#"{{"updates":[{{"values":[{{"path":"{path}","value":{value}}}]}}]}}"#))
}

fn foreign(path: &str) -> Arc<Delta> {
    parse(&format!(r#"{{"context":"vessels.other","updates":[{{"values":[{{"path":"{path}","value":1}}]}}]}}"#))
}

/// Everything there is to send at a time, with an empty model.
fn texts(session: &mut Session, millis: u64) -> Vec<String> {
    let model = empty();
    core::iter::from_fn(|| session.next(Instant::from_millis(millis), &model)).map(|text| text.to_string()).collect()
}

/// The paths of what there is to send.
fn paths(session: &mut Session, millis: u64) -> Vec<String> {
    let mut paths = Vec::new();
    for text in texts(session, millis) {
        for (path, _) in parse(&text).updates().flat_map(|update| update.values()) {
            paths.push(path.to_string());
        }
    }
    paths
}

#[test]
fn says_hello_first() {
    let mut session = open_with("", false, &Limits::of(Board::Linux)).unwrap();
    session.offer(&value("a", 1), &empty(), NOW);
    let texts = texts(&mut session, 0);
    assert_eq!(
        texts[0],
        format!(
            r#"{{"name":"skiff","version":"0.1.0","self":"{SELF}","roles":["master","main"],"timestamp":"1970-01-01T00:00:00.000Z","serverStartId":"start"}}"#
        )
    );
    assert_eq!(texts[1], value("a", 1).text());
    assert_eq!(session.counters().sent, 2);
}

#[test]
fn the_query_chooses_the_contexts() {
    for (query, expected) in
        [("", &["a"][..]), ("subscribe=self", &["a"]), ("subscribe=all", &["a", "b"]), ("subscribe=none", &[])]
    {
        let mut session = open(query);
        session.offer(&value("a", 1), &empty(), NOW);
        session.offer(&foreign("b"), &empty(), NOW);
        assert_eq!(paths(&mut session, 0), expected, "{query}");
    }
    assert_eq!(open_with("subscribe=some", false, &Limits::of(Board::Linux)).unwrap_err().status, 400);
}

#[test]
fn what_is_not_supported_in_the_query_is_told() {
    let mut session = open("serverevents=all&startTime=x");
    assert!(session.wants_server_events());
    assert_eq!(texts(&mut session, 0), ["\"startTime is not supported, it is ignored\""]);
    assert!(!open("serverevents=none").wants_server_events());
}

#[test]
fn subscriptions_choose_paths_and_contexts() {
    let mut session = open("subscribe=none");
    assert_eq!(
        session.receive(r#"{"context":"vessels.self","subscribe":[{"path":"a.*"},{"path":"c"}]}"#, &STAMP),
        None
    );
    for path in ["a.b", "b.a", "c", "cc"] {
        session.offer(&value(path, 1), &empty(), NOW);
    }
    session.offer(&foreign("c"), &empty(), NOW);
    assert_eq!(paths(&mut session, 0), ["a.b", "c"]);
    session.receive(r#"{"context":"vessels.*","subscribe":[{"path":"*"}]}"#, &STAMP);
    session.offer(&foreign("d"), &empty(), NOW);
    assert_eq!(paths(&mut session, 0), ["d"]);
}

#[test]
fn deltas_that_match_in_part_are_rewritten() {
    let mut session = open("subscribe=none");
    session.receive(r#"{"subscribe":[{"path":"b"}]}"#, &STAMP);
    session.offer(
        &parse(r#"{"updates":[{"source":{"label":"can0","src":"7"},"timestamp":"t","values":[{"path":"a","value":1},{"path":"b","value":[2]}]},{"values":[{"path":"c","value":3}]}]}"#),
        &empty(),
        NOW,
    );
    let expected = format!(
        r#"{{"context":"{SELF}","updates":[{{"source":{{"label":"can0","src":"7"}},"timestamp":"t","values":[{{"path":"b","value":[2]}}],"$source":"can0.7"}}]}}"#
    );
    assert_eq!(texts(&mut session, 0), [expected]);
}

#[test]
fn who_a_vessel_is_is_told_at_once() {
    let root = parse(
        r#"{"context":"vessels.other","updates":[{"$source":"ais","values":[{"path":"","value":{"name":"ALFA","communication":{"callsignVhf":"X"}}}]}]}"#,
    );
    let told = |rows: &str| {
        let mut session = open("subscribe=none");
        session.receive(&format!(r#"{{"context":"vessels.*","subscribe":[{rows}]}}"#), &STAMP);
        session.offer(&root, &empty(), NOW);
        texts(&mut session, 0)
    };
    assert_eq!(told(r#"{"path":"","policy":"fixed","period":1000}"#), [root.text()]);
    assert_eq!(told(r#"{"path":"*","minPeriod":500}"#), [root.text()]);
    let parts = told(r#"{"path":"name","period":1000},{"path":"communication.*"},{"path":"mmsi"}"#).join("");
    let expected =
        r#""values":[{"path":"name","value":"ALFA"},{"path":"communication.callsignVhf","value":"X"}],"$source":"ais""#;
    assert!(parts.contains(expected), "{parts}");
    assert!(told(r#"{"path":"mmsi"}"#).is_empty());
}

#[test]
fn contexts_near_a_place_are_chosen_by_their_position() {
    let at = |latitude: f64| {
        parse(&format!(
            r#"{{"context":"vessels.other","updates":[{{"values":[{{"path":"navigation.position","value":{{"latitude":{latitude},"longitude":11}}}}]}}]}}"#
        ))
    };
    let mut model = Model::new(&Limits::of(Board::Linux), SELF);
    let mut session = open("subscribe=none&sendCachedValues=false");
    let circle = r#"{"context":{"radius":2000,"position":{"latitude":54,"longitude":11}},"subscribe":[{"path":"*"}]}"#;
    session.receive(circle, &STAMP);
    session.offer(&foreign("a"), &model, NOW);
    assert!(texts(&mut session, 0).is_empty(), "nobody knows where it is");
    for (latitude, heard) in [(54.01, 1), (54.03, 0)] {
        model.apply(&at(latitude));
        session.offer(&foreign("a"), &model, NOW);
        assert_eq!(texts(&mut session, 0).len(), heard, "{latitude}");
    }
}

#[test]
fn new_paths_are_announced_once() {
    let mut model = Model::new(&Limits::of(Board::Linux), SELF);
    model.apply(&value("known", 1));
    let mut session = open("subscribe=none&sendCachedValues=false");
    session.receive(r#"{"context":"vessels.self","announceNewPaths":true,"subscribe":[{"path":"a"}]}"#, &STAMP);
    let cached: String = core::iter::from_fn(|| session.next(NOW, &model)).map(|text| text.to_string()).collect();
    assert!(cached.contains(r#""path":"known""#), "{cached}");
    for _ in 0..2 {
        for path in ["known", "a", "later"] {
            session.offer(&value(path, 2), &model, NOW);
        }
        session.offer(&foreign("far"), &model, NOW);
    }
    assert_eq!(paths(&mut session, 0), ["a", "later", "a"]);
    for number in 0..ANNOUNCED_MAX {
        session.receive(&format!(r#"{{"context":"c{number}","announceNewPaths":true,"subscribe":[]}}"#), &STAMP);
    }
    assert!(texts(&mut session, 0)[0].contains("of which new paths are announced"));
}

#[test]
fn every_source_is_told_to_those_who_ask() {
    assert!(!open("").wants_all_sources() && !open("sourcePolicy=preferred").wants_all_sources());
    assert!(open("sourcePolicy=all").wants_all_sources());
    assert_eq!(open_with("sourcePolicy=some", false, &Limits::of(Board::Linux)).unwrap_err().status, 400);
    let mut session = open("");
    session.receive(r#"{"sourcePolicy":"all","subscribe":[]}"#, &STAMP);
    assert!(session.wants_all_sources());
    session.receive(r#"{"subscribe":[]}"#, &STAMP);
    assert!(session.wants_all_sources(), "a message that does not say it leaves it");
}

#[test]
fn unsubscribing_ends_it() {
    let mut session = open("");
    session.receive(r#"{"context":"*","unsubscribe":[{"path":"*"}]}"#, &STAMP);
    session.receive(r#"{"context":"vessels.self","subscribe":[{"path":"a"},{"path":"b"}]}"#, &STAMP);
    session.receive(r#"{"context":"vessels.self","unsubscribe":[{"path":"a"}]}"#, &STAMP);
    session.offer(&value("a", 1), &empty(), NOW);
    session.offer(&value("b", 1), &empty(), NOW);
    assert_eq!(paths(&mut session, 0), ["b"]);
    session.receive(r#"{"context":"vessels.self","unsubscribe":[{"path":"zz"}]}"#, &STAMP);
    assert!(texts(&mut session, 0)[0].starts_with("\"unsubscribe: there is no such subscription"));
}

#[test]
fn paced_values_wait_for_their_time() {
    let mut session = open("subscribe=none");
    session
        .receive(r#"{"subscribe":[{"path":"a","period":1000,"policy":"fixed"},{"path":"b","minPeriod":500}]}"#, &STAMP);
    for number in 1..4 {
        session.offer(&value("a", number), &empty(), NOW);
        session.offer(&value("b", number), &empty(), NOW);
    }
    assert_eq!(session.due(), Some(NOW));
    let first = texts(&mut session, 0);
    assert_eq!(first.len(), 1);
    assert!(
        first[0].contains(r#"{"path":"a","value":3}"#) && first[0].contains(r#"{"path":"b","value":3}"#),
        "{first:?}"
    );
    session.offer(&value("b", 9), &empty(), NOW);
    assert_eq!(session.due(), Some(Instant::from_millis(500)));
    assert_eq!(paths(&mut session, 499), [""; 0]);
    assert_eq!(paths(&mut session, 500), ["b"]);
    assert_eq!(paths(&mut session, 1000), ["a"]);
    session.receive(r#"{"unsubscribe":[{"path":"a"}]}"#, &STAMP);
    assert_eq!(session.due(), None);
}

#[test]
fn a_slow_client_gets_the_latest_of_each_path() {
    let limits = Limits { client_queue_len: 4, ..Limits::of(Board::Linux) };
    let mut session = open_with("", false, &limits).unwrap();
    for number in 0..20 {
        session.offer(
            &value(if number % 2 == 0 { "even" } else { "odd" }, number),
            &empty(),
            Instant::from_millis(100),
        );
    }
    let texts = texts(&mut session, 350);
    assert_eq!(texts.len(), 2, "hello and one delta");
    assert!(texts[1].starts_with(r#"{"$backpressure":{"accumulated":2,"duration":250},"context":"#), "{}", texts[1]);
    assert!(texts[1].contains(r#""path":"even","value":18"#) && texts[1].contains(r#""path":"odd","value":19"#));
    let counters = session.counters();
    assert_eq!((counters.offered, counters.collapsed, counters.backpressure, counters.dropped), (20, 18, 1, 0));
    session.offer(&value("even", 20), &empty(), NOW);
    assert_eq!(self::texts(&mut session, 0), [value("even", 20).text()], "it has caught up");
}

#[test]
fn collapsed_values_are_bounded_too() {
    let limits = Limits { client_queue_len: 1, model_paths_max: 3, ..Limits::of(Board::Linux) };
    let mut session = open_with("", false, &limits).unwrap();
    for number in 0..10 {
        session.offer(&value(&format!("p{number}"), number), &empty(), NOW);
    }
    assert_eq!(session.counters().dropped, 7);
    assert_eq!(texts(&mut session, 0).len(), 2);
}

#[test]
fn cached_values_come_right_after_the_hello() {
    let mut model = Model::new(&Limits::of(Board::Linux), SELF);
    for delta in [value("a", 1), value("b", 2), foreign("c")] {
        model.apply(&delta);
    }
    let of = |query: &str, subscribe: Option<&str>| {
        let mut session = open_with(query, false, &Limits::of(Board::Linux)).unwrap();
        subscribe.map(|text| session.receive(text, &STAMP));
        let texts: Vec<String> =
            core::iter::from_fn(|| session.next(NOW, &model)).map(|text| text.to_string()).collect();
        texts[1..].join("\n")
    };
    let own = of("", None);
    assert!(
        own.contains(r#""path":"a","value":1"#)
            && own.contains(r#""path":"b""#)
            && own.contains("uuid")
            && !own.contains(r#""path":"c""#)
    );
    assert!(of("subscribe=all", None).contains(r#""path":"c""#));
    assert_eq!(of("subscribe=none", None), "");
    assert_eq!(of("sendCachedValues=false", None), "");
    let subscribed =
        of("subscribe=none", Some(r#"{"context":"*","subscribe":[{"path":"b"},{"path":"c","period":1000}]}"#));
    assert!(
        subscribed.contains(r#""path":"b""#)
            && subscribed.contains(r#""path":"c""#)
            && !subscribed.contains(r#""path":"a""#)
    );
}

#[test]
fn meta_is_sent_once_before_the_first_value() {
    let mut session = open("sendMeta=all&sendCachedValues=false");
    let depth = "environment.depth.belowKeel";
    for number in 0..2 {
        session.offer(&value(depth, number), &empty(), NOW);
    }
    session.offer(&value("unknown", 0), &empty(), NOW);
    let texts = texts(&mut session, 0);
    assert_eq!(texts.len(), 4);
    assert_eq!(
        texts[0],
        format!(
            r#"{{"context":"{SELF}","updates":[{{"meta":[{{"path":"{depth}","value":{{"units":"m","description":"depth of the water below the keel"}}}}]}}]}}"#
        )
    );
    assert_eq!(texts[1], value(depth, 0).text());
}

#[test]
fn deltas_of_a_client_need_permission() {
    let text = r#"{"updates":[{"values":[{"path":"a","value":1}]}]}"#;
    let mut session = open("");
    assert_eq!(session.receive(text, &STAMP), None);
    assert_eq!(
        texts(&mut session, 0),
        ["\"deltas are refused: the stream was opened without a token that may write\""]
    );
    let mut session = open_with("", true, &Limits::of(Board::Linux)).unwrap();
    assert_eq!(session.receive(text, &STAMP), Some(SessionEvent::Delta(Delta::parse(text, &STAMP).unwrap())));
}

#[test]
fn a_client_is_told_why_its_delta_or_its_subscription_is_refused() {
    let mut session = open_with("", true, &Limits::of(Board::Linux)).unwrap();
    texts(&mut session, 0);
    for path in ["a..b", ".a", "a."] {
        let delta = format!(r#"{{"updates":[{{"values":[{{"path":"{path}","value":1}}]}}]}}"#);
        assert_eq!(session.receive(&delta, &STAMP), None);
        let subscribe = format!(r#"{{"subscribe":[{{"path":"{path}"}}]}}"#);
        assert_eq!(session.receive(&subscribe, &STAMP), None);
        let told = ["\"delta refused: a path has an empty part\"", "\"row 1: a path has an empty part\""];
        assert_eq!(texts(&mut session, 0), told, "{path}");
    }
    assert_eq!(session.counters().refused, 6);
    assert_eq!(session.receive(r#"{"subscribe":[{"path":""}]}"#, &STAMP), None);
    assert!(texts(&mut session, 0).iter().all(|text| !text.contains("refused")), "root values");
}

#[test]
fn requests_are_answered_with_their_id() {
    let mut session = open("");
    for (text, answer) in [
        (
            r#"{"requestId":"7","put":{"path":"a","value":1}}"#,
            r#"{"state":"COMPLETED","requestId":"7","statusCode":403,"message":"the stream was opened without a token that may write"}"#,
        ),
        (r#"{"put":{}}"#, r#"{"state":"COMPLETED","statusCode":400,"message":"put needs a path and a value"}"#),
        (
            r#"{"requestId":"7","delete":{"path":"a"}}"#,
            r#"{"requestId":"7","state":"COMPLETED","statusCode":405,"message":"no plugin handles DELETE"}"#,
        ),
        (
            r#"{"requestId":"x\"","zz":1}"#,
            r#"{"requestId":"x\"","state":"COMPLETED","statusCode":400,"message":"request not understood"}"#,
        ),
    ] {
        assert_eq!(session.receive(text, &STAMP), None);
        assert_eq!(texts(&mut session, 0), [answer], "{text}");
    }
}

#[test]
fn who_a_client_is_is_for_the_gateway_to_judge() {
    let mut session = open("");
    texts(&mut session, 0);
    let mut said = |text: &str| match session.receive(text, &STAMP) {
        Some(SessionEvent::Identity { request_id, identity }) => (request_id, identity),
        other => panic!("{other:?}"),
    };
    let (id, login) = said(r#"{"requestId":"1","login":{"username":"a","password":"secret"}}"#);
    assert_eq!(id.as_deref(), Some("1"));
    assert!(!format!("{login:?}").contains("secret"), "no log has it");
    assert_eq!(login, Identity::LogIn(r#"{"username":"a","password":"secret"}"#.into()));
    assert_eq!(said(r#"{"token":"x"}"#), (None, Identity::Token("x".into())));
    assert_eq!(said(r#"{"token":7}"#), (None, Identity::Token(String::new())));
    assert_eq!(said(r#"{"logout":{"token":"x"}}"#).1, Identity::LogOut(r#"{"token":"x"}"#.into()));
    assert_eq!(said(r#"{"validate":{"token":"x"}}"#).1, Identity::Validate(r#"{"token":"x"}"#.into()));
    assert_eq!(said(r#"{"accessRequest":{}}"#).1, Identity::AccessRequest("{}".into()));
}

#[test]
fn a_client_that_may_not_read_is_greeted_when_it_may() {
    let mut session = open("?subscribe=all");
    texts(&mut session, 0);
    session.set_rights(Rights::default());
    assert!(!session.wants_path("a.b"));
    session.set_rights(Rights { reads: true, role: Some(Role::ReadOnly) });
    assert!(session.wants_path("a.b") && !session.rights().may_write());
}

#[test]
fn put_requests_and_questions_go_to_the_gateway() {
    let mut session = open_with("", true, &Limits::of(Board::Linux)).unwrap();
    texts(&mut session, 0);
    let text = r#"{"requestId":"7","context":"vessels.self","put":{"path":"a.b","value":{"x":1},"source":"@acme/p"}}"#;
    let Some(SessionEvent::Put { request_id, put }) = session.receive(text, &STAMP) else { panic!("a PUT request") };
    assert_eq!((request_id.as_deref(), &*put.context, &*put.path), (Some("7"), "vessels.self", "a.b"));
    assert_eq!((&*put.value, put.source.as_deref()), (r#"{"x":1}"#, Some("@acme/p")));
    let query = session.receive(r#"{"requestId":"7","query":true}"#, &STAMP);
    assert_eq!(query, Some(SessionEvent::Query { request_id: "7".to_string() }));
    assert!(texts(&mut session, 0).is_empty());
}

#[test]
fn what_is_not_understood_is_answered_and_ignored() {
    let mut session = open("");
    for text in [
        "",
        "{",
        "7",
        "{}",
        r#"{"context":{"radius":1,"position":{}},"subscribe":[{"path":"a"}]}"#,
        r#"{"subscribe":[{"path":7}]}"#,
        r#"{"subscribe":[{"path":"a","policy":"odd"}]}"#,
    ] {
        assert_eq!(session.receive(text, &STAMP), None);
        let answers = texts(&mut session, 0);
        assert_eq!(answers.len(), 1, "{text}");
        assert!(json::string(&answers[0]).is_some(), "{answers:?}");
    }
    session.receive(&" ".repeat(DELTA_BYTES_MAX + 1), &STAMP);
    assert_eq!(session.counters().refused, 7);
}

#[test]
fn answers_and_subscriptions_are_bounded() {
    let mut session = open("");
    for _ in 0..100 {
        session.receive("nonsense", &STAMP);
    }
    assert_eq!(texts(&mut session, 0).len(), usize::from(REPLIES_MAX));
    assert_eq!(session.counters().dropped, 100 - u64::from(REPLIES_MAX));
    for number in 0..=SUBSCRIPTIONS_MAX {
        session.receive(&format!(r#"{{"subscribe":[{{"path":"p{number}"}}]}}"#), &STAMP);
    }
    assert_eq!(texts(&mut session, 0), [format!("\"more than {SUBSCRIPTIONS_MAX} subscriptions\"")]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_survived(text in "(\\{|\\}|\\[|\\]|\"|:|,|subscribe|unsubscribe|path|context|requestId|put|updates|period|[0-9]|\\*|\\PC){0,60}", query in "\\PC{0,30}") {
        let Ok(mut session) = open_with(&query, true, &Limits::of(Board::Linux)) else { return Ok(()) };
        session.receive(&text, &STAMP);
        for sent in texts(&mut session, 0) {
            proptest::prop_assert_eq!(json::compact(&sent).unwrap(), sent);
        }
    }

    #[test]
    fn a_subscriber_gets_exactly_what_matches(pattern in "[ab*]{1,2}(\\.[ab*]{1,2}){0,2}", names in proptest::collection::vec("[ab](\\.[ab]{1,2}){0,2}", 1..12)) {
        let mut session = open("subscribe=none");
        session.receive(&format!(r#"{{"subscribe":[{{"path":"{pattern}"}}]}}"#), &STAMP);
        let pattern = Pattern::parse(&pattern).unwrap();
        for name in &names {
            session.offer(&value(name, 1), &empty(), NOW);
        }
        let expected: Vec<String> = names.into_iter().filter(|name| pattern.matches(name)).collect();
        proptest::prop_assert_eq!(paths(&mut session, 0), expected);
    }
}
