// From the SI units of Signal K to those that people read (Signal K specification 1.7, appendix of units).

/** What a kind of quantity can be shown in; the first is shown when nobody has chosen. */
export interface Unit {
  readonly name: string;
  /** Shown = SI × factor + offset. */
  readonly factor: number;
  readonly offset: number;
  readonly decimals: number;
}

const unit = (name: string, factor: number, decimals: number, offset = 0): Unit => ({ name, factor, offset, decimals });

/** Units by the SI unit that a path's meta names. */
export const UNITS: Readonly<Record<string, readonly Unit[]>> = {
  'm/s': [unit('kn', 3600 / 1852, 1), unit('m/s', 1, 1), unit('km/h', 3.6, 1), unit('mph', 3600 / 1609.344, 1)],
  m: [unit('m', 1, 1), unit('ft', 1 / 0.3048, 1), unit('nm', 1 / 1852, 2), unit('km', 0.001, 2)],
  rad: [unit('°', 180 / Math.PI, 0), unit('rad', 1, 3)],
  'rad/s': [unit('°/min', (180 / Math.PI) * 60, 0), unit('°/s', 180 / Math.PI, 1)],
  K: [unit('°C', 1, 1, -273.15), unit('°F', 1.8, 1, -459.67), unit('K', 1, 1)],
  Pa: [unit('mbar', 0.01, 0), unit('bar', 1e-5, 2), unit('kPa', 1e-3, 1), unit('psi', 1 / 6894.757, 1)],
  Hz: [unit('rpm', 60, 0), unit('Hz', 1, 1)],
  ratio: [unit('%', 100, 0), unit('', 1, 2)],
  m3: [unit('l', 1000, 0), unit('gal', 264.172, 0), unit('m³', 1, 2)],
  'm3/s': [unit('l/h', 3.6e6, 1), unit('gal/h', 951_019.4, 1)],
  V: [unit('V', 1, 2)],
  A: [unit('A', 1, 1)],
  W: [unit('W', 1, 0), unit('kW', 0.001, 2)],
  J: [unit('Wh', 1 / 3600, 0), unit('kWh', 1 / 3.6e6, 2)],
  C: [unit('Ah', 1 / 3600, 1)],
  s: [unit('s', 1, 0), unit('min', 1 / 60, 0), unit('h', 1 / 3600, 1)],
};

/** The unit chosen for an SI unit, by its name; the first where nothing fits. */
export function chosen(si: string, name?: string): Unit {
  const known = UNITS[si];
  return known?.find((one) => one.name === name) ?? known?.[0] ?? unit(si, 1, 2);
}

/** A number as it is shown, without its unit. */
export function shown(value: number, in_: Unit): string {
  if (!Number.isFinite(value)) return '–';
  const number = value * in_.factor + in_.offset;
  // Three digits are what an instrument has: 12.3, 123.
  const decimals = Math.abs(number) >= 100 ? 0 : in_.decimals;
  const text = number.toFixed(decimals);
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

/** The SI number of one that is shown; what rounding the way there and back did is taken off. */
export function unshown(number: number, in_: Unit): number {
  return Number(((number - in_.offset) / in_.factor).toPrecision(9));
}

/** The number that is shown, with a digit more than goes back, for a form. */
export function digits(value: number, in_: Unit): string {
  return String(Number((value * in_.factor + in_.offset).toPrecision(10)));
}

/** An angle as a course, 000 to 359. */
export function course(radians: number): string {
  if (!Number.isFinite(radians)) return '–';
  const degrees = Math.round((radians * 180) / Math.PI);
  return String(((degrees % 360) + 360) % 360).padStart(3, '0');
}

/** Degrees and minutes, 54°23.400′ N. */
export function latitude(degrees: number): string {
  return angle(degrees, 2, 'N', 'S');
}

/** Degrees and minutes, 010°09.600′ E. */
export function longitude(degrees: number): string {
  return angle(degrees, 3, 'E', 'W');
}

function angle(degrees: number, digits: number, plus: string, minus: string): string {
  if (!Number.isFinite(degrees)) return '–';
  // In thousandths of a minute, so that no minute is shown as 60.
  const thousandths = Math.round(Math.abs(degrees) * 60_000);
  const whole = Math.floor(thousandths / 60_000);
  const minutes = (thousandths % 60_000) / 1000;
  return `${String(whole).padStart(digits, '0')}°${minutes.toFixed(3).padStart(6, '0')}′ ${degrees < 0 ? minus : plus}`;
}

const STEPS: readonly (readonly [number, string])[] = [[86_400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];

/** A span of time in one unit: 4 s, 12 min, 3 h. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [size, name] = STEPS.find(([size]) => whole >= size) ?? [1, 's'];
  return `${Math.floor(whole / size)} ${name}`;
}

const SIZES = ['bytes', 'KB', 'MB', 'GB'];

/** A count of bytes: 812 bytes, 4.2 KB. */
export function bytes(count: number): string {
  let size = 0;
  let left = count;
  while (left >= 1000 && size < SIZES.length - 1) {
    left /= 1000;
    size += 1;
  }
  return `${size === 0 || left >= 100 ? Math.round(left) : left.toFixed(1)} ${SIZES[size]}`;
}
