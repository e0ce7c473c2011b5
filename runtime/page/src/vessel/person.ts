// What a person chose: units and tiles. Kept by this browser, and on the gateway for who is signed in, so that the phone and
// the tablet show the same.
import { effect, signal } from '@preact/signals';
import { kept } from '../kit/kept';
import { ofPreset } from '../kit/quantity';
import { ask } from '../server/http';
import { has, login, may } from '../server/session';

export interface Choices {
  /** Names of units by kind of quantity. */
  readonly units: Readonly<Record<string, string>>;
  /** Tiles that are not shown. */
  readonly hidden: readonly string[];
  /** Tiles that come first, in this order. */
  readonly first: readonly string[];
}

const NONE: Choices = { units: {}, hidden: [], first: [] };
const WHERE = '/signalk/v1/applicationData/user/skiff/1.0';
/** Milliseconds without a change after which the gateway is told. */
const QUIET_MS = 1500;

const isTexts = (list: unknown) => Array.isArray(list) && list.every((one) => typeof one === 'string');

function isChoices(found: unknown): found is Choices {
  const { units, hidden, first } = (found ?? {}) as Partial<Choices>;
  return typeof units === 'object' && units !== null && Object.values(units).every((one) => typeof one === 'string') && isTexts(hidden) && isTexts(first);
}

export const choices = kept<Choices>('skiff.choices', NONE, isChoices);
/** What the gateway shows those who chose nothing. */
const preset = signal<Readonly<Record<string, string>>>({});

/** The units that hold: those that were chosen, else the gateway's. */
export function units(): Readonly<Record<string, string>> {
  return { ...preset.value, ...choices.value.units };
}

const isKeptThere = () => has('stores') && login.value.status === 'loggedIn' && may('readwrite');
let timer = 0;

/** Changes a choice, here and on the gateway. */
export function choose(change: Partial<Choices>): void {
  choices.value = { ...choices.value, ...change };
  window.clearTimeout(timer);
  if (isKeptThere()) timer = window.setTimeout(() => void tell(), QUIET_MS);
}

/** Why the gateway has not kept the choice, if it was told; the browser has it all the same. */
export const notKept = signal<string | null>(null);

async function tell(): Promise<void> {
  try {
    await ask('POST', WHERE, choices.peek());
    notKept.value = null;
  } catch (error) {
    notKept.value = error instanceof Error ? error.message : String(error);
  }
}

// Once it is known who we are and what the gateway has.
let isRead = false;
effect(() => {
  if (isRead || !has('settings') && !has('stores')) return;
  isRead = true;
  void read();
});

async function read(): Promise<void> {
  // What the gateway has is known a moment before who we are.
  await null;
  // A gateway that has no preferences, or none of ours, leaves those of the browser.
  if (has('settings')) preset.value = await ask('GET', '/signalk/v1/unitpreferences/active').then(ofPreset, () => ({}));
  if (!isKeptThere()) return;
  const found = await ask('GET', WHERE).catch(() => null);
  if (isChoices(found)) choices.value = { units: found.units, hidden: found.hidden, first: found.first };
}
