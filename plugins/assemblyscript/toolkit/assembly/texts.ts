/** Decodes JSON strings to UTF-8; only in modules with an input that is a text. */
import { skipString, unit } from './reader'
import { Input } from './values'

const QUOTE: i32 = 0x22
const ZERO: i32 = 0x30
const BACKSLASH: i32 = 0x5c

/** Writes the string at `at` as UTF-8 into the input's buffer, escapes decoded, as many whole characters as fit; -1 when it is none. */
export function decode(input: Input, at: usize, end: usize): i32 {
  input.fullBytes = 0
  const into: usize = input.buffer
  const room = input.bufferBytes
  if (unit(at, end) != QUOTE) return -1
  const stop = skipString(at, end) - 2
  let written: u32 = 0
  let full: u32 = 0
  for (at += 2; at < stop; at += 2) {
    let code = <i32>load<u16>(at)
    if (code == BACKSLASH) {
      at += 2
      code = unit(at, stop)
      if (code == 0x75) {
        code = hexadecimal(at + 2, stop)
        at += 8
        if ((code & 0xfc00) == 0xd800 && unit(at + 2, stop) == BACKSLASH && unit(at + 4, stop) == 0x75) {
          const low = hexadecimal(at + 6, stop)
          if ((low & 0xfc00) == 0xdc00) {
            code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff)
            at += 12
          }
        }
      } else {
        code = escaped(code)
      }
      if (code < 0) return -1
    } else if ((code & 0xfc00) == 0xd800 && (unit(at + 2, stop) & 0xfc00) == 0xdc00) {
      code = 0x10000 + ((code & 0x3ff) << 10) + (unit(at + 2, stop) & 0x3ff)
      at += 2
    }
    if ((code & 0xf800) == 0xd800) code = 0xfffd
    const bytes: u32 = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    // A character that does not fit ends the text: what follows it is only counted.
    if (written == full && written + bytes <= room) {
      encode(code, into + written)
      written += bytes
    }
    full += bytes
  }
  input.fullBytes = full
  return <i32>written
}

function escaped(letter: i32): i32 {
  if (letter == QUOTE || letter == BACKSLASH || letter == 0x2f) return letter
  if (letter == 0x6e) return 0x0a
  if (letter == 0x74) return 0x09
  if (letter == 0x72) return 0x0d
  if (letter == 0x62) return 0x08
  return letter == 0x66 ? 0x0c : -1
}

function hexadecimal(at: usize, end: usize): i32 {
  let value = 0
  for (let left = 4; left > 0; left--, at += 2) {
    const letter = unit(at, end)
    const digit = letter - ZERO
    const upper = (letter & ~0x20) - 0x41
    if (u32(digit) < 10) value = value * 16 + digit
    else if (u32(upper) < 6) value = value * 16 + 10 + upper
    else return -1
  }
  return value
}

function encode(code: i32, into: usize): void {
  if (code < 0x80) return store<u8>(into, code)
  if (code < 0x800) {
    store<u8>(into, 0xc0 | (code >> 6))
    return store<u8>(into, 0x80 | (code & 63), 1)
  }
  if (code < 0x10000) {
    store<u8>(into, 0xe0 | (code >> 12))
    store<u8>(into, 0x80 | ((code >> 6) & 63), 1)
    return store<u8>(into, 0x80 | (code & 63), 2)
  }
  store<u8>(into, 0xf0 | (code >> 18))
  store<u8>(into, 0x80 | ((code >> 12) & 63), 1)
  store<u8>(into, 0x80 | ((code >> 6) & 63), 2)
  store<u8>(into, 0x80 | (code & 63), 3)
}
