import type { Part } from '../part';

function View() {
  return <p class="hint">…</p>;
}

export const people: Part = { id: 'people', title: 'People', door: 'admin', role: 'admin', needs: 'accounts', View };
