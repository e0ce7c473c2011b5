import type { Part } from '../part';

function View() {
  return <p class="hint">…</p>;
}

export const plugins: Part = { id: 'plugins', title: 'Plugins', door: 'admin', View };
