//! Whatever stands in `settings.json`, `skiff/n2k.json`, `skiff/plugins.json` and a plugin's configuration: settings or an
//! error that names the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_runtime::config::{N2kConfig, Operator, PluginConfig, Settings};
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::model::Priorities;

fuzz_target!(|text: &[u8]| {
    let mut storage = SimStorage::new();
    for file in ["settings.json", "skiff/n2k.json", "skiff/plugins.json", "plugin-config-data/x.json"] {
        let key = Key::parse(file).expect("a key");
        storage.replace(&key, text).expect("there is room");
    }
    match Settings::load(&mut storage) {
        Ok(settings) => drop(settings.source_priorities.map(|text| Priorities::parse(&text))),
        Err(error) => assert!(error.to_string().starts_with("settings.json: "), "{error}"),
    }
    if let Err(error) = N2kConfig::load(&mut storage, false) {
        assert!(error.to_string().starts_with("skiff/n2k.json: "), "{error}");
    }
    drop(Operator::load(&mut storage, "@acme/tide"));
    if let Ok((Some(config), None)) = PluginConfig::load_or_keep_aside(&mut storage, "x", 4096) {
        config.save(&mut storage, "x").expect("there is room");
        let again = PluginConfig::load(&mut storage, "x", 16_384);
        assert!(again.is_ok_and(|again| again.as_ref() == Some(&config)), "what is saved is read again");
    }
    if let Ok(text) = core::str::from_utf8(text) {
        let config = PluginConfig::default();
        drop(config.posted(text));
    }
});
