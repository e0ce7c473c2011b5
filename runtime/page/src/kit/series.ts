// The last minutes of one value, in a room that does not grow: the last value of each span of some seconds.

/** Seconds of a span, and how many are kept: ten minutes. */
export const SPAN_S = 4;
export const SPANS = 150;

export class Series {
  private readonly values = new Float64Array(SPANS);
  private readonly spans = new Float64Array(SPANS).fill(-1);

  /** Puts a value measured at a time in milliseconds, in any order; the last of a span stays. */
  put(time: number, value: number): void {
    const span = Math.floor(time / 1000 / SPAN_S);
    if (!Number.isFinite(value) || !(span >= 0)) return;
    const at = span % SPANS;
    if ((this.spans[at] ?? -1) > span) return;
    this.spans[at] = span;
    this.values[at] = value;
  }

  /** Values of the spans up to a time, oldest first; NaN where there was none. */
  until(time: number): number[] {
    const last = Math.floor(time / 1000 / SPAN_S);
    return Array.from({ length: SPANS }, (_, index) => {
      const span = last - SPANS + 1 + index;
      const at = ((span % SPANS) + SPANS) % SPANS;
      return this.spans[at] === span ? (this.values[at] ?? Number.NaN) : Number.NaN;
    });
  }
}

/** Angles in radians without the jump from 2π to 0, so that a line can be drawn through them. */
export function unwrapped(angles: readonly number[]): number[] {
  let last = Number.NaN;
  return angles.map((angle) => {
    if (Number.isNaN(angle)) return angle;
    const turns = Number.isNaN(last) ? 0 : Math.round((last - angle) / (2 * Math.PI));
    last = angle + turns * 2 * Math.PI;
    return last;
  });
}

/** Without the empty spans before the first value, but for `least` of the last. */
export function begun(values: readonly number[], least: number): readonly number[] {
  const first = values.findIndex((value) => !Number.isNaN(value));
  return values.slice(Math.max(0, Math.min(first < 0 ? values.length : first, values.length - least)));
}

/** The runs of values without a gap, as points of a line: x from 0 to 1 by time, y from 0 (top, the highest) to 1. */
export function lines(values: readonly number[], spread: number): (readonly [number, number])[][] {
  const there = values.filter((value) => !Number.isNaN(value));
  const top = Math.max(...there);
  const bottom = Math.min(...there);
  // What hardly changes is a flat line in the middle, not noise from top to bottom.
  const height = Math.max(top - bottom, spread) || 1;
  const middle = (top + bottom) / 2;
  const found: (readonly [number, number])[][] = [];
  let run: (readonly [number, number])[] = [];
  values.forEach((value, index) => {
    if (Number.isNaN(value)) {
      run = [];
      return;
    }
    if (run.length === 0) found.push(run);
    run.push([index / (values.length - 1), 0.5 - (value - middle) / height]);
  });
  return found;
}
