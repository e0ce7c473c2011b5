// A host in few lines that plays a scenario on a module twice: once with deltas as JSON, as every host does, and once with
// rows (runtime/docs/abi-extensions.md, "Values"). Prints what the plugin did as `app` and `result` lines, once if both
// ways agree; else it fails and says where.
//
// A step `delta` can have a `text` beside it: the same delta as this JSON.
//
// With --allocates-nothing no delta and no update of a plugin in AssemblyScript may allocate: for modules whose memory
// runtime frees nothing, so that two objects of the host lie side by side unless the plugin made one between them.
//
//   node rows.mjs SCENARIO.json PLUGIN.wasm [--allocates-nothing]
import { readFileSync } from 'node:fs'
import { WASI } from 'node:wasi'

const [scenarioFile, moduleFile, flag] = process.argv.slice(2)
const scenario = JSON.parse(readFileSync(scenarioFile, 'utf8'))
const module = new WebAssembly.Module(readFileSync(moduleFile))
const STATES = ['normal', 'nominal', 'alert', 'warn', 'alarm', 'emergency']
const [NEVER, VALID, WITHDRAWN, OTHER_TYPE, NEW, QUIET] = [0, 1, 2, 3, 0x80, 0x80]

function play(byRows) {
  const lines = []
  const say = (ev, member) => lines.push(JSON.stringify({ t: 'app', ev, ...member }))
  const text = (at, length) => Buffer.from(memory(), at, length).toString()
  const memory = () => instance.exports.memory.buffer
  const view = () => new DataView(memory())
  const env = {
    sk_set_status: (at, length) => say('status', { msg: text(at, length) }),
    sk_set_error: (at, length) => say('error', { msg: text(at, length) }),
    sk_handle_message: (at, length) => say('delta', { delta: JSON.parse(text(at, length)) }),
    abort: (message, file, line) => { throw new Error(`abort in line ${line}`) }
  }
  const imports = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {}
    imports[from][name] = (from === 'env' && env[name]) || (() => 0)
  }
  // Without files, without a folder.
  const wasi = new WASI({ version: 'preview1' })
  if (imports.wasi_snapshot_preview1) imports.wasi_snapshot_preview1 = wasi.wasiImport
  const instance = new WebAssembly.Instance(module, imports)
  const call = instance.exports
  if (imports.wasi_snapshot_preview1) wasi.initialize(instance)
  const isScript = !call.allocate

  const allocation = () => call.__new(0, 1)
  const apart = flag === '--allocates-nothing' ? allocation() - allocation() : 0
  const watched = (run) => {
    if (apart === 0) return run()
    const before = allocation()
    const result = run()
    if (before - allocation() !== apart) throw new Error('the plugin allocates')
    return result
  }

  // A text for the guest, as its dialect wants it; `utf8` is the form that `plugin_start` takes.
  const give = (value, utf8, run) => {
    const bytes = Buffer.from(value, utf8 || !isScript ? 'utf8' : 'utf16le')
    const at = isScript ? call.__pin(call.__new(bytes.length, utf8 ? 1 : 2)) : call.allocate(bytes.length)
    new Uint8Array(memory(), at, bytes.length).set(bytes)
    const result = run(at, bytes.length)
    if (isScript) call.__unpin(at)
    else call.deallocate?.(at, bytes.length)
    return result
  }

  let rows = null
  // Time of each input's value, what the host knows of each counter, and the clock.
  let times = [], counters = [], now = 0, due = false, updated = null
  const input = (index) => rows.inputs + 32 * index
  const output = (index) => rows.outputs + 32 * index
  const describe = () => {
    const at = call.skiff_values()
    const head = view()
    if (at % 8 !== 0 || head.getUint32(at, true) !== 0x31564b53) throw new Error('no descriptor')
    rows = { at, counts: [head.getUint16(at + 4, true), head.getUint16(at + 6, true)] }
    rows.inputs = head.getUint32(at + 8, true)
    rows.outputs = head.getUint32(at + 12, true)
    const path = (row) => text(head.getUint32(row, true), head.getUint16(row + 4, true))
    rows.paths = Array.from({ length: rows.counts[0] }, (_, index) => path(input(index)))
    rows.gives = Array.from({ length: rows.counts[1] }, (_, index) => path(output(index)))
    if ([...rows.paths, ...rows.gives].some((path) => path === '')) throw new Error('a row without a path')
    counters = rows.gives.map((_, index) => head.getUint32(output(index) + 24, true))
    times = rows.paths.map(() => null)
  }
  const ages = () => {
    rows.paths.forEach((_, index) => {
      const age = times[index] === null ? -1 : now - times[index]
      view().setUint32(input(index) + 28, age < 0 ? 0xffffffff : age, true)
    })
  }
  const hear = (path, value) => {
    rows.paths.forEach((wanted, index) => {
      const [of, member] = wanted.split('#')
      if (of !== path) return
      let given = value
      if (member !== undefined && given !== null) {
        // Root values are merged: one that is not named stays.
        if (typeof given !== 'object') given = {}
        else if (member in given) given = given[member]
        else if (of === '') return
        else given = null
      }
      const at = input(index)
      const kind = view().getUint8(at + 6)
      const types = { 1: 'number', 2: 'string', 3: 'boolean' }
      const state = given === null ? WITHDRAWN : typeof given === types[kind & 15] ? VALID : OTHER_TYPE
      view().setUint8(at + 7, state | NEW)
      view().setFloat64(at + 8, state === VALID ? Number(given) : NaN, true)
      if ((kind & 15) === 2) {
        const bytes = Buffer.from(state === VALID ? given : '')
        const room = view().getUint32(at + 20, true)
        let cut = Math.min(room, bytes.length)
        while (cut < bytes.length && (bytes[cut] & 0xc0) === 0x80) cut--
        new Uint8Array(memory(), view().getUint32(at + 16, true), cut).set(bytes.subarray(0, cut))
        view().setUint32(at + 8, cut, true)
        view().setUint32(at + 12, 0, true)
        view().setUint32(at + 24, bytes.length, true)
      }
      times[index] = now
      due ||= !(kind & QUIET)
    })
  }
  const number = (value, decimals) => (decimals ? Number(value.toFixed(decimals - 1)) : value)
  const publish = () => {
    if (!rows) return
    const values = []
    rows.gives.forEach((path, index) => {
      const at = output(index)
      const head = view()
      if (head.getUint32(at + 24, true) === counters[index]) return
      counters[index] = head.getUint32(at + 24, true)
      const said = () => text(head.getUint32(at + 16, true), head.getUint32(at + 20, true))
      const value = head.getFloat64(at + 8, true)
      const state = head.getUint8(at + 7)
      const made = {
        1: () => (Number.isFinite(value) ? number(value, head.getUint8(at + 28)) : undefined),
        2: said,
        3: () => value === 1,
        4: () => null,
        5: () => JSON.parse(said()),
        6: () => ({
          state: STATES[state & 7],
          method: [...(state & 0x40 ? ['visual'] : []), ...(state & 0x80 ? ['sound'] : [])],
          message: said()
        })
      }[head.getUint8(at + 6)]()
      if (made === undefined) return
      const [of, member] = path.split('#')
      const same = member && values.find((entry) => entry.path === of)
      if (same) same.value[member] = made
      else values.push({ path: of, value: member ? { [member]: made } : made })
    })
    if (values.length > 0) say('delta', { delta: { updates: [{ values }] } })
  }
  const update = () => {
    const waits = updated !== null && now - updated >= 0 && now - updated < view().getUint32(rows.at + 16, true)
    if (!due || waits) return
    ages()
    due = false
    updated = now
    view().setUint32(rows.at + 32, view().getUint32(rows.at + 32, true) + 1, true)
    watched(() => call.skiff_update())
    rows.paths.forEach((_, index) => view().setUint8(input(index) + 7, view().getUint8(input(index) + 7) & ~NEW))
    publish()
  }

  const result = (step, value) => lines.push(JSON.stringify({ t: 'result', step, value }))
  // What a string getter says.
  const get = (getter) => {
    if (isScript) {
      const at = getter()
      return Buffer.from(memory(), at, view().getUint32(at - 4, true)).toString('utf16le')
    }
    const at = call.allocate(8192)
    const said = text(at, getter(at, 8192))
    call.deallocate(at, 8192)
    return said
  }
  result('name', get(call.plugin_name))
  result('schema', JSON.parse(get(call.plugin_schema)))
  for (const step of scenario.steps) {
    let value = null
    if (step.op === 'start') {
      const config = JSON.stringify({ ...(step.config ?? scenario.config ?? {}), enableDebug: false })
      value = give(config, true, (at, length) => call.plugin_start(at, length))
      if (value === 0 && byRows) describe()
    } else if (step.op === 'delta' && !byRows) {
      give(step.text ?? JSON.stringify(step.delta), false, (at, length) => watched(() => call.delta_handler(at, length)))
    } else if (step.op === 'delta' && rows && (step.delta.context ?? 'vessels.self') === 'vessels.self') {
      for (const heard of step.delta.updates) {
        if (heard.$source === scenario.package) continue
        for (const { path, value: given } of heard.values ?? []) {
          if (!rows.paths.some((wanted) => wanted.split('#')[0] === path)) continue
          now = heard.timestamp ? Date.parse(heard.timestamp) : now
          view().setBigInt64(rows.at + 24, BigInt(now), true)
          hear(path, given)
        }
      }
      update()
    } else if (step.op === 'stop') {
      value = call.plugin_stop()
    }
    if (step.op === 'start' || step.op === 'stop') result(step.op, value)
  }
  return lines
}

const [json, rows] = [play(false), play(true)]
const at = json.findIndex((line, index) => line !== rows[index])
if (json.length !== rows.length || at >= 0) {
  const index = at < 0 ? Math.min(json.length, rows.length) : at
  console.error(`${moduleFile}: line ${index + 1} differs\n  JSON ${json[index]}\n  rows ${rows[index]}`)
  process.exit(1)
}
console.log(json.join('\n'))
