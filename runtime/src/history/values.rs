//! An answer of rows: a time, then a value for each path asked for.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::aggregate::Column;
use super::block::Names;
use super::query::Query;
use super::sample::Sample;
use super::scan::Taker;
use crate::json;
use crate::time::UnixMillis;

/// Rows times columns of an answer.
pub const CELLS_MAX: usize = 100_000;
/// Bytes of texts that are kept for an answer.
const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Columns of an answer.
const COLUMNS_MAX: usize = 64;
/// Paths, once for each source, that one query can meet.
const SERIES_MAX: usize = 1024;
/// Values that are written at a time: a millisecond's work.
const CELLS_AT_A_TIME: usize = 8192;

/// A column, and what it is of.
#[derive(Debug)]
struct Named {
    /// Its place among the paths asked for.
    spec: usize,
    source: Option<String>,
    column: Column,
}

/// Puts values into rows.
#[derive(Debug)]
pub struct Values {
    query: Query,
    context: String,
    columns: Vec<Named>,
    /// The columns of each path and source that was met.
    series: Vec<Vec<usize>>,
    places: BTreeMap<(String, String), usize>,
    /// Which of the paths asked for are angles.
    angles: Vec<bool>,
    text_bytes: usize,
    too_much: bool,
    written: Option<(usize, String)>,
}

impl Values {
    /// Begins an answer about a context, `vessels.urn:…`; `is_angle` tells of a path whether it is measured in radians.
    ///
    /// `None` where it would have more than [`CELLS_MAX`] values.
    #[must_use]
    pub fn new(query: Query, context: &str, is_angle: impl Fn(&str) -> bool) -> Option<Self> {
        let rows = query.rows();
        if rows.saturating_mul(query.paths.len()) > CELLS_MAX {
            return None;
        }
        let mut values = Self {
            context: context.into(),
            columns: Vec::new(),
            series: Vec::new(),
            places: BTreeMap::new(),
            angles: query.paths.iter().map(|spec| is_angle(&spec.path)).collect(),
            text_bytes: 0,
            too_much: false,
            written: None,
            query,
        };
        for spec in 0..values.query.paths.len() {
            // Those of all sources are found as they come.
            let asked = values.query.paths.get(spec).map(|spec| spec.source.clone());
            if !values.query.by_source || asked.as_ref().is_some_and(Option::is_some) {
                values.add(spec, asked.flatten());
            }
        }
        Some(values)
    }

    fn add(&mut self, spec: usize, source: Option<String>) -> Option<usize> {
        let rows = self.query.rows();
        let wanted = self.query.paths.get(spec)?;
        let place = self.columns.len();
        if place >= COLUMNS_MAX || place.saturating_add(1).saturating_mul(rows) > CELLS_MAX {
            self.too_much = true;
            return None;
        }
        let column = Column::new(wanted.method, self.angles.get(spec).copied().unwrap_or(false), rows);
        self.columns.push(Named { spec, source, column });
        Some(place)
    }

    /// Finds the columns that a source of a path fills, and makes those that are missing.
    fn columns_of(&mut self, path: &str, source: &str) -> Vec<usize> {
        let mut found = Vec::new();
        for spec in 0..self.query.paths.len() {
            let Some(wanted) = self.query.paths.get(spec).filter(|wanted| wanted.path == path) else { continue };
            match &wanted.source {
                Some(only) if only != source => continue,
                None if self.query.by_source => {
                    let is_it = |named: &Named| named.spec == spec && named.source.as_deref() == Some(source);
                    let place = self.columns.iter().position(is_it);
                    found.extend(place.or_else(|| self.add(spec, Some(source.into()))));
                }
                _ => found.extend(self.columns.iter().position(|named| named.spec == spec)),
            }
        }
        found
    }

    /// Tells whether the answer would be longer than is allowed.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        self.too_much
    }

    /// Writes on, when all was read; the whole answer once it is there.
    pub fn write(&mut self) -> Option<String> {
        let (mut row, mut rows) = self.written.take().unwrap_or_else(|| {
            // Paths in the order asked for, their sources by name.
            self.columns.sort_by(|a, b| (a.spec, &a.source).cmp(&(b.spec, &b.source)));
            (0, String::new())
        });
        let end = self.query.rows();
        let rows_at_a_time = CELLS_AT_A_TIME.checked_div(self.columns.len()).unwrap_or(CELLS_AT_A_TIME);
        let until = row.saturating_add(rows_at_a_time).min(end);
        while row < until {
            if self.columns.iter().any(|named| named.column.has(row)) {
                if !rows.is_empty() {
                    rows.push(',');
                }
                let at = i64::try_from(row).unwrap_or(i64::MAX).saturating_mul(self.query.resolution_ms);
                let at = UnixMillis(self.query.origin().0.saturating_add(at));
                json::write_list(&mut rows, |out| {
                    out.text(&at.text());
                    for named in &mut self.columns {
                        named.column.write(row, out);
                    }
                });
            }
            row = row.saturating_add(1);
        }
        if row < end {
            self.written = Some((row, rows));
            return None;
        }
        Some(self.whole(&rows))
    }

    fn whole(&self, rows: &str) -> String {
        json::object(|out| {
            out.text("context", &self.context);
            out.object("range", |range| {
                range.text("from", &self.query.range.from.text()).text("to", &self.query.range.to.text());
            });
            out.list("values", |values| {
                for named in &self.columns {
                    let Some(spec) = self.query.paths.get(named.spec) else { continue };
                    values.object(|value| {
                        value.text("path", &spec.path).text("method", spec.method.name());
                        if let Some(source) = &named.source {
                            value.text("$source", source);
                        }
                    });
                }
            });
            // The rows stand in there already, with their commas.
            out.list("data", |data| {
                if !rows.is_empty() {
                    data.json(rows);
                }
            });
        })
    }
}

impl Taker for Values {
    fn series(&mut self, names: Names<'_>) -> Option<usize> {
        if names.context != self.context || !self.query.paths.iter().any(|spec| spec.path == names.path) {
            return None;
        }
        let key = (String::from(names.path), String::from(names.source));
        if let Some(place) = self.places.get(&key) {
            return Some(*place);
        }
        let columns = self.columns_of(names.path, names.source);
        if columns.is_empty() || self.series.len() >= SERIES_MAX {
            return None;
        }
        let place = self.series.len();
        self.series.push(columns);
        self.places.insert(key, place);
        Some(place)
    }

    fn wants(&self, _: usize) -> bool {
        !self.too_much
    }

    fn value(&mut self, number: usize, at: UnixMillis, value: &Sample<'_>) {
        let after = at.0.saturating_sub(self.query.origin().0).checked_div(self.query.resolution_ms);
        let Some(row) = after.and_then(|row| usize::try_from(row).ok()) else { return };
        for place in self.series.get(number).into_iter().flatten() {
            if let Some(named) = self.columns.get_mut(*place) {
                self.text_bytes = self.text_bytes.saturating_add(named.column.take(row, at, value));
            }
        }
        self.too_much |= self.text_bytes > TEXT_BYTES_MAX;
    }
}
