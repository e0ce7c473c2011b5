//! Files as a guest sees them, and what is left of them.

use std::string::String;
use std::vec::Vec;

use super::{FileError, FileLimits, Files, Kind, Medium, MemoryMedium, OpenOptions, ROOT, Whence};

const LIMITS: FileLimits = FileLimits {
    file_bytes_max: 100,
    quota_bytes: 150,
    files_max: 6,
    tmp_bytes_max: 50,
    descriptors_max: 4,
    open_bytes_max: 180,
};

const WRITE: OpenOptions = OpenOptions {
    create: true,
    folder: false,
    exclusive: false,
    truncate: false,
    read: true,
    write: true,
    append: false,
};
const READ: OpenOptions = OpenOptions { create: false, write: false, ..WRITE };

fn names(files: &mut Files, medium: &mut MemoryMedium, fd: u32) -> Vec<String> {
    files.list(medium, fd).unwrap().into_iter().map(|entry| entry.name).collect()
}

#[test]
fn what_is_written_is_read_back_also_by_the_next_instance() {
    let (mut files, mut medium) = (Files::new(LIMITS), MemoryMedium::default());
    let fd = files.open(&mut medium, ROOT, "data/a.txt", WRITE).unwrap();
    files.write(&mut medium, fd, None, b"hello ").unwrap();
    files.write(&mut medium, fd, None, b"boat").unwrap();
    files.write(&mut medium, fd, Some(0), b"J").unwrap();
    assert_eq!(files.seek(fd, -4, Whence::Current), Ok(6));
    assert_eq!(files.read(fd, None, 100), Ok(&b"boat"[..]));
    assert_eq!(files.read(fd, Some(0), 5), Ok(&b"Jello"[..]));
    assert_eq!(medium.read("data/a.txt", 100), Ok(Vec::new()), "not synced yet");
    files.close(&mut medium, fd).unwrap();
    let mut next = Files::new(LIMITS);
    let fd = next.open(&mut medium, ROOT, "data/a.txt", READ).unwrap();
    assert_eq!(next.read(fd, None, 100), Ok(&b"Jello boat"[..]));
    assert_eq!(next.write(&mut medium, fd, None, b"x"), Err(FileError::BadDescriptor));
}

#[test]
fn the_end_of_a_call_writes_everything_down() {
    let (mut files, mut medium) = (Files::new(LIMITS), MemoryMedium::default());
    let fd = files.open(&mut medium, ROOT, "data/a", WRITE).unwrap();
    files.write(&mut medium, fd, None, b"x").unwrap();
    assert!(files.is_dirty());
    files.sync_all(&mut medium).unwrap();
    assert!(!files.is_dirty());
    assert_eq!(medium.read("data/a", 100), Ok(b"x".to_vec()));
}

#[test]
fn the_three_folders_are_there_and_stay() {
    let (mut files, mut medium) = (Files::new(LIMITS), MemoryMedium::default());
    assert_eq!(names(&mut files, &mut medium, ROOT), ["config", "data", "tmp"]);
    for folder in ["data", "config", "tmp"] {
        assert_eq!(files.stat_at(&mut medium, ROOT, folder).unwrap().kind, Kind::Folder);
        assert_eq!(files.remove_folder(&mut medium, ROOT, folder), Err(FileError::NotPermitted));
        assert_eq!(files.make_folder(&mut medium, ROOT, folder), Err(FileError::Exists));
    }
}

#[test]
fn folders_are_made_listed_and_removed_when_empty() {
    let (mut files, mut medium) = (Files::new(LIMITS), MemoryMedium::default());
    files.make_folder(&mut medium, ROOT, "data/log").unwrap();
    assert_eq!(files.make_folder(&mut medium, ROOT, "data/no/log"), Err(FileError::NotFound));
    let folder = files.open(&mut medium, ROOT, "data/log", OpenOptions { folder: true, ..READ }).unwrap();
    let file = files.open(&mut medium, folder, "a", OpenOptions { create: true, ..WRITE }).unwrap();
    files.close(&mut medium, file).unwrap();
    assert_eq!(names(&mut files, &mut medium, folder), ["a"]);
    assert_eq!(files.remove_folder(&mut medium, ROOT, "data/log"), Err(FileError::NotEmpty));
    files.remove_file(&mut medium, folder, "a").unwrap();
    assert_eq!(files.stat_at(&mut medium, ROOT, "data/log").unwrap().kind, Kind::Folder);
    files.remove_folder(&mut medium, ROOT, "data/log").unwrap();
    assert_eq!(files.stat_at(&mut medium, ROOT, "data/log"), Err(FileError::NotFound));
    assert_eq!(files.remove_folder(&mut medium, ROOT, "data/log"), Err(FileError::NotFound));
}

#[test]
fn each_file_and_folder_has_a_number_of_its_own_however_it_is_asked_for() {
    let (mut files, mut medium) = (Files::new(LIMITS), MemoryMedium::default());
    let data = files.open(&mut medium, ROOT, "data", OpenOptions { folder: true, ..READ }).unwrap();
    let a = files.open(&mut medium, data, "a", WRITE).unwrap();
    files.make_folder(&mut medium, data, "b").unwrap();
    let mut numbers = Vec::new();
    for (fd, folder) in [(ROOT, ""), (data, "data/")] {
        for entry in files.list(&mut medium, fd).unwrap() {
            let by_path = files.stat_at(&mut medium, ROOT, &[folder, &entry.name].concat()).unwrap();
            assert_eq!(entry.inode, by_path.inode, "{folder}{}", entry.name);
            numbers.push(entry.inode);
        }
    }
    assert_eq!(numbers.len(), 5);
    assert!(numbers.contains(&files.stat(data).unwrap().inode) && numbers.contains(&files.stat(a).unwrap().inode));
    numbers.sort_unstable();
    numbers.dedup();
    assert!(numbers.len() == 5 && numbers[0] != 0);
}

#[test]
fn limits_are_held_and_removing_gives_room_again() {
    let (mut files, mut medium) = (Files::new(LIMITS), MemoryMedium::default());
    let a = files.open(&mut medium, ROOT, "data/a", WRITE).unwrap();
    assert_eq!(files.write(&mut medium, a, None, &[0; 101]), Err(FileError::TooLarge));
    assert_eq!(files.write(&mut medium, a, Some(u64::MAX), &[0; 2]), Err(FileError::TooLarge));
    files.write(&mut medium, a, None, &[1; 100]).unwrap();
    let b = files.open(&mut medium, ROOT, "data/b", WRITE).unwrap();
    assert_eq!(files.write(&mut medium, b, None, &[0; 51]), Err(FileError::NoSpace));
    files.write(&mut medium, b, None, &[0; 50]).unwrap();
    let c = files.open(&mut medium, ROOT, "tmp/c", WRITE).unwrap();
    assert_eq!(files.write(&mut medium, c, None, &[0; 40]), Err(FileError::NoSpace), "open files hold 150 of 180");
    files.write(&mut medium, c, None, &[0; 20]).unwrap();
    assert_eq!(files.open(&mut medium, ROOT, "data/d", WRITE), Err(FileError::TooManyOpen));
    for fd in [a, b, c] {
        files.close(&mut medium, fd).unwrap();
    }
    files.remove_file(&mut medium, ROOT, "data/a").unwrap();
    let d = files.open(&mut medium, ROOT, "data/d", WRITE).unwrap();
    files.write(&mut medium, d, None, &[0; 100]).unwrap();
    files.close(&mut medium, d).unwrap();
    for name in ["data/e", "data/f", "tmp/g"] {
        let fd = files.open(&mut medium, ROOT, name, WRITE).unwrap();
        files.close(&mut medium, fd).unwrap();
    }
    assert_eq!(files.open(&mut medium, ROOT, "data/h", WRITE), Err(FileError::NoSpace), "six files are all");
}

#[test]
fn tmp_is_empty_at_every_start() {
    let (mut files, mut medium) = (Files::new(LIMITS), MemoryMedium::default());
    let fd = files.open(&mut medium, ROOT, "tmp/a", WRITE).unwrap();
    files.write(&mut medium, fd, None, b"x").unwrap();
    files.close(&mut medium, fd).unwrap();
    assert!(files.stat_at(&mut medium, ROOT, "tmp/a").is_ok());
    assert_eq!(Files::new(LIMITS).stat_at(&mut medium, ROOT, "tmp/a"), Err(FileError::NotFound));
    let mut listed = 0;
    medium.list("", &mut |_, _| listed += 1).unwrap();
    assert_eq!(listed, 0, "nothing of it reaches the medium");
}

#[test]
fn a_file_is_renamed_over_another_and_the_open_descriptor_follows() {
    let (mut files, mut medium) = (Files::new(LIMITS), MemoryMedium::default());
    let old = files.open(&mut medium, ROOT, "data/old", WRITE).unwrap();
    files.write(&mut medium, old, None, b"new text").unwrap();
    let target = files.open(&mut medium, ROOT, "data/target", WRITE).unwrap();
    files.write(&mut medium, target, None, b"text").unwrap();
    files.rename(&mut medium, (ROOT, "data/old"), (ROOT, "data/target")).unwrap();
    files.write(&mut medium, old, None, b"!").unwrap();
    files.write(&mut medium, target, None, b" lost").unwrap();
    files.sync_all(&mut medium).unwrap();
    assert_eq!(medium.read("data/target", 100), Ok(b"new text!".to_vec()));
    assert_eq!(medium.read("data/old", 100), Err(FileError::NotFound));
    assert_eq!(files.rename(&mut medium, (ROOT, "data"), (ROOT, "x")), Err(FileError::NotSupported));
    assert_eq!(files.rename(&mut medium, (ROOT, "data/gone"), (ROOT, "data/x")), Err(FileError::NotFound));
}

#[test]
fn options_of_open_are_kept() {
    let (mut files, mut medium) = (Files::new(LIMITS), MemoryMedium::default());
    assert_eq!(files.open(&mut medium, ROOT, "data/a", READ), Err(FileError::NotFound));
    let fd = files.open(&mut medium, ROOT, "data/a", OpenOptions { append: true, ..WRITE }).unwrap();
    files.write(&mut medium, fd, None, b"one").unwrap();
    files.seek(fd, 0, Whence::Start).unwrap();
    files.write(&mut medium, fd, None, b"two").unwrap();
    assert_eq!(files.stat(fd).unwrap().size, 6);
    let exclusive = OpenOptions { exclusive: true, ..WRITE };
    assert_eq!(files.open(&mut medium, ROOT, "data/a", exclusive), Err(FileError::Exists));
    assert_eq!(
        files.open(&mut medium, ROOT, "data/a", OpenOptions { folder: true, ..READ }),
        Err(FileError::NotFolder)
    );
    assert_eq!(files.open(&mut medium, ROOT, "data", WRITE), Err(FileError::IsFolder));
    files.set_size(&mut medium, fd, 2).unwrap();
    let again = files.open(&mut medium, ROOT, "data/a", READ).unwrap();
    assert_eq!(files.read(again, None, 10), Ok(&b"on"[..]), "two descriptors see one file");
    let cut = files.open(&mut medium, ROOT, "data/a", OpenOptions { truncate: true, ..WRITE }).unwrap();
    assert_eq!(files.stat(again).unwrap().size, 0);
    files.renumber(&mut medium, cut, again).unwrap();
    assert_eq!(files.stat(cut), Err(FileError::BadDescriptor));
    assert_eq!(files.close(&mut medium, 99), Err(FileError::BadDescriptor));
    assert_eq!(files.close(&mut medium, 0), Err(FileError::BadDescriptor));
}

#[test]
fn a_medium_that_fails_is_told_at_close_and_the_data_are_kept_for_the_next_try() {
    struct Full(MemoryMedium, bool);
    impl Medium for Full {
        fn read(&mut self, path: &str, limit: u32) -> Result<Vec<u8>, FileError> {
            self.0.read(path, limit)
        }
        fn write(&mut self, path: &str, data: &[u8]) -> Result<(), FileError> {
            if self.1 { Err(FileError::NoSpace) } else { self.0.write(path, data) }
        }
        fn remove(&mut self, path: &str) -> Result<(), FileError> {
            self.0.remove(path)
        }
        fn list(&mut self, prefix: &str, visit: &mut dyn FnMut(&str, u32)) -> Result<(), FileError> {
            self.0.list(prefix, visit)
        }
    }
    let (mut files, mut medium) = (Files::new(LIMITS), Full(MemoryMedium::default(), false));
    let fd = files.open(&mut medium, ROOT, "data/a", WRITE).unwrap();
    files.write(&mut medium, fd, None, b"x").unwrap();
    medium.1 = true;
    assert_eq!(files.sync(&mut medium, fd), Err(FileError::NoSpace));
    assert_eq!(files.sync_all(&mut medium), Err(FileError::NoSpace));
    medium.1 = false;
    assert_eq!(files.close(&mut medium, fd), Ok(()));
    assert_eq!(medium.read("data/a", 9), Ok(b"x".to_vec()));
}
