//! What a folder of tiles says about itself: `metadata.json` (MBTiles 1.3 as `mb-util` unpacks it) or
//! `tilemapresource.xml` (TMS 1.0, as `gdal2tiles` writes it).

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use serde_json::Value;

use super::mbtiles::MbTiles;

/// Bytes of the file; that of vector tiles names each layer and its attributes.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Bytes of a name or description.
const TEXT_BYTES_MAX: usize = 1024;
/// Most detail that Signal K knows (`TileLayerSource` of its resources API).
const ZOOM_MAX: u8 = 30;
/// Scale of a chart that does not tell it (the same).
const SCALE: f64 = 250_000.0;
/// Formats of tiles that Signal K knows.
const FORMATS: [&str; 4] = ["png", "jpg", "webp", "pbf"];

/// What is known of a chart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct About {
    pub name: Option<String>,
    pub description: String,
    /// West, south, east, north, degrees.
    pub bounds: Option<[f64; 4]>,
    pub minzoom: u8,
    pub maxzoom: u8,
    /// Ending of the tiles' files.
    pub format: &'static str,
    /// A metre on the chart is so many on the water.
    pub scale: f64,
    /// Row 0 is the southernmost (TMS), not the northernmost.
    pub counts_from_south: bool,
}

impl About {
    /// Reads what a chart in one file says. MBTiles count rows from the south, whatever `scheme` says.
    ///
    /// # Errors
    /// The clause that says what is wrong with it.
    pub fn of_file(chart: &MbTiles) -> Result<Self, String> {
        Ok(Self { counts_from_south: true, ..of_json(&chart.metadata()?) })
    }

    /// Reads what a folder says, at most [`FILE_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// The clause that says what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, String> {
        if let Some(text) = file(&folder.join("tilemapresource.xml"))? {
            return of_xml(&text).ok_or_else(|| "tilemapresource.xml is damaged".into());
        }
        let text = file(&folder.join("metadata.json"))?;
        let text = text.ok_or("it is no chart: it has no metadata.json and no tilemapresource.xml")?;
        let metadata = serde_json::from_str(&text).map_err(|error| format!("metadata.json is damaged: {error}"))?;
        Ok(of_json(&metadata))
    }
}

/// Reads a file; `None` where there is none.
fn file(path: &Path) -> Result<Option<String>, String> {
    let named = |clause: &dyn std::fmt::Display| format!("{}: {clause}", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(named(&error)),
    };
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| named(&error))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(named(&format_args!("longer than {FILE_BYTES_MAX} bytes")));
    }
    Ok(Some(text))
}

/// MBTiles has texts only; what others write has numbers and lists.
fn of_json(metadata: &Value) -> About {
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).and_then(short);
    let number = |name: &str| metadata.get(name).and_then(number);
    let zoom = |name: &str| number(name).and_then(zoom);
    let bounds = match metadata.get("bounds") {
        Some(Value::String(text)) => text.split(',').map(|part| part.trim().parse().ok()).collect(),
        Some(Value::Array(list)) => list.iter().map(self::number).collect(),
        _ => None,
    };
    About {
        name: text("name"),
        description: text("description").unwrap_or_default(),
        bounds: bounds.and_then(|bounds: Vec<f64>| sound(bounds.try_into().ok()?)),
        minzoom: zoom("minzoom").unwrap_or(0),
        maxzoom: zoom("maxzoom").unwrap_or(ZOOM_MAX),
        format: text("format").map_or(FORMATS[0], |text| format(&text)),
        scale: number("scale").filter(|scale| *scale >= 1.0).unwrap_or(SCALE),
        counts_from_south: text("scheme").is_some_and(|scheme| scheme == "tms"),
    }
}

fn of_xml(text: &str) -> Option<About> {
    let document = roxmltree::Document::parse(text).ok()?;
    let all = |name: &'static str| document.descendants().filter(move |node| node.has_tag_name(name));
    let text = |name| all(name).next().and_then(|node| short(node.text()?.trim()));
    let zooms: Vec<u8> = all("TileSet").filter_map(|set| set.attribute("order")?.parse().ok().and_then(zoom)).collect();
    let bounds = all("BoundingBox").next().and_then(|node| {
        let side = |name| node.attribute(name)?.parse().ok();
        sound([side("minx")?, side("miny")?, side("maxx")?, side("maxy")?])
    });
    let ending = all("TileFormat").next().and_then(|node| node.attribute("extension"));
    all("TileMap").next()?;
    Some(About {
        name: text("Title"),
        description: text("Abstract").unwrap_or_default(),
        bounds,
        minzoom: zooms.iter().min().copied().unwrap_or(0),
        maxzoom: zooms.iter().max().copied().unwrap_or(ZOOM_MAX),
        format: ending.map_or(FORMATS[0], format),
        scale: SCALE,
        counts_from_south: true,
    })
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

/// Returns a zoom, a whole number from 0 to [`ZOOM_MAX`].
fn zoom(number: f64) -> Option<u8> {
    (0..=ZOOM_MAX).find(|zoom| f64::from(*zoom) == number)
}

/// Returns bounds in degrees; others, metres perhaps, would put the chart where it is not.
fn sound(bounds: [f64; 4]) -> Option<[f64; 4]> {
    let [west, south, east, north] = bounds;
    let is_sound = west.abs() <= 180.0 && east.abs() <= 180.0 && south.abs() <= 90.0 && north.abs() <= 90.0;
    (is_sound && south <= north).then_some(bounds)
}

fn format(text: &str) -> &'static str {
    FORMATS.into_iter().find(|known| text.eq_ignore_ascii_case(known)).unwrap_or(FORMATS[0])
}

fn short(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= TEXT_BYTES_MAX).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_can_be_texts_and_what_is_wrong_is_left_out() {
        let about = of_json(&json!({"bounds": [1, "2", 3, 4.5], "minzoom": "4", "maxzoom": 99, "format": "PBF"}));
        assert_eq!((about.bounds, about.minzoom, about.maxzoom), (Some([1.0, 2.0, 3.0, 4.5]), 4, ZOOM_MAX));
        assert_eq!((about.format, about.counts_from_south), ("pbf", false));
        for bad in [json!("1,2,3"), json!([1, 2, 3, 400]), json!([1, 9, 3, 4]), json!(7), json!("a,b,c,d")] {
            assert_eq!(of_json(&json!({ "bounds": bad })).bounds, None, "{bad}");
        }
        let about = of_json(&json!({"name": "x".repeat(2000), "scale": -1, "scheme": "tms", "minzoom": 2.5}));
        assert_eq!((about.name, about.scale, about.minzoom), (None, SCALE, 0));
        assert!(about.counts_from_south);
    }

    #[test]
    fn a_tile_map_of_gdal_is_read() {
        let xml = r#"<?xml version="1.0" encoding="utf-8"?>
            <TileMap version="1.0.0" tilemapservice="http://tms.osgeo.org/1.0.0">
              <Title>Kiel &amp; Fjord</Title><Abstract></Abstract><SRS>EPSG:900913</SRS>
              <BoundingBox minx="10.0" miny="54.3" maxx="10.5" maxy="54.6"/>
              <TileFormat width="256" height="256" mime-type="image/jpeg" extension="jpg"/>
              <TileSets profile="mercator"><TileSet href="11" order="11"/><TileSet href="9" order="9"/></TileSets>
            </TileMap>"#;
        let about = of_xml(xml).unwrap();
        assert_eq!((about.name.as_deref(), &*about.description), (Some("Kiel & Fjord"), ""));
        assert_eq!((about.minzoom, about.maxzoom, about.format), (9, 11, "jpg"));
        assert_eq!((about.bounds, about.counts_from_south), (Some([10.0, 54.3, 10.5, 54.6]), true));
        for bad in ["", "<a", "<a/>", "<!DOCTYPE a [<!ENTITY b \"c\">]><TileMap>&b;</TileMap>"] {
            assert_eq!(of_xml(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("metadata.json"), " ".repeat(300 * 1024)).unwrap();
        assert!(About::read(home.path()).is_err_and(|clause| clause.contains("longer")));
        assert!(About::read(&home.path().join("none")).is_err_and(|clause| clause.contains("no chart")));
    }
}
