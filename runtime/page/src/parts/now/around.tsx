// The outline of what is around the boat: drawn from AIS, without a chart; and the same as a list.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { isPosition } from '../../kit/geo';
import { course as degrees, shown, span } from '../../kit/units';
import { kept } from '../../kit/kept';
import { age, isOld, leaf, type Leaf, meta, NOTHING, second, vesselCount, vessels } from '../../vessel/values';
import { unitAt } from '../../vessel/quantity';
import { watch } from '../../vessel/watch';
import { fitting, type Heard, type Own, RANGES, type Target, targets } from './targets';

const N = 'navigation.';
/** Milliseconds between two positions of another, which moves a hair in that time. */
const PERIOD = 2000;
/** Drawn and listed: the nearest. */
const DRAWN_MAX = 150;
const LISTED_MAX = 30;
/** Seconds of way that a vector shows. */
const VECTOR_S = 360;
/** The picture is 200 wide, its outermost ring 96 from the middle. */
const RING = 96;

const WANTED = ['', `${N}position`, `${N}courseOverGroundTrue`, `${N}speedOverGround`, `${N}headingTrue`];
const isUpward = kept<'north' | 'course'>('skiff.around.up', 'north', (found) => found === 'north' || found === 'course');

// The picture is drawn each second, not each time that one of its many values changes.
const number = (path: string) => {
  const { value } = leaf(path).peek();
  return typeof value === 'number' ? value : null;
};

export function Around() {
  const range = useSignal<number | null>(null);
  const chosen = useSignal<string | null>(null);
  useEffect(() => {
    const ends = ['vessels.*', 'atons.*', 'shore.*', 'aircraft.*', 'sar.*'].map((context) => watch({ context, subscribe: WANTED.map((path) => ({ path, period: PERIOD })) }));
    return () => ends.forEach((end) => end());
  }, []);
  void vesselCount.value;
  void second.value;
  const position = leaf(`${N}position`).peek().value;
  if (!isPosition(position) || vessels.size < 2) return null;
  const own: Own = { position, course: number(`${N}courseOverGroundTrue`), speed: number(`${N}speedOverGround`) };
  const all = targets(own, heard());
  if (all.length === 0) return null;
  const metres = range.value ?? fitting(all);
  const turn = isUpward.value === 'course' ? (number(`${N}headingTrue`) ?? own.course ?? 0) : 0;
  return (
    <section class="card around" aria-label="Around the boat">
      <header>
        <h2>Around the boat</h2>
        <label>Range <select value={String(range.value ?? '')} onChange={({ currentTarget }) => (range.value = currentTarget.value ? Number(currentTarget.value) : null)}>
          <option value="">fits</option>
          {RANGES.map((one) => <option key={one} value={String(one)}>{one / 1852} nm</option>)}
        </select></label>
        <label>Up <select value={isUpward.value} onChange={({ currentTarget }) => (isUpward.value = currentTarget.value as 'north' | 'course')}>
          <option value="north">north</option>
          <option value="course">course</option>
        </select></label>
      </header>
      {isOld(leaf(`${N}position`).peek(), meta(`${N}position`).value.timeout) && <p class="wrong">Our own position is old: bearings and distances are from there.</p>}
      <div class="both">
        <Picture all={all.slice(0, DRAWN_MAX)} own={own} metres={metres} turn={turn} chosen={chosen.value} onChoose={(context) => (chosen.value = context)} />
        <List all={all} chosen={chosen.value} onChoose={(context) => (chosen.value = context)} />
      </div>
    </section>
  );
}

function heard(): readonly Heard[] {
  const found: Heard[] = [];
  for (const [context, one] of vessels) {
    if (context === 'self') continue;
    const of = (path: string): Leaf => one.leaves.get(path)?.peek() ?? NOTHING;
    const at = of(`${N}position`);
    found.push({
      context, name: of('name').value, mmsi: of('mmsi').value, position: at.value, age: age(at),
      course: of(`${N}courseOverGroundTrue`).value, speed: of(`${N}speedOverGround`).value, heading: of(`${N}headingTrue`).value,
    });
  }
  return found;
}

interface Choice {
  readonly chosen: string | null;
  readonly onChoose: (context: string) => void;
}
interface PictureProps extends Choice {
  readonly all: readonly Target[];
  readonly own: Own;
  readonly metres: number;
  /** Radians that are up. */
  readonly turn: number;
}

function Picture({ all, own, metres, turn, chosen, onChoose }: PictureProps) {
  const scale = RING / metres;
  const toDegrees = 180 / Math.PI;
  const inside = all.filter(({ distance }) => distance <= metres * 1.03);
  const heading = number(`${N}headingTrue`) ?? own.course ?? 0;
  const ring = unitAt(`${N}course.distance`, 'self', 'm');
  // 0.5 nm, 16 nm: no more digits than it has.
  const radius = `${Number(shown(metres, ring))} ${ring.name}`;
  return (
    <svg viewBox="-100 -100 200 200" role="img" aria-label={`${inside.length} of ${all.length} within ${radius}; the list says them`}>
      {[1, 2, 3].map((part) => <circle key={part} class="ring" r={(RING * part) / 3} />)}
      <text class="scale" x="4" y={-RING + 7}>{radius}</text>
      <g transform={`rotate(${-turn * toDegrees})`}>
        <path class="ring" d={`M0 ${-RING - 3}V${-RING + 4}`} />
        <text class="scale north" y={-RING + 11} text-anchor="middle">N</text>
        <Way course={own.course} speed={own.speed} scale={scale} />
        <path class="own" transform={`rotate(${heading * toDegrees})`} d="M0-6L4 5L0 3L-4 5Z" />
        {inside.map((one) => {
          const label = one.name;
          return (
            <g key={one.context} class={`target${one.isNear ? ' near' : ''}${one.isOld ? ' old' : ''}${one.context === chosen ? ' chosen' : ''}`}
              transform={`translate(${one.at.east * scale} ${-one.at.north * scale})`} data-context={one.context} onClick={() => onChoose(one.context)}>
              <circle class="touch" r="7" />
              {one.isVessel && <Way course={one.course} speed={one.speed} scale={scale} />}
              {one.isVessel
                ? <path class="hull" transform={`rotate(${(one.heading ?? one.course ?? 0) * toDegrees})`} d="M0-5L3 4L-3 4Z" />
                : <path class="hull" d="M0-3L3 0L0 3L-3 0Z" />}
              {(inside.length <= 20 || one.isNear || one.context === chosen) && <text transform={`rotate(${turn * toDegrees})`} x="5" y="2">{label}</text>}
            </g>
          );
        })}
      </g>
    </svg>
  );
}

/** Where one will be in some minutes. */
function Way({ course, speed, scale }: { readonly course: number | null; readonly speed: number | null; readonly scale: number }) {
  if (course === null || speed === null) return null;
  const length = Math.min(speed * VECTOR_S * scale, 2 * RING);
  return <path class="way" d={`M0 0L${(Math.sin(course) * length).toFixed(1)} ${(-Math.cos(course) * length).toFixed(1)}`} />;
}

function List({ all, chosen, onChoose }: Choice & { readonly all: readonly Target[] }) {
  const far = unitAt(`${N}course.distance`, 'self', 'm');
  const fast = unitAt(`${N}speedOverGround`, 'self', 'm/s');
  const metres = (value: number | null) => (value === null ? '–' : `${shown(value, far)} ${far.name}`);
  return (
    <div class="list">
      <table>
        <thead><tr><th>Name</th><th>Distance</th><th>Bearing</th><th>Speed</th><th>CPA</th></tr></thead>
        <tbody>
          {all.slice(0, LISTED_MAX).map((one) => (
            <tr key={one.context} class={`${one.isNear ? 'near' : ''} ${one.isOld ? 'old' : ''}`} aria-current={one.context === chosen ? 'true' : undefined}>
              <td><button type="button" class="plain" onClick={() => onChoose(one.context)}>{one.name}</button></td>
              <td>{metres(one.distance)}</td>
              <td>{degrees(one.bearing)}°</td>
              <td>{one.speed === null ? '–' : `${shown(one.speed, fast)} ${fast.name}`}</td>
              <td>{metres(one.cpa)}{one.tcpa !== null && <small> in {span(one.tcpa)}</small>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {all.length > LISTED_MAX && <p class="hint">the nearest {LISTED_MAX} of {all.length}</p>}
    </div>
  );
}
