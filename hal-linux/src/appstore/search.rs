//! The search of a registry (npm registry API, `GET /-/v1/search`).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use skiff_runtime::hal::InstalledPackage;
use skiff_runtime::package::check_name;

use super::registry::RegistryError;
use super::transport::Transport;

/// Results of a page; npm's registry gives no more.
const PAGE: usize = 250;
/// Pages that are read: four times what there is of plugins and web apps of Signal K.
const PAGES_MAX: usize = 8;
/// Bytes of a page.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a text that is kept of a result.
const TEXT_BYTES_MAX: usize = 1024;
/// Keywords that are kept of a result.
const KEYWORDS_MAX: usize = 64;

/// A package that a search has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Offer {
    /// npm name, scope included.
    pub name: String,
    /// Its newest release.
    pub version: String,
    /// What it says it is.
    pub description: String,
    /// Its keywords.
    pub keywords: Vec<String>,
    /// When that release came, as RFC 3339.
    pub date: String,
    author: serde_json::Value,
    links: Links,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Links {
    npm: Option<String>,
    repository: Option<String>,
}

impl Offer {
    /// Returns a package that is here, as if the registry had offered it.
    pub(super) fn of_installed(package: &InstalledPackage) -> Self {
        let keywords = [if package.plugin.is_some() { "signalk-wasm-plugin" } else { "signalk-webapp" }];
        let keywords = keywords.map(str::to_owned).to_vec();
        Self { keywords, ..Self::named(&package.name, Some(&package.version)) }
    }

    /// Returns a package of which no more is known.
    pub(super) fn named(name: &str, version: Option<&str>) -> Self {
        Self { name: name.to_owned(), version: version.unwrap_or_default().to_owned(), ..Self::default() }
    }

    /// Tells whether it has a keyword.
    #[must_use]
    pub fn has(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|own| own == keyword)
    }

    /// Returns its author's name, empty where it says none.
    #[must_use]
    pub fn author(&self) -> &str {
        let name = self.author.get("name").unwrap_or(&self.author);
        name.as_str().unwrap_or_default()
    }

    /// Returns the addresses of its page and of its source.
    #[must_use]
    pub fn links(&self) -> [Option<&str>; 2] {
        // They become links on a page of the admin.
        let web = |link: &Option<String>| link.as_deref().is_some_and(|link| link.starts_with("https://"));
        [&self.links.npm, &self.links.repository].map(|link| link.as_deref().filter(|_| web(link)))
    }

    /// Cuts what is longer than anybody shows.
    fn bounded(mut self) -> Self {
        for text in [&mut self.version, &mut self.description, &mut self.date] {
            cut(text);
        }
        self.keywords.truncate(KEYWORDS_MAX);
        self.keywords.iter_mut().for_each(cut);
        if self.author().len() > TEXT_BYTES_MAX {
            self.author = serde_json::Value::Null;
        }
        self
    }
}

fn cut(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        let end = (0..=TEXT_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    objects: Vec<Row>,
    #[serde(default)]
    total: u64,
}

#[derive(Deserialize)]
struct Row {
    package: Offer,
}

/// Reads all pages of a search.
pub(super) fn search(transport: &Transport, registry: &str, words: &str) -> Result<Vec<Offer>, RegistryError> {
    let text = utf8_percent_encode(words, NON_ALPHANUMERIC);
    let mut offers: Vec<Offer> = Vec::new();
    let mut seen = 0;
    for _ in 0..PAGES_MAX {
        let url = format!("{registry}-/v1/search?size={PAGE}&from={seen}&text={text}");
        let page = transport.get(&url, Some("application/json"), PAGE_BYTES_MAX).map_err(|error| match error {
            RegistryError::NotFound(url) => {
                RegistryError::Status { status: 404, url: format!("{url}: no search here") }
            }
            error => error,
        })?;
        let page: Page = serde_json::from_slice(&page).map_err(|_| RegistryError::Malformed("no search results"))?;
        // The total is an estimate: an empty page is the end, too.
        if page.objects.is_empty() {
            break;
        }
        seen += page.objects.len();
        let new = page.objects.into_iter().map(|row| row.package.bounded());
        offers.extend(new.filter(|offer| check_name(&offer.name).is_ok()));
        if u64::try_from(seen).is_ok_and(|seen| seen >= page.total) {
            break;
        }
    }
    Ok(offers)
}
