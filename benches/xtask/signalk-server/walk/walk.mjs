// Walks one server: starts it on a boat, asks all of requests.mjs, opens all of streams.mjs, prints a JSON line for each answer.
//   node walk.mjs SETUP.json
// SETUP: {command, environment, base, feed, log, password, token?, openApi?}. `log` is played over TCP at port `feed`, as a
// YDWG-02 gives it; `token` is a file with the admin's token, else the user logs in. With `openApi` (the server's api folder)
// an operation that no request is for is told. Needs node 22 for its WebSocket.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { REQUESTS } from './requests.mjs'
import { STREAMS } from './streams.mjs'

const setup = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const { base } = setup
const print = (line) => console.log(JSON.stringify(line))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const LISTEN_MS = 1600

// The boat: its log is played once to whoever connects first, two lines a millisecond.
const lines = readFileSync(setup.log, 'utf8').split('\n').filter(Boolean)
let played, begun = false
const playing = new Promise((resolve) => (played = resolve))
createServer(async (socket) => {
  socket.on('error', () => {})
  // Who comes again after a silence hears nothing.
  if (begun) return
  begun = true
  for (let at = 0; at < lines.length; at += 20) {
    socket.write(lines.slice(at, at + 20).join('\r\n') + '\r\n')
    await sleep(10)
  }
  played()
}).listen(setup.feed, '127.0.0.1').unref()

const [program, ...rest] = setup.command
const server = spawn(program, rest, { env: { ...process.env, ...setup.environment }, stdio: ['ignore', 'pipe', 'pipe'] })
const log = []
for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => log.push(...String(data).split('\n').filter(Boolean)))
let ended = false
server.on('exit', () => (ended = true))

async function ready() {
  for (let turn = 0; turn < 600 && !ended; turn++) {
    try {
      return await (await fetch(base + '/signalk')).json()
    } catch {
      await sleep(200)
    }
  }
  throw new Error('the server did not start:\n' + log.slice(-20).join('\n'))
}

let here
const kept = { password: setup.password }
const fill = (text) => text.replace(/\{\{(\w+)\}\}/g, (_, name) => kept[name] ?? `no-${name}`)
const tokens = {}

async function logIn() {
  const answer = await fetch(base + '/signalk/v1/auth/login', {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'skipper', password: setup.password }),
  })
  tokens.user = (await answer.json()).token
  tokens.admin = setup.token ? readFileSync(setup.token, 'utf8').trim() : tokens.user
}

async function ask([method, address, body, options = {}]) {
  const headers = {}
  const token = tokens[options.as ?? 'admin']
  if (token) headers.authorization = `Bearer ${token}`
  if (options.accept) headers.accept = options.accept
  let payload
  if (body !== undefined) {
    headers['content-type'] = options.form ? 'application/x-www-form-urlencoded' : 'application/json'
    payload = fill(options.form ? String(new URLSearchParams(body)) : options.text ? body : JSON.stringify(body))
  }
  for (let waited = 0; waited < (options.underWay ?? 0); waited += 250) {
    if (waited % 500 === 0) here({ latitude: 54.5 + waited / 1e6, longitude: 10.5 })
    await sleep(250)
  }
  const name = [method, address, options.as, options.case].filter(Boolean).join(' ')
  const line = { t: 'request', name }
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), options.endless ? 500 : 20_000)
  try {
    const answer = await fetch(base + fill(address), { method, headers, body: payload, redirect: 'manual', signal: stop.signal })
    line.status = answer.status
    line.type = (answer.headers.get('content-type') ?? '').split(';')[0]
    if (answer.headers.get('location')) line.location = answer.headers.get('location')
    const text = await answer.text()
    try {
      line.body = JSON.parse(text)
    } catch {
      // Pages and sentences are each server's own.
      line.text = text.length > 0
    }
    // Which rows come first is each server's own.
    if (options.rows && line.status === 200) line.body = { rows: Object.keys(line.body).length }
    if (options.keep) kept[options.keep[0]] = line.body?.[options.keep[1]]
  } catch (error) {
    line.failed = options.endless && error.name === 'AbortError' ? 'endless' : error.message
  } finally {
    clearTimeout(timer)
  }
  print(line)
}

function open(query, as = 'admin') {
  const words = [query, tokens[as] && `token=${tokens[as]}`].filter(Boolean).join('&')
  return new WebSocket(base.replace('http', 'ws') + '/signalk/v1/stream?' + words)
}

const opened = (stream) => new Promise((resolve, reject) => {
  stream.onopen = resolve
  stream.onerror = () => reject(new Error('no stream'))
})

// What is heard of a path: how often, the last value, which sources.
function hear(heard, message) {
  if (!message.updates) return heard.other.push(message)
  for (const update of message.updates) {
    for (const { path, value } of update.values ?? []) {
      const at = `${message.context ?? 'none'} ${path}`
      const row = (heard.values[at] ??= { count: 0, sources: [] })
      row.count += 1
      // What has no path comes in pieces.
      row.value = path === '' ? { ...row.value, ...value } : value
      if (!row.sources.includes(update.$source)) row.sources = [...row.sources, update.$source].sort()
    }
    for (const { path, value } of update.meta ?? []) heard.meta[`${message.context ?? 'none'} ${path}`] = value
  }
}

async function listen({ name, query, send = [], later = [], as, replies }, pump) {
  const heard = { t: 'stream', name, values: {}, meta: {}, other: [] }
  const stream = open(query, as)
  stream.onmessage = ({ data }) => {
    try {
      hear(heard, JSON.parse(data))
    } catch {
      heard.other.push({ text: String(data) })
    }
  }
  stream.onclose = ({ code }) => (heard.closed ??= code)
  try {
    await opened(stream)
    const give = (all) => all.forEach((one) => stream.readyState === 1 && stream.send(fill(typeof one === 'string' ? one : JSON.stringify(one))))
    await sleep(100)
    give(send)
    await pump(LISTEN_MS / 2)
    if (later.length > 0) {
      give(later)
      // What was on its way is not meant.
      await pump(200)
      heard.values = {}
    }
    await pump(LISTEN_MS / 2)
    // A password takes its time.
    for (let turn = 0; replies && heard.other.length <= replies && turn < 100; turn++) await sleep(100)
  } catch (error) {
    heard.failed = error.message
  }
  stream.onclose = null
  stream.onmessage = null
  stream.close()
  // A client that has gone is to be gone before the next one comes.
  await sleep(50)
  print(heard)
}

const OTHER = 'vessels.urn:mrn:imo:mmsi:244000000'

// Values of every kind, two sources of one path, zones, a notification, another vessel, a station ashore.
function boat(stream) {
  const tell = (context, updates) => stream.send(JSON.stringify({ ...(context && { context }), updates }))
  const values = (of) => Object.entries(of).map(([path, value]) => ({ path, value }))
  const one = (of, $source = 'trial.one') => ({ $source, values: values(of) })
  tell(null, [one({
    'trial.number': 3.5, 'trial.text': 'text', 'trial.truth': true, 'trial.none': null, 'trial.list': [1, 2], 'trial.object': { inner: { deep: 1 } },
    'trial.empty': {}, 'navigation.two': 1,
  })])
  tell(null, [one({ 'navigation.two': 2 }, 'trial.two')])
  tell(null, [{ $source: 'trial.one', meta: [{ path: 'trial.zoned', value: { units: 'K', zones: [{ lower: 370, state: 'alarm', message: 'too hot' }, { upper: 370, state: 'normal' }], alarmMethod: ['sound'] } }] }])
  tell(null, [one({ 'trial.zoned': 350 })])
  tell(null, [one({ 'trial.zoned': 380 })])
  tell(null, [one({ 'notifications.trial.told': { state: 'warn', method: ['visual', 'sound'], message: 'told' } })])
  tell(OTHER, [one({ '': { name: 'OTHER', mmsi: '244000000' }, 'navigation.position': { latitude: 54.15, longitude: 10.05 }, 'navigation.speedOverGround': 4 })])
  tell('shore.basestations.urn:mrn:imo:mmsi:002300047', [one({ 'navigation.position': { latitude: 54.2, longitude: 10.2 } })])
  tell('atons.urn:mrn:imo:mmsi:992111111', [one({ '': { name: 'BUOY' }, 'navigation.position': { latitude: 54.1, longitude: 10.2 } })])
}

// Sends the speeds for as long as that.
function pumpOf(stream) {
  let step = 0
  return async (time) => {
    const began = Date.now()
    for (let tick = 0; tick < time / 100; tick++) {
      step += 1
      stream.send(JSON.stringify({ updates: [{ $source: 'trial.pump', values: [{ path: 'navigation.speedOverGround', value: 5 }, { path: 'trial.pumped', value: 1 }] }] }))
      if (step % 5 === 0) stream.send(JSON.stringify({ context: OTHER, updates: [{ $source: 'trial.pump', values: [{ path: 'navigation.speedOverGround', value: 4 }] }] }))
      await sleep(Math.max(0, began + (tick + 1) * 100 - Date.now()))
    }
  }
}

// Tells the operations of the server's own documents that no request is for.
function uncovered(folder) {
  const load = createRequire(import.meta.url)
  for (const part of readdirSync(folder)) {
    const file = path.join(folder, part, 'openApi.js')
    if (!existsSync(file)) continue
    for (const { apiDoc } of Object.values(load(file)).filter((record) => record?.apiDoc)) {
      for (const [address, methods] of Object.entries(apiDoc.paths)) {
        const whole = ((apiDoc.servers?.[0]?.url ?? '') + address).replaceAll('//', '/').replace(/(.)\/$/, '$1')
        const pattern = new RegExp('^' + whole.replace(/[.$]/g, '\\$&').replace(/\\?\{[^}]+\}/g, '[^/]+') + '/?$')
        for (const method of Object.keys(methods).filter((word) => ['get', 'put', 'post', 'delete'].includes(word))) {
          const asked = REQUESTS.filter(([word, to]) => word.toLowerCase() === method && pattern.test(to.split('?')[0].replace('{{asked}}', '/signalk/v1/requests/id')))
          print({ t: 'operation', name: `${method.toUpperCase()} ${whole}`, asked: asked.length })
        }
      }
    }
  }
}

try {
  const { server: what } = await ready()
  print({ t: 'server', ...what })
  if (setup.openApi) uncovered(setup.openApi)
  await sleep(3000)
  await logIn()
  await Promise.race([playing, sleep(60_000)])
  const feeder = open('subscribe=none')
  await opened(feeder)
  boat(feeder)
  here = (value) => feeder.send(JSON.stringify({ updates: [{ $source: 'trial.pump', values: [{ path: 'navigation.position', value }, { path: 'navigation.courseOverGroundTrue', value: 1 }, { path: 'navigation.speedOverGround', value: 5 }] }] }))
  await sleep(1500)
  for (const request of REQUESTS) await ask(request)
  const pump = pumpOf(feeder)
  for (const stream of STREAMS) await listen(stream, pump)
  feeder.close()
} catch (error) {
  print({ t: 'failed', message: error.message, log: log.slice(-5) })
  process.exitCode = 1
} finally {
  server.kill('SIGTERM')
  setTimeout(() => server.kill('SIGKILL'), 5000).unref()
  setTimeout(() => process.exit(), 6000).unref()
}
