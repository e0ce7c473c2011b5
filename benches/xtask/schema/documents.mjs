// Checks the API documents of a gateway: OpenAPI by @apidevtools/swagger-parser, AsyncAPI by the schema of its specification; and
// what the gateway answers to each GET that needs no parameter by the schema that its document gives it.
//   node documents.mjs MODULES GATEWAY TOKEN_FILE
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import process from 'node:process'

const [modules, gateway, tokenFile] = process.argv.slice(2)
const load = createRequire(path.join(modules, 'x'))
const parser = load('@apidevtools/swagger-parser')
const { default: Ajv } = load('ajv')
const { default: Ajv2020 } = load('ajv/dist/2020')
const asyncApi = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(load('@asyncapi/specs/schemas/3.0.0-without-$id.json'))

// The file is there once the gateway has begun.
function bearer() {
  try {
    return { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` }
  } catch {
    return {}
  }
}

async function read(address) {
  for (let turn = 0; turn < 100; turn++) {
    const answer = await fetch(gateway + address, { headers: bearer() }).catch(() => null)
    if (answer) return answer.json()
    await new Promise((done) => setTimeout(done, 300))
  }
  throw new Error('the gateway did not answer')
}

// Says what of the answers is not as the document says; how many were looked at.
async function answers(document) {
  const wrong = []
  let asked = 0
  const validator = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).addSchema(document, 'document')
  for (const [address, { get }] of Object.entries(document.paths)) {
    if (!get || address.includes('{')) continue
    const answer = await fetch(gateway + address, { headers: bearer() })
    const media = get.responses[answer.status]?.content?.['application/json']
    if (!media) continue
    const at = ['paths', address.replaceAll('~', '~0').replaceAll('/', '~1'), 'get', 'responses', answer.status, 'content', 'application~1json', 'schema']
    const validate = validator.getSchema(`document#/${at.join('/')}`)
    asked += 1
    const body = await answer.json().catch(() => null)
    if (body === null) wrong.push(`GET ${address} is no JSON`)
    else if (!validate(body)) {
      wrong.push(...validate.errors.slice(0, 5).map((error) => `GET ${address} ${error.instancePath} ${error.message}`))
    }
  }
  return { asked, wrong }
}

async function check(form, document) {
  if (form === 'asyncapi') return asyncApi(document) ? [] : asyncApi.errors.map((error) => `${error.instancePath} ${error.message}`)
  return parser.validate(document).then(() => [], (error) => [error.message])
}

for (const form of ['openapi', 'asyncapi']) {
  for (const { name, jsonUrl } of await read('/skServer/' + form)) {
    const document = await read(jsonUrl)
    // What checks puts references in place.
    const wrong = await check(form, structuredClone(document))
    const told = form === 'openapi' ? await answers(document) : { wrong: [] }
    wrong.push(...told.wrong)
    process.stdout.write(JSON.stringify({ form, name, ok: wrong.length === 0, asked: told.asked, wrong }) + '\n')
  }
}
// A document that is none is found.
for (const [form, document] of [['openapi', { openapi: '3.1.0', info: {}, paths: {} }], ['asyncapi', { asyncapi: '3.0.0', channels: 1 }]]) {
  if ((await check(form, document)).length === 0) throw new Error(`${form}: what is no document passes`)
}
