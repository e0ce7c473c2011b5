// What vessels say, as the stream brings it: one signal a path, so that only what changed is drawn again.
import { batch, effect, type Signal, signal } from '@preact/signals';
import { clockOffset, type Delta, link, self, type Update } from '../server/stream';
import { KNOWN_MS, Lag } from './lag';

/** A path's last value. */
export interface Leaf {
  readonly value: unknown;
  /** Time of measurement, in milliseconds of the gateway's clock. */
  readonly time: number;
  readonly source: string;
}

export interface PathMeta {
  readonly units?: string;
  readonly displayName?: string;
  readonly shortName?: string;
  readonly description?: string;
  readonly zones?: readonly Zone[];
  readonly timeout?: number;
}
export interface Zone {
  readonly lower?: number;
  readonly upper?: number;
  readonly state: string;
  readonly message?: string;
}

/** Everything known of one vessel, aid or shore station. */
export interface Vessel {
  readonly context: string;
  readonly leaves: Map<string, Signal<Leaf>>;
  readonly meta: Map<string, Signal<PathMeta>>;
  /** Paths that have said something; one that only ever said `null` has not. */
  readonly said: Set<string>;
  /** Rises with each path that is new, and with the first thing it says, for those who draw lists. */
  readonly size: Signal<number>;
  /** When it was heard last, by the page's own clock. */
  heard: number;
}

/** Vessels and paths of each that are kept: more is drawn by nobody. */
const VESSELS_MAX = 400;
const PATHS_MAX = 4000;

export const vessels = new Map<string, Vessel>();
/** Rises with each vessel that is new. */
export const vesselCount = signal(0);

/** A vessel that has said nothing for so many milliseconds makes room for another. */
const SILENT_MS = 600_000;

const nameOf = (context: string) => (!context || context === 'vessels.self' || context === self.peek() ? 'self' : context);

/** The vessel of a context, once it has said something; `self` is ours. */
export function vessel(context: string): Vessel | undefined {
  const known = vessels.get(nameOf(context));
  // Who waits for one that is not there is drawn again when it comes.
  if (!known) void vesselCount.value;
  return known;
}

function makeVessel(context: string): Vessel | undefined {
  if (vessels.size >= VESSELS_MAX && !forgetSilent()) return undefined;
  const made: Vessel = { context, leaves: new Map(), meta: new Map(), said: new Set(), size: signal(0), heard: 0 };
  vessels.set(context, made);
  vesselCount.value += 1;
  return made;
}

function forgetSilent(): boolean {
  const since = performance.now() - SILENT_MS;
  const silent = [...vessels.values()].find((one) => one.context !== 'self' && one.heard < since);
  return silent !== undefined && vessels.delete(silent.context);
}

// Ours is there before it says anything.
makeVessel('self');

export const NOTHING: Leaf = { value: undefined, time: 0, source: '' };

/** The signal of a path of our own vessel; it is there before the first value. */
export function leaf(path: string, of = 'self'): Signal<Leaf> {
  const on = vessel(of);
  return on ? leafOf(on, path) : signal(NOTHING);
}

function leafOf(on: Vessel, path: string): Signal<Leaf> {
  const known = on.leaves.get(path);
  if (known) return known;
  const made = signal(NOTHING);
  if (on.leaves.size < PATHS_MAX) on.leaves.set(path, made);
  return made;
}

function set(on: Vessel, path: string, value: Leaf): void {
  const of = leafOf(on, path);
  // Beyond the limit nobody looks at it.
  if (!on.leaves.has(path)) return;
  const isNew = of.peek() === NOTHING;
  const isFirst = value.value !== null && value.value !== undefined && !on.said.has(path);
  of.value = value;
  if (isFirst) on.said.add(path);
  if (isNew || isFirst) on.size.value += 1;
}

/** The signal of a path's meta. */
export function meta(path: string, of = 'self'): Signal<PathMeta> {
  const on = vessel(of);
  const known = on?.meta.get(path);
  if (known) return known;
  const made = signal<PathMeta>({});
  if (on && on.meta.size < PATHS_MAX) on.meta.set(path, made);
  return made;
}

/** Deltas that wait for the next picture: at sea some hundred come a second, and nobody sees more than sixty. */
let waiting: Delta[] = [];
const WAITING_MAX = 500;

/** Takes a delta of the stream. */
export function take(delta: Delta): void {
  waiting.push(delta);
  // A page in the background has no pictures.
  if (document.hidden || waiting.length >= WAITING_MAX) takeWaiting();
  else if (waiting.length === 1) requestAnimationFrame(takeWaiting);
}

function takeWaiting(): void {
  const deltas = waiting;
  waiting = [];
  batch(() => {
    for (const delta of deltas) {
      const name = nameOf(delta.context ?? '');
      const on = vessels.get(name) ?? makeVessel(name);
      if (!on) continue;
      on.heard = performance.now();
      for (const update of delta.updates) takeUpdate(on, update);
    }
  });
}

/** How far the clock of each source is behind the gateway's. */
const lag = new Lag();
let openedAt = 0;
/** When each path of each source was said, in the first moments of the stream. */
const begun = new Map<string, number>();
effect(() => {
  if (link.value !== 'open') return;
  openedAt = performance.now();
  begun.clear();
});

/** Whether a source says one of these paths for the second time since the stream opened, with a later time. */
function isAgain(on: Vessel, source: string, values: Update['values'], said: number): boolean {
  let isLater = false;
  for (const { path } of values ?? []) {
    const key = `${on.context} ${source} ${path}`;
    const before = begun.get(key);
    if (before === undefined ? begun.size < PATHS_MAX : before < said) begun.set(key, said);
    isLater ||= before !== undefined && before < said;
  }
  return isLater;
}

function takeUpdate(on: Vessel, update: Update): void {
  const said = Date.parse(update.timestamp ?? '');
  const time = Number.isFinite(said) ? said : now();
  if (Number.isFinite(said)) {
    const [source, sinceOpen] = [update.$source ?? '', performance.now() - openedAt];
    lag.hear(source, said, now(), sinceOpen, sinceOpen <= KNOWN_MS && isAgain(on, source, update.values, said));
  }
  for (const { path, value } of update.values ?? []) {
    // Values of the root come as one object: name, mmsi, communication.
    if (path === '' && value !== null && typeof value === 'object') {
      for (const [key, part] of Object.entries(value)) set(on, key, { value: part, time, source: update.$source ?? '' });
    } else set(on, path, { value, time, source: update.$source ?? '' });
  }
  for (const one of update.meta ?? []) {
    const known = meta(one.path, on.context);
    known.value = { ...known.peek(), ...one.value };
  }
}

/** The gateway's time, as far as its stream has told it. */
export function now(): number {
  return Date.now() + clockOffset.peek();
}

/** Rises each second, for ages. */
export const second = signal(0);
setInterval(() => {
  if (!document.hidden) second.value += 1;
}, 1000);

/** Seconds since a leaf was measured, by the clock of its source; drawn again each second. */
export function age(of: Leaf): number {
  void second.value;
  return of.time ? Math.max(0, (now() - of.time - lag.of(of.source)) / 1000) : Number.POSITIVE_INFINITY;
}

/** Seconds after which a value is old, where its meta names no other. */
export const OLD_S = 10;

export function isOld(of: Leaf, timeout = OLD_S): boolean {
  return age(of) > timeout;
}
