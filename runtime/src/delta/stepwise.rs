//! The reader of deltas before [`super::parse`], walk by walk; it stands for the comparison of both alone.
//!
//! The steps are those of the plugin ABI, §11.2: context, source, `$source`, time stamp; members
//! the sender gave keep their order, added ones follow. Updates that carry nothing are dropped.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::{
    DELTA_BYTES_MAX, DELTA_ENTRIES_MAX, Delta, DeltaError, Draft, Entry, NAME_BYTES_MAX, PATH_BYTES_MAX, Span, Stamp,
    UpdateIndex, is_plain,
};
use crate::json::{self, JsonError};

impl Delta {
    /// [`parse`](Self::parse) in several walks.
    #[doc(hidden)]
    pub fn parse_stepwise(text: &str, stamp: &Stamp<'_>) -> Result<Self, DeltaError> {
        if text.len() > DELTA_BYTES_MAX {
            return Err(DeltaError::TooLong { bytes: text.len() });
        }
        Self::parse_compact(&json::compact(text)?, stamp)
    }

    /// Parses text of the gateway's own, which is compact already and needs no second copy.
    fn parse_compact(text: &str, stamp: &Stamp<'_>) -> Result<Self, DeltaError> {
        let mut draft = Draft::default();
        draft.text.reserve(text.len().saturating_add(128));
        let mut context = None;
        let mut updates = None;
        json::members::<JsonError>(text, |key, value| {
            match key {
                "context" => context = Some(value),
                "updates" => updates = Some(value),
                _ => {}
            }
            Ok(())
        })
        .map_err(|_| DeltaError::Shape)?;
        let updates = updates.ok_or(DeltaError::Shape)?;
        let context = match context {
            None | Some("null") => None,
            Some(raw) => Some(plain_string(raw, NAME_BYTES_MAX).ok_or(DeltaError::Shape)?),
        };
        draft.text.push_str("{\"context\":\"");
        let from = draft.text.len();
        draft.text.push_str(match context {
            None | Some("vessels.self" | "") => stamp.self_context,
            Some(context) => context,
        });
        draft.context = Span::new(from, draft.text.len());
        draft.text.push_str("\",\"updates\":");
        let from = draft.text.len();
        draft.text.push('[');
        json::items::<DeltaError>(updates, |update| parse_update(&mut draft, update, stamp)).map_err(|error| {
            match error {
                DeltaError::Json(JsonError::WrongKind) => DeltaError::Shape,
                other => other,
            }
        })?;
        draft.text.push(']');
        draft.updates_text = Span::new(from, draft.text.len());
        draft.text.push('}');
        draft.finish()
    }
}

/// Returns the inside of a JSON string that holds no escape and at most `limit` bytes.
fn plain_string(raw: &str, limit: usize) -> Option<&str> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    (inside.len() <= limit && is_plain(inside)).then_some(inside)
}

#[derive(Default)]
struct Parts<'a> {
    source: Option<&'a str>,
    source_ref: Option<&'a str>,
    timestamp: Option<&'a str>,
    values: Option<&'a str>,
    meta: Option<&'a str>,
}

/// Appends one update, or nothing when it is malformed or empty.
fn parse_update(draft: &mut Draft, update: &str, stamp: &Stamp<'_>) -> Result<(), DeltaError> {
    let mut parts = Parts::default();
    let read = json::members::<JsonError>(update, |key, value| {
        match key {
            "source" if value.starts_with('{') => parts.source = Some(value),
            "$source" => parts.source_ref = plain_string(value, NAME_BYTES_MAX).filter(|name| !name.is_empty()),
            "timestamp" => parts.timestamp = plain_string(value, NAME_BYTES_MAX),
            "values" => parts.values = Some(value),
            "meta" if value.starts_with('[') => parts.meta = Some(value),
            _ => {}
        }
        Ok(())
    });
    let (text_mark, entry_mark) = (draft.text.len(), draft.entries.len());
    let written = match read {
        Ok(()) => write_update(draft, update, &parts, stamp),
        Err(_) => Ok(false),
    };
    match written {
        Ok(true) => Ok(()),
        Ok(false) => {
            draft.text.truncate(text_mark);
            draft.entries.truncate(entry_mark);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Writes the members in the sender's order and the missing ones after them; false when nothing is left.
fn write_update(draft: &mut Draft, update: &str, parts: &Parts<'_>, stamp: &Stamp<'_>) -> Result<bool, DeltaError> {
    let mut index = UpdateIndex { from: entry_count(draft), ..UpdateIndex::default() };
    // Values are indexed before meta, whatever the sender's order.
    let mut meta = Vec::new();
    if !draft.updates.is_empty() {
        draft.text.push(',');
    }
    draft.text.push('{');
    let body = draft.text.len();
    let mut well_formed = true;
    json::members::<DeltaError>(update, |key, value| {
        let kept = match key {
            "source" => parts.source == Some(value),
            "$source" => parts.source_ref.is_some(),
            "timestamp" => parts.timestamp.is_some(),
            "meta" => parts.meta == Some(value),
            _ => true,
        };
        if !kept {
            return Ok(());
        }
        if draft.text.len() > body {
            draft.text.push(',');
        }
        let _ = json::write_string(&mut draft.text, key);
        draft.text.push(':');
        let from = draft.text.len();
        match key {
            "values" => {
                let mut entries = core::mem::take(&mut draft.entries);
                let read = write_entries(&mut draft.text, value, &mut entries);
                draft.entries = entries;
                well_formed &= read?;
            }
            "meta" => {
                well_formed &= write_entries(&mut draft.text, value, &mut meta)?;
            }
            "source" => {
                write_source(&mut draft.text, value, stamp);
                index.source = Some(Span::new(from, draft.text.len()));
            }
            _ => {
                draft.text.push_str(value);
                let inside = Span::new(from + 1, draft.text.len().saturating_sub(1));
                match key {
                    "$source" => index.source_ref = inside,
                    "timestamp" => index.timestamp = inside,
                    _ => {}
                }
            }
        }
        Ok(())
    })?;
    index.values_to = entry_count(draft);
    draft.entries.append(&mut meta);
    index.to = entry_count(draft);
    if !well_formed || index.from == index.to {
        return Ok(false);
    }
    if parts.source_ref.is_none() {
        draft.text.push_str(",\"$source\":\"");
        let from = draft.text.len();
        write_source_ref(&mut draft.text, index.source, stamp);
        index.source_ref = Span::new(from, draft.text.len());
        draft.text.push('"');
    }
    if parts.timestamp.is_none() && stamp.now.is_known() {
        draft.text.push_str(",\"timestamp\":\"");
        let from = draft.text.len();
        let _ = write!(draft.text, "{}", stamp.now);
        index.timestamp = Span::new(from, draft.text.len());
        draft.text.push('"');
    }
    draft.text.push('}');
    draft.updates.push(index);
    Ok(true)
}

fn entry_count(draft: &Draft) -> u32 {
    u32::try_from(draft.entries.len()).unwrap_or(u32::MAX)
}

/// Writes `[{"path","value"}…]` with `path` first; false when an entry is malformed (ABI §11.2 step 3).
fn write_entries(out: &mut String, list: &str, entries: &mut Vec<Entry>) -> Result<bool, DeltaError> {
    let mut well_formed = list.starts_with('[');
    if !well_formed {
        out.push_str("[]");
        return Ok(false);
    }
    out.push('[');
    let mut first = true;
    json::items::<DeltaError>(list, |item| {
        let (mut path, mut value) = (None, None);
        let read = json::members::<JsonError>(item, |key, raw| {
            match key {
                "path" => path = plain_string(raw, PATH_BYTES_MAX),
                "value" => value = Some(raw),
                _ => {}
            }
            Ok(())
        });
        let (Ok(()), Some(path)) = (read, path) else {
            well_formed = false;
            return Ok(());
        };
        if refused_segment(path) {
            well_formed = false;
            return Ok(());
        }
        // A value JavaScript would call undefined is an error of the sender, and only of this entry.
        let Some(value) = value else { return Ok(()) };
        if entries.len() >= DELTA_ENTRIES_MAX {
            return Err(DeltaError::TooManyEntries);
        }
        out.push_str(if first { "{\"path\":\"" } else { ",{\"path\":\"" });
        first = false;
        let from = out.len();
        out.push_str(path);
        let path = Span::new(from, out.len());
        out.push_str("\",\"value\":");
        let from = out.len();
        out.push_str(value);
        entries.push(Entry { path, value: Span::new(from, out.len()) });
        out.push('}');
        Ok(())
    })?;
    out.push(']');
    Ok(well_formed)
}

/// Names that would reach into a JavaScript client's prototypes (ABI §11.3).
fn refused_segment(path: &str) -> bool {
    path.split('.').any(|segment| matches!(segment, "__proto__" | "constructor" | "prototype"))
}

/// Writes a `source` object; a label that is not of `[A-Za-z0-9-_.]` is replaced (ABI §11.2 step 4).
fn write_source(out: &mut String, source: &str, stamp: &Stamp<'_>) {
    out.push('{');
    let mut labelled = false;
    let mut first = true;
    let _ = json::members::<JsonError>(source, |key, value| {
        if !first {
            out.push(',');
        }
        first = false;
        let _ = json::write_string(out, key);
        out.push(':');
        if key == "label" {
            labelled = true;
            if !plain_string(value, NAME_BYTES_MAX).is_some_and(is_label) {
                return json::write_string(out, stamp.source_ref).map_err(|_| JsonError::WrongKind);
            }
        }
        out.push_str(value);
        Ok(())
    });
    if !labelled {
        out.push_str(if first { "\"label\":" } else { ",\"label\":" });
        let _ = json::write_string(out, stamp.source_ref);
    }
    out.push('}');
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Writes the `$source` that follows from the `source` object at `source`, else the sender's own.
fn write_source_ref(out: &mut String, source: Option<Span>, stamp: &Stamp<'_>) {
    let Some(source) = source.map(|span| String::from(span.of(out))) else {
        out.push_str(stamp.source_ref);
        return;
    };
    let text = |key: &str| {
        let raw = json::member(&source, key)?;
        plain_string(raw, NAME_BYTES_MAX).or_else(|| raw.bytes().all(|byte| byte.is_ascii_digit()).then_some(raw))
    };
    out.push_str(text("label").unwrap_or(stamp.source_ref));
    let suffix = text("canName").or_else(|| text("src"));
    if let Some(suffix) = suffix {
        out.push('.');
        out.push_str(suffix);
    } else if text("type") != Some("plugin") {
        out.push('.');
        out.push_str(text("talker").unwrap_or("XX"));
    }
}
