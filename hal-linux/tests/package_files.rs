//! The files of packages on a disk whose power goes after any call: served is what belongs to the module in force, whole.

mod stopping_disk;
#[path = "../../runtime/tests/tarball/mod.rs"]
mod tarball;

use std::fs;
use std::path::Path;

use skiff_gateway::hal::{Disk, Folder};
use skiff_gateway::layout::{self, LAYOUT_FILE, LayoutError};
use skiff_gateway::packages::{apps, web};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::package::store::{self, Slot};
use skiff_runtime::package::{Asks, Incoming, apps as records, asks};
use stopping_disk::{Loss, StoppingDisk};

const PAGES: usize = 7;

fn incoming(version: &str) -> Incoming {
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 1) (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 64)))"#,
    );
    let json = format!(
        r#"{{"name":"@acme/tide","version":"{version}","keywords":["signalk-wasm-plugin","signalk-webapp"],
            "wasmManifest":"plugin.wasm","wasmCapabilities":{{"network":true}}}}"#
    );
    let text = format!("page of {version}");
    let names: Vec<String> = (0..PAGES).map(|number| format!("public/{}/{number}.html", number % 3)).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), text.as_bytes())).collect();
    Incoming::read(&tarball::npm_pack_with(&json, &wasm.unwrap(), &files), &Limits::of(Board::Linux)).unwrap()
}

/// Installs a version by the steps of a gateway.
fn install<D: Disk>(config: &mut Folder<D>, version: &str) -> Result<(), String> {
    let incoming = incoming(version);
    incoming.stage(config).map_err(|error| error.to_string())?;
    web::keep(config, &incoming.web_files()).map_err(|error| error.to_string())?;
    store::adopt(config, incoming.id()).map_err(|error| error.to_string())?;
    web::sweep(config, incoming.id()).map_err(|error| error.to_string())
}

/// Returns the version in force, whose files must all be there and be its own.
fn served(config: &Path) -> String {
    let found = store::describe(&mut Folder::new(config), "_acme_tide", Slot::InForce);
    let version = found.expect("a version is in force").manifest.version().to_owned();
    let (name, folder) = web::folder_of(config, "_acme_tide").unwrap();
    assert_eq!(name, "@acme/tide");
    for number in 0..PAGES {
        let page = folder.join(format!("public/{}/{number}.html", number % 3));
        let page = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        assert_eq!(page, format!("page of {version}"));
    }
    version
}

/// The folder on a disk whose power stays on, and that waits for nothing.
fn calm(config: &Path) -> Folder<StoppingDisk> {
    Folder::on(StoppingDisk::new(Loss::Nothing), config)
}

/// What a gateway does with the folder before it serves.
fn start(config: &Path) {
    let mut folder = calm(config);
    layout::bring_up_to_date(&mut folder).unwrap();
    store::load_all(&mut folder, u32::MAX);
    web::sweep_all(&mut folder).unwrap();
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn a_cut_after_any_call_leaves_a_version_with_its_own_files() {
    let mut cuts = 0;
    for loss in [Loss::Nothing, Loss::Bytes, Loss::Names, Loss::All] {
        for steps in 0.. {
            let home = tempfile::tempdir().unwrap();
            let disk = StoppingDisk::new(loss);
            let mut config = Folder::on(disk.clone(), home.path());
            install(&mut config, "1").unwrap();
            disk.cut_after(steps);
            let installed = install(&mut config, "2");
            let was_cut = disk.power_on();
            start(home.path());
            let version = served(home.path());
            assert!(version == if installed.is_ok() { "2" } else { &version }, "{loss:?} {steps}");
            // The version in force and, once there is one, that before.
            let folders = entries(&home.path().join(web::FOLDER));
            assert!(folders <= 2 && folders > usize::from(version == "2"), "{folders}");
            // And the next installation comes in, whatever was left.
            install(&mut calm(home.path()), "2").unwrap();
            assert_eq!(served(home.path()), "2");
            if !was_cut {
                break;
            }
            cuts += 1;
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 100, "{cuts}");
}

/// Writes what the layout before has of a package: a record without a tag, and `skiff/web/<id>`.
fn write_old_layout(config: &Path) {
    install(&mut calm(config), "1").unwrap();
    let path = config.join("skiff/packages/_acme_tide.pkg");
    let record = fs::read(&path).unwrap();
    let old = [b"SKPKG\0\0\x01", &record[8..12], &record[20..]].concat();
    let (_, files) = web::folder_of(config, "_acme_tide").unwrap();
    fs::rename(files, config.join("skiff/web/_acme_tide")).unwrap();
    fs::write(path, old).unwrap();
    fs::create_dir_all(config.join("plugin-config-data")).unwrap();
    fs::write(config.join("plugin-config-data/_acme_tide.json"), r#"{"enabled":true}"#).unwrap();
}

#[test]
fn the_layout_before_moves_over_whenever_the_power_goes() {
    let mut cuts = 0;
    for loss in [Loss::Nothing, Loss::Bytes, Loss::Names, Loss::All] {
        for steps in 0.. {
            let home = tempfile::tempdir().unwrap();
            write_old_layout(home.path());
            let disk = StoppingDisk::new(loss);
            disk.cut_after(steps);
            let moved = layout::bring_up_to_date(&mut Folder::on(disk.clone(), home.path()));
            let was_cut = disk.power_on();
            assert!(was_cut || moved == Ok(()), "{moved:?}");
            start(home.path());
            assert_eq!(served(home.path()), "1", "{loss:?} {steps}");
            assert_eq!(entries(&home.path().join(web::FOLDER)), 1);
            let granted = asks::granted(&mut Folder::new(home.path()), "@acme/tide");
            assert_eq!(granted, Ok(Asks::parse("network,webapp").unwrap()));
            assert_eq!(fs::read_to_string(home.path().join(LAYOUT_FILE)).unwrap(), "2\n");
            if !was_cut {
                break;
            }
            cuts += 1;
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 20, "{cuts}");
}

#[test]
fn a_layout_of_a_later_version_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let mut folder = calm(home.path());
    let key = Key::parse(LAYOUT_FILE).unwrap();
    folder.replace(&key, b"3\n").unwrap();
    assert_eq!(layout::bring_up_to_date(&mut folder), Err(LayoutError::Newer(3)));
    folder.replace(&key, b"three").unwrap();
    assert_eq!(layout::bring_up_to_date(&mut folder), Err(LayoutError::Damaged));
}

/// Packs a version of a web app whose pages all name it.
fn app(version: &str) -> Vec<u8> {
    let json = format!(r#"{{"name":"@acme/kip","version":"{version}","keywords":["signalk-webapp"]}}"#);
    let text = format!("page of {version}");
    let names: Vec<String> = (0..PAGES).map(|number| format!("public/{}/{number}.html", number % 3)).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), text.as_bytes())).collect();
    tarball::npm_pack_with(&json, b"", &files)
}

#[test]
fn a_cut_leaves_a_web_app_with_its_own_pages_too() {
    let (first, second) = (app("1"), app("2"));
    let mut cuts = 0;
    for loss in [Loss::Nothing, Loss::Bytes, Loss::Names, Loss::All] {
        for steps in 0.. {
            let home = tempfile::tempdir().unwrap();
            let disk = StoppingDisk::new(loss);
            let mut config = Folder::on(disk.clone(), home.path());
            apps::keep(&mut config, &first).unwrap();
            disk.cut_after(steps);
            let kept = apps::keep(&mut config, &second);
            let was_cut = disk.power_on();
            apps::sweep_all(&mut calm(home.path())).unwrap();
            let found = records::find(&mut calm(home.path()), "_acme_kip").expect("a version is in force");
            assert!(found.version == "2" || kept.is_err(), "{loss:?} {steps}");
            let folder = apps::folder_of(home.path(), "@acme/kip").unwrap();
            for number in 0..PAGES {
                let page = fs::read_to_string(folder.join(format!("public/{}/{number}.html", number % 3))).unwrap();
                assert_eq!(page, format!("page of {}", found.version), "{loss:?} {steps}");
            }
            assert_eq!(entries(&home.path().join("skiff/app-files")), 1, "{loss:?} {steps}");
            apps::keep(&mut calm(home.path()), &second).unwrap();
            if !was_cut {
                break;
            }
            cuts += 1;
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 80, "{cuts}");
}
