import type { Part } from '../part';

function View() {
  return <p class="hint">…</p>;
}

export const now: Part = { id: 'now', title: 'Now', door: 'both', View };
