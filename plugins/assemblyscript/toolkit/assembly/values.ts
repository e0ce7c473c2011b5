/**
 * Inputs and outputs of a plugin: rows of the values extension in static memory.
 *
 * Layout and numbers are those of Skiff's `runtime/docs/abi-extensions.md`, "Values". Addresses come from `memory.data`, so
 * that no collector moves or frees what the host knows; the classes are unmanaged: an `Input` is the address of its row,
 * and nothing runs before `plugin_start`.
 */
import * as parts from './parts'
import * as writer from './writer'

/** As many of each as a plugin can have. */
const ROWS_MAX: i32 = 16
/** Paths, keys, texts and messages together, bytes. */
const TEXTS_BYTES: i32 = 4096

const MAGIC: u32 = 0x31564b53
export const AGE_MAX: u32 = 0xffffffff

const NUMBER: u8 = 1
const TEXT: u8 = 2
const BOOLEAN: u8 = 3
const NULL: u8 = 4
const JSON: u8 = 5
const NOTIFICATION: u8 = 6
const KIND_BITS: u8 = 0x0f
const QUIET: u8 = 0x80

export const VALID: u8 = 1
export const WITHDRAWN: u8 = 2
export const OTHER_TYPE: u8 = 3
export const NEW: u8 = 0x80

/** How loud a notification is. */
export enum State {
  normal = 0,
  nominal = 1,
  alert = 2,
  warn = 3,
  alarm = 4,
  emergency = 5
}

/** How a notification reaches people. */
export enum Method {
  none = 0,
  visual = 0x40,
  sound = 0x80,
  both = 0xc0
}

/** The descriptor. */
@unmanaged
export class Head {
  magic: u32
  inputs: u16
  outputs: u16
  inputRows: u32
  outputRows: u32
  interval: u32
  flags: u32
  time: i64
  updates: u32
  arrived: u32
}

/** A value of the own vessel that the plugin reads. */
@unmanaged
export class Input {
  path: u32
  pathBytes: u16
  kind: u8
  state: u8
  /** The number, or 1 and 0 for true and false; NaN unless `isValid`. */
  readonly number: f64
  buffer: u32
  bufferBytes: u32
  fullBytes: u32
  /** How long ago the value arrived, ms; `u32.MAX_VALUE` when that is unknown. */
  readonly age: u32

  /** An arrival of this input alone is no reason for an update. */
  quiet(): Input {
    this.kind |= QUIET
    return this
  }

  /** There is a value, and it is of the declared kind. */
  get isValid(): bool {
    return (this.state & ~NEW) == VALID
  }

  /** A value arrived since the last update, also an equal one or null. */
  get isNew(): bool {
    return (this.state & NEW) != 0
  }

  /** The text, as a new string; empty unless `isValid`. */
  get text(): string {
    return this.isValid ? String.UTF8.decodeUnsafe(this.buffer, u32(reinterpret<u64>(this.number))) : ''
  }

  get isQuiet(): bool {
    return (this.kind & QUIET) != 0
  }

  get isBoolean(): bool {
    return (this.kind & KIND_BITS) == BOOLEAN
  }

  get isText(): bool {
    return (this.kind & KIND_BITS) == TEXT
  }
}

/** What belongs to an input where its values come as JSON. */
@unmanaged
export class Key {
  /** What stands before a value of this input in a delta, in UTF-16: path and `","value":`. */
  at: usize
  bytes: u32
  /** `"name":` of the member in UTF-16, 0 without one. */
  member: usize
  memberBytes: u32
  /** Time stamp of the value, Unix ms. */
  time: i64
}

/** A value that the plugin gives. What is set in a call is published after it. */
@unmanaged
export class Output {
  path: u32
  pathBytes: u16
  kind: u8
  state: u8
  value: f64
  /** Where the text that was written last lies, UTF-8, and its bytes. */
  text: u32
  textBytes: u32
  counter: u32
  decimals: u8

  /** Publishes a number. */
  setNumber(value: f64): void {
    this.value = value
    this.change(NUMBER)
  }

  /** Publishes a boolean. */
  setBoolean(value: bool): void {
    this.value = value ? 1 : 0
    this.change(BOOLEAN)
  }

  /** Publishes null: there is no value any more. */
  withdraw(): void {
    this.change(NULL)
  }

  /** Begins to write the text, JSON or message; then `add`, `addFixed`, and one of the three that publish it. */
  write(): Output {
    writer.begin(this.text, load<u32>(changetype<usize>(this) - OUTPUTS + ROOMS))
    return this
  }

  /** Appends a text; what does not fit is left out. */
  add(text: string): Output {
    writer.text(text)
    return this
  }

  /** Appends a number with at most `decimals`. */
  addFixed(value: f64, decimals: i32): Output {
    writer.fixed(value, decimals)
    return this
  }

  /** Publishes what was written as a text. */
  publishText(): void {
    this.changeText(TEXT)
  }

  /** Publishes what was written as JSON. */
  publishJson(): void {
    this.changeText(JSON)
  }

  /** Publishes what was written as the message of a notification. */
  notify(state: State, method: Method): void {
    this.state = u8(state | method)
    this.changeText(NOTIFICATION)
  }

  /** Tells whether it was set since it was published, where the host does not publish. */
  get isChanged(): bool {
    return this.counter != 0
  }

  get isNumber(): bool {
    return this.kind == NUMBER
  }

  get isBoolean(): bool {
    return this.kind == BOOLEAN
  }

  get isNull(): bool {
    return this.kind == NULL
  }

  get isText(): bool {
    return this.kind == TEXT
  }

  get isJson(): bool {
    return this.kind == JSON
  }

  private changeText(kind: u8): void {
    this.textBytes = writer.written()
    this.change(kind)
  }

  private change(kind: u8): void {
    this.kind = kind
    // 0 is kept for "nothing to publish".
    this.counter = max(this.counter + 1, 1)
  }
}

const ROW_BYTES: usize = 32
const INPUTS: usize = memory.data(512, 8)
const OUTPUTS: usize = memory.data(512, 8)
/** Room for the text of each output, at the offset of its row. */
const ROOMS: usize = memory.data(512, 8)
const KEYS: usize = memory.data(512, 8)
const TEXTS: usize = memory.data(4096, 8)
let textsUsed: i32 = 0

export const head = changetype<Head>(memory.data(40, 8))
/** What an input and an output are before `plugin_start`. */
export const NO_INPUT = changetype<Input>(0)
export const NO_OUTPUT = changetype<Output>(0)

/** The input of a number: 0 is the first. */
export function inputAt(index: i32): Input {
  return changetype<Input>(INPUTS + ROW_BYTES * index)
}

export function keyAt(index: i32): Key {
  return changetype<Key>(KEYS + ROW_BYTES * index)
}

export function outputAt(index: i32): Output {
  return changetype<Output>(OUTPUTS + ROW_BYTES * index)
}

/** Forgets every row; in `plugin_start`, before the first is declared. */
export function clear(): void {
  memory.fill(INPUTS, 0, 512)
  memory.fill(OUTPUTS, 0, 512)
  memory.fill(changetype<usize>(head), 0, 40)
  textsUsed = 0
  head.magic = MAGIC
  head.inputRows = <u32>INPUTS
  head.outputRows = <u32>OUTPUTS
}

/** The address of the descriptor, for `skiff_values`. */
export function describe(): usize {
  return changetype<usize>(head)
}

/** Declares an input: a number. */
export function numberInput(path: string): Input {
  return newInput(path, NUMBER)
}

/** Declares an input: a number that is one member of an object value, `path#member`, or of the vessel itself, `#name`. */
export function memberInput(path: string): Input {
  return asMember(numberInput(path), path)
}

/** Declares an input: a text that is such a member. */
export function memberTextInput(path: string, bytes: i32): Input {
  return asMember(textInput(path, bytes), path)
}

/** Lets the input that was declared last have the value of a member. */
function asMember(input: Input, path: string): Input {
  const key = keyAt(<i32>head.inputs - 1)
  const hash = path.indexOf('#')
  const name = path.length - hash - 1
  parts.useMembers()
  key.memberBytes = 2 * (name + 3)
  key.member = reserve(key.memberBytes)
  store<u16>(key.member, 0x22)
  memory.copy(key.member + 2, changetype<usize>(path) + 2 * (hash + 1), 2 * name)
  store<u32>(key.member + 2 * (name + 1), 0x003a0022)
  return input
}

/** Declares an input: a boolean. */
export function booleanInput(path: string): Input {
  return newInput(path, BOOLEAN)
}

/** Declares an input: a text of at most `bytes`; longer ones are cut. */
export function textInput(path: string, bytes: i32): Input {
  parts.useTexts()
  const input = newInput(path, TEXT)
  input.buffer = <u32>reserve(bytes)
  input.bufferBytes = bytes
  return input
}

/** Declares an output: a number, rounded to at most `decimals` (0 to 15). */
export function numberOutput(path: string, decimals: i32): Output {
  const output = newOutput(path, NUMBER, 0)
  output.decimals = u8(decimals + 1)
  return output
}

/** Declares an output: a number, in the shortest text that means it. */
export function shortestOutput(path: string): Output {
  parts.useShortest()
  return newOutput(path, NUMBER, 0)
}

/** Declares an output: a number that is one member of an object value, `path#member`, rounded to at most `decimals`. */
export function memberOutput(path: string, decimals: i32): Output {
  parts.useMemberOutputs()
  return numberOutput(path, decimals)
}

/** Declares an output: a boolean. */
export function booleanOutput(path: string): Output {
  return newOutput(path, BOOLEAN, 0)
}

/** Declares an output: a text of at most `bytes`. */
export function textOutput(path: string, bytes: i32): Output {
  return newOutput(path, TEXT, bytes)
}

/** Declares an output: a value as JSON of at most `bytes`. */
export function jsonOutput(path: string, bytes: i32): Output {
  return newOutput(path, JSON, bytes)
}

/** Declares an output: a notification whose message has at most `bytes`; the path is the full one, `notifications.…`. */
export function notificationOutput(path: string, bytes: i32): Output {
  return newOutput(path, NOTIFICATION, bytes)
}

function newInput(path: string, kind: u8): Input {
  if (head.inputs == ROWS_MAX) unreachable()
  const index = <i32>head.inputs
  head.inputs++
  const input = inputAt(index)
  input.kind = kind
  store<f64>(changetype<usize>(input), NaN, offsetof<Input>('number'))
  store<u32>(changetype<usize>(input), AGE_MAX, offsetof<Input>('age'))
  input.path = <u32>utf8(path)
  input.pathBytes = u16(path.length)

  const key = keyAt(index)
  let units = path.indexOf('#')
  if (units < 0) units = path.length
  key.bytes = 2 * (units + BEHIND_PATH.length)
  key.at = reserve(key.bytes)
  memory.copy(key.at, changetype<usize>(path), 2 * units)
  memory.copy(key.at + 2 * units, changetype<usize>(BEHIND_PATH), 2 * BEHIND_PATH.length)
  key.member = 0
  return input
}

function newOutput(path: string, kind: u8, textBytes: i32): Output {
  if (head.outputs == ROWS_MAX) unreachable()
  const output = outputAt(head.outputs)
  head.outputs++
  output.kind = kind
  output.path = <u32>utf8(path)
  output.pathBytes = u16(path.length)
  output.text = <u32>reserve(textBytes)
  store<u32>(changetype<usize>(output) - OUTPUTS + ROOMS, textBytes)
  return output
}

/** Reserves `bytes` of the texts; a plugin that declares more than there is does not start. */
function reserve(bytes: i32): usize {
  const from = TEXTS + textsUsed
  textsUsed += (bytes + 7) & ~7
  if (textsUsed > TEXTS_BYTES) unreachable()
  return from
}

/** Keeps a path of ASCII, 1 to 255 bytes. */
function utf8(path: string): usize {
  if (u32(path.length - 1) > 254) unreachable()
  const at = reserve(path.length)
  String.UTF8.encodeUnsafe(changetype<usize>(path), path.length, at)
  return at
}

/** Bytes of the path of an output before its `#`. */
export function pathBytes(output: Output): i32 {
  const bytes = <i32>output.pathBytes
  for (let at = 0; at < bytes; at++) {
    if (load<u8>(output.path + at) == 0x23) return at
  }
  return bytes
}

/** What stands between a path and its value. */
export const BEHIND_PATH = '","value":'

/** Tells whether a text of a configuration can be declared as a path, behind `notifications.`, too. */
export function isPath(path: string): bool {
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at)
    // `"`, `#` and `\` mean something in JSON or to the host.
    if (code <= 0x23 || code >= 0x7f || code == 0x5c) return false
  }
  return u32(path.length - 1) < 240
}
