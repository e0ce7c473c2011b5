// How much of a budget is used.
import { bytes } from '../kit/units';

interface BarProps {
  readonly name: string;
  readonly used: number;
  readonly limit: number;
  readonly unit: string;
}

export function Bar({ name, used, limit, unit }: BarProps) {
  const amount = (count: number) => (unit === 'bytes' ? bytes(count) : count.toLocaleString('en'));
  const after = unit === 'bytes' ? '' : ` ${unit}`;
  return (
    <div class="bar">
      <span>{name}</span>
      {/* What has no limit of its own has nothing to be compared with. */}
      {limit ? <meter min={0} max={limit} high={limit * 0.9} value={Math.min(used, limit)} aria-label={name} /> : <span />}
      <span class="amount">{limit ? `${amount(used)} of ${amount(limit)}` : amount(used)}{after}</span>
    </div>
  );
}
