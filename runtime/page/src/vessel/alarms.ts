// Notifications that want a person: which, in what order, what may be done about them.

/** A notification as Signal K has it. */
export interface Notification {
  readonly state: string;
  readonly message?: string;
  readonly method?: readonly string[];
  readonly id?: string;
  readonly status?: {
    readonly silenced?: boolean;
    readonly acknowledged?: boolean;
    readonly canSilence?: boolean;
    readonly canAcknowledge?: boolean;
    readonly canClear?: boolean;
  };
}

export interface Alarm {
  readonly path: string;
  readonly value: Notification;
  readonly time: number;
  readonly source: string;
}

/** From the worst to the mildest; what is not here is nothing to look at. */
export const STATES: readonly string[] = ['emergency', 'alarm', 'warn', 'alert'];

export function isNotification(value: unknown): value is Notification {
  return typeof value === 'object' && value !== null && typeof (value as Notification).state === 'string';
}

/** The worst first; of two as bad the one that nobody has acknowledged, then the newer. */
export function inOrder(all: readonly Alarm[]): readonly Alarm[] {
  const rank = ({ value }: Alarm) => STATES.indexOf(value.state);
  const isSeen = ({ value }: Alarm) => Number(value.status?.acknowledged ?? false);
  return all
    .filter((one) => rank(one) >= 0)
    .sort((one, other) => rank(one) - rank(other) || isSeen(one) - isSeen(other) || other.time - one.time || one.path.localeCompare(other.path));
}
