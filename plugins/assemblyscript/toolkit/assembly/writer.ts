/**
 * Writes UTF-8 into memory and allocates nothing: text, fixed-point numbers, JSON strings.
 *
 * There is one place at a time that is written to; what does not fit is left out, and `fits` says so.
 */

let from: usize = 0
let at: usize = 0
let end: usize = 0
let fits: bool = true

/** Begins to write at `address`, at most `bytes`. */
export function begin(address: usize, bytes: i32): void {
  from = address
  at = address
  end = address + bytes
  fits = true
}

/** Bytes written since `begin`. */
export function written(): i32 {
  return i32(at - from)
}

/** Tells whether everything fitted. */
export function isWhole(): bool {
  return fits
}

/** Takes back what was written behind the first `bytes`. */
export function truncate(bytes: i32): void {
  at = from + bytes
}

/** Appends a byte. */
export function byte(value: i32): void {
  if (at < end) store<u8>(at++, value)
  else fits = false
}

/** Appends a text, or nothing of it when it does not fit. */
export function text(value: string): void {
  const units = value.length
  if (at + units <= end) {
    const done = ascii(changetype<usize>(value), units)
    if (done == units) {
      at += done
      return
    }
  }
  // A unit of UTF-16 takes at most three bytes; most take one.
  if (at + units * 3 <= end || at + String.UTF8.byteLength(value) <= end) {
    at += String.UTF8.encodeUnsafe(changetype<usize>(value), units, at)
  } else {
    fits = false
  }
}

/** Writes the units that are ASCII, up to the first one that is not, and returns how many; two and two while there are. */
function ascii(unit: usize, units: i32): i32 {
  let to = at
  const stop = at + units
  for (; to + 4 <= stop; to += 4, unit += 8) {
    const first = load<u32>(unit)
    const second = load<u32>(unit, 4)
    if (((first | second) & 0xff80ff80) != 0) break
    store<u16>(to, first | (first >> 8))
    store<u16>(to, second | (second >> 8), 2)
  }
  for (; to < stop; to++, unit += 2) {
    const one = load<u16>(unit)
    if (one > 0x7f) break
    store<u8>(to, one)
  }
  return i32(to - at)
}

/** Appends bytes as they are. */
export function bytes(address: usize, count: i32): void {
  if (at + count <= end) {
    memory.copy(at, address, count)
    at += count
  } else {
    fits = false
  }
}

/** Appends bytes of UTF-8 as a JSON string. */
export function quoted(address: usize, count: i32): void {
  byte(0x22)
  for (let index = 0; index < count; index++) {
    const value = <i32>load<u8>(address + index)
    if (value == 0x22 || value == 0x5c) {
      byte(0x5c)
      byte(value)
    } else if (value < 0x20) {
      text(value < 0x10 ? '\\u000' : '\\u001')
      byte(HEX.charCodeAt(value & 15))
    } else {
      byte(value)
    }
  }
  byte(0x22)
}

const HEX = '0123456789abcdef'
/** From here on a double has no exact unit digit (2^53). */
const EXACT: f64 = 9007199254740992
const DIGITS: usize = memory.data(32)
/** The powers of ten that are asked for, all exact. */
const POWERS: usize = memory.data<f64>([
  1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19
])

function power(decimals: i32): f64 {
  return load<f64>(POWERS + 8 * decimals)
}

/**
 * Appends a number with at most `decimals` (0 to 15), rounded half up, without trailing zeros; with fewer where so many
 * digits are not exact, and `null` when it is none. Hosts that read rows round in the same way.
 */
export function fixed(value: f64, decimals: i32): void {
  let scaled = Math.abs(value) * power(decimals)
  while (!(scaled < EXACT)) {
    if (decimals == 0) return text('null')
    scaled = Math.abs(value) * power(--decimals)
  }
  // Above 2^52 there is no fraction any more.
  let rest = <u64>(scaled < EXACT / 2 ? scaled + 0.5 : scaled)
  if (value < 0 && rest != 0) byte(0x2d)
  let digit = DIGITS + 32
  for (let count = 0; rest != 0 || count <= decimals; count++) {
    let last: u32
    if (rest > u32.MAX_VALUE) {
      const tenth = rest / 10
      last = u32(rest - tenth * 10)
      rest = tenth
    } else {
      // A division of 64 bits is long on small machines.
      const tenth = u32(rest) / 10
      last = u32(rest) - tenth * 10
      rest = tenth
    }
    // Of the fraction, zeros at its end are left out, and its point where nothing is left.
    if (digit == DIGITS + 32) {
      if (last == 0 && count < decimals) continue
    } else if (count == decimals) {
      store<u8>(--digit, 0x2e)
    }
    store<u8>(--digit, 0x30 + last)
  }
  bytes(digit, i32(DIGITS + 32 - digit))
}

/** Appends a number in the shortest text that means this double, of at most 16 digits. */
export function shortest(value: f64): void {
  const magnitude = Math.abs(value)
  let scale: f64 = 1
  let places = 0
  for (; places < 19; places++) {
    const scaled = magnitude * scale
    if (!(scaled < EXACT)) break
    const whole = <u64>scaled
    const digits = whole + u64(scaled - <f64>whole >= 0.5)
    // Digits and power are exact, so this is what a reader makes of the text.
    if (<f64>digits / scale == magnitude) break
    scale *= 10
  }
  fixed(value, places)
}
