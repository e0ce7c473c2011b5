use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A batch's worth of lines with this number in each.
fn lines(number: usize) -> String {
    let line = format!("{number}\n");
    line.repeat(BATCH_BYTES.div_ceil(line.len()))
}

fn drained(store: &Store, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    for _ in 0..count {
        let batch = store.first().unwrap();
        seen.push(batch.text.lines().next().unwrap().to_owned());
        store.done(&batch);
    }
    seen
}

#[test]
fn what_waits_for_days_is_in_files_and_comes_in_order_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Some(folder.path().into()), u64::MAX, SECOND).unwrap();
    let numbers: Vec<_> = (100..120).collect();
    for number in &numbers {
        assert_eq!(store.push(&lines(*number)), 0);
    }
    let files = || fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files(), numbers.len() - IN_MEMORY_MAX, "memory is bounded");
    assert_eq!(drained(&store, 5), ["100", "101", "102", "103", "104"]);
    store.push("last\n");
    store.close();
    assert_eq!(store.first(), None);
    let store = Store::open(Some(folder.path().into()), u64::MAX, SECOND).unwrap();
    let rest = drained(&store, 16);
    assert_eq!((&*rest[0], &*rest[14], &*rest[15]), ("105", "119", "last"));
    assert_eq!(files(), 0);
    store.push(&lines(7));
    assert_eq!(drained(&store, 1), ["7"]);
}

#[test]
fn a_batch_stays_until_it_was_sent() {
    let store = Store::open(None, 0, SECOND).unwrap();
    store.push(&lines(1));
    let first = store.first().unwrap();
    assert_eq!(store.first().unwrap(), first);
    store.push(&lines(2));
    store.done(&first);
    store.done(&first);
    assert_eq!(drained(&store, 1), ["2"]);
}

#[test]
fn the_oldest_gives_way_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let bytes_max = u64::try_from(3 * BATCH_BYTES).unwrap();
    let store = Store::open(Some(folder.path().into()), bytes_max, SECOND).unwrap();
    let lost: u64 = (100..120).map(|number| store.push(&lines(number))).sum();
    let of_one = u64::try_from(lines(100).lines().count()).unwrap();
    assert_eq!(lost, of_one * u64::try_from(20 - IN_MEMORY_MAX - 3).unwrap());
    assert_eq!(drained(&store, 7), ["113", "114", "115", "116", "117", "118", "119"]);
}

#[test]
fn a_disk_that_is_full_costs_the_oldest_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Some(folder.path().join("batches")), u64::MAX, SECOND).unwrap();
    // Nothing can be made below a folder that is gone, as nothing can on a disk that is full.
    fs::remove_dir(folder.path().join("batches")).unwrap();
    let lost: u64 = (100..110).map(|number| store.push(&lines(number))).sum();
    assert!(lost > 0 && store.trouble().is_some());
    assert_eq!(drained(&store, IN_MEMORY_MAX), ["106", "107", "108", "109"]);
    fs::create_dir(folder.path().join("batches")).unwrap();
    for number in 200..206 {
        store.push(&lines(number));
    }
    assert_eq!(store.trouble(), None, "it is taken again");
    assert_eq!(drained(&store, 6).len(), 6);
}

#[test]
fn what_is_counted_is_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("batches");
    let bytes_max = u64::try_from(6 * BATCH_BYTES).unwrap();
    let store = Store::open(Some(place.clone()), bytes_max, SECOND).unwrap();
    for number in 100..140 {
        store.push(&lines(number));
        match number % 10 {
            3 => drop(drained(&store, 2)),
            5 => fs::rename(&place, folder.path().join("away")).unwrap(),
            8 => fs::rename(folder.path().join("away"), &place).unwrap(),
            _ => {}
        }
        let inner = store.locked();
        let (in_memory, in_files): (Vec<_>, Vec<_>) = inner.waiting.iter().partition(|batch| batch.text.is_some());
        assert_eq!(inner.in_memory, in_memory.len());
        assert_eq!(inner.file_bytes, in_files.iter().map(|batch| batch.bytes).sum::<u64>());
        assert!(inner.in_memory <= IN_MEMORY_MAX && inner.file_bytes <= bytes_max);
    }
}

#[test]
fn what_was_half_written_is_no_batch() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["being-written", "7.lines", "x.lines", "00000000000000000003.txt"] {
        fs::write(folder.path().join(name), "a\n").unwrap();
    }
    fs::write(path(folder.path(), 3), "three\n").unwrap();
    fs::write(path(folder.path(), 4), [0xff, b'\n']).unwrap();
    fs::write(path(folder.path(), 5), "five\n").unwrap();
    let store = Store::open(Some(folder.path().into()), u64::MAX, SECOND).unwrap();
    assert_eq!(drained(&store, 2), ["three", "five"]);
}

#[test]
fn each_output_has_a_folder_of_its_own() {
    let names = ["influx://nas:8086?db=boat", "influx://nas:8086?db=boat2", "../../etc", "a/b", "a_b"];
    let folders: std::collections::BTreeSet<_> = names.iter().map(|name| folder_of(name)).collect();
    assert_eq!(folders.len(), names.len());
    assert!(folders.iter().all(|folder| !folder.contains(['/', '.'])), "{folders:?}");
}
