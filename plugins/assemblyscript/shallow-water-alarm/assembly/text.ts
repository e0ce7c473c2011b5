/**
 * Reads the configuration.
 *
 * Hosts send compact JSON, so a search for literal text is enough, and a JSON library would be larger than the plugin.
 */
import * as reader from '@skiff/assemblyscript-toolkit/assembly/reader'

/** Position behind the last occurrence of `"name":` in `json`, -1 when there is none. */
function behind(json: string, name: string): i32 {
  const key = '"' + name + '":'
  const at = json.lastIndexOf(key)
  return at < 0 ? -1 : skipBlanks(json, at + key.length)
}

/** A member of an object without nested ones of the same name, as a number; NaN when it is none. */
export function numberOf(json: string, name: string): f64 {
  const at = behind(json, name)
  const start = changetype<usize>(json)
  return at < 0 ? NaN : reader.number(start + 2 * at, start + 2 * json.length)
}

/** Tells whether an object has a member `name` that is not null. */
export function has(json: string, name: string): bool {
  const at = behind(json, name)
  return at >= 0 && json.substr(at, 4) != 'null'
}

/** A member as a string without escapes; empty when it is none. */
export function stringOf(json: string, name: string): string {
  const at = behind(json, name)
  if (at < 0 || at >= json.length || json.charCodeAt(at) != QUOTE) return ''
  const end = json.indexOf('"', at + 1)
  return end < 0 ? '' : json.substring(at + 1, end)
}

function skipBlanks(json: string, at: i32): i32 {
  while (at < json.length && json.charCodeAt(at) <= 0x20) at++
  return at
}

const QUOTE: i32 = 0x22
