/**
 * Signal K plugin `@skiff/shallow-water-alarm`: rings when the depth falls below a limit.
 *
 * Publishes `notifications.<path>` when the state changes, and only then; `GET /api/status` tells
 * depth, limit and state.
 */
import { setError, setStatus } from '@signalk/assemblyscript-plugin-sdk/assembly/api'
import * as kit from '@skiff/assemblyscript-toolkit/assembly'
import { Alarm } from './alarm'
import * as text from '@skiff/assemblyscript-toolkit/assembly/writer'
import { has, numberOf, stringOf } from './text'

const DEFAULT_LIMIT: f64 = 3
const DEFAULT_HYSTERESIS: f64 = 0.5
const DEFAULT_PATH = 'environment.depth.belowTransducer'
/** No sea is deeper, m. */
const DEPTH_MAX: f64 = 12000

function schema(): string {
  return (
  '{"$schema":"http://json-schema.org/draft-07/schema#","title":"Shallow water alarm","type":"object","properties":{' +
  '"limit":{"type":"number","title":"Limit in m","description":"The alarm rings below this depth","minimum":0,"maximum":12000,"default":3},' +
  '"hysteresis":{"type":"number","title":"Hysteresis in m","description":"The alarm ends when the depth exceeds the limit by this","minimum":0,"maximum":1000,"default":0.5},' +
  '"path":{"type":"string","title":"Path of the depth","default":"environment.depth.belowTransducer"}}}'
  )
}

let depth = kit.NO_INPUT
let note = kit.NO_OUTPUT
let path = DEFAULT_PATH
/** Null while the plugin does not run. */
let alarm: Alarm | null = null

function start(config: string): i32 {
  kit.begin()
  alarm = null
  const limit = has(config, 'limit') ? numberOf(config, 'limit') : DEFAULT_LIMIT
  const hysteresis = has(config, 'hysteresis') ? numberOf(config, 'hysteresis') : DEFAULT_HYSTERESIS
  path = has(config, 'path') ? stringOf(config, 'path') : DEFAULT_PATH
  if (!(limit >= 0 && limit <= DEPTH_MAX)) return refuse('limit must be a depth in m, 0 to 12000')
  if (!(hysteresis >= 0 && hysteresis <= 1000)) return refuse('hysteresis must be a number of m, 0 to 1000')
  if (!kit.isPath(path)) return refuse('path must be a Signal K path')
  depth = kit.numberInput(path)
  note = kit.notificationOutput('notifications.' + path, 100)
  alarm = new Alarm(limit, hysteresis)
  setStatus('waiting for ' + path)
  return 0
}

function refuse(reason: string): i32 {
  setError(reason)
  return 1
}

/** A depth has arrived. */
function update(): void {
  const now = alarm
  const value = depth.number
  // NaN unless it is valid.
  if (now === null || !(value >= 0 && value <= DEPTH_MAX) || !now.hear(value, kit.time())) return
  note.write().add(now.on ? 'Shallow water: depth ' : 'Depth ').addFixed(value, 2)
  note.add(' m, limit ').addFixed(now.limit, 2).add(' m')
  if (now.on) note.notify(kit.State.alarm, kit.Method.both)
  else note.notify(kit.State.normal, kit.Method.none)
  kit.setStatusOf(note)
}

const ANSWER: usize = memory.data(600)
const ANSWER_BYTES = 600

/** Writes the answer to `GET /api/status`. */
function status(now: Alarm): string {
  text.begin(ANSWER, ANSWER_BYTES)
  text.text('{"statusCode":200,"headers":{"Content-Type":"application/json"},"body":{"path":"')
  text.text(path)
  text.text('","depth":')
  text.fixed(now.depth, 2)
  text.text(',"limit":')
  text.fixed(now.limit, 2)
  text.text(',"hysteresis":')
  text.fixed(now.hysteresis, 2)
  text.text(',"state":')
  text.text(!now.known ? 'null' : now.on ? '"alarm"' : '"normal"')
  text.text(',"since":')
  if (now.since == 0) text.text('null')
  else kit.addTimestamp(now.since)
  text.text(',"changes":')
  text.fixed(now.changes, 0)
  text.text('}}')
  return String.UTF8.decodeUnsafe(ANSWER, text.written())
}

export function plugin_name(): string {
  return 'Shallow water alarm'
}

export function plugin_schema(): string {
  return schema()
}

/** The host hands the configuration over as `length` bytes of UTF-8. */
export function plugin_start(pointer: usize, length: usize): i32 {
  return start(String.UTF8.decodeUnsafe(pointer, length))
}

export function plugin_stop(): i32 {
  alarm = null
  return 0
}

export function skiff_values(): usize {
  return kit.describe()
}

export function skiff_update(): i32 {
  return kit.update(update)
}

export function delta_handler(delta: string): void {
  kit.hear(delta, '@skiff/shallow-water-alarm', update)
}

export function http_endpoints(): string {
  return '[{"method":"GET","path":"/api/status","handler":"handle_status"}]'
}

export function handle_status(_request: string): string {
  const now = alarm
  return now === null ? '{"statusCode":503}' : status(now)
}
