//! Backups: what is in one, what is refused, and that a cut at any moment leaves the old folder or the new.

mod stopping_disk;
mod support;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use flate2::write::DeflateEncoder;
use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use skiff_gateway::backup::{self, BackupError};
use skiff_gateway::hal::Folder;
use skiff_gateway::layout;
use stopping_disk::{Loss, StoppingDisk};
use support::{Gateway, assert_refused, run, talk};
use tempfile::tempdir;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Writes a folder whose files all have this text; the later ones have other names among them.
fn folder(config: &Path, text: &str) {
    for path in ["settings.json", "resources/notes/a", "resources/notes/b", "skiff/grants.json", "skiff/tls/key.pem"] {
        write(&config.join(path), text);
    }
    write(&config.join("plugin-config-data").join(format!("{text}.json")), text);
    write(&config.join("skiff/layout"), "2\n");
}

/// Packs files, each with its compression.
fn zip(files: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut out);
    for (path, data, method) in files {
        let file = archive.new_file(EntryPath::verbatim(path.as_bytes().to_vec())).compression_method(*method);
        let (mut entry, config) = file.start().unwrap();
        let descriptor = if *method == CompressionMethod::DEFLATE {
            let mut writer = config.wrap(DeflateEncoder::new(&mut entry, flate2::Compression::fast()));
            writer.write_all(data).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            descriptor
        } else {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(data).unwrap();
            writer.finish().unwrap().1
        };
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    out
}

fn stored(files: &[(&str, &str)]) -> Vec<u8> {
    zip(&files.iter().map(|(path, text)| (*path, text.as_bytes(), CompressionMethod::STORE)).collect::<Vec<_>>())
}

/// Returns the one text that all files of a folder have; fails where there are two.
fn text_of(config: &Path) -> String {
    let text = fs::read_to_string(config.join("settings.json")).unwrap();
    for path in ["resources/notes/a", "resources/notes/b", "skiff/grants.json", "skiff/tls/key.pem"] {
        assert_eq!(fs::read_to_string(config.join(path)).unwrap(), text, "{path}");
    }
    let names: Vec<_> = fs::read_dir(config.join("plugin-config-data")).unwrap().flatten().collect();
    assert_eq!(names.len(), 1, "no configuration of the other folder is left");
    assert_eq!(fs::read_to_string(names[0].path()).unwrap(), text);
    text
}

#[test]
fn a_cut_after_any_call_leaves_the_old_folder_or_the_new() {
    let saved = tempdir().unwrap();
    folder(saved.path(), "new");
    let mut archive = Vec::new();
    backup::write(saved.path(), true, u64::MAX, &mut archive).unwrap();
    let mut cuts = 0;
    for loss in [Loss::Nothing, Loss::Bytes, Loss::Names, Loss::All] {
        for steps in 0.. {
            let home = tempdir().unwrap();
            folder(home.path(), "old");
            let disk = StoppingDisk::new(loss);
            let mut config = Folder::on(disk.clone(), home.path());
            disk.cut_after(steps);
            let restored = backup::unpack_slice(&mut config, &archive)
                .and_then(|found| backup::commit(&mut config, &found.names))
                .map_err(|error| error.to_string())
                .and_then(|()| layout::bring_up_to_date(&mut config).map_err(|error| error.to_string()));
            let was_cut = disk.power_on();
            // The next start, before anything else is read.
            layout::bring_up_to_date(&mut Folder::on(StoppingDisk::new(Loss::Nothing), home.path())).unwrap();
            let text = text_of(home.path());
            assert!(text == "new" || restored.is_err(), "{loss:?} {steps}: {restored:?}");
            assert!(!home.path().join("skiff/restore").exists(), "{loss:?} {steps}");
            if !was_cut {
                assert_eq!(text, "new");
                break;
            }
            cuts += 1;
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 100, "{cuts}");
}

#[test]
fn what_is_saved_comes_back_and_what_the_backup_lacks_stays() {
    let home = tempdir().unwrap();
    let (home, config, other) = (home.path(), home.path().join("config"), home.path().join("other"));
    folder(&config, "saved");
    write(&config.join("skserver-raw.log"), "a log");
    write(&config.join("skiff/packages/tide.pkg"), "a package");
    write(&config.join("skiff/token"), "secret");
    symlink("/etc/hostname", config.join("resources/link")).unwrap();
    let file = home.join("boat.backup");
    let command = |verb: &[&str], config: &Path| {
        let arguments = [verb, &["--config", config.to_str().unwrap()]].concat();
        run(home, &arguments)
    };
    let saved = command(&["backup", file.to_str().unwrap()], &config);
    assert_eq!(saved.status.code(), Some(0), "{}", talk(&saved));
    assert!(talk(&saved).contains("1 links"), "{}", talk(&saved));
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600, "secrets are in it");
    assert_refused(&command(&["backup", file.to_str().unwrap()], &config), 1, &["is there already"]);

    folder(&other, "other");
    write(&other.join("charts/own"), "stays");
    let restored = command(&["restore", file.to_str().unwrap()], &other);
    assert_eq!(restored.status.code(), Some(0), "{}", talk(&restored));
    assert_eq!(text_of(&other), "saved");
    let read = |path: &str| fs::read_to_string(other.join(path)).unwrap_or_default();
    assert_eq!((read("charts/own"), read("skiff/packages/tide.pkg")), ("stays".into(), "a package".into()));
    assert_eq!(fs::metadata(other.join("skiff/token")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(read("skserver-raw.log"), "");
    assert!(!other.join("skiff/restore").exists() && !other.join("resources/link").exists());

    let small = home.join("small.backup");
    assert_eq!(command(&["backup", small.to_str().unwrap(), "--no-packages"], &config).status.code(), Some(0));
    let fresh = home.join("fresh");
    let only = ["restore", small.to_str().unwrap(), "--only", "resources", "--only", "settings.json"];
    assert_eq!(command(&only, &fresh).status.code(), Some(0));
    assert!(fresh.join("resources/notes/a").exists() && !fresh.join("skiff/tls").exists());
    let unknown = ["restore", small.to_str().unwrap(), "--only", "nothing"];
    assert_refused(&command(&unknown, &fresh), 3, &["the backup has no nothing", "settings.json"]);
    assert!(!fs::read_to_string(&small).is_ok_and(|text| text.contains("tide.pkg")));
}

#[test]
fn a_backup_of_signal_k_is_taken_and_what_it_lacks_is_named() {
    let home = tempdir().unwrap();
    let archive = zip(&[
        ("settings.json", b"{}", CompressionMethod::DEFLATE),
        ("security.json", b"{}", CompressionMethod::DEFLATE),
        ("plugin-config-data/tide.json", b"{}", CompressionMethod::DEFLATE),
        ("package.json", br#"{"dependencies":{"@mxtommy/kip":"^4","tide":"1.0.0"}}"#, CompressionMethod::STORE),
        ("node_modules/tide/package.json", b"{}", CompressionMethod::STORE),
        (".npmrc", b"password", CompressionMethod::STORE),
    ]);
    let file = home.path().join("signalk-Nov-30-2026-11T33.backup");
    fs::write(&file, archive).unwrap();
    let config = home.path().join("config");
    let restored = run(home.path(), &["restore", file.to_str().unwrap(), "--config", config.to_str().unwrap()]);
    assert_eq!(restored.status.code(), Some(0), "{}", talk(&restored));
    assert!(talk(&restored).contains("does not bring: @mxtommy/kip;"), "{}", talk(&restored));
    assert!(config.join("plugin-config-data/tide.json").exists() && !config.join(".npmrc").exists());
    assert_eq!(fs::metadata(config.join("security.json")).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn what_leads_out_or_lies_is_refused_and_leaves_nothing() {
    let home = tempdir().unwrap();
    folder(home.path(), "old");
    let mut config = Folder::new(home.path());
    let mut refused = |archive: &[u8]| {
        let error = backup::unpack_slice(&mut config, archive).unwrap_err();
        assert!(!home.path().join("skiff/restore").exists());
        assert_eq!(text_of(home.path()), "old");
        error
    };
    for path in ["../evil", "/etc/evil", "a/../../evil", "skiff\\..\\evil", "a//b"] {
        let archive = stored(&[("settings.json", "{}"), (path, "x")]);
        assert!(matches!(refused(&archive), BackupError::Path(_)), "{path}");
    }
    for files in [
        &[("settings.json", "1"), ("settings.json", "2")][..],
        &[("settings.json", "1"), ("settings.json/a", "2")],
        &[("readme.txt", "no backup")],
        &[],
    ] {
        assert!(matches!(refused(&stored(files)), BackupError::Corrupt(_)), "{files:?}");
    }
    let newer = stored(&[("settings.json", "{}"), ("skiff/layout", "99\n")]);
    assert!(matches!(refused(&newer), BackupError::Newer(_)));
    assert!(matches!(refused(b"PK no zip at all"), BackupError::Corrupt(_)));
    let whole = stored(&[("settings.json", "twenty bytes of text"), ("resources/a", "more")]);
    for length in [1, 30, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..length]);
    }
    let mut flipped = whole.clone();
    let at = whole.windows(6).position(|window| window == b"twenty").unwrap();
    flipped[at] = b'T';
    assert!(matches!(refused(&flipped), BackupError::Corrupt(reason) if reason.contains("settings.json")));
}

#[test]
fn a_small_archive_that_unpacks_to_much_is_given_up() {
    let home = tempdir().unwrap();
    let zeros = vec![0; 600 * 1024 * 1024];
    let bomb = zip(&[("settings.json", &zeros, CompressionMethod::DEFLATE)]);
    drop(zeros);
    assert!(bomb.len() < 4 * 1024 * 1024);
    let error = backup::unpack_slice(&mut Folder::new(home.path()), &bomb).unwrap_err();
    assert!(matches!(error, BackupError::TooLarge { .. }), "{error}");
    assert!(!home.path().join("skiff/restore").exists());
}

#[test]
fn a_backup_has_a_limit_where_it_is_sent() {
    let home = tempdir().unwrap();
    folder(home.path(), "x");
    let mut out = Vec::new();
    assert!(matches!(backup::write(home.path(), true, 300, &mut out), Err(BackupError::TooLarge { limit: 300 })));
}

#[test]
fn a_running_gateway_gives_and_takes_backups() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    write(&config.join("resources/notes/a"), "before");
    write(&config.join("settings.json"), "{}");
    let gateway = Gateway::start(home.path(), &["--config", config.to_str().unwrap()]);
    let url = format!("http://{}", gateway.authority);
    let (file, config_argument) = (home.path().join("boat.backup"), ["--config", config.to_str().unwrap()]);
    let remote = |verb: &[&str]| run(home.path(), &[verb, &config_argument, &["--url", &url]].concat());
    let saved = remote(&["backup", file.to_str().unwrap()]);
    assert_eq!(saved.status.code(), Some(0), "{}", talk(&saved));
    let (status, ..) = gateway.ask("GET", "/skServer/backup", &[], "");
    assert_eq!(status, 401, "a backup has secrets, on loopback too");
    write(&config.join("resources/notes/a"), "after");
    let restored = remote(&["restore", file.to_str().unwrap(), "--only", "resources"]);
    assert_eq!(restored.status.code(), Some(0), "{}", talk(&restored));
    assert_eq!(fs::read_to_string(config.join("resources/notes/a")).unwrap(), "after", "not while it runs");
    assert_eq!(gateway.terminate(), Some(0));
    let _again = Gateway::start(home.path(), &["--config", config.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(config.join("resources/notes/a")).unwrap(), "before");
    let lone = run(home.path(), &[&["restore", "/dev/null"][..], &["--url", &url]].concat());
    assert_eq!(lone.status.code(), Some(3), "{}", talk(&lone));
}
