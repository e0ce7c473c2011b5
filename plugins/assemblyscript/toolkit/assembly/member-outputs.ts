/** Publishes outputs that are members of one object together; only in modules that have such ones. */
import * as writer from './writer'
import { writeValue } from './fallback'
import { Output, outputAt, pathBytes } from './values'

/** Tells whether two rows are members of the same path. */
function isSame(left: Output, right: Output): bool {
  const bytes = pathBytes(left)
  if (bytes != pathBytes(right) || bytes == right.pathBytes) return false
  return memory.compare(left.path, right.path, bytes) == 0
}

/** Writes the changed rows that are members of the path of row `at`; false when none is to be written with it. */
export function write(at: i32, from: i32, to: i32): bool {
  const output = outputAt(at)
  const bytes = pathBytes(output)
  let isValue = false
  writer.byte(0x7b)
  for (let index = from; index < to; index++) {
    const other = outputAt(index)
    if (!other.isChanged || !isSame(output, other)) continue
    // They stand where the first of them stands.
    if (index < at) return false
    const before = writer.written()
    writer.text(isValue ? ',"' : '"')
    writer.bytes(other.path + bytes + 1, <i32>other.pathBytes - bytes - 1)
    writer.text('":')
    if (writeValue(other)) isValue = true
    else writer.truncate(before)
  }
  writer.byte(0x7d)
  return isValue
}
