// One plugin: how it is, what it uses, its configuration, its log, and what can be done with it.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask } from '../../server/http';
import { has, may } from '../../server/session';
import { Act, say, wordsOf } from '../../ui/act';
import { Bar } from '../../ui/bar';
import { Follow } from '../../ui/follow';
import { SchemaForm } from '../../ui/form/form';
import { isMembers, type Schema } from '../../ui/form/schema';
import { State, Switch } from './card';
import type { Asking } from './consent';
import { budgetOf, type Installed, isShadow, type Row, troubles } from './rows';

interface OneProps {
  readonly row: Row;
  readonly rows: readonly Row[];
  readonly again: () => Promise<void>;
  readonly onAsks: (asking: Asking) => void;
}

export function One({ row, rows, again, onAsks }: OneProps) {
  const { waiting, reason } = row.skiff;
  return (
    <>
      <p><a href="#/plugins">← All plugins</a></p>
      <article class="card" aria-labelledby="plugin-name">
        <header class="plugin-head">
          <div>
            <h2 id="plugin-name">{row.name} <span class="hint">{row.version}</span></h2>
            <p class="hint">{row.packageName}</p>
          </div>
          <Switch row={row} again={again} onAsks={onAsks} />
        </header>
        <p>{row.description}</p>
        <p><State row={row} /> {row.statusMessage}</p>
        {reason && reason !== row.statusMessage && <p class="wrong">{reason}</p>}
        {troubles(row) && <p class="warn">{troubles(row)}.</p>}
        {waiting && (
          <p class="actions">
            Version {waiting.version} is here and asks for more.
            <button
              type="button" class="main"
              onClick={() => onAsks({ id: row.id, name: row.name, asks: waiting.asks, isApp: false, version: waiting.version })}
            >Look at what it asks</button>
          </p>
        )}
        {may('admin') && !isShadow(row, rows) && <Deeds row={row} again={again} />}
      </article>
      {!row.skiff.unusable && may('admin') && <Configuration row={row} again={again} />}
      {row.skiff.budget.length > 0 && (
        <section class="card" aria-labelledby="plugin-budget">
          <h2 id="plugin-budget">What it uses</h2>
          {budgetOf(row, false).map((one) => <Bar key={one.row} name={one.title} used={one.used} limit={one.limit} unit={one.unit} />)}
        </section>
      )}
      {!row.skiff.unusable && may('admin') && (
        <section class="card" aria-labelledby="plugin-log">
          <h2 id="plugin-log">Log</h2>
          <Follow path={`/skiff/v1/plugins/${encodeURIComponent(row.id)}/log`} label={`Log of ${row.name}`} />
        </section>
      )}
    </>
  );
}

function Deeds({ row, again }: { readonly row: Row; readonly again: () => Promise<void> }) {
  const at = `/skiff/v1/plugins/${encodeURIComponent(row.id)}`;
  const reload = async () => {
    const now = await ask<Installed>('POST', `${at}/reload`);
    say(`${row.name} ${now.version} was read again: it is ${now.state}.`);
    await again();
  };
  const rollback = async () => {
    const now = await ask<Installed>('POST', `${at}/rollback`);
    say(`Version ${now.version} is in force again.`);
    await again();
  };
  const remove = async () => {
    await ask('DELETE', at);
    say(`${row.name} is removed.`);
    location.hash = '#/plugins';
    await again();
  };
  return (
    <p class="actions">
      {!row.skiff.unusable && <Act does={reload}>Reload</Act>}
      {!row.skiff.unusable && has('appstore') && <Act does={rollback} sure={`Put the version of ${row.name} before ${row.version} in force again?`}>Version before</Act>}
      <Act does={remove} kind="danger" sure={`Remove ${row.name}? Its configuration stays.`}>Remove</Act>
    </p>
  );
}

interface Stored {
  readonly enableDebug?: boolean;
  readonly configuration?: unknown;
}

function Configuration({ row, again }: { readonly row: Row; readonly again: () => Promise<void> }) {
  const stored = useSignal<Stored | null>(null);
  const wrong = useSignal('');
  const version = useSignal(0);
  const path = `/plugins/${encodeURIComponent(row.id)}/config`;
  const load = async () => {
    try {
      stored.value = await ask<Stored>('GET', path);
      [version.value, wrong.value] = [version.value + 1, ''];
    } catch (error) {
      wrong.value = wordsOf(error);
    }
  };
  useEffect(() => void load(), [path]);
  const save = async (configuration: unknown) => {
    await ask('POST', path, { configuration });
    await again();
  };
  const debug = async (isOn: boolean) => {
    await ask('POST', path, { enableDebug: isOn });
    stored.value = { ...stored.value, enableDebug: isOn };
  };
  // A plugin that is off has not told its schema; one that has none takes any object.
  const hasFields = isMembers(row.schema) && Object.keys(row.schema.properties ?? {}).length > 0;
  const isOn = stored.value?.enableDebug ?? false;
  return (
    <section class="card" aria-labelledby="plugin-config">
      <h2 id="plugin-config">Configuration</h2>
      {wrong.value && <p class="wrong" role="alert">{wrong.value}</p>}
      {stored.value && (
        <>
          {!hasFields && <p class="hint">{row.state === 'running' ? 'It describes no settings; what it is given is JSON.' : 'It describes its settings once it runs; until then they are JSON.'}</p>}
          <SchemaForm
            key={`${version.value} ${hasFields}`}
            schema={hasFields ? row.schema : ANY}
            value={stored.value.configuration} save={save} label={`Configuration of ${row.name}`}
          />
          <p class="actions">
            <Act does={load}>Read what is stored again</Act>
            <Act does={() => debug(!isOn)}>{isOn ? 'Log less' : 'Log more'}</Act>
          </p>
        </>
      )}
    </section>
  );
}

/** Nothing is known of the settings: one JSON text. */
const ANY: Schema = { title: 'Settings' };
