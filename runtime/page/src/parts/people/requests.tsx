// Devices that ask to be let in: live where the gateway tells it, asked for where it does not.
import { useSignal } from '@preact/signals';
import { ask } from '../../server/http';
import type { Role } from '../../server/session';
import { Act } from '../../ui/act';
import { Pick } from '../../ui/ask';
import { OPENED, tellsEvents, useEvents } from '../../ui/events';
import { useLoaded, Wait } from '../../ui/load';
import { ENDS, ROLES, type Waiting } from './rows';

const LOOK_MS = 5000;

interface RequestsProps {
  /** Whether anybody may ask. */
  readonly mayAsk: boolean;
  /** Called when the list of devices has changed. */
  readonly onLetIn: () => void;
}

export function Requests({ mayAsk, onLetIn }: RequestsProps) {
  const waiting = useLoaded<readonly Waiting[]>('/skServer/security/access/requests', tellsEvents() ? 0 : LOOK_MS);
  useEvents(({ type }) => {
    if (type === 'ACCESS_REQUEST' || type === OPENED) void waiting.again();
  });
  const answered = async () => {
    await waiting.again();
    onLetIn();
  };
  return (
    <section class="card" aria-labelledby="requests">
      <h2 id="requests">Devices that ask to be let in</h2>
      <Wait of={waiting}>
        <div aria-live="polite">
          {waiting.value?.length === 0 && <p class="hint">{mayAsk ? 'None now. Apps and sensors that ask appear here by themselves.' : 'Nobody may ask: that is switched off below.'}</p>}
          <ul class="plain">
            {waiting.value?.map((one) => <Request key={one.requestId} of={one} answered={answered} />)}
          </ul>
        </div>
      </Wait>
    </section>
  );
}

function Request({ of, answered }: { readonly of: Waiting; readonly answered: () => Promise<void> }) {
  // More than looking and changing is given only by who chooses it.
  const role = useSignal<string>(of.permissions === 'admin' ? 'readwrite' : of.permissions);
  const end = useSignal('NEVER');
  const at = `/skServer/security/access/requests/${encodeURIComponent(of.accessIdentifier)}`;
  const answer = async (how: 'approved' | 'denied') => {
    await ask('PUT', `${at}/${how}`, how === 'approved' ? { permissions: role.value as Role, expiration: end.value } : {});
    await answered();
  };
  const name = of.accessDescription || of.accessIdentifier;
  return (
    <li>
      <p><strong>{name}</strong> <span class="hint">{of.accessIdentifier}{of.ip && `, from ${of.ip}`}{of.permissions && `; asks for: ${ROLES.find(([one]) => one === of.permissions)?.[1] ?? of.permissions}`}</span></p>
      <div class="actions">
        <Pick isBare label={`Role of ${name}`} value={role.value} options={ROLES} pick={(value) => (role.value = value)} />
        <Pick isBare label={`End for ${name}`} value={end.value} options={ENDS} pick={(value) => (end.value = value)} />
        <Act does={() => answer('approved')} kind="main" done={`${name} is let in.`} label={`Let in ${name}`}>Let in</Act>
        <Act does={() => answer('denied')} kind="danger" done={`${name} is not let in.`} label={`Deny ${name}`}>Deny</Act>
      </div>
    </li>
  );
}
