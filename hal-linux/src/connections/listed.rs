//! The rows of `skiff.inputs` and `skiff.outputs`: a URL, or `{"url","name","enabled"}`.

use skiff_runtime::json::{self, JsonError};

use super::LISTED_MAX;
use super::connection::{Connection, Direction, Origin};
use crate::input::Input;

/// Bytes of a name.
const NAME_BYTES_MAX: usize = 64;

/// A row, and which one it is.
pub(super) struct Row {
    at: usize,
    url: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    is_enabled: bool,
}

struct Refused(String);

impl From<JsonError> for Refused {
    fn from(_: JsonError) -> Self {
        Self(" is no list".into())
    }
}

/// Reads the rows.
///
/// # Errors
/// What follows the name of the list: `[2]: url is missing`.
pub(super) fn read(list: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let read = json::items::<Refused>(list, |item| {
        let at = rows.len();
        if at >= LISTED_MAX {
            return Err(Refused(format!(" has room for at most {LISTED_MAX}")));
        }
        rows.push(row(item, at).map_err(|clause| Refused(format!("[{at}]{clause}")))?);
        Ok(())
    });
    read.map_err(|Refused(clause)| clause)?;
    for row in &rows {
        let is_same = |other: &&Row| other.at < row.at && row.label().is_some() && other.label() == row.label();
        if let Some(label) = rows.iter().find(is_same).and_then(Row::label) {
            return Err(format!("[{}]: {label:?} is the name of another one", row.at));
        }
    }
    Ok(rows)
}

fn row(item: &str, at: usize) -> Result<Row, String> {
    let mut row = Row { at, url: None, name: None, is_enabled: true };
    if let Some(url) = json::string(item) {
        row.url = Some(url.into_owned());
        return Ok(row);
    }
    if !item.starts_with('{') {
        return Err(" is neither a URL nor an object".into());
    }
    let text =
        |value: &str, clause: &str| json::string(value).map(std::borrow::Cow::into_owned).ok_or(clause.to_owned());
    let mut wrong = None;
    let read = json::members::<JsonError>(item, |name, value| {
        let taken = match name {
            "url" => text(value, ": url must be a text").map(|url| row.url = Some(url)),
            "name" => text(value, NAME)
                .and_then(|name| if is_name(&name) { Ok(name) } else { Err(NAME.into()) })
                .map(|name| row.name = Some(name)),
            "enabled" => {
                let flag = json::boolean(value).ok_or_else(|| ": enabled must be true or false".to_owned());
                flag.map(|flag| row.is_enabled = flag)
            }
            _ => Err(format!(": {name:?} is no member; there are url, name, enabled")),
        };
        wrong = wrong.take().or(taken.err());
        Ok(())
    });
    match wrong {
        Some(clause) => Err(clause),
        None if read.is_err() => Err(" is damaged".into()),
        None if row.url.is_none() && row.is_enabled => Err(": url is missing".into()),
        None => Ok(row),
    }
}

pub(super) const NAME: &str = ": name must be a text of at most 64 letters, digits and - _ . or blanks";

/// Tells whether a text can be a name.
pub(super) fn is_name(name: &str) -> bool {
    let sound = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | ' ');
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(sound)
}

impl Row {
    /// Returns what an input is called here.
    fn label(&self) -> Option<String> {
        let of_url = || Input::parse(self.url.as_deref()?).ok().map(|input| input.label());
        self.name.clone().or_else(of_url)
    }

    /// Makes the connection.
    ///
    /// # Errors
    /// What follows the name of the list: `[1]: ftp:// is no kind of input…`.
    pub(super) fn connection(self, direction: Direction) -> Result<Connection, String> {
        let name = self.name.as_deref();
        match &self.url {
            Some(url) => Connection::of_url(direction, url, name, self.is_enabled)
                .map_err(|clause| format!("[{}]: {clause}", self.at)),
            // It leaves a provider of that name out.
            None => Ok(Connection {
                direction,
                key: name.unwrap_or_default().to_owned(),
                origin: Origin::Listed,
                is_enabled: false,
                is_hidden: true,
                text: String::new(),
                name: self.name.clone(),
                way: Err("it has no url".into()),
            }),
        }
    }
}
