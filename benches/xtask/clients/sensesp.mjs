// What a sensor with SensESP does on the wire: finds the endpoints, asks to be let in, polls, gets its token, tries it, opens a
// stream with it, sends values and meta, loses the connection, comes back.
import { letIn, load, base, read, row, until } from './owner.mjs'

const WebSocket = load('ws')
const say = (step, ok, seen) => row('SensESP', step, ok, seen)
const clientId = 'c0000000-0000-4000-8000-000000000002'
const { body: found } = await read('/signalk')
const endpoint = found.endpoints.v1['signalk-ws']
say('finds the stream', endpoint.startsWith('ws://') && endpoint.endsWith('/signalk/v1/stream'), endpoint)
const ask = () => fetch(base + '/signalk/v1/access/requests', {
  method: 'POST', headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ clientId, description: 'SensESP device: engine', permissions: 'readwrite' }),
})
const first = await ask()
const asked = await first.json()
say('asks', first.status === 202 && asked.state === 'PENDING' && asked.href, first.status)
const again = await ask()
say('asks again after a restart, and is told where', again.status === 400 && (await again.json()).href === asked.href, again.status)
const waiting = await read(asked.href)
say('polls', [200, 202].includes(waiting.status) && waiting.body.state === 'PENDING', waiting.status)
say('is let in', await letIn(clientId) === 200)
const { body: answer } = await read(asked.href)
const token = answer.accessRequest?.token
say('gets its token', answer.state === 'COMPLETED' && answer.accessRequest?.permission === 'APPROVED' && token, answer.state)
const authorization = `Bearer ${token}`
say('its token is tried on the stream', (await fetch(base + '/signalk/v1/stream', { headers: { authorization } })).status === 426)
say('a wrong one is refused', (await fetch(base + '/signalk/v1/stream', { headers: { authorization: 'Bearer eyJ.e30.x' } })).status === 401)

async function send(value) {
  const stream = new WebSocket(`${endpoint}?subscribe=none&sendMeta=all`, { headers: { authorization } })
  let hello
  stream.on('message', (text) => (hello ??= JSON.parse(text)))
  await new Promise((resolve, reject) => stream.on('open', resolve).on('error', reject))
  await until(() => hello)
  const path = 'propulsion.main.oilTemperature'
  const meta = { units: 'K', displayName: 'Oil', zones: [{ lower: 390, state: 'alarm', message: 'too hot' }] }
  stream.send(JSON.stringify({ updates: [{ source: { label: 'engine' }, meta: [{ path, value: meta }] }] }))
  stream.send(JSON.stringify({ updates: [{ source: { label: 'engine' }, values: [{ path, value }] }] }))
  const there = await until(async () => (await read('/signalk/v1/api/vessels/self/propulsion/main/oilTemperature')).body?.value === value)
  return { stream, hello, there }
}
const one = await send(360)
say('is greeted', one.hello?.self === found.self || one.hello?.roles?.includes('main'), one.hello?.name)
say('sends a value', one.there)
const { body: meta } = await read('/signalk/v1/api/vessels/self/propulsion/main/oilTemperature/meta')
say('sends meta', meta?.units === 'K' && meta?.zones?.length === 1)
one.stream.terminate()
const two = await send(400)
say('comes back after it was cut off', two.there)
const { body: alarm } = await read('/signalk/v1/api/vessels/self/notifications/propulsion/main/oilTemperature')
say('its zone raises an alarm', alarm?.value?.state === 'alarm' && alarm.value.message === 'too hot', alarm?.value?.state)
two.stream.close()
process.exit(0)
