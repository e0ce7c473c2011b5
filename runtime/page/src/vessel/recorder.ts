// The last minutes of the numbers that Now shows: taken down while the page is open, and what the gateway kept before that.
import { Series, SPAN_S, SPANS } from '../kit/series';
import { ask } from '../server/http';
import { has } from '../server/session';
import { age, leaf, now } from './values';

/** Paths that are taken down: 100 × 150 numbers of 16 bytes. */
const PATHS_MAX = 100;
/** Milliseconds between two looks at the values. */
const TAKEN_MS = 2000;
/** Paths in one question to the history. */
const ASKED_MAX = 32;
const HISTORY = '/signalk/v2/api/history';

const series = new Map<string, Series>();
/** Times of the values that were taken down last. */
const takenDown = new Map<string, number>();
/** Those that the history has not been asked for. */
const unasked: string[] = [];
let isKept: boolean | undefined;

/** The series of a path; taken down from now on. */
export function seriesOf(path: string): Series | undefined {
  const known = series.get(path);
  if (known || series.size >= PATHS_MAX) return known;
  const made = new Series();
  series.set(path, made);
  unasked.push(path);
  return made;
}

// In the background, too, so that whoever comes back sees what was.
setInterval(() => {
  for (const [path, one] of series) {
    const last = leaf(path).peek();
    // A value that comes no more leaves a gap.
    if (typeof last.value === 'number' && takenDown.get(path) !== last.time) {
      takenDown.set(path, last.time);
      one.put(now() - age(last) * 1000, last.value);
    }
  }
  if (unasked.length > 0 && isKept !== false && has('history') && !document.hidden) void past(unasked.splice(0, ASKED_MAX));
}, TAKEN_MS);

interface Rows {
  readonly values: readonly { readonly path: string }[];
  readonly data: readonly (readonly unknown[])[];
}

/** Puts what the gateway kept of the last minutes; where it keeps no history there is nothing to put. */
async function past(paths: readonly string[]): Promise<void> {
  const search = new URLSearchParams({ paths: paths.join(','), duration: `PT${SPANS * SPAN_S}S`, resolution: String(SPAN_S) });
  let rows: Rows;
  try {
    // A gateway that can keep a history keeps none until somebody lists what.
    isKept ??= Object.keys(await ask<object>('GET', `${HISTORY}/_providers`)).length > 0;
    if (!isKept) return;
    rows = await ask<Rows>('GET', `${HISTORY}/values?${search}`);
  } catch {
    isKept = false;
    return;
  }
  for (const row of rows.data ?? []) {
    const time = Date.parse(String(row[0]));
    rows.values.forEach(({ path }, index) => {
      const value = row[index + 1];
      if (typeof value === 'number') series.get(path)?.put(time, value);
    });
  }
}
