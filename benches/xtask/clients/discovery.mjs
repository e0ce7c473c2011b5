// npm @signalk/client looks for servers on the network by npm bonjour, and connects to the one it finds.
//   node discovery.mjs MODULES ADDRESS NAME
// ADDRESS is where the gateway is, NAME the one it is announced by.
import { createRequire } from 'node:module'
import path from 'node:path'
import process from 'node:process'

const [modules, address, name] = process.argv.slice(2)
const load = createRequire(path.join(modules, 'x'))
const { Discovery } = load('@signalk/client')
const row = (step, ok, seen) => process.stdout.write(JSON.stringify({ client: '@signalk/client discovery', step, ok: Boolean(ok), seen }) + '\n')

const bonjour = load('bonjour')()
const discovery = new Discovery(bonjour, 20_000)
const server = await new Promise((done) => {
  discovery.on('found', done)
  discovery.on('timeout', () => done(null))
})
row('finds a server', server, server?.hostname)
if (server) {
  row('at its address', server.hostname === address && server.port === 3000, `${server.hostname}:${server.port}`)
  row('that is main and master', server.isMain() && server.isMaster())
  row('with its own vessel', String(server.self).startsWith('urn:mrn:signalk:uuid:'), server.self)
  const client = server.createClient({ useTLS: false, reconnect: false, autoConnect: false, notifications: false, deltaStreamBehaviour: 'none' })
  const refused = await client.connect().then(() => null, (error) => String(error.message ?? error))
  for (let turn = 0; turn < 50 && !client.self && !refused; turn++) await new Promise((done) => setTimeout(done, 100))
  row('and connects there', client.self?.includes(server.self), client.self ?? refused)
  const found = await client.API().then((api) => api.get('/vessels/self/name')).catch(() => null)
  row('to the boat of that name', found === name || found?.value === name, found)
  client.disconnect()
}
process.exit(0)
