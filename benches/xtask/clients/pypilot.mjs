// What pypilot does on the wire: reads the endpoints, asks with a form, polls the state, opens the stream with a JWT header,
// subscribes with periods, sends its heading and takes a command.
import { letIn, load, base, read, row, until } from './owner.mjs'

const WebSocket = load('ws')
const say = (step, ok, seen) => row('pypilot', step, ok, seen)
const clientId = 'c0000000-0000-4000-8000-000000000003'
const { body: found } = await read('/signalk')
const endpoint = found.endpoints.v1['signalk-ws'] + '?subscribe=none'
const asked = await (await fetch(base + '/signalk/v1/access/requests', {
  method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({ clientId, description: 'pypilot' }),
})).json()
say('asks with a form', asked.statusCode === 202 && asked.href, asked.statusCode)
const waiting = (await read(asked.href)).body
say('polls', waiting.state === 'PENDING' && typeof waiting.statusCode === 'number', waiting.state)
say('is let in', await letIn(clientId) === 200)
const { body: answer } = await read(asked.href)
say('gets its token', answer.state === 'COMPLETED' && answer.statusCode === 200 && answer.accessRequest?.token, answer.statusCode)
const stream = new WebSocket(endpoint, { headers: { Authorization: 'JWT ' + answer.accessRequest.token } })
const heard = []
stream.on('message', (text) => heard.push(JSON.parse(text)))
await new Promise((resolve, reject) => stream.on('open', resolve).on('error', reject))
const rows = ['environment.wind.speedApparent', 'navigation.speedOverGround'].map((path) => ({ path, minPeriod: 500, format: 'delta', policy: 'instant' }))
stream.send(JSON.stringify({ context: 'vessels.self', subscribe: rows }))
const paths = () => new Set(heard.flatMap((delta) => delta.updates ?? []).flatMap((update) => update.values ?? []).map(({ path }) => path))
say('hears both paths', await until(() => rows.every(({ path }) => paths().has(path))), [...paths()])
stream.send(JSON.stringify({ updates: [{ $source: 'pypilot', values: [{ path: 'steering.autopilot.target.headingMagnetic', value: 1.5 }] }] }))
const at = '/signalk/v1/api/vessels/self/steering/autopilot/target/headingMagnetic'
say('sends', await until(async () => (await read(at)).body?.value === 1.5))
say('is named as it names itself', (await read(at)).body?.$source === 'pypilot')
stream.close()
process.exit(0)
