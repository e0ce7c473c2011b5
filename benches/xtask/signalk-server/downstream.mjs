// Runs a real Signal K server whose only connection is a Skiff gateway, and prints what of the gateway's tree arrived there.
//   node downstream.mjs SERVER_FOLDER CONFIG_FOLDER PORT GATEWAY
// The server must be installed in SERVER_FOLDER/node_modules; CONFIG_FOLDER names the connection (the xtask prepares both).
import { spawn } from 'node:child_process'
import path from 'node:path'

const [serverFolder, configFolder, port, gateway] = process.argv.slice(2)
const base = `http://127.0.0.1:${port}`
const print = (line) => console.log(JSON.stringify(line))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const server = spawn(process.execPath, [path.join(serverFolder, 'node_modules/signalk-server/bin/signalk-server'), '-c', configFolder], {
  env: { ...process.env, PORT: port, SIGNALK_NODE_CONFIG_DIR: configFolder, SIGNALK_NODE_SETTINGS: path.join(configFolder, 'settings.json') },
  stdio: ['ignore', 'pipe', 'pipe']
})
const log = []
for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => log.push(...String(data).split('\n').filter(Boolean)))

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

try {
  let there
  for (let turn = 0; turn < 120 && !there; turn++) {
    await sleep(1000)
    there = await self(base).then((tree) => tree.navigation && tree, () => null)
  }
  if (!there) throw new Error('nothing came:\n' + log.slice(-10).join('\n'))
  await sleep(5000)
  const [here, arrived] = [leaves(await self(gateway)), leaves(await self(base))]
  const paths = Object.keys(here).filter((path) => !path.startsWith('notifications'))
  const missing = paths.filter((path) => !arrived[path])
  print({ t: 'downstream', paths: paths.length, arrived: paths.length - missing.length, missing })
} catch (error) {
  print({ t: 'failed', message: error.message })
  process.exitCode = 1
} finally {
  server.kill('SIGTERM')
  setTimeout(() => server.kill('SIGKILL'), 5000).unref()
}
