// The vessel as its owner describes it, and settings.
import { useSignal } from '@preact/signals';
import { ask } from '../../server/http';
import { say } from '../../ui/act';
import { SchemaForm } from '../../ui/form/form';
import type { Members, Schema } from '../../ui/form/schema';
import { useLoaded, Wait } from '../../ui/load';
import { Switch } from '../../ui/switch';

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
  readonly history?: { readonly isKept: boolean };
}
interface Setting {
  readonly group: keyof ServerSettings;
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** Holds from the next start. */
  readonly isLater?: boolean;
}
const SETTINGS: readonly Setting[] = [
  { group: 'options', name: 'mdns', label: 'Apps on the network find this gateway by themselves', isLater: true },
  { group: 'interfaces', name: 'wasm', label: 'Plugins run', isLater: true },
  { group: 'courseApi', name: 'apiOnly', label: 'The course is set by apps alone, not by the bus' },
  { group: 'history', name: 'isKept', label: 'The past is kept, for plots and apps', hint: 'A day of it in 64 MB at most, where settings.json does not say otherwise. What was kept stays when this is switched off.' },
];

export function Settings() {
  const settings = useLoaded<ServerSettings>('/skServer/settings');
  const waits = useSignal<readonly string[]>([]);
  const turn = async ({ group, name, label, isLater }: Setting, isOn: boolean) => {
    await ask('PUT', '/skServer/settings', { [group]: { [name]: isOn } });
    say(isLater ? 'Kept: it holds from the next start.' : 'Changed.');
    if (isLater && !waits.value.includes(label)) waits.value = [...waits.value, label];
    await settings.again();
  };
  const groups = settings.value as Readonly<Record<string, Readonly<Record<string, boolean>> | undefined>> | null;
  return (
    <section class="card" aria-labelledby="settings">
      <h2 id="settings">Settings</h2>
      <Wait of={settings}>
        {SETTINGS.map((one) => {
          const isOn = groups?.[one.group]?.[one.name];
          // What this gateway lacks is not switched.
          if (isOn === undefined) return null;
          return <Switch key={one.name} label={one.label} {...(one.hint ? { hint: one.hint } : {})} isOn={isOn} turn={(wanted) => turn(one, wanted)} />;
        })}
        {waits.value.length > 0 && <p class="warn">From the next start on: {waits.value.join('; ')}.</p>}
      </Wait>
    </section>
  );
}
