// Which part of the page is looked at: the address after `#/`.
import { signal } from '@preact/signals';

function read(): readonly string[] {
  return location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((segment) => segment)
    .map((segment) => {
      try {
        return decodeURIComponent(segment);
      } catch {
        return segment;
      }
    });
}

export const route = signal(read());
window.addEventListener('hashchange', () => {
  route.value = read();
});
