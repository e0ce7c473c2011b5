// What a person chose on this device, kept by the browser.
import { effect } from '@preact/signals';
import { kept } from '../kit/kept';

export type Theme = 'system' | 'light' | 'dark' | 'night';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark', 'night'];

export const theme = kept<Theme>('skiff.theme', 'system', (found) => THEMES.includes(found as Theme));

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});
