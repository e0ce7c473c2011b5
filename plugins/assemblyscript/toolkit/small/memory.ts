/**
 * A memory runtime for modules with pages of one byte, which load in Skiff alone (`pages.mjs`).
 *
 * It frees without a collector: what a call allocates is gone when the host gives back what it passed in, but for what a
 * start has allocated (`keep`, which the toolkit calls). So a plugin must store in a global only what it made in its start.
 * The language's own runtimes reckon with pages of 64 KiB.
 */
import { AL_MASK, BLOCK, BLOCK_OVERHEAD, OBJECT, OBJECT_OVERHEAD, TOTAL_OVERHEAD } from 'rt/common'

/** Memory is taken in steps of so many bytes. */
const STEP: usize = 1024

// @ts-ignore: decorator
@lazy let floor: usize = first()
// @ts-ignore: decorator
@lazy let offset: usize = first()
let isKept: bool = false

/** Where a block begins whose payload is aligned. */
function first(): usize {
  return ((__heap_base + BLOCK_OVERHEAD + AL_MASK) & ~AL_MASK) - BLOCK_OVERHEAD
}

// @ts-ignore: decorator
@unsafe @global
export function __alloc(size: usize): usize {
  const at = offset + BLOCK_OVERHEAD
  const room = ((size + BLOCK_OVERHEAD + AL_MASK) & ~AL_MASK) - BLOCK_OVERHEAD
  const end = at + room
  // A size near the end of the address space.
  if (end < at || room < size) unreachable()
  const has = <usize>memory.size()
  if (end > has) {
    if (memory.grow(i32((end - has + STEP - 1) & ~(STEP - 1))) < 0 && memory.grow(i32(end - has)) < 0) unreachable()
  }
  changetype<BLOCK>(offset).mmInfo = room
  offset = end
  return at
}

// @ts-ignore: decorator
@unsafe @global
export function __realloc(ptr: usize, size: usize): usize {
  const has = changetype<BLOCK>(ptr - BLOCK_OVERHEAD).mmInfo
  if (size <= has) return ptr
  const at = __alloc(size)
  memory.copy(at, ptr, has)
  return at
}

// @ts-ignore: decorator
@unsafe @global
export function __free(_ptr: usize): void {}

// @ts-ignore: decorator
@unsafe @global
export function __new(size: usize, id: u32): usize {
  if (size > <usize>i32.MAX_VALUE) unreachable()
  const at = __alloc(OBJECT_OVERHEAD + size)
  const object = changetype<OBJECT>(at - BLOCK_OVERHEAD)
  object.gcInfo = 0
  object.gcInfo2 = 0
  object.rtId = id
  object.rtSize = <u32>size
  // What a call left behind is still there.
  memory.fill(at + OBJECT_OVERHEAD, 0, size)
  return at + OBJECT_OVERHEAD
}

// @ts-ignore: decorator
@unsafe @global
export function __renew(old: usize, size: usize): usize {
  const object = changetype<OBJECT>(old - TOTAL_OVERHEAD)
  if (size <= object.mmInfo - OBJECT_OVERHEAD) {
    object.rtSize = <u32>size
    return old
  }
  const at = __new(size, object.rtId)
  memory.copy(at, old, object.rtSize)
  return at
}

/** Lets what this call allocates stay. */
// @ts-ignore: decorator
@unsafe @global
export function __keep(): void {
  isKept = true
}

// @ts-ignore: decorator
@unsafe @global
export function __pin(ptr: usize): usize {
  return ptr
}

/** The host gives back what it passed in: the call has ended, and its answer was read. */
// @ts-ignore: decorator
@unsafe @global
export function __unpin(_ptr: usize): void {
  if (isKept) floor = offset
  else offset = floor
  isKept = false
}

// @ts-ignore: decorator
@unsafe @global
export function __link(_parent: usize, _child: usize, _expectMultiple: bool): void {}

// @ts-ignore: decorator
@unsafe @global
export function __visit(_ptr: usize, _cookie: u32): void {}

// @ts-ignore: decorator
@unsafe @global
export function __collect(): void {}
