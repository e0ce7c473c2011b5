// The packages of the project on V8: `node engine.mjs FEEDS.json FOLDER…`, called as Signal K Server's WebAssembly host does.
// What each package is fed stands in FEEDS.json, so that it is what every other engine is fed. Prints what `engine` prints.
import fs from 'node:fs'
import path from 'node:path'
import process from 'node:process'

const [feedsFile, ...folders] = process.argv.slice(2)
const feeds = JSON.parse(fs.readFileSync(feedsFile, 'utf8'))
const ROUNDS = 11
const TURN_US = 15000
const COPIES = 64
const COLLECT_CALLS = 64
let emitted = []

// Makes a module of other bytes, with a custom section at its end (WebAssembly 2.0, 5.5.3): V8 keeps what it has compiled
// of a module by its bytes, and no two plugins of a boat are the same.
let loads = 0
const unique = (wasm) => {
  loads += 1
  return Buffer.concat([wasm, Buffer.from([0, 5, 0, loads & 255, (loads >> 8) & 255, (loads >> 16) & 255, loads >>> 24])])
}

function started(wasm, config) {
  let memory
  const text = (at, length) => new TextDecoder('utf-8').decode(new Uint8Array(memory.buffer, at, length))
  // The server makes an object of each delta that a plugin emits; here the text is kept beside it.
  const emit = (at, length) => {
    const delta = text(at, length)
    JSON.parse(delta)
    emitted.push(delta)
  }
  const env = { sk_handle_message: emit, sk_set_status: text, sk_set_error: text, abort: () => { throw new Error('abort') } }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(unique(wasm)), { env })
  memory = exports.memory
  const isAssemblyScript = !exports.allocate
  const bytes = Buffer.from(config)
  const place = isAssemblyScript ? exports.__new(bytes.length, 0) : exports.allocate(bytes.length)
  new Uint8Array(memory.buffer).set(bytes, place)
  const code = exports.plugin_start(place, bytes.length)
  if (!isAssemblyScript) exports.deallocate?.(place, bytes.length)
  if (code !== 0) throw new Error(`plugin_start gave ${code}`)
  let calls = 0
  const delta = (object) => {
    // Each plugin gets a text of its own: the server writes the delta once for each.
    const json = JSON.stringify(object)
    if (isAssemblyScript) {
      const at = exports.__new(json.length << 1, 2)
      const units = new Uint16Array(memory.buffer)
      for (let i = 0; i < json.length; i++) units[(at >>> 1) + i] = json.charCodeAt(i)
      exports.delta_handler(at)
      if (++calls % COLLECT_CALLS === 0) exports.__collect?.()
    } else {
      const bytes = Buffer.from(json)
      const at = exports.allocate(bytes.length)
      new Uint8Array(memory.buffer).set(bytes, at)
      exports.delta_handler(at, bytes.length)
      exports.deallocate(at, bytes.length)
    }
  }
  return { delta }
}

function fed(wasm, config, feed) {
  const guest = started(wasm, config)
  for (const delta of feed.before) guest.delta(delta)
  emitted = []
  return guest
}

const quantile = (sorted, part) => {
  const place = (sorted.length - 1) * part
  const below = Math.floor(place)
  return sorted[below] + ((sorted[below + 1] ?? sorted[below]) - sorted[below]) * (place - below)
}

const busyUs = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}

function timesOf(work) {
  for (let times = 1; ; times *= 4) {
    const began = busyUs()
    work(times)
    const took = busyUs() - began
    if (took * 2 >= TURN_US || times > 1e6) return Math.max(1, Math.round((times * TURN_US) / Math.max(1, took)))
  }
}

function measured(folder) {
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const config = fs.readFileSync(path.join(folder, 'sample-config.json'), 'utf8')
  const wasm = fs.readFileSync(path.join(folder, 'plugin.wasm'))
  const given = feeds[manifest.name]
  const feed = { before: given.before.map((text) => JSON.parse(text)), answered: given.answered.map((text) => JSON.parse(text)), unwanted: JSON.parse(given.unwanted) }
  const trial = fed(wasm, config, feed)
  for (let i = 0; i < 6; i++) trial.delta(feed.answered[i % feed.answered.length])
  trial.delta(feed.unwanted)
  const answers = emitted
  emitted = []

  const copy = () => {
    const guest = fed(wasm, config, feed)
    for (const delta of feed.answered) guest.delta(delta)
    emitted = []
    return guest
  }
  // What V8 itself grows by is there before it is looked at.
  const first = Array.from({ length: COPIES / 2 }, copy)
  gc()
  const before = process.memoryUsage.rss()
  const copies = Array.from({ length: COPIES }, copy)
  gc()
  const memory = Math.max(0, (process.memoryUsage.rss() - before) / copies.length)
  first.length = copies.length = 0

  const deltas = (texts) => {
    const guest = fed(wasm, config, feed)
    let next = 0
    return (times) => {
      for (let i = 0; i < times; i++) guest.delta(texts[next++ % texts.length])
      emitted = []
    }
  }
  const works = {
    load: (times) => {
      for (let i = 0; i < times; i++) started(wasm, config)
    },
    'delta.unwanted': deltas([feed.unwanted]),
    'delta.answered': deltas(feed.answered)
  }
  const names = Object.keys(works)
  const times = Object.fromEntries(names.map((name) => [name, timesOf(works[name])]))
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++)
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]
      // Nobody pays for what others have left behind.
      gc()
      const began = busyUs()
      works[name](times[name])
      samples[name].push(((busyUs() - began) * 1000) / times[name])
    }
  const rows = Object.fromEntries(
    names.map((name) => {
      const sorted = samples[name].sort((a, b) => a - b)
      return [name, { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) }]
    })
  )
  return { package: manifest.name, answers, rows: { ...rows, memory: { median: memory } } }
}

const packages = folders.map((folder) => {
  try {
    return measured(folder)
  } catch (error) {
    return { package: path.basename(folder), failed: error.message }
  }
})
console.log(JSON.stringify({ packages, process: process.memoryUsage.rss(), version: `V8 ${process.versions.v8}, Node ${process.versions.node}` }))
