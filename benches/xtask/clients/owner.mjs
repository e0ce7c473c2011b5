// What every script of this folder needs: the gateway's address, its owner's answer to a device, rows that are told.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import process from 'node:process'

export const [base, modules, tokenFile] = process.argv.slice(2)
export const load = createRequire(path.join(modules, 'x'))
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const token = readFileSync(tokenFile, 'utf8').trim()

// A row that is right is {client, step, ok: true}.
export const row = (client, step, ok, seen) => process.stdout.write(JSON.stringify({ client, step, ok: Boolean(ok), seen }) + '\n')

export async function read(address, headers = {}) {
  const answer = await fetch(base + address, { headers })
  return { status: answer.status, body: await answer.json().catch(() => null) }
}

// The owner lets a device in, as soon as its request is there.
export async function letIn(clientId) {
  const answer = await fetch(`${base}/skServer/security/access/requests/${clientId}/approved`, {
    method: 'PUT', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ permissions: 'readwrite', expiration: '1y' }),
  })
  return answer.status
}

// Waits until a condition holds; false after five seconds.
export async function until(condition) {
  for (let turn = 0; turn < 50; turn++) {
    if (await condition()) return true
    await sleep(100)
  }
  return false
}
