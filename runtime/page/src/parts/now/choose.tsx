// What is chosen of Now: tiles, their order, units.
import { KINDS } from '../../kit/quantity';
import { UNITS } from '../../kit/units';
import { Dialog } from '../../ui/dialog';
import { choices, choose, notKept, units } from '../../vessel/person';
import { moved, type Tile } from './tiles';

interface ChooseProps {
  readonly tiles: readonly Tile[];
  readonly onClose: () => void;
}

export function Choose({ tiles, onClose }: ChooseProps) {
  const { hidden } = choices.value;
  const hide = (path: string, isShown: boolean) => choose({ hidden: isShown ? hidden.filter((one) => one !== path) : [...hidden, path] });
  const move = (path: string, by: -1 | 1) => choose({ first: moved(tiles, path, by) });
  return (
    <Dialog title="Tiles and units" onClose={onClose}>
      {notKept.value && <p class="wrong" role="alert">Kept by this browser alone: {notKept.value}</p>}
      <h3>Units</h3>
      <div class="units">
        {KINDS.map((kind) => (
          <label key={kind.id}>
            <span>{kind.title}</span>
            <select data-kind={kind.id} value={units()[kind.id] ?? kind.unit} onChange={({ currentTarget }) => choose({ units: { ...choices.value.units, [kind.id]: currentTarget.value } })}>
              {UNITS[kind.si]?.map(({ name }) => <option key={name} value={name}>{name || 'as it is'}</option>)}
            </select>
          </label>
        ))}
      </div>
      <h3>Tiles</h3>
      <ul class="chosen">
        {tiles.map(({ path, title }, index) => (
          <li key={path}>
            <label class="row"><input type="checkbox" data-path={path} checked={!hidden.includes(path)} onChange={({ currentTarget }) => hide(path, currentTarget.checked)} />{title}</label>
            <button type="button" class="plain" disabled={index === 0} aria-label={`${title}: up`} onClick={() => move(path, -1)}>↑</button>
            <button type="button" class="plain" disabled={index === tiles.length - 1} aria-label={`${title}: down`} onClick={() => move(path, 1)}>↓</button>
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => choose({ units: {}, hidden: [], first: [] })}>As it was at first</button>
    </Dialog>
  );
}
