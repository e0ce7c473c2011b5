/**
 * Reads JSON in UTF-16 where it lies, between two addresses, and allocates nothing.
 *
 * Hosts send compact JSON, the path of a value right before it (plugins rely on that). Nothing is validated: of broken
 * JSON comes 0, NaN or an early end.
 */

const QUOTE: i32 = 0x22
const PLUS: i32 = 0x2b
const MINUS: i32 = 0x2d
const POINT: i32 = 0x2e
const ZERO: i32 = 0x30
const BACKSLASH: i32 = 0x5c
const LETTER_E: i32 = 0x65

/** The unit at `at`; 0 at the end. */
// @ts-ignore: decorator
@inline
export function unit(at: usize, end: usize): i32 {
  return at < end ? <i32>load<u16>(at) : 0
}

/** Tells whether `bytes` of UTF-16 are equal; eight bytes at a time. */
export function equal(left: usize, right: usize, bytes: usize): bool {
  let at: usize = 0
  for (; at + 8 <= bytes; at += 8) {
    if (load<u64>(left + at) != load<u64>(right + at)) return false
  }
  for (; at < bytes; at += 2) {
    if (load<u16>(left + at) != load<u16>(right + at)) return false
  }
  return true
}

/** Where `key` of at least four units begins, 0 when nowhere. */
export function find(at: usize, end: usize, key: usize, bytes: usize): usize {
  const first = load<u64>(key)
  for (; at + bytes <= end; at += 2) {
    if (load<u64>(at) == first && equal(at, key, bytes)) return at
  }
  return 0
}

/** As `find`, backwards from `at` to `start`. */
export function findBefore(at: usize, start: usize, key: usize, bytes: usize): usize {
  const first = load<u64>(key)
  for (at -= bytes; at >= start; at -= 2) {
    if (load<u64>(at) == first && equal(at, key, bytes)) return at
  }
  return 0
}

// `"path":"` is eight units: whoever looks at every fourth unit sees one of these four behind its beginning.
const PAT_0: u64 = 0x0074_0061_0070_0022
const PAT_1: u64 = 0x0068_0074_0061_0070
const PAT_2: u64 = 0x0022_0068_0074_0061
const PAT_3: u64 = 0x003a_0022_0068_0074
/** The second half of it, `h":"`. */
const PATH_END: u64 = 0x0022_003a_0022_0068

/** Where the text of the next path begins, behind `"path":"`; 0 when there is none. */
export function nextPath(at: usize, end: usize): usize {
  while (at + 16 <= end) {
    const window = load<u64>(at)
    let begin: usize = 0
    if (window == PAT_0) begin = at
    else if (window == PAT_1) begin = at - 2
    else if (window == PAT_2) begin = at - 4
    else if (window == PAT_3) begin = at - 6
    if (begin != 0 && begin + 16 <= end && load<u64>(begin) == PAT_0 && load<u64>(begin, 8) == PATH_END) return begin + 16
    at += 8
  }
  return 0
}

/** Behind the string that begins at `at`. */
export function skipString(at: usize, end: usize): usize {
  for (at += 2; at < end; at += 2) {
    const value = load<u16>(at)
    if (value == QUOTE) return at + 2
    if (value == BACKSLASH) at += 2
  }
  return end
}

/** Tells whether `null`, `true` or `false` stands at `at`, by its first four units. */
export function isWord(at: usize, end: usize, word: string): bool {
  return at + 8 <= end && load<u64>(at) == load<u64>(changetype<usize>(word))
}

/** The number at `at`; NaN when there is none. */
export function number(at: usize, end: usize): f64 {
  const negative = unit(at, end) == MINUS
  if (negative) at += 2
  let digits: u64 = 0
  let count = 0
  let exponent = 0
  let point = false
  for (; at < end; at += 2) {
    const value = <i32>load<u16>(at)
    const digit = value - ZERO
    if (u32(digit) < 10) {
      if (digits < 100000000000000000) {
        digits = digits * 10 + digit
        if (point) exponent--
      } else if (!point) exponent++
      count++
    } else if (value == POINT && !point) {
      point = true
    } else {
      break
    }
  }
  if (count == 0) return NaN
  if ((unit(at, end) | 0x20) == LETTER_E) {
    at += 2
    const sign = unit(at, end)
    if (sign == MINUS || sign == PLUS) at += 2
    let power = 0
    for (; u32(unit(at, end) - ZERO) < 10 && power < 400; at += 2) power = power * 10 + unit(at, end) - ZERO
    exponent += sign == MINUS ? -power : power
  }
  let value = <f64>digits
  // Exact while digits and power are, up to 2^53 and 10^22.
  let scale: f64 = 1
  for (let left = min(abs(exponent), 400); left > 0; left--) scale *= 10
  value = exponent < 0 ? value / scale : value * scale
  return negative ? -value : value
}

/** Milliseconds since 1970 of `YYYY-MM-DDThh:mm:ss[.f…]Z` at `at`; 0 when it is none. */
export function millis(at: usize, end: usize): i64 {
  const year = digits(at, 4, end)
  const month = digits(at + 10, 2, end)
  const day = digits(at + 16, 2, end)
  const hour = digits(at + 22, 2, end)
  const minute = digits(at + 28, 2, end)
  const second = digits(at + 34, 2, end)
  if ((year | month | day | hour | minute | second) < 0 || month == 0 || month > 12 || unit(at + 20, end) != 0x54) return 0
  let fraction = 0
  at += 38
  if (unit(at, end) == POINT) {
    at += 2
    let count = 0
    for (; u32(unit(at, end) - ZERO) < 10; at += 2, count++) {
      if (count < 3) fraction = fraction * 10 + unit(at, end) - ZERO
    }
    for (; count < 3; count++) fraction *= 10
  }
  if (unit(at, end) != 0x5a) return 0
  const seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
  return seconds * 1000 + fraction
}

function digits(at: usize, count: i32, end: usize): i32 {
  let value = 0
  for (; count > 0; count--, at += 2) {
    const digit = unit(at, end) - ZERO
    if (u32(digit) > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Days since 1970-01-01 of a date in the Gregorian calendar. */
function days(year: i32, month: i32, day: i32): i64 {
  // Years begin in March here, so that the leap day is the last of its year.
  const from = month <= 2 ? year - 1 : year
  const dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
  return i64(365 * from + from / 4 - from / 100 + from / 400 + dayOfYear - 719468)
}
