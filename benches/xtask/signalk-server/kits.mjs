// Plays scenarios on the plugins of a real Signal K server, one plugin at a time, and prints a line for each start.
//   node kits.mjs SERVER_FOLDER CONFIG_FOLDER PORT PLAYS.json
// The server must be installed in SERVER_FOLDER/node_modules and the packages in CONFIG_FOLDER/node_modules, disabled (the
// xtask prepares both); PLAYS.json is a list of {"package","scenario"}. Needs node 22 for its WebSocket.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'

const [serverFolder, configFolder, port, playsFile] = process.argv.slice(2)
const plays = JSON.parse(readFileSync(playsFile, 'utf8'))
const base = `http://127.0.0.1:${port}`
const print = (line) => console.log(JSON.stringify(line))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const server = spawn(process.execPath, [path.join(serverFolder, 'node_modules/signalk-server/bin/signalk-server'), '-c', configFolder], {
  env: {
    ...process.env,
    PORT: port,
    SIGNALK_NODE_CONFIG_DIR: configFolder,
    SIGNALK_NODE_SETTINGS: path.join(configFolder, 'settings.json'),
    // Why a plugin cannot be used is said nowhere else.
    DEBUG: 'signalk:wasm:loader',
    DEBUG_COLORS: 'no'
  },
  stdio: ['ignore', 'pipe', 'pipe']
})
const log = []
for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => log.push(...String(data).split('\n').filter(Boolean)))
let ended = false
server.on('exit', () => (ended = true))

async function fetchJson(route, options) {
  const response = await fetch(base + route, options)
  return { status: response.status, body: await response.json().catch(() => null) }
}

async function ready() {
  for (let second = 0; second < 120 && !ended; second++) {
    try {
      return (await fetchJson('/signalk')).body
    } catch {
      await sleep(1000)
    }
  }
  throw new Error('the server did not start:\n' + log.slice(-20).join('\n'))
}

const configure = (id, config) =>
  fetchJson(`/skServer/plugins/${id}/config`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(config) })

// What is heard of the plugin that plays, and the marks that this script sent.
let source, heard, marks = 0, seen = 0

async function connect() {
  const stream = new WebSocket(`ws://127.0.0.1:${port}/signalk/v1/stream?subscribe=all&sendCachedValues=false&sourcePolicy=all`)
  await new Promise((resolve, reject) => {
    stream.onopen = resolve
    stream.onerror = () => reject(new Error('no stream'))
  })
  stream.onmessage = ({ data }) => {
    for (const update of JSON.parse(data).updates ?? []) {
      for (const { path, value } of update.values ?? []) {
        if (path === MARK) seen = Math.max(seen, value)
        else if (update.$source === source) heard.push({ path, value })
      }
    }
  }
  return stream
}

const MARK = 'environment.outside.temperature'

// Sends a delta and waits until everything before the mark behind it has been told.
async function send(stream, delta) {
  if (delta) stream.send(JSON.stringify(delta))
  const mark = ++marks
  stream.send(JSON.stringify({ updates: [{ $source: 'trial.mark', values: [{ path: MARK, value: mark }] }] }))
  for (let turn = 0; seen < mark; turn++) {
    if (turn > 5000 || ended) throw new Error('the server says nothing')
    await sleep(2)
  }
}

async function play(stream, { package: name, scenario }) {
  const id = name.replaceAll('@', '_').replaceAll('/', '_')
  let start = null
  const finish = async () => {
    if (!start) return
    await sleep(100)
    print({ t: 'start', package: name, ...start, values: heard })
    start = null
    await configure(id, { enabled: false })
  }
  source = name
  const { config = {}, steps } = JSON.parse(readFileSync(scenario, 'utf8'))
  for (const step of steps) {
    if (step.op === 'start') {
      await finish()
      heard = []
      const { status, body } = await configure(id, { enabled: true, enableDebug: false, configuration: step.config ?? config })
      const { body: plugins } = await fetchJson('/skServer/plugins')
      const state = plugins.find((plugin) => plugin.id === id)?.state ?? 'not listed'
      start = { state, ...(status === 200 ? {} : { reason: body?.error ?? `answer ${status}` }) }
      // The own vessel's temperature: from it a plugin learns which context is its own.
      await send(stream)
    } else if (step.op === 'delta') {
      await send(stream, step.delta)
    }
  }
  await finish()
}

try {
  const discovery = await ready()
  print({ t: 'server', id: discovery.server.id, version: discovery.server.version, node: process.version })
  await sleep(3000)
  const stream = await connect()
  for (const one of plays) await play(stream, one)
  stream.close()
} catch (error) {
  print({ t: 'failed', message: error.message })
  process.exitCode = 1
} finally {
  server.kill('SIGTERM')
  setTimeout(() => server.kill('SIGKILL'), 5000).unref()
}
for (const line of log.filter((line) => /fail|error/i.test(line))) print({ t: 'log', line })
