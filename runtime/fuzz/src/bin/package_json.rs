//! Any `package.json` is one with sound facts or refused with a reason, as text alone and with members of every kind.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use skiff_runtime::package::asks::WEB_APP_KEYWORDS;
use skiff_runtime::package::{Asks, Manifest, NAME_BYTES_MAX, plugin_id};

/// A member that is looked for, and what stands there.
#[derive(Arbitrary, Debug)]
enum Member<'a> {
    Name(&'a str),
    Version(&'a str),
    Keywords(Vec<Keyword<'a>>),
    Module(&'a str),
    OwnModule(&'a str),
    Capabilities(Vec<(u8, &'a str)>),
    Subscribe(Vec<&'a str>),
    /// Raw text in the place of any member.
    Raw(u8, &'a str),
}

#[derive(Arbitrary, Debug)]
enum Keyword<'a> {
    Plugin,
    WebApp,
    Other(&'a str),
}

const MEMBERS: [&str; 8] =
    ["name", "version", "description", "keywords", "wasmManifest", "wasmCapabilities", "skiff", "other"];
const CAPABILITIES: [&str; 12] = [
    "network",
    "storage",
    "dataRead",
    "dataWrite",
    "serialPorts",
    "putHandlers",
    "httpEndpoints",
    "resourceProvider",
    "weatherProvider",
    "radarProvider",
    "rawSockets",
    "other",
];

fn quoted(text: &str) -> String {
    skiff_runtime::json::quoted(text)
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(","))
}

fn written(member: &Member<'_>) -> (String, String) {
    let pick = |names: &[&str], at: u8| names[usize::from(at) % names.len()].to_string();
    match member {
        Member::Name(text) => ("name".into(), quoted(text)),
        Member::Version(text) => ("version".into(), quoted(text)),
        Member::Keywords(list_of) => {
            let texts = list_of.iter().map(|keyword| match keyword {
                Keyword::Plugin => "signalk-wasm-plugin",
                Keyword::WebApp => WEB_APP_KEYWORDS[0],
                Keyword::Other(text) => text,
            });
            ("keywords".into(), list(texts))
        }
        Member::Module(text) => ("wasmManifest".into(), quoted(text)),
        Member::OwnModule(text) => ("skiff".into(), format!("{{\"wasmManifest\":{}}}", quoted(text))),
        Member::Capabilities(pairs) => {
            let pairs = pairs.iter().map(|(at, raw)| format!("{}:{raw}", quoted(&pick(&CAPABILITIES, *at))));
            ("wasmCapabilities".into(), format!("{{{}}}", pairs.collect::<Vec<_>>().join(",")))
        }
        Member::Subscribe(paths) => ("skiff".into(), format!("{{\"subscribe\":{}}}", list(paths.iter().copied()))),
        Member::Raw(at, raw) => (pick(&MEMBERS, *at), (*raw).to_string()),
    }
}

fn check(text: &[u8]) {
    let Ok(manifest) = Manifest::parse(text) else { return };
    let (name, id) = (manifest.name(), plugin_id(manifest.name()));
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.~@/".contains(c);
    assert!(!name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(is_plain), "{name:?}");
    assert!(!name.starts_with(['.', '_', '/']) && name.matches('/').count() <= 1, "{name:?}");
    assert!(!id.contains(['/', '@']) && !id.starts_with('.'), "{id:?}");
    let mut parts = manifest.wasm_path.split('/');
    assert!(parts.all(|part| !matches!(part, "" | "." | "..")), "{:?}", manifest.wasm_path);
    let asks = manifest.asks();
    assert!(asks.is_empty() || Asks::parse(&asks.to_string()) == Some(asks), "{asks}");
    let package = manifest.with_wasm(b"\0asm\x01\0\0\0".to_vec()).expect("it begins like a module");
    assert_eq!(package.asks(), asks);
}

fuzz_target!(|input: (Vec<Member<'_>>, &[u8])| {
    let (members, raw) = input;
    check(raw);
    let members = members.iter().map(written).map(|(name, value)| format!("{}:{value}", quoted(&name)));
    check(format!("{{{}}}", members.collect::<Vec<_>>().join(",")).as_bytes());
});
