// Where data comes from and goes to: made, changed, tried and removed where the gateway can.
import { useSignal } from '@preact/signals';
import { span } from '../../kit/units';
import { ask } from '../../server/http';
import { has, may } from '../../server/session';
import { Act, say } from '../../ui/act';
import { Ask, Line } from '../../ui/ask';
import { Dialog } from '../../ui/dialog';
import { Add, Test } from './add';
import { amountOf, type Connection, type Direction, lossesOf, stateOf } from './connection';

const PATH = '/skiff/v1/connections';
const at = (id: string) => `${PATH}/${encodeURIComponent(id)}`;

interface ListProps {
  readonly rows: readonly Connection[];
  readonly again?: () => Promise<void>;
}

/** Inputs, then outputs. Without `again` nothing can be changed. */
export function Connections({ rows, again }: ListProps) {
  const changing = useSignal<Connection | null>(null);
  const directions: readonly Direction[] = has('outputs') ? ['input', 'output'] : ['input'];
  return (
    <>
      {directions.map((direction) => (
        <section key={direction} class="card" aria-labelledby={direction}>
          <h2 id={direction}>{direction === 'input' ? 'Where data comes from' : 'Where data goes'}</h2>
          <List of={rows.filter((row) => row.direction === direction)} onChange={(row) => (changing.value = row)} {...(again ? { again } : {})} />
          {again && may('admin') && <Add direction={direction} again={again} />}
        </section>
      ))}
      {changing.value && again && <Change of={changing.value} again={again} onDone={() => (changing.value = null)} />}
    </>
  );
}

function List({ of, again, onChange }: { readonly of: readonly Connection[]; readonly again?: () => Promise<void>; readonly onChange: (row: Connection) => void }) {
  if (of.length === 0) return <p class="hint">Nothing yet.</p>;
  return (
    <ul class="plain">
      {of.map((row) => <Row key={row.id} of={row} onChange={onChange} {...(again ? { again } : {})} />)}
    </ul>
  );
}

function Row({ of, again, onChange }: { readonly of: Connection; readonly again?: () => Promise<void>; readonly onChange: (row: Connection) => void }) {
  const [words, mood] = stateOf(of.state);
  const age = of.status?.age_ms;
  const amount = of.status ? amountOf(of.status) : '';
  const losses = of.status ? lossesOf(of.status) : '';
  const turn = async () => {
    await ask('PUT', at(of.id), { enabled: !of.enabled });
    await again?.();
  };
  const remove = async () => {
    await ask('DELETE', at(of.id));
    await again?.();
  };
  return (
    <li>
      <div class="plugin-head">
        <span><strong>{of.name}</strong> <span class="hint">{of.address}{of.format && of.format !== 'auto' && `, ${of.format}`}</span></span>
        <span class={`state ${mood}`}>{words}</span>
      </div>
      {of.reason && <p class={mood === 'wrong' ? 'wrong' : 'warn'}>{of.reason}</p>}
      {(amount || typeof age === 'number') && <p class="hint">{amount}{typeof age === 'number' && `${amount && '; '}last ${span(age / 1000)} ago`}</p>}
      {losses && <p class="warn">{losses}</p>}
      {again && may('admin') && (of.editable
        ? (
          <p class="actions">
            <Act does={turn} label={`${of.enabled ? 'Turn off' : 'Turn on'} ${of.name}`}>{of.enabled ? 'Turn off' : 'Turn on'}</Act>
            {of.url !== undefined && <button type="button" aria-label={`Change ${of.name}`} onClick={() => onChange(of)}>Change</button>}
            <Act does={remove} kind="danger" sure={`Remove ${of.name}?`} done={`${of.name} is removed.`} label={`Remove ${of.name}`}>Remove</Act>
          </p>
        )
        : <p class="hint">From the {of.from}: it is changed there.</p>)}
    </li>
  );
}

function Change({ of, again, onDone }: { readonly of: Connection; readonly again: () => Promise<void>; readonly onDone: () => void }) {
  const url = useSignal(of.url ?? '');
  const keep = async ({ name = '' }: Readonly<Record<string, string>>) => {
    await ask('PUT', at(of.id), { url: url.value, ...(name === of.name ? {} : { name }) });
    say(`${name} is changed.`);
    await again();
    onDone();
  };
  return (
    <Dialog title={`Change ${of.name}`} onClose={onDone}>
      <Ask label={`Change ${of.name}`} action="Keep" does={keep}>
        <Line label="Name"><input name="name" required maxLength={64} defaultValue={of.name} autocomplete="off" /></Line>
        <Line label="Address"><input required value={url.value} spellcheck={false} autocomplete="off" onInput={(event) => (url.value = event.currentTarget.value)} /></Line>
      </Ask>
      <Test direction={of.direction} url={() => url.value} />
    </Dialog>
  );
}

