// Gives a module pages of one byte (the custom-page-sizes proposal) and a memory of BYTES, for chips:
//   node pages.mjs MODULE.wasm BYTES
// The module must be compiled with the runtime beside this file, which reckons with such pages. It loads in Skiff alone.
import { readFileSync, writeFileSync } from 'node:fs'

const [file, size] = process.argv.slice(2)
const bytes = Number(size)
const module = readFileSync(file)
const MEMORY = 5

let at = 8
// An unsigned LEB128 number.
function number() {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = module[at++]
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return value
  }
}
function leb(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(Math.floor(value / 0x80))]
}

if (!(bytes > 0)) throw new Error('the second argument is a number of bytes')
while (at < module.length) {
  const from = at
  const id = number()
  const length = number()
  if (id === MEMORY) {
    const behind = at + length
    if (number() !== 1 || number() > 1) throw new Error('a module has one memory, which is not shared')
    // One memory, with a page size and no most: bytes, and 2^0.
    const section = [1, 0x08, ...leb(bytes), 0]
    const small = Buffer.concat([module.subarray(0, from), Buffer.from([MEMORY, ...leb(section.length), ...section]), module.subarray(behind)])
    writeFileSync(file, small)
    process.exit()
  }
  at += length
}
throw new Error('the module has no memory')
