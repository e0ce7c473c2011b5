// The last ten minutes of a value as a line, or what there is of them.
import { useMemo } from 'preact/hooks';
import { begun, lines, unwrapped } from '../kit/series';
import { seriesOf } from '../vessel/recorder';
import { meta, now, second } from '../vessel/values';

const WIDTH = 100;
const HEIGHT = 24;
/** Spans that are drawn at least: a minute. */
const SPANS_MIN = 15;
/** A line is drawn anew each so many seconds. */
const EACH_S = 4;
/** What a value's line is at least high, in SI units: less is noise. */
const SPREADS: Readonly<Record<string, number>> = { m: 1, 'm/s': 0.5, rad: 0.1, K: 1, Pa: 500, Hz: 2, ratio: 0.05, V: 0.5, A: 1, 'rad/s': 0.02 };

interface PlotProps {
  readonly path: string;
  readonly isAngle: boolean;
}

export function Plot({ path, isAngle }: PlotProps) {
  const series = seriesOf(path);
  const turn = Math.floor(second.value / EACH_S);
  const spread = SPREADS[meta(path).value.units ?? ''] ?? 0;
  const runs = useMemo(() => {
    const values = begun(series?.until(now()) ?? [], SPANS_MIN);
    return lines(isAngle ? unwrapped(values) : values, spread);
  }, [path, turn, spread]);
  const drawn = runs.filter((run) => run.length > 1);
  return (
    <svg class="plot" viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio="none" aria-hidden="true">
      {drawn.map((run, index) => (
        <polyline key={index} points={run.map(([x, y]) => `${(x * WIDTH).toFixed(1)},${(y * HEIGHT).toFixed(1)}`).join(' ')} />
      ))}
    </svg>
  );
}
