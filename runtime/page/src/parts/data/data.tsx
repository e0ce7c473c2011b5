// Every path of a vessel with what it says: to look for, to stop, to copy.
import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { together } from '../../kit/quantity';
import { span } from '../../kit/units';
import { Rows } from '../../ui/rows';
import { saidAt } from '../../vessel/quantity';
import { age, isOld, leaf, type Leaf, meta, OLD_S, vesselCount, vessels } from '../../vessel/values';
import { watch } from '../../vessel/watch';
import type { Part } from '../part';
import { filtered } from './contexts';
import { Detail } from './detail';

/** Milliseconds between two values of a vessel that is not ours. */
const PERIOD = 2000;
/** Of others only who there is, until one is chosen. */
const NAMES = ['vessels.*', 'atons.*', 'shore.*', 'aircraft.*', 'sar.*'];
const NARROW = '(max-width: 40rem)';
const HEIGHTS = { narrow: 58, wide: 38 };

/** What was there when the list was stopped, by path. */
type Still = ReadonlyMap<string, { readonly leaf: Leaf; readonly seconds: number }>;

function View({ rest: [context = 'self', path] }: { readonly rest: readonly string[] }) {
  return <Paths key={context} context={context} path={path} />;
}

function Paths({ context, path }: { readonly context: string; readonly path: string | undefined }) {
  const filter = useSignal('');
  const still = useSignal<Still | null>(null);
  useEffect(() => {
    const ends = NAMES.map((of) => watch({ context: of, subscribe: [{ path: '' }, { path: 'navigation.position', period: 10_000 }] }));
    return () => ends.forEach((end) => end());
  }, []);
  useEffect(() => (context === 'self' ? undefined : watch({ context, subscribe: [{ path: '*', period: PERIOD }] })), []);
  const all = useComputed(() => {
    const on = vessels.get(context);
    void vesselCount.value;
    void on?.size.value;
    return [...(on?.leaves ?? [])].filter(([, one]) => one.peek().time > 0).map(([name]) => name).sort();
  }).value;
  const shown = filtered(still.value ? [...still.value.keys()] : all, filter.value);
  const height = useRowHeight();
  const stop = () => (still.value = still.value ? null : new Map(all.map((name) => {
    const one = leaf(name, context).peek();
    return [name, { leaf: one, seconds: age(one) }];
  })));
  return (
    <div class="data">
      <div class="tools">
        <Contexts context={context} />
        <label class="grow"><span class="hidden">Filter</span>
          <input type="search" placeholder="Filter paths" value={filter.value} onInput={({ currentTarget }) => (filter.value = currentTarget.value)} /></label>
        <button type="button" aria-pressed={still.value !== null} onClick={stop}>{still.value ? 'Go on' : 'Pause'}</button>
        <span class="hint count" role="status">{shown.length === all.length ? all.length : `${shown.length} of ${all.length}`} paths</span>
      </div>
      <Rows items={shown} height={height} label="Paths" head={<Head />}
        row={(name, index) => <Row key={name} context={context} path={name} index={index} still={still.value?.get(name)} />} />
      {path && <Detail key={`${context} ${path}`} context={context} path={path} />}
    </div>
  );
}

function useRowHeight(): number {
  const query = window.matchMedia(NARROW);
  const isNarrow = useSignal(query.matches);
  useEffect(() => {
    const change = () => (isNarrow.value = query.matches);
    query.addEventListener('change', change);
    return () => query.removeEventListener('change', change);
  }, []);
  return isNarrow.value ? HEIGHTS.narrow : HEIGHTS.wide;
}

function Contexts({ context }: { readonly context: string }) {
  void vesselCount.value;
  const others = [...vessels.keys()].filter((one) => one !== 'self').sort();
  if (context !== 'self' && !others.includes(context)) others.push(context);
  return (
    <label><span class="hidden">Whose</span>
      <select value={context} onChange={({ currentTarget }) => (location.hash = `#/data/${encodeURIComponent(currentTarget.value)}`)}>
        <option value="self">{nameOf('self') ?? 'Our own vessel'}</option>
        {others.map((one) => <option key={one} value={one}>{nameOf(one) ?? one}</option>)}
      </select></label>
  );
}

function nameOf(context: string): string | null {
  const { value } = leaf('name', context).value;
  return typeof value === 'string' && value.trim() ? value : null;
}

function Head() {
  return (
    <div role="row" class="row">
      <span role="columnheader">Path</span><span role="columnheader">Value</span><span role="columnheader">Source</span><span role="columnheader">Age</span>
    </div>
  );
}

interface RowProps {
  readonly context: string;
  readonly path: string;
  readonly index: number;
  readonly still: { readonly leaf: Leaf; readonly seconds: number } | undefined;
}

function Row({ context, path, index, still }: RowProps) {
  const now = leaf(path, context).value;
  const of = still?.leaf ?? now;
  const seconds = still?.seconds ?? age(now);
  const { text, unit } = saidAt(path, of.value, context);
  const name = meta(path, context).value.displayName;
  const old = still ? still.seconds > OLD_S : isOld(now, meta(path, context).value.timeout);
  return (
    <div role="row" class={old ? 'row old' : 'row'} aria-rowindex={index + 2}>
      <span role="cell" class="path"><a href={`#/data/${encodeURIComponent(context)}/${encodeURIComponent(path)}`}>{path}</a>{name && <small> {name}</small>}</span>
      <span role="cell" class="value" title={text}><b>{text}</b>{together({ text: '', unit })}</span>
      <span role="cell" class="source">{of.source}</span>
      <span role="cell" class="age">{Number.isFinite(seconds) ? span(seconds) : '–'}</span>
    </div>
  );
}

export const data: Part = { id: 'data', title: 'Data', door: 'both', View };
