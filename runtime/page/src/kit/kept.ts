// A choice that the browser keeps; where it keeps nothing it is asked again each time.
import { effect, signal, type Signal } from '@preact/signals';

/** A signal that is written to the browser's store, and read from it where `isValid` says it is one. */
export function kept<T>(key: string, first: T, isValid: (found: unknown) => boolean): Signal<T> {
  const made = signal<T>(first);
  try {
    const found: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
    if (found !== null && isValid(found)) made.value = found as T;
  } catch {
    // No store, or another's text in it.
  }
  effect(() => {
    const text = JSON.stringify(made.value);
    try {
      localStorage.setItem(key, text);
    } catch {
      // Full, or forbidden.
    }
  });
  return made;
}
