// How much of a budget is used.
import { bytes } from '../kit/units';

interface BarProps {
  readonly name: string;
  readonly used: number;
  readonly limit: number;
  readonly unit: string;
}

export function Bar({ name, used, limit, unit }: BarProps) {
  const amount = (count: number) => (unit === 'bytes' ? bytes(count) : `${count.toLocaleString('en')} ${unit}`);
  return (
    <div class="bar">
      <span>{name}</span>
      <meter min={0} max={limit || 1} high={limit * 0.9} value={Math.min(used, limit || 1)} aria-label={name} />
      <span class="amount">{limit ? `${amount(used)} of ${amount(limit)}` : amount(used)}</span>
    </div>
  );
}
