/**
 * Reads and writes the little JSON this plugin needs.
 *
 * Hosts send compact JSON with `path` before `value` (the text form that Signal K plugins rely on),
 * so a search for literal text is enough, and a JSON library would be larger than the plugin.
 */

/** Position behind the last occurrence of `"name":` in `json`, -1 when there is none. */
function behind(json: string, name: string): i32 {
  const key = '"' + name + '":'
  const at = json.lastIndexOf(key)
  return at < 0 ? -1 : at + key.length
}

/** A member of an object without nested ones of the same name, as a number; NaN when it is none. */
export function numberOf(json: string, name: string): f64 {
  const at = behind(json, name)
  return at < 0 ? NaN : numberAt(json, at)
}

/** Tells whether an object has a member `name` that is not null. */
export function has(json: string, name: string): bool {
  const at = behind(json, name)
  return at >= 0 && json.substr(skipBlanks(json, at), 4) != 'null'
}

/** A member as a string without escapes; empty when it is none. */
export function stringOf(json: string, name: string): string {
  let at = behind(json, name)
  if (at < 0) return ''
  at = skipBlanks(json, at)
  if (at >= json.length || json.charCodeAt(at) != QUOTE) return ''
  const end = json.indexOf('"', at + 1)
  return end < 0 ? '' : json.substring(at + 1, end)
}

/** The number that begins at `at`, in JSON notation; NaN when there is none. */
export function numberAt(json: string, at: i32): f64 {
  at = skipBlanks(json, at)
  let negative = false
  if (at < json.length && json.charCodeAt(at) == MINUS) {
    negative = true
    at++
  }
  let value: f64 = 0
  let digits = 0
  let scale: f64 = 1
  let point = false
  for (; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code >= ZERO && code <= NINE) {
      value = value * 10 + (code - ZERO)
      if (point) scale *= 10
      digits++
    } else if (code == POINT && !point) {
      point = true
    } else {
      break
    }
  }
  if (digits == 0) return NaN
  if (at < json.length && (json.charCodeAt(at) | 0x20) == LETTER_E) {
    at++
    const sign = at < json.length ? json.charCodeAt(at) : 0
    if (sign == MINUS || sign == PLUS) at++
    let exponent = 0
    for (; at < json.length && exponent < 400; at++) {
      const code = json.charCodeAt(at)
      if (code < ZERO || code > NINE) break
      exponent = exponent * 10 + (code - ZERO)
    }
    for (; exponent > 0; exponent--) {
      if (sign == MINUS) scale *= 10
      else value *= 10
    }
  }
  value /= scale
  return negative ? -value : value
}

/** A number with at most two decimals, without trailing zeros; `null` when it is none. */
export function decimal(value: f64): string {
  if (!isFinite(value) || Math.abs(value) > 1e15) return 'null'
  let hundredths = i64(Math.abs(value) * 100 + 0.5)
  const sign = value < 0 && hundredths > 0 ? '-' : ''
  const fraction = i32(hundredths % 100)
  let text = sign + (hundredths / 100).toString()
  if (fraction != 0) {
    text += '.' + (fraction / 10).toString()
    if (fraction % 10 != 0) text += (fraction % 10).toString()
  }
  return text
}

/** Tells whether a text can stand in JSON and in a path as it is. */
export function isPath(text: string): bool {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const letter = (code | 0x20) >= LETTER_A && (code | 0x20) <= LETTER_Z
    if (!letter && !(code >= ZERO && code <= NINE) && code != POINT && code != MINUS && code != UNDERSCORE) return false
  }
  return text.length > 0 && text.length <= 200
}

function skipBlanks(json: string, at: i32): i32 {
  while (at < json.length && json.charCodeAt(at) <= 0x20) at++
  return at
}

const QUOTE: i32 = 0x22
const PLUS: i32 = 0x2b
const MINUS: i32 = 0x2d
const POINT: i32 = 0x2e
const ZERO: i32 = 0x30
const NINE: i32 = 0x39
const UNDERSCORE: i32 = 0x5f
const LETTER_A: i32 = 0x61
const LETTER_E: i32 = 0x65
const LETTER_Z: i32 = 0x7a
