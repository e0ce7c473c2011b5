// Where the boat is going, when somebody has said so: bearing, distance, cross track error, time to go.
import { isPosition } from '../../kit/geo';
import { course, latitude, longitude, shown, span } from '../../kit/units';
import { ask } from '../../server/http';
import { may } from '../../server/session';
import { Act } from '../../ui/act';
import { unitAt } from '../../vessel/quantity';
import { age, isOld, leaf, meta } from '../../vessel/values';

const OWN = 'navigation.course';
const STOP = '/signalk/v2/api/vessels/self/navigation/course';

/** Paths of one that knows the way. */
interface Way {
  readonly bearing: string;
  readonly distance: string;
  readonly error: string;
  readonly left: string;
  readonly route: string;
}

/** The gateway's own reckoning, else that of a plotter on the bus. */
const WAYS: readonly Way[] = [
  {
    bearing: `${OWN}.calcValues.bearingTrue`, distance: `${OWN}.calcValues.distance`, error: `${OWN}.calcValues.crossTrackError`,
    left: `${OWN}.calcValues.timeToGo`, route: `${OWN}.activeRoute`,
  },
  ...['navigation.courseGreatCircle', 'navigation.courseRhumbline'].map((at) => ({
    bearing: `${at}.nextPoint.bearingTrue`, distance: `${at}.nextPoint.distance`, error: `${at}.crossTrackError`,
    left: `${at}.nextPoint.timeToGo`, route: `${at}.activeRoute.name`,
  })),
];
/** Seconds after which a plotter that says nothing more is not navigating any more. */
const OVER_S = 300;

const number = (path: string): number | null => {
  const { value } = leaf(path).value;
  return typeof value === 'number' ? value : null;
};

export function Course() {
  const next = leaf(`${OWN}.nextPoint`).value.value as { position?: unknown } | null | undefined;
  const isOurs = next !== null && next !== undefined;
  const way = WAYS.find((one) => (one === WAYS[0] ? isOurs : number(one.distance) !== null && age(leaf(one.distance).value) < OVER_S));
  if (!way) return null;
  const [bearing, distance, error, left] = [way.bearing, way.distance, way.error, way.left].map(number);
  const said = leaf(way.distance).value;
  const old = distance !== null && isOld(said, meta(way.distance).value.timeout);
  return (
    <section class={old ? 'card voyage old' : 'card voyage'} aria-label="Course">
      <h2>{title(leaf(way.route).value.value)}{old && <small class="wrong"> old · {span(age(said))}</small>}</h2>
      <dl>
        {typeof bearing === 'number' && <Row name="Bearing" text={course(bearing)} unit="°" />}
        {typeof distance === 'number' && <Row name="Distance" {...inUnit(way.distance, distance)} />}
        {typeof error === 'number' && <Row name="Off track" {...aside(way.error, error)} />}
        {typeof left === 'number' && left >= 0 && <Row name="Time to go" text={span(left)} unit="" />}
      </dl>
      {isOurs && may('readwrite') && <Act does={() => ask('DELETE', STOP)} sure="Stop going there?">Stop</Act>}
      {isPosition(next?.position) && <p class="hint">{latitude(next.position.latitude)} {longitude(next.position.longitude)}</p>}
    </section>
  );
}

/** A route is a name, or an object of the course API with a name and a point. */
function title(route: unknown): string {
  if (typeof route === 'string' && route) return `On ${route}`;
  if (typeof route !== 'object' || route === null) return 'To a destination';
  const { name, pointIndex, pointTotal } = route as { name?: unknown; pointIndex?: unknown; pointTotal?: unknown };
  const at = typeof pointIndex === 'number' && typeof pointTotal === 'number' ? `, point ${pointIndex + 1} of ${pointTotal}` : '';
  return `On ${typeof name === 'string' && name ? name : 'a route'}${at}`;
}

function inUnit(path: string, value: number) {
  const unit = unitAt(path, 'self', meta(path).value.units ?? 'm');
  return { text: shown(value, unit), unit: unit.name };
}

/** Positive is to the right of the track (Signal K, `crossTrackError`). */
function aside(path: string, value: number) {
  const { text, unit } = inUnit(path, Math.abs(value));
  return { text, unit: Number(text) === 0 ? unit : `${unit} ${value < 0 ? 'left' : 'right'}` };
}

function Row({ name, text, unit }: { readonly name: string; readonly text: string; readonly unit: string }) {
  return <div><dt>{name}</dt><dd><b>{text}</b>{unit !== '°' && ' '}<small>{unit}</small></dd></div>;
}
