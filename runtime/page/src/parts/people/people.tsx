// People: who may do what. Users, devices that ask or were let in, tokens, guests.
import { ask } from '../../server/http';
import { has } from '../../server/session';
import { attempt } from '../../ui/act';
import { useLoaded, Wait } from '../../ui/load';
import type { Part } from '../part';
import { Requests } from './requests';
import type { Device } from './rows';
import { Devices, Tokens } from './tokens';
import { Users } from './users';

function View() {
  const devices = useLoaded<readonly Device[]>('/skServer/security/devices');
  return (
    <>
      <Requests onLetIn={() => void devices.again()} />
      <Users />
      <Devices of={devices} />
      <Tokens />
      {has('settings') && <Guests />}
    </>
  );
}

interface Security {
  readonly allow_readonly: boolean;
}

function Guests() {
  const security = useLoaded<Security>('/skServer/security/config');
  const turn = async (box: HTMLInputElement) => {
    const wanted = box.checked;
    const words = wanted ? 'Guests may look from now on.' : 'Guests see nothing any more.';
    const isDone = await attempt(() => ask('PUT', '/skServer/security/config', { ...security.value, allow_readonly: wanted }), words);
    if (!isDone) box.checked = !wanted;
    await security.again();
  };
  return (
    <section class="card" aria-labelledby="guests">
      <h2 id="guests">Guests</h2>
      <Wait of={security}>
        <label class="row">
          <input type="checkbox" checked={security.value?.allow_readonly ?? false} onChange={(event) => turn(event.currentTarget)} />
          Whoever is on the boat's network may look at its data without signing in
        </label>
      </Wait>
    </section>
  );
}

export const people: Part = { id: 'people', title: 'People', door: 'admin', role: 'admin', needs: 'accounts', View };
