// What the gateway says of itself, in words.
import type { Clock } from '../../ui/status';

const HEALTH: Readonly<Record<string, readonly [words: string, mood: string]>> = {
  good: ['all is well', 'good'],
  updating: ['it is being updated', 'warn'],
  'plugin-crashed': ['a plugin has crashed', 'wrong'],
  'plugin-over-share': ['a plugin uses more than its share', 'warn'],
  'no-bus': ['nothing is heard from the bus', 'wrong'],
  'no-network': ['no network', 'warn'],
};

export function healthOf(health: string): readonly [words: string, mood: string] {
  return HEALTH[health] ?? [health, 'warn'];
}

/** How the clock is. */
export function clockOf({ state, source, silent_s: silent }: Clock): string {
  if (state === 'system') return "the system's";
  const from = source ? `, told by ${source}${silent ? ` ${silent} s ago` : ''}` : '';
  return `${state.replace(/-/g, ' ')}${from}`;
}

const ROWS: Readonly<Record<string, string>> = {
  runtime: 'The gateway itself',
  network: 'Network',
  model: "The boat's values",
  queues: 'What waits',
  stack: 'Stack',
  heap: 'Heap',
};

/** A row of the budget by a name for people; rows of plugins keep theirs. */
export function memoryRow(row: string): string {
  return ROWS[row] ?? row;
}

/** What of a backup means what; a name that is none of these is its own. */
const PARTS: Readonly<Record<string, string>> = {
  'settings.json': 'Settings of Signal K',
  'security.json': 'Users and devices of Signal K',
  'baseDeltas.json': 'The vessel',
  'priorities.json': 'Preferred sources',
  'plugin-config-data/': 'Configurations of plugins',
  'node_modules/': 'Packages of Signal K',
  'skiff/auth.json': 'Users, devices and tokens',
  'skiff/settings.json': 'Settings',
  'skiff/packages/': 'Plugins',
  'skiff/grants.json': 'What plugins were allowed',
  'applicationData/': 'What apps keep',
  'resources/': 'Routes, waypoints, notes',
};

export function backupPart(name: string): string {
  const words = PARTS[name] ?? PARTS[`${name}/`];
  return words ? `${words} (${name})` : name;
}
