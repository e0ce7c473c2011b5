// Connections: rows of `GET /skiff/v1/connections`, and the addresses that their form makes.

export interface Connection {
  readonly id: string;
  readonly direction: Direction;
  readonly name: string;
  readonly kind: string;
  readonly address: string;
  readonly format: string;
  /** Where it stands: `command line`, `skiff.inputs`, … */
  readonly from: string;
  readonly editable: boolean;
  readonly enabled: boolean;
  readonly state: string;
  readonly reason: string | null;
  /** As it was given, where it can be changed here. */
  readonly url?: string;
  readonly status?: Counters;
}
export interface Counters {
  readonly age_ms?: number | null;
  readonly rate?: number;
  readonly frames?: number;
  readonly sentences?: number;
  readonly deltas?: number;
  readonly bad_lines?: number;
  readonly drops?: number;
  readonly lost?: number;
  readonly clients?: number;
  readonly lines?: number;
}
export type Direction = 'input' | 'output';

/** Answer of `POST /skiff/v1/connections/test`. */
export interface Heard {
  readonly opens: boolean;
  readonly reason: string | null;
  readonly seconds: number;
  readonly heard: Readonly<Record<string, number>>;
  readonly pgns: readonly number[];
  readonly paths: readonly string[];
}

export type Kind = 'can' | 'serial' | 'tcp' | 'tcp-listen' | 'udp' | 'ws' | 'file';
type Options = readonly (readonly [string, string])[];

export const KINDS: Readonly<Record<Direction, readonly (readonly [Kind, string])[]>> = {
  input: [
    ['can', 'CAN interface'],
    ['serial', 'Serial port'],
    ['tcp', 'Server that is connected to (TCP)'],
    ['tcp-listen', 'Programs that connect here (TCP)'],
    ['udp', 'Datagrams that come here (UDP)'],
    ['ws', 'Another Signal K server'],
    ['file', 'A log, played once'],
  ],
  output: [
    ['tcp-listen', 'Programs that connect here (TCP)'],
    ['tcp', 'Server that is connected to (TCP)'],
    ['udp', 'Datagrams to an address (UDP)'],
    ['serial', 'Serial port'],
  ],
};

const RAW: Options = [['ydwg', 'NMEA 2000, as Yacht Devices'], ['candump', 'NMEA 2000, as candump'], ['n2kascii', 'NMEA 2000 ASCII'], ['canboat', 'NMEA 2000, as canboat']];
export const FORMATS: Readonly<Record<Direction, Options>> = {
  input: [
    ['', 'found out by itself'], ...RAW, ['ngt1', 'Actisense NGT-1'], ['ebl', 'Actisense EBL'], ['ikonvert', 'iKonvert'],
    ['pcdin', 'SeaSmart ($PCDIN)'], ['mxpgn', 'ShipModul ($MXPGN)'], ['deltas', 'Signal K deltas'],
  ],
  output: [['', 'NMEA 0183'], ['deltas', 'Signal K deltas'], ...RAW],
};

/** Which kinds have a format of their own to choose. */
export function hasFormat(direction: Direction, kind: Kind): boolean {
  return direction === 'output' || !['can', 'ws'].includes(kind);
}

/** What the form was given. */
export type Given = Readonly<Record<string, string | undefined>>;

/** The URL that the form means; the gateway says what is wrong with it. */
export function urlOf(kind: Kind, given: Given): string {
  const options = new URLSearchParams();
  if (kind === 'serial' && given['baud']) options.set('baud', given['baud']);
  if (given['format']) options.set('format', given['format']);
  if (kind === 'ws' && given['token']) options.set('token', given['token']);
  const text = options.toString();
  return `${addressOf(kind, given)}${text && `?${text}`}`;
}

function addressOf(kind: Kind, { device = '', host = '', port = '' }: Given): string {
  switch (kind) {
    case 'can':
      return `can://${device}`;
    case 'serial':
      return `serial://${device}`;
    case 'file':
      return device;
    default:
      return `${kind}://${ipv6(host)}:${port}`;
  }
}

/** An address of IPv6 stands in brackets. */
function ipv6(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

const STATES: Readonly<Record<string, readonly [words: string, mood: string]>> = {
  open: ['open', 'good'],
  connecting: ['connecting', 'warn'],
  waiting: ['waits', 'warn'],
  ended: ['played to its end', 'off'],
  off: ['off', 'off'],
  refused: ['cannot be used', 'wrong'],
  'can-active': ['on the bus', 'good'],
  'can-warning': ['on the bus, with errors', 'warn'],
  'can-passive': ['on the bus, with many errors', 'wrong'],
  'can-bus-off': ['off the bus after errors', 'wrong'],
  'can-down': ['down', 'wrong'],
};

export function stateOf(state: string): readonly [words: string, mood: string] {
  return STATES[state] ?? [state, state.includes('error') || state.includes('fail') ? 'wrong' : 'good'];
}

/** How much came and went, in words. */
export function amountOf(of: Counters): string {
  const said: readonly (readonly [number | undefined, string])[] = [
    [of.rate, 'a second'], [of.frames, 'frames'], [of.sentences, 'sentences'], [of.deltas, 'deltas'], [of.clients, 'clients'], [of.lines, 'lines'],
  ];
  return said.filter(([count]) => count).map(([count, words]) => `${count?.toLocaleString('en')} ${words}`).join(', ');
}

/** How much of it was lost, in words. */
export function lossesOf(of: Counters): string {
  const said: readonly (readonly [number | undefined, string])[] = [[of.bad_lines, 'lines that cannot be read'], [of.drops, 'messages lost'], [of.lost, 'lost before they came here']];
  return said.filter(([count]) => count).map(([count, words]) => `${count?.toLocaleString('en')} ${words}`).join(', ');
}

/** What a test heard, in words. */
export function heardOf({ opens, reason, seconds, heard, pgns, paths }: Heard): string {
  if (!opens) return `It does not open: ${reason ?? 'nobody knows why'}.`;
  const counts = Object.entries(heard).filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name.replace(/_/g, ' ')}`);
  if (counts.length === 0) return `It opens. Nothing was heard in ${seconds} s${reason ? `: ${reason}` : ''}.`;
  const more = [pgns.length > 0 && `PGNs ${pgns.join(', ')}`, paths.length > 0 && `paths ${paths.join(', ')}`].filter((text) => text);
  return `It opens. Heard in ${seconds} s: ${[counts.join(', '), ...more].join('; ')}.`;
}
