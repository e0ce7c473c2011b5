// Plugins: what is installed, how it is, and what can be installed.
import { useSignal } from '@preact/signals';
import { has, may } from '../../server/session';
import { useLoaded, Wait } from '../../ui/load';
import type { Part } from '../part';
import { Card } from './card';
import { type Asking, Consent } from './consent';
import { Install } from './install';
import { One } from './one';
import { type Row, rowOf } from './rows';
import { WebApps } from './webapps';

const LOOK_MS = 5000;

function View({ rest: [id] }: { readonly rest: readonly string[] }) {
  const rows = useLoaded<readonly Row[]>('/skServer/plugins', LOOK_MS);
  const asking = useSignal<Asking | null>(null);
  // Counts up when a package has come or gone, for the list of web apps.
  const turn = useSignal(0);
  const again = async () => {
    turn.value += 1;
    await rows.again();
  };
  const onAsks = (one: Asking) => (asking.value = one);
  const onDone = () => {
    asking.value = null;
    void again();
  };
  const row = id === undefined || !rows.value ? undefined : rowOf(rows.value, id);
  return (
    <Wait of={rows}>
      {id === undefined && (
        <>
          <h2>Plugins</h2>
          <ul class="plugins">
            {rows.value?.map((one) => <Card key={`${one.id} ${one.packageName}`} row={one} again={again} onAsks={onAsks} />)}
          </ul>
          {rows.value?.length === 0 && <p class="hint">None is installed yet.</p>}
          {has('appstore') && may('admin') && <WebApps turn={turn.value} again={again} onAsks={onAsks} />}
          {may('admin') && <Install again={again} onAsks={onAsks} />}
        </>
      )}
      {row && <One key={row.id} row={row} rows={rows.value ?? []} again={again} onAsks={onAsks} />}
      {id !== undefined && !row && <p>There is no plugin of this name. <a href="#/plugins">All plugins</a></p>}
      {asking.value && <Consent key={asking.value.id} of={asking.value} onDone={onDone} />}
    </Wait>
  );
}

export const plugins: Part = { id: 'plugins', title: 'Plugins', door: 'admin', View };
