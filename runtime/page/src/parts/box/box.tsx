import type { Part } from '../part';

function View() {
  return <p class="hint">…</p>;
}

export const box: Part = { id: 'box', title: 'Box', door: 'admin', View };
