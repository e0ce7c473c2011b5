/**
 * Fills the rows from JSON deltas and publishes them as one, where the host does not.
 *
 * Values of the own vessel only, none of the plugin's own, the latest of each input, one update for a delta. There is no
 * clock: time and age are those of the time stamps, and an update that the least time between two holds back is made up
 * for by the next delta.
 *
 * No host tells a plugin which context is its own vessel's, and others send positions and headings, too. They send no
 * depth, wind, engine or battery, so the context of the first delta with such a path counts as the own vessel's until the
 * plugin is restarted; `vessels.self` always does.
 */
import * as parts from './parts'
import * as reader from './reader'
import * as writer from './writer'
import { AGE_MAX, BEHIND_PATH, Input, NEW, OTHER_TYPE, Output, VALID, WITHDRAWN, clear, head, inputAt, keyAt, outputAt, pathBytes } from './values'

// @ts-ignore: decorator
@external('env', 'sk_handle_message')
declare function sk_handle_message(address: usize, bytes: usize, version: i32): void

/** A delta of outputs has at most so many bytes; rows that do not fit one are published by themselves. */
const DELTA_BYTES_MAX: i32 = 1024
// @ts-ignore: decorator
@lazy const DELTA: usize = memory.data(1024)
/** The own vessel's context in UTF-16, at most 128 units. */
// @ts-ignore: decorator
@lazy const OWN: usize = memory.data(256)
const OWN_BYTES_MAX: usize = 256
let ownBytes: usize = 0

/** What AIS does not tell of other vessels. */
// @ts-ignore: decorator
@lazy const OWN_PATHS = ['environment.', 'propulsion.', 'electrical.', 'tanks.', 'steering.', 'navigation.gnss.']
// @ts-ignore: decorator
@lazy const CONTEXT = '"context":"'
// @ts-ignore: decorator
@lazy const VESSELS = 'vessels.'
// @ts-ignore: decorator
@lazy const SELF = 'vessels.self"'
// @ts-ignore: decorator
@lazy const TIMESTAMP = '"timestamp":"'
// @ts-ignore: decorator
@lazy const SOURCE = '"$source":"'

let byRows: bool = false
let isDue: bool = false
let updated: i64 = -1
let isBusy: bool = false

function address(text: string): usize {
  return changetype<usize>(text)
}

function bytesOf(text: string): usize {
  return 2 * text.length
}

/** Begins a start: no row is declared, nothing has arrived. */
export function begin(): void {
  // @ts-ignore: only the runtime of `small` has it
  if (isDefined(__keep)) __keep()
  clear()
  byRows = false
  isDue = false
  updated = -1
  ownBytes = 0
}

/** The host writes and reads the rows by itself from now on. */
export function isNotNeeded(): void {
  byRows = true
}

/** Takes in a delta; `id` is the plugin's own source, `update` computes outputs from inputs. */
export function hear(delta: string, id: string, update: () => void): void {
  // Modules with pages of one byte load where rows are written: nothing of this is in them.
  if (isDefined(__keep)) return
  // Some hosts deliver a delta while the plugin publishes one.
  if (byRows || isBusy) return
  const start = address(delta)
  const end = start + bytesOf(delta)
  if (!isOwn(start, end) || !hearValues(start, end, id)) return
  const now = head.time
  const passed = now - updated
  if (!isDue || (updated >= 0 && passed >= 0 && passed < <i64>head.interval)) return
  isDue = false
  updated = now
  head.updates++
  const count = <i32>head.inputs
  for (let at = 0; at < count; at++) writeAge(inputAt(at), now - keyAt(at).time)
  isBusy = true
  update()
  for (let at = 0; at < count; at++) inputAt(at).state &= ~NEW
  head.arrived = 0
  publish()
  isBusy = false
}

function writeAge(input: Input, age: i64): void {
  const isKnown = (input.state & ~NEW) != 0 && age >= 0 && age < <i64>AGE_MAX
  // A clock that was set back makes an age unknown, too.
  store<u32>(changetype<usize>(input), isKnown ? <u32>age : AGE_MAX, offsetof<Input>('age'))
}

/** Takes in the values of a delta; false when none is an input, or they are the plugin's own. */
function hearValues(start: usize, end: usize, id: string): bool {
  let checked: usize = 0
  const count = <i32>head.inputs
  for (let path = reader.nextPath(start, end); path != 0; path = reader.nextPath(path, end)) {
    for (let at = 0; at < count; at++) {
      const key = keyAt(at)
      if (path + key.bytes > end || !reader.equal(path, key.at, key.bytes)) continue
      if (path > checked) {
        // The source stands behind the values of an update: the next one is theirs.
        const source = reader.find(path, end, address(SOURCE), bytesOf(SOURCE))
        if (source != 0) {
          const from = source + bytesOf(SOURCE)
          const behind = from + bytesOf(id)
          if (behind < end && reader.equal(from, address(id), bytesOf(id)) && load<u16>(behind) == 0x22) return checked != 0
        }
        let time = reader.findBefore(path, start, address(TIMESTAMP), bytesOf(TIMESTAMP))
        if (time == 0) time = reader.find(path, end, address(TIMESTAMP), bytesOf(TIMESTAMP))
        const now = time == 0 ? 0 : reader.millis(time + bytesOf(TIMESTAMP), end)
        if (now != 0) head.time = now
        checked = source == 0 ? end : source
      }
      hearValue(at, path + key.bytes, end)
    }
  }
  return checked != 0
}

function hearValue(index: i32, at: usize, end: usize): void {
  const input = inputAt(index)
  const key = keyAt(index)
  const member = parts.member
  if (member !== null && key.member != 0) {
    if (reader.unit(at, end) == 0x7b) {
      at = member(at, end, key.member, key.memberBytes)
      if (at == 0) {
        // Root values are merged: one that is not named stays.
        if (<usize>key.bytes > bytesOf(BEHIND_PATH)) setState(index, WITHDRAWN, NaN)
        return
      }
    } else if (!reader.isWord(at, end, 'null')) {
      return setState(index, OTHER_TYPE, NaN)
    }
  }
  let number: f64 = NaN
  let isValid = false
  if (input.isText) {
    const decode = parts.decode
    if (decode !== null) {
      const bytes = decode(input, at, end)
      isValid = bytes >= 0
      if (isValid) number = reinterpret<f64>(<u64>bytes)
    }
  } else if (input.isBoolean) {
    const isTrue = reader.isWord(at, end, 'true')
    isValid = isTrue || reader.isWord(at, end, 'false')
    if (isValid) number = isTrue ? 1 : 0
  } else {
    number = reader.number(at, end)
    isValid = isFinite(number)
  }
  setState(index, isValid ? VALID : reader.isWord(at, end, 'null') ? WITHDRAWN : OTHER_TYPE, isValid ? number : NaN)
}

function setState(index: i32, state: u8, number: f64): void {
  const input = inputAt(index)
  input.state = NEW | state
  store<f64>(changetype<usize>(input), number, offsetof<Input>('number'))
  keyAt(index).time = head.time
  head.arrived++
  if (!input.isQuiet) isDue = true
}

function isOwn(start: usize, end: usize): bool {
  const key = reader.find(start, end, address(CONTEXT), bytesOf(CONTEXT))
  if (key == 0) return true
  const from = key + bytesOf(CONTEXT)
  if (from + bytesOf(SELF) <= end && reader.equal(from, address(SELF), bytesOf(SELF))) return true
  const bytes = reader.skipString(from - 2, end) - 2 - from
  if (ownBytes == 0) {
    if (bytes > OWN_BYTES_MAX || bytes < bytesOf(VESSELS) || !reader.equal(from, address(VESSELS), bytesOf(VESSELS))) return false
    if (!tellsOwn(start, end)) return false
    memory.copy(OWN, from, bytes)
    ownBytes = bytes
  }
  return bytes == ownBytes && reader.equal(from, OWN, bytes)
}

function tellsOwn(start: usize, end: usize): bool {
  for (let path = reader.nextPath(start, end); path != 0; path = reader.nextPath(path, end)) {
    for (let at = 0; at < OWN_PATHS.length; at++) {
      const own = unchecked(OWN_PATHS[at])
      if (path + bytesOf(own) <= end && reader.equal(path, address(own), bytesOf(own))) return true
    }
  }
  return false
}

/** Publishes the outputs that were set. */
function publish(): void {
  const count = <i32>head.outputs
  let any = false
  for (let at = 0; at < count; at++) any = any || outputAt(at).isChanged
  if (!any) return
  // All in one delta; else each row by itself.
  if (!publishRows(0, count)) {
    for (let at = 0; at < count; at++) publishRows(at, at + 1)
  }
  for (let at = 0; at < count; at++) outputAt(at).counter = 0
}

function publishRows(from: i32, to: i32): bool {
  writer.begin(DELTA, DELTA_BYTES_MAX)
  writer.text('{"updates":[{"values":[')
  const empty = writer.written()
  for (let at = from; at < to; at++) {
    const before = writer.written()
    if (before > empty) writer.byte(0x2c)
    if (!writeRow(at, from, to)) writer.truncate(before)
  }
  const any = writer.written() > empty
  writer.text(']}]}')
  if (!any || !writer.isWhole()) return false
  sk_handle_message(DELTA, writer.written(), 1)
  return true
}

/** Writes path and value of a row; false when it did not change, stands with another one, or has no value. */
function writeRow(at: i32, from: i32, to: i32): bool {
  const output = outputAt(at)
  if (!output.isChanged) return false
  const memberRows = parts.memberRows
  const bytes = memberRows === null ? <i32>output.pathBytes : pathBytes(output)
  writer.text('{"path":"')
  writer.bytes(output.path, bytes)
  writer.text('","value":')
  let isValue = false
  if (memberRows !== null && bytes < <i32>output.pathBytes) isValue = memberRows(at, from, to)
  else isValue = writeValue(output)
  writer.byte(0x7d)
  return isValue
}

export function writeValue(output: Output): bool {
  const value = output.value
  if (output.isNumber) {
    const shortest = parts.shortest
    if (output.decimals == 0 && shortest !== null) shortest(value)
    else writer.fixed(value, <i32>output.decimals - 1)
    return isFinite(value)
  }
  if (output.isBoolean) writer.text(value == 1 ? 'true' : 'false')
  else if (output.isNull) writer.text('null')
  else if (output.isText) writer.quoted(output.text, output.textBytes)
  else if (output.isJson) {
    writer.bytes(output.text, output.textBytes)
    return output.textBytes > 0
  } else {
    writer.text('{"state":"')
    writer.text(unchecked(STATES[output.state & 7]))
    writer.text('","method":[')
    const method = output.state & 0xc0
    if (method & 0x40) writer.text('"visual"')
    if (method == 0xc0) writer.byte(0x2c)
    if (method & 0x80) writer.text('"sound"')
    writer.text('],"message":')
    writer.quoted(output.text, output.textBytes)
    writer.byte(0x7d)
  }
  return true
}

// @ts-ignore: decorator
@lazy const STATES = ['normal', 'nominal', 'alert', 'warn', 'alarm', 'emergency']
