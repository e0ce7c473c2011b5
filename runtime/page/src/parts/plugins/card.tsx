// A plugin in the list: how it is, at a glance.
import { ask } from '../../server/http';
import { may } from '../../server/session';
import { Act, say } from '../../ui/act';
import { Bar } from '../../ui/bar';
import { asksOf, type Asking } from './consent';
import { addressOf, budgetOf, rightOf, type Row, stateOf, troubles } from './rows';

interface CardProps {
  readonly row: Row;
  readonly again: () => Promise<void>;
  readonly onAsks: (asking: Asking) => void;
}

export function Card(props: CardProps) {
  const { row } = props;
  const { asks } = row.skiff;
  const said = asks?.length ? `It asks for: ${asks.map((name) => rightOf(name)[0]).join(', ')}.` : row.skiff.reason ?? row.statusMessage;
  return (
    <li class="card plugin">
      <header class="plugin-head">
        <h3><a href={`#/plugins/${encodeURIComponent(addressOf(row))}`}>{row.name}</a> <span class="hint">{row.version}</span></h3>
        <Switch {...props} />
      </header>
      <p><State row={row} /> {said}</p>
      {row.skiff.waiting && <p class="warn">Version {row.skiff.waiting.version} waits for your consent.</p>}
      {troubles(row) && <p class="warn">{troubles(row)}.</p>}
      {row.state === 'running' && budgetOf(row, true).map((one) => <Bar key={one.row} name={one.title} used={one.used} limit={one.limit} unit={one.unit} />)}
    </li>
  );
}

export function State({ row }: { readonly row: Row }) {
  const [words, mood] = stateOf(row);
  return <span class={`state ${mood}`}>{words}</span>;
}

/** Turns a plugin on or off; what asks for more is asked about. */
export function Switch({ row, again, onAsks }: CardProps) {
  if (row.skiff.unusable || !may('admin')) return null;
  const isOn = row.data.enabled === true && !row.skiff.asks?.length;
  const turn = async () => {
    try {
      await ask('POST', `/plugins/${encodeURIComponent(row.id)}/config`, { enabled: !isOn });
      say(`${row.name} is ${isOn ? 'off' : 'on'}.`);
    } catch (error) {
      const asks = asksOf(error);
      if (asks.length === 0) throw error;
      onAsks({ id: row.id, name: row.name, asks, isApp: false });
    } finally {
      await again();
    }
  };
  return <Act does={turn} {...(isOn ? {} : { kind: 'main' as const })} label={`${isOn ? 'Turn off' : 'Turn on'} ${row.name}`}>{isOn ? 'Turn off' : 'Turn on'}</Act>;
}
