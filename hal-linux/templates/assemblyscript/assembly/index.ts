/** Signal K plugin `{{name}}`: tells the smallest depth since it was started. */
import { emit, setStatus } from '@signalk/assemblyscript-plugin-sdk/assembly/api'
import { createSimpleDelta } from '@signalk/assemblyscript-plugin-sdk/assembly/signalk'

const DEPTH = '"path":"environment.depth.belowTransducer","value":'

let smallest: f64 = Infinity

export function plugin_id(): string {
  return '{{name}}'
}

export function plugin_name(): string {
  return '{{title}}'
}

export function plugin_schema(): string {
  return '{"type":"object","properties":{}}'
}

/** The configuration is UTF-8 JSON at `ptr`: `String.UTF8.decodeUnsafe(ptr, len)`. 0 means started. */
export function plugin_start(ptr: usize, len: usize): i32 {
  smallest = Infinity
  setStatus('waiting for environment.depth.belowTransducer')
  return 0
}

export function plugin_stop(): i32 {
  return 0
}

/** Hosts write deltas as compact JSON, the path before its value. */
export function delta_handler(delta: string): void {
  const at = delta.indexOf(DEPTH)
  if (at < 0) return
  const depth = parseFloat(delta.substr(at + DEPTH.length, 24))
  if (isNaN(depth) || depth >= smallest) return
  smallest = depth
  emit(createSimpleDelta('environment.depth.smallest', depth.toString()))
  setStatus('runs')
}
