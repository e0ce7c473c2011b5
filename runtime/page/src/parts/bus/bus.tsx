// Bus: where data comes from and goes to, the devices of NMEA 2000, which sources are preferred, what is sent.
import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { ask, Refused } from '../../server/http';
import { has, may } from '../../server/session';
import { wordsOf } from '../../ui/act';
import { dropsOf } from '../../ui/drops';
import { useLoaded, Wait } from '../../ui/load';
import { STATUS, STATUS_MS, type Status } from '../../ui/status';
import type { Part } from '../part';
import type { Connection } from './connection';
import { Connections } from './connections';
import { type Aliases, Devices } from './devices';
import { Sending } from './out';
import { Priorities } from './priorities';
import { rowsOf } from './rows';

function View() {
  const status = useLoaded<Status>(STATUS, STATUS_MS);
  const aliases = useAliases();
  const kept = useConnections(status.value?.uptime_ms);
  const canRank = has('settings') && may('admin');
  return (
    <Wait of={status}>
      {kept.wrong && <p class="wrong" role="alert">{kept.wrong}</p>}
      {status.value && <Connections rows={kept.rows ?? rowsOf(status.value)} {...(kept.rows ? { again: kept.again } : {})} />}
      <Devices aliases={aliases.value} onName={aliases.again} telling={new Set(status.value?.inputs?.filter(({ rate }) => rate).map(({ label }) => label))} />
      {canRank && <Priorities aliases={aliases.value} />}
      {status.value && <Losses of={status.value} />}
      {status.value?.can && <Sending of={status.value} />}
    </Wait>
  );
}

/** What the owner calls sources; nothing where names are not kept. */
function useAliases() {
  const value = useSignal<Aliases>({});
  const again = async () => {
    if (has('settings') && may('admin')) value.value = await ask<Aliases>('GET', '/skServer/sourceAliases');
  };
  useEffect(() => void again().catch(() => undefined), []);
  return { value: value.value, again };
}

/** Connections of a gateway that keeps them; `rows` is nothing on one that does not. Asked again whenever `turn` changes. */
function useConnections(turn: unknown) {
  const state = useSignal<{ rows: readonly Connection[] | null; wrong: string; isNone: boolean }>({ rows: null, wrong: '', isNone: false });
  const again = async () => {
    try {
      state.value = { rows: await ask<readonly Connection[]>('GET', '/skiff/v1/connections'), wrong: '', isNone: false };
    } catch (error) {
      const isNone = error instanceof Refused && [401, 403, 404, 405, 501].includes(error.status);
      state.value = { rows: state.peek().rows, wrong: isNone ? '' : wordsOf(error), isNone };
    }
  };
  useEffect(() => {
    // What keeps settings keeps connections, too; a chip has those that it was built with.
    if (turn !== undefined && has('settings') && may('admin') && !state.peek().isNone) void again();
  }, [turn]);
  return { ...state.value, again };
}

/** Reasons that are about what comes in. */
const OF_INPUTS = /^(can_|input_|n2k_|nmea0183_|not_preferred)/;

function Losses({ of }: { readonly of: Status }) {
  const drops = dropsOf(of.drops).filter(({ reason }) => OF_INPUTS.test(reason));
  return (
    <section class="card" aria-labelledby="losses">
      <h2 id="losses">Lost on the way in</h2>
      {drops.length === 0 && <p class="hint">Nothing since the start.</p>}
      <dl class="facts">
        {drops.map(({ reason, words, count }) => [<dt key={reason}>{words}</dt>, <dd key={`${reason} `}>{count.toLocaleString('en')}</dd>])}
      </dl>
    </section>
  );
}

export const bus: Part = { id: 'bus', title: 'Bus', door: 'admin', View };
