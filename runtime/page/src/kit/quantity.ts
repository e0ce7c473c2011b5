// What a value of a path is to a person: its kind of quantity, its number and unit, its words.
import { isPosition } from './geo';
import { chosen, latitude, longitude, shown, type Unit } from './units';

/** Quantities with the same SI unit that people read in different units. */
export interface Kind {
  readonly id: string;
  readonly title: string;
  readonly si: string;
  /** Shown in this where nobody has chosen. */
  readonly unit: string;
  /** What Signal K's unit preferences call it. */
  readonly category: string;
}

const kind = (id: string, title: string, si: string, unit: string, category: string): Kind => ({ id, title, si, unit, category });

export const KINDS: readonly Kind[] = [
  kind('speed', 'Speed of the boat', 'm/s', 'kn', 'speed'),
  kind('wind', 'Speed of the wind', 'm/s', 'kn', 'speed'),
  kind('depth', 'Depth', 'm', 'm', 'depth'),
  kind('distance', 'Distance', 'm', 'nm', 'distance'),
  kind('length', 'Length', 'm', 'm', 'length'),
  kind('temperature', 'Temperature', 'K', '°C', 'temperature'),
  kind('air', 'Air pressure', 'Pa', 'mbar', 'pressure'),
  kind('pressure', 'Oil and water pressure', 'Pa', 'bar', ''),
  kind('volume', 'Volume', 'm3', 'l', 'volume'),
  kind('rate', 'Fuel rate', 'm3/s', 'l/h', 'volumeRate'),
  kind('turn', 'Rate of turn', 'rad/s', '°/min', ''),
  kind('revolutions', 'Revolutions', 'Hz', 'rpm', ''),
  kind('hours', 'Hours of engines', 's', 'h', ''),
  kind('power', 'Power', 'W', 'W', 'power'),
  kind('energy', 'Energy', 'J', 'Wh', ''),
];
const BY_ID = new Map(KINDS.map((one) => [one.id, one]));

/** The kind of what a path says in an SI unit; none where there is nothing to choose. */
export function kindOf(path: string, si: string): Kind | undefined {
  return BY_ID.get(idOf(path, si));
}

function idOf(path: string, si: string): string {
  switch (si) {
    case 'm/s': return /wind/i.test(path) ? 'wind' : 'speed';
    case 'm': return /depth|draft|Keel|tide/.test(path) ? 'depth' : /^navigation\.(log|trip|course|.*istance)/.test(path) ? 'distance' : 'length';
    case 'Pa': return path.startsWith('environment.') ? 'air' : 'pressure';
    case 'K': return 'temperature';
    case 'm3': return 'volume';
    case 'm3/s': return 'rate';
    case 'rad/s': return 'turn';
    case 'Hz': return path.startsWith('propulsion.') ? 'revolutions' : '';
    case 's': return /runTime$/.test(path) ? 'hours' : '';
    case 'W': return 'power';
    case 'J': return 'energy';
    default: return '';
  }
}

/** Names of units that Signal K writes in another way. */
const OTHER_NAMES: Readonly<Record<string, string>> = { nmi: 'nm', L: 'l', 'L/h': 'l/h', hPa: 'mbar' };

/** Choices by kind that a preset of Signal K's unit preferences means (`/signalk/v1/unitpreferences/active`). */
export function ofPreset(preset: unknown): Record<string, string> {
  const found: Record<string, string> = {};
  const categories = (preset as { categories?: Record<string, { symbol?: unknown } | undefined> } | null)?.categories ?? {};
  for (const one of KINDS) {
    const symbol = categories[one.category]?.symbol;
    if (typeof symbol !== 'string') continue;
    const name = OTHER_NAMES[symbol] ?? symbol;
    if (chosen(one.si, name).name === name) found[one.id] = name;
  }
  return found;
}

/** The unit that a path's number is shown in; `choices` are names of units by kind. */
export function unitOf(path: string, si: string, choices: Readonly<Record<string, string>>): Unit {
  const of = kindOf(path, si);
  return chosen(si, of && (choices[of.id] ?? of.unit));
}

export interface Said {
  readonly text: string;
  readonly unit: string;
}

const OBJECT_LETTERS_MAX = 300;

/** A value in words: its number in the unit, a position, yes or no, text. */
export function said(value: unknown, unit: Unit): Said {
  if (value === null || value === undefined) return { text: '–', unit: '' };
  if (typeof value === 'number') return { text: shown(value, unit), unit: unit.name };
  if (typeof value === 'boolean') return { text: value ? 'yes' : 'no', unit: '' };
  if (typeof value === 'string') return { text: value, unit: '' };
  if (isPosition(value)) return { text: `${latitude(value.latitude)} ${longitude(value.longitude)}`, unit: '' };
  const text = JSON.stringify(value);
  return { text: text.length > OBJECT_LETTERS_MAX ? `${text.slice(0, OBJECT_LETTERS_MAX)}…` : text, unit: '' };
}

/** A number and its unit in one text: 12 m, 36°. */
export function together({ text, unit }: Said): string {
  return unit === '' || /^°(?![CF/])/.test(unit) ? text + unit : `${text} ${unit}`;
}

/** The words of a path: `environment.wind.speedApparent` is "wind speed apparent". */
export function wordsOf(path: string): string {
  const segments = path.split('.');
  const tail = segments.length > 2 ? segments.slice(-2) : segments.slice(-1);
  return tail.join(' ').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}
