//! Rows of an SQLite file by their key: by the columns that an index begins with, or by row id. A chart has millions of
//! tiles, so nothing is searched row by row.

use std::cmp::Ordering;
use std::path::Path;

use quantydb_sqlite::{
    BtreePage, Cell, Constraint, FileSource, Reader, SchemaObject, SqliteValue, TableDef, WalSource, open_file,
};

/// Bytes of a row, a tile with its key: a server of tiles sends none of this size.
const ROW_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Pages from the root to a row; a tree of the largest file that SQLite writes has fewer.
const DEPTH_MAX: usize = 20;

/// A file of SQLite that is read.
pub(super) struct File(Reader<WalSource<FileSource, FileSource>>);

/// How the rows of a table are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// The table is its own index: its rows are sorted by these columns (`WITHOUT ROWID`).
    Sorted { root: u32 },
    /// An index leads to the row id.
    Index { index: u32, root: u32 },
    /// The key is the row id itself.
    RowId { root: u32 },
}

/// A table, and how its rows are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub name: String,
    /// Columns in the order in which a row has them.
    columns: Vec<String>,
    pub access: Access,
}

/// What a row is found by.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    Number(i64),
    Text(String),
}

/// Where a row is, seen from a cell.
enum Step {
    /// It is this one.
    Found(Vec<SqliteValue>),
    /// In a cell behind it.
    Right,
    /// In a cell before it, or in the page that has all before it and behind the cell before; leaves have none.
    Left(Option<u32>),
}

impl File {
    /// Opens a file, with the changes that lie beside it in its write-ahead log.
    ///
    /// # Errors
    /// The clause that says what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, String> {
        open_file(path).map(Self).map_err(clause)
    }

    /// Finds the table with all of these columns, and how to find its rows by `key`, the columns that they are known by.
    /// `None` where there is no such table.
    ///
    /// # Errors
    /// The clause that says why its rows cannot be found.
    pub fn table(&self, columns: &[&str], key: &[&str]) -> Result<Option<Table>, String> {
        let schema = self.0.schema().map_err(clause)?;
        let has_all = |known: &[String]| columns.iter().all(|column| place(known, column).is_some());
        for object in schema.user_tables() {
            // A table of another kind that the parser does not know is not the one that is looked for.
            let (Ok(definition), Some(root)) = (object.table_def(), object.root_page) else { continue };
            let stored = definition.columns.iter().filter(|column| !column.generated.is_virtual());
            let mut columns: Vec<String> = stored.map(|column| column.name.clone()).collect();
            if !has_all(&columns) {
                continue;
            }
            let primary = primary_key(&definition);
            let access = if definition.without_rowid {
                // Its key comes first.
                columns.retain(|column| place(&primary, column).is_none());
                columns = [primary.clone(), columns].concat();
                begins_with(&primary, key).then_some(Access::Sorted { root })
            } else if let [only] = key
                && definition.rowid_alias().is_some_and(|alias| alias.name.eq_ignore_ascii_case(only))
            {
                Some(Access::RowId { root })
            } else {
                let made = made_index(&definition, primary, schema.indexes_for(&object.name));
                let mut indexes = schema.indexes_for(&object.name);
                let index = indexes.find(|index| match &index.sql {
                    Some(sql) => begins_with(&index_columns(sql), key),
                    None => begins_with(&made, key),
                });
                index.and_then(|index| index.root_page).map(|index| Access::Index { index, root })
            };
            let is_collated = definition.unsupported_constraints.iter().any(|constraint| match constraint {
                Constraint::Collation { column, .. } => key.iter().any(|key| key.eq_ignore_ascii_case(column)),
                _ => false,
            });
            let access = access.filter(|_| !is_collated);
            let access = access.ok_or_else(|| {
                let (name, key) = (&object.name, key.join(", "));
                format!("its tiles are not sorted; `CREATE INDEX {name}_sorted ON {name} ({key})` makes that good")
            })?;
            return Ok(Some(Table { name: object.name.clone(), columns, access }));
        }
        Ok(None)
    }

    /// Returns one column of the row with a key; `None` where there is none.
    ///
    /// # Errors
    /// The clause that says what is damaged.
    pub fn value(&self, table: &Table, key: &[Key], column: &str) -> Result<Option<SqliteValue>, String> {
        let row = match table.access {
            Access::Sorted { root } => self.in_index(root, key)?,
            Access::RowId { root } => match key {
                [Key::Number(number)] => self.in_table(root, *number)?,
                _ => None,
            },
            Access::Index { index, root } => match self.in_index(index, key)?.as_deref().and_then(<[_]>::last) {
                Some(SqliteValue::Integer(number)) => self.in_table(root, *number)?,
                Some(_) => return Err("an index of it is damaged".into()),
                None => None,
            },
        };
        let place = place(&table.columns, column);
        Ok(row.zip(place).and_then(|(row, place)| row.into_iter().nth(place)))
    }

    /// Visits at most `most` rows of a table with these columns.
    ///
    /// # Errors
    /// The clause that says what is damaged, or that there is no such table.
    pub fn rows(&self, table: &str, columns: [&str; 2], most: usize) -> Result<Vec<[SqliteValue; 2]>, String> {
        let schema = self.0.schema().map_err(clause)?;
        let object = schema.object(table).ok_or_else(|| format!("it has no table {table}"))?;
        let names: Vec<String> =
            object.table_def().map_err(clause)?.columns.iter().map(|column| column.name.clone()).collect();
        let (Some([first, second]), Some(root)) = (places(&names, columns), object.root_page) else {
            return Err(format!("its table {table} has not the columns {}", columns.join(", ")));
        };
        let mut rows = Vec::new();
        for row in self.0.rows(root).map_err(clause)?.take(most) {
            let row = row.map_err(clause)?.values;
            let at = |place: usize| row.get(place).cloned().unwrap_or(SqliteValue::Null);
            rows.push([at(first), at(second)]);
        }
        Ok(rows)
    }

    /// Finds the entry of an index that begins with a key.
    fn in_index(&self, root: u32, key: &[Key]) -> Result<Option<Vec<SqliteValue>>, String> {
        self.search(root, |cell| {
            let (left, payload) = match cell {
                Cell::IndexInterior { child, payload } => (Some(child), payload),
                Cell::IndexLeaf { payload } => (None, payload),
                Cell::TableInterior { .. } | Cell::TableLeaf { .. } => return Err("an index of it is no index".into()),
            };
            let entry = self.0.decode_record(&payload).map_err(clause)?;
            Ok(match compare(&entry, key) {
                Ordering::Equal => Step::Found(entry),
                Ordering::Less => Step::Right,
                Ordering::Greater => Step::Left(left),
            })
        })
    }

    /// Finds the row with a row id.
    fn in_table(&self, root: u32, row_id: i64) -> Result<Option<Vec<SqliteValue>>, String> {
        self.search(root, |cell| {
            Ok(match cell {
                Cell::TableInterior { child, rowid } if row_id <= rowid => Step::Left(Some(child)),
                Cell::TableLeaf { rowid, payload } if row_id == rowid => {
                    Step::Found(self.0.decode_record(&payload).map_err(clause)?)
                }
                Cell::TableLeaf { rowid, .. } if row_id < rowid => Step::Left(None),
                Cell::TableInterior { .. } | Cell::TableLeaf { .. } => Step::Right,
                Cell::IndexInterior { .. } | Cell::IndexLeaf { .. } => return Err("a table of it is no table".into()),
            })
        })
    }

    /// Goes down from a root to what is looked for, in each page by halves; `judge` says where it is, seen from a cell.
    fn search(
        &self,
        root: u32,
        judge: impl Fn(Cell) -> Result<Step, String>,
    ) -> Result<Option<Vec<SqliteValue>>, String> {
        let mut number = root;
        for _ in 0..DEPTH_MAX {
            let page = self.0.btree_page(number).map_err(clause)?;
            let (mut low, mut high) = (0, page.cell_count());
            let mut child = page.right_most;
            while low < high {
                let middle = low + (high - low) / 2;
                match judge(self.cell(&page, middle)?)? {
                    Step::Found(row) => return Ok(Some(row)),
                    Step::Right => low = middle + 1,
                    Step::Left(left) => (high, child) = (middle, left),
                }
            }
            match child {
                Some(child) => number = child,
                None => return Ok(None),
            }
        }
        Err("a tree of it is deeper than any".into())
    }

    /// Reads a cell, unless it says that it is longer than any row may be.
    fn cell(&self, page: &BtreePage, index: usize) -> Result<Cell, String> {
        let raw = page.cell(index).map_err(clause)?;
        let at = if page.kind.is_interior() { 4 } else { 0 };
        // Rows of inner pages of a table have no payload, but a row id there.
        let is_row = !(page.kind.is_interior() && page.kind.is_table());
        if is_row && raw.get(at..).is_none_or(|raw| varint(raw) > ROW_BYTES_MAX) {
            return Err(format!("it has a row of more than {ROW_BYTES_MAX} bytes"));
        }
        self.0.cell(page, index).map_err(clause)
    }
}

/// Reads the number that a cell begins with (SQLite file format §1.6: seven bits a byte, the ninth whole).
fn varint(bytes: &[u8]) -> u64 {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(9).enumerate() {
        if at == 8 {
            return number << 8 | u64::from(*byte);
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return number;
        }
    }
    // Cut off: no length at all.
    u64::MAX
}

/// Compares what an entry begins with to a key, in SQLite's order: nothing, numbers, texts, binary data.
fn compare(entry: &[SqliteValue], key: &[Key]) -> Ordering {
    for (wanted, value) in key.iter().zip(entry) {
        let order = match (value, wanted) {
            (SqliteValue::Integer(value), Key::Number(wanted)) => value.cmp(wanted),
            // Numbers of tiles are small: each is a double, too.
            (SqliteValue::Real(value), Key::Number(wanted)) => {
                value.partial_cmp(&(*wanted as f64)).unwrap_or(Ordering::Less)
            }
            (SqliteValue::Text(value), Key::Text(wanted)) => value.as_bytes().cmp(wanted.as_bytes()),
            (SqliteValue::Null | SqliteValue::Integer(_) | SqliteValue::Real(_), _) => Ordering::Less,
            (SqliteValue::Text(_) | SqliteValue::Blob(_), _) => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    if entry.len() < key.len() { Ordering::Less } else { Ordering::Equal }
}

/// Returns the columns that rows are sorted by where the key is an index; none where one of them descends.
fn primary_key(definition: &TableDef) -> Vec<String> {
    let key = &definition.primary_key;
    if key.iter().any(|column| column.descending) {
        return Vec::new();
    }
    key.iter().map(|column| column.name.clone()).collect()
}

/// Returns the columns of the index that SQLite made by itself, for a primary key or a rule that rows differ. Of several it
/// is not known which is whose.
fn made_index<'s>(
    definition: &TableDef,
    primary: Vec<String>,
    indexes: impl Iterator<Item = &'s SchemaObject>,
) -> Vec<String> {
    if indexes.filter(|index| index.sql.is_none()).count() != 1 {
        return Vec::new();
    }
    let unique = definition.unsupported_constraints.iter().find_map(|constraint| match constraint {
        Constraint::Unique { columns } => Some(columns.clone()),
        _ => None,
    });
    // The key of a table that is sorted by row ids is no index.
    match definition.rowid_alias() {
        None if !primary.is_empty() => primary,
        _ => unique.unwrap_or_default(),
    }
}

/// Returns the columns that the statement of an index names; none where it has not all rows. One that is sorted in another
/// way than SQLite's usual one has words behind its name, and so another name.
fn index_columns(sql: &str) -> Vec<String> {
    let is_partial = sql.to_ascii_uppercase().contains(" WHERE ");
    let list = sql.find('(').and_then(|open| sql.get(open + 1..sql.rfind(')')?));
    let column = |part: &str| {
        let name = part.trim().trim_matches(['"', '`', '[', ']', '\'']);
        let name = name.strip_suffix(" ASC").or_else(|| name.strip_suffix(" asc")).unwrap_or(name);
        name.trim().trim_matches(['"', '`', '[', ']', '\'']).to_owned()
    };
    list.filter(|_| !is_partial).map(|list| list.split(',').map(column).collect()).unwrap_or_default()
}

fn begins_with(columns: &[String], key: &[&str]) -> bool {
    columns.len() >= key.len() && columns.iter().zip(key).all(|(column, key)| column.eq_ignore_ascii_case(key))
}

fn place(columns: &[String], wanted: &str) -> Option<usize> {
    columns.iter().position(|column| column.eq_ignore_ascii_case(wanted))
}

fn places(columns: &[String], wanted: [&str; 2]) -> Option<[usize; 2]> {
    Some([place(columns, wanted[0])?, place(columns, wanted[1])?])
}

fn clause(error: quantydb_sqlite::SqliteError) -> String {
    error.to_string()
}
