//! The chart folder: charts as folders of tiles or in one file (MBTiles), listed as resources, their tiles served.
//!
//! ```text
//! charts/Skagerrak.mbtiles
//! charts/Baltic/metadata.json              what it is; or tilemapresource.xml, whose tiles count from the south
//! charts/Baltic/<zoom>/<column>/<row>.png  its tiles
//! ```
//!
//! Signal K Server's charts plugin reads the same folder. Nothing is written there.

mod about;
mod lookup;
mod mbtiles;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use skiff_runtime::stores::resources::SOURCE;
use skiff_runtime::time::UnixMillis;

use about::About;
use mbtiles::MbTiles;

/// The folder below the configuration folder.
const FOLDER: &str = "charts";
/// Ending of a chart in one file.
const ENDING: &str = ".mbtiles";
/// First segments of a tile's address.
const ADDRESS: [&str; 2] = ["signalk", "chart-tiles"];
/// Charts that are listed.
const CHARTS_MAX: usize = 256;
/// Bytes of a chart's name, which is the name of its folder.
const NAME_BYTES_MAX: usize = 64;
/// Tiles are counted to this zoom: no chart has more detail, and a row has 30 bits.
const ZOOM_MAX: u8 = 30;
/// Time for which a listing is taken to be true.
const KEPT: Duration = Duration::from_secs(5);
/// What an address can hold as it stands (RFC 3986 §2.3).
const CODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The charts of a configuration folder.
#[derive(Debug)]
pub struct Charts {
    folder: PathBuf,
    listed: Option<(Instant, Vec<(String, String)>)>,
    told: HashSet<PathBuf>,
}

/// A tile of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Ending of its kind: `png`, `jpg`, `webp`, or `pbf`, vectors, compressed as is usual for them.
    pub format: &'static str,
    /// Where it is.
    pub place: Place,
}

/// Where a tile is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File {
        /// The folder of the chart.
        folder: PathBuf,
        /// The file below that folder, begins with `/`.
        below: String,
    },
    /// In a chart of one file.
    Read {
        /// The tile.
        bytes: Vec<u8>,
        /// When the chart was changed last.
        changed: Option<SystemTime>,
    },
}

impl Charts {
    /// Takes the configuration folder; it need not have charts.
    #[must_use]
    pub fn new(config: &Path) -> Self {
        Self { folder: config.join(FOLDER), listed: None, told: HashSet::new() }
    }

    /// Lists id and resource of each chart, sorted by id. What is no chart is left out, and told of once.
    pub fn list(&mut self) -> Vec<(String, String)> {
        let now = Instant::now();
        if let Some((at, listed)) = &self.listed
            && now.saturating_duration_since(*at) < KEPT
        {
            return listed.clone();
        }
        let mut names: Vec<PathBuf> =
            fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        names.sort_unstable();
        let mut charts = Vec::new();
        for path in names {
            match chart(&path) {
                Ok(None) => {}
                Ok(Some(_)) if charts.len() >= CHARTS_MAX => {
                    self.tell(&path, &format!("it is left out, there are {CHARTS_MAX} charts already"));
                }
                Ok(Some(chart)) => charts.push(chart),
                Err(clause) => self.tell(&path, &clause),
            }
        }
        charts.sort_unstable();
        self.listed = Some((now, charts.clone()));
        charts
    }

    fn tell(&mut self, path: &Path, clause: &str) {
        if self.told.len() < CHARTS_MAX && self.told.insert(path.to_owned()) {
            log::warn!("{}: {clause}", path.display());
        }
    }
}

/// Reads a chart; `None` for what is none and need not be told of.
fn chart(path: &Path) -> Result<Option<(String, String)>, String> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.starts_with('.') {
        return Ok(None);
    }
    let is_folder = path.is_dir();
    let name = match name.strip_suffix(ENDING) {
        Some(name) if !is_folder => name,
        _ if is_folder => name,
        _ => return Ok(None),
    };
    if !is_name(name) {
        return Err(format!("a chart has a name of at most {NAME_BYTES_MAX} bytes, without quotes"));
    }
    let about = if is_folder {
        About::read(path)?
    } else {
        if path.with_extension("").is_dir() {
            return Err("it is left out, there is a folder of this name".into());
        }
        About::of_file(&MbTiles::open(path)?)?
    };
    Ok(Some((name.to_owned(), resource(name, &about, changed(path)))))
}

fn is_name(name: &str) -> bool {
    let plain = |letter: char| !letter.is_control() && !matches!(letter, '/' | '\\' | '"');
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.starts_with('.') && name.chars().all(plain)
}

/// Returns when the folder was changed last.
fn changed(path: &Path) -> Option<UnixMillis> {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    let since = changed.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(UnixMillis)
}

/// Returns the chart as clients know it; `tilemapUrl` and `chartLayers` are what version 1 calls `url` and `layers`.
fn resource(name: &str, about: &About, changed: Option<UnixMillis>) -> String {
    let [signalk, tiles] = ADDRESS;
    let url = format!("/{signalk}/{tiles}/{}/{{z}}/{{x}}/{{y}}", utf8_percent_encode(name, CODED));
    let mut chart = Map::new();
    let mut add = |name: &str, value: Value| chart.insert(name.into(), value);
    add("identifier", json!(name));
    add("name", json!(about.name.as_deref().unwrap_or(name)));
    add("description", json!(about.description));
    add("type", json!("tilelayer"));
    add("url", json!(url));
    add("tilemapUrl", json!(url));
    add("layers", json!([]));
    add("chartLayers", json!([]));
    if let Some(bounds) = about.bounds {
        add("bounds", json!(bounds));
    }
    add("minzoom", json!(about.minzoom));
    add("maxzoom", json!(about.maxzoom));
    add("format", json!(about.format));
    add("scale", json!(about.scale));
    if let Some(changed) = changed {
        add("timestamp", json!(&*changed.text()));
    }
    add("$source", json!(SOURCE));
    Value::Object(chart).to_string()
}

/// Finds the tile that the decoded segments of an address ask for: `signalk/chart-tiles/<chart>/<zoom>/<column>/<row>`, the
/// row perhaps with the ending of its format.
#[must_use]
pub fn tile(config: &Path, segments: &[&str]) -> Option<Tile> {
    let [name, zoom, column, row] = segments.strip_prefix(&ADDRESS[..])? else { return None };
    if !is_name(name) {
        return None;
    }
    let folder = config.join(FOLDER).join(name);
    let file = (!folder.is_dir()).then(|| config.join(FOLDER).join([name, ENDING].concat()));
    let (chart, about) = match &file {
        Some(file) => {
            let chart = told(file, MbTiles::open(file))?;
            let about = told(file, About::of_file(&chart))?;
            (Some(chart), about)
        }
        None => (None, About::read(&folder).ok()?),
    };
    let row = row.strip_suffix(about.format).and_then(|row| row.strip_suffix('.')).unwrap_or(row);
    let zoom: u8 = number(zoom)?.try_into().ok().filter(|zoom| *zoom <= ZOOM_MAX)?;
    let (column, row) = (number(column)?, number(row)?);
    let last = (1_u32 << zoom) - 1;
    let row = if about.counts_from_south { last.checked_sub(row)? } else { row };
    let place = match (chart, file) {
        (Some(chart), Some(file)) => {
            let bytes = told(&file, chart.tile(zoom, column, row))??;
            Place::Read { bytes, changed: fs::metadata(&file).and_then(|metadata| metadata.modified()).ok() }
        }
        _ => Place::File { folder, below: format!("/{zoom}/{column}/{row}.{}", about.format) },
    };
    Some(Tile { format: about.format, place })
}

/// Tells what is wrong with a chart in one file; that there is none is nothing wrong.
fn told<T>(file: &Path, read: Result<T, String>) -> Option<T> {
    read.inspect_err(|clause| log::debug!("{}: {clause}", file.display())).ok()
}

/// Reads a number without sign, or zeros before it: each tile has one address.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(charts: &[(&str, &str, &str)]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for (name, file, text) in charts {
            let folder = home.path().join(FOLDER).join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(file), text).unwrap();
        }
        home
    }

    #[test]
    fn a_chart_is_listed_with_what_its_metadata_says() {
        let metadata = r#"{"name":"Baltic Sea","bounds":"9.5,54,15,58.25","minzoom":"3","maxzoom":9,"format":"jpg"}"#;
        let home = folder(&[("Baltic 1", "metadata.json", metadata), (".cache", "metadata.json", "{}")]);
        fs::write(home.path().join("charts/readme.txt"), "").unwrap();
        let listed = Charts::new(home.path()).list();
        let [(id, text)] = listed.as_slice() else { panic!("{listed:?}") };
        let chart: Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            (&**id, &chart["identifier"], &chart["name"]),
            ("Baltic 1", &json!("Baltic 1"), &json!("Baltic Sea"))
        );
        assert_eq!((&chart["bounds"], &chart["type"]), (&json!([9.5, 54.0, 15.0, 58.25]), &json!("tilelayer")));
        assert_eq!((&chart["minzoom"], &chart["maxzoom"], &chart["format"]), (&json!(3), &json!(9), &json!("jpg")));
        assert_eq!(chart["url"], "/signalk/chart-tiles/Baltic%201/{z}/{x}/{y}");
        assert_eq!((&chart["tilemapUrl"], &chart["scale"]), (&chart["url"], &json!(250_000.0)));
        assert!(chart["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{text}");
    }

    #[test]
    fn what_is_no_chart_is_left_out() {
        let home = folder(&[("empty", "0.png", ""), ("bad", "metadata.json", "{"), ("quo\"te", "metadata.json", "{}")]);
        fs::write(home.path().join("charts/a.mbtiles"), "SQLite format 3").unwrap();
        fs::write(home.path().join("charts/readme.txt"), "").unwrap();
        let mut charts = Charts::new(home.path());
        assert_eq!((charts.list(), charts.told.len()), (Vec::new(), 4));
        assert!(Charts::new(&home.path().join("nowhere")).list().is_empty());
    }

    #[test]
    fn a_tile_has_one_address_and_lies_in_its_chart() {
        let xml = r#"<TileMap><TileFormat extension="png"/><TileSets profile="mercator"><TileSet order="2"/></TileSets></TileMap>"#;
        let home = folder(&[("north", "metadata.json", "{}"), ("south", "tilemapresource.xml", xml)]);
        let below = |address: &str| {
            let segments: Vec<&str> = address.split('/').collect();
            tile(home.path(), &segments).map(|tile| match tile.place {
                Place::File { below, .. } => below,
                Place::Read { bytes, .. } => String::from_utf8(bytes).unwrap(),
            })
        };
        assert_eq!(below("signalk/chart-tiles/north/3/4/1").as_deref(), Some("/3/4/1.png"));
        assert_eq!(below("signalk/chart-tiles/north/3/4/1.png").as_deref(), Some("/3/4/1.png"));
        assert_eq!(below("signalk/chart-tiles/south/3/4/1").as_deref(), Some("/3/4/6.png"));
        for bad in [
            "north/3/4",
            "north/3/4/1/2",
            "north/3/4/-1",
            "north/3/04/1",
            "north/3/4/1.jpg",
            "north/31/4/1",
            "south/3/4/8",
            "../3/4/1",
            "north/../4/1",
            "nowhere/3/4/1",
            "north/3/4/",
        ] {
            assert_eq!(below(&format!("signalk/chart-tiles/{bad}")), None, "{bad}");
        }
        assert_eq!(below("signalk/other/north/3/4/1"), None);
    }

    #[test]
    fn a_chart_in_one_file_is_listed_and_its_rows_count_from_the_north() {
        let home = folder(&[("Kiel", "metadata.json", "{}")]);
        let mut unpacked = Vec::new();
        let packed = include_bytes!("samples/plain.mbtiles.gz");
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
        for name in ["Kiel", "Fjord"] {
            fs::write(home.path().join(FOLDER).join([name, ENDING].concat()), &unpacked).unwrap();
        }
        let mut charts = Charts::new(home.path());
        let listed = charts.list();
        assert_eq!(listed.iter().map(|(id, _)| &**id).collect::<Vec<_>>(), ["Fjord", "Kiel"]);
        assert!(charts.told.iter().any(|path| path.ends_with("Kiel.mbtiles")), "the folder comes first");
        let chart: Value = serde_json::from_str(&listed[0].1).unwrap();
        assert_eq!((&chart["identifier"], &chart["name"]), (&json!("Fjord"), &json!("Kiel & Fjord")));
        assert_eq!((&chart["bounds"], &chart["maxzoom"]), (&json!([10.0, 54.0, 10.5, 54.6]), &json!(4)));
        assert_eq!(chart["url"], "/signalk/chart-tiles/Fjord/{z}/{x}/{y}");
        let found = |address: &str| {
            let segments: Vec<&str> = address.split('/').collect();
            tile(home.path(), &segments)
        };
        let Some(Tile { format: "png", place: Place::Read { bytes, changed: Some(_) } }) =
            found("signalk/chart-tiles/Fjord/2/1/3")
        else {
            panic!("a tile")
        };
        assert!(bytes.starts_with(b"2/1/0;"), "row 3 from the north is row 0 from the south");
        for bad in ["Fjord/2/1/1", "Fjord/2/4/0", "Fjord/9/0/0", "Fjord.mbtiles/2/1/3", "Nowhere/2/1/3"] {
            assert_eq!(found(&format!("signalk/chart-tiles/{bad}")), None, "{bad}");
        }
    }
}
