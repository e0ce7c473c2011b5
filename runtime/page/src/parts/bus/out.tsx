// The gateway as a device of the bus: which address it has, and what was sent.
import { has, may } from '../../server/session';
import type { Status } from '../../ui/status';
import { Allowed } from './allowed';

interface Can {
  readonly interface?: string;
  readonly state?: string;
  readonly only_listens?: boolean;
  readonly node?: { readonly state?: string; readonly address?: number | null; readonly sent?: number; readonly lost?: number; readonly refused?: number } | null;
}

export function Sending({ of }: { readonly of: Status }) {
  const interfaces = (of.can ?? []) as readonly Can[];
  const { sent = 0, not_allowed: notAllowed = 0, no_address: noAddress = 0, full = 0 } = of.relay ?? {};
  const said: readonly (readonly [string, number])[] = [
    ['sent for programs', sent], ['not allowed', notAllowed], ['without an address to send from', noAddress], ['too many at once', full],
  ];
  return (
    <section class="card" aria-labelledby="sending">
      <h2 id="sending">What goes to the bus</h2>
      {interfaces.length === 0 && <p class="hint">No CAN interface is read: nothing can be sent.</p>}
      <ul class="plain">
        {interfaces.map((one) => (
          <li key={one.interface}>
            <strong>{one.interface}</strong> ({one.state}): {nodeWords(one)}
          </li>
        ))}
      </ul>
      <dl class="facts">
        {said.filter(([, count]) => count > 0).map(([words, count]) => [<dt key={words}>Messages {words}</dt>, <dd key={`${words} `}>{count.toLocaleString('en')}</dd>])}
      </dl>
      {has('settings') && may('admin') && <Allowed />}
    </section>
  );
}

function nodeWords({ node, only_listens: onlyListens }: Can): string {
  if (onlyListens || !node) return 'it only listens.';
  const lost = (node.lost ?? 0) + (node.refused ?? 0);
  const where = typeof node.address === 'number' ? `a device with address ${node.address}` : `no address yet (${node.state ?? 'off'})`;
  return `${where}, ${(node.sent ?? 0).toLocaleString('en')} frames sent${lost ? `, ${lost.toLocaleString('en')} not` : ''}.`;
}
