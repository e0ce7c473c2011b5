// What wants the skipper, before everything else: state, words, age, and what may be done about it.
import { useComputed } from '@preact/signals';
import { wordsOf } from '../../kit/quantity';
import { span } from '../../kit/units';
import { ask } from '../../server/http';
import { may } from '../../server/session';
import { Act } from '../../ui/act';
import { type Alarm, inOrder, isNotification } from '../../vessel/alarms';
import { age, vessel } from '../../vessel/values';

const API = '/signalk/v2/api/notifications';
const PREFIX = 'notifications.';
/** Source of the alarms that end by themselves, when the value leaves its zone. */
const ZONES = 'zones';
/** Alarms that are drawn; the worst are the first. */
const SHOWN_MAX = 12;

export function Alarms() {
  const all = useComputed(() => {
    const own = vessel('self');
    void own?.size.value;
    const found: Alarm[] = [];
    for (const [path, one] of own?.leaves ?? []) {
      if (!path.startsWith(PREFIX)) continue;
      const { value, time, source } = one.value;
      if (isNotification(value)) found.push({ path, value, time, source });
    }
    return inOrder(found);
  }).value;
  if (all.length === 0) return null;
  const loud = all.filter(({ value }) => value.status?.canSilence && value.method?.includes('sound'));
  return (
    <section class="alarms" aria-label="Alarms">
      <ul>
        {all.slice(0, SHOWN_MAX).map((alarm) => <Row key={alarm.path} alarm={alarm} />)}
      </ul>
      {all.length > SHOWN_MAX && <p class="hint">and {all.length - SHOWN_MAX} more: <a href="#/data/self">all values</a></p>}
      {loud.length > 1 && may('readwrite') && <Act does={() => ask('POST', `${API}/silenceAll`)} done="All are silent">Silence all</Act>}
    </section>
  );
}

/** Raises an emergency with the position of now, as the button at the helm does. */
export function Overboard() {
  if (!may('readwrite')) return null;
  return <Act does={() => ask('POST', `${API}/mob`)} kind="danger" sure="Raise the alarm: person overboard?">Person overboard</Act>;
}

function Row({ alarm: { path, value, time, source } }: { readonly alarm: Alarm }) {
  const { silenced, acknowledged, canSilence, canAcknowledge, canClear } = value.status ?? {};
  const words = value.message || wordsOf(path.slice(PREFIX.length));
  const id = value.id && encodeURIComponent(value.id);
  const marks = [acknowledged && 'acknowledged', silenced && 'silent'].filter(Boolean).join(', ');
  const seconds = age({ value, time, source });
  return (
    <li class={`raised ${value.state}${acknowledged ? ' seen' : ''}`} data-path={path}>
      <b class="state">{value.state}</b>
      <span class="words">
        <span role={acknowledged ? undefined : 'alert'}>{words}</span>
        <small>{[wordsOf(path.slice(PREFIX.length)), Number.isFinite(seconds) && span(seconds), marks].filter(Boolean).join(' · ')}</small>
      </span>
      {id && may('readwrite') && (
        <span class="acts">
          {canSilence && !silenced && <Act does={() => ask('POST', `${API}/${id}/silence`)} label={`Silence: ${words}`}>Silence</Act>}
          {canAcknowledge && !acknowledged && <Act does={() => ask('POST', `${API}/${id}/acknowledge`)} label={`Acknowledge: ${words}`}>Acknowledge</Act>}
          {canClear && acknowledged && source !== ZONES && <Act does={() => ask('DELETE', `${API}/${id}`)} label={`Clear: ${words}`}>Clear</Act>}
        </span>
      )}
    </li>
  );
}
