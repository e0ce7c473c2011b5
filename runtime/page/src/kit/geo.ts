// Where another is, and how near it will come: on a plane that touches the earth at our own vessel. Within the forty miles of
// VHF the error of distances is below a hundredth.

export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}
/** Metres to the east and to the north. */
export interface Offset {
  readonly east: number;
  readonly north: number;
}

/** Mean radius of the earth in metres (IUGG). */
const EARTH_M = 6_371_008.8;
const RADIANS = Math.PI / 180;

export function isPosition(value: unknown): value is Position {
  const { latitude, longitude } = (value ?? {}) as Partial<Position>;
  return typeof latitude === 'number' && typeof longitude === 'number' && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
}

/** Where `to` is, seen from `from`; the shorter way across the date line. */
export function offset(from: Position, to: Position): Offset {
  const turn = ((((to.longitude - from.longitude + 180) % 360) + 360) % 360) - 180;
  const middle = ((from.latitude + to.latitude) / 2) * RADIANS;
  return { east: turn * RADIANS * EARTH_M * Math.cos(middle), north: (to.latitude - from.latitude) * RADIANS * EARTH_M };
}

/** Metres. */
export function distance({ east, north }: Offset): number {
  return Math.hypot(east, north);
}

/** Radians from north, 0 to 2π. */
export function bearing({ east, north }: Offset): number {
  return (Math.atan2(east, north) + 2 * Math.PI) % (2 * Math.PI);
}

/** Metres a second to the east and to the north, of a course in radians and a speed in m/s. */
export function velocity(course: number, speed: number): Offset {
  return { east: Math.sin(course) * speed, north: Math.cos(course) * speed };
}

export interface Approach {
  /** Metres at the closest point of approach. */
  readonly cpa: number;
  /** Seconds until then; negative when it has passed. */
  readonly tcpa: number;
}

/** How near another comes when both keep course and speed; without one where the distance stays as it is. */
export function approach(at: Offset, theirs: Offset, ours: Offset): Approach | null {
  const east = theirs.east - ours.east;
  const north = theirs.north - ours.north;
  const squared = east * east + north * north;
  // Below 0.05 m/s between the two the noise of both receivers says more than they do.
  if (!(squared > 0.0025)) return null;
  const tcpa = -(at.east * east + at.north * north) / squared;
  return { cpa: Math.hypot(at.east + east * tcpa, at.north + north * tcpa), tcpa };
}
