/**
 * The alarm itself: a limit with hysteresis.
 *
 * Below `limit` the alarm is on; it goes off only at `limit + hysteresis`, so that waves around the
 * limit do not ring it again and again.
 */
export class Alarm {
  /** Depth in m; NaN until the first one. */
  depth: f64 = NaN
  /** On since the depth fell below the limit. */
  on: bool = false
  /** The state was published at least once. */
  known: bool = false
  /** Times the state changed, the first one included. */
  changes: i32 = 0
  /** Time stamp of the depth that changed it last, Unix ms; 0 before, or when it had none. */
  since: i64 = 0

  /** `limit` and `hysteresis` are in m. */
  constructor(public limit: f64, public hysteresis: f64) {}

  /** Takes in a depth, m; true when the state changed and must be published. */
  hear(depth: f64, time: i64): bool {
    this.depth = depth
    const on = this.on ? depth < this.limit + this.hysteresis : depth < this.limit
    if (this.known && on == this.on) return false
    this.known = true
    this.on = on
    this.changes++
    this.since = time
    return true
  }
}
