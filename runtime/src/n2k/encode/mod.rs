//! Fields to payload, from the same tables as the decoder.

#[cfg(test)]
mod tests;
mod writer;

use core::fmt;

use self::writer::Writer;
use super::decode::is_proprietary;
use super::id::Pgn;
use super::payload::Payload;
use super::table::{DefinitionRow, FieldRow, Form, Kind};
use super::tables::{Definition, Field};
use crate::json::Decimal;

/// What a field is set to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input<'a> {
    /// The unscaled number.
    Raw(i64),
    /// All bits of a field that is no number, such as a NAME; more than it has are refused.
    Bits(u64),
    /// A value in the database's unit, rounded to the field's resolution.
    Number(Decimal),
    /// A number of floating point.
    Float(f32),
    /// A text of the field's lookup, or the text of a text field.
    Text(&'a str),
    /// Binary data; also the value of a group function's parameter, in whole bytes.
    Bytes(&'a [u8]),
}

/// Fields and what they are set to, in any order.
pub type Inputs<'a> = &'a [(Field, Input<'a>)];

/// Why a payload could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The tables do not hold this PGN.
    UnknownPgn(Pgn),
    /// The PGN has several definitions: name the one that is meant, see [`encode_as`].
    SeveralDefinitions(Pgn),
    /// The tables do not hold this definition.
    UnknownDefinition(Definition),
    /// The PGN has no such field, or it was set twice.
    UnknownField(Field),
    /// The value does not fit the range or the sort of the field.
    OutOfRange(Field),
    /// The lookup of the field has no such text.
    UnknownText(Field),
    /// Longer than a fast packet can be.
    TooLong,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPgn(pgn) => write!(f, "PGN {pgn} is not in the tables"),
            Self::SeveralDefinitions(pgn) => write!(f, "PGN {pgn} has several definitions, and none is named"),
            Self::UnknownDefinition(definition) => write!(f, "{definition:?} is not in the tables"),
            Self::UnknownField(field) => write!(f, "the PGN has no field {field:?}, or it is set twice"),
            Self::OutOfRange(field) => write!(f, "value out of the range of field {field:?}"),
            Self::UnknownText(field) => write!(f, "text that field {field:?} does not know"),
            Self::TooLong => f.write_str("longer than a fast packet can be"),
        }
    }
}

impl core::error::Error for EncodeError {}

/// Builds the payload of a PGN that has one definition, without groups of repeating sets.
///
/// A field that is not named gets its "not available" code, a reserved one ones.
///
/// # Errors
/// [`EncodeError`] names the field that is wrong.
pub fn encode(pgn: Pgn, fields: Inputs<'_>) -> Result<Payload, EncodeError> {
    let mut rows = DefinitionRow::of(pgn).iter().filter(|row| !row.fallback);
    let row = rows.next().ok_or(EncodeError::UnknownPgn(pgn))?;
    if rows.next().is_some() {
        return Err(EncodeError::SeveralDefinitions(pgn));
    }
    encode_row(row, fields, [&[], &[]])
}

/// Builds the payload of a definition; `groups` are those of its first and second repeating set.
///
/// A field that is not named gets its "not available" code, a reserved one ones, a code that tells the
/// definition apart its value, the count of a repeating set the number of `groups`.
///
/// # Errors
/// [`EncodeError`] names the field that is wrong.
pub fn encode_as(
    definition: Definition,
    fields: Inputs<'_>,
    groups: [&[Inputs<'_>]; 2],
) -> Result<Payload, EncodeError> {
    let row = DefinitionRow::find(definition).ok_or(EncodeError::UnknownDefinition(definition))?;
    encode_row(row, fields, groups)
}

fn encode_row(
    row: &'static DefinitionRow,
    fields: Inputs<'_>,
    groups: [&[Inputs<'_>]; 2],
) -> Result<Payload, EncodeError> {
    let mut writer = Writer::default();
    check(row.head(), fields)?;
    let mut target = None;
    for (index, field) in row.head().iter().enumerate() {
        let kind = field.kind();
        if kind.conditional && !target.is_some_and(is_proprietary) {
            continue;
        }
        let input = named(fields, field.field);
        if let (Field::Pgn, Some(Input::Raw(pgn))) = (field.field, input) {
            target = u32::try_from(pgn).ok();
        }
        let at = writer.bits();
        let wanted = row.matches().iter().find(|wanted| usize::from(wanted.bit) == at);
        let wanted = wanted.map(|wanted| Input::Raw(i64::from(wanted.value)));
        let counted = groups.iter().enumerate().find_map(|(which, groups)| {
            let set = row.set(which).filter(|set| usize::from(set.count) == index + 1)?;
            i64::try_from(groups.len()).ok().filter(|_| set.size > 0).map(Input::Raw)
        });
        put(&mut writer, field, input.or(wanted).or(counted))?;
    }
    for (which, groups) in groups.iter().enumerate() {
        let set = row.set_fields(which);
        for group in *groups {
            check(set, group)?;
            for field in set {
                put(&mut writer, field, named(group, field.field))?;
            }
        }
    }
    writer.finish()
}

/// Refuses inputs that no field takes.
fn check(rows: &[FieldRow], inputs: Inputs<'_>) -> Result<(), EncodeError> {
    for (index, (field, _)) in inputs.iter().enumerate() {
        let twice = inputs.iter().take(index).any(|(other, _)| other == field);
        if twice || *field == Field::Reserved || !rows.iter().any(|row| row.field == *field) {
            return Err(EncodeError::UnknownField(*field));
        }
    }
    Ok(())
}

fn named<'a>(inputs: Inputs<'a>, field: Field) -> Option<Input<'a>> {
    inputs.iter().find(|(name, _)| *name == field).map(|(_, input)| *input)
}

fn put(writer: &mut Writer, row: &FieldRow, input: Option<Input<'_>>) -> Result<(), EncodeError> {
    let (field, kind) = (row.field, row.kind());
    let wrong = EncodeError::OutOfRange(field);
    match (kind.form, input) {
        (Form::Reserved, _) => writer.ones(kind.bits),
        (Form::CountedText, None) if kind.bits == 0 => writer.bytes(&[0]),
        (Form::CodedText, None) => writer.bytes(&[2, 1]),
        (_, None) if kind.bits > 64 => writer.ones(kind.bits),
        (_, None) => writer.push(kind.not_available().cast_unsigned(), kind.bits),
        (Form::Text | Form::CountedText | Form::CodedText, Some(Input::Text(text))) => {
            put_text(writer, kind, text, wrong)
        }
        (_, Some(Input::Bytes(bytes))) => put_bytes(writer, kind, bytes, wrong),
        (Form::Float, Some(Input::Float(number))) => writer.push(u64::from(number.to_bits()), 32),
        (Form::Name | Form::Bytes, Some(Input::Bits(bits))) => {
            let fits = (1..=64).contains(&kind.bits) && (kind.bits == 64 || bits >> kind.bits == 0);
            if fits { writer.push(bits, kind.bits) } else { Err(wrong) }
        }
        (Form::Digits, Some(Input::Raw(number))) => put_digits(writer, kind, number, wrong),
        (form, Some(input)) if form.is_number() => {
            let raw = match input {
                Input::Raw(raw) => Some(raw),
                Input::Bits(bits) => i64::try_from(bits).ok(),
                Input::Number(value) => kind.raw(value),
                Input::Text(text) => Some(kind.code(text).ok_or(EncodeError::UnknownText(field))?),
                Input::Float(_) | Input::Bytes(_) => None,
            };
            let raw = raw.filter(|raw| kind.holds(*raw)).ok_or(wrong)?;
            writer.push(raw.cast_unsigned(), kind.bits)
        }
        (_, Some(_)) => Err(wrong),
    }
}

fn put_text(writer: &mut Writer, kind: &Kind, text: &str, wrong: EncodeError) -> Result<(), EncodeError> {
    let length = u8::try_from(text.len()).map_err(|_| wrong)?;
    match kind.form {
        Form::Text => {
            writer.bytes(text.as_bytes())?;
            let rest = usize::from(kind.bits / 8).checked_sub(text.len()).ok_or(wrong)?;
            writer.ones(u16::try_from(rest * 8).map_err(|_| wrong)?)
        }
        Form::CountedText => {
            writer.bytes(&[length])?;
            writer.bytes(text.as_bytes())?;
            match usize::from(kind.bits / 8) {
                0 => Ok(()),
                all => {
                    let rest = all.checked_sub(text.len() + 1).ok_or(wrong)?;
                    writer.ones(u16::try_from(rest * 8).map_err(|_| wrong)?)
                }
            }
        }
        _ if text.is_ascii() => {
            writer.bytes(&[length.checked_add(2).ok_or(wrong)?, 1])?;
            writer.bytes(text.as_bytes())
        }
        _ => {
            let length = u8::try_from(text.encode_utf16().count() * 2 + 2).map_err(|_| wrong)?;
            writer.bytes(&[length, 0])?;
            text.encode_utf16().try_for_each(|unit| writer.bytes(&unit.to_le_bytes()))
        }
    }
}

fn put_bytes(writer: &mut Writer, kind: &Kind, bytes: &[u8], wrong: EncodeError) -> Result<(), EncodeError> {
    let all = usize::from(kind.bits).div_ceil(8);
    match kind.form {
        Form::Variable | Form::KeyValue => writer.bytes(bytes),
        Form::Bytes if kind.bits == 0 => writer.bytes(bytes),
        Form::Bytes if kind.bits.is_multiple_of(8) && bytes.len() == all => writer.bytes(bytes),
        _ => Err(wrong),
    }
}

/// Writes two decimal digits a byte, the highest pair first.
fn put_digits(writer: &mut Writer, kind: &Kind, number: i64, wrong: EncodeError) -> Result<(), EncodeError> {
    let mut rest = u64::try_from(number).map_err(|_| wrong)?;
    let mut pairs = [0_u8; 8];
    let count = usize::from(kind.bits / 8);
    let pairs = pairs.get_mut(..count).ok_or(wrong)?;
    for pair in pairs.iter_mut().rev() {
        *pair = u8::try_from(rest % 100).map_err(|_| wrong)?;
        rest /= 100;
    }
    if rest == 0 { writer.bytes(pairs) } else { Err(wrong) }
}
