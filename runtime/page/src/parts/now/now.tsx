// What a skipper looks at: alarms, the course, numbers, who is around.
import { useComputed, useSignal } from '@preact/signals';
import { span } from '../../kit/units';
import { link } from '../../server/stream';
import { choices } from '../../vessel/person';
import { second, vessel } from '../../vessel/values';
import type { Part } from '../part';
import { Alarms, Overboard } from './alarms';
import { Around } from './around';
import { Choose } from './choose';
import { Course } from './course';
import { TileView } from './tile';
import { arranged, tilesOf } from './tiles';

function View() {
  const isChoosing = useSignal(false);
  const found = useComputed(() => {
    const own = vessel('self');
    // The set is no signal; this rises with it.
    void own?.size.value;
    return tilesOf([...(own?.said ?? [])]);
  }).value;
  const tiles = arranged(found, choices.value.first);
  const shown = tiles.filter(({ path }) => !choices.value.hidden.includes(path));
  return (
    <div class={link.value === 'lost' ? 'now lost' : 'now'}>
      <Lost />
      <Alarms />
      <Course />
      {found.length === 0 && <p class="hint">{link.value === 'open' ? 'No instrument has said anything yet.' : '…'}</p>}
      <div class="tiles">{shown.map((tile) => <TileView key={tile.path} tile={tile} />)}</div>
      <Around />
      {found.length > 0 && <p class="foot"><button type="button" onClick={() => (isChoosing.value = true)}>Tiles and units…</button>
        {shown.length < found.length && <span class="hint">{found.length - shown.length} not shown</span>}<Overboard /></p>}
      {isChoosing.value && <Choose tiles={tiles} onClose={() => (isChoosing.value = false)} />}
    </div>
  );
}

let lostAt = 0;

/** The link is lost: what is shown is of then. */
function Lost() {
  void second.value;
  if (link.value !== 'lost') {
    lostAt = 0;
    return null;
  }
  lostAt ||= Date.now();
  return <p class="lost" role="alert">No connection to the gateway: these values are the last that came<small aria-hidden="true">, {span((Date.now() - lostAt) / 1000)} ago</small>.</p>;
}

export const now: Part = { id: 'now', title: 'Now', door: 'both', View };
