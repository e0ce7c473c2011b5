// One path: its value, who else says it, what is known of it.
import { useSignal } from '@preact/signals';
import { together } from '../../kit/quantity';
import { digits, span } from '../../kit/units';
import { has, isAdminDoor, login, may, otherDoor } from '../../server/session';
import { Copy } from '../../ui/copy';
import { Dialog } from '../../ui/dialog';
import { useLoaded, Wait } from '../../ui/load';
import { Plot } from '../../ui/plot';
import { saidAt, unitAt } from '../../vessel/quantity';
import { seriesOf } from '../../vessel/recorder';
import { age, leaf, meta, now, type PathMeta, second } from '../../vessel/values';
import { address, curl } from './contexts';
import { Edit } from './edit';

/** Milliseconds between two questions for who else says it. */
const PERIOD = 4000;

interface Value {
  readonly value?: unknown;
  readonly $source?: string;
  readonly timestamp?: string;
  readonly values?: Readonly<Record<string, Value>>;
}

interface Where {
  readonly context: string;
  readonly path: string;
}

export function Detail({ context, path }: Where) {
  const isEditing = useSignal(false);
  const of = leaf(path, context).value;
  const known = meta(path, context).value;
  const { text, unit } = saidAt(path, of.value, context);
  const seconds = age(of);
  const close = () => (location.hash = `#/data/${encodeURIComponent(context)}`);
  const isOpen = login.value.status !== 'loggedIn';
  return (
    <Dialog title={known.displayName ?? path} onClose={close}>
      <p class="one"><b>{text}</b>{together({ text: '', unit })} <small class="hint">{Number.isFinite(seconds) ? `${span(seconds)} ago` : 'never said'}{of.source && ` by ${of.source}`}</small></p>
      {known.description && <p>{known.description}</p>}
      <p class="hint path">{path}</p>
      <div class="acts">
        <Copy text={() => (typeof of.value === 'string' ? of.value : JSON.stringify(of.value ?? null))}>Copy value</Copy>
        <Copy text={() => path}>Copy path</Copy>
        <Copy text={() => JSON.stringify({ context, path, value: of.value, $source: of.source, timestamp: of.time ? new Date(of.time).toISOString() : undefined, meta: known })}>Copy JSON</Copy>
        <Copy text={() => curl(location.origin, context, path, isOpen)}>Copy curl line</Copy>
      </div>
      {context === 'self' && typeof of.value === 'number' && <Past path={path} si={known.units} />}
      <Sources context={context} path={path} />
      {isEditing.value
        ? <Edit path={path} known={known} isNumber={typeof of.value === 'number'} onEnd={() => (isEditing.value = false)} />
        : <Known path={path} context={context} known={known} onEdit={() => (isEditing.value = true)} />}
    </Dialog>
  );
}

/** The last minutes, and between what they went. */
function Past({ path, si }: { readonly path: string; readonly si: string | undefined }) {
  void second.value;
  const there = (seriesOf(path)?.until(now()) ?? []).filter((value) => !Number.isNaN(value));
  if (there.length < 2) return null;
  const [least, most] = [Math.min(...there), Math.max(...there)];
  return (
    <figure class="past">
      <Plot path={path} isAngle={si === 'rad'} />
      {si !== 'rad' && <figcaption class="hint">between {together(saidAt(path, least))} and {together(saidAt(path, most))}</figcaption>}
    </figure>
  );
}

function Sources({ context, path }: Where) {
  const loaded = useLoaded<Value | string>(address(context, path), PERIOD);
  const found = typeof loaded.value === 'object' ? loaded.value : null;
  const rows = found?.values ? Object.entries(found.values) : found?.$source ? [[found.$source, found] as const] : [];
  return (
    <Wait of={loaded}>
      {rows.length > 0 && (
        <>
          <h3>{rows.length === 1 ? 'Source' : `${rows.length} sources`}</h3>
          <table>
            <tbody>
              {rows.map(([source, { value, timestamp }]) => {
                const time = Date.parse(timestamp ?? '');
                return (
                  <tr key={source}>
                    <td>{source}{source === found?.$source && rows.length > 1 && <small class="hint"> as above</small>}</td>
                    <td class="wrap">{together(saidAt(path, value, context))}</td>
                    <td>{Number.isFinite(time) ? `${span(age({ value, time, source }))} ago` : '–'}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </>
      )}
    </Wait>
  );
}

interface KnownProps extends Where {
  readonly known: PathMeta;
  readonly onEdit: () => void;
}

function Known({ context, path, known, onEdit }: KnownProps) {
  const unit = unitAt(path, context);
  const bound = (value: number | undefined) => (typeof value === 'number' ? `${digits(value, unit)} ${unit.name}` : '–');
  const there = otherDoor(`/#/data/self/${encodeURIComponent(path)}`);
  return (
    <>
      <h3>Name and zones</h3>
      <dl class="known">
        {known.units && <div><dt>Unit in Signal K</dt><dd>{known.units}</dd></div>}
        {known.displayName && <div><dt>Name</dt><dd>{known.displayName}</dd></div>}
        {known.timeout !== undefined && <div><dt>Old after</dt><dd>{known.timeout} s</dd></div>}
      </dl>
      {known.zones && known.zones.length > 0
        ? (
          <table>
            <thead><tr><th>From</th><th>To</th><th>State</th><th>Message</th></tr></thead>
            <tbody>{known.zones.map((zone, index) => <tr key={index}><td>{bound(zone.lower)}</td><td>{bound(zone.upper)}</td><td>{zone.state}</td><td>{zone.message}</td></tr>)}</tbody>
          </table>
        )
        : <p class="hint">No zones: nothing raises an alarm.</p>}
      {context === 'self' && has('settings') && (isAdminDoor() && may('admin')
        ? <p><button type="button" onClick={onEdit}>Change name and zones…</button></p>
        : there && <p class="hint">Names and zones are changed by the administrator: <a href={there} rel="noopener noreferrer">there ↗</a></p>)}
    </>
  );
}
