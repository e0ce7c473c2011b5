// A path's value in the units that a person chose.
import { said, type Said, unitOf } from '../kit/quantity';
import type { Unit } from '../kit/units';
import { meta } from './values';
import { units } from './person';

/** The unit a path's numbers are shown in. */
export function unitAt(path: string, of = 'self', si?: string): Unit {
  return unitOf(path, si ?? meta(path, of).value.units ?? '', units());
}

/** A value of a path in words. */
export function saidAt(path: string, value: unknown, of = 'self'): Said {
  return said(value, unitAt(path, of));
}
