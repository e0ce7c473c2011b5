// Turns whole messages into the deltas that the peer makes of them.
//   node peer.mjs PACKAGES_FOLDER MESSAGES OUTPUT
// MESSAGES: a line each, {line, pgn, src, dst, prio, time, data}; OUTPUT: a delta a line, `_line` first.
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [, , packages, input, output] = process.argv
const load = createRequire(join(packages, 'package.json'))
const complaints = []
console.error = (...words) => complaints.push(words.join(' '))
const { FromPgn } = load('@canboat/canboatjs')
const { N2kMapper } = load('@signalk/n2k-signalk')

const parser = new FromPgn({ useCamel: true })
parser.on('error', () => {})
parser.on('warning', () => {})
const mapper = new N2kMapper({})

// What JSON has no form for is null, what is not there is left out.
function plain (value) {
  if (value === undefined || value === null || (typeof value === 'number' && !Number.isFinite(value))) return null
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object') return value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]))
}

function delta ({ line, pgn, src, dst, prio, time, data }) {
  const bytes = Buffer.from(data, 'hex')
  const message = parser.parse({ pgn: { pgn, src, dst, prio, timestamp: time }, length: bytes.length, data: bytes, coalesced: true })
  // The server drops the address of those that have none.
  if (!message || src === 254) return undefined
  message.timestamp = time
  let made
  try { made = mapper.toDelta(message) } catch { return undefined }
  const update = made?.updates?.[0]
  if (!update?.values?.length) return undefined
  const { pgn: number, src: from, type, instance, canName, deviceInstance } = update.source
  const source = { pgn: Number(number), src: Number(from), type }
  if (instance !== undefined && instance !== null) source.instance = String(instance)
  if (canName) source.canName = canName
  if (deviceInstance !== undefined) source.deviceInstance = deviceInstance
  const values = update.values.map(({ path, value }) => ({ path: path ?? null, value: value ?? null }))
  return { _line: line, context: made.context, updates: [{ source, timestamp: update.timestamp, values }] }
}

const messages = readFileSync(input, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line))
const deltas = messages.map(delta).filter(Boolean).map(made => JSON.stringify(plain(made)))
writeFileSync(output, deltas.map(line => line + '\n').join(''))
console.log(`${messages.length} messages, ${deltas.length} deltas, ${complaints.length} complaints`)
