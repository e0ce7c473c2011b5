// What a person chose on this device, kept by the browser.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark' | 'night';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark', 'night'];

const KEY = 'skiff.theme';

function kept(): Theme {
  try {
    const found = localStorage.getItem(KEY) as Theme | null;
    return found && THEMES.includes(found) ? found : 'system';
  } catch {
    return 'system';
  }
}

export const theme = signal<Theme>(kept());

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // A browser that keeps nothing asks each time.
  }
});
