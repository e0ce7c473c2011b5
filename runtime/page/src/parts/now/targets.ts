// Those around the boat, from what their AIS says.
import { approach, bearing, distance, isPosition, type Offset, offset, type Position, velocity } from '../../kit/geo';

/** What is known of one; angles in radians, speeds in m/s, age in seconds. */
export interface Heard {
  readonly context: string;
  readonly name?: unknown;
  readonly mmsi?: unknown;
  readonly position?: unknown;
  readonly course?: unknown;
  readonly speed?: unknown;
  readonly heading?: unknown;
  readonly age: number;
}

export interface Target {
  readonly context: string;
  readonly name: string;
  /** Vessels move; marks and stations do not. */
  readonly isVessel: boolean;
  readonly at: Offset;
  readonly distance: number;
  readonly bearing: number;
  readonly course: number | null;
  readonly speed: number | null;
  readonly heading: number | null;
  readonly cpa: number | null;
  readonly tcpa: number | null;
  readonly age: number;
  readonly isOld: boolean;
  readonly isNear: boolean;
}

/** Our own vessel. */
export interface Own {
  readonly position: Position;
  readonly course: number | null;
  readonly speed: number | null;
}

/** Seconds: a class B vessel at anchor speaks each three minutes (ITU-R M.1371); what is silent for ten is gone. */
const OLD_S = 200;
const GONE_S = 600;
/** Stations and marks speak each three minutes, and stay where they are. */
const MARK_GONE_S = 1800;
/** Closer than this within this time is told. */
const NEAR_M = 926;
const NEAR_S = 1200;
/** Below this speed a course is noise. */
const MOVING = 0.3;

const number = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** Those that are there, the nearest first. */
export function targets(own: Own, heard: readonly Heard[]): readonly Target[] {
  return heard.flatMap((one) => target(own, one) ?? []).sort((one, other) => one.distance - other.distance);
}

function target(own: Own, one: Heard): Target | null {
  const isVessel = one.context.startsWith('vessels.');
  if (!isPosition(one.position) || one.age > (isVessel ? GONE_S : MARK_GONE_S)) return null;
  const at = offset(own.position, one.position);
  const course = number(one.course);
  const speed = number(one.speed);
  const met = isVessel ? meeting(own, at, course, speed) : null;
  const isAhead = met !== null && met.tcpa > 0;
  return {
    context: one.context,
    name: nameOf(one),
    isVessel,
    at,
    distance: distance(at),
    bearing: bearing(at),
    course,
    speed,
    heading: number(one.heading),
    cpa: isAhead ? met.cpa : null,
    tcpa: isAhead ? met.tcpa : null,
    age: one.age,
    isOld: one.age > OLD_S,
    isNear: isAhead && met.cpa < NEAR_M && met.tcpa < NEAR_S,
  };
}

function meeting(own: Own, at: Offset, course: number | null, speed: number | null) {
  const theirs = moving(course, speed);
  const ours = moving(own.course, own.speed);
  return theirs && ours ? approach(at, theirs, ours) : null;
}

/** One that lies still needs no course. */
function moving(course: number | null, speed: number | null): Offset | null {
  if (speed === null) return null;
  if (speed < MOVING) return { east: 0, north: 0 };
  return course === null ? null : velocity(course, speed);
}

function nameOf({ name, mmsi, context }: Heard): string {
  if (typeof name === 'string' && name.trim()) return name.trim();
  return typeof mmsi === 'string' && mmsi ? mmsi : (context.split(':').pop() ?? context);
}

/** The ranges that can be chosen, in metres. */
export const RANGES: readonly number[] = [0.25, 0.5, 1, 2, 4, 8, 16, 32].map((miles) => miles * 1852);

/** The smallest range in which most of the nearest few are, and all that come near. */
export function fitting(all: readonly Target[]): number {
  const most = all[Math.min(4, Math.floor((all.length - 1) * 0.6))]?.distance ?? 0;
  const reach = Math.max(most, ...all.filter(({ isNear }) => isNear).map(({ distance: far }) => far));
  return RANGES.find((range) => range >= reach) ?? RANGES[RANGES.length - 1] ?? 1852;
}
