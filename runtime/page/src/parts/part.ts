// What a part of the page is to the frame around it.
import type { ComponentType } from 'preact';
import type { Role } from '../server/session';

export interface Part {
  /** In the address, after `#/`. */
  readonly id: string;
  readonly title: string;
  /** Where it stands: at the boat's port, at the admin's, or at both. A machine with one port shows all. */
  readonly door: 'boat' | 'admin' | 'both';
  /** Who sees it. */
  readonly role?: Role;
  /** What the machine must have. */
  readonly needs?: string;
  /** Drawn with the rest of the address: `#/plugins/true-wind` is given `['true-wind']`. */
  readonly View: ComponentType<{ readonly rest: readonly string[] }>;
}
