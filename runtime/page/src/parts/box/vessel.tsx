// The vessel as its owner describes it, and settings.
import { useSignal } from '@preact/signals';
import { ask } from '../../server/http';
import { attempt } from '../../ui/act';
import { SchemaForm } from '../../ui/form/form';
import type { Members, Schema } from '../../ui/form/schema';
import { useLoaded, Wait } from '../../ui/load';

const metres = (title: string): Schema => ({ type: 'number', title: `${title}, m` });
/** `PUT /skServer/vessel`. */
const VESSEL: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', title: 'Name', maxLength: 128 },
    mmsi: { type: 'string', title: 'MMSI', description: 'Nine digits', pattern: '^\\d{9}$' },
    callsignVhf: { type: 'string', title: 'Call sign', maxLength: 16 },
    length: metres('Length'),
    beam: metres('Beam'),
    draft: metres('Draft'),
    height: metres('Height above the water'),
    gpsFromBow: metres('GPS antenna from the bow'),
    gpsFromCenter: { ...metres('GPS antenna from the middle'), description: 'To starboard; to port with a minus' },
    aisShipType: { type: 'integer', title: 'AIS ship type', description: '36 is a sailing boat, 37 a pleasure craft', minimum: 0, maximum: 99 },
  },
};

export function Vessel() {
  const vessel = useLoaded<Members>('/skServer/vessel');
  return (
    <section class="card" aria-labelledby="vessel">
      <h2 id="vessel">The vessel</h2>
      <Wait of={vessel}>
        <SchemaForm schema={VESSEL} value={shownOf(vessel.value)} save={(value) => ask('PUT', '/skServer/vessel', value)} label="The vessel" />
      </Wait>
    </section>
  );
}

/** What of it can be changed: the uuid stays. */
function shownOf(vessel: Members | null): Members {
  const { uuid: _, ...others } = vessel ?? {};
  return others;
}

interface ServerSettings {
  readonly options: { readonly mdns: boolean };
  readonly interfaces: { readonly wasm: boolean };
  readonly courseApi: { readonly apiOnly: boolean };
}
type Setting = readonly [group: keyof ServerSettings, name: string, words: string, isLater: boolean];
const SETTINGS: readonly Setting[] = [
  ['options', 'mdns', 'Apps on the network find this gateway by themselves', true],
  ['interfaces', 'wasm', 'Plugins run', true],
  ['courseApi', 'apiOnly', 'The course is set by apps alone, not by the bus', false],
];

export function Settings() {
  const settings = useLoaded<ServerSettings>('/skServer/settings');
  const waits = useSignal(false);
  const turn = async ([group, name, , isLater]: Setting, box: HTMLInputElement) => {
    const wanted = box.checked;
    if (!(await attempt(() => ask('PUT', '/skServer/settings', { [group]: { [name]: wanted } }), isLater ? 'Kept: it holds from the next start.' : 'Changed.'))) box.checked = !wanted;
    else if (isLater) waits.value = true;
    await settings.again();
  };
  return (
    <section class="card" aria-labelledby="settings">
      <h2 id="settings">Settings</h2>
      <Wait of={settings}>
        {SETTINGS.map((one) => {
          const [group, name, words] = one;
          const isOn = (settings.value?.[group] as Record<string, boolean> | undefined)?.[name] ?? false;
          return <p key={name}><label class="row"><input type="checkbox" checked={isOn} onChange={(event) => turn(one, event.currentTarget)} />{words}</label></p>;
        })}
        {waits.value && <p class="warn">Some of it holds from the next start.</p>}
      </Wait>
    </section>
  );
}
