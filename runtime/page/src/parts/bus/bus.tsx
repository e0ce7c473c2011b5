import type { Part } from '../part';

function View() {
  return <p class="hint">…</p>;
}

export const bus: Part = { id: 'bus', title: 'Bus', door: 'admin', View };
