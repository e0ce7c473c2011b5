/** Signal K plugin `{{name}}`: tells the smallest depth since it was started. */
import { setError, setStatus } from '@signalk/assemblyscript-plugin-sdk/assembly/api'
import * as kit from '@skiff/assemblyscript-toolkit/assembly'

let depth = kit.NO_INPUT
let smallest = kit.NO_OUTPUT
/** m; what the operator adds to each depth. */
let offset: f64 = 0
let least: f64 = Infinity

export function plugin_id(): string {
  return '{{name}}'
}

export function plugin_name(): string {
  return '{{title}}'
}

export function plugin_schema(): string {
  return '{"type":"object","properties":{"offset":{"type":"number","title":"Offset in m that is added to each depth","minimum":-20,"maximum":20,"default":0}}}'
}

/** The configuration is UTF-8 JSON; 0 means started. Inputs and outputs are declared here. */
export function plugin_start(ptr: usize, len: usize): i32 {
  kit.begin()
  least = Infinity
  offset = kit.numberOf(String.UTF8.decodeUnsafe(ptr, len), 'offset', 0)
  if (!(offset >= -20 && offset <= 20)) {
    setError('offset must be a number from -20 to 20')
    return 1
  }
  depth = kit.numberInput('environment.depth.belowTransducer')
  smallest = kit.numberOutput('environment.depth.smallest', 2)
  setStatus('waiting for environment.depth.belowTransducer')
  return 0
}

export function plugin_stop(): i32 {
  return 0
}

/** A value has arrived; what is set here is published afterwards. */
function update(): void {
  const now = depth.number + offset
  // NaN, which is not smaller, while there is no depth.
  if (!(now < least)) return
  least = now
  smallest.setNumber(now)
  kit.setStatus('runs')
}

/** Hosts that write numbers into memory call these two, */
export function skiff_values(): usize {
  return kit.describe()
}

export function skiff_update(): i32 {
  return kit.update(update)
}

/** and all others this one. */
export function delta_handler(delta: string): void {
  kit.hear(delta, '{{name}}', update)
}
