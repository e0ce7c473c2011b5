// A tile: a number that is legible at arm's length, how old it is, and where it went in the last minutes.
import { isPosition } from '../../kit/geo';
import { type Said, together } from '../../kit/quantity';
import { course, latitude, longitude, shown, span } from '../../kit/units';
import { Plot } from '../../ui/plot';
import { age, leaf, meta, OLD_S } from '../../vessel/values';
import { isNotification } from '../../vessel/alarms';
import { saidAt, unitAt } from '../../vessel/quantity';
import type { Detail, Form, Tile } from './tiles';

/** Seconds from which an age is said though the value is not old. */
const SAID_S = 4;

function words(path: string, form: Form | undefined, si?: string): Said {
  const { value } = leaf(path).value;
  if (typeof value === 'number' && form === 'course') return { text: course(value), unit: '°' };
  if (typeof value === 'number' && form === 'side') return side(value);
  if (typeof value === 'number' && si) {
    const unit = unitAt(path, 'self', meta(path).value.units ?? si);
    return { text: shown(value, unit), unit: unit.name };
  }
  return saidAt(path, value);
}

/** An angle off the bow. */
function side(radians: number): Said {
  const degrees = Math.round((radians * 180) / Math.PI);
  const off = Math.abs(degrees) % 360;
  return { text: String(off), unit: off === 0 || off === 180 ? '°' : degrees < 0 ? '° port' : '° stbd' };
}

export function TileView({ tile }: { readonly tile: Tile }) {
  const value = leaf(tile.path).value;
  const said = meta(tile.path).value;
  const old = age(value);
  const isOld = old > (said.timeout ?? OLD_S);
  const state = leaf(`notifications.${tile.path}`).value.value;
  const zone = isNotification(state) ? state.state : '';
  const title = said.displayName ?? tile.title;
  return (
    <a class={`tile ${tile.form ?? 'number'} ${isOld ? 'old' : zone}`} href={`#/data/self/${encodeURIComponent(tile.path)}`} data-path={tile.path}>
      <span class="title">{title}</span>
      {tile.form === 'position' && isPosition(value.value)
        ? <span class="value"><b>{latitude(value.value.latitude)}</b><b>{longitude(value.value.longitude)}</b></span>
        : <Big {...words(tile.path, tile.form, tile.si)} />}
      <span class="also">{tile.also?.map((detail) => <Also key={detail.path} of={detail} />)}<Age seconds={old} isOld={isOld} /></span>
      {tile.form !== 'position' && tile.form !== 'text' && <Plot path={tile.path} isAngle={tile.form === 'course' || tile.form === 'side'} />}
    </a>
  );
}

function Big({ text, unit }: Said) {
  return <span class="value"><b>{text}</b>{together({ text: '', unit }).startsWith(' ') && ' '}<small>{unit}</small></span>;
}

function Also({ of: { path, form } }: { readonly of: Detail }) {
  const of = leaf(path).value;
  if (of.value === undefined || of.value === null) return null;
  const { text, unit } = words(path, form);
  const isOld = age(of) > (meta(path).value.timeout ?? OLD_S);
  return <span class={isOld ? 'old' : undefined}>{together({ text, unit })}</span>;
}

function Age({ seconds, isOld }: { readonly seconds: number; readonly isOld: boolean }) {
  if (!isOld && seconds < SAID_S) return <span class="age" />;
  const text = Number.isFinite(seconds) ? span(seconds) : 'no time';
  return <span class="age">{isOld ? `old · ${text}` : text}</span>;
}
