// How the gateway is: its version, health and clock, what it uses, what it counted and lost, its log.
import { useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { span } from '../../kit/units';
import { has, may } from '../../server/session';
import { Bar } from '../../ui/bar';
import { dropsOf } from '../../ui/drops';
import { LOG, tellsEvents, useEvents } from '../../ui/events';
import { Follow, LogLines } from '../../ui/follow';
import type { Status } from '../../ui/status';
import { clockOf, healthOf, memoryRow } from './words';

export function State({ of }: { readonly of: Status }) {
  const [words, mood] = healthOf(of.health);
  return (
    <section class="card" aria-labelledby="state">
      <h2 id="state">State</h2>
      <dl class="facts">
        <dt>Health</dt><dd><span class={`state ${mood}`}>{words}</span></dd>
        <dt>Skiff</dt><dd>{of.version} on {of.board}</dd>
        <dt>Runs for</dt><dd>{span(of.uptime_ms / 1000)}</dd>
        <dt>Clock</dt><dd>{clockOf(of.clock)}</dd>
        <dt>Clients</dt><dd>{of.streams}</dd>
      </dl>
    </section>
  );
}

export function Memory({ of: { memory, model } }: { readonly of: Status }) {
  return (
    <section class="card" aria-labelledby="memory">
      <h2 id="memory">Memory</h2>
      <Bar name="Kept for plugins" used={memory.reserved} limit={memory.limit} unit="bytes" />
      {memory.rows.filter(({ used, reserved }) => used !== null || reserved > 0).map(({ row, used, reserved, limit }) => (
        <Bar key={row} name={memoryRow(row)} used={used ?? reserved} limit={limit} unit="bytes" />
      ))}
      <p class="hint">{model.paths} paths of {model.contexts === 1 ? 'one vessel' : `${model.contexts} vessels and aids`} are known.</p>
    </section>
  );
}

export function Counters({ of }: { readonly of: Status }) {
  const drops = dropsOf(of.drops);
  const counts: readonly (readonly [string, number])[] = [
    ['Frames of NMEA 2000', of.frames],
    ['Messages made of them', of.messages],
    ['Deltas of NMEA 2000', of.deltas['n2k'] ?? 0],
    ['Deltas of NMEA 0183', of.deltas['nmea0183'] ?? 0],
    ['Deltas of plugins', of.deltas['plugins'] ?? 0],
    ['Deltas of programs', of.deltas['clients'] ?? 0],
    ['Plugins started again', of.restarts],
    ['Requests without the right', of.unauthorised],
  ];
  return (
    <section class="card" aria-labelledby="counters">
      <h2 id="counters">Counted since the start</h2>
      <dl class="facts">
        {counts.filter(([, count]) => count > 0).map(([name, count]) => [<dt key={name}>{name}</dt>, <dd key={`${name} `}>{count.toLocaleString('en')}</dd>])}
      </dl>
      <h3>Lost or left out</h3>
      {drops.length === 0 && <p class="hint">Nothing.</p>}
      <dl class="facts">
        {drops.map(({ reason, words, count }) => [<dt key={reason}>{words}</dt>, <dd key={`${reason} `}>{count.toLocaleString('en')}</dd>])}
      </dl>
    </section>
  );
}

/** Lines that are kept on the page. */
const LINES_MAX = 500;

export function Log() {
  if (!has('log') || !may('admin')) return null;
  return (
    <section class="card" aria-labelledby="log">
      <h2 id="log">Log</h2>
      {tellsEvents() ? <Told /> : <Follow path="/skiff/v1/log?lines=200" label="Log of the gateway" />}
    </section>
  );
}

/** The log as the gateway's events bring it. */
function Told() {
  const lines = useRef<string[]>([]);
  const text = useSignal('');
  useEvents(({ type, data }) => {
    if (type !== 'LOG') return;
    const { ts, row } = data as { ts?: unknown; row?: unknown };
    const line = `${String(ts ?? '')} ${String(row ?? '')}`.trim();
    // A stream that opens again brings the last lines again.
    if (lines.current.includes(line)) return;
    lines.current = [...lines.current, line].slice(-LINES_MAX);
    text.value = lines.current.join('\n');
  }, [LOG]);
  return <LogLines label="Log of the gateway" text={text.value} />;
}
