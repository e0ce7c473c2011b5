// Devices of NMEA 2000 out of `GET /signalk/v1/api/sources`.

export interface Pgn {
  readonly pgn: number;
  /** When it was heard last, in milliseconds. */
  readonly at: number;
}
export interface Device {
  /** As in `$source`: `can0.35`. */
  readonly ref: string;
  readonly label: string;
  readonly address: number;
  readonly name: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly pgns: readonly Pgn[];
  readonly last: number;
}

/** What a device tells of itself, by canboat's names. */
const FACTS: readonly (readonly [string, string])[] = [
  ['manufacturerCode', 'Maker'], ['modelId', 'Model'], ['modelSerialCode', 'Serial number'], ['softwareVersionCode', 'Software'],
  ['deviceFunction', 'Function'], ['deviceClass', 'Class'], ['deviceInstance', 'Instance'], ['canName', 'NAME'],
  ['installationDescription1', 'Installer'], ['installationDescription2', ''],
];

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null;
}

/** The devices of the tree, by label and address; `aliases` are the owner's names by source. */
export function devicesOf(sources: unknown, aliases: Readonly<Record<string, string>>): readonly Device[] {
  if (!isTree(sources)) return [];
  const found = Object.entries(sources).flatMap(([label, input]) =>
    isTree(input) ? Object.entries(input).map(([key, source]) => deviceOf(label, key, source, aliases)) : []);
  return found
    .filter((one): one is Device => one !== null)
    .sort((one, other) => one.label.localeCompare(other.label) || one.address - other.address);
}

/** What is now for each input: the newest time of its devices where it tells something at the moment, be it a log of last year; else the clock's. */
export function clocksOf(devices: readonly Device[], telling: ReadonlySet<string>, now: number): ReadonlyMap<string, number> {
  const clocks = new Map<string, number>();
  for (const { label, last } of devices) clocks.set(label, telling.has(label) ? Math.max(clocks.get(label) ?? 0, last) : now);
  return clocks;
}

function deviceOf(label: string, key: string, source: unknown, aliases: Readonly<Record<string, string>>): Device | null {
  const about = isTree(source) ? source['n2k'] : undefined;
  if (!isTree(about)) return null;
  const ref = `${label}.${key}`;
  const text = (name: string) => (about[name] === undefined ? '' : String(about[name]).trim());
  const pgns = Object.entries(isTree(about['pgns']) ? about['pgns'] : {})
    .map(([pgn, at]) => ({ pgn: Number(pgn), at: Date.parse(String(at)) || 0 }))
    .sort((one, other) => one.pgn - other.pgn);
  const made = [text('manufacturerCode'), text('modelId')].filter((one) => one).join(' ');
  return {
    ref, label, address: Number(about['src'] ?? key), pgns,
    name: aliases[ref] || made || `Device ${text('src') || key}`,
    facts: FACTS.map(([name, title]) => [title, text(name)] as const).filter(([, value]) => value),
    last: Math.max(0, ...pgns.map(({ at }) => at)),
  };
}
