// How fast the npm packages turn a candump log into delta JSON.
//   node speed.mjs PACKAGES_FOLDER LOG SECONDS
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const [, , packages, input, seconds] = process.argv
const load = createRequire(join(packages, 'package.json'))
console.error = () => {}
const { FromPgn } = load('@canboat/canboatjs')
const { N2kMapper } = load('@signalk/n2k-signalk')
const lines = readFileSync(input, 'utf8').split('\n').filter(Boolean)
let best = 0
let counts
const begun = performance.now()
do {
  const parser = new FromPgn({ useCamel: true })
  parser.on('error', () => {})
  parser.on('warning', () => {})
  const mapper = new N2kMapper({})
  counts = { frames: lines.length, messages: 0, deltas: 0, bytes: 0 }
  const from = process.cpuUsage()
  for (const line of lines) {
    const message = parser.parseString(line)
    if (!message) continue
    counts.messages++
    const delta = mapper.toDelta(message)
    if (!delta?.updates?.[0]?.values?.length) continue
    counts.deltas++
    counts.bytes += JSON.stringify(delta).length
  }
  const { user, system } = process.cpuUsage(from)
  best = Math.max(best, 1e6 / (user + system))
} while (performance.now() - begun < Number(seconds) * 1000)
const rate = count => Math.round(count * best)
console.log(`${rate(counts.frames)} frames/s, ${rate(counts.messages)} messages/s, ${rate(counts.deltas)} deltas/s (${counts.messages} messages, ${counts.deltas} deltas)`)
