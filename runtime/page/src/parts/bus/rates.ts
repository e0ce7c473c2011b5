// How often each PGN of each device gives a delta, counted from the stream.
import type { Delta } from '../../server/stream';

/** Time over which is counted. */
export const OVER_MS = 5000;
/** PGNs of devices that are counted: a bus has some hundreds at most. */
const COUNTED_MAX = 2000;

interface Source {
  readonly label?: string;
  readonly src?: string;
  readonly pgn?: number;
}

export class Counting {
  private counts = new Map<string, number>();
  private began: number;

  constructor(now: number) {
    this.began = now;
  }

  hear(delta: Delta): void {
    for (const update of delta.updates) {
      const { label, src, pgn } = (update as { source?: Source }).source ?? {};
      if (pgn === undefined) continue;
      const key = keyOf(`${label ?? ''}.${src ?? ''}`, pgn);
      const before = this.counts.get(key);
      if (before !== undefined || this.counts.size < COUNTED_MAX) this.counts.set(key, (before ?? 0) + 1);
    }
  }

  /** What was counted, a second; begins anew. */
  take(now: number): ReadonlyMap<string, number> {
    const seconds = Math.max(0.001, (now - this.began) / 1000);
    const rates = new Map([...this.counts].map(([key, count]) => [key, count / seconds]));
    [this.counts, this.began] = [new Map(), now];
    return rates;
  }
}

export function keyOf(ref: string, pgn: number): string {
  return `${ref} ${pgn}`;
}

/** A rate in words; one that is rarer than each ten seconds is not known so soon. */
export function rateWords(rate: number | undefined): string {
  return rate === undefined ? '' : `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a second`;
}
