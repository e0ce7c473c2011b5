//! What the registry offers, as `@signalk/server-admin-ui` 2.32 reads it (`/skServer/appstore/…`).

use std::collections::BTreeMap;

use semver::Version;
use serde_json::{Map, Value, json};
use skiff_runtime::hal::{InstalledPackage, StoreJob, StoreJobState};

use super::search::Offer;

/// Keywords that put a package under a heading, and the heading.
const CATEGORIES: [(&str, &str); 9] = [
    ("signalk-category-ais", "AIS"),
    ("signalk-category-chart-plotters", "Chart Plotters"),
    ("signalk-category-digital-switching", "Digital Switching"),
    ("signalk-category-hardware", "Hardware Integration"),
    ("signalk-category-instruments", "Instruments"),
    ("signalk-category-nmea-0183", "NMEA 0183"),
    ("signalk-category-nmea-2000", "NMEA 2000"),
    ("signalk-category-notifications", "Notifications"),
    ("signalk-category-utility", "Utility"),
];

/// Returns the list of offers: all, those that are there, those with a newer release, those that come or go.
pub(super) fn offers(
    found: Option<&BTreeMap<String, Offer>>,
    installed: &[InstalledPackage],
    jobs: &[StoreJob],
) -> String {
    let mut lists: [Vec<Value>; 4] = Default::default();
    let [available, there, updates, installing] = &mut lists;
    let nothing = BTreeMap::new();
    let mut all: BTreeMap<String, Offer> = found.unwrap_or(&nothing).clone();
    // What is here and not in the registry, or not to be asked now, is listed all the same.
    for package in installed {
        all.entry(package.name.clone()).or_insert_with(|| Offer::of_installed(package));
    }
    for job in jobs.iter().filter(|job| job.state != StoreJobState::Done) {
        all.entry(job.name.clone()).or_insert_with(|| Offer::named(&job.name, job.version.as_deref()));
    }
    for offer in all.values() {
        let here = installed.iter().find(|package| package.name == offer.name);
        // What has come or gone is in force at once: as what waits for a restart, as upstream has it, the page would offer
        // neither an update nor a removal of it.
        let job = jobs.iter().rev().find(|job| job.name == offer.name).filter(|job| job.state != StoreJobState::Done);
        let row = Value::Object(row(offer, here, job));
        if job.is_some() {
            installing.push(row.clone());
        } else if let Some(here) = here {
            let newer = Version::parse(&offer.version).ok().zip(Version::parse(&here.version).ok());
            if newer.is_some_and(|(offered, has)| offered > has) {
                updates.push(row.clone());
            }
            there.push(row.clone());
        }
        if found.is_some_and(|found| found.contains_key(&offer.name)) {
            available.push(row);
        }
    }
    let [available, there, updates, installing] = lists;
    let names = std::iter::once("All").chain(CATEGORIES.iter().map(|(_, name)| *name));
    let list = json!({
        "available": available, "installed": there, "updates": updates, "installing": installing,
        "categories": names.collect::<Vec<_>>(), "storeAvailable": found.is_some(), "isInDocker": false,
        "canUpdateServer": false,
    });
    list.to_string()
}

/// Returns what the page of one package shows.
pub(super) fn detail(offer: &Offer) -> String {
    let mut row = row(offer, None, None);
    let more = json!({ "official": false, "deprecated": false, "screenshots": [], "readme": offer.description,
        "changelog": "", "requires": [], "recommends": [], "readmeFormat": "markdown",
        "changelogFormat": "synthesized", "fromCache": false });
    if let Value::Object(more) = more {
        row.extend(more);
    }
    Value::Object(row).to_string()
}

/// Returns what a package is, and of one that waits for consent how to give it: the page has no other place for that.
fn described(offer: &Offer, here: Option<&InstalledPackage>) -> String {
    match here.map(|here| here.asks.as_str()).filter(|asks| !asks.is_empty()) {
        Some(asks) => {
            let Offer { name, description, .. } = offer;
            format!(
                "Not in use: asks for {asks}. Accept that on Skiff's own page, or type \
                 `skiff plugin enable {name} --grant {asks}`. {description}"
            )
        }
        None => offer.description.clone(),
    }
}

fn row(offer: &Offer, here: Option<&InstalledPackage>, job: Option<&StoreJob>) -> Map<String, Value> {
    let categories = CATEGORIES.iter().filter(|(keyword, _)| offer.has(keyword)).map(|(_, name)| *name);
    let [npm, source] = offer.links();
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| _ = row.insert(name.into(), value);
    put("name", json!(offer.name));
    put("version", json!(offer.version));
    put("description", json!(described(offer, here)));
    put("author", json!(offer.author()));
    put("categories", json!(categories.collect::<Vec<_>>()));
    put("updated", json!(offer.date));
    put("keywords", json!(offer.keywords));
    put("displayName", json!(offer.name));
    put("npmUrl", json!(npm));
    put("githubUrl", json!(source));
    // The page has a link to a plugin's settings where this is true.
    put("isPlugin", json!(offer.has("signalk-wasm-plugin")));
    put("isWebapp", json!(offer.has("signalk-webapp")));
    put("isEmbeddableWebapp", json!(offer.has("signalk-embeddable-webapp")));
    if let Some(here) = here {
        put("installedVersion", json!(here.version));
        if let Some(id) = &here.plugin {
            put("id", json!(id));
        }
    }
    let Some(job) = job else { return row };
    match &job.version {
        Some(version) => put("pendingVersion", json!(version)),
        None => put("isRemove", json!(true)),
    }
    let state = match job.state {
        StoreJobState::Waiting => "isWaiting",
        StoreJobState::AtWork if job.version.is_none() => "isRemoving",
        StoreJobState::AtWork => "isInstalling",
        StoreJobState::Failed => "installFailed",
        StoreJobState::Done => return row,
    };
    put(state, json!(true));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(name: &str, version: &str) -> Offer {
        serde_json::from_value(json!({ "name": name, "version": version, "keywords": ["signalk-webapp",
            "signalk-category-ais"], "author": { "name": "A. N. Other" }, "links": { "npm": "javascript:alert(1)" } }))
        .unwrap()
    }

    fn names(list: &Value) -> Vec<&str> {
        list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn each_package_stands_where_the_page_looks_for_it() {
        let found: BTreeMap<String, Offer> =
            [offer("kip", "1.10.0"), offer("tide", "2.0.0"), offer("wind", "1.0.0"), offer("new", "1.0.0")]
                .map(|offer| (offer.name.clone(), offer))
                .into();
        let here = |name: &str, version: &str| InstalledPackage {
            name: name.into(),
            version: version.into(),
            plugin: None,
            asks: String::new(),
        };
        let installed = [here("kip", "1.9.0"), here("tide", "2.0.0"), here("own", "1.0.0")];
        let jobs = [StoreJob { name: "wind".into(), version: Some("1.0.0".into()), state: StoreJobState::AtWork }];
        let list: Value = serde_json::from_str(&offers(Some(&found), &installed, &jobs)).unwrap();
        assert_eq!(names(&list["available"]), ["kip", "new", "tide", "wind"]);
        assert_eq!(names(&list["installed"]), ["kip", "own", "tide"]);
        assert_eq!(names(&list["updates"]), ["kip"]);
        assert_eq!(names(&list["installing"]), ["wind"]);
        assert_eq!(list["installing"][0]["isInstalling"], true);
        let done = [
            StoreJob { name: "kip".into(), version: Some("1.9.0".into()), state: StoreJobState::Done },
            StoreJob { name: "gone".into(), version: None, state: StoreJobState::Done },
        ];
        let after: Value = serde_json::from_str(&offers(Some(&found), &installed, &done)).unwrap();
        assert_eq!(
            (names(&after["installing"]), names(&after["installed"]), names(&after["updates"])),
            (vec![], vec!["kip", "own", "tide"], vec!["kip"]),
            "what has come can be updated"
        );
        assert_eq!(
            (&list["installed"][0]["installedVersion"], &list["storeAvailable"]),
            (&json!("1.9.0"), &json!(true))
        );
        let kip = &list["available"][0];
        assert_eq!((&kip["author"], &kip["categories"]), (&json!("A. N. Other"), &json!(["AIS"])));
        assert_eq!(kip["npmUrl"], Value::Null, "only a page of the web is a link");
    }

    #[test]
    fn without_the_registry_what_is_here_is_listed() {
        let installed = [InstalledPackage {
            name: "tide".into(),
            version: "1.0.0".into(),
            plugin: Some("tide".into()),
            asks: String::new(),
        }];
        let list: Value = serde_json::from_str(&offers(None, &installed, &[])).unwrap();
        assert_eq!((&list["storeAvailable"], names(&list["available"]).len()), (&json!(false), 0));
        assert_eq!((&list["installed"][0]["id"], names(&list["installed"]).len()), (&json!("tide"), 1));
    }

    #[test]
    fn who_waits_for_consent_says_so_and_how_to_give_it() {
        let here = |asks: &str| InstalledPackage {
            name: "kip".into(),
            version: "1.0.0".into(),
            plugin: None,
            asks: asks.into(),
        };
        let mut kip = offer("kip", "1.0.0");
        kip.description = "Instruments".into();
        assert_eq!(described(&kip, Some(&here(""))), "Instruments");
        assert_eq!(described(&kip, None), "Instruments");
        let waits = described(&kip, Some(&here("webapp")));
        assert!(waits.starts_with("Not in use: asks for webapp.") && waits.ends_with("Instruments"), "{waits}");
        assert!(waits.contains("skiff plugin enable kip --grant webapp"), "{waits}");
    }
}
