// The form for what a path is called, when it is old, and which of its values raise what.
import { useSignal } from '@preact/signals';
import { ask } from '../../server/http';
import { say, wordsOf } from '../../ui/act';
import { unitAt } from '../../vessel/quantity';
import type { PathMeta } from '../../vessel/values';
import { address } from './contexts';
import { EMPTY, read, STATES, type Typed, typed } from './zones';

/** Zones of one path. */
const ZONES_MAX = 20;

interface EditProps {
  readonly path: string;
  readonly known: PathMeta;
  /** Only numbers have zones. */
  readonly isNumber: boolean;
  readonly onEnd: () => void;
}

export function Edit({ path, known, isNumber, onEnd }: EditProps) {
  const unit = unitAt(path);
  const name = useSignal(known.displayName ?? '');
  const timeout = useSignal(known.timeout === undefined ? '' : String(known.timeout));
  const rows = useSignal<readonly Typed[]>((known.zones ?? []).map((zone) => typed(zone, unit)));
  const isTried = useSignal(false);
  /** Why the gateway did not do it; said here, since what lies below the dialog is not read out. */
  const refused = useSignal<string | null>(null);
  const isBusy = useSignal(false);
  const { zones, wrong } = read(rows.value, unit);
  const seconds = timeout.value.trim() === '' ? undefined : Number(timeout.value);
  const isTimeoutWrong = seconds !== undefined && !(seconds > 0);
  const at = `${address('self', path)}/meta`;
  const save = async (event: Event) => {
    event.preventDefault();
    isTried.value = true;
    if (wrong.size > 0 || isTimeoutWrong) return;
    await tell(() => put(at, known, name.value.trim(), seconds, isNumber ? zones : undefined), 'Kept');
  };
  const forget = async () => {
    if (window.confirm('Forget the name and the zones that were given to this path?')) await tell(() => ask('DELETE', at), 'As the gateway knows it');
  };
  const tell = async (what: () => Promise<unknown>, done: string) => {
    isBusy.value = true;
    refused.value = null;
    try {
      await what();
      say(done);
      onEnd();
    } catch (error) {
      refused.value = wordsOf(error);
    }
    isBusy.value = false;
  };
  const change = (index: number, part: Partial<Typed>) => (rows.value = rows.value.map((row, place) => (place === index ? { ...row, ...part } : row)));
  return (
    <form class="edit" onSubmit={save} noValidate>
      <h3>Name and zones</h3>
      <label>Name<input name="displayName" value={name.value} maxLength={80} onInput={({ currentTarget }) => (name.value = currentTarget.value)} /></label>
      <label>Old after, in seconds<input name="timeout" inputMode="decimal" value={timeout.value} placeholder="10" onInput={({ currentTarget }) => (timeout.value = currentTarget.value)} /></label>
      {isTried.value && isTimeoutWrong && <p class="wrong" role="alert">The time is a number of seconds above 0, or empty</p>}
      {isNumber && rows.value.map((row, index) => (
        <fieldset key={index}>
          <legend>Zone {index + 1}</legend>
          <label>From{unit.name && `, ${unit.name}`}<input name="lower" inputMode="decimal" value={row.lower} onInput={({ currentTarget }) => change(index, { lower: currentTarget.value })} /></label>
          <label>To{unit.name && `, ${unit.name}`}<input name="upper" inputMode="decimal" value={row.upper} onInput={({ currentTarget }) => change(index, { upper: currentTarget.value })} /></label>
          <label>State<select name="state" value={row.state} onChange={({ currentTarget }) => change(index, { state: currentTarget.value })}>
            {STATES.map((state) => <option key={state}>{state}</option>)}
          </select></label>
          <label class="grow">Message<input name="message" value={row.message} maxLength={200} onInput={({ currentTarget }) => change(index, { message: currentTarget.value })} /></label>
          <button type="button" class="plain" aria-label={`Remove zone ${index + 1}`} onClick={() => (rows.value = rows.value.filter((_, place) => place !== index))}>×</button>
          {isTried.value && wrong.has(index) && <p class="wrong" role="alert">Zone {index + 1}: {wrong.get(index)}</p>}
        </fieldset>
      ))}
      <p class="acts">
        {isNumber && rows.value.length < ZONES_MAX && <button type="button" onClick={() => (rows.value = [...rows.value, EMPTY])}>Add a zone</button>}
      </p>
      <p class="acts">
        <button type="submit" class="main" disabled={isBusy.value}>Keep</button>
        <button type="button" onClick={onEnd}>Leave as it was</button>
        <button type="button" class="danger" disabled={isBusy.value} onClick={forget}>Forget changes</button>
      </p>
      {refused.value && <p class="wrong" role="alert">The gateway says: {refused.value}</p>}
    </form>
  );
}

/** Tells what changed; what was emptied is taken away. */
async function put(at: string, known: PathMeta, name: string, timeout: number | undefined, zones: PathMeta['zones']): Promise<void> {
  const value = { ...(name && { displayName: name }), ...(timeout !== undefined && { timeout }), ...(zones && { zones }) };
  if (Object.keys(value).length > 0) await ask('PUT', at, { value });
  if (!name && known.displayName) await ask('DELETE', `${at}/displayName`);
  if (timeout === undefined && known.timeout !== undefined) await ask('DELETE', `${at}/timeout`);
}
