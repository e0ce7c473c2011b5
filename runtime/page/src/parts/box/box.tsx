// Box: the gateway itself. Each machine shows what it has.
import { useSignal } from '@preact/signals';
import { ask } from '../../server/http';
import { has, may } from '../../server/session';
import { Act, say } from '../../ui/act';
import { useLoaded, Wait } from '../../ui/load';
import { STATUS, STATUS_MS, type Status } from '../../ui/status';
import { isBack } from '../../ui/wait';
import type { Part } from '../part';
import { Backup } from './backup';
import { FactoryReset, Firmware, WifiSettings } from './board';
import { Counters, Log, Memory, State } from './state';
import { Settings, Vessel } from './vessel';

function View() {
  // After another start everything is asked for anew.
  const start = useSignal(0);
  return <Parts key={start.value} onStart={() => (start.value += 1)} />;
}

function Parts({ onStart }: { readonly onStart: () => void }) {
  const status = useLoaded<Status>(STATUS, STATUS_MS);
  const isAdmin = may('admin');
  return (
    <>
      <Wait of={status}>
        {status.value && <div class="columns"><State of={status.value} /><Memory of={status.value} /></div>}
        {status.value && <Counters of={status.value} />}
      </Wait>
      <Log />
      {isAdmin && has('settings') && <Vessel />}
      {isAdmin && has('settings') && <Settings />}
      {isAdmin && has('wifi') && <WifiSettings />}
      {isAdmin && has('firmware') && <Firmware />}
      {isAdmin && has('appstore') && <Backup />}
      {isAdmin && has('restart') && <Restart onStart={onStart} />}
      {isAdmin && has('factory-reset') && <FactoryReset />}
    </>
  );
}

function Restart({ onStart }: { readonly onStart: () => void }) {
  const state = useSignal('');
  const restart = async () => {
    const { uptime_ms: ran } = await ask<Status>('GET', STATUS);
    await ask('PUT', '/skServer/restart');
    state.value = 'It restarts …';
    if (!(await isBack(ran))) {
      state.value = '';
      throw new Error('The gateway has not come back yet: look at its console');
    }
    state.value = '';
    say('The gateway is back.');
    onStart();
  };
  return (
    <section class="card" aria-labelledby="restart">
      <h2 id="restart">Restart</h2>
      <p class="hint">Data and plugins stop for some seconds.</p>
      <p class="actions"><Act does={restart} kind="danger" sure="Restart the gateway now?">Restart</Act><span role="status">{state.value}</span></p>
    </section>
  );
}

export const box: Part = { id: 'box', title: 'Box', door: 'admin', View };
