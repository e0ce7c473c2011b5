// Runs both plugin packages on a real Signal K server and prints what they do, one JSON object a line.
//   node drive.mjs SERVER_FOLDER CONFIG_FOLDER PORT
// The server must be installed in SERVER_FOLDER/node_modules; CONFIG_FOLDER holds the packages and their
// configurations (the xtask prepares both). Needs node 22 for its WebSocket.
import { spawn } from 'node:child_process'
import path from 'node:path'

const [serverFolder, configFolder, port] = process.argv.slice(2)
const base = `http://127.0.0.1:${port}`
const print = (line) => console.log(JSON.stringify(line))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const server = spawn(process.execPath, [path.join(serverFolder, 'node_modules/signalk-server/bin/signalk-server'), '-c', configFolder], {
  env: { ...process.env, PORT: port, SIGNALK_NODE_CONFIG_DIR: configFolder, SIGNALK_NODE_SETTINGS: path.join(configFolder, 'settings.json') },
  stdio: ['ignore', 'pipe', 'pipe']
})
const log = []
for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => log.push(...String(data).split('\n').filter(Boolean)))
let ended = false
server.on('exit', () => (ended = true))

async function fetchJson(route) {
  const response = await fetch(base + route)
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

try {
  const discovery = await ready()
  print({ t: 'server', id: discovery.server.id, version: discovery.server.version, node: process.version })
  // Plugins start in parallel with the server; the first deltas must find them running.
  await sleep(3000)
  const { body: plugins } = await fetchJson('/skServer/plugins')
  for (const plugin of plugins.filter((plugin) => plugin.packageName?.startsWith('@skiff/')))
    print({ t: 'plugin', id: plugin.id, name: plugin.name, version: plugin.version, state: plugin.state, enabled: plugin.data?.enabled, type: plugin.type })

  const events = new WebSocket(`ws://127.0.0.1:${port}/signalk/v1/stream?subscribe=all&sendCachedValues=false&serverevents=all`)
  await new Promise((resolve, reject) => {
    events.onopen = resolve
    events.onerror = () => reject(new Error('no stream'))
  })
  let context
  events.onmessage = ({ data }) => {
    const message = JSON.parse(data)
    if (message.self) context = message.self
    if (message.type === 'PROVIDERSTATUS')
      for (const status of message.data ?? []) if (status.id?.startsWith('@skiff/')) print({ t: 'status', id: status.id, type: status.type, message: status.message })
    for (const update of message.updates ?? []) {
      const values = (update.values ?? []).filter(({ path }) => update.$source?.startsWith('@skiff/') || path.startsWith('notifications.environment.depth'))
      if (values.length) print({ t: 'delta', context: message.context === context ? 'own' : message.context, $source: update.$source, values })
    }
  }

  // A boat that sails across a bank: the depth falls from 6 m to 2.5 m and rises again.
  const send = (values, context) =>
    events.send(JSON.stringify({ ...(context ? { context } : {}), updates: [{ source: { label: 'trial', type: 'trial' }, timestamp: new Date().toISOString(), values: Object.entries(values).map(([path, value]) => ({ path, value })) }] }))
  for (let step = 0; step <= 12; step++) {
    const depth = 6 - 3.5 * Math.sin((step / 12) * Math.PI)
    send({ 'navigation.speedThroughWater': 3 })
    send({ 'navigation.headingTrue': 6 })
    send({ 'navigation.headingTrue': 1, 'navigation.speedThroughWater': 9 }, 'vessels.urn:mrn:imo:mmsi:244000000')
    send({ 'environment.wind.speedApparent': 5, 'environment.wind.angleApparent': Number((0.1 * step).toFixed(1)) })
    send({ 'environment.depth.belowTransducer': Number(depth.toFixed(2)) })
    await sleep(500)
  }
  print({ t: 'http', route: '/plugins/_skiff_shallow-water-alarm/api/status', ...(await fetchJson('/plugins/_skiff_shallow-water-alarm/api/status')) })
  const tree = '/signalk/v1/api/vessels/self/environment/wind/'
  for (const leaf of ['speedTrue', 'angleTrueWater', 'directionTrue']) {
    const { status, body } = await fetchJson(tree + leaf)
    print({ t: 'http', route: tree + leaf, status, value: body?.value, $source: body?.$source })
  }
  events.close()
} catch (error) {
  print({ t: 'failed', message: error.message })
  process.exitCode = 1
} finally {
  server.kill('SIGTERM')
  setTimeout(() => server.kill('SIGKILL'), 5000).unref()
}
for (const line of log.filter((line) => line.includes('@skiff') || line.includes('_skiff_'))) print({ t: 'log', line })
