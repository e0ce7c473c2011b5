import type { Part } from '../part';

function View() {
  return <p class="hint">…</p>;
}

export const apps: Part = { id: 'apps', title: 'Apps', door: 'boat', needs: 'webapps', View };
