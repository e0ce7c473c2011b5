use super::*;
use crate::hal::sim::{PowerCut, SimStorage, Survivor};
use std::vec;

const NOW: UnixMillis = UnixMillis(1_764_000_000_000);

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn listed(storage: &mut SimStorage, query: &str) -> (Result<String, ResourceError>, Vec<String>) {
    let mut damaged = Vec::new();
    let search = Search::parse(query, None);
    let list = list(storage, "fish", &search, &[], &mut |name| damaged.push(name.into()));
    (list, damaged)
}

fn read_one(storage: &mut SimStorage, id: &str) -> Option<String> {
    read(storage, "fish", id, &mut |_| ()).unwrap()
}

#[test]
fn what_is_kept_is_listed_by_id_with_time_and_source() {
    let mut storage = SimStorage::new();
    save(&mut storage, "fish", "b", r#"{"weight":0.10,"timestamp":"never"}"#, NOW).unwrap();
    save(&mut storage, "fish", "a", "{}", UnixMillis::UNKNOWN).unwrap();
    let wanted = r#"{"a":{"$source":"resources-provider"},"b":{"weight":0.1,"timestamp":"2025-11-24T16:00:00.000Z","$source":"resources-provider"}}"#;
    assert_eq!(listed(&mut storage, "{}").0.as_deref(), Ok(wanted));
    assert_eq!(listed(&mut storage, r#"{"limit":1}"#).0.as_deref(), Ok(r#"{"a":{"$source":"resources-provider"}}"#));
    assert_eq!(kinds(&mut storage).unwrap(), ["charts", "fish", "notes", "regions", "routes", "waypoints"]);
}

#[test]
fn an_existing_folder_is_read_and_never_written() {
    let mut storage = SimStorage::new();
    storage.replace(&key("resources/fish/a"), b"{\n \"name\": \"eel\" }").unwrap();
    storage.replace(&key("resources/fish/b"), b"{\"name\":\"cod\"}").unwrap();
    assert_eq!(read_one(&mut storage, "a").as_deref(), Some(r#"{"name":"eel","$source":"resources-provider"}"#));
    save(&mut storage, "fish", "a", r#"{"name":"pike"}"#, UnixMillis::UNKNOWN).unwrap();
    delete(&mut storage, "fish", "b").unwrap();
    delete(&mut storage, "fish", "c").unwrap();
    let wanted = r#"{"a":{"name":"pike","$source":"resources-provider"}}"#;
    assert_eq!(listed(&mut storage, "{}"), (Ok(wanted.into()), vec![]));
    assert_eq!(read_one(&mut storage, "b"), None, "deleted for good");
    assert_eq!(storage.read_all(&key("resources/fish/a"), 100).unwrap(), b"{\n \"name\": \"eel\" }");
    delete(&mut storage, "fish", "a").unwrap();
    assert_eq!(listed(&mut storage, "{}").0.as_deref(), Ok("{}"));
    save(&mut storage, "fish", "b", "{}", UnixMillis::UNKNOWN).unwrap();
    assert!(read_one(&mut storage, "b").is_some(), "and made anew");
}

#[test]
fn damaged_files_are_told_and_left() {
    let mut storage = SimStorage::new();
    let long = vec![b' '; usize::try_from(RESOURCE_BYTES_MAX).unwrap() + 1];
    for (name, bytes) in [("a", &b"{\"half\":"[..]), ("b", b"[1]"), ("c", b"\xff"), ("d", &long), ("e", b"null")] {
        storage.replace(&key(&format!("resources/fish/{name}")), bytes).unwrap();
    }
    storage.replace(&key("resources/fish/deeper/f"), b"{}").unwrap();
    storage.replace(&key("resources/fish/.hidden"), b"{}").unwrap();
    storage.replace(&key("resources/fish/g"), b"{}").unwrap();
    let (list, damaged) = listed(&mut storage, "{}");
    assert_eq!(list.as_deref(), Ok(r#"{"g":{"$source":"resources-provider"}}"#));
    assert_eq!(damaged, ["a", "b", "c", "d", "e"].map(|name| format!("resources/fish/{name}")));
    assert_eq!(read_one(&mut storage, "a"), None);
    assert_eq!(storage.len(&key("resources/fish/a")), Ok(8));
}

#[test]
fn each_limit_is_told_with_its_numbers() {
    let mut storage = SimStorage::with_capacity(256 * 1024 * 1024);
    let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(RESOURCE_BYTES_MAX as usize));
    let refused = save(&mut storage, "fish", "a", &long, NOW).unwrap_err();
    assert!(matches!(refused, ResourceError::TooLong { .. }) && refused.to_string().contains("524288"), "{refused}");
    let big = format!(r#"{{"x":"{}"}}"#, "x".repeat(RESOURCE_BYTES_MAX as usize - 100));
    let fit = (1..).find_map(|count: u64| {
        let saved = save(&mut storage, "fish", &format!("{count}"), &big, NOW);
        saved.err().map(|refused| (count, refused))
    });
    let Some((65, refused @ ResourceError::NoRoom { .. })) = fit else { panic!("{fit:?}") };
    assert!(refused.to_string().contains("33554432"), "{refused}");
    save(&mut storage, "fish", "1", &big, NOW).expect("in the place of what is there");
    assert_eq!(listed(&mut storage, "{}").0, Err(ResourceError::LongListing));
    assert!(listed(&mut storage, r#"{"limit":15}"#).0.is_ok());

    let mut storage = SimStorage::new();
    for count in 0..RESOURCES_MAX {
        storage.replace(&key(&format!("resources/fish/{count}")), b"{}").unwrap();
    }
    let refused = save(&mut storage, "fish", "more", "{}", NOW);
    assert_eq!(refused, Err(ResourceError::TooMany { count: RESOURCES_MAX + 1 }));
    delete(&mut storage, "fish", "7").unwrap();
    save(&mut storage, "fish", "more", "{}", NOW).expect("room of one that was deleted");
    for count in 0..RESOURCES_MAX {
        delete(&mut storage, "fish", &format!("{count}")).unwrap();
    }
    save(&mut storage, "fish", "again", "{}", NOW).expect("room of all that were deleted");
    assert_eq!(listed(&mut storage, "{}").0.map(|list| list.matches("$source").count()), Ok(2));
    assert_eq!(save(&mut SimStorage::with_capacity(4), "fish", "a", "{}", NOW), Err(StorageError::Full.into()));
}

#[test]
fn names_cannot_leave_their_folder() {
    let mut storage = SimStorage::new();
    let long = "x".repeat(200);
    for (kind, id) in [
        ("..", "a"),
        ("a/b", "c"),
        ("", "a"),
        ("_p", "a"),
        ("fish", ".."),
        ("fish", "a/b"),
        ("fish", ""),
        ("fish", &*long),
    ] {
        assert_eq!(save(&mut storage, kind, id, "{}", NOW), Err(ResourceError::Name), "{kind} {id}");
        assert_eq!(delete(&mut storage, kind, id), Err(ResourceError::Name), "{kind} {id}");
    }
    assert!(!is_kind("__proto__") && !is_kind("constructor") && is_kind("fishing-2"));
}

#[test]
fn a_power_cut_leaves_the_old_or_the_new_resource() {
    for (leaves, wanted) in [(Survivor::Old, "1"), (Survivor::New, "2"), (Survivor::Part, "1")] {
        let mut storage = SimStorage::new();
        save(&mut storage, "fish", "a", r#"{"n":1}"#, UnixMillis::UNKNOWN).unwrap();
        storage.cut_power(PowerCut { after_writes: 0, leaves });
        assert!(save(&mut storage, "fish", "a", r#"{"n":2}"#, UnixMillis::UNKNOWN).is_err());
        storage.power_on();
        let kept = read_one(&mut storage, "a").unwrap();
        assert_eq!(json::member(&kept, "n"), Some(wanted), "{leaves:?}");
    }
}

#[test]
fn what_lies_elsewhere_is_listed_unless_a_file_has_its_id() {
    let mut storage = SimStorage::new();
    save(&mut storage, "fish", "a", "{}", UnixMillis::UNKNOWN).unwrap();
    let also = [("a".into(), r#"{"other":1}"#.into()), ("b".into(), r#"{"other":2}"#.into())];
    let listed = list(&mut storage, "fish", &Search::default(), &also, &mut |_| ()).unwrap();
    assert_eq!(listed, r#"{"a":{"$source":"resources-provider"},"b":{"other":2}}"#);
}
