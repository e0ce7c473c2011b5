//! A chart in one file: MBTiles 1.3, tiles and what they show in a database of SQLite.
//!
//! ```text
//! metadata (name, value)                                    what it is, as texts
//! tiles (zoom_level, tile_column, tile_row, tile_data)      its tiles; rows count from the south
//! ```
//!
//! Many writers store equal tiles once: `tiles` is a view then, and the tiles lie in two tables that share the column of a
//! number or a hash, such as `map` and `images` with `tile_id`.

use std::path::Path;

use quantydb_sqlite::SqliteValue;
use serde_json::{Map, Value};

use super::lookup::{File, Key, Table};

/// What a tile is known by.
const PLACE: [&str; 3] = ["zoom_level", "tile_column", "tile_row"];
const DATA: &str = "tile_data";
/// What the two tables can have in common.
const SHARED: [&str; 3] = ["tile_id", "tile_data_id", "image_id"];
/// Rows of `metadata` that are read; the standard has nine.
const METADATA_ROWS_MAX: usize = 64;

/// An open chart.
pub(super) struct MbTiles {
    file: File,
    tiles: Tiles,
}

/// Where its tiles lie.
enum Tiles {
    /// In one table.
    Plain(Table),
    /// Places in one, tiles in another that share a column.
    Shared { places: Table, tiles: Table, by: &'static str },
}

impl MbTiles {
    /// Opens a chart.
    ///
    /// # Errors
    /// The clause that says why it cannot be used.
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path)?;
        let [zoom, column, row] = PLACE;
        if let Some(table) = file.table(&[zoom, column, row, DATA], &PLACE)? {
            return Ok(Self { file, tiles: Tiles::Plain(table) });
        }
        for by in SHARED {
            let places = file.table(&[zoom, column, row, by], &PLACE)?;
            if let Some(places) = places
                && let Some(tiles) = file.table(&[by, DATA], &[by])?
            {
                return Ok(Self { file, tiles: Tiles::Shared { places, tiles, by } });
            }
        }
        Err("it has no table of tiles that is known (MBTiles 1.3)".into())
    }

    /// Returns what the chart says about itself, all texts.
    ///
    /// # Errors
    /// The clause that says what is damaged.
    pub fn metadata(&self) -> Result<Value, String> {
        let rows = self.file.rows("metadata", ["name", "value"], METADATA_ROWS_MAX)?;
        let mut metadata = Map::new();
        for [name, value] in rows {
            let SqliteValue::Text(name) = name else { continue };
            let value = match value {
                SqliteValue::Text(text) => Value::String(text),
                SqliteValue::Integer(number) => number.into(),
                SqliteValue::Real(number) => number.into(),
                SqliteValue::Null | SqliteValue::Blob(_) => continue,
            };
            metadata.insert(name, value);
        }
        Ok(Value::Object(metadata))
    }

    /// Returns a tile, its row counted from the south; `None` where the chart has none there.
    ///
    /// # Errors
    /// The clause that says what is damaged.
    pub fn tile(&self, zoom: u8, column: u32, row: u32) -> Result<Option<Vec<u8>>, String> {
        let place = [Key::Number(zoom.into()), Key::Number(column.into()), Key::Number(row.into())];
        let data = match &self.tiles {
            Tiles::Plain(table) => self.file.value(table, &place, DATA)?,
            Tiles::Shared { places, tiles, by } => {
                let shared = match self.file.value(places, &place, by)? {
                    Some(SqliteValue::Integer(number)) => Key::Number(number),
                    Some(SqliteValue::Text(text)) => Key::Text(text),
                    _ => return Ok(None),
                };
                self.file.value(tiles, &[shared], DATA)?
            }
        };
        Ok(match data {
            Some(SqliteValue::Blob(data)) => Some(data),
            Some(SqliteValue::Text(text)) => Some(text.into_bytes()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Charts that SQLite 3.40 wrote, in pages of 512 bytes: zooms 0 to 4, but for tiles with `(column + row) % 5 == 3`.
    const CHARTS: [(&str, &[u8]); 4] = [
        ("plain", include_bytes!("samples/plain.mbtiles.gz")),
        ("shared", include_bytes!("samples/shared.mbtiles.gz")),
        ("numbered", include_bytes!("samples/numbered.mbtiles.gz")),
        ("made", include_bytes!("samples/made.mbtiles.gz")),
    ];
    const UNSORTED: &[u8] = include_bytes!("samples/unsorted.mbtiles.gz");

    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    fn expected(zoom: u8, column: u32, row: u32) -> Vec<u8> {
        let times = 1 + (column * 7 + row * 13 + u32::from(zoom)) % 90;
        format!("{zoom}/{column}/{row};").repeat(usize::try_from(times).unwrap()).into_bytes()
    }

    #[test]
    fn each_tile_is_found_however_the_file_has_them() {
        for (name, packed) in CHARTS {
            let file = written(&unpacked(packed));
            let chart = MbTiles::open(file.path()).unwrap();
            for zoom in 0..=4 {
                let edge = 1_u32 << zoom;
                for (column, row) in (0..edge).flat_map(|column| (0..edge).map(move |row| (column, row))) {
                    let wanted = ((column + row) % 5 != 3).then(|| expected(zoom, column, row));
                    assert_eq!(chart.tile(zoom, column, row).unwrap(), wanted, "{name} {zoom}/{column}/{row}");
                }
                assert_eq!(chart.tile(zoom, edge, 0), Ok(None), "{name}");
            }
            assert_eq!(chart.tile(5, 0, 0), Ok(None));
            let metadata = chart.metadata().unwrap();
            assert_eq!((&metadata["name"], &metadata["maxzoom"]), (&"Kiel & Fjord".into(), &"4".into()));
        }
    }

    #[test]
    fn tiles_without_an_index_are_refused_with_what_to_type() {
        let clause = MbTiles::open(written(&unpacked(UNSORTED)).path()).err().unwrap();
        assert!(clause.contains("CREATE INDEX tiles_sorted ON tiles (zoom_level, tile_column, tile_row)"), "{clause}");
    }

    #[test]
    fn what_is_no_chart_says_so() {
        assert!(MbTiles::open(written(b"SQLite format 3").path()).is_err());
        assert!(MbTiles::open(written(&[]).path()).is_err());
        assert!(MbTiles::open(Path::new("/nowhere/a.mbtiles")).is_err());
        let bytes = unpacked(CHARTS[0].1);
        assert!(MbTiles::open(written(&bytes[..bytes.len() / 2]).path()).is_err(), "cut");
    }

    #[test]
    fn a_damaged_chart_gives_errors_or_other_tiles_and_never_panics() {
        for (_, packed) in CHARTS {
            let bytes = unpacked(packed);
            let file = written(&bytes);
            for step in 0..150_usize {
                let mut damaged = bytes.clone();
                let at = step * 7919 % bytes.len().min(16_384);
                damaged[at] = damaged[at].wrapping_add(u8::try_from(1 + step % 255).unwrap());
                std::fs::write(file.path(), &damaged).unwrap();
                let Ok(chart) = MbTiles::open(file.path()) else { continue };
                let _ = chart.metadata();
                for zoom in 0..=4 {
                    let _ = (chart.tile(zoom, 0, 0), chart.tile(zoom, (1 << zoom) - 1, 0));
                }
            }
        }
    }
}
