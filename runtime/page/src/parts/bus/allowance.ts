// `/skiff/v1/n2k`, and what its form makes of it.

export interface Allowance {
  readonly node: boolean;
  readonly isNodeByCommandLine: boolean;
  readonly send: readonly string[];
  /** Not there where no program can send. */
  readonly relay?: Relay;
  /** Some of it holds from the next start. */
  readonly waits: boolean;
}
export type Relay = boolean | readonly number[];
export type RelayKind = 'none' | 'some' | 'all';

export const RELAYS: readonly (readonly [RelayKind, string])[] = [
  ['none', 'are not sent'],
  ['some', 'are sent, of these PGNs'],
  ['all', 'are sent, all of them'],
];

export function relayKind(relay: Relay | undefined): RelayKind {
  if (Array.isArray(relay) && relay.length > 0) return 'some';
  return relay === true ? 'all' : 'none';
}

/** The member `relay`; throws what is wrong with the numbers. */
export function relayOf(kind: RelayKind, pgns: string): Relay {
  if (kind !== 'some') return kind === 'all';
  const words = pgns.split(/[\s,;]+/).filter((word) => word);
  const wrong = words.find((word) => !/^\d{1,6}$/.test(word));
  if (wrong !== undefined) throw new Error(`${wrong} is no PGN`);
  if (words.length === 0) throw new Error('Which PGNs? Or choose that none are sent');
  return words.map(Number);
}

/** The lines that say something. */
export function linesOf(text: string): readonly string[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line);
}
