/**
 * Inputs and outputs of a plugin as numbers; JSON only where the host wants it.
 *
 * A plugin declares them while it starts, computes in a function, and hands the calls of the host on:
 *
 *     import * as kit from '@skiff/assemblyscript-toolkit/assembly'
 *
 *     let depth = kit.NO_INPUT
 *     let feet = kit.NO_OUTPUT
 *
 *     function update(): void {
 *       if (depth.isValid) feet.setNumber(depth.number / 0.3048)
 *     }
 *
 *     export function plugin_start(address: usize, bytes: usize): i32 {
 *       kit.begin()
 *       depth = kit.numberInput('environment.depth.belowKeel')
 *       feet = kit.numberOutput('example.depthInFeet', 1)
 *       return 0
 *     }
 *     export function skiff_values(): usize {
 *       return kit.describe()
 *     }
 *     export function skiff_update(): i32 {
 *       return kit.update(update)
 *     }
 *     export function delta_handler(delta: string): void {
 *       kit.hear(delta, '@example/feet', update)
 *     }
 */
import * as fallback from './fallback'
import * as reader from './reader'
import * as writer from './writer'
import { Output, head } from './values'

export * from './values'
export { begin, hear } from './fallback'

// @ts-ignore: decorator
@external('env', 'sk_set_status')
declare function sk_set_status(address: usize, bytes: usize): void

// @ts-ignore: decorator
@external('env', 'sk_set_error')
declare function sk_set_error(address: usize, bytes: usize): void

/** For the export `skiff_update`: the host has written the inputs and reads the outputs afterwards. */
export function update(compute: () => void): i32 {
  fallback.isNotNeeded()
  compute()
  return 0
}

/** A member of a configuration as a number; `otherwise` when it is absent or null, NaN when it is none. */
export function numberOf(config: string, name: string, otherwise: f64): f64 {
  const key = '"' + name + '":'
  const at = config.indexOf(key)
  if (at < 0) return otherwise
  const start = changetype<usize>(config) + 2 * (at + key.length)
  const end = changetype<usize>(config) + 2 * config.length
  return reader.isWord(start, end, 'null') ? otherwise : reader.number(start, end)
}

/** Asks for at most one update in `ms` (at most 60,000); after `begin`. */
export function setInterval(ms: u32): void {
  head.interval = min(ms, 60000)
}

/** The newest time stamp among the inputs that arrived, Unix ms; 0 while unknown. */
export function time(): i64 {
  return head.time
}

const SHOWN_BYTES_MAX = 256
const SHOWN: usize = memory.data(256)

/** Shows a status text, of at most 256 bytes. */
export function setStatus(text: string): void {
  writer.begin(SHOWN, SHOWN_BYTES_MAX)
  writer.text(text)
  sk_set_status(SHOWN, writer.written())
}

/** Shows an error text, of at most 256 bytes; the plugin runs on. */
export function setError(text: string): void {
  writer.begin(SHOWN, SHOWN_BYTES_MAX)
  writer.text(text)
  sk_set_error(SHOWN, writer.written())
}

/** Shows as status what was written into an output last. */
export function setStatusOf(output: Output): void {
  sk_set_status(output.text, output.textBytes)
}

/** Appends a time as `YYYY-MM-DDThh:mm:ss.sssZ` with quotes to what is written; `ms` since 1970, not before. */
export function addTimestamp(ms: i64): void {
  const day = i32(ms / 86400000)
  let rest = i32(ms % 86400000)
  // Years begin in March here, so that the leap day is the last of its year.
  const shifted = day + 719468
  const era = shifted / 146097
  const dayOfEra = shifted - era * 146097
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  const part = (5 * dayOfYear + 2) / 153
  const month = part < 10 ? part + 3 : part - 9
  writer.byte(0x22)
  padded(yearOfEra + era * 400 + i32(month <= 2), 1000, 0x2d)
  padded(month, 10, 0x2d)
  padded(dayOfYear - (153 * part + 2) / 5 + 1, 10, 0x54)
  padded(rest / 3600000, 10, 0x3a)
  rest %= 3600000
  padded(rest / 60000, 10, 0x3a)
  padded((rest % 60000) / 1000, 10, 0x2e)
  padded(rest % 1000, 100, 0x5a)
  writer.byte(0x22)
}

function padded(value: i32, power: i32, behind: i32): void {
  for (; power > 0; power /= 10) writer.byte(0x30 + ((value / power) % 10))
  writer.byte(behind)
}
