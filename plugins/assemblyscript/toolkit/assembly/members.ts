/** Finds a member of a JSON object in UTF-16; only in modules with an input that is one. */
import { equal, skipString, unit } from './reader'

const QUOTE: i32 = 0x22
const COMMA: i32 = 0x2c
const COLON: i32 = 0x3a
const OPEN: i32 = 0x7b
const CLOSE: i32 = 0x7d

/** Behind the value that begins at `at`. */
function skipValue(at: usize, end: usize): usize {
  let depth = 0
  while (at < end) {
    const value = <i32>load<u16>(at)
    if (value == QUOTE) {
      at = skipString(at, end)
      if (depth == 0) return at
      continue
    }
    if (value == OPEN || value == 0x5b) depth++
    else if (value == CLOSE || value == 0x5d) {
      if (depth == 0) return at
      if (--depth == 0) return at + 2
    } else if (value == COMMA && depth == 0) return at
    at += 2
  }
  return end
}

/** Tells whether an object begins at `at`. */
export function isObject(at: usize, end: usize): bool {
  return unit(at, end) == OPEN
}

/** Where the value of a member of the object at `at` begins; `key` is `"name":` in UTF-16. 0 when there is none. */
export function member(at: usize, end: usize, key: usize, bytes: usize): usize {
  if (unit(at, end) != OPEN) return 0
  at += 2
  while (unit(at, end) == QUOTE) {
    if (at + bytes <= end && equal(at, key, bytes)) return at + bytes
    at = skipString(at, end)
    if (unit(at, end) != COLON) return 0
    at = skipValue(at + 2, end)
    if (unit(at, end) != COMMA) return 0
    at += 2
  }
  return 0
}
