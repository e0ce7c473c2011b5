// What a package asks for, before any of its code runs: its owner says yes, to all or a part, or no.
import { useSignal } from '@preact/signals';
import { ask, Refused } from '../../server/http';
import { Act, say } from '../../ui/act';
import { Dialog } from '../../ui/dialog';
import { rightOf, type Row } from './rows';

/** A package that waits for an answer. */
export interface Asking {
  readonly id: string;
  readonly name: string;
  readonly asks: readonly string[];
  readonly isApp: boolean;
  /** A version that waits while the one before runs. */
  readonly version?: string;
  /** It came just now: whoever says no may want it gone. */
  readonly isNew?: boolean;
}

interface ConsentProps {
  readonly of: Asking;
  /** Called when it is answered, or put off. */
  readonly onDone: () => void;
}

export function Consent({ of, onDone }: ConsentProps) {
  const granted = useSignal<readonly string[]>(of.asks);
  const has = (name: string) => granted.value.includes(name);
  const turn = (name: string) => {
    granted.value = has(name) ? granted.value.filter((one) => one !== name) : [...granted.value, name];
  };
  const isPart = granted.value.length < of.asks.length;
  const allow = async () => {
    await grant(of, granted.value);
    onDone();
  };
  const remove = async () => {
    await ask('DELETE', `/skiff/v1/plugins/${encodeURIComponent(of.id)}`);
    say(`${of.name} is removed.`);
    onDone();
  };
  return (
    <Dialog title={`${of.name}${of.version ? ` ${of.version}` : ''} asks for`} onClose={onDone}>
      <p class="hint">Nothing {of.version ? 'of this version' : 'of it'} has run yet. Allow what you trust it with.</p>
      <ul class="rights">
        {of.asks.map((name) => {
          const [title, means] = rightOf(name);
          return (
            <li key={name}>
              <label class="row">
                <input type="checkbox" checked={has(name)} onChange={() => turn(name)} />
                <strong>{title}</strong>
              </label>
              <p class="hint">{means}</p>
            </li>
          );
        })}
      </ul>
      {isPart && <p>With a part of it, {of.version ? 'the version before runs on' : 'it stays off'}; the rest can be allowed later.</p>}
      <p class="actions">
        <Act does={allow} kind="main" disabled={granted.value.length === 0}>
          {isPart ? 'Allow these' : of.version ? 'Allow and update' : 'Allow and start'}
        </Act>
        <button type="button" onClick={onDone}>{of.version ? 'Keep the version before' : 'Not now'}</button>
        {of.isNew && <Act does={remove} kind="danger">Remove it</Act>}
      </p>
    </Dialog>
  );
}

/** Grants, and starts what has all it asks for then; a plugin that is off stays off when it is updated. */
async function grant(of: Asking, names: readonly string[]): Promise<void> {
  if (of.version) {
    await ask('POST', `/plugins/${encodeURIComponent(of.id)}/config?grant=${names.join(',')}`, {});
    const row = (await ask<readonly Row[]>('GET', '/skServer/plugins')).find((one) => one.id === of.id);
    say(row?.version === of.version ? `${of.name} has version ${of.version} now.` : 'Kept. The version before runs on.');
    return;
  }
  const base = of.isApp ? `/skiff/v1/webapps/${encodeURIComponent(of.id)}` : `/plugins/${encodeURIComponent(of.id)}/config`;
  try {
    await ask('POST', `${base}?grant=${names.join(',')}`, { enabled: true });
    say(of.isApp ? `${of.name} is served at the boat's port.` : `${of.name} is allowed and starts.`);
  } catch (error) {
    const left = asksOf(error);
    // What was granted is kept; the rest is what it said no for.
    if (left.length === 0 || left.length === of.asks.length) throw error;
    say(`Kept. It still asks for: ${left.map((name) => rightOf(name)[0]).join(', ')}.`);
  }
}

/** What a refusal says that is still asked for. */
export function asksOf(error: unknown): readonly string[] {
  if (!(error instanceof Refused) || error.status !== 409) return [];
  const { asks } = (error.body ?? {}) as { asks?: unknown };
  return Array.isArray(asks) ? asks.map(String) : [];
}
