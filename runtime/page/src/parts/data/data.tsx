import type { Part } from '../part';

function View() {
  return <p class="hint">…</p>;
}

export const data: Part = { id: 'data', title: 'Data', door: 'both', View };
