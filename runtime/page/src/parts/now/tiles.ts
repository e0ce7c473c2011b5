// Which of a boat's paths are worth a tile, in the order in which a skipper looks for them.

/** How a tile's value is written. */
export type Form = 'number' | 'course' | 'side' | 'position' | 'text';

export interface Detail {
  readonly path: string;
  readonly form?: Form;
}

export interface Tile {
  /** Its path with `*` for the instance, which is its title's `{}`. */
  readonly path: string;
  readonly title: string;
  readonly form?: Form;
  /** Written small below. */
  readonly also?: readonly Detail[];
  /** Not shown where one of these is. */
  readonly unless?: readonly string[];
  /** The SI unit where the path's meta names none. */
  readonly si?: string;
}

const N = 'navigation.';
const E = 'environment.';

const CATALOGUE: readonly Tile[] = [
  { path: `${E}depth.belowKeel`, title: 'Depth below keel', si: 'm' },
  { path: `${E}depth.belowSurface`, title: 'Depth', si: 'm', unless: [`${E}depth.belowKeel`] },
  { path: `${E}depth.belowTransducer`, title: 'Depth below transducer', si: 'm', unless: [`${E}depth.belowKeel`, `${E}depth.belowSurface`] },
  { path: `${N}speedThroughWater`, title: 'Speed through water', si: 'm/s' },
  { path: `${N}speedOverGround`, title: 'Speed over ground', si: 'm/s' },
  { path: `${E}wind.speedApparent`, title: 'Apparent wind', si: 'm/s', also: [{ path: `${E}wind.angleApparent`, form: 'side' }] },
  { path: `${E}wind.speedTrue`, title: 'True wind', si: 'm/s', also: [{ path: `${E}wind.angleTrueWater`, form: 'side' }, { path: `${E}wind.directionTrue`, form: 'course' }] },
  { path: `${E}wind.speedOverGround`, title: 'Wind over ground', si: 'm/s', unless: [`${E}wind.speedTrue`], also: [{ path: `${E}wind.angleTrueGround`, form: 'side' }, { path: `${E}wind.directionTrue`, form: 'course' }] },
  { path: `${N}headingTrue`, title: 'Heading', form: 'course', si: 'rad' },
  { path: `${N}headingMagnetic`, title: 'Heading, magnetic', form: 'course', si: 'rad', unless: [`${N}headingTrue`] },
  { path: `${N}courseOverGroundTrue`, title: 'Course over ground', form: 'course', si: 'rad' },
  { path: `${N}courseOverGroundMagnetic`, title: 'Course, magnetic', form: 'course', si: 'rad', unless: [`${N}courseOverGroundTrue`] },
  { path: `${N}position`, title: 'Position', form: 'position' },
  { path: `steering.autopilot.state`, title: 'Autopilot', form: 'text', also: [{ path: 'steering.autopilot.target.headingTrue', form: 'course' }, { path: 'steering.autopilot.target.windAngleApparent', form: 'side' }] },
  { path: `steering.rudderAngle`, title: 'Rudder', form: 'side', si: 'rad' },
  { path: `${N}rateOfTurn`, title: 'Rate of turn', si: 'rad/s' },
  { path: `electrical.batteries.*.voltage`, title: 'Battery {}', si: 'V', also: [{ path: 'electrical.batteries.*.current' }, { path: 'electrical.batteries.*.capacity.stateOfCharge' }] },
  { path: `electrical.solar.*.panelPower`, title: 'Solar {}', si: 'W' },
  { path: `tanks.fuel.*.currentLevel`, title: 'Fuel {}', si: 'ratio', also: [{ path: 'tanks.fuel.*.currentVolume' }] },
  { path: `tanks.freshWater.*.currentLevel`, title: 'Fresh water {}', si: 'ratio', also: [{ path: 'tanks.freshWater.*.currentVolume' }] },
  { path: `tanks.blackWater.*.currentLevel`, title: 'Black water {}', si: 'ratio' },
  { path: `tanks.wasteWater.*.currentLevel`, title: 'Waste water {}', si: 'ratio' },
  { path: `tanks.liveWell.*.currentLevel`, title: 'Live well {}', si: 'ratio' },
  { path: `tanks.lubrication.*.currentLevel`, title: 'Oil tank {}', si: 'ratio' },
  { path: `propulsion.*.revolutions`, title: 'Engine {}', si: 'Hz', also: [{ path: 'propulsion.*.runTime' }] },
  { path: `propulsion.*.temperature`, title: 'Engine {} temperature', si: 'K' },
  { path: `propulsion.*.oilPressure`, title: 'Engine {} oil', si: 'Pa', also: [{ path: 'propulsion.*.oilTemperature' }] },
  { path: `propulsion.*.fuel.rate`, title: 'Engine {} fuel', si: 'm3/s' },
  { path: `propulsion.*.exhaustTemperature`, title: 'Engine {} exhaust', si: 'K' },
  { path: `propulsion.*.alternatorVoltage`, title: 'Engine {} alternator', si: 'V' },
  { path: `${E}water.temperature`, title: 'Water', si: 'K' },
  { path: `${E}outside.temperature`, title: 'Air', si: 'K', also: [{ path: `${E}outside.humidity` }, { path: `${E}outside.relativeHumidity` }] },
  { path: `${E}inside.temperature`, title: 'Inside', si: 'K' },
  { path: `${E}inside.*.temperature`, title: '{}', si: 'K' },
  { path: `${E}outside.pressure`, title: 'Barometer', si: 'Pa' },
  { path: `${N}log`, title: 'Log', si: 'm', also: [{ path: `${N}trip.log` }] },
];

const PATTERNS = CATALOGUE.map(({ path }) => new RegExp(`^${path.replace(/\./g, '\\.').replace('*', '([^.]+)')}$`));
/** Tiles of one boat. */
const TILES_MAX = 80;

/** The tiles of the paths that have values: instances filled in, those that another one makes needless left out. */
export function tilesOf(paths: readonly string[]): readonly Tile[] {
  const has = new Set(paths);
  const found: Tile[] = [];
  CATALOGUE.forEach((tile, index) => {
    if (tile.unless?.some((other) => has.has(other))) return;
    const instances = paths
      .map((path) => PATTERNS[index]?.exec(path))
      .filter((match) => match !== null && match !== undefined)
      .map((match) => match[1] ?? '')
      .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));
    for (const instance of instances) found.push(filled(tile, instance, instances.length));
  });
  return found.slice(0, TILES_MAX);
}

/** An only tank that is called 0 needs no name. */
function filled(tile: Tile, instance: string, count: number): Tile {
  const fill = (path: string) => path.replace('*', instance);
  const isOnly = count === 1 && /^(0|1|main|port)$/.test(instance);
  // A room has no other name: mainCabin.
  const name = isOnly && tile.title !== '{}' ? '' : instance.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  const title = tile.title.replace('{}', name).replace(/ +/g, ' ').trim().replace(/^./, (letter) => letter.toUpperCase());
  const also = tile.also?.map((detail) => ({ ...detail, path: fill(detail.path) }));
  return { ...tile, path: fill(tile.path), title, ...(also && { also }) };
}

/** Tiles in the order that a person chose, the others behind. */
export function arranged(tiles: readonly Tile[], first: readonly string[]): readonly Tile[] {
  const place = ({ path }: Tile) => {
    const found = first.indexOf(path);
    return found < 0 ? first.length : found;
  };
  return [...tiles].sort((one, other) => place(one) - place(other));
}

/** The order after one tile went a place up (-1) or down (1). */
export function moved(tiles: readonly Tile[], path: string, by: -1 | 1): readonly string[] {
  const order = tiles.map((tile) => tile.path);
  const from = order.indexOf(path);
  const to = from + by;
  if (from < 0 || to < 0 || to >= order.length) return order;
  order.splice(to, 0, ...order.splice(from, 1));
  return order;
}
