// What a person chose on this device, kept by the browser.
import { effect, signal } from '@preact/signals';
import { kept } from '../kit/kept';

export type Theme = 'system' | 'light' | 'dark' | 'night';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark', 'night'];

export const theme = kept<Theme>('skiff.theme', 'system', (found) => THEMES.includes(found as Theme));

const system = window.matchMedia('(prefers-color-scheme: dark)');
const isDark = signal(system.matches);
// An evening comes while the page is open.
system.addEventListener('change', ({ matches }) => (isDark.value = matches));

effect(() => {
  document.documentElement.dataset['theme'] = theme.value !== 'system' ? theme.value : isDark.value ? 'dark' : 'light';
});
