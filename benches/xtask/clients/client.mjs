// npm @signalk/client: connects, logs in, subscribes, reads, sends, asks to be let in.
import { letIn, load, base, read, row, sleep, until } from './owner.mjs'

const { default: Client } = load('@signalk/client')
const { hostname, port } = new URL(base)
const say = (step, ok, seen) => row('@signalk/client', step, ok, seen)
const options = { hostname, port: Number(port), useTLS: false, reconnect: false, autoConnect: false, notifications: false, deltaStreamBehaviour: 'none' }

const open = new Client(options)
let deltas = [], messages = []
open.on('delta', (delta) => deltas.push(delta))
open.on('message', (message) => messages.push(message))
await open.connect()
say('connects without login', await until(() => open.self), open.self)
await sleep(1000)
say('hears nothing unasked', deltas.length === 0, deltas.length)
open.subscribe({ context: 'vessels.self', subscribe: [{ path: 'navigation.speedOverGround', policy: 'instant' }] })
const ofPath = () => deltas.flatMap((delta) => delta.updates ?? []).flatMap((update) => update.values ?? [])
say('subscribes', await until(() => ofPath().length > 2), ofPath().length)
say('hears the path alone', ofPath().every(({ path }) => path === 'navigation.speedOverGround'))
open.unsubscribe()
await sleep(500)
deltas = []
await sleep(1500)
say('unsubscribes', deltas.length === 0, deltas.length)
const api = await open.API()
say('reads a group', (await api.navigation()).speedOverGround?.value !== undefined)
say('reads a path', typeof (await api.get('/vessels/self/navigation/position')).value?.latitude === 'number')
say('reads meta', (await api.getMeta('vessels.self.navigation.speedOverGround')).units === 'm/s')
say('reads the own vessel', (await api.self()).navigation !== undefined)
const clientId = 'c0000000-0000-4000-8000-000000000001'
const { response: asked } = await open.requestDeviceAccess('a client', clientId)
say('asks to be let in', asked.statusCode === 202 && asked.state === 'PENDING', asked.state)
say('is let in', await letIn(clientId) === 200)
const answer = await read(asked.href)
const token = answer.body?.accessRequest?.token
say('finds its token', answer.body?.state === 'COMPLETED' && token?.split('.').length === 3, answer.body?.state)
open.disconnect()

const member = new Client({ ...options, useAuthentication: true, username: 'skipper', password: process.env.SKIPPERS_PASSWORD })
const replies = []
member.on('message', (message) => message.requestId && replies.push(message))
member.on('error', (error) => say('no error', false, String(error)))
await member.connect()
const own = await member.API()
say('logs in', (await own.get('/vessels/self/navigation/speedOverGround')).value !== undefined)
// Outside of a browser its stream has no cookie: there it logs in by a message.
let authenticated
member.on('authenticated', ({ token }) => (authenticated = token))
member.authenticate('skipper', process.env.SKIPPERS_PASSWORD)
say('logs in over its stream', await until(() => authenticated))
const put = member.request('PUT', { context: 'vessels.self', put: { path: 'navigation.nobodyTakesIt', value: 1 } })
put.on('response', ({ statusCode }) => say('a PUT that nobody handles is refused', statusCode === 405, statusCode))
put.send()
await until(() => replies.some(({ statusCode }) => statusCode === 405))
member.connection.send({ updates: [{ values: [{ path: 'environment.inside.temperature', value: 290 }] }] })
say('sends', await until(async () => (await read('/signalk/v1/api/vessels/self/environment/inside/temperature')).body?.value === 290))
member.disconnect()

const wrong = new Client({ ...options, useAuthentication: true, username: 'skipper', password: 'wrong' })
let refused = false
wrong.on('error', () => (refused = true))
wrong.connect().catch(() => (refused = true))
say('a wrong password is refused', await until(() => refused))
process.exit(0)
