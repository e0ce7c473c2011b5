// A whole server with copies of a package, Skiff or Signal K Server, as its clients see it:
//   node server.mjs PORT DELTAS.json CONFIG PLUGINS ENDPOINT PROGRAM ARGUMENT…
// Prints one JSON object. Processor time and memory are those of the server's process (proc(5)).
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'

const [port, deltasFile, config, plugins, endpoint, program, ...rest] = process.argv.slice(2)
const deltas = JSON.parse(fs.readFileSync(deltasFile, 'utf8'))
const base = `http://127.0.0.1:${port}`
// With many plugins fewer, so that neither side has to drop any.
const RATE = Number(plugins) > 5 ? 100 : 400
const SECONDS = 4
const CLOCK_TICKS = 100
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const agents = {}

function get(path, agent) {
  return new Promise((resolve, reject) => {
    const request = http.get(base + path, { agent }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    request.on('error', reject)
  })
}

function post(path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(base + path, { method: 'POST', headers: { 'content-type': 'application/json' } }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    request.on('error', reject)
    request.end(body)
  })
}

async function start() {
  const began = performance.now()
  const child = spawn(program, rest, {
    env: { ...process.env, PORT: port, SIGNALK_NODE_CONFIG_DIR: config, SIGNALK_NODE_SETTINGS: `${config}/settings.json` },
    stdio: 'ignore'
  })
  let ended = false
  child.on('exit', () => (ended = true))
  for (;;) {
    if (ended) throw new Error('the server ended')
    if (performance.now() - began > 120000) throw new Error('the server does not answer')
    try {
      if ((await get('/signalk')) === 200) return { child, ms: performance.now() - began }
    } catch {}
    await sleep(3)
  }
}

async function stop(child) {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(timer)
}

/** Processor time of the process and all its threads, microseconds. */
function busyUs({ pid }) {
  const words = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return ((Number(words[11]) + Number(words[12])) * 1e6) / CLOCK_TICKS
}

function residentBytes({ pid }) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
}

async function messages(child) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/signalk/v1/stream?subscribe=none`)
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = () => reject(new Error('no stream'))
  })
  const heard = new WebSocket(`ws://127.0.0.1:${port}/signalk/v1/stream?subscribe=none&sendCachedValues=false`)
  await new Promise((resolve) => (heard.onopen = resolve))
  let answers = 0
  heard.onmessage = ({ data }) => {
    for (const update of JSON.parse(data).updates ?? []) if (String(update.$source).startsWith('@bench/')) answers++
  }
  heard.send(JSON.stringify({ context: 'vessels.self', subscribe: [{ path: 'notifications.*', policy: 'instant' }] }))
  // The first messages are for what is compiled while it runs.
  let next = 0
  const send = async (seconds) => {
    const began = performance.now()
    for (let sent = 0; sent < RATE * seconds; ) {
      const due = Math.min(RATE * seconds, ((performance.now() - began) / 1000) * RATE)
      for (; sent < due; sent++) socket.send(deltas[next++ % deltas.length])
      await sleep(5)
    }
    await sleep(300)
  }
  await send(1)
  const before = busyUs(child)
  answers = 0
  await send(SECONDS)
  const us = (busyUs(child) - before) / (RATE * SECONDS)
  socket.close()
  heard.close()
  return { us, answers }
}

async function requests(child, connections) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections })
  const took = []
  const until = performance.now() + 2000
  const before = busyUs(child)
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < until) {
        const began = performance.now()
        if ((await get(endpoint, agent)) !== 200) throw new Error(`${endpoint} is not answered`)
        took.push(performance.now() - began)
      }
    })
  )
  const us = (busyUs(child) - before) / took.length
  agent.destroy()
  took.sort((a, b) => a - b)
  return { rate: took.length / 2, p99Ms: took[Math.floor(took.length * 0.99)], us }
}

async function reloads() {
  const body = fs.readFileSync(`${config}/plugin-config-data/_bench_alarm-0.json`, 'utf8')
  const took = []
  for (let i = 0; i < 15; i++) {
    const began = performance.now()
    const status = await post('/plugins/_bench_alarm-0/config', body)
    if (status !== 200) throw new Error(`a configuration is answered with ${status}`)
    took.push(performance.now() - began)
  }
  return took.sort((a, b) => a - b)[7]
}

const found = {}
try {
  const starts = []
  let server
  // The start is measured with one plugin.
  for (let i = 0; i < (Number(plugins) === 1 ? 3 : 1); i++) {
    if (server) await stop(server.child)
    server = await start()
    starts.push(server.ms)
  }
  const { child } = server
  await sleep(3000)
  found.firstAnswerMs = starts.sort((a, b) => a - b)[1]
  found.residentBytes = residentBytes(child)
  const { us, answers } = await messages(child)
  found.messageUs = us
  found.answers = answers
  if (Number(plugins) === 1) {
    found.endpoint = { 1: await requests(child, 1), 32: await requests(child, 32) }
    found.reloadMs = await reloads()
    found.residentAfterBytes = residentBytes(child)
  }
  await stop(child)
} catch (error) {
  found.failed = error.message
}
console.log(JSON.stringify(found))
process.exit(0)
