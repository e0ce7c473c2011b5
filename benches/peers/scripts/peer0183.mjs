// Turns sentences of NMEA 0183 into the deltas that the peer makes of them.
//   node peer0183.mjs PACKAGES_FOLDER SENTENCES OUTPUT
// SENTENCES: a line each, {sentence, before}; OUTPUT: the same with what the peer gives, {…, now, context, values, timestamp,
// error}. Each sentence is read alone, behind those that it needs.
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [, , packages, input, output] = process.argv
const load = createRequire(join(packages, 'package.json'))
console.error = () => {}
const talk = console.log
console.log = () => {}
const { Parser } = load('@signalk/nmea0183-signalk')

// What JSON has no form for is null.
const plain = (key, value) => (typeof value === 'number' && !Number.isFinite(value)) || value === undefined ? null : value

function told (row) {
  const parser = new Parser()
  const now = new Date().toISOString()
  for (const sentence of row.before) {
    try { parser.parse(sentence) } catch {}
  }
  try {
    const delta = parser.parse(row.sentence)
    const update = delta?.updates?.[0]
    const values = (update?.values ?? []).filter(({ value }) => value !== undefined).map(({ path, value }) => ({ path, value }))
    return { ...row, now, context: delta?.context, timestamp: update?.timestamp, values }
  } catch (error) {
    return { ...row, now, values: [], error: error.message }
  }
}

const rows = readFileSync(input, 'utf8').split('\n').filter(Boolean).map(line => told(JSON.parse(line)))
writeFileSync(output, rows.map(row => JSON.stringify(row, plain) + '\n').join(''))
talk(`${rows.length} sentences, ${rows.filter(row => row.values.length).length} deltas`)
