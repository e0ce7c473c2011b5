// Runs a real Signal K server beside a Skiff gateway, one the client of the other, and prints what of the first one's tree arrived
// at the second.
//   node chain.mjs SERVER_FOLDER CONFIG_FOLDER PORT GATEWAY downstream
//   node chain.mjs SERVER_FOLDER CONFIG_FOLDER PORT GATEWAY upstream FEED LOG
// The server must be installed in SERVER_FOLDER/node_modules. `downstream`: its only connection is the gateway, as CONFIG_FOLDER
// says. `upstream`: its connection is the boat, whose LOG is played at the port FEED as a YDWG-02 gives it, and the gateway reads
// the server.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'

const [serverFolder, configFolder, port, gateway, way, feed, log] = process.argv.slice(2)
const base = `http://127.0.0.1:${port}`
const print = (line) => console.log(JSON.stringify(line))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

let isPlayed = way === 'downstream'
if (way === 'upstream') {
  const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean)
  createServer(async (socket) => {
    socket.on('error', () => {})
    for (let at = 0; at < lines.length; at += 20) {
      socket.write(lines.slice(at, at + 20).join('\r\n') + '\r\n')
      await sleep(20)
    }
    isPlayed = true
  }).listen(Number(feed), '127.0.0.1').unref()
}

const server = spawn(process.execPath, [path.join(serverFolder, 'node_modules/signalk-server/bin/signalk-server'), '-c', configFolder], {
  env: { ...process.env, PORT: port, SIGNALK_NODE_CONFIG_DIR: configFolder, SIGNALK_NODE_SETTINGS: path.join(configFolder, 'settings.json') },
  stdio: ['ignore', 'pipe', 'pipe']
})
const said = []
for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => said.push(...String(data).split('\n').filter(Boolean)))

const self = async (of) => (await fetch(`${of}/signalk/v1/api/vessels/self`)).json()

function leaves(node, at = '', found = {}) {
  for (const [name, below] of Object.entries(node ?? {})) {
    if (!below || typeof below !== 'object' || Array.isArray(below)) continue
    const path = at ? `${at}.${name}` : name
    if ('value' in below && '$source' in below) found[path] = below
    else leaves(below, path, found)
  }
  return found
}

// Two trees of which one follows the other are compared when what was told last has come to rest.
const [from, to] = way === 'downstream' ? [gateway, base] : [base, gateway]
const count = async (of) => Object.keys(leaves(await self(of).catch(() => ({})))).length

try {
  let there
  for (let turn = 0; turn < 120 && !there; turn++) {
    await sleep(1000)
    there = await self(to).then((tree) => tree.navigation && tree, () => null)
  }
  if (!there) throw new Error('nothing came:\n' + said.slice(-10).join('\n'))
  for (let before = -1, now = 0, turn = 0; (before !== now || !isPlayed) && turn < 40; turn++) {
    before = now
    await sleep(5000)
    now = await count(to)
  }
  const [told, arrived] = [leaves(await self(from)), leaves(await self(to))]
  const paths = Object.keys(told).filter((path) => !path.startsWith('notifications'))
  const missing = paths.filter((path) => !arrived[path])
  // When the log is over nothing changes any more.
  const other = paths.filter((path) => arrived[path] && JSON.stringify(arrived[path].value) !== JSON.stringify(told[path].value))
  const units = paths.filter((path) => told[path].meta?.units && told[path].meta.units !== arrived[path]?.meta?.units)
  print({ t: way, paths: paths.length, arrived: paths.length - missing.length, missing, ...(way === 'upstream' && { other, units }) })
} catch (error) {
  print({ t: 'failed', message: error.message })
  process.exitCode = 1
} finally {
  server.kill('SIGTERM')
  setTimeout(() => server.kill('SIGKILL'), 5000).unref()
  setTimeout(() => process.exit(), 6000).unref()
}
