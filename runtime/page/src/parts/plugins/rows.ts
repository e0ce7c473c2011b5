// Rows of `GET /skServer/plugins`, and what they mean to people.
import type { Schema } from '../../ui/form/schema';

export interface Budget {
  readonly row: string;
  readonly used: number;
  readonly reserved: number;
  readonly limit: number;
  readonly unit: string;
}
export interface Row {
  readonly id: string;
  readonly name: string;
  readonly packageName: string;
  readonly version: string;
  readonly description: string;
  readonly schema: Schema;
  readonly statusMessage: string;
  readonly state: string;
  readonly data: { readonly enabled?: boolean };
  readonly skiff: {
    readonly unusable?: boolean;
    readonly reason: string | null;
    readonly restarts: number;
    readonly recycled: number;
    readonly drops: number;
    readonly refused: number;
    readonly asks?: readonly string[];
    readonly waiting?: { readonly version: string; readonly asks: readonly string[] };
    readonly budget: readonly Budget[];
  };
}

/** What stands for a row in the address: of two packages with one id the one that cannot be used goes by its name. */
export function addressOf(row: Row): string {
  return row.skiff.unusable ? row.packageName : row.id;
}

/** The row that an address means. */
export function rowOf(rows: readonly Row[], address: string): Row | undefined {
  return rows.find((row) => addressOf(row) === address);
}

/** Whether removing goes by an id that is another package's. */
export function isShadow(row: Row, rows: readonly Row[]): boolean {
  return row.skiff.unusable === true && rows.some((other) => other.id === row.id && !other.skiff.unusable);
}

/** Answer of `POST /skiff/v1/plugins`. */
export interface Installed {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly reason?: string;
  readonly asks?: readonly string[];
  readonly webapp?: boolean;
}

/** A row of `GET /skiff/v1/webapps`. */
export interface WebApp {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly asks: readonly string[];
}

/** What each right lets a package do. */
const RIGHTS: Readonly<Record<string, readonly [title: string, means: string]>> = {
  network: ['The network', 'It can talk to servers on the internet and to machines on board, and send your data there.'],
  rawSockets: ['Raw network sockets', 'It can open UDP and TCP connections of its own to any address that it can reach.'],
  serialPorts: ['Serial ports', 'It can read and write devices that are connected by a serial cable.'],
  putHandlers: ['Taking commands', 'Programs can switch or set things through it: a light, a pump, a limit.'],
  resourceProvider: ['Resources', 'It keeps routes, waypoints, notes or charts, and answers for them.'],
  weatherProvider: ['Weather', 'It answers when programs ask for observations and forecasts.'],
  radarProvider: ['Radar', 'It shows and controls a radar.'],
  autopilotProvider: ['The autopilot', 'It can steer the boat.'],
  webapp: ['Its own pages', 'Its pages open in browsers and act with the rights of whoever looks at them.'],
};

/** A right's title and what it means; one that this page does not know is said by its name. */
export function rightOf(name: string): readonly [title: string, means: string] {
  return RIGHTS[name] ?? [name, 'This page does not know what it lets a package do.'];
}

const STATES: Readonly<Record<string, readonly [words: string, mood: 'good' | 'warn' | 'wrong' | 'off']>> = {
  running: ['running', 'good'],
  disabled: ['off', 'off'],
  stopped: ['off', 'off'],
  crashed: ['crashed', 'wrong'],
  error: ['cannot run', 'wrong'],
};

/** A state in words, and how it looks. */
export function stateOf(row: Pick<Row, 'state' | 'skiff'>): readonly [words: string, mood: string] {
  if (row.skiff.asks?.length && row.state !== 'running') return ['waits for your consent', 'warn'];
  return STATES[row.state] ?? [row.state, 'warn'];
}

/** Rows of the budget that a list shows: memory and fuel. */
const SHORT = ['linear memory', 'fuel of the last call'];
const WORDS: Readonly<Record<string, string>> = {
  module: 'Program',
  memory: 'All of its memory',
  'code heap': 'Translated program',
  'linear memory': 'Working memory',
  'fuel of the last call': 'Work of the last call',
  'waiting deltas': 'Deltas waiting',
  'waiting delta bytes': 'Bytes waiting',
  'paths of the model': 'Paths it tells',
  'bytes of the model': 'Bytes it tells',
};

/** A budget's rows with names for people: those of a list, or all. */
export function budgetOf(row: Row, isShort: boolean): readonly (Budget & { readonly title: string })[] {
  const rows = isShort ? row.skiff.budget.filter((one) => SHORT.includes(one.row)) : row.skiff.budget;
  return rows.map((one) => ({ ...one, title: WORDS[one.row] ?? one.row }));
}

/** What went wrong with a plugin lately, in words; '' if nothing did. */
export function troubles({ skiff: { restarts, recycled, drops, refused } }: Row): string {
  const said: readonly [number, string][] = [
    [restarts, 'restarts after a crash'],
    [recycled, 'started afresh to free memory'],
    [drops, 'deltas lost'],
    [refused, 'values refused: too many'],
  ];
  return said.filter(([count]) => count > 0).map(([count, words]) => `${count} ${words}`).join(', ');
}

/** A name with a version or without: `@acme/tide@1.2.0`. */
export function nameAndVersion(text: string): readonly [name: string, version: string] {
  const at = text.trim().indexOf('@', 1);
  return at < 0 ? [text.trim(), ''] : [text.trim().slice(0, at), text.trim().slice(at + 1)];
}
