/**
 * Signal K plugin `@skiff/shallow-water-alarm`: rings when the depth falls below a limit.
 *
 * Publishes `notifications.<path>` when the state changes, and only then; `GET /api/status` tells
 * depth, limit and state.
 */
import { Plugin } from '@signalk/assemblyscript-plugin-sdk/assembly/plugin'
import { emit, setError, setStatus } from '@signalk/assemblyscript-plugin-sdk/assembly/api'
import {
  createSimpleDelta,
  Notification,
  NotificationMethod,
  NotificationState
} from '@signalk/assemblyscript-plugin-sdk/assembly/signalk'
import { Alarm } from './alarm'
import { decimal, has, isPath, numberAt, numberOf, stringOf } from './text'

const DEFAULT_LIMIT: f64 = 3
const DEFAULT_HYSTERESIS: f64 = 0.5
const DEFAULT_PATH = 'environment.depth.belowTransducer'
/** No sea is deeper, m. */
const DEPTH_MAX: f64 = 12000

const SCHEMA =
  '{"$schema":"http://json-schema.org/draft-07/schema#","title":"Shallow water alarm","type":"object","properties":{' +
  '"limit":{"type":"number","title":"Limit in m","description":"The alarm rings below this depth","minimum":0,"maximum":12000,"default":3},' +
  '"hysteresis":{"type":"number","title":"Hysteresis in m","description":"The alarm ends when the depth exceeds the limit by this","minimum":0,"maximum":1000,"default":0.5},' +
  '"path":{"type":"string","title":"Path of the depth","default":"environment.depth.belowTransducer"}}}'

class ShallowWaterAlarm extends Plugin {
  private path: string = DEFAULT_PATH
  private alarm: Alarm = new Alarm(DEFAULT_LIMIT, DEFAULT_HYSTERESIS)
  /** Context of the own vessel: that of the first depth, which AIS never sends. */
  private context: string = ''
  private running: bool = false

  name(): string {
    return 'Shallow water alarm'
  }

  schema(): string {
    return SCHEMA
  }

  start(config: string): i32 {
    this.running = false
    const limit = has(config, 'limit') ? numberOf(config, 'limit') : DEFAULT_LIMIT
    const hysteresis = has(config, 'hysteresis') ? numberOf(config, 'hysteresis') : DEFAULT_HYSTERESIS
    const path = has(config, 'path') ? stringOf(config, 'path') : DEFAULT_PATH
    if (!(limit >= 0 && limit <= DEPTH_MAX)) return refuse('limit must be a depth in m, 0 to 12000')
    if (!(hysteresis >= 0 && hysteresis <= 1000)) return refuse('hysteresis must be a number of m, 0 to 1000')
    if (!isPath(path)) return refuse('path must be a Signal K path')
    this.path = path
    this.alarm = new Alarm(limit, hysteresis)
    this.context = ''
    this.running = true
    setStatus('waiting for ' + path)
    return 0
  }

  stop(): i32 {
    this.running = false
    return 0
  }

  /** Takes in one delta. */
  hear(delta: string): void {
    if (!this.running) return
    const key = '"path":"' + this.path + '","value":'
    // The last one, when several updates carry the path.
    const at = delta.lastIndexOf(key)
    if (at < 0) return
    const depth = numberAt(delta, at + key.length)
    if (!(depth >= 0 && depth <= DEPTH_MAX)) return
    const context = stringOf(delta, 'context')
    if (context != 'vessels.self' && context != '') {
      if (this.context == '') this.context = context
      if (this.context != context) return
    }
    const timestamp = stringOf(delta, 'timestamp')
    if (this.alarm.hear(depth, timestamp.includes('\\') ? '' : timestamp)) this.publish()
  }

  private publish(): void {
    const on = this.alarm.on
    const depth = decimal(this.alarm.depth) + ' m'
    const limit = decimal(this.alarm.limit) + ' m'
    const message = on ? 'Shallow water: depth ' + depth + ', limit ' + limit : 'Depth ' + depth + ', limit ' + limit
    const notification = new Notification(on ? NotificationState.alarm : NotificationState.normal, message)
    notification.method = on ? [NotificationMethod.visual, NotificationMethod.sound] : []
    // The status goes first: some hosts deliver other deltas while `emit` still runs.
    setStatus(message)
    emit(createSimpleDelta('notifications.' + this.path, notification.toJSON()))
  }

  /** The body of `GET /api/status`. */
  status(): string {
    const alarm = this.alarm
    const since = alarm.since == '' ? 'null' : '"' + alarm.since + '"'
    return (
      '{"path":"' + this.path + '","depth":' + decimal(alarm.depth) + ',"limit":' + decimal(alarm.limit) +
      ',"hysteresis":' + decimal(alarm.hysteresis) + ',"state":' + (alarm.known ? '"' + alarm.state() + '"' : 'null') +
      ',"since":' + since + ',"changes":' + alarm.changes.toString() + '}'
    )
  }
}

function refuse(reason: string): i32 {
  setError(reason)
  return 1
}

const plugin = new ShallowWaterAlarm()

export function plugin_name(): string {
  return plugin.name()
}

export function plugin_schema(): string {
  return plugin.schema()
}

/** The host hands the configuration over as `length` bytes of UTF-8. */
export function plugin_start(pointer: usize, length: usize): i32 {
  return plugin.start(String.UTF8.decodeUnsafe(pointer, length))
}

export function plugin_stop(): i32 {
  return plugin.stop()
}

export function delta_handler(delta: string): void {
  plugin.hear(delta)
}

export function http_endpoints(): string {
  return '[{"method":"GET","path":"/api/status","handler":"handle_status"}]'
}

export function handle_status(_request: string): string {
  return '{"statusCode":200,"headers":{"Content-Type":"application/json"},"body":' + plugin.status() + '}'
}
