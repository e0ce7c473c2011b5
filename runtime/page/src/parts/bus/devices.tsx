// Devices on the bus: who is there, what each tells and when it was heard last.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { span } from '../../kit/units';
import { ask } from '../../server/http';
import { has, may } from '../../server/session';
import { open } from '../../server/stream';
import { Act, say } from '../../ui/act';
import { Ask, Line } from '../../ui/ask';
import { Dialog } from '../../ui/dialog';
import { tellsEvents } from '../../ui/events';
import { useLoaded, Wait } from '../../ui/load';
import { now, second } from '../../vessel/values';
import { Counting, keyOf, OVER_MS, rateWords } from './rates';
import { clocksOf, type Device, devicesOf } from './sources';

/** A list of all sources is long for a chip: it is not asked for often. */
const LOOK_MS = 10_000;
/** Seconds after which a device is quiet (as Signal K Server has it). */
const QUIET_S = 60;

export type Aliases = Readonly<Record<string, string>>;

interface DevicesProps {
  readonly aliases: Aliases;
  readonly onName: () => Promise<void>;
  /** Inputs that tell something at the moment. */
  readonly telling: ReadonlySet<string>;
}

export function Devices({ aliases, onName, telling }: DevicesProps) {
  const sources = useLoaded<unknown>('/signalk/v1/api/sources', LOOK_MS);
  const rates = useRates();
  const naming = useSignal<Device | null>(null);
  const devices = devicesOf(sources.value, aliases);
  void second.value;
  const clocks = clocksOf(devices, telling, now());
  const canName = has('settings') && may('admin');
  const search = async () => {
    const { message } = await ask<{ message?: string }>('POST', '/skServer/n2kDiscoverDevices');
    say(message ? `${message}.` : 'Devices are asked.');
  };
  return (
    <section class="card" aria-labelledby="devices">
      <h2 id="devices">Devices of NMEA 2000</h2>
      <Wait of={sources}>
        {devices.length === 0 && <p class="hint">None was heard yet.</p>}
        <ul class="plain">
          {devices.map((one) => <DeviceRow key={one.ref} of={one} clock={clocks.get(one.label) ?? 0} rates={rates} {...(canName ? { onName: () => (naming.value = one) } : {})} />)}
        </ul>
        {canName && devices.length > 0 && <Act does={search}>Ask devices what they are</Act>}
      </Wait>
      {naming.value && <Naming of={naming.value} aliases={aliases} onDone={() => (naming.value = null)} onName={onName} />}
    </section>
  );
}

/** How often each PGN is told, a second; of a chip it is not asked, whose streams are dear. */
function useRates(): ReadonlyMap<string, number> {
  const rates = useSignal<ReadonlyMap<string, number>>(new Map());
  useEffect(() => {
    if (!tellsEvents()) return undefined;
    const counting = new Counting(performance.now());
    const stream = open('subscribe=all', [], { delta: (delta) => counting.hear(delta) });
    const timer = window.setInterval(() => (rates.value = counting.take(performance.now())), OVER_MS);
    return () => {
      stream.close();
      window.clearInterval(timer);
    };
  }, []);
  return rates.value;
}

interface DeviceRowProps {
  readonly of: Device;
  readonly clock: number;
  readonly rates: ReadonlyMap<string, number>;
  readonly onName?: () => void;
}

function DeviceRow({ of, clock, rates, onName }: DeviceRowProps) {
  const quiet = of.last ? Math.max(0, (clock - of.last) / 1000) : Number.POSITIVE_INFINITY;
  const isQuiet = quiet > QUIET_S;
  return (
    <li>
      <div class="plugin-head">
        <span><strong>{of.name}</strong> <span class="hint">{of.label}, address {of.address}</span></span>
        <span class={`state ${isQuiet ? 'off' : 'good'}`}>{Number.isFinite(quiet) ? (isQuiet ? `quiet for ${span(quiet)}` : 'heard') : 'never heard'}</span>
      </div>
      <details>
        <summary>{of.pgns.length === 1 ? '1 PGN' : `${of.pgns.length} PGNs`}</summary>
        <dl class="facts">
          {of.facts.map(([title, value]) => [<dt key={title}>{title}</dt>, <dd key={`${title} `}>{value}</dd>])}
          {of.pgns.map(({ pgn, at }) => [<dt key={pgn}>PGN {pgn}</dt>, <dd key={`${pgn} `}>{rateWords(rates.get(keyOf(of.ref, pgn))) || `${span((clock - at) / 1000)} ago`}</dd>])}
        </dl>
        {onName && <button type="button" aria-label={`Name ${of.name}`} onClick={onName}>Name</button>}
      </details>
    </li>
  );
}

function Naming({ of, aliases, onDone, onName }: { readonly of: Device; readonly aliases: Aliases; readonly onDone: () => void; readonly onName: () => Promise<void> }) {
  const keep = async ({ name = '' }: Readonly<Record<string, string>>) => {
    const { [of.ref]: _, ...others } = aliases;
    await ask('PUT', '/skServer/sourceAliases', name.trim() ? { ...others, [of.ref]: name.trim() } : others);
    await onName();
    onDone();
  };
  return (
    <Dialog title={`A name for ${of.ref}`} onClose={onDone}>
      <Ask label="A name of its own" action="Keep" does={keep}>
        <Line label="Name" hint="Empty for what it calls itself."><input name="name" defaultValue={aliases[of.ref] ?? ''} maxLength={100} autocomplete="off" /></Line>
      </Ask>
    </Dialog>
  );
}
