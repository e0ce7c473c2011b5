// How far a source's clock is from the gateway's: a log that is played says times of last summer, and its values are new all
// the same. What a source says when the stream opens may be old; what it says later, or a second time, is of now.

interface Heard {
  newest: number;
  lag: number;
}

/** Milliseconds in which the stream tells what is known already: each path of each source once. */
export const KNOWN_MS = 2000;
/** A clock that is nearer than this is right. */
const RIGHT_MS = 15_000;
/** Sources whose clock is remembered. */
const SOURCES_MAX = 500;

export class Lag {
  private readonly sources = new Map<string, Heard>();

  /** Hears a time that a source said, at a time of the gateway, so many milliseconds after the stream opened; `isAgain`: it
   * has said the same path before since then. */
  hear(source: string, said: number, now: number, sinceOpen: number, isAgain = false): void {
    const known = this.sources.get(source);
    const isLive = isAgain || sinceOpen > KNOWN_MS;
    if (!known) {
      if (this.sources.size < SOURCES_MAX) this.sources.set(source, { newest: said, lag: isLive ? now - said : 0 });
    } else if (said > known.newest) {
      known.newest = said;
      if (isLive) known.lag = now - said;
    }
  }

  /** Milliseconds to take from an age. */
  of(source: string): number {
    const lag = this.sources.get(source)?.lag ?? 0;
    return Math.abs(lag) > RIGHT_MS ? lag : 0;
  }
}
