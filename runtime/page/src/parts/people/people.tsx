// People: who may do what. Users, devices that ask or were let in, tokens, guests.
import { ask } from '../../server/http';
import { has } from '../../server/session';
import { say } from '../../ui/act';
import { type Loaded, useLoaded, Wait } from '../../ui/load';
import { Switch } from '../../ui/switch';
import type { Part } from '../part';
import { Requests } from './requests';
import type { Device } from './rows';
import { Devices, Tokens } from './tokens';
import { Users } from './users';

interface Security {
  readonly allow_readonly: boolean;
  readonly allowDeviceAccessRequests: boolean;
}

function View() {
  const devices = useLoaded<readonly Device[]>('/skServer/security/devices');
  const security = useLoaded<Security>('/skServer/security/config');
  return (
    <>
      <Requests mayAsk={security.value?.allowDeviceAccessRequests ?? true} onLetIn={() => void devices.again()} />
      <Users />
      <Devices of={devices} />
      <Tokens />
      {has('settings') && <Doors security={security} />}
    </>
  );
}

/** What holds for whoever is not known. */
function Doors({ security }: { readonly security: Loaded<Security> }) {
  const turn = async (change: Partial<Security>, words: string) => {
    await ask('PUT', '/skServer/security/config', { ...security.value, ...change });
    say(words);
    await security.again();
  };
  return (
    <section class="card" aria-labelledby="guests">
      <h2 id="guests">Guests and strangers</h2>
      <Wait of={security}>
        <Switch
          label="Whoever is on the boat's network may look at its data without signing in" isOn={security.value?.allow_readonly ?? false}
          turn={(isOn) => turn({ allow_readonly: isOn }, isOn ? 'Guests may look from now on.' : 'Guests see nothing any more.')}
        />
        <Switch
          label="Apps and sensors may ask to be let in" isOn={security.value?.allowDeviceAccessRequests ?? true}
          turn={(isOn) => turn({ allowDeviceAccessRequests: isOn }, isOn ? 'They may ask from now on.' : 'They may not ask any more.')}
        />
      </Wait>
    </section>
  );
}

export const people: Part = { id: 'people', title: 'People', door: 'admin', role: 'admin', needs: 'accounts', View };
