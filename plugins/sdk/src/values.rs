//! Numbers in and out without JSON: inputs and outputs as typed fields.
//!
//! [`values!`](crate::values!) declares what a plugin reads and gives. A host that knows the values extension writes the
//! inputs into the plugin's memory and reads the outputs there; for every other host the toolkit does the same from and to
//! JSON ([`fallback`]), so that one module runs everywhere and the plugin sees no difference.
//! A module with pages of one byte (feature `small-pages`) loads nowhere but in Skiff and has rows alone.
//!
//! ```
//! use skiff_plugin::{Host, Json, Plugin, Refused, Rows};
//!
//! skiff_plugin::values! {
//!     /// What the plugin reads and gives.
//!     pub struct Values {
//!         inputs {
//!             /// m.
//!             below_keel: number("environment.depth.belowKeel"),
//!             /// m; heard, but no reason to compute anything.
//!             draft: number("design.draft#maximum").quiet(),
//!         }
//!         outputs {
//!             /// m, in whole centimetres.
//!             depth: number("environment.depth.belowSurface", 2),
//!         }
//!     }
//! }
//!
//! struct Surface {
//!     values: Values,
//! }
//!
//! impl Plugin for Surface {
//!     const ID: &'static str = "@example/surface";
//!     const NAME: &'static str = "Depth below the surface";
//!
//!     fn start<H: Host>(&mut self, _config: Json<'_>, _host: &mut H) -> Result<(), Refused> {
//!         Ok(())
//!     }
//!
//!     fn rows(&mut self) -> Option<Rows<'_>> {
//!         Some(self.values.rows())
//!     }
//!
//!     fn update<H: Host>(&mut self, _host: &mut H) {
//!         let Some(below_keel) = self.values.below_keel().get() else { return };
//!         if let Some(draft) = self.values.draft().get() {
//!             self.values.depth().set(below_keel + draft);
//!         }
//!     }
//! }
//!
//! skiff_plugin::plugin!(Surface, Surface { values: Values::new() }, values);
//!
//! # fn main() {
//! use skiff_plugin::bench::Boat;
//!
//! let mut boat = Boat::new(Surface { values: Values::new() });
//! boat.start("{}").unwrap();
//! boat.set("design.draft#maximum", "1.8");
//! boat.set("environment.depth.belowKeel", "3.25");
//! boat.update();
//! assert_eq!(boat.told(), [r#"{"updates":[{"values":[{"path":"environment.depth.belowSurface","value":5.05}]}]}"#]);
//! # }
//! ```

use skiff_abi::values as abi;

use crate::fallback;
use crate::rows::{self, Descriptor, Hear, InputRow, OutputRow, Write};

/// What one input is, for [`values!`](crate::values!).
#[derive(Clone, Copy)]
pub struct Input {
    path: &'static str,
    kind: u8,
    hear: Hear,
    path_room: u16,
    text_room: u16,
}

/// What one output is, for [`values!`](crate::values!).
#[derive(Clone, Copy)]
pub struct Output {
    path: &'static str,
    kind: u8,
    write: Write,
    decimals: u8,
    path_room: u16,
    text_room: u16,
}

/// Returns how a row hears of a JSON value, where any is heard of.
const fn heard(hear: Hear) -> Hear {
    if fallback::IS_NEEDED { hear } else { |_, _| None }
}

/// Returns how a row is written as JSON, where any is.
const fn written(write: Write) -> Write {
    if fallback::IS_NEEDED { write } else { |_, _, _| false }
}

impl Input {
    /// A number; `path#member` is one member of an object value, `#name` a value of the vessel itself.
    #[must_use]
    pub const fn number(path: &'static str) -> Self {
        Self { path, kind: abi::NUMBER, hear: heard(rows::number), path_room: 0, text_room: 0 }
    }

    /// A boolean.
    #[must_use]
    pub const fn boolean(path: &'static str) -> Self {
        Self { path, kind: abi::BOOLEAN, hear: heard(rows::boolean), path_room: 0, text_room: 0 }
    }

    /// A text of at most `bytes`; longer ones are cut.
    #[must_use]
    pub const fn text(path: &'static str, bytes: u16) -> Self {
        Self { path, kind: abi::TEXT, hear: heard(rows::text), path_room: 0, text_room: bytes }
    }

    /// An arrival of this input alone is no reason for an update.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.kind |= abi::QUIET;
        self
    }

    /// The path can be replaced by one of at most `bytes` (1 to 255), with `paths`.
    #[must_use]
    pub const fn configured(mut self, bytes: u16) -> Self {
        self.path_room = bytes;
        self
    }
}

impl Output {
    /// A number, rounded to at most `decimals` (0 to 15).
    #[must_use]
    pub const fn number(path: &'static str, decimals: u8) -> Self {
        assert!(decimals <= abi::DECIMALS_MAX);
        Self {
            path,
            kind: abi::NUMBER,
            write: written(rows::write_number),
            decimals: decimals + 1,
            path_room: 0,
            text_room: 0,
        }
    }

    /// A number, in the shortest text that means it.
    #[must_use]
    pub const fn shortest(path: &'static str) -> Self {
        Self { path, kind: abi::NUMBER, write: written(rows::write_shortest), decimals: 0, path_room: 0, text_room: 0 }
    }

    /// A boolean.
    #[must_use]
    pub const fn boolean(path: &'static str) -> Self {
        Self { path, kind: abi::BOOLEAN, write: written(rows::write_boolean), decimals: 0, path_room: 0, text_room: 0 }
    }

    /// A text of at most `bytes`.
    #[must_use]
    pub const fn text(path: &'static str, bytes: u16) -> Self {
        Self { path, kind: abi::TEXT, write: written(rows::write_text), decimals: 0, path_room: 0, text_room: bytes }
    }

    /// A value as JSON of at most `bytes`.
    #[must_use]
    pub const fn json(path: &'static str, bytes: u16) -> Self {
        Self { path, kind: abi::JSON, write: written(rows::write_json), decimals: 0, path_room: 0, text_room: bytes }
    }

    /// A notification whose message has at most `bytes`; the path is the full one, `notifications.…`.
    #[must_use]
    pub const fn notification(path: &'static str, bytes: u16) -> Self {
        Self {
            path,
            kind: abi::NOTIFICATION,
            write: written(rows::write_notification),
            decimals: 0,
            path_room: 0,
            text_room: bytes,
        }
    }

    /// The path can be replaced by one of at most `bytes` (1 to 255), with `paths`.
    #[must_use]
    pub const fn configured(mut self, bytes: u16) -> Self {
        self.path_room = bytes;
        self
    }
}

/// Where path and text of a row are, and what `kind` makes of JSON or JSON of it.
#[derive(Clone, Copy)]
pub(crate) struct Place<K> {
    pub(crate) kind: K,
    path: &'static str,
    /// Where a path that is set lies among the texts, its room and its bytes.
    path_from: u16,
    path_room: u16,
    path_bytes: u16,
    /// Bytes of the path in front of its `#`; all of them where it has none.
    of_bytes: u16,
    text_from: u16,
    text_room: u16,
}

impl<K: Copy> Place<K> {
    const fn new(kind: K, path: &'static str, path_room: u16, text_room: u16, from: usize) -> Self {
        assert!(is_plain(path), "a path has no quotes, backslashes and control characters");
        assert!(path_room <= abi::PATH_BYTES_MAX && path.len() <= abi::PATH_BYTES_MAX as usize);
        assert!(path_room > 0 || !path.is_empty(), "a row has a path, or room for one");
        let path_from = from as u16;
        let of_bytes = before_hash(path);
        Self { kind, path, of_bytes, path_from, path_room, path_bytes: 0, text_from: path_from + path_room, text_room }
    }

    const fn end(&self) -> usize {
        self.text_from as usize + self.text_room as usize
    }

    pub(crate) fn path<'t>(&self, texts: &'t [u8]) -> &'t str {
        if self.path_bytes == 0 {
            return self.path;
        }
        let from = usize::from(self.path_from);
        let kept = texts.get(from..from + usize::from(self.path_bytes)).unwrap_or_default();
        core::str::from_utf8(kept).unwrap_or_default()
    }

    /// Splits `path#member`.
    pub(crate) fn parts<'t>(&self, texts: &'t [u8]) -> (&'t str, Option<&'t str>) {
        let path = self.path(texts);
        let of = usize::from(self.of_bytes);
        (path.get(..of).unwrap_or(path), path.get(of + 1..))
    }

    pub(crate) fn text<'t>(&self, texts: &'t [u8]) -> &'t [u8] {
        texts.get(usize::from(self.text_from)..self.end()).unwrap_or_default()
    }

    pub(crate) fn text_mut<'t>(&self, texts: &'t mut [u8]) -> &'t mut [u8] {
        texts.get_mut(usize::from(self.text_from)..self.end()).unwrap_or_default()
    }

    /// Back to the path of the declaration.
    fn reset(&mut self) {
        (self.path_bytes, self.of_bytes) = (0, before_hash(self.path));
    }

    /// Keeps the path that `parts` make together; `false` when there is no room for it, or nothing.
    pub(crate) fn set_path(&mut self, texts: &mut [u8], parts: &[&str]) -> bool {
        let from = usize::from(self.path_from);
        let room = texts.get_mut(from..from + usize::from(self.path_room)).unwrap_or_default();
        let mut text = crate::Text::new(room);
        parts.iter().for_each(|part| text.push_str(part));
        let fits = text.is_complete() && !text.is_empty() && is_plain(text.as_str());
        if fits {
            self.path_bytes = text.len() as u16;
            self.of_bytes = before_hash(text.as_str());
        }
        fits
    }
}

/// Bytes of a path in front of its `#`.
const fn before_hash(path: &str) -> u16 {
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != b'#' {
        at += 1;
    }
    at as u16
}

/// Tells whether a path can stand in JSON as it is.
const fn is_plain(path: &str) -> bool {
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] < b' ' || bytes[at] == b'"' || bytes[at] == b'\\' {
            return false;
        }
        at += 1;
    }
    true
}

/// Bytes that the texts of these inputs and outputs take: configured paths, texts, messages.
#[must_use]
pub const fn text_bytes(inputs: &[Input], outputs: &[Output]) -> usize {
    let mut bytes = 0;
    let mut at = 0;
    while at < inputs.len() {
        bytes += inputs[at].path_room as usize + inputs[at].text_room as usize;
        at += 1;
    }
    at = 0;
    while at < outputs.len() {
        bytes += outputs[at].path_room as usize + outputs[at].text_room as usize;
        at += 1;
    }
    assert!(bytes <= u16::MAX as usize, "texts of a plugin have at most 64 KiB");
    bytes
}

/// Descriptor, rows and texts of a plugin; what [`values!`](crate::values!) makes a type of.
pub struct Table<const INPUTS: usize, const OUTPUTS: usize, const TEXTS: usize> {
    head: Descriptor,
    inputs: [InputRow; INPUTS],
    outputs: [OutputRow; OUTPUTS],
    input_places: [Place<Hear>; INPUTS],
    output_places: [Place<Write>; OUTPUTS],
    /// Time stamp of each input's value, Unix ms, where there are only time stamps.
    times: [i64; INPUTS],
    texts: [u8; TEXTS],
    listener: Listener,
}

/// What is kept between two deltas where the host writes no rows.
pub(crate) struct Listener {
    /// The host has called `skiff_update`: it writes and reads the rows by itself.
    pub(crate) by_values: bool,
    /// Time stamp of the last update that was computed, Unix ms.
    pub(crate) updated: Option<i64>,
    /// An input arrived that is a reason for an update, which waits for the least time between two.
    pub(crate) is_due: bool,
    pub(crate) own: [u8; CONTEXT_BYTES_MAX],
    pub(crate) own_bytes: usize,
}

impl Listener {
    const fn new() -> Self {
        Self { by_values: false, updated: None, is_due: false, own: [0; CONTEXT_BYTES_MAX], own_bytes: 0 }
    }
}

/// Longest context taken for the own vessel's; with a UUID it has 62 bytes.
const CONTEXT_BYTES_MAX: usize = 128;

impl<const INPUTS: usize, const OUTPUTS: usize, const TEXTS: usize> Table<INPUTS, OUTPUTS, TEXTS> {
    /// Returns rows in which nothing has arrived and nothing was set.
    #[must_use]
    pub const fn new(inputs: &[Input; INPUTS], outputs: &[Output; OUTPUTS]) -> Self {
        let mut table = Self {
            head: Descriptor::new(),
            inputs: [InputRow::new(0); INPUTS],
            outputs: [OutputRow::new(0, 0); OUTPUTS],
            input_places: [Place::new(rows::number, "-", 0, 0, 0); INPUTS],
            output_places: [Place::new(rows::write_boolean, "-", 0, 0, 0); OUTPUTS],
            times: [0; INPUTS],
            texts: [0; TEXTS],
            listener: Listener::new(),
        };
        let (mut at, mut from) = (0, 0);
        while at < INPUTS {
            let input = &inputs[at];
            table.inputs[at] = InputRow::new(input.kind);
            table.input_places[at] = Place::new(input.hear, input.path, input.path_room, input.text_room, from);
            from = table.input_places[at].end();
            at += 1;
        }
        at = 0;
        while at < OUTPUTS {
            let output = &outputs[at];
            table.outputs[at] = OutputRow::new(output.kind, output.decimals);
            table.output_places[at] = Place::new(output.write, output.path, output.path_room, output.text_room, from);
            from = table.output_places[at].end();
            at += 1;
        }
        table
    }

    /// Asks for at most one update in `ms` (at most 60,000).
    pub fn set_interval_ms(&mut self, ms: u32) {
        self.head.interval_ms = ms.min(abi::INTERVAL_MS_MAX);
    }

    /// Asks for whole deltas in `Plugin::delta`, too: those with a path that is no input, and other vessels'.
    pub fn want_other_deltas(&mut self) {
        self.head.flags |= abi::FLAG_OTHER_DELTAS;
    }

    /// Returns the newest time stamp among the inputs that arrived, Unix ms.
    #[must_use]
    pub fn time_ms(&self) -> Option<i64> {
        (self.head.time != 0).then_some(self.head.time)
    }

    /// Everything for the toolkit.
    pub fn rows(&mut self) -> Rows<'_> {
        Rows {
            head: &mut self.head,
            inputs: &mut self.inputs,
            outputs: &mut self.outputs,
            input_places: &mut self.input_places,
            output_places: &mut self.output_places,
            times: &mut self.times,
            texts: &mut self.texts,
            listener: &mut self.listener,
        }
    }

    #[doc(hidden)]
    pub fn input(&self, index: usize) -> (&InputRow, &[u8]) {
        (&self.inputs[index], self.input_places[index].text(&self.texts))
    }

    #[doc(hidden)]
    pub fn output(&mut self, index: usize) -> (&mut OutputRow, &mut [u8]) {
        (&mut self.outputs[index], self.output_places[index].text_mut(&mut self.texts))
    }

    #[doc(hidden)]
    pub fn input_path(&mut self, index: usize, parts: &[&str]) -> bool {
        self.input_places[index].set_path(&mut self.texts, parts)
    }

    #[doc(hidden)]
    pub fn output_path(&mut self, index: usize, parts: &[&str]) -> bool {
        self.output_places[index].set_path(&mut self.texts, parts)
    }
}

/// Descriptor, rows and texts of a plugin, however many, as the toolkit sees them.
pub struct Rows<'v> {
    pub(crate) head: &'v mut Descriptor,
    pub(crate) inputs: &'v mut [InputRow],
    pub(crate) outputs: &'v mut [OutputRow],
    pub(crate) input_places: &'v mut [Place<Hear>],
    pub(crate) output_places: &'v mut [Place<Write>],
    pub(crate) times: &'v mut [i64],
    pub(crate) texts: &'v mut [u8],
    pub(crate) listener: &'v mut Listener,
}

impl Rows<'_> {
    /// Before a start: nothing has arrived, and every path is that of the declaration.
    pub(crate) fn reset(self) {
        (self.head.interval_ms, self.head.flags, self.head.time) = (0, 0, 0);
        self.inputs.iter_mut().for_each(InputRow::reset);
        self.input_places.iter_mut().for_each(Place::reset);
        self.output_places.iter_mut().for_each(Place::reset);
        let listener = &mut *self.listener;
        (listener.by_values, listener.updated, listener.is_due, listener.own_bytes) = (false, None, false, 0);
    }

    /// Writes the addresses of everything, for a host that reads rows; returns the descriptor's.
    pub fn describe(self) -> *const u8 {
        for (row, place) in self.inputs.iter_mut().zip(self.input_places.iter()) {
            row.describe(place.path(self.texts), place.text(self.texts));
        }
        for (row, place) in self.outputs.iter_mut().zip(self.output_places.iter()) {
            row.describe(place.path(self.texts));
        }
        self.head.describe(self.inputs, self.outputs);
        core::ptr::from_mut(self.head).cast()
    }
}

/// Declares a type with the inputs and outputs of a plugin; see the example of the module [`values`](mod@crate::values).
///
/// An input is `number(path)`, `boolean(path)` or `text(path, bytes)`, an output `number(path, decimals)`,
/// `shortest(path)`, `boolean(path)`, `text(path, bytes)`, `json(path, bytes)` or `notification(path, bytes)`; behind it
/// can stand `.quiet()` (inputs) and `.configured(bytes)`. Each is a method of the type that gives a view of that kind;
/// names of inputs and outputs differ. `paths().name(&["part", …])` replaces the path of one that is `configured`.
#[macro_export]
macro_rules! values {
    (
        $(#[$about:meta])*
        $visible:vis struct $name:ident {
            inputs { $($(#[$in_about:meta])* $input:ident: $in_kind:ident($($in_argument:expr),*) $(.$in_with:ident($($in_value:expr)?))*),* $(,)? }
            outputs { $($(#[$out_about:meta])* $output:ident: $out_kind:ident($($out_argument:expr),*) $(.$out_with:ident($($out_value:expr)?))*),* $(,)? }
        }
    ) => {
        $(#[$about])*
        $visible struct $name(
            $crate::values::Table<
                { $name::INPUTS.len() },
                { $name::OUTPUTS.len() },
                { $crate::values::text_bytes($name::INPUTS, $name::OUTPUTS) },
            >,
        );

        const _: () = {
            #[allow(non_camel_case_types)]
            enum At { $($input),* }
            #[allow(non_camel_case_types)]
            enum To { $($output),* }

            #[allow(dead_code)]
            impl $name {
                const INPUTS: &'static [$crate::values::Input] =
                    &[$($crate::values::Input::$in_kind($($in_argument),*)$(.$in_with($($in_value)?))*),*];
                const OUTPUTS: &'static [$crate::values::Output] =
                    &[$($crate::values::Output::$out_kind($($out_argument),*)$(.$out_with($($out_value)?))*),*];

                /// Returns rows in which nothing has arrived and nothing was set.
                #[must_use]
                pub const fn new() -> Self {
                    const INPUTS: &[$crate::values::Input; $name::INPUTS.len()] = match $name::INPUTS.first_chunk() {
                        Some(inputs) => inputs,
                        None => unreachable!(),
                    };
                    const OUTPUTS: &[$crate::values::Output; $name::OUTPUTS.len()] = match $name::OUTPUTS.first_chunk() {
                        Some(outputs) => outputs,
                        None => unreachable!(),
                    };
                    Self($crate::values::Table::new(INPUTS, OUTPUTS))
                }

                $(
                    $(#[$in_about])*
                    #[must_use]
                    pub fn $input(&self) -> $crate::values!(@ input $in_kind) {
                        let (row, buffer) = self.0.input(At::$input as usize);
                        $crate::values!(@ read $in_kind row buffer)
                    }
                )*
                $(
                    $(#[$out_about])*
                    #[must_use]
                    pub fn $output(&mut self) -> $crate::values!(@ output $out_kind) {
                        let (row, room) = self.0.output(To::$output as usize);
                        $crate::values!(@ give $out_kind row room)
                    }
                )*

                /// Returns the paths of what is `configured`.
                pub fn paths(&mut self) -> Paths<'_> {
                    Paths(self)
                }
            }

            /// Paths that can be replaced: each method replaces one by what its parts make together, and is `false` when
            /// there is no room for that.
            pub struct Paths<'v>(&'v mut $name);

            #[allow(dead_code, missing_docs)]
            impl Paths<'_> {
                $(
                    pub fn $input(self, parts: &[&str]) -> bool {
                        self.0.0.input_path(At::$input as usize, parts)
                    }
                )*
                $(
                    pub fn $output(self, parts: &[&str]) -> bool {
                        self.0.0.output_path(To::$output as usize, parts)
                    }
                )*
            }

            impl core::ops::Deref for $name {
                type Target = $crate::values::Table<
                    { $name::INPUTS.len() },
                    { $name::OUTPUTS.len() },
                    { $crate::values::text_bytes($name::INPUTS, $name::OUTPUTS) },
                >;

                fn deref(&self) -> &Self::Target {
                    &self.0
                }
            }

            impl core::ops::DerefMut for $name {
                fn deref_mut(&mut self) -> &mut Self::Target {
                    &mut self.0
                }
            }
        };
    };
    (@ input number) => { $crate::rows::NumberInput<'_> };
    (@ input boolean) => { $crate::rows::BooleanInput<'_> };
    (@ input text) => { $crate::rows::TextInput<'_> };
    (@ read number $row:ident $buffer:ident) => {{ let _ = $buffer; $crate::rows::NumberInput::new($row) }};
    (@ read boolean $row:ident $buffer:ident) => {{ let _ = $buffer; $crate::rows::BooleanInput::new($row) }};
    (@ read text $row:ident $buffer:ident) => { $crate::rows::TextInput::new($row, $buffer) };
    (@ output number) => { $crate::rows::NumberOutput<'_> };
    (@ output shortest) => { $crate::rows::NumberOutput<'_> };
    (@ output boolean) => { $crate::rows::BooleanOutput<'_> };
    (@ output text) => { $crate::rows::TextOutput<'_> };
    (@ output json) => { $crate::rows::JsonOutput<'_> };
    (@ output notification) => { $crate::rows::NotificationOutput<'_> };
    (@ give number $row:ident $room:ident) => {{ let _ = $room; $crate::rows::NumberOutput::new($row) }};
    (@ give shortest $row:ident $room:ident) => {{ let _ = $room; $crate::rows::NumberOutput::new($row) }};
    (@ give boolean $row:ident $room:ident) => {{ let _ = $room; $crate::rows::BooleanOutput::new($row) }};
    (@ give text $row:ident $room:ident) => { $crate::rows::TextOutput::new($row, $room) };
    (@ give json $row:ident $room:ident) => { $crate::rows::JsonOutput::new($row, $room) };
    (@ give notification $row:ident $room:ident) => { $crate::rows::NotificationOutput::new($row, $room) };
}
