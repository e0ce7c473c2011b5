// Where the boat is going, when somebody has said so: bearing, distance, cross track error, time to go.
import { isPosition } from '../../kit/geo';
import { course, latitude, longitude, shown, span } from '../../kit/units';
import { ask } from '../../server/http';
import { may } from '../../server/session';
import { Act } from '../../ui/act';
import { leaf, meta } from '../../vessel/values';
import { unitAt } from '../../vessel/quantity';

const COURSE = 'navigation.course';
const STOP = '/signalk/v2/api/vessels/self/navigation/course';
/** Where the numbers are: the gateway's own, else those of a plotter on the bus. */
const PLACES = [
  { bearing: `${COURSE}.calcValues.bearingTrue`, distance: `${COURSE}.calcValues.distance`, error: `${COURSE}.calcValues.crossTrackError` },
  ...['courseGreatCircle', 'courseRhumbline'].map((name) => ({
    bearing: `navigation.${name}.nextPoint.bearingTrue`, distance: `navigation.${name}.nextPoint.distance`, error: `navigation.${name}.crossTrackError`,
  })),
];

const number = (path: string): number | null => {
  const { value } = leaf(path).value;
  return typeof value === 'number' ? value : null;
};

export function Course() {
  const next = leaf(`${COURSE}.nextPoint`).value.value as { position?: unknown; href?: unknown } | null | undefined;
  const place = PLACES.find(({ distance }) => number(distance) !== null);
  if (!next && (!place || place === PLACES[0])) return null;
  const route = leaf(`${COURSE}.activeRoute`).value.value as { name?: unknown; pointIndex?: unknown; pointTotal?: unknown } | null | undefined;
  const bearing = place ? number(place.bearing) : null;
  const distance = place ? number(place.distance) : null;
  const error = place ? number(place.error) : null;
  const left = number(`${COURSE}.calcValues.timeToGo`);
  return (
    <section class="card voyage" aria-label="Course">
      <h2>{title(route)}</h2>
      <dl>
        {bearing !== null && <Row name="Bearing" text={course(bearing)} unit="°" />}
        {distance !== null && place && <Row name="Distance" {...inUnit(place.distance, distance)} />}
        {error !== null && place && <Row name="Off track" {...aside(place.error, error)} />}
        {left !== null && left >= 0 && <Row name="Time to go" text={span(left)} unit="" />}
      </dl>
      {next && may('readwrite') && <Act does={() => ask('DELETE', STOP)} sure="Stop going there?">Stop</Act>}
      {isPosition(next?.position) && <p class="hint">{latitude(next.position.latitude)} {longitude(next.position.longitude)}</p>}
    </section>
  );
}

function title(route: { name?: unknown; pointIndex?: unknown; pointTotal?: unknown } | null | undefined): string {
  if (!route) return 'To a destination';
  const name = typeof route.name === 'string' && route.name ? route.name : 'a route';
  const at = typeof route.pointIndex === 'number' && typeof route.pointTotal === 'number' ? `, point ${route.pointIndex + 1} of ${route.pointTotal}` : '';
  return `On ${name}${at}`;
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
