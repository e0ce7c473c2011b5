//! Rows of the values extension, as they lie in linear memory, and the typed views on them.
//!
//! Layout and meaning are those of `runtime/docs/abi-extensions.md`, "Values"; the numbers come from [`skiff_abi::values`].
//! The host writes state, number, length and age of inputs between two calls, the plugin writes outputs in a call.

use skiff_abi::values as abi;

use crate::{Json, Object, Text};

/// The descriptor: how many rows there are, and where.
#[repr(C, align(8))]
pub(crate) struct Descriptor {
    magic: u32,
    inputs: u16,
    outputs: u16,
    input_rows: u32,
    output_rows: u32,
    /// Least time between two updates, ms.
    pub(crate) interval_ms: u32,
    pub(crate) flags: u32,
    /// Newest time stamp among the inputs that arrived, Unix ms; 0 while unknown.
    pub(crate) time: i64,
    pub(crate) updates: u32,
    pub(crate) arrived: u32,
}

/// One input: a value of the own vessel that the plugin reads.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct InputRow {
    path: u32,
    path_bytes: u16,
    kind: u8,
    state: u8,
    number: f64,
    buffer: u32,
    buffer_bytes: u32,
    full_bytes: u32,
    pub(crate) age: u32,
}

/// One output: a value that the plugin gives.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct OutputRow {
    path: u32,
    path_bytes: u16,
    kind: u8,
    state: u8,
    number: f64,
    text: u32,
    text_bytes: u32,
    counter: u32,
    decimals: u8,
    rest: [u8; 3],
}

const _: () = {
    use core::mem::{align_of, offset_of, size_of};
    assert!(
        size_of::<Descriptor>() == abi::DESCRIPTOR_BYTES as usize && align_of::<Descriptor>() == abi::ALIGN as usize
    );
    assert!(size_of::<InputRow>() == abi::ROW_BYTES as usize && size_of::<OutputRow>() == abi::ROW_BYTES as usize);
    assert!(offset_of!(Descriptor, time) == abi::descriptor::TIME as usize);
    assert!(offset_of!(Descriptor, arrived) == abi::descriptor::ARRIVED as usize);
    assert!(offset_of!(InputRow, state) == abi::input::STATE as usize);
    assert!(offset_of!(InputRow, number) == abi::input::NUMBER as usize);
    assert!(offset_of!(InputRow, age) == abi::input::AGE as usize);
    assert!(offset_of!(OutputRow, number) == abi::output::NUMBER as usize);
    assert!(offset_of!(OutputRow, counter) == abi::output::COUNTER as usize);
    assert!(offset_of!(OutputRow, decimals) == abi::output::DECIMALS as usize);
};

/// The address of something in linear memory, as the host knows it.
fn address<T: ?Sized>(of: *const T) -> u32 {
    // Memory has at most 4 GiB where there is a host; elsewhere nobody reads it.
    of.cast::<u8>().addr() as u32
}

impl Descriptor {
    pub(crate) const fn new() -> Self {
        Self {
            magic: abi::MAGIC,
            inputs: 0,
            outputs: 0,
            input_rows: 0,
            output_rows: 0,
            interval_ms: 0,
            flags: 0,
            time: 0,
            updates: 0,
            arrived: 0,
        }
    }

    pub(crate) fn describe(&mut self, inputs: &[InputRow], outputs: &[OutputRow]) {
        (self.inputs, self.outputs) = (inputs.len() as u16, outputs.len() as u16);
        (self.input_rows, self.output_rows) = (address(inputs.as_ptr()), address(outputs.as_ptr()));
    }
}

impl InputRow {
    pub(crate) const fn new(kind: u8) -> Self {
        Self {
            path: 0,
            path_bytes: 0,
            kind,
            state: abi::NEVER,
            number: f64::NAN,
            buffer: 0,
            buffer_bytes: 0,
            full_bytes: 0,
            age: abi::AGE_MAX,
        }
    }

    /// Nothing has arrived.
    pub(crate) fn reset(&mut self) {
        (self.state, self.number, self.full_bytes, self.age) = (abi::NEVER, f64::NAN, 0, abi::AGE_MAX);
    }

    pub(crate) fn describe(&mut self, path: &str, buffer: &[u8]) {
        (self.path, self.path_bytes) = (address(path.as_ptr()), path.len() as u16);
        (self.buffer, self.buffer_bytes) = (address(buffer.as_ptr()), buffer.len() as u32);
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.kind & abi::QUIET != 0
    }

    /// Forgets that a value arrived; tells whether one had.
    pub(crate) fn take_new(&mut self) -> bool {
        let is_new = self.is_new();
        self.state &= !abi::NEW;
        is_new
    }

    pub(crate) fn is_new(&self) -> bool {
        self.state & abi::NEW != 0
    }

    fn is_valid(&self) -> bool {
        self.state & !abi::NEW == abi::VALID
    }

    pub(crate) fn was_seen(&self) -> bool {
        self.state & !abi::NEW != abi::NEVER
    }

    /// Takes in a value as a host that knows rows writes it; `valid` is what [`number`] and its like make of it.
    pub(crate) fn hear(&mut self, value: Json<'_>, valid: Option<(f64, u32)>) {
        let (number, full_bytes) = valid.unwrap_or((f64::NAN, 0));
        (self.number, self.full_bytes) = (number, full_bytes);
        let state = match valid {
            Some(_) => abi::VALID,
            None if value.text() == "null" => abi::WITHDRAWN,
            None => abi::OTHER_TYPE,
        };
        self.state = state | abi::NEW;
    }
}

/// What a value is as the number of a row, and the bytes of its full text; a text goes into the buffer.
///
/// A function for each kind, so that a module has only those that it needs.
pub(crate) type Hear = fn(Json<'_>, &mut [u8]) -> Option<(f64, u32)>;

pub(crate) fn number(value: Json<'_>, _: &mut [u8]) -> Option<(f64, u32)> {
    value.number().map(|number| (number, 0))
}

pub(crate) fn boolean(value: Json<'_>, _: &mut [u8]) -> Option<(f64, u32)> {
    match value.text() {
        "true" => Some((1.0, 0)),
        "false" => Some((0.0, 0)),
        _ => None,
    }
}

pub(crate) fn text(value: Json<'_>, buffer: &mut [u8]) -> Option<(f64, u32)> {
    value.decode(buffer).map(|decoded| (f64::from_bits(decoded.bytes as u64), decoded.full_bytes as u32))
}

impl OutputRow {
    pub(crate) const fn new(kind: u8, decimals: u8) -> Self {
        Self {
            path: 0,
            path_bytes: 0,
            kind,
            state: 0,
            number: 0.0,
            text: 0,
            text_bytes: 0,
            counter: 0,
            decimals,
            rest: [0; 3],
        }
    }

    pub(crate) fn describe(&mut self, path: &str) {
        (self.path, self.path_bytes) = (address(path.as_ptr()), path.len() as u16);
    }

    /// Tells whether it was set since [`OutputRow::forget`].
    pub(crate) fn is_changed(&self) -> bool {
        self.counter != 0
    }

    /// Takes the row for published: only where no host looks at the counter.
    pub(crate) fn forget(&mut self) {
        self.counter = 0;
    }

    fn set(&mut self, kind: u8) {
        self.kind = kind;
        // 0 is kept for "nothing to publish".
        self.counter = self.counter.checked_add(1).unwrap_or(1);
    }

    /// Tells whether this is null, which every kind can become.
    pub(crate) fn is_withdrawn(&self) -> bool {
        self.kind == abi::NULL
    }

    fn said<'t>(&self, room: &'t [u8]) -> &'t str {
        let text = room.get(..self.text_bytes as usize).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
}

/// Writes the value of a row as JSON; the bytes hold its text. Tells whether it is one that can be published.
///
/// A function for each kind, so that a module has only those that it needs.
pub(crate) type Write = fn(&OutputRow, &[u8], &mut Text<'_>) -> bool;

pub(crate) fn write_number(row: &OutputRow, _: &[u8], into: &mut Text<'_>) -> bool {
    into.push_fixed(row.number, usize::from(row.decimals).saturating_sub(1));
    row.number.is_finite()
}

pub(crate) fn write_shortest(row: &OutputRow, _: &[u8], into: &mut Text<'_>) -> bool {
    into.push_shortest(row.number);
    row.number.is_finite()
}

pub(crate) fn write_boolean(row: &OutputRow, _: &[u8], into: &mut Text<'_>) -> bool {
    into.push_str(if row.number == 0.0 { "false" } else { "true" });
    true
}

pub(crate) fn write_text(row: &OutputRow, room: &[u8], into: &mut Text<'_>) -> bool {
    into.push_json(row.said(room));
    true
}

pub(crate) fn write_json(row: &OutputRow, room: &[u8], into: &mut Text<'_>) -> bool {
    into.push_str(row.said(room));
    row.text_bytes > 0
}

pub(crate) fn write_notification(row: &OutputRow, room: &[u8], into: &mut Text<'_>) -> bool {
    let name = abi::NOTIFICATION_STATES.get(usize::from(row.state & abi::NOTIFICATION_STATE_BITS));
    let (visual, sound) = (row.state & abi::VISUAL != 0, row.state & abi::SOUND != 0);
    let mut object = Object::open(into);
    object.member("state").push_json(name.copied().unwrap_or_default());
    let method = object.member("method");
    method.push_str(if visual { "[\"visual\"" } else { "[" });
    method.push_str(if visual && sound { "," } else { "" });
    method.push_str(if sound { "\"sound\"]" } else { "]" });
    object.member("message").push_json(row.said(room));
    object.close();
    true
}

macro_rules! input {
    ($(#[$about:meta])* $name:ident($($field:ident: $type:ty)?) -> $value:ty, |$this:ident| $get:expr) => {
        $(#[$about])*
        #[derive(Clone, Copy)]
        pub struct $name<'v> {
            row: &'v InputRow,
            $($field: $type,)?
        }

        impl<'v> $name<'v> {
            #[doc(hidden)]
            pub fn new(row: &'v InputRow, $($field: $type)?) -> Self {
                Self { row, $($field)? }
            }

            /// Returns the value; `None` while there is none, when it was withdrawn, and when it is of another type.
            #[must_use]
            pub fn get(self) -> Option<$value> {
                let $this = self;
                if $this.row.is_valid() { $get } else { None }
            }

            /// Tells whether a value arrived since the last update, also an equal one or null.
            #[must_use]
            pub fn is_new(self) -> bool {
                self.row.is_new()
            }

            /// Returns how long ago the value arrived, ms; `u32::MAX` when that is unknown.
            #[must_use]
            pub fn age_ms(self) -> u32 {
                self.row.age
            }
        }
    };
}

input! {
    /// A number that is read, in Signal K's units.
    NumberInput() -> f64, |this| Some(this.row.number)
}
input! {
    /// A boolean that is read.
    BooleanInput() -> bool, |this| Some(this.row.number != 0.0)
}
input! {
    /// A text that is read, cut to the bytes that were reserved for it.
    TextInput(buffer: &'v [u8]) -> &'v str, |this| {
        let bytes = this.row.number.to_bits() as u32 as usize;
        this.buffer.get(..bytes).and_then(|text| core::str::from_utf8(text).ok())
    }
}

/// How loud a notification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// All is well.
    Normal,
    /// As it should be, and worth telling.
    Nominal,
    /// Worth a look.
    Alert,
    /// Needs attention.
    Warn,
    /// Needs action.
    Alarm,
    /// Danger to life.
    Emergency,
}

/// How a notification reaches people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Method {
    /// Not at all.
    None = 0,
    /// It is shown.
    Visual = abi::VISUAL,
    /// It is heard.
    Sound = abi::SOUND,
    /// It is shown and heard.
    Both = abi::VISUAL | abi::SOUND,
}

macro_rules! output {
    ($(#[$about:meta])* $name:ident($($field:ident: $type:ty)?)) => {
        $(#[$about])*
        pub struct $name<'v> {
            row: &'v mut OutputRow,
            $($field: $type,)?
        }

        impl<'v> $name<'v> {
            #[doc(hidden)]
            pub fn new(row: &'v mut OutputRow, $($field: $type)?) -> Self {
                Self { row, $($field)? }
            }

            /// Publishes null: there is no value any more.
            pub fn withdraw(self) {
                self.row.set(abi::NULL);
            }
        }
    };
}

output! {
    /// A number that is given, in Signal K's units.
    NumberOutput()
}
output! {
    /// A boolean that is given.
    BooleanOutput()
}
output! {
    /// A text that is given.
    TextOutput(room: &'v mut [u8])
}
output! {
    /// A value that is given as JSON.
    JsonOutput(room: &'v mut [u8])
}
output! {
    /// A notification that is given.
    NotificationOutput(room: &'v mut [u8])
}

impl NumberOutput<'_> {
    /// Publishes `value` after this call; what is not finite is not published.
    pub fn set(self, value: f64) {
        self.row.number = value;
        self.row.set(abi::NUMBER);
    }
}

impl BooleanOutput<'_> {
    /// Publishes `value` after this call.
    pub fn set(self, value: bool) {
        self.row.number = f64::from(u8::from(value));
        self.row.set(abi::BOOLEAN);
    }
}

/// Lets `write` fill `room`; returns where the text lies and its bytes.
fn written(room: &mut [u8], write: impl FnOnce(&mut Text<'_>)) -> (u32, u32) {
    let from = address(room.as_ptr());
    let mut text = Text::new(room);
    write(&mut text);
    (from, text.len() as u32)
}

impl TextOutput<'_> {
    /// Publishes the text that `write` writes; what does not fit the reserved bytes is left out.
    pub fn write(self, write: impl FnOnce(&mut Text<'_>)) {
        (self.row.text, self.row.text_bytes) = written(self.room, write);
        self.row.set(abi::TEXT);
    }

    /// Publishes `text`.
    pub fn set(self, text: &str) {
        self.write(|into| into.push_str(text));
    }
}

impl JsonOutput<'_> {
    /// Publishes the JSON that `write` writes.
    pub fn write(self, write: impl FnOnce(&mut Text<'_>)) {
        (self.row.text, self.row.text_bytes) = written(self.room, write);
        self.row.set(abi::JSON);
    }
}

impl NotificationOutput<'_> {
    /// Publishes a notification with the message that `write` writes.
    pub fn write(self, state: State, method: Method, write: impl FnOnce(&mut Text<'_>)) {
        self.row.state = state as u8 | method as u8;
        (self.row.text, self.row.text_bytes) = written(self.room, write);
        self.row.set(abi::NOTIFICATION);
    }
}
