/** A plugin with an input and an output of every kind, for the tests of the toolkit. */
import * as kit from '@skiff/assemblyscript-toolkit/assembly'
import * as reader from '@skiff/assemblyscript-toolkit/assembly/reader'

let depth = kit.NO_INPUT
let latitude = kit.NO_INPUT
let longitude = kit.NO_INPUT
let name = kit.NO_INPUT
let engine = kit.NO_INPUT
/** The age is told only where the clock moves between two deltas. */
let tellsAge = false
let label = kit.NO_OUTPUT
let list = kit.NO_OUTPUT
let running = kit.NO_OUTPUT
let ratio = kit.NO_OUTPUT
let north = kit.NO_OUTPUT
let note = kit.NO_OUTPUT
let east = kit.NO_OUTPUT

function update(): void {
  if (depth.isValid && depth.isNew) {
    ratio.setNumber(depth.number)
    list.write().add('[').addFixed(depth.number, 3).add(',null]').publishJson()
  }
  if (engine.isNew) {
    if (engine.isValid) running.setBoolean(engine.number == 1)
    else running.withdraw()
  }
  if (latitude.isNew) {
    east.setNumber(longitude.number)
    north.setNumber(latitude.number)
  }
  const said = name.isValid ? name.text : 'nobod'
  label.write().add(said).add(' "\\\n').publishText()
  note.write().add(said).add(' at ').addFixed(tellsAge ? depth.age : 0, 0).notify(kit.State.alert, kit.Method.visual)
  kit.setStatus('updated')
}

export function plugin_name(): string {
  return 'Every kind'
}

export function plugin_schema(): string {
  return '{}'
}

export function plugin_start(pointer: usize, length: usize): i32 {
  const config = String.UTF8.decodeUnsafe(pointer, length)
  kit.begin()
  const at = config.indexOf('"interval":')
  const start = changetype<usize>(config)
  tellsAge = at >= 0
  if (tellsAge) kit.setInterval(u32(reader.number(start + 2 * (at + 11), start + 2 * config.length)))
  depth = kit.numberInput('environment.depth.belowKeel')
  latitude = kit.memberInput('navigation.position#latitude')
  longitude = kit.memberInput('navigation.position#longitude').quiet()
  name = kit.memberTextInput('#name', 5).quiet()
  engine = kit.booleanInput('propulsion.port.on')
  label = kit.textOutput('x.label', 40)
  list = kit.jsonOutput('x.list', 40)
  running = kit.booleanOutput('x.on')
  ratio = kit.shortestOutput('x.ratio')
  north = kit.memberOutput('x.position#latitude', 3)
  east = kit.memberOutput('x.position#longitude', 3)
  note = kit.notificationOutput('notifications.x', 40)
  return 0
}

export function plugin_stop(): i32 {
  return 0
}

export function skiff_values(): usize {
  return kit.describe()
}

export function skiff_update(): i32 {
  return kit.update(update)
}

export function delta_handler(delta: string): void {
  kit.hear(delta, 'every-kind', update)
}
