// Rows of `/skServer/security/…`, and the words for roles and ends.
import type { Role } from '../../server/session';

export interface User {
  readonly userId: string;
  readonly type: Role;
}
export interface Device {
  readonly clientId: string;
  readonly permissions: Role;
  readonly description: string;
  readonly expires?: string;
}
export interface Token {
  readonly name: string;
  readonly role: Role;
  readonly description: string;
  readonly expires?: string;
}
export interface Waiting {
  readonly accessIdentifier: string;
  readonly accessDescription: string;
  readonly permissions: Role;
  readonly requestId: string;
  readonly ip: string | null;
}

export const ROLES: readonly (readonly [Role, string])[] = [
  ['readonly', 'may look'],
  ['readwrite', 'may look and change'],
  ['admin', 'may do everything'],
];
/** Ends of tokens, as the gateway reads them. */
export const ENDS: readonly (readonly [string, string])[] = [
  ['NEVER', 'no end'],
  ['1d', 'for a day'],
  ['7d', 'for a week'],
  ['30d', 'for a month'],
  ['1y', 'for a year'],
];

/** When something ends: its day, and that it has. */
export function endOf(expires: string | undefined, now: number): string {
  if (!expires) return 'no end';
  const at = Date.parse(expires);
  if (!Number.isFinite(at)) return expires;
  const day = new Date(at).toISOString().slice(0, 10);
  return at <= now ? `ended ${day}` : `until ${day}`;
}
