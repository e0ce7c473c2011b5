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
  // A unit of UTF-16 takes at most three bytes; most take one.
  if (at + units * 3 <= end || at + String.UTF8.byteLength(value) <= end) {
    at += String.UTF8.encodeUnsafe(changetype<usize>(value), units, at)
  } else {
    fits = false
  }
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

function power(decimals: i32): f64 {
  let scale: f64 = 1
  for (let left = decimals; left > 0; left--) scale *= 10
  return scale
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
  let places = decimals
  while (places > 0 && rest % 10 == 0) {
    rest /= 10
    places--
  }
  if (value < 0 && rest != 0) byte(0x2d)
  let digit = DIGITS + 32
  for (let count = 0; rest != 0 || count <= places; count++) {
    if (count == places && places != 0) store<u8>(--digit, 0x2e)
    store<u8>(--digit, 0x30 + <u8>(rest % 10))
    rest /= 10
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
