// What the gateway tells admins beside boat data: devices that ask, lines of its log, packages that come and go.
import { useEffect } from 'preact/hooks';
import { has } from '../server/session';
import { open, type ServerEvent, type Subscription } from '../server/stream';

/** The subscription by which lines of the log come. */
export const LOG: Subscription = { context: 'vessels.self', subscribe: [{ path: 'log' }] };

/** Whether this machine tells them; a chip is asked instead. */
export function tellsEvents(): boolean {
  return has('settings');
}

/** What `useEvents` gives when the events begin, and after each gap: nothing has told what was before. */
export const OPENED = 'OPENED';

/** Gives each event while the caller is drawn. */
export function useEvents(take: (event: ServerEvent) => void, subscriptions: readonly Subscription[] = []): void {
  useEffect(() => {
    if (!tellsEvents()) return undefined;
    const stream = open('subscribe=none&serverevents=all', subscriptions, { delta: () => undefined, event: take, opened: () => take({ type: OPENED, data: null }) });
    return stream.close;
  }, []);
}
