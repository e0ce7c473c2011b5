// Zones as a form has them, and back: what is typed is in the unit that the person reads.
import { digits, type Unit, unshown } from '../../kit/units';
import type { Zone } from '../../vessel/values';

/** States that a zone can have (Signal K specification 1.7, metadata). */
export const STATES: readonly string[] = ['nominal', 'normal', 'alert', 'warn', 'alarm', 'emergency'];

/** A zone as it is typed; a bound that is empty is none. */
export interface Typed {
  readonly lower: string;
  readonly upper: string;
  readonly state: string;
  readonly message: string;
}

export const EMPTY: Typed = { lower: '', upper: '', state: 'alarm', message: '' };

export function typed(zone: Zone, unit: Unit): Typed {
  const bound = (value: number | undefined) => (typeof value === 'number' ? digits(value, unit) : '');
  return { lower: bound(zone.lower), upper: bound(zone.upper), state: zone.state, message: zone.message ?? '' };
}

/** The zones of what is typed, or what is wrong with each, by its place. */
export function read(rows: readonly Typed[], unit: Unit): { readonly zones: readonly Zone[]; readonly wrong: ReadonlyMap<number, string> } {
  const wrong = new Map<number, string>();
  const zones = rows.map((row, index): Zone => {
    const lower = bound(row.lower, unit);
    const upper = bound(row.upper, unit);
    if (Number.isNaN(lower) || Number.isNaN(upper)) wrong.set(index, 'a bound is a number, or empty');
    else if (lower === undefined && upper === undefined) wrong.set(index, 'a zone has a lower bound, an upper one, or both');
    else if (lower !== undefined && upper !== undefined && lower >= upper) wrong.set(index, 'the lower bound is below the upper one');
    else if (!STATES.includes(row.state)) wrong.set(index, 'the state is not known');
    return { ...(lower !== undefined && { lower }), ...(upper !== undefined && { upper }), state: row.state, ...(row.message.trim() && { message: row.message.trim() }) };
  });
  return { zones, wrong };
}

function bound(text: string, unit: Unit): number | undefined {
  const clean = text.trim().replace(',', '.');
  return clean === '' ? undefined : unshown(Number(clean), unit);
}
