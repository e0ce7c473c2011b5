// A long list of rows of one height: only those that are looked at are drawn, so that thousands cost what twenty cost.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** Rows drawn above and below those that are seen, so that a flick shows no gap. */
const BEYOND = 8;

interface RowsProps<T> {
  readonly items: readonly T[];
  /** Pixels of a row. */
  readonly height: number;
  readonly label: string;
  readonly head: ComponentChildren;
  readonly row: (item: T, index: number) => ComponentChildren;
}

export function Rows<T>({ items, height, label, head, row }: RowsProps<T>) {
  const node = useRef<HTMLDivElement>(null);
  const seen = useSignal({ top: 0, height: 600 });
  const look = () => {
    const at = node.current;
    if (at) seen.value = { top: at.scrollTop, height: at.clientHeight };
  };
  useEffect(() => {
    look();
    window.addEventListener('resize', look);
    return () => window.removeEventListener('resize', look);
  }, []);
  const first = Math.max(0, Math.floor(seen.value.top / height) - BEYOND);
  const last = Math.min(items.length, Math.ceil((seen.value.top + seen.value.height) / height) + BEYOND);
  return (
    <div class="rows" ref={node} onScroll={look} role="table" aria-label={label} aria-rowcount={items.length + 1} tabIndex={0}>
      <div role="rowgroup" class="head">{head}</div>
      <div role="rowgroup" class="body" style={{ height: `${items.length * height}px` }}>
        <div class="drawn" style={{ transform: `translateY(${first * height}px)` }}>
          {items.slice(first, last).map((item, index) => row(item, first + index))}
        </div>
      </div>
    </div>
  );
}
