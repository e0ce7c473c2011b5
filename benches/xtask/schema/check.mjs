// Checks deltas and trees with Signal K's own schema and prints each kind of violation once, with how often it occurred.
//   node check.mjs MODULES DELTAS.ndjson TREE.json…
// A kind is the place, without numbers and names of vessels, and what the schema says of it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import process from 'node:process'

const [modules, deltas, ...trees] = process.argv.slice(2)
const schema = createRequire(path.join(modules, 'x'))('@signalk/signalk-schema')
const kinds = new Map()

function note(what, errors) {
  for (const { dataPath, message } of errors ?? []) {
    const place = dataPath.replace(/urn:mrn:[^/]+/g, 'ID').replace(/\/\d+(?=\/|$)/g, '/N')
    const kind = `${what} ${place}: ${message}`.replace(/\s+/g, ' ')
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
}

let checked = 0
for (const line of readFileSync(deltas, 'utf8').split('\n').filter(Boolean)) {
  const { _line, _plugin, ...delta } = JSON.parse(line)
  // The schema wants a context; without one it is the own vessel.
  const { errors } = schema.validateDelta({ context: 'vessels.self', ...delta })
  // Which values are wrong says more than where in the message they stand.
  for (const error of errors ?? []) {
    const [, update, value] = /^\/updates\/(\d+)\/values\/(\d+)/.exec(error.dataPath) ?? []
    const at = value === undefined ? '' : ` ${delta.updates[update].values[value].path}`
    note(`delta${at}`, [error])
  }
  checked += 1
}
for (const file of trees) note('tree', schema.validateFull(JSON.parse(readFileSync(file, 'utf8'))).errors)
process.stdout.write(JSON.stringify({ checked, trees: trees.length }) + '\n')
for (const [kind, times] of [...kinds].sort()) process.stdout.write(JSON.stringify({ kind, times }) + '\n')
